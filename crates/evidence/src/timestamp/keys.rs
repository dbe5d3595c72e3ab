//! Signatures of timestamping authorities: RSA (PKCS #1 v1.5) and ECDSA over P-256 and P-384, with SHA-256,
//! SHA-384 or SHA-512. Only ever verified, so nothing here is secret.

use super::TimestampError;
use super::tlv::{self, INTEGER, NULL, OCTETS, Reader, SEQUENCE};
use crate::rsa::RsaKey;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::Certificate;

/// A hash by its object identifier, as content bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

pub(super) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

impl Hash {
    /// By the identifier of the hash itself.
    pub(super) fn of(oid: &[u8]) -> Result<Self, TimestampError> {
        match oid {
            [start @ .., last] if SHA256.starts_with(start) && start.len() == 8 => match last {
                1 => Ok(Self::Sha256),
                2 => Ok(Self::Sha384),
                3 => Ok(Self::Sha512),
                _ => Err(TimestampError::Algorithm),
            },
            _ => Err(TimestampError::Algorithm),
        }
    }

    pub(super) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    const fn last_arc(self) -> u8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha384 => 2,
            Self::Sha512 => 3,
        }
    }
}

/// The hash that a signature algorithm names; `given` where it leaves it to somebody else (`rsaEncryption`).
fn hash_of(algorithm: &[u8], given: Option<Hash>) -> Result<Hash, TimestampError> {
    const RSA: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
    let named = match algorithm {
        [start @ .., 11] if *start == RSA => Hash::Sha256,
        [start @ .., 12] if *start == RSA => Hash::Sha384,
        [start @ .., 13] if *start == RSA => Hash::Sha512,
        [start @ .., 1] if *start == RSA => return given.ok_or(TimestampError::Algorithm),
        [start @ .., 2] if *start == ECDSA => Hash::Sha256,
        [start @ .., 3] if *start == ECDSA => Hash::Sha384,
        [start @ .., 4] if *start == ECDSA => Hash::Sha512,
        _ => return Err(TimestampError::Algorithm),
    };
    match given {
        Some(given) if given != named => Err(TimestampError::Algorithm),
        _ => Ok(named),
    }
}

/// Checks a signature by the key in a certificate. `given` is the hash that stands beside the algorithm.
pub(super) fn verify(
    signer: &Certificate,
    algorithm: &[u8],
    given: Option<Hash>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), TimestampError> {
    let hash = hash_of(algorithm, given)?;
    let digest = hash.digest(message);
    let key = signer.tbs_certificate().subject_public_key_info();
    let bits = key.subject_public_key.as_bytes();
    let bits = bits.ok_or(TimestampError::Certificate)?;
    let kind = key.algorithm.oid.to_string();
    let is_rsa = algorithm.get(..8) == Some(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01]);
    let bad = TimestampError::Signature;
    match kind.as_str() {
        "1.2.840.113549.1.1.1" if is_rsa => rsa(bits, hash, &digest, signature),
        "1.2.840.10045.2.1" if !is_rsa => match bits.len() {
            65 => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(bits)
                    .map_err(|_point| TimestampError::Certificate)?;
                let read = p256::ecdsa::Signature::from_der(signature).map_err(|_der| bad)?;
                key.verify_prehash(&digest, &read).map_err(|_signature| bad)
            }
            97 => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(bits)
                    .map_err(|_point| TimestampError::Certificate)?;
                let read = p384::ecdsa::Signature::from_der(signature).map_err(|_der| bad)?;
                key.verify_prehash(&digest, &read).map_err(|_signature| bad)
            }
            _ => Err(TimestampError::Algorithm),
        },
        _ => Err(TimestampError::Algorithm),
    }
}

/// A key that is too short or too long is no algorithm that is taken.
fn rsa(key: &[u8], hash: Hash, digest: &[u8], signature: &[u8]) -> Result<(), TimestampError> {
    let mut fields = tlv::only(key, SEQUENCE)?.inside();
    let modulus = fields.need(INTEGER)?.content;
    let exponent = fields.need(INTEGER)?.small()?;
    fields.end()?;
    let key = RsaKey::new(modulus, exponent).ok_or(TimestampError::Algorithm)?;
    if key.verifies(&digest_info(hash, digest), signature) {
        Ok(())
    } else {
        Err(TimestampError::Signature)
    }
}

/// DigestInfo (RFC 8017 §9.2), with the parameters NULL.
fn digest_info(hash: Hash, digest: &[u8]) -> Vec<u8> {
    let mut oid = SHA256.to_vec();
    if let Some(last) = oid.last_mut() {
        *last = hash.last_arc();
    }
    let algorithm = [tlv::write(tlv::OID, &oid), tlv::write(NULL, &[])].concat();
    let content = [tlv::write(SEQUENCE, &algorithm), tlv::write(OCTETS, digest)].concat();
    tlv::write(SEQUENCE, &content)
}

/// The identifier in an AlgorithmIdentifier. Parameters may be absent or NULL and nothing else.
pub(super) fn algorithm<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], TimestampError> {
    let mut fields = reader.need(SEQUENCE)?.inside();
    let oid = fields.need(tlv::OID)?.content;
    fields.maybe(NULL)?;
    fields.end()?;
    Ok(oid)
}
