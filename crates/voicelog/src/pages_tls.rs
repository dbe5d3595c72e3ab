//! The certificate of the pages: read from its files, or signed by an authority, our own or a public one, and renewed
//! while the server runs.

use crate::BadInput;
use crate::clock::SystemClock;
use crate::data_folder::DataFolder;
use crate::http_config::Http;
use crate::pages_acme::ByAuthority;
use anyhow::{Context as _, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use voicelog_model::{Clock, Timestamp, error::chain};
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
    Public(Box<ByAuthority>),
}

/// Who is told whether the last try to renew it failed.
pub(crate) type Told = Box<dyn Fn(bool, Timestamp) + Send + Sync>;

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
        let shared: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
        let (from, first) = if let Some(files) = http.files() {
            let first = of_files(&files, &shared)?;
            (From::Files(files), first)
        } else if let Some(acme) = &http.acme {
            let (by, first) = ByAuthority::of(acme, folder)?;
            (From::Public(Box::new(by)), first)
        } else if http.tls_names.is_empty() {
            return Ok(None);
        } else {
            let own = authority(http, folder, &**clock)?;
            let first = signed(&own, &*shared)?;
            (From::Own(Box::new(own)), first)
        };
        let (acceptor, _seen) = watch::channel(first);
        Ok(Some(Self {
            from,
            clock: shared,
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
            From::Files(_) | From::Public(_) => None,
            From::Own(authority) => Some(OwnAuthority {
                certificate: authority.certificate().to_vec(),
            }),
        }
    }

    /// By what a person compares what they install.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        match &self.from {
            From::Files(_) | From::Public(_) => None,
            From::Own(authority) => Some(authority.fingerprint()),
        }
    }

    /// Renews it as long as the server runs. Where that fails, the one in use goes on, and `told` hears of it.
    pub(crate) async fn keep_new(mut self, told: Told) {
        loop {
            let wait = match &self.from {
                From::Files(_) => FILES_AGAIN,
                From::Own(_) => SIGNED_AGAIN,
                From::Public(by) => by.wait(self.clock.now()),
            };
            pause(wait).await;
            self.renew(&told).await;
        }
    }

    async fn renew(&mut self, told: &Told) {
        let now = self.clock.now();
        let new = match &mut self.from {
            From::Files(files) => of_files(files, &self.clock).map(Some),
            From::Own(authority) => signed(authority, &*self.clock).map(Some),
            From::Public(by) => by.renew(now).await,
        };
        match new {
            // It is not time yet.
            Ok(None) => {}
            Ok(Some(acceptor)) => {
                self.acceptor.send_replace(acceptor);
                told(false, now);
            }
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the certificate of the pages cannot be renewed; the one in use goes on"
                );
                told(true, now);
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "waiting is the job: a day passes without an event"
)]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}

fn of_files(files: &TlsFiles, clock: &Arc<dyn Clock>) -> Result<TlsAcceptor> {
    voicelog_tls::acceptor(files, "the pages", clock).map_err(|error| of_file(&error))
}

fn signed(authority: &Authority, clock: &dyn Clock) -> Result<TlsAcceptor> {
    let acceptor = authority.acceptor(clock.now());
    acceptor.context("cannot make a certificate for the pages")
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

    #[tokio::test]
    async fn a_certificate_that_was_renewed_counts_and_one_that_does_not_do_leaves_the_former() {
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
        let mut certificate = Certificate::of(&http, &data, &clock).unwrap().unwrap();
        assert!(certificate.own_authority().is_none());
        let mut pages = certificate.for_pages("https://opnamen").acceptor;
        pages.borrow_and_update();
        durable::replace(&folder.path().join("own.pem"), b"half of it").unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        let tell: Told = Box::new(move |failed, _at| tell.send(failed).unwrap());
        certificate.renew(&tell).await;
        assert!(!pages.has_changed().unwrap(), "the former goes on");
        issue(folder.path(), "90");
        certificate.renew(&tell).await;
        assert!(pages.has_changed().unwrap());
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [true, false]);
    }
}
