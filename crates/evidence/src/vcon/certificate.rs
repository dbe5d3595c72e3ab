//! Certificates (X.509, RFC 5280): the key in one, and one that an archive makes for itself.

use super::signer::Algorithm;
use crate::digest::sha256;
use crate::rsa::RsaKey;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{DerSignature, Signature, SigningKey, VerifyingKey};
use x509_cert::Certificate;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode as _, Reader as _, SliceReader};

/// Longest common name (RFC 5280, appendix A.1: `ub-common-name`).
const NAME_CHARACTERS_MAX: usize = 64;

// Tags of DER, and the object identifiers that are written.
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const COMMON_NAME: &[u8] = &[6, 3, 0x55, 4, 3];
const ECDSA_WITH_SHA256: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const EC_PUBLIC_KEY: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const PRIME256V1: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const KEY_USAGE: &[u8] = &[6, 3, 0x55, 0x1d, 0x0f];
const TRUE: &[u8] = &[1, 1, 0xff];
/// `digitalSignature`, as a bit string.
const FOR_SIGNATURES: &[u8] = &[3, 2, 7, 0x80];
const SINCE: &[u8] = b"260101000000Z";
/// RFC 5280 §4.1.2.5: no well-defined end.
const NO_END: &[u8] = b"99991231235959Z";

/// `DigestInfo` of SHA-256 up to the hash (RFC 8017 §9.2, note 1): RS256 (RFC 7518 §3.3).
const SHA256_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// The public key in a certificate.
#[derive(Debug)]
enum PublicKey {
    P256(VerifyingKey),
    Rsa(RsaKey),
}

impl PublicKey {
    /// None where the certificate cannot be read, or has another kind of key.
    fn of(certificate: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(certificate).ok()?;
        let info = certificate.tbs_certificate().subject_public_key_info();
        let key = info.subject_public_key.as_bytes()?;
        match info.algorithm.oid.to_string().as_str() {
            "1.2.840.10045.2.1" => VerifyingKey::from_sec1_bytes(key).ok().map(Self::P256),
            "1.2.840.113549.1.1.1" => rsa_key(key).map(Self::Rsa),
            _ => None,
        }
    }

    /// Whether a signature of JWS holds under it.
    fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (self, algorithm) {
            (Self::P256(key), Algorithm::Es256) => Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            (Self::Rsa(key), Algorithm::Rs256) => {
                key.verifies(&[&SHA256_INFO[..], &sha256(message)].concat(), signature)
            }
            _ => false,
        }
    }
}

/// Whether a signature of JWS holds under the key in a certificate.
pub(crate) fn is_signed_by(
    certificate: &[u8],
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    PublicKey::of(certificate).is_some_and(|key| key.verifies(algorithm, message, signature))
}

/// `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn rsa_key(bytes: &[u8]) -> Option<RsaKey> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let numbers = reader.sequence(|inner| {
        let modulus = UintRef::decode(inner)?;
        let exponent = UintRef::decode(inner)?;
        Ok::<_, x509_cert::der::Error>((modulus, exponent))
    });
    let (modulus, exponent) = numbers.ok()?;
    reader.finish().ok()?;
    let exponent = exponent.as_bytes().iter().try_fold(0_u64, |sum, byte| {
        sum.checked_mul(256)?.checked_add(u64::from(*byte))
    });
    RsaKey::new(modulus.as_bytes(), exponent?)
}

/// A certificate of a key by itself, for signatures, without an end. The same key and name give the same
/// bytes.
pub(super) fn self_signed(name: &str, key: &SigningKey) -> Vec<u8> {
    let point = key.verifying_key().to_sec1_point(false);
    let point = point.as_bytes();
    let algorithm = der(SEQUENCE, &[ECDSA_WITH_SHA256]);
    let name: String = name.chars().take(NAME_CHARACTERS_MAX).collect();
    let name = der(UTF8_STRING, &[name.as_bytes()]);
    let name = der(
        SEQUENCE,
        &[&der(SET, &[&der(SEQUENCE, &[COMMON_NAME, &name])])],
    );
    let dates = [der(UTC_TIME, &[SINCE]), der(GENERALIZED_TIME, &[NO_END])];
    let kind = der(SEQUENCE, &[EC_PUBLIC_KEY, PRIME256V1]);
    let usage = der(
        SEQUENCE,
        &[KEY_USAGE, TRUE, &der(OCTET_STRING, &[FOR_SIGNATURES])],
    );
    // A serial number is positive and has 20 bytes at most.
    let hash = sha256(point);
    let (serial, _) = hash.split_at(15);
    let stated = der(
        SEQUENCE,
        &[
            &der(VERSION, &[&der(INTEGER, &[&[2]])]),
            &der(INTEGER, &[&[1], serial]),
            &algorithm,
            &name,
            &der(SEQUENCE, &[&dates.concat()]),
            &name,
            &der(SEQUENCE, &[&kind, &der(BIT_STRING, &[&[0], point])]),
            &der(EXTENSIONS, &[&der(SEQUENCE, &[&usage])]),
        ],
    );
    let signature: DerSignature = key.sign(&stated);
    let signature = der(BIT_STRING, &[&[0], signature.as_bytes()]);
    der(SEQUENCE, &[&stated, &algorithm, &signature])
}

/// One value of DER (X.690 §8.1.3): nothing here is longer than 65,535 bytes.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [high, low] = u16::try_from(content.len())
        .unwrap_or(u16::MAX)
        .to_be_bytes();
    let length: &[u8] = match (high, low) {
        (0, 0..=0x7f) => &[low],
        (0, _) => &[0x81, low],
        _ => &[0x82, high, low],
    };
    [&[tag], length, &content].concat()
}
