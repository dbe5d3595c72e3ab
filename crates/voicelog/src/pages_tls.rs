//! The certificate of the pages: read from its files, or signed by an authority of our own, and renewed while
//! the server runs.

use crate::BadInput;
use crate::clock::SystemClock;
use crate::data_folder::DataFolder;
use crate::http_config::Http;
use anyhow::{Context as _, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use voicelog_model::{Clock, error::chain};
use voicelog_store::durable;
use voicelog_tls::{Authority, TlsAcceptor, TlsError, TlsFile, TlsFiles};
use voicelog_web::{OwnAuthority, PagesTls};
use zeroize::Zeroizing;

/// Where our own authority is kept among the secrets.
const KEPT: &str = "pages-authority";
/// How often the files are read again: whoever renews a certificate does not start the server again.
const FILES_AGAIN: Duration = Duration::from_secs(600);
/// How often our own authority signs again. A certificate of it is believed for 90 days.
const SIGNED_AGAIN: Duration = Duration::from_secs(7 * 24 * 3_600);

enum From {
    Files(TlsFiles),
    Own(Box<Authority>),
}

/// The certificate of the pages.
pub(crate) struct Certificate {
    from: From,
    clock: Arc<dyn Clock>,
    acceptor: watch::Sender<TlsAcceptor>,
}

impl Certificate {
    /// What the configuration asks for; nothing where the pages are there without TLS.
    ///
    /// # Errors
    /// A file that does not do, with its key; an authority that cannot be kept.
    pub(crate) fn of(
        http: &Http,
        folder: &DataFolder,
        clock: &Arc<SystemClock>,
    ) -> Result<Option<Self>> {
        let from = match http.files() {
            Some(files) => From::Files(files),
            None if http.tls_names.is_empty() => return Ok(None),
            None => From::Own(Box::new(authority(http, folder, &**clock)?)),
        };
        let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
        let (acceptor, _seen) = watch::channel(made(&from, &clock)?);
        Ok(Some(Self {
            from,
            clock,
            acceptor,
        }))
    }

    /// For the pages, which are reached at `public_url`.
    pub(crate) fn for_pages(&self, public_url: &str) -> PagesTls {
        PagesTls {
            public_url: public_url.to_owned(),
            acceptor: self.acceptor.subscribe(),
        }
    }

    /// What people are told of our own authority, if there is one.
    pub(crate) fn own_authority(&self) -> Option<OwnAuthority> {
        match &self.from {
            From::Files(_) => None,
            From::Own(authority) => Some(OwnAuthority {
                certificate: authority.certificate().to_vec(),
            }),
        }
    }

    /// By what a person compares what they install.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        match &self.from {
            From::Files(_) => None,
            From::Own(authority) => Some(authority.fingerprint()),
        }
    }

    /// Renews it as long as the server runs. Where that fails, the one in use goes on.
    pub(crate) async fn keep_new(self) {
        let every = match &self.from {
            From::Files(_) => FILES_AGAIN,
            From::Own(_) => SIGNED_AGAIN,
        };
        let mut again = tokio::time::interval(every);
        again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let _at_once = again.tick().await;
        loop {
            again.tick().await;
            self.renew();
        }
    }

    fn renew(&self) {
        match made(&self.from, &self.clock) {
            Ok(acceptor) => {
                self.acceptor.send_replace(acceptor);
            }
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "the certificate of the pages cannot be renewed; the one that was read before goes on"
            ),
        }
    }
}

fn made(from: &From, clock: &Arc<dyn Clock>) -> Result<TlsAcceptor> {
    match from {
        From::Files(files) => {
            voicelog_tls::acceptor(files, "the pages", clock).map_err(|error| of_file(&error))
        }
        From::Own(authority) => authority
            .acceptor(clock.now())
            .context("cannot make a certificate for the pages"),
    }
}

/// A file that the configuration names: bad input, like any other.
fn of_file(error: &TlsError) -> anyhow::Error {
    let key = match error.file {
        TlsFile::Key => "http.tls_key",
        TlsFile::Certificate | TlsFile::ClientCa => "http.tls_certificate",
    };
    let help = error.fault.help();
    let why = chain(error);
    BadInput(format!(
        "cannot take the certificate of the pages: {why}: see {key}; {help}"
    ))
    .into()
}

/// The authority that is kept, or a new one.
fn authority(http: &Http, folder: &DataFolder, clock: &dyn Clock) -> Result<Authority> {
    let path = folder.root().join("secrets").join(KEPT);
    let now = clock.now();
    if path.exists() {
        let read = std::fs::read_to_string(&path).map(Zeroizing::new);
        let text = read.with_context(|| format!("cannot read `{}`", path.display()))?;
        let kept = Authority::of_text(&text, &http.tls_names, now);
        let kept = kept.with_context(|| format!("cannot use `{}`", path.display()))?;
        if let Some(kept) = kept {
            return Ok(kept);
        }
        tracing::warn!(
            "a new authority signs for the pages, since the former was for other names or ends soon: who installed that one has to install this one"
        );
    }
    let new = Authority::new(&http.tls_names, now)
        .context("cannot make an authority for http.tls_names")?;
    durable::replace_secret(&path, new.to_text().as_bytes())
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::process::Command;

    /// Certificate and key as anybody makes them.
    fn issue(folder: &Path, days: &str) {
        let mut openssl = Command::new("openssl");
        openssl
            .current_dir(folder)
            .args(["req", "-x509", "-nodes", "-newkey", "ec"]);
        openssl.args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", days]);
        openssl.args([
            "-keyout",
            "key.pem",
            "-out",
            "own.pem",
            "-subj",
            "/CN=opnamen",
        ]);
        let made = openssl.output().unwrap();
        assert!(made.status.success(), "{made:?}");
    }

    #[test]
    fn a_certificate_that_was_renewed_counts_and_one_that_does_not_do_leaves_the_former() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::create(&folder.path().join("data")).unwrap();
        let clock = Arc::new(SystemClock::default());
        let http = Http {
            tls_certificate: Some(folder.path().join("own.pem")),
            tls_key: Some(folder.path().join("key.pem")),
            ..Http::default()
        };
        let missing = Certificate::of(&http, &data, &clock).err().unwrap();
        assert!(missing.is::<BadInput>(), "{missing}");
        assert!(
            missing.to_string().contains("see http.tls_certificate"),
            "{missing}"
        );
        issue(folder.path(), "60");
        let certificate = Certificate::of(&http, &data, &clock).unwrap().unwrap();
        assert!(certificate.own_authority().is_none());
        let mut pages = certificate.for_pages("https://opnamen").acceptor;
        pages.borrow_and_update();
        durable::replace(&folder.path().join("own.pem"), b"half of it").unwrap();
        certificate.renew();
        assert!(!pages.has_changed().unwrap(), "the former goes on");
        issue(folder.path(), "90");
        certificate.renew();
        assert!(pages.has_changed().unwrap());
    }
}
