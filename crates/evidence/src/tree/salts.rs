//! The salts of a stream's leaves.

use crate::digest::hmac_sha256;
use crate::hashing::{Closed, Hashing, settle};
use voicelog_model::StreamNumber;

/// How many are drawn together: sixteen take no longer than four.
const TOGETHER: u64 = 16;

const LABEL: &[u8] = b"voicelog/v1/leaf-salt";

/// Draws the salts of one stream, in the order of its leaves.
///
/// The salt of a leaf: HKDF-SHA-256 of the tree salt (RFC 5869, with an empty salt of its own), `info`
/// = `voicelog/v1/leaf-salt` ‖ 0 ‖ stream (2) ‖ number of the leaf from 0 (8). Of HKDF's HMAC (RFC
/// 2104) the first block of both halves is the same for every leaf and done once.
#[derive(Clone)]
pub(crate) struct LeafSalts {
    inner: Hashing,
    outer: Hashing,
    stream: StreamNumber,
    next: u64,
    /// Those that were drawn and not used yet, the next one last.
    ready: Vec<[u8; 32]>,
}

impl LeafSalts {
    pub(crate) fn new(tree_salt: &[u8; 32], stream: StreamNumber) -> Self {
        let key = hmac_sha256(&[0; 32], &[tree_salt]);
        Self {
            inner: half(&key, 0x36),
            outer: half(&key, 0x5c),
            stream,
            next: 0,
            ready: Vec::new(),
        }
    }

    /// The salt of the next leaf.
    pub(crate) fn take(&mut self) -> [u8; 32] {
        loop {
            if let Some(salt) = self.ready.pop() {
                return salt;
            }
            self.draw();
        }
    }

    fn draw(&mut self) {
        let end = self.next + TOGETHER;
        // The first block of HKDF's output is all that is needed: its counter is 1.
        let of = |leaf: u64| {
            let place = (self.stream.0.to_be_bytes(), leaf.to_be_bytes());
            let info = [LABEL, &[0], &place.0, &place.1, &[1]].concat();
            self.inner.clone().with(&info).close()
        };
        let inner = digests((self.next..end).rev().map(of).collect());
        let of = |digest: [u8; 32]| self.outer.clone().with(&digest).close();
        self.ready = digests(inner.into_iter().map(of).collect());
        self.next = end;
    }
}

/// The half of an HMAC that begins with the key.
fn half(key: &[u8; 32], pad: u8) -> Hashing {
    let mut block = [pad; 64];
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    let mut half = Hashing::new().with(&block);
    settle([&mut half]);
    half
}

fn digests(mut messages: Vec<Closed>) -> Vec<[u8; 32]> {
    settle(messages.iter_mut().map(Closed::hashing));
    messages.into_iter().map(Closed::digest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::hkdf_sha256;

    #[test]
    fn each_salt_is_what_the_document_says() {
        let mut salts = LeafSalts::new(&[5; 32], StreamNumber(2));
        for leaf in 0..40_u64 {
            let info = [LABEL, &[0, 0, 2], &leaf.to_be_bytes()];
            assert_eq!(salts.take(), hkdf_sha256(&[5; 32], &info), "leaf {leaf}");
        }
    }
}
