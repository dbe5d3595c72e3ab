//! The certificate of the pages by a public authority: which one, what is kept of it, and when another one is asked for.

use crate::BadInput;
use crate::data_folder::DataFolder;
use crate::webhooks::trust_for;
use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use voicelog_casework::vouching::agent;
use voicelog_casework::webhook::check_address;
use voicelog_model::{Timestamp, error::chain};
use voicelog_store::durable;
use voicelog_tls::{Acme, AcmeError, Challenges, ExternalAccount, Issued, TlsAcceptor};
use zeroize::Zeroizing;

/// What is kept among the secrets: our account there, and the certificate with its key.
const ACCOUNT: &str = "pages-acme-account";
const CERTIFICATE: &str = "pages-acme-certificate";
/// What is before the kept text: what one authority gave is of no use with another.
const DIRECTORY: &str = "directory: ";
/// How long after the first failure it is tried again; three times as long after each further one. Authorities count
/// failures, and Let's Encrypt answers nobody who fails five times in an hour.
const AGAIN: Duration = Duration::from_secs(300);
const AGAIN_MAX: Duration = Duration::from_secs(6 * 3_600);
/// How long it is waited at most before the clock is looked at again.
const LOOK_MAX: Duration = Duration::from_secs(60);

/// An authority that gives certificates by ACME.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AcmeConfig {
    /// Host names of the certificate; the first is where people reach the pages.
    pub(crate) names: Vec<String>,
    /// Whether the terms of the authority are agreed to.
    pub(crate) terms_agreed: bool,
    /// Where its directory is.
    pub(crate) directory: String,
    /// An address to which it may write.
    pub(crate) contact: Option<String>,
    /// The name of the key that it gave for an account, where it asks for one.
    pub(crate) key_id: Option<String>,
    /// A file with that key, as it gave it: base64url.
    pub(crate) key_file: Option<PathBuf>,
    /// Whose certificates it may show itself (PEM); those that this machine believes, if it is not said.
    pub(crate) issuers: Option<PathBuf>,
}

impl Default for AcmeConfig {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            terms_agreed: false,
            directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            contact: None,
            key_id: None,
            key_file: None,
            issuers: None,
        }
    }
}

impl AcmeConfig {
    pub(crate) fn check(&self) -> Result<()> {
        if let Err(why) = Acme::check_names(&self.names) {
            bail!("http.acme.names: {why}");
        }
        let directory = &self.directory;
        if let Err(why) = check_address(directory, false) {
            bail!("http.acme.directory (`{directory}`): {why}");
        }
        if !self.terms_agreed {
            bail!(
                "http.acme: the authority asks that you agree to its terms (a link to them is in {directory}); set terms_agreed = true if you do"
            );
        }
        let is_address = |contact: &String| contact.contains('@') && !contact.contains(':');
        if self.contact.as_ref().is_some_and(|it| !is_address(it)) {
            bail!("http.acme.contact is no address for e-mail, such as `beheer@voorbeeld.nl`");
        }
        if self.key_id.is_some() != self.key_file.is_some() {
            bail!(
                "http.acme: key_id and key_file belong together: the authority gives both, or asks for none"
            );
        }
        Ok(())
    }

    fn external(&self) -> Result<Option<ExternalAccount>> {
        let (Some(key_id), Some(path)) = (&self.key_id, &self.key_file) else {
            return Ok(None);
        };
        let named = || format!("http.acme.key_file (`{}`)", path.display());
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.with_context(|| format!("{} cannot be read", named()))?;
        let text = text.trim().trim_end_matches('=');
        let key = BASE64_URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new);
        Ok(Some(ExternalAccount {
            key_id: key_id.clone(),
            key: key.with_context(|| format!("{} is no key in base64url", named()))?,
        }))
    }
}

/// The certificate that an authority gives, and when it is asked for another.
#[derive(Debug)]
pub(crate) struct ByAuthority {
    acme: Acme,
    secrets: PathBuf,
    /// From when another certificate is wanted.
    renew_at: Timestamp,
    /// Failures since the last one that came.
    failures: u32,
    /// Not before this it is asked again.
    not_before: Timestamp,
}

