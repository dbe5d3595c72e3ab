//! Damaged input from a fixed seed: what a fuzzer does, short and always the same.
//!
//! A real fuzzer (`fuzz/`) searches for days and is steered by coverage. This finds the plain
//! mistakes (a length that lies, a cut in the middle, a nesting without end) in seconds, in every
//! run of the tests, and the same ones each time.

/// Longest input that is made, in bytes.
pub const INPUT_BYTES_MAX: usize = 80_000;

/// A row of numbers that follows from its seed (xorshift64*, Marsaglia 2003 and Vigna 2016).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Starts the row; any seed will do.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        // The state must never be 0.
        Self(seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub const fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        let place = self.roll().checked_rem(end).unwrap_or(0);
        usize::try_from(place).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        let [first, ..] = self.roll().to_be_bytes();
        first
    }
}

/// Bytes that parsers stumble over: limits of numbers, ends of lines, quotes, brackets, markers.
const STUMBLES: &[&[u8]] = &[
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x80\0\0\0",
    b"\r\n",
    b"\r\n\r\n",
    b"\r\n ",
    b"--",
    b"\"",
    b"\\",
    b"<",
    b"<a>",
    b"</",
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    b"&b;",
    b"&#0;",
    b"[",
    b"{\"",
    b":",
    b";",
    b"=",
    b"-1",
    b"0",
    b"4294967296",
    b"18446744073709551616",
    b"99999999999999999999999999",
    b"1e999",
    b"%00",
    b"\xc3\x28",
    b"\xef\xbb\xbf",
    b"null",
    b"PK\x05\x06",
];

/// A damaged copy of one of the samples: one to eight changes of the kinds that real damage and
/// real attackers make.
#[must_use]
pub fn damaged(samples: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = pick(samples, dice).to_vec();
    for _ in 0..=dice.below(8) {
        change(&mut bytes, samples, dice);
        bytes.truncate(INPUT_BYTES_MAX);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, samples: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    let end = at + dice.below((bytes.len() - at).min(64) + 1);
    match dice.below(9) {
        // One bit, one byte.
        0 => {
            let bit = 1 << dice.below(8);
            bytes
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|byte| *byte ^= bit);
        }
        1 => {
            let value = dice.byte();
            bytes
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|byte| *byte = value);
        }
        // Cut short, cut out, doubled, said very often.
        2 => bytes.truncate(at),
        3 => {
            bytes.drain(at..end);
        }
        4 => {
            let piece: Vec<u8> = bytes.iter().copied().skip(at).take(end - at).collect();
            insert(bytes, at, &piece);
        }
        5 => {
            let piece: Vec<u8> = bytes.iter().copied().skip(at).take(end - at).collect();
            let times = 1 << dice.below(11);
            insert(bytes, at, &piece.repeat(times));
        }
        // What parsers stumble over, put in or put over.
        6 => insert(bytes, at, stumble(dice)),
        7 => {
            let piece = stumble(dice);
            let places = bytes.iter_mut().skip(at);
            places.zip(piece).for_each(|(place, byte)| *place = *byte);
        }
        // The head of one with the tail of another.
        _ => {
            let other = pick(samples, dice);
            let from = dice.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend(other.iter().skip(from));
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

fn pick<'a>(samples: &'a [Vec<u8>], dice: &mut Dice) -> &'a [u8] {
    let place = dice.below(samples.len());
    samples.get(place).map_or(&[], Vec::as_slice)
}

fn stumble(dice: &mut Dice) -> &'static [u8] {
    STUMBLES
        .get(dice.below(STUMBLES.len()))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_damage() {
        let samples = [b"INVITE sip:a@b SIP/2.0\r\n".to_vec(), vec![0; 300]];
        let make = || {
            let mut dice = Dice::new(7);
            (0..50)
                .map(|_| damaged(&samples, &mut dice))
                .collect::<Vec<_>>()
        };
        assert_eq!(make(), make());
        let different: std::collections::BTreeSet<_> = make().into_iter().collect();
        assert!(different.len() > 40);
    }

    #[test]
    fn nothing_to_damage_is_no_trouble_and_nothing_grows_without_end() {
        let mut dice = Dice::new(0);
        for _ in 0..2_000 {
            assert!(damaged(&[], &mut dice).len() <= INPUT_BYTES_MAX);
            assert!(damaged(&[vec![b'('; 60_000]], &mut dice).len() <= INPUT_BYTES_MAX);
        }
    }
}
