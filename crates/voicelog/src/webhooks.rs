//! Webhooks: what the configuration says of them, and the threads that bring messages to them.

use crate::BadInput;
use crate::clock::SystemClock;
use crate::config::Webhook;
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;
use voicelog_archive::{Archive, NewsKind, Subscription};
use voicelog_casework::webhook::{Courier, Endpoint, Trust, check_address};
use voicelog_model::{Clock, error};

/// How often each endpoint's queue is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Webhooks at most: each has a thread.
const WEBHOOKS_MAX: usize = 16;
/// Where systems keep the issuers that they believe: Debian, Red Hat, Alpine.
const ISSUERS: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// Says what is wrong with the webhooks of a configuration, if anything is.
pub(crate) fn check(webhooks: &[Webhook]) -> Result<()> {
    if webhooks.len() > WEBHOOKS_MAX {
        bail!("there are more than {WEBHOOKS_MAX} webhooks");
    }
    let mut names = std::collections::BTreeSet::new();
    for webhook in webhooks {
        let name = &webhook.name;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if name.is_empty() || name.len() > 40 || !name.bytes().all(is_name) {
            bail!(
                "webhook `{name}`: name is 1 to 40 letters, digits, `-` or `_`, such as `beheer`"
            );
        }
        if !names.insert(name) {
            bail!("two webhooks are called `{name}`; a name may stand once");
        }
        check_address(&webhook.url, webhook.allow_http)
            .map_err(|why| anyhow::anyhow!("webhook `{name}`: url: {why}"))?;
        kinds(webhook)?;
    }
    Ok(())
}

/// What a webhook wants to hear: all, if it does not say.
fn kinds(webhook: &Webhook) -> Result<Vec<NewsKind>> {
    let all = || NewsKind::ALL.map(NewsKind::as_str).join(", ");
    if webhook.events.is_empty() {
        return Ok(NewsKind::ALL.to_vec());
    }
    let kinds = webhook.events.iter().map(|word| {
        NewsKind::from_word(word).ok_or_else(|| {
            let name = &webhook.name;
            anyhow::anyhow!(
                "webhook `{name}`: events: `{word}` does not exist; there are {}",
                all()
            )
        })
    });
    kinds.collect()
}

/// Who is to be told what.
pub(crate) fn subscriptions(webhooks: &[Webhook]) -> Result<Vec<Subscription>> {
    let subscriptions = webhooks.iter().map(|webhook| {
        Ok(Subscription {
            endpoint: webhook.name.clone(),
            kinds: kinds(webhook)?,
        })
    });
    subscriptions.collect()
}

/// Where messages go, and whose certificates are believed there: read before anything is started.
///
/// # Errors
/// [`BadInput`]: a file of issuers that cannot be used, or none where `https` needs one.
pub(crate) fn endpoints(webhooks: &[Webhook]) -> Result<Vec<(Endpoint, Trust)>> {
    let endpoints = webhooks.iter().map(|webhook| {
        let name = &webhook.name;
        let trust =
            trust(webhook).map_err(|error| BadInput(format!("webhook `{name}`: {error:#}")))?;
        let endpoint = Endpoint {
            name: name.clone(),
            url: webhook.url.clone(),
            secret: webhook.secret.clone(),
        };
        Ok((endpoint, trust))
    });
    endpoints.collect()
}

/// The threads that bring messages.
#[derive(Debug, Default)]
pub(crate) struct Couriers {
    threads: Vec<(Sender<()>, JoinHandle<()>)>,
    is_stopping: Arc<AtomicBool>,
}

impl Couriers {
    /// Starts one for each endpoint.
    pub(crate) fn start(
        endpoints: Vec<(Endpoint, Trust)>,
        archive: &Arc<Archive>,
        clock: &Arc<SystemClock>,
    ) -> Result<Self> {
        let mut couriers = Self::default();
        for (endpoint, trust) in endpoints {
            let name = endpoint.name.clone();
            let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
            let courier = Courier::new(Arc::clone(archive), clock, endpoint, &trust);
            let (stop, stopped) = mpsc::channel();
            let is_stopping = Arc::clone(&couriers.is_stopping);
            let run = move || {
                while matches!(stopped.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout)) {
                    go(&courier, &name, &is_stopping);
                }
            };
            let thread = std::thread::Builder::new()
                .name("voicelog-hook".to_owned())
                .spawn(run)
                .context("cannot start a thread for webhooks")?;
            couriers.threads.push((stop, thread));
        }
        Ok(couriers)
    }

    /// Stops them; what is under way has ten seconds at most, what is left goes out after the next start.
    pub(crate) fn stop(self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        for (stop, thread) in self.threads {
            let _it_is_gone = stop.send(());
            let _it_panicked = thread.join();
        }
    }
}

fn go(courier: &Courier, name: &str, is_stopping: &AtomicBool) {
    match courier.round(&|| is_stopping.load(Ordering::Relaxed)) {
        Ok(round) if round.given_up > 0 => tracing::error!(
            webhook = name,
            "a message could not be delivered for a day and is given up; see `voicelog webhooks`"
        ),
        Ok(round) if round.failed > 0 => {
            tracing::warn!(
                webhook = name,
                "a message was not taken; it is tried again (`voicelog webhooks` says why)"
            );
        }
        Ok(_round) => {}
        Err(error) => {
            tracing::error!(webhook = name, error = %error::chain(&error), "the queue of messages");
        }
    }
}

/// Whose certificates a webhook's server may show.
fn trust(webhook: &Webhook) -> Result<Trust> {
    trust_for(&webhook.url, webhook.issuers.clone())
}

/// Whose certificates a server at this address may show: those in a file, or those that this machine
/// believes.
pub(crate) fn trust_for(url: &str, issuers: Option<PathBuf>) -> Result<Trust> {
    if !url.starts_with("https:") {
        return Ok(Trust::nobody());
    }
    let usual = || ISSUERS.iter().map(PathBuf::from).find(|path| path.exists());
    let path = issuers.or_else(usual).context(
        "this machine has no list of certificate issuers; install ca-certificates, or name a file in `issuers`",
    )?;
    read_trust(&path).with_context(|| format!("cannot use `{}` (issuers)", path.display()))
}

fn read_trust(path: &Path) -> Result<Trust> {
    Ok(Trust::from_pem(&std::fs::read(path)?)?)
}
