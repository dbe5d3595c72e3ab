//! Whom `voicelog simulate --transport tls` believes, and who it says it is.

use super::Way;
use crate::BadInput;
use anyhow::Result;
use std::path::{Path, PathBuf};
use voicelog_model::error::chain;
use voicelog_src_sim::{TlsClient, TlsOptions};

#[derive(Debug, clap::Args)]
pub(crate) struct TlsArgs {
    /// Who may have issued the server's certificate (PEM).
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// The one certificate of the server to take, whoever issued it: its SHA-256 as
    /// `openssl x509 -noout -fingerprint -sha256` prints it.
    #[arg(long, value_name = "SHA256", value_parser = fingerprint, conflicts_with = "tls_ca")]
    tls_fingerprint: Option<Fingerprint>,
    /// The name that the server's certificate must hold; without it the address of `--server`.
    #[arg(long, value_name = "NAME", requires = "tls_ca")]
    tls_name: Option<String>,
    /// Our own certificate, where the server asks for one, and after it those of its issuers (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The private key of our certificate (PEM, without a password).
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
}

/// A SHA-256; a type of its own, since `clap` takes a list for many values.
#[derive(Debug, Clone, Copy)]
struct Fingerprint([u8; 32]);

fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    TlsOptions::read_fingerprint(text)
        .map(Fingerprint)
        .ok_or_else(|| "a fingerprint is 64 hexadecimal digits, with or without colons".to_owned())
}

impl TlsArgs {
    /// What the options come to over TLS; elsewhere they have nothing to say, and saying it is a
    /// slip.
    pub(super) fn client(&self, way: Way) -> Result<Option<TlsClient>> {
        let is_said = self.tls_ca.is_some()
            || self.tls_fingerprint.is_some()
            || self.tls_certificate.is_some();
        match way {
            Way::Tls => {}
            _ if is_said => {
                return Err(
                    BadInput("--tls-…: of use with --transport tls only".to_owned()).into(),
                );
            }
            _ => return Ok(None),
        }
        let own = match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
            _ => None,
        };
        let options = TlsOptions {
            ca: self.tls_ca.as_deref().map(read).transpose()?,
            fingerprint: self.tls_fingerprint.map(|Fingerprint(bytes)| bytes),
            name: self.tls_name.clone(),
            own,
        };
        let client = TlsClient::new(&options);
        Ok(Some(
            client.map_err(|error| BadInput(chain(&error).to_string()))?,
        ))
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path);
    bytes.map_err(|error| BadInput(format!("{}: {error}", path.display())).into())
}
