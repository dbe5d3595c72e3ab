//! Timestamps by an authority (RFC 3161, with RFC 5816): somebody else says when he saw a checkpoint.
//!
//! **Invariant:** a stamp comes out only if all of it holds: what was stamped, by whom, that he may, and that
//! his certificate was valid then. Each thing that can fail has a name of its own.

mod chain;
mod keys;
mod tlv;
mod token;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chain::Cert;
use keys::SHA256;
use tlv::{INTEGER, NULL, OCTETS, OID, SEQUENCE};
use voicelog_model::Timestamp;

/// Longest answer of an authority that is read, in bytes.
pub const ANSWER_BYTES_MAX: usize = 1 << 16;
/// Most anchors that are read.
const ANCHORS_MAX: usize = 16;

/// Why a timestamp is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Not in its form, or longer than it may be.
    #[error("the answer is no timestamp in its form (DER)")]
    Malformed,
    /// The authority says no.
    #[error("the authority refuses: status {0}")]
    Refused(u64),
    /// It stamps something else.
    #[error("the timestamp is of something else")]
    Imprint,
    /// It answers another question.
    #[error("the timestamp answers another question (nonce)")]
    Nonce,
    /// Under another policy than the one that was asked for.
    #[error("the timestamp was given under another policy")]
    Policy,
    /// None, or more than one, signed.
    #[error("the timestamp is not signed by exactly one")]
    Signers,
    /// What was signed is not what the token says.
    #[error("what was signed is not what the timestamp says")]
    SignedAttributes,
    /// The signature.
    #[error("the signature under the timestamp does not hold")]
    Signature,
    /// An algorithm that is not taken.
    #[error("the timestamp uses an algorithm that is not taken here")]
    Algorithm,
    /// The token does not say which certificate it was signed with, or names another.
    #[error("the timestamp does not name the certificate that it was signed with (ESSCertIDv2)")]
    SignerIdentity,
    /// A certificate that cannot be used.
    #[error("a certificate of the timestamp cannot be used")]
    Certificate,
    /// The signer's certificate is not for timestamps only.
    #[error("the certificate is not for timestamps, critically and only")]
    Purpose,
    /// A certificate was not valid at the moment of the stamp.
    #[error("a certificate was not valid at the moment of the timestamp")]
    Expired,
    /// No way leads to an anchor.
    #[error("the timestamp is by nobody who is trusted here")]
    Untrusted,
}

/// What a timestamp says, believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub at: Timestamp,
    /// How far off the authority's clock may be, in microseconds, if it says so.
    pub accuracy_micros: Option<u64>,
    /// The policy under which it was given, in dots.
    pub policy: String,
}

/// Whom the checker believes.
#[derive(Debug, Clone)]
pub struct Anchors(Vec<Cert>);

impl Anchors {
    /// The certificates in a text in PEM (RFC 7468). What is around them is passed over.
    ///
    /// Errors: [`TimestampError::Certificate`] if there is none, or one cannot be read.
    pub fn from_pem(text: &str) -> Result<Self, TimestampError> {
        let mut all = Vec::new();
        for part in text.split("-----BEGIN CERTIFICATE-----").skip(1) {
            let (body, _rest) = part
                .split_once("-----END CERTIFICATE-----")
                .ok_or(TimestampError::Certificate)?;
            let body: String = body.split_whitespace().collect();
            let der = STANDARD
                .decode(body)
                .map_err(|_base64| TimestampError::Certificate)?;
            all.push(Cert::parse(&der)?);
            if all.len() > ANCHORS_MAX {
                return Err(TimestampError::Certificate);
            }
        }
        if all.is_empty() {
            return Err(TimestampError::Certificate);
        }
        Ok(Self(all))
    }
}

/// What was asked of the authority, or is to hold of an answer that was kept.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// SHA-256 of what is stamped.
    pub imprint: [u8; 32],
    /// The number that must come back; without one none is looked for.
    pub nonce: Option<[u8; 8]>,
    /// The policy that it must be given under, in dots.
    pub policy: Option<String>,
}

impl Question {
    /// The request (RFC 3161 §2.4.1), asking for the certificates too.
    ///
    /// Errors: [`TimestampError::Policy`] if the policy is no object identifier.
    pub fn to_der(&self) -> Result<Vec<u8>, TimestampError> {
        let mut body = tlv::write(INTEGER, &[1]);
        let algorithm = [tlv::write(OID, SHA256), tlv::write(NULL, &[])].concat();
        let imprint = [
            tlv::write(SEQUENCE, &algorithm),
            tlv::write(OCTETS, &self.imprint),
        ];
        body.extend(tlv::write(SEQUENCE, &imprint.concat()));
        if let Some(policy) = &self.policy {
            body.extend(tlv::write(OID, &oid_bytes(policy)?));
        }
        if let Some(nonce) = self.nonce {
            body.extend(tlv::write(INTEGER, &positive(&nonce)));
        }
        body.extend(tlv::write(0x01, &[0xff]));
        Ok(tlv::write(SEQUENCE, &body))
    }

    /// Checks an answer (RFC 3161 §2.4.2): all of it, by anchors that the checker believes.
    pub fn verify(&self, answer: &[u8], anchors: &Anchors) -> Result<Stamp, TimestampError> {
        token::verify(self, answer, &anchors.0)
    }
}

/// Whether a text is an object identifier in dots, as policies have them.
#[must_use]
pub fn is_policy(text: &str) -> bool {
    oid_bytes(text).is_ok()
}

/// A number that is not negative, as DER has it.
fn positive(bytes: &[u8]) -> Vec<u8> {
    let mut digits: Vec<u8> = bytes
        .iter()
        .copied()
        .skip_while(|byte| *byte == 0)
        .collect();
    if digits.first().is_none_or(|first| *first >= 0x80) {
        digits.insert(0, 0);
    }
    digits
}

/// An object identifier in dots as content bytes.
fn oid_bytes(text: &str) -> Result<Vec<u8>, TimestampError> {
    x509_cert::der::asn1::ObjectIdentifier::new(text)
        .map(|oid| oid.as_bytes().to_vec())
        .map_err(|_oid| TimestampError::Policy)
}