impl ByAuthority {
    /// As the configuration says, and what TLS is spoken with until the authority was asked: the certificate that is kept, or one that
    /// nobody vouches for.
    ///
    /// # Errors
    /// [`BadInput`]: a file that does not do.
    pub(crate) fn of(config: &AcmeConfig, folder: &DataFolder) -> Result<(Self, TlsAcceptor)> {
        let bad = |error: anyhow::Error| BadInput(format!("http.acme: {error:#}"));
        let trust = trust_for(&config.directory, config.issuers.clone()).map_err(bad)?;
        let mut own = Self {
            acme: Acme {
                directory: config.directory.clone(),
                names: config.names.clone(),
                contact: config.contact.clone(),
                external: config.external().map_err(bad)?,
                agent: agent(&trust),
                challenges: Challenges::default(),
            },
            secrets: folder.root().join("secrets"),
            renew_at: Timestamp::from_micros(0),
            failures: 0,
            not_before: Timestamp::from_micros(0),
        };
        let issued = match own.kept_certificate() {
            Some(kept) => {
                own.renew_at = kept.renew_at();
                kept
            }
            None => Issued::for_the_meantime(&config.names)
                .context("cannot make a certificate for the meantime")?,
        };
        let acceptor = own.speaking(&issued)?;
        Ok((own, acceptor))
    }

    /// How long until it is to be looked again.
    pub(crate) fn wait(&self, now: Timestamp) -> Duration {
        let due = self.renew_at.max(self.not_before);
        let micros = due.micros_since(now).max(0).unsigned_abs();
        Duration::from_micros(micros).min(LOOK_MAX)
    }

    /// Asks for another certificate where it is time; nothing where it is not.
    ///
    /// # Errors
    /// Why none came. The one in use goes on, and it is tried again later.
    pub(crate) async fn renew(&mut self, now: Timestamp) -> Result<Option<TlsAcceptor>> {
        if now < self.renew_at.max(self.not_before) {
            return Ok(None);
        }
        match self.ask().await {
            Ok((issued, acceptor)) => {
                self.failures = 0;
                self.renew_at = issued.renew_at();
                // A certificate that is due at once would be asked for again and again.
                self.not_before = now.plus_micros(micros(LOOK_MIN));
                tracing::info!(until = %issued.until(), "the authority gave a certificate for the pages");
                Ok(Some(acceptor))
            }
            Err(error) => {
                let wait = AGAIN.saturating_mul(3_u32.saturating_pow(self.failures));
                self.failures += 1;
                self.not_before = now.plus_micros(micros(wait.min(AGAIN_MAX)));
                Err(error)
            }
        }
    }

    async fn ask(&self) -> Result<(Issued, TlsAcceptor)> {
        let account = self.kept(ACCOUNT);
        let account = account.as_ref().map(|kept| kept.as_str());
        let mut is_kept = Ok(());
        let issued = self
            .acme
            .certificate(account, |new| is_kept = self.keep(ACCOUNT, new))
            .await;
        is_kept?;
        let issued = issued.map_err(|error| told(&error))?;
        self.keep(CERTIFICATE, &issued.to_text())?;
        let acceptor = self.speaking(&issued)?;
        Ok((issued, acceptor))
    }

    fn speaking(&self, issued: &Issued) -> Result<TlsAcceptor> {
        let acceptor = self.acme.challenges.acceptor(issued.certified());
        acceptor.context("cannot speak TLS with the certificate for the pages")
    }

    /// The certificate that is kept. One that does not do costs nothing but another one.
    fn kept_certificate(&self) -> Option<Issued> {
        let text = self.kept(CERTIFICATE)?;
        match Issued::of_text(&text, &self.acme.names) {
            Ok(kept) => Some(kept),
            Err(error) => {
                let why = chain(&error).to_string();
                tracing::warn!(
                    why,
                    "the certificate that is kept does not do; the authority is asked for another"
                );
                None
            }
        }
    }

    /// What this authority gave before.
    fn kept(&self, name: &str) -> Option<Zeroizing<String>> {
        let path = self.secrets.join(name);
        let text = std::fs::read_to_string(&path).map(Zeroizing::new);
        let text = match text {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => {
                let path = path.display();
                tracing::warn!(%error, %path, "cannot be read; the authority is asked anew");
                return None;
            }
        };
        let (first, rest) = text.split_once('\n')?;
        let directory = first.strip_prefix(DIRECTORY)?;
        (directory == self.acme.directory).then(|| Zeroizing::new(rest.to_owned()))
    }

    fn keep(&self, name: &str, text: &str) -> Result<()> {
        let path = self.secrets.join(name);
        let directory = &self.acme.directory;
        let whole = Zeroizing::new(format!("{DIRECTORY}{directory}\n{text}"));
        write(&path, whole.as_bytes())
    }
}

/// However short its certificates are, an authority is not asked more often than this.
const LOOK_MIN: Duration = Duration::from_secs(1);

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    durable::replace_secret(path, bytes)
        .with_context(|| format!("cannot write `{}`", path.display()))
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// What went wrong, and what a person can do.
fn told(error: &AcmeError) -> anyhow::Error {
    anyhow::anyhow!("{}; {}", chain(error), error.help())
}
