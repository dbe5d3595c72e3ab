//! The organisation's own key for vCons, from the files that the configuration names.

use crate::config;
use anyhow::{Context as _, Result, bail};
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use voicelog_evidence::vcon::{self, Algorithm, Sign, SignError};

/// RSA or P-256, as ring has them.
pub(crate) struct OwnSigner {
    key: Arc<dyn SigningKey>,
    algorithm: Algorithm,
    certificates: Vec<Vec<u8>>,
}

impl fmt::Debug for OwnSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnSigner").finish_non_exhaustive()
    }
}

/// Reads it. None where the configuration names none: then the archive signs by itself.
pub(crate) fn read(config: &config::Vcon) -> Result<Option<OwnSigner>> {
    let (key, certificate) = match (&config.key, &config.certificate) {
        (None, None) => return Ok(None),
        (Some(key), Some(certificate)) => (key, certificate),
        _ => bail!("[vcon] has one of `key` and `certificate`; it needs both, or neither"),
    };
    let signer = OwnSigner::from_pem(&file(key)?, &file(certificate)?);
    let signer = signer.with_context(|| {
        format!(
            "cannot sign vCons with `{}` and `{}`",
            key.display(),
            certificate.display()
        )
    })?;
    Ok(Some(signer))
}

fn file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}

impl OwnSigner {
    fn from_pem(key: &[u8], certificates: &[u8]) -> Result<Self> {
        let key = PrivateKeyDer::from_pem_slice(key)
            .ok()
            .context("the key is no private key in PEM, or has a password")?;
        let key = any_supported_type(&key)
            .ok()
            .context("the key is neither RSA nor P-256")?;
        let algorithm = [Algorithm::Es256, Algorithm::Rs256]
            .into_iter()
            .find(|algorithm| key.choose_scheme(&[scheme(*algorithm)]).is_some())
            .context("the key is neither RSA nor P-256")?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
        let chain = chain.ok().context("the certificate is not PEM")?;
        let signer = Self {
            key,
            algorithm,
            certificates: chain.iter().map(|one| one.to_vec()).collect(),
        };
        if !vcon::is_consistent(&signer) {
            bail!(
                "the key is not that of the first certificate, or an RSA key of less than 2,048 bits"
            );
        }
        Ok(signer)
    }
}

const fn scheme(algorithm: Algorithm) -> SignatureScheme {
    match algorithm {
        Algorithm::Es256 => SignatureScheme::ECDSA_NISTP256_SHA256,
        Algorithm::Rs256 => SignatureScheme::RSA_PKCS1_SHA256,
    }
}

impl Sign for OwnSigner {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signer = self.key.choose_scheme(&[scheme(self.algorithm)]);
        let signed = signer.and_then(|signer| signer.sign(message).ok());
        let signature = signed.ok_or(SignError)?;
        match self.algorithm {
            Algorithm::Es256 => vcon::es256_of_der(&signature),
            Algorithm::Rs256 => Ok(signature),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Key and certificate, made by openssl.
    fn made(options: &str) -> (Vec<u8>, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let line = format!(
            "req -x509 {options} -nodes -keyout key.pem -out own.pem -subj /CN=opnamen.example -days 30"
        );
        let mut openssl = Command::new("openssl");
        let ran = openssl.args(line.split(' ')).current_dir(&folder).output();
        assert!(ran.unwrap().status.success(), "{options}");
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        (read("key.pem"), read("own.pem"))
    }

    const P256: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256";

    #[test]
    fn a_key_of_rsa_or_p256_signs_under_its_certificate() {
        for (options, algorithm) in [
            ("-newkey rsa:2048", Algorithm::Rs256),
            (P256, Algorithm::Es256),
        ] {
            let (key, certificate) = made(options);
            let signer = OwnSigner::from_pem(&key, &certificate).unwrap();
            assert_eq!(signer.algorithm(), algorithm);
            assert_eq!(signer.certificates().len(), 1);
            assert!(vcon::is_consistent(&signer));
        }
    }

    #[test]
    fn a_key_that_cannot_sign_or_is_of_another_certificate_is_refused_at_the_start() {
        let (key, certificate) = made(P256);
        let (other, _) = made(P256);
        let refused = |key: &[u8], certificate: &[u8]| {
            let error = OwnSigner::from_pem(key, certificate).unwrap_err();
            error.to_string()
        };
        assert!(refused(&other, &certificate).contains("not that of the first certificate"));
        assert!(refused(&key, b"").contains("not that of the first certificate"));
        assert!(refused(&certificate, &certificate).contains("no private key"));
        let (large, own) = made("-newkey ec -pkeyopt ec_paramgen_curve:P-384");
        assert!(refused(&large, &own).contains("neither RSA nor P-256"));
        let one = config::Vcon {
            key: Some("key.pem".into()),
            certificate: None,
        };
        assert!(read(&one).unwrap_err().to_string().contains("needs both"));
    }
}
