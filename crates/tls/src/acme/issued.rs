//! A certificate that an authority gave, or one for the time until it does.

use super::AcmeError;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use std::fmt;
use std::sync::Arc;
use voicelog_model::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use zeroize::Zeroizing;

/// A certificate with its issuers and its key.
pub struct Issued {
    /// Our certificate, then those of its issuers (PEM).
    chain: String,
    /// The private key (PEM).
    key: Zeroizing<String>,
    certified: Arc<CertifiedKey>,
    from: Timestamp,
    until: Timestamp,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("from", &self.from)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl Issued {
    /// Reads one. It has to be for all of these names, and for this key.
    ///
    /// # Errors
    /// [`AcmeError::Unusable`] with the reason.
    pub fn new(chain: &str, key: &str, names: &[String]) -> Result<Self, AcmeError> {
        let unusable = |why: &dyn fmt::Display| AcmeError::Unusable(why.to_string());
        let der: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
        let der = der.map_err(|why| unusable(&why))?;
        let first = der.first().ok_or_else(|| unusable(&"it is empty"))?;
        let parsed = ParsedCertificate::try_from(first).map_err(|why| unusable(&why))?;
        for name in names {
            let server = ServerName::try_from(name.as_str()).map_err(|why| unusable(&why))?;
            verify_server_name(&parsed, &server)
                .map_err(|_why| unusable(&format!("it is not for `{name}`")))?;
        }
        let (from, until) = days_of(first).map_err(|why| unusable(&why))?;
        let own = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|why| unusable(&why))?;
        let certified = CertifiedKey::from_der(der, own, &ring::default_provider());
        let certified = certified.map_err(|why| unusable(&why))?;
        Ok(Self {
            chain: chain.to_owned(),
            key: Zeroizing::new(key.to_owned()),
            certified: Arc::new(certified),
            from,
            until,
        })
    }

    /// One that nobody vouches for: so that there is something to speak TLS with until an authority gave one.
    ///
    /// # Errors
    /// The libraries refuse; that has not been seen.
    pub fn for_the_meantime(names: &[String]) -> Result<Self, AcmeError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        let waiting = "voicelog, no certificate yet";
        params.distinguished_name.push(DnType::CommonName, waiting);
        let made = params.self_signed(&key)?;
        let key = Zeroizing::new(key.serialize_pem());
        Self::new(&made.pem(), &key, names)
    }

    /// What is kept of it, with its private key: the key, then the certificates (PEM).
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new([self.key.as_str(), &self.chain].concat())
    }

    /// Reads what was kept.
    ///
    /// # Errors
    /// As with [`Issued::new`].
    pub fn of_text(text: &str, names: &[String]) -> Result<Self, AcmeError> {
        let begin = "-----BEGIN CERTIFICATE-----";
        let at = text.find(begin).unwrap_or(text.len());
        let (key, chain) = text.split_at(at);
        Self::new(chain, key, names)
    }

    /// What TLS is spoken with.
    #[must_use]
    pub fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }

    /// The first moment after it.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }

    /// From when another one is asked for: when two thirds of its time are over.
    #[must_use]
    pub const fn renew_at(&self) -> Timestamp {
        let whole = self.until.micros_since(self.from);
        self.from.plus_micros(whole / 3 * 2)
    }
}

/// From when until when a certificate is believed.
fn days_of(der: &CertificateDer<'_>) -> Result<(Timestamp, Timestamp), x509_cert::der::Error> {
    let certificate = Certificate::from_der(der)?;
    let validity = certificate.tbs_certificate().validity();
    let moment = |time: &x509_cert::time::Time| {
        let micros = i64::try_from(time.to_unix_duration().as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(micros)
    };
    Ok((moment(&validity.not_before), moment(&validity.not_after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str) -> Vec<String> {
        vec![name.to_owned()]
    }

    #[test]
    fn what_is_kept_is_read_again_and_what_does_not_do_is_told() {
        let here = names("opnamen.voorbeeld.example");
        let one = Issued::for_the_meantime(&here).unwrap();
        let again = Issued::of_text(&one.to_text(), &here).unwrap();
        assert_eq!(again.certified().cert, one.certified().cert);
        assert!(one.renew_at() < one.until());
        let why = |issued: Result<Issued, AcmeError>| issued.unwrap_err().to_string();
        let elsewhere = Issued::of_text(&one.to_text(), &names("elders.voorbeeld.example"));
        assert!(why(elsewhere).contains("it is not for `elders"));
        let other = Issued::for_the_meantime(&here).unwrap();
        assert!(
            Issued::new(&one.chain, &other.key, &here).is_err(),
            "another key"
        );
        assert!(why(Issued::of_text("", &here)).contains("it is empty"));
        // Without its last line it is cut off, wherever it is cut.
        let end = "-----END CERTIFICATE-----\n".len();
        for at in 0..one.to_text().len() - end {
            let half: String = one.to_text().chars().take(at).collect();
            assert!(Issued::of_text(&half, &here).is_err(), "{at}");
        }
    }
}
