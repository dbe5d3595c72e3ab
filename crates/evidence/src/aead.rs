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
