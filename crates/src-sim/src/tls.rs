//! SIP over TLS from the client's side (RFC 3261 §26.3.1): whom it believes, who it says it is, and
//! the connection.
//!
//! Nothing is believed that was not named: without an issuer and without a fingerprint no server is
//! taken, and the refusal tells the fingerprint of the certificate that was shown.

use crate::error::SimError;
use crate::pace;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Whom to believe and who to be; all files as the bytes of PEM.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Certificates of who may have issued the server's.
    pub ca: Option<Vec<u8>>,
    /// SHA-256 of the one certificate of the server that is taken, whoever issued it and whatever
    /// name and days it has.
    pub fingerprint: Option<[u8; 32]>,
    /// The name that the server's certificate must hold; absent: its address.
    pub name: Option<String>,
    /// Our own certificate with those of its issuers, and its private key.
    pub own: Option<(Vec<u8>, Vec<u8>)>,
}

impl TlsOptions {
    /// Reads a fingerprint: 64 hexadecimal digits, with or without colons between the bytes, as
    /// `openssl x509 -noout -fingerprint -sha256` prints it.
    #[must_use]
    pub fn read_fingerprint(text: &str) -> Option<[u8; 32]> {
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, place) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(digits.get(place..place + 2)?, 16).ok()?;
        }
        Some(bytes)
    }
}

/// What [`TlsOptions`] come to: ready to connect.
#[derive(Debug, Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

impl TlsClient {
    /// Reads the certificates and the key.
    ///
    /// # Errors
    /// [`SimError::BadPlan`] if one of them cannot be used; it says which.
    pub fn new(options: &TlsOptions) -> Result<Self, SimError> {
        let provider = Arc::new(ring::default_provider());
        let roots = match &options.ca {
            Some(pem) => Some(roots(pem, &provider)?),
            None => None,
        };
        let verifier = Arc::new(Trust {
            roots,
            fingerprint: options.fingerprint,
            provider: Arc::clone(&provider),
        });
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| bad(format!("TLS: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match &options.own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::from_pem_slice(key)
                    .map_err(|_| bad("there is no private key in the file of the key"))?;
                builder
                    .with_client_auth_cert(certificates(certificate, "our certificate")?, key)
                    .map_err(|error| bad(format!("our certificate and its key: {error}")))?
            }
        };
        let name = match &options.name {
            None => None,
            Some(name) => Some(
                ServerName::try_from(name.clone())
                    .map_err(|_| bad(format!("`{name}` is no name of a server")))?,
            ),
        };
        Ok(Self {
            config: Arc::new(config),
            name,
        })
    }

    /// Connects and shakes hands, all of it within `within`.
    pub(crate) fn connect(&self, server: SocketAddr, within: Duration) -> io::Result<TlsStream> {
        let name = self.name.clone();
        let name = name.unwrap_or_else(|| ServerName::IpAddress(server.ip().into()));
        let mut session =
            ClientConnection::new(Arc::clone(&self.config), name).map_err(io::Error::other)?;
        // What we have to say waits in memory, as over plain TCP.
        session.set_buffer_limit(None);
        let gives_up = pace::now() + within;
        let mut stream = TcpStream::connect_timeout(&server, within)?;
        stream.set_nodelay(true)?;
        while session.is_handshaking() {
            let left = gives_up.saturating_duration_since(pace::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            stream.set_write_timeout(Some(left))?;
            if session.wants_write() {
                session.write_tls(&mut stream)?;
            } else if session.read_tls(&mut stream)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            } else if let Err(error) = session.process_new_packets() {
                // The alert tells the server why; whether it gets there makes no difference to us.
                let _told = session.write_tls(&mut stream);
                return Err(match error {
                    // What `Trust` says, without the library's words around it.
                    rustls::Error::General(why) => io::Error::other(why),
                    error => io::Error::other(error),
                });
            }
        }
        stream.set_nonblocking(true)?;
        Ok(TlsStream { stream, session })
    }
}

/// A connection on which the handshake is done; never waits.
#[derive(Debug)]
pub(crate) struct TlsStream {
    stream: TcpStream,
    session: ClientConnection,
}

