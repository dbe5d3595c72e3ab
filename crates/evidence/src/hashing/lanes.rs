//! The compression of SHA-256 (FIPS 180-4 §6.2) for sixteen messages at once.
//!
//! One message can't be hashed faster by a wider register, since each step needs the one before. But
//! sixteen messages can: each word of the algorithm becomes sixteen words, one for each. The code
//! is plain arithmetic on arrays, which the compiler turns into the widest instructions of the
//! processor that it then runs on.

use super::BLOCK_BYTES;
use multiversion::multiversion;

/// How many messages go side by side: a register of 512 bits.
pub(super) const LANES: usize = 16;

/// A word of the algorithm, for each lane.
#[derive(Debug, Clone, Copy)]
struct Word([u32; LANES]);

/// The states of sixteen messages, word by word.
#[derive(Debug)]
pub(super) struct States([Word; 8]);

impl States {
    /// All lanes empty.
    pub(super) const fn new() -> Self {
        Self([Word([0; LANES]); 8])
    }

    /// Puts the state of a message into a lane.
    pub(super) fn put(&mut self, lane: usize, state: [u32; 8]) {
        for (word, value) in self.0.iter_mut().zip(state) {
            if let Some(place) = word.0.get_mut(lane) {
                *place = value;
            }
        }
    }

    /// The state of the message in a lane.
    pub(super) fn get(&self, lane: usize) -> [u32; 8] {
        self.0
            .map(|word| word.0.get(lane).copied().unwrap_or_default())
    }

    /// Takes the message of each lane one block further.
    pub(super) fn compress(&mut self, blocks: &[&[u8; BLOCK_BYTES]; LANES]) {
        compress(&mut self.0, blocks);
    }
}

impl Word {
    #[inline(always)]
    fn map(self, each: impl Fn(u32) -> u32) -> Self {
        let mut out = self;
        for word in &mut out.0 {
            *word = each(*word);
        }
        out
    }

    #[inline(always)]
    fn with(self, other: Self, each: impl Fn(u32, u32) -> u32) -> Self {
        let mut out = self;
        for (word, other) in out.0.iter_mut().zip(other.0) {
            *word = each(*word, other);
        }
        out
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.with(other, u32::wrapping_add)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.with(other, |a, b| a ^ b)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.with(other, |a, b| a & b)
    }

    /// Σ of FIPS 180-4 §4.1.2.
    #[inline(always)]
    fn sum(self, by: [u32; 3]) -> Self {
        let [a, b, c] = by;
        self.map(|x| x.rotate_right(a) ^ x.rotate_right(b) ^ x.rotate_right(c))
    }

    /// σ of FIPS 180-4 §4.1.2.
    #[inline(always)]
    fn mix(self, by: [u32; 3]) -> Self {
        let [a, b, c] = by;
        self.map(|x| x.rotate_right(a) ^ x.rotate_right(b) ^ (x >> c))
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn compress(states: &mut [Word; 8], blocks: &[&[u8; BLOCK_BYTES]; LANES]) {
    let mut schedule = words(blocks);
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *states;
    for (turn, constants) in CONSTANTS.iter().enumerate() {
        if turn > 0 {
            schedule = expand(schedule);
        }
        for (constant, word) in constants.iter().zip(schedule) {
            let choice = g.xor(e.and(f.xor(g)));
            let majority = a.and(b).xor(c.and(a.xor(b)));
            let word = word.map(|word| word.wrapping_add(*constant));
            let first = h.plus(e.sum([6, 11, 25])).plus(choice).plus(word);
            let second = a.sum([2, 13, 22]).plus(majority);
            (h, g, f, e) = (g, f, e, d.plus(first));
            (d, c, b, a) = (c, b, a, first.plus(second));
        }
    }
    for (state, end) in states.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *state = state.plus(end);
    }
}

// Functions that are always inlined, no closures of more than a line, and no `map` of an array: what is
// not inlined is compiled for the plain processor, and then slower than one message at a time.

/// The sixteen words of each block, big-endian: from a row for each lane to a row for each word.
#[inline(always)]
fn words(blocks: &[&[u8; BLOCK_BYTES]; LANES]) -> [Word; 16] {
    let mut rows = [Word([0; LANES]); 16];
    for (row, block) in rows.iter_mut().zip(blocks) {
        let (words, _none) = block.as_chunks::<4>();
        for (word, bytes) in row.0.iter_mut().zip(words) {
            *word = u32::from_be_bytes(*bytes);
        }
    }
    // Four times interleaved, what was a column is a row.
    interleave(interleave(interleave(interleave(rows))))
}

/// Each row of the upper half, word by word, between those of the row in the same place of the lower half.
#[inline(always)]
#[rustfmt::skip]
fn interleave(rows: [Word; 16]) -> [Word; 16] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = rows;
    [
        low(a, i), high(a, i), low(b, j), high(b, j), low(c, k), high(c, k), low(d, l), high(d, l),
        low(e, m), high(e, m), low(f, n), high(f, n), low(g, o), high(g, o), low(h, p), high(h, p),
    ]
}

#[inline(always)]
#[rustfmt::skip]
const fn low(a: Word, b: Word) -> Word {
    let (Word(a), Word(b)) = (a, b);
    Word([a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3], a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]])
}

#[inline(always)]
#[rustfmt::skip]
const fn high(a: Word, b: Word) -> Word {
    let (Word(a), Word(b)) = (a, b);
    Word([a[8], b[8], a[9], b[9], a[10], b[10], a[11], b[11], a[12], b[12], a[13], b[13], a[14], b[14], a[15], b[15]])
}

/// The sixteen words of the message schedule that follow these (FIPS 180-4 §6.2.2). Written out, since the
/// compiler makes no wide instructions of a loop that reads what it wrote.
#[inline(always)]
fn expand(words: [Word; 16]) -> [Word; 16] {
    let [
        w0,
        w1,
        w2,
        w3,
        w4,
        w5,
        w6,
        w7,
        w8,
        w9,
        w10,
        w11,
        w12,
        w13,
        w14,
        w15,
    ] = words;
    let n0 = next(w0, w1, w9, w14);
    let n1 = next(w1, w2, w10, w15);
    let n2 = next(w2, w3, w11, n0);
    let n3 = next(w3, w4, w12, n1);
    let n4 = next(w4, w5, w13, n2);
    let n5 = next(w5, w6, w14, n3);
    let n6 = next(w6, w7, w15, n4);
    let n7 = next(w7, w8, n0, n5);
    let n8 = next(w8, w9, n1, n6);
    let n9 = next(w9, w10, n2, n7);
    let n10 = next(w10, w11, n3, n8);
    let n11 = next(w11, w12, n4, n9);
    let n12 = next(w12, w13, n5, n10);
    let n13 = next(w13, w14, n6, n11);
    let n14 = next(w14, w15, n7, n12);
    let n15 = next(w15, n0, n8, n13);
    [
        n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13, n14, n15,
    ]
}

/// A word of the schedule, of those 16, 15, 7 and 2 before it.
#[inline(always)]
fn next(w16: Word, w15: Word, w7: Word, w2: Word) -> Word {
    let (old, new) = (w15.mix([7, 18, 3]), w2.mix([17, 19, 10]));
    w16.plus(old).plus(w7).plus(new)
}

/// FIPS 180-4 §4.2.2.
#[rustfmt::skip]
const CONSTANTS: [[u32; 16]; 4] = [
    [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    ],
    [
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    ],
    [
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    ],
    [
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ],
];
