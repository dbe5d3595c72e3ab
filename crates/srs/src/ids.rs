//! Tags, branches and small random numbers, from a seed: the same seed and the same input give
//! the same output, byte for byte.

use sha2::{Digest, Sha256};

/// Hands out values that nobody without the seed can foresee (RFC 3261 §19.3 asks that of tags).
pub(crate) struct IdSource {
    seed: [u8; 32],
    counter: u64,
}

impl IdSource {
    pub(crate) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    fn block(&mut self) -> [u8; 32] {
        self.counter += 1;
        let mut hash = Sha256::new();
        hash.update(b"voicelog srs ids v1");
        hash.update(self.seed);
        hash.update(self.counter.to_be_bytes());
        hash.finalize().into()
    }

    /// 128 bits as hexadecimal text.
    pub(crate) fn token(&mut self) -> String {
        let mut text = String::with_capacity(32);
        for byte in self.block().iter().take(16) {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text
    }

    /// A branch with the magic cookie (RFC 3261 §8.1.1.7).
    pub(crate) fn branch(&mut self) -> String {
        format!("z9hG4bK{}", self.token())
    }

    /// A number below 2^62, so that every SDP reader takes it (RFC 8866 §5.2).
    pub(crate) fn number(&mut self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.block();
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 2
    }
}
