//! The handshake with a client that has connected.

use crate::acme::ACME_TLS;
use rustls::{CertificateError, Error};
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a client may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Shakes hands.
///
/// # Errors
///
/// The word to count if it fails. It says nothing about who it was.
pub async fn handshake(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, &'static str> {
    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
        // An authority that looks whether a name is ours: the handshake was all (RFC 8737 §3).
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(ACME_TLS) => {
            Err("tls_authority_looked")
        }
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(why_failed(&error)),
        Err(_) => Err("tls_too_slow"),
    }
}

fn why_failed(error: &io::Error) -> &'static str {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        None => "tls_broken_off",
        Some(Error::NoCertificatesPresented) => "tls_no_client_certificate",
        Some(Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => "tls_client_certificate_expired",
        Some(Error::InvalidCertificate(_)) => "tls_client_certificate_refused",
        Some(Error::AlertReceived(_)) => "tls_refused_by_client",
        Some(Error::PeerIncompatible(_)) => "tls_nothing_in_common",
        Some(Error::InvalidMessage(_) | Error::InappropriateMessage { .. }) => "tls_not_tls",
        Some(_) => "tls_failed",
    }
}
