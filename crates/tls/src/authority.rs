//! An authority of our own: for a network that no public authority knows.
//!
//! A telephone gives its microphone to a page over https only. For a machine that has an address and no public
//! name, the server signs a certificate itself. Who trusts this authority trusts it for these names and for
//! nothing else: they are constraints of its certificate (RFC 5280 §4.2.1.10), so that it is of no use against
//! any other site, whoever gets its key.

use crate::files::without_sessions;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use voicelog_model::Timestamp;
use zeroize::Zeroizing;

const DAY: u64 = 24 * 3_600;
/// How long the authority is believed: whoever installed it does so once.
const AUTHORITY: Duration = Duration::from_secs(3_650 * DAY);
/// How long a certificate of ours is believed. Each start makes one, and so does each week.
const CERTIFICATE: Duration = Duration::from_secs(90 * DAY);
/// The clock of a telephone may be behind.
const BEFORE: Duration = Duration::from_secs(DAY);
/// The authority is made anew when it has less left.
const LEFT: Duration = Duration::from_secs(180 * DAY);
const NAMES_MAX: usize = 16;

/// What is before the certificate in the kept text.
const NAMES: &str = "names: ";
const MADE: &str = "made: ";

/// A host name or an address that no certificate can be made for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no host name and no address: give such as `192.168.1.20` or `voicelog.local`")]
pub struct NotAName(pub String);

/// The authority cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] NotAName),
    /// No name at all, or more than sixteen.
    #[error("give one to {NAMES_MAX} names")]
    Names,
    /// The kept text is none of ours.
    #[error(
        "it is not what was written there; take it away, and the next start makes a new authority"
    )]
    NotOurs,
    /// The library that makes certificates cannot.
    #[error("no certificate can be made ({0})")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library does not take what was made.
    #[error("the certificate cannot be used ({0})")]
    Tls(#[from] rustls::Error),
}

/// An authority that signs for a few names.
pub struct Authority {
    names: Vec<String>,
    made: Timestamp,
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authority").field(&self.names).finish()
    }
}

impl Authority {
    /// Looks whether a certificate can be made for these names.
    ///
    /// # Errors
    /// A name that is none; none or too many.
    pub fn check_names(names: &[String]) -> Result<(), AuthorityError> {
        subjects(names).map(|_subjects| ())
    }

