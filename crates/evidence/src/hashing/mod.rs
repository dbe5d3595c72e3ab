//! SHA-256 of many messages side by side.
//!
//! A server that records a thousand calls hashes thousands of short messages a second: the file of
//! each call, and the leaves of its trees. A processor with instructions for SHA-256 does each at
//! full speed by itself. One without them, which many servers still are, does sixteen in the time
//! of four (`lanes.rs`). So a message only gathers what is put into it, until [`settle`] takes all
//! of them forward together.

mod lanes;

use lanes::{LANES, States};
use sha2::block_api::compress256;
use std::sync::LazyLock;

/// Bytes that the algorithm takes at once (FIPS 180-4 §1).
const BLOCK_BYTES: usize = 64;

/// FIPS 180-4 §5.3.3.
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Fewer messages than this are done sooner one after the other.
const TOGETHER_MIN: usize = 4;

type Block = [u8; BLOCK_BYTES];

/// The SHA-256 of one message that is still growing.
#[derive(Clone)]
pub struct Hashing {
    state: [u32; 8],
    /// Bytes put in so far.
    length: u64,
    /// Of these the last, which are not in the state yet.
    waiting: Vec<u8>,
}

impl Hashing {
    /// Of an empty message.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: START,
            length: 0,
            waiting: Vec::new(),
        }
    }

    /// Makes room for so many bytes that come next.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.waiting.reserve(bytes);
    }

    /// Puts bytes behind the message. They wait until [`settle`], or until the digest is asked for.
    pub fn put(&mut self, bytes: &[u8]) {
        self.length = self.length.wrapping_add(bytes.len() as u64);
        self.waiting.extend_from_slice(bytes);
    }

    /// The same, for one that is put together in one go.
    #[must_use]
    pub(crate) fn with(mut self, bytes: &[u8]) -> Self {
        // With the room for its end.
        self.reserve(bytes.len() + 2 * BLOCK_BYTES);
        self.put(bytes);
        self
    }

    /// The message is complete.
    #[must_use]
    pub fn close(mut self) -> Closed {
        let bits = self.length.wrapping_mul(8).to_be_bytes();
        self.waiting.push(0x80);
        let end = (self.waiting.len() + bits.len()).next_multiple_of(BLOCK_BYTES);
        self.waiting.resize(end - bits.len(), 0);
        self.waiting.extend_from_slice(&bits);
        Closed(self)
    }

    /// The digest of the message.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.close().digest()
    }

    /// Takes this one forward by itself.
    fn settle(&mut self) {
        compress256(&mut self.state, self.waiting.as_chunks().0);
        self.keep_rest();
    }

    /// What waits is in the state, up to the last whole block.
    fn keep_rest(&mut self) {
        let (_whole, rest) = self.waiting.as_chunks::<BLOCK_BYTES>();
        // A new one: the room for what waited would be held once for every call.
        self.waiting = rest.to_vec();
    }
}

impl Default for Hashing {
    fn default() -> Self {
        Self::new()
    }
}

/// Says how much went in, never what.
impl std::fmt::Debug for Hashing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hashing({} bytes)", self.length)
    }
}

/// A complete message.
#[derive(Debug, Clone)]
pub struct Closed(Hashing);

impl Closed {
    /// For [`settle`].
    pub const fn hashing(&mut self) -> &mut Hashing {
        &mut self.0
    }

    /// Its digest. What was not settled is done now.
    #[must_use]
    pub fn digest(mut self) -> [u8; 32] {
        self.0.settle();
        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(self.0.state) {
            *bytes = word.to_be_bytes();
        }
        digest
    }
}

/// Takes all of them forward over what waits in them, side by side where that is faster.
pub fn settle<'a>(messages: impl IntoIterator<Item = &'a mut Hashing>) {
    let messages = messages.into_iter();
    let mut due: Vec<&mut Hashing> = messages
        .filter(|message| message.waiting.len() >= BLOCK_BYTES)
        .collect();
    if *LANES_ARE_FASTER && due.len() >= TOGETHER_MIN {
        // The longest first: those that end together begin together.
        due.sort_unstable_by_key(|message| std::cmp::Reverse(message.waiting.len()));
        side_by_side(&mut due);
    } else {
        for message in due {
            message.settle();
        }
    }
}

/// A processor that has instructions for SHA-256 is faster with them; one without wide registers
/// gains nothing, and neither does a build that is not optimised.
static LANES_ARE_FASTER: LazyLock<bool> = LazyLock::new(|| {
    #[cfg(target_arch = "x86_64")]
    let are_faster = !cfg!(debug_assertions)
        && !is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    let are_faster = false;
    are_faster
});

