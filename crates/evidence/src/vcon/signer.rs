//! Who signs a vCon. Signing with RSA needs random numbers, so whoever has such a key passes a signer in;
//! the archive's own signer needs none (RFC 6979).

use super::certificate::{is_signed_by, self_signed};
use crate::note::SigningKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey as EcdsaKey};
use std::fmt;

/// What the archive's own key for vCons is drawn from its signing key with.
const DRAWN_FOR: &[u8] = b"voicelog/v1/vcon-signing-key";

/// Algorithms of JWS that are written and read (RFC 7518 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256; the signature is r and s, 32 bytes each.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// Its name in JWS.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Es256, Self::Rs256]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }
}

/// A key refused to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key for vCons does not sign")]
pub struct SignError;

/// A key with its certificate.
pub trait Sign: fmt::Debug + Send + Sync {
    /// With which algorithm it signs.
    fn algorithm(&self) -> Algorithm;

    /// Its certificate, then those of its issuers (DER, RFC 5280).
    fn certificates(&self) -> &[Vec<u8>];

    /// The signature of a message, in the form that JWS asks for.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// Whether a signer's signatures hold under its own first certificate: the key belongs to it, and is one
/// that readers of ours take (P-256, or RSA of 2,048 bits and more).
#[must_use]
pub fn is_consistent(signer: &dyn Sign) -> bool {
    const TEXT: &[u8] = b"voicelog: does this key belong to this certificate?";
    let certificate = signer.certificates().first();
    let signed = certificate.zip(signer.sign(TEXT).ok());
    signed.is_some_and(|(certificate, signature)| {
        is_signed_by(certificate, signer.algorithm(), TEXT, &signature)
    })
}

/// r and s of an ECDSA signature over P-256 as JWS has them, from DER (RFC 3279 §2.2.3).
pub fn es256_of_der(signature: &[u8]) -> Result<Vec<u8>, SignError> {
    let read = Signature::from_der(signature).map_err(|_der| SignError)?;
    Ok(read.to_bytes().to_vec())
}

/// The signer of an archive whose organisation has no certificate of its own. Its key is drawn from the
/// archive's signing key, so there is nothing to make, keep or restore besides; its certificate is signed
/// by itself, and the same every time.
pub struct ArchiveSigner {
    key: EcdsaKey,
    certificates: [Vec<u8>; 1],
}

impl ArchiveSigner {
    /// Of that archive.
    #[must_use]
    pub fn new(archive: &SigningKey) -> Self {
        // One number in 2^32 is no key of P-256; then the next is taken.
        let drawn = |count: u8| archive.draw(&[DRAWN_FOR, &[count]]);
        let keys = (0..=u8::MAX).map(|count| EcdsaKey::from_slice(drawn(count).as_slice()));
        #[expect(clippy::expect_used, reason = "one chance in 2^8192")]
        let key = keys.flatten().next().expect("one of 256 numbers is a key");
        let certificates = [self_signed(archive.name(), &key)];
        Self { key, certificates }
    }
}

impl fmt::Debug for ArchiveSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveSigner").finish_non_exhaustive()
    }
}

impl Sign for ArchiveSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Es256
    }

    fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signature: Signature = self.key.try_sign(message).map_err(|_error| SignError)?;
        Ok(signature.to_bytes().to_vec())
    }
}
