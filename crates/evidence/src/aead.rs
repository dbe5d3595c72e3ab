//! AES-256-GCM (NIST SP 800-38D) over a buffer in place, tag apart.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};

/// Bytes of the authentication tag that follows every ciphertext.
pub(crate) const TAG_BYTES: usize = 16;
/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 12;

/// A key made ready for use. The key schedule is wiped when it is dropped.
pub(crate) struct Cipher(Aes256Gcm);

impl Cipher {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key)))
    }

    /// Encrypts `buffer` in place and gives the tag.
    #[expect(
        clippy::expect_used,
        reason = "AES-GCM refuses only more than 64 GiB in one message"
    )]
    pub(crate) fn seal(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], buffer: &mut [u8]) -> [u8; 16] {
        self.0
            .encrypt_inout_detached(&Nonce::from(nonce), aad, buffer.into())
            .expect("every message here is far below AES-GCM's bound")
            .into()
    }

    /// Decrypts `buffer` in place; false (and `buffer` unspecified) where it does not authenticate.
    #[must_use]
    pub(crate) fn open(
        &self,
        nonce: [u8; NONCE_BYTES],
        aad: &[u8],
        buffer: &mut [u8],
        tag: [u8; TAG_BYTES],
    ) -> bool {
        let (nonce, tag) = (Nonce::from(nonce), Tag::from(tag));
        self.0
            .decrypt_inout_detached(&nonce, aad, buffer.into(), &tag)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::unhex;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        unhex(hex).unwrap()
    }

    /// A published case, and that no other tag opens it.
    fn holds(
        key: [u8; 32],
        nonce: [u8; 12],
        aad: &[u8],
        (plain, sealed): (&[u8], &[u8]),
        tag: &str,
    ) {
        let cipher = Cipher::new(&key);
        let mut buffer = plain.to_vec();
        assert_eq!(cipher.seal(nonce, aad, &mut buffer), bytes(tag));
        assert_eq!(buffer, sealed);
        assert!(cipher.open(nonce, aad, &mut buffer, bytes(tag)));
        assert_eq!(buffer, plain);
        let mut other = bytes::<16>(tag);
        other[15] ^= 1;
        assert!(!cipher.open(nonce, aad, &mut sealed.to_vec(), other));
    }

    /// Test cases 13 to 16 for AES-256 of McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B.
    #[test]
    fn the_published_vectors_are_sealed_and_opened() {
        let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let nonce = bytes("cafebabefacedbaddecaf888");
        let aad: [u8; 20] = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain: [u8; 64] = bytes(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
        );
        let sealed: [u8; 64] = bytes(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
        );
        let (zero, blank) = ([0; 32], [0; 12]);
        holds(
            zero,
            blank,
            &[],
            (&[], &[]),
            "530f8afbc74536b9a963b4f1c4cb738b",
        );
        let one: [u8; 16] = bytes("cea7403d4d606b6e074ec5d3baf39d18");
        holds(
            zero,
            blank,
            &[],
            (&[0; 16], &one),
            "d0d1c8a799996bf0265b98b5d48ab919",
        );
        holds(
            key,
            nonce,
            &[],
            (&plain, &sealed),
            "b094dac5d93471bdec1a502270e3cc6c",
        );
        let short = (&plain[..60], &sealed[..60]);
        holds(key, nonce, &aad, short, "76fc6ece0f4e1768cddf8853bb2d551b");
    }
}
