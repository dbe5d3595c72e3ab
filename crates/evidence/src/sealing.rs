//! Sealing to a public key: who seals cannot open.
//!
//! HPKE (RFC 9180) in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Nothing here says who
//! sealed: anybody who has the public key can.

use crate::digest::hkdf_sha256;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable as _, HpkeError, Kem as _, OpModeR, OpModeS, Serializable as _};
use std::convert::Infallible;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

type Kem = X25519HkdfSha256;

/// Bytes that sealing adds: an ephemeral public key and a tag.
pub const SEALED_OVERHEAD_BYTES: usize = ENCAPSULATED_BYTES + 16;
const ENCAPSULATED_BYTES: usize = 32;

/// A public key that can be sealed to (X25519, RFC 7748).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SealingKey(pub [u8; 32]);

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", crate::digest::hex(&self.0))
    }
}

/// The private key that opens what was sealed: 32 random bytes, from which the pair is drawn
/// (`DeriveKeyPair`, RFC 9180 §7.1.3).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct OpeningKey([u8; 32]);

impl OpeningKey {
    /// From 32 random bytes.
    #[must_use]
    pub const fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes that it was made from.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public key that belongs to it.
    #[must_use]
    pub fn sealing_key(&self) -> SealingKey {
        let (_private, public) = Kem::derive_keypair(&self.0);
        SealingKey(public.to_bytes().into())
    }

    /// Opens what was sealed to [`OpeningKey::sealing_key`] for the same purpose (`info`) and the same thing (`aad`).
    /// Nothing where it was changed, is of something else, or was sealed to another key.
    #[must_use]
    pub fn open(&self, info: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (encapsulated, body) = sealed.split_at_checked(ENCAPSULATED_BYTES)?;
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        let (private, _public) = Kem::derive_keypair(&self.0);
        let opened = hpke::single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &OpModeR::Base,
            &private,
            &encapsulated,
            info,
            body,
            aad,
        );
        opened.ok().map(Zeroizing::new)
    }
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpeningKey(secret)")
    }
}

/// The bytes are no public key that can be sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no public key that anything can be sealed to")]
pub struct NoSealingKey;

/// Seals bytes to a public key, for one purpose (`info`) and one thing (`aad`). `random` is used for this alone.
///
/// Shape: ephemeral public key (32) ‖ ciphertext ‖ tag (16).
pub fn seal(
    to: &SealingKey,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    random: [u8; 32],
) -> Result<Vec<u8>, NoSealingKey> {
    let no_key = |_error: HpkeError| NoSealingKey;
    let public = <Kem as hpke::Kem>::PublicKey::from_bytes(&to.0).map_err(no_key)?;
    let mut drawn = Drawn { random, count: 0 };
    let (encapsulated, body) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, Kem>(
        &OpModeS::Base,
        &public,
        info,
        plaintext,
        aad,
        &mut drawn,
    )
    .map_err(no_key)?;
    Ok([encapsulated.to_bytes().as_slice(), &body].concat())
}

/// Random bytes that were passed in, as the library asks for them. The first 32 are they themselves; what is
/// asked beyond them, which X25519 never does, is drawn from them and never repeats.
#[derive(ZeroizeOnDrop)]
struct Drawn {
    random: [u8; 32],
    count: u64,
}

impl Drawn {
    fn next_block(&mut self) -> [u8; 32] {
        let count = self.count;
        self.count += 1;
        if count == 0 {
            return self.random;
        }
        hkdf_sha256(&self.random, &[b"voicelog/v1/drawn", &count.to_be_bytes()])
    }
}

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let [a, b, c, d, ..] = self.next_block();
        Ok(u32::from_be_bytes([a, b, c, d]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let [a, b, c, d, e, f, g, h, ..] = self.next_block();
        Ok(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for piece in bytes.chunks_mut(32) {
            let block = Zeroizing::new(self.next_block());
            for (to, from) in piece.iter_mut().zip(block.iter()) {
                *to = *from;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::unhex;

    fn array(hex: &str) -> [u8; 32] {
        unhex(hex).unwrap()
    }

    /// RFC 9180 appendix A.1.1: the pair of the receiver, and the ephemeral one. Its message is of AES-128-GCM, a suite
    /// that is not used here; with the same inputs that of AES-256-GCM was made with an implementation in Python that
    /// shares nothing with this one, and that gives the message of the appendix.
    #[test]
    fn a_known_message_is_sealed_and_opened() {
        let receiver = OpeningKey::from_random(array(
            "6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037",
        ));
        let public = receiver.sealing_key();
        let pk = "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d";
        assert_eq!(public.0, array(pk));
        let info = b"Ode on a Grecian Urn";
        let plain = b"Beauty is truth, truth beauty";
        let random = "7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234";
        let sealed = seal(&public, info, b"Count-0", plain, array(random)).unwrap();
        let encapsulated = "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431";
        let body = "090b7dc225419f7da9e8b460becfbb96a26c7964d79b8010d397fa838530a32a397b14f5776db19ff5e57734e0";
        let body: [u8; 45] = unhex(body).unwrap();
        assert_eq!(sealed, [array(encapsulated).as_slice(), &body].concat());
        assert_eq!(*receiver.open(info, b"Count-0", &sealed).unwrap(), plain);
        assert!(receiver.open(info, b"Count-1", &sealed).is_none());
    }
}
