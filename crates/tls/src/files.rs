//! Certificate and key from PEM files: what is wrong with a file is said before anybody listens.

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, RootCertStore, ServerConfig};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use voicelog_model::{Clock, Timestamp};

/// How long before its end a certificate is warned about at the start.
const ENDS_SOON_MICROS: i64 = 30 * 24 * 3_600 * 1_000_000;

/// Which files (all PEM).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate, and after it the certificates of its issuers up to the root.
    pub certificate: PathBuf,
    /// The private key of our certificate, without a password.
    pub key: PathBuf,
    /// Who may issue certificates of clients. With it a client must show one (RFC 3261 §26.3.1).
    pub client_ca: Option<PathBuf>,
}

/// One of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFile {
    /// Our certificate.
    Certificate,
    /// Its private key.
    Key,
    /// The issuers of the certificates of clients.
    ClientCa,
}

impl fmt::Display for TlsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "private key",
            Self::ClientCa => "certificate of an issuer",
        })
    }
}

/// A file does not do for TLS.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {fault}", path.display())]
pub struct TlsError {
    /// Which of the files.
    pub file: TlsFile,
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: TlsFault,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// The system does not give it.
    #[error("it cannot be read ({0})")]
    Unreadable(io::Error),
    /// It is broken PEM.
    #[error("it is no whole PEM file")]
    NotPem,
    /// Nothing of the kind is in it.
    #[error("there is no {0} in it")]
    Missing(TlsFile),
    /// The certificate, or one of its issuers beside it, is past its last day.
    #[error("a certificate in it has expired")]
    Expired,
    /// The certificate, or one of its issuers beside it, is from a later day.
    #[error("a certificate in it is not valid yet")]
    NotValidYet,
    /// The key belongs to another certificate.
    #[error("the key does not fit the certificate")]
    DoesNotFit,
    /// The TLS library cannot work with it.
    #[error("it cannot be used ({0})")]
    Unusable(String),
}

impl TlsFault {
    /// What a person can do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "see whether it is there, and whether this user may read it",
            Self::NotPem => "give the file whole, with its lines BEGIN and END",
            Self::Missing(TlsFile::Key) => {
                "give a key in PEM (PKCS #8, PKCS #1 or SEC 1) without a password"
            }
            Self::Missing(_) => {
                "give a certificate in PEM, between BEGIN CERTIFICATE and END CERTIFICATE"
            }
            Self::Expired => "have it renewed, and start again",
            Self::NotValidYet => "see whether the clock of this machine is right",
            Self::DoesNotFit => {
                "give the key that the certificate was made with; our own certificate stands first in its file"
            }
            Self::Unusable(_) => {
                "give an X.509 version 3 certificate, and a key of RSA from 2048 bits, P-256, P-384 or Ed25519"
            }
        }
    }
}

/// Reads the files and looks whether they do. `what_for` is told with a certificate that ends soon.
///
/// # Errors
///
/// When one of them cannot be used now; it says which and why.
pub fn acceptor(
    files: &TlsFiles,
    what_for: &str,
    clock: &Arc<dyn Clock>,
) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let fault = |file, path: &Path| {
        let path = path.to_owned();
        move |fault| TlsError { file, path, fault }
    };
    let of_certificate = fault(TlsFile::Certificate, &files.certificate);
    let of_key = fault(TlsFile::Key, &files.key);
    let (chain, key) = match (certificates(&files.certificate), key(&files.key)) {
        (Err(why), _) => return Err(of_certificate(why)),
        (_, Err(why)) => return Err(of_key(why)),
        (Ok(chain), Ok(key)) => (chain, key),
    };
    if let Err(why) = check_validity(&chain, clock.now(), &provider) {
        return Err(of_certificate(why));
    }
    let soon = clock.now().plus_micros(ENDS_SOON_MICROS);
    if check_validity(&chain, soon, &provider).is_err() {
        tracing::warn!("the certificate for {what_for} ends within 30 days: renew it in time");
    }
    let clients = match &files.client_ca {
        Some(path) => client_verifier(path, &provider).map_err(fault(TlsFile::ClientCa, path))?,
        None => WebPkiClientVerifier::no_client_auth(),
    };
    let time = Arc::new(OurTime(Arc::clone(clock)));
    let server = ServerConfig::builder_with_details(provider, time)
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_client_cert_verifier(clients))
        .and_then(|builder| builder.with_single_cert(chain, key));
    match server {
        Ok(server) => Ok(without_sessions(server)),
        Err(rustls::Error::InconsistentKeys(_)) => Err(of_key(TlsFault::DoesNotFit)),
        Err(why @ rustls::Error::InvalidCertificate(_)) => {
            Err(of_certificate(TlsFault::Unusable(why.to_string())))
        }
        Err(why) => Err(of_key(TlsFault::Unusable(why.to_string()))),
    }
}

/// Every handshake is a whole one, so each looks at the client's certificate anew.
pub(crate) fn without_sessions(mut server: ServerConfig) -> TlsAcceptor {
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    TlsAcceptor::from(Arc::new(server))
}

/// Our clock for the TLS library: it looks with it whether a client's certificate has expired.
#[derive(Debug)]
struct OurTime(Arc<dyn Clock>);

impl TimeProvider for OurTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(self.0.now()))
    }
}

fn unix_time(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_micros(at.micros().max(0).unsigned_abs()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let bytes = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if found.is_empty() => Err(TlsFault::Missing(TlsFile::Certificate)),
        Ok(found) => Ok(found),
        Err(_) => Err(TlsFault::NotPem),
    }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsFault> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsFault::Missing(TlsFile::Key),
        _ => TlsFault::NotPem,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsFault> {
    std::fs::read(path).map_err(TlsFault::Unreadable)
}

/// Whether each certificate is within its days. The library looks at those before it looks for an
/// issuer, so a path to no root at all tells them.
fn check_validity(
    chain: &[CertificateDer<'_>],
    now: Timestamp,
    provider: &CryptoProvider,
) -> Result<(), TlsFault> {
    let algorithms = provider.signature_verification_algorithms.all;
    for certificate in chain {
        let parsed = ParsedCertificate::try_from(certificate)
            .map_err(|why| TlsFault::Unusable(why.to_string()))?;
        let no_roots = RootCertStore::empty();
        let verified = verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &no_roots,
            &[],
            unix_time(now),
            algorithms,
        );
        let Err(rustls::Error::InvalidCertificate(why)) = verified else {
            continue;
        };
        match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                return Err(TlsFault::Expired);
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                return Err(TlsFault::NotValidYet);
            }
            // Nobody is expected to vouch for it here.
            _ => {}
        }
    }
    Ok(())
}

fn client_verifier(
    path: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsFault> {
    let unusable = |why: &dyn fmt::Display| TlsFault::Unusable(why.to_string());
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|why| unusable(&why))?;
    }
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    verifier.map_err(|why| unusable(&why))
}