    /// Makes one for these names.
    ///
    /// # Errors
    /// A name that is none; none or too many.
    pub fn new(names: &[String], now: Timestamp) -> Result<Self, AuthorityError> {
        let subjects = subjects(names)?;
        let key = KeyPair::generate()?;
        let params = authority_params(&subjects, now);
        let made = params.self_signed(&key)?;
        Ok(Self {
            names: names.to_vec(),
            made: now,
            certificate: made.der().clone(),
            pem: made.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Reads one that was kept. Nothing, where it does not serve any more: it is for other names, or ends soon.
    ///
    /// # Errors
    /// A name that is none; a text that [`Authority::to_text`] did not make.
    pub fn of_text(
        text: &str,
        names: &[String],
        now: Timestamp,
    ) -> Result<Option<Self>, AuthorityError> {
        subjects(names)?;
        let mut lines = text.lines();
        let mut field = |start: &str| lines.next()?.strip_prefix(start).map(str::to_owned);
        let kept = field(NAMES).ok_or(AuthorityError::NotOurs)?;
        let made = field(MADE).and_then(|made| made.parse::<Timestamp>().ok());
        let made = made.ok_or(AuthorityError::NotOurs)?;
        let kept: Vec<String> = kept.split(' ').map(str::to_owned).collect();
        let not_ours = |_error| AuthorityError::NotOurs;
        let certificate = CertificateDer::from_pem_slice(text.as_bytes()).map_err(not_ours)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(not_ours)?;
        let key = KeyPair::try_from(&PrivateKeyDer::from(key))?;
        let age = u64::try_from(now.micros().saturating_sub(made.micros())).unwrap_or_default();
        let left = AUTHORITY.saturating_sub(Duration::from_micros(age));
        if left < LEFT || !names.iter().all(|name| kept.contains(name)) {
            return Ok(None);
        }
        // Name and key of the issuer are all that a certificate takes from it.
        let params = authority_params(&subjects_of(&kept), made);
        let pem: Vec<&str> = text.lines().skip(2).collect();
        let pem = pem.join("\n");
        let end = "-----END CERTIFICATE-----";
        let pem = pem.split_once(end).ok_or(AuthorityError::NotOurs)?.0;
        Ok(Some(Self {
            names: names.to_vec(),
            made,
            certificate,
            pem: format!("{pem}{end}\n"),
            issuer: Issuer::new(params, key),
        }))
    }

    /// What is kept of it, with its private key.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let names = self.names.join(" ");
        let key = Zeroizing::new(self.issuer.key().serialize_pem());
        let (pem, key, made) = (&self.pem, key.as_str(), self.made);
        Zeroizing::new(format!("{NAMES}{names}\n{MADE}{made}\n{pem}{key}"))
    }

    /// Its certificate, DER: what is installed on a telephone.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// SHA-256 of its certificate, in pairs of digits: by it a person compares what they install.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(&self.certificate);
        let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    /// A certificate for its names, with a key that lives as long as this value.
    ///
    /// # Errors
    /// The libraries refuse; that has not been seen.
    pub fn acceptor(&self, now: Timestamp) -> Result<TlsAcceptor, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(self.names.clone())?;
        params.distinguished_name = named("voicelog");
        let today = date_time_ymd(1970, 1, 1) + since_1970(now);
        params.not_before = today - BEFORE;
        params.not_after = today + CERTIFICATE;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let own = params.signed_by(&key, &self.issuer)?;
        let chain = vec![own.der().clone(), self.certificate.clone()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(without_sessions(server))
    }
}

/// What a certificate can be for.
enum Subject {
    Address(IpAddr),
    Name(String),
}

fn subjects(names: &[String]) -> Result<Vec<Subject>, AuthorityError> {
    if names.is_empty() || names.len() > NAMES_MAX {
        return Err(AuthorityError::Names);
    }
    let wrong = names.iter().find(|name| subject(name).is_none());
    match wrong {
        Some(wrong) => Err(NotAName(wrong.clone()).into()),
        None => Ok(subjects_of(names)),
    }
}

fn subjects_of(names: &[String]) -> Vec<Subject> {
    names.iter().filter_map(|name| subject(name)).collect()
}

/// A host name (RFC 1123 §2.1) or an address.
fn subject(name: &str) -> Option<Subject> {
    if let Ok(address) = name.parse() {
        return Some(Subject::Address(address));
    }
    is_host_name(name).then(|| Subject::Name(name.to_ascii_lowercase()))
}

/// A host name (RFC 1123 §2.1), and no address.
pub(crate) fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = name.len() <= 253 && name.split('.').all(is_label);
    // What ends in a number is meant as an address.
    let ends = name.rsplit('.').next().unwrap_or_default();
    is_name && !ends.bytes().all(|byte| byte.is_ascii_digit())
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn authority_params(subjects: &[Subject], now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    let first = match subjects.first() {
        Some(Subject::Address(address)) => address.to_string(),
        Some(Subject::Name(name)) => name.clone(),
        None => String::new(),
    };
    params.distinguished_name = named(&format!("voicelog {first}"));
    let today = date_time_ymd(1970, 1, 1) + since_1970(now);
    params.not_before = today - BEFORE;
    params.not_after = today + AUTHORITY;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.name_constraints = Some(constraints(subjects));
    params
}

/// For these subjects and no others. A kind of name that no constraint speaks of would be free, so
/// where there is none of a kind, all of it is left out.
fn constraints(subjects: &[Subject]) -> NameConstraints {
    let permitted = subjects.iter().map(|subject| match subject {
        Subject::Address(address) => {
            let whole = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*address, whole))
        }
        Subject::Name(name) => GeneralSubtree::DnsName(name.clone()),
    });
    let has = |is: fn(&Subject) -> bool| subjects.iter().any(is);
    let mut excluded = Vec::new();
    if !has(|subject| matches!(subject, Subject::Name(_))) {
        excluded.push(GeneralSubtree::DnsName(String::new()));
    }
    if !has(|subject| matches!(subject, Subject::Address(IpAddr::V4(_)))) {
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])));
    }
    if !has(|subject| matches!(subject, Subject::Address(IpAddr::V6(_)))) {
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])));
    }
    NameConstraints {
        permitted_subtrees: permitted.collect(),
        excluded_subtrees: excluded,
    }
}

fn since_1970(at: Timestamp) -> Duration {
    Duration::from_secs(at.micros().max(0).unsigned_abs() / 1_000_000)
}
