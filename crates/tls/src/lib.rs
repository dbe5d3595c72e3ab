//! TLS 1.2 and 1.3 for what we serve, SIP (RFC 3261 §26.3.1) and the pages alike: certificate and key from
//! files, from an authority of our own, or from a public one (ACME).
//!
//! A handshake that fails ends with a word to count and costs its own connection only. Why rustls and ring:
//! `design/decisions/0008-tls-by-rustls-and-ring.md`; the authority: `design/web.md`, "TLS".
#![deny(missing_docs)]

mod acme;
mod authority;
mod files;
mod handshake;

pub use acme::{Acme, AcmeError, Challenges, ExternalAccount, Issued};
pub use authority::{Authority, AuthorityError, NotAName};
pub use files::{TlsError, TlsFault, TlsFile, TlsFiles, acceptor};
pub use handshake::handshake;
pub use tokio_rustls::TlsAcceptor;
pub use tokio_rustls::server::TlsStream;