/// A message on its way through a lane.
struct Job<'a> {
    state: &'a mut [u32; 8],
    blocks: &'a [Block],
}

fn side_by_side(messages: &mut [&mut Hashing]) {
    let mut queue = messages.iter_mut().map(|message| Job {
        state: &mut message.state,
        blocks: message.waiting.as_chunks().0,
    });
    let mut lanes: [Option<Job<'_>>; LANES] = std::array::from_fn(|_lane| None);
    let mut states = States::new();
    loop {
        for (number, lane) in lanes.iter_mut().enumerate() {
            if lane.is_none()
                && let Some(job) = queue.next()
            {
                states.put(number, *job.state);
                *lane = Some(job);
            }
        }
        if lanes.iter().flatten().count() < TOGETHER_MIN {
            break;
        }
        advance(&mut lanes, &mut states);
    }
    for (number, lane) in lanes.into_iter().enumerate() {
        if let Some(job) = lane {
            *job.state = states.get(number);
            compress256(job.state, job.blocks);
        }
    }
    for message in messages {
        message.keep_rest();
    }
}

/// Takes all lanes forward until the first is done.
fn advance(lanes: &mut [Option<Job<'_>>; LANES], states: &mut States) {
    const NOTHING: &Block = &[0; BLOCK_BYTES];
    let lengths = lanes.iter().flatten().map(|job| job.blocks.len());
    let count = lengths.min().unwrap_or_default();
    for step in 0..count {
        let next = lanes.each_ref().map(|lane| {
            let job = lane.as_ref();
            job.and_then(|job| job.blocks.get(step)).unwrap_or(NOTHING)
        });
        states.compress(&next);
    }
    for (number, lane) in lanes.iter_mut().enumerate() {
        if let Some(job) = lane {
            job.blocks = job.blocks.get(count..).unwrap_or_default();
            if job.blocks.is_empty() {
                *job.state = states.get(number);
                *lane = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;
    use proptest::prelude::*;

    fn message(seed: usize, length: usize) -> Vec<u8> {
        (0..length)
            .map(|at| u8::try_from((at * 31 + seed * 7 + at / 64) % 251).unwrap())
            .collect()
    }

    /// Whatever the processor: the lanes themselves.
    fn digests_of_lanes(messages: &[Vec<u8>]) -> Vec<[u8; 32]> {
        let of = |message: &Vec<u8>| Hashing::new().with(message).close();
        let mut closed: Vec<Closed> = messages.iter().map(of).collect();
        side_by_side(&mut closed.iter_mut().map(Closed::hashing).collect::<Vec<_>>());
        for done in &closed {
            assert!(done.0.waiting.is_empty());
        }
        closed.into_iter().map(Closed::digest).collect()
    }

    #[test]
    fn every_length_and_every_number_of_messages_has_the_digest_of_the_library() {
        let messages: Vec<Vec<u8>> = (0..300).map(|length| message(length, length)).collect();
        for count in (0..40).chain([300]) {
            let some = &messages[messages.len() - count..];
            let expected: Vec<_> = some.iter().map(|bytes| sha256(bytes)).collect();
            assert_eq!(digests_of_lanes(some), expected, "{count} messages");
        }
    }

    #[test]
    fn a_digest_does_not_need_to_be_settled_first() {
        let bytes = message(1, 1_000);
        assert_eq!(Hashing::new().with(&bytes).finish(), sha256(&bytes));
        assert_eq!(Hashing::new().finish(), sha256(b""));
    }

    #[test]
    fn a_clone_goes_its_own_way() {
        let mut one = Hashing::new().with(&message(2, 100));
        settle([&mut one]);
        let other = one.clone().with(b"other");
        let expected = |more: &[u8]| sha256(&[&message(2, 100), more].concat());
        assert_eq!(one.with(b"one").finish(), expected(b"one"));
        assert_eq!(other.finish(), expected(b"other"));
    }

    proptest! {
        #[test]
        fn messages_that_grow_piece_by_piece_have_the_digest_of_the_whole(
            rounds in proptest::collection::vec(proptest::collection::vec((0_usize..30, 0_usize..400), 0..40), 0..8),
        ) {
            let mut growing = vec![Hashing::new(); 30];
            let mut whole = vec![Vec::new(); 30];
            for pieces in rounds {
                for (at, length) in pieces {
                    let piece = message(at, length);
                    growing[at].put(&piece);
                    whole[at].extend(piece);
                }
                side_by_side(&mut growing.iter_mut().collect::<Vec<_>>());
            }
            for (hashing, bytes) in growing.into_iter().zip(whole) {
                prop_assert_eq!(hashing.finish(), sha256(&bytes));
            }
        }
    }
}
