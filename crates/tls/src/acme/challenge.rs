//! What is shown to an authority that looks whether a name is ours (RFC 8737).

use super::ACME_TLS;
use crate::files::without_sessions;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_rustls::TlsAcceptor;

/// The answers that stand now, by the name that is looked for. Shared by all who have a copy.
#[derive(Clone, Default)]
pub struct Challenges(Arc<Mutex<HashMap<String, Arc<CertifiedKey>>>>);

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenges")
    }
}

/// An answer that stands until this is dropped.
pub(super) struct Standing {
    challenges: Challenges,
    name: String,
}

impl Drop for Standing {
    fn drop(&mut self) {
        let mut all = self.challenges.0.lock();
        let all = all.as_mut().map_err(PoisonError::get_mut);
        let (Ok(all) | Err(all)) = all;
        all.remove(&self.name);
    }
}

impl Challenges {
    /// What serves `certificate` to everybody, and its answer to an authority that looks.
    ///
    /// # Errors
    /// The TLS library refuses; that has not been seen.
    pub fn acceptor(&self, certificate: Arc<CertifiedKey>) -> Result<TlsAcceptor, rustls::Error> {
        let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Resolver {
                certificate,
                challenges: self.clone(),
            }));
        // Once one is named a client must want one of them, so what browsers and programs speak with us is named too.
        server.alpn_protocols = [&b"http/1.1"[..], b"http/1.0", ACME_TLS]
            .map(<[u8]>::to_vec)
            .into();
        Ok(without_sessions(server))
    }

    /// Shows that `name` is ours: a certificate for it alone, with the digest that the authority expects (RFC 8737 §3).
    pub(super) fn answer(&self, name: &str, digest: &[u8]) -> Result<Standing, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let certificate = params.self_signed(&key)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key =
            ring::sign::any_ecdsa_type(&key).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
        let shown = CertifiedKey::new(vec![certificate.der().clone()], key);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), Arc::new(shown));
        drop(all);
        Ok(Standing {
            challenges: self.clone(),
            name: name.to_owned(),
        })
    }

    fn of(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&name.to_ascii_lowercase()).map(Arc::clone)
    }
}

/// Chooses by what the client asks for.
struct Resolver {
    certificate: Arc<CertifiedKey>,
    challenges: Challenges,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // An authority offers that protocol and no other; whoever offers another too is none (RFC 8737 §3).
        let mut offered = hello.alpn().into_iter().flatten();
        let is_authority = offered.next() == Some(ACME_TLS) && offered.next().is_none();
        if is_authority {
            return self.challenges.of(hello.server_name()?);
        }
        Some(Arc::clone(&self.certificate))
    }
}