impl TlsStream {
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Takes bytes to be sent, and sends what the kernel has room for.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.session.writer().write_all(bytes)?;
        self.flush()
    }

    /// Sends what waits.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.stream) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what is there, at most `most` bytes of it or a little more. `Err` once the other side
    /// has closed or the connection broke; what came before that is in `received`.
    pub(crate) fn read_available(
        &mut self,
        scratch: &mut [u8],
        received: &mut Vec<u8>,
        most: usize,
    ) -> io::Result<()> {
        let before = received.len();
        while received.len() - before < most {
            match self.session.read_tls(&mut self.stream) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
            let processed = self.session.process_new_packets();
            loop {
                match self.session.reader().read(scratch) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(length) => {
                        received.extend_from_slice(scratch.get(..length).unwrap_or_default());
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
            if let Err(error) = processed {
                return Err(io::Error::other(error));
            }
        }
        Ok(())
    }
}

/// Takes the certificate with the fingerprint, or one of an issuer; nothing else.
#[derive(Debug)]
struct Trust {
    roots: Option<Arc<WebPkiServerVerifier>>,
    fingerprint: Option<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown: [u8; 32] = Sha256::digest(end_entity).into();
        if self.fingerprint == Some(shown) {
            return Ok(ServerCertVerified::assertion());
        }
        let why = match (&self.roots, self.fingerprint) {
            (Some(roots), _) => {
                match roots.verify_server_cert(
                    end_entity,
                    intermediates,
                    server_name,
                    ocsp_response,
                    now,
                ) {
                    Ok(verified) => return Ok(verified),
                    Err(error) => error.to_string(),
                }
            }
            (None, Some(_)) => "another certificate than the one that is taken".to_owned(),
            (None, None) => "nobody is named who may have issued it".to_owned(),
        };
        Err(rustls::Error::General(format!(
            "the server's certificate is not taken: {why}. Its SHA-256 fingerprint is {}",
            with_colons(&shown)
        )))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

fn bad(why: impl Into<String>) -> SimError {
    SimError::BadPlan { why: why.into() }
}

fn roots(
    pem: &[u8],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, SimError> {
    let unusable =
        |error: &dyn std::fmt::Display| bad(format!("certificate of an issuer: {error}"));
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem, "the certificate of an issuer")? {
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| unusable(&error))
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, SimError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(bad(format!("{what} is not in its file as whole PEM"))),
    }
}

fn with_colons(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let colon = if text.is_empty() { "" } else { ":" };
        // Writing to a string does not fail.
        let _written = write!(text, "{colon}{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_and_without_colons_and_nothing_else_is_one() {
        let bytes: [u8; 32] = std::array::from_fn(|n| u8::try_from(n * 7).unwrap());
        let colons = with_colons(&bytes);
        assert_eq!(TlsOptions::read_fingerprint(&colons), Some(bytes));
        let plain = colons.replace(':', "").to_lowercase();
        assert_eq!(TlsOptions::read_fingerprint(&plain), Some(bytes));
        let short = plain.get(2..).unwrap();
        for wrong in [
            "",
            "SHA256",
            short,
            &plain.replace('0', "g"),
            &plain.replace('0', "é"),
        ] {
            assert_eq!(TlsOptions::read_fingerprint(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn files_that_hold_something_else_are_said() {
        let wrong = |options: TlsOptions| TlsClient::new(&options).unwrap_err().to_string();
        let ca = Some(b"-----BEGIN NOTHING-----".to_vec());
        let said = wrong(TlsOptions {
            ca,
            ..TlsOptions::default()
        });
        assert!(said.contains("the certificate of an issuer"), "{said}");
        let own = Some((Vec::new(), Vec::new()));
        let said = wrong(TlsOptions {
            own,
            ..TlsOptions::default()
        });
        assert!(said.contains("private key"), "{said}");
        let name = Some("not a name".to_owned());
        let said = wrong(TlsOptions {
            name,
            ..TlsOptions::default()
        });
        assert!(said.contains("`not a name`"), "{said}");
    }
}
