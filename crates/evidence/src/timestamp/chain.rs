//! From the certificate of the signer to an anchor that the checker believes (RFC 5280 §6, as far as a
//! timestamp needs it).

use super::TimestampError;
use super::keys;
use super::tlv::{self, Reader, SEQUENCE};
use voicelog_model::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

/// Longest chain, anchor included.
const CHAIN_MAX: usize = 8;
/// Most certificates that are looked at.
const CERTIFICATES_MAX: usize = 32;
/// Purposes, as identifiers.
const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
/// Extensions that are understood here or bind nobody here: basic constraints, key usage, extended key
/// usage, certificate policies.
const UNDERSTOOD: [&str; 4] = ["2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.32"];

/// A certificate, read, with its bytes.
#[derive(Debug, Clone)]
pub(super) struct Cert {
    pub(super) read: Certificate,
    pub(super) der: Vec<u8>,
}

impl PartialEq for Cert {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Cert {
    pub(super) fn parse(der: &[u8]) -> Result<Self, TimestampError> {
        Certificate::from_der(der)
            .map(|read| Self {
                read,
                der: der.to_vec(),
            })
            .map_err(|_der| TimestampError::Certificate)
    }

    /// What its issuer signed, as it came.
    fn signed(&self) -> Result<(&[u8], &[u8]), TimestampError> {
        let mut fields = tlv::only(&self.der, SEQUENCE)?.inside();
        let signed = fields.need(SEQUENCE)?.whole;
        let algorithm = keys::algorithm(&mut fields)?;
        Ok((signed, algorithm))
    }

    fn is_valid_at(&self, at: Timestamp) -> bool {
        let validity = self.read.tbs_certificate().validity();
        let seconds = |time: &x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        let at = at.micros().div_euclid(1_000_000);
        (seconds(&validity.not_before)..=seconds(&validity.not_after)).contains(&at)
    }

    fn name(name: &x509_cert::name::Name) -> Result<Vec<u8>, TimestampError> {
        name.to_der().map_err(|_der| TimestampError::Certificate)
    }

    fn is_issued_by(&self, issuer: &Self) -> Result<bool, TimestampError> {
        let subject = Self::name(issuer.read.tbs_certificate().subject())?;
        Ok(Self::name(self.read.tbs_certificate().issuer())? == subject)
    }

    /// May it sign certificates, with so many others between it and the signer?
    fn may_issue(&self, below: usize) -> Result<bool, TimestampError> {
        let bad = |_der| TimestampError::Certificate;
        let tbs = self.read.tbs_certificate();
        let constraints = tbs.get_extension::<BasicConstraints>().map_err(bad)?;
        let is_ca = constraints.is_some_and(|(_, constraints)| {
            let most = constraints.path_len_constraint.map(usize::from);
            constraints.ca && most.is_none_or(|most| below <= most)
        });
        let usage = tbs.get_extension::<KeyUsage>().map_err(bad)?;
        Ok(is_ca && usage.is_none_or(|(_, usage)| usage.key_cert_sign()))
    }

    /// Has it a critical extension that nothing here understands?
    fn has_unknown_demands(&self) -> bool {
        let mut all = self
            .read
            .tbs_certificate()
            .extensions()
            .into_iter()
            .flatten();
        all.any(|one| one.critical && !UNDERSTOOD.contains(&one.extn_id.to_string().as_str()))
    }

    /// Is it for timestamps, critically so, and for nothing else (RFC 3161 §2.3)?
    fn is_for_timestamps(&self) -> Result<bool, TimestampError> {
        let usage = self
            .read
            .tbs_certificate()
            .get_extension::<ExtendedKeyUsage>();
        Ok(usage
            .map_err(|_der| TimestampError::Certificate)?
            .is_some_and(|(critical, usage)| {
                critical && matches!(usage.0.as_slice(), [one] if one.to_string() == TIME_STAMPING)
            }))
    }

    /// Is it the one that issuer and number name?
    pub(super) fn is_named(&self, issuer: &[u8], serial: &[u8]) -> Result<bool, TimestampError> {
        let tbs = self.read.tbs_certificate();
        let is_same = Self::name(tbs.issuer())? == issuer;
        Ok(is_same && tbs.serial_number().as_bytes() == serial)
    }
}

/// Checks the way from the signer to an anchor: each certificate valid at `at`, each signed by the next,
/// each next one allowed to.
pub(super) fn check(
    signer: &Cert,
    others: &[Cert],
    anchors: &[Cert],
    at: Timestamp,
) -> Result<(), TimestampError> {
    if !signer.is_for_timestamps()? {
        return Err(TimestampError::Purpose);
    }
    let mut at_now = signer.clone();
    for below in 0..CHAIN_MAX {
        if at_now.has_unknown_demands() {
            return Err(TimestampError::Certificate);
        }
        if !at_now.is_valid_at(at) {
            return Err(TimestampError::Expired);
        }
        if anchors.contains(&at_now) {
            return Ok(());
        }
        at_now = issuer_of(&at_now, others, anchors, below)?;
    }
    Err(TimestampError::Untrusted)
}

/// The one that signed this certificate: an anchor rather than what came along.
fn issuer_of(
    cert: &Cert,
    others: &[Cert],
    anchors: &[Cert],
    below: usize,
) -> Result<Cert, TimestampError> {
    let (signed, algorithm) = cert.signed()?;
    let signature = cert.read.signature().as_bytes();
    let signature = signature.ok_or(TimestampError::Certificate)?;
    for issuer in anchors.iter().chain(others).take(2 * CERTIFICATES_MAX) {
        let fits = issuer != cert
            && cert.is_issued_by(issuer)?
            && issuer.may_issue(below)?
            && keys::verify(&issuer.read, algorithm, None, signed, signature).is_ok();
        if fits {
            return Ok(issuer.clone());
        }
    }
    Err(TimestampError::Untrusted)
}

/// The certificates in a `CertificateSet`; other kinds than X.509 are passed over.
pub(super) fn read_all(bytes: &[u8]) -> Result<Vec<Cert>, TimestampError> {
    let mut reader = Reader::new(bytes);
    let mut all = Vec::new();
    while !reader.is_empty() {
        let element = reader.any()?;
        if element.tag == SEQUENCE {
            all.push(Cert::parse(element.whole)?);
        }
        if all.len() > CERTIFICATES_MAX {
            return Err(TimestampError::Malformed);
        }
    }
    Ok(all)
}
