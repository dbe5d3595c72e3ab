//! Who else vouches for the log: what the configuration says of them, and the thread that asks them.

use crate::BadInput;
use crate::clock::SystemClock;
use crate::config::{Log, TimestampAuthority};
use crate::webhooks::trust_for;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;
use voicelog_archive::{Archive, ArchiveError, BundlePapers, Stamper};
use voicelog_casework::print::PdfPrinter;
use voicelog_casework::vouching::{
    Authority, AuthoritySettings, Standing, WitnessAnswer, WitnessSettings, Witnesses,
};
use voicelog_casework::webhook::{Trust, check_address};
use voicelog_evidence::note::VerifierKey;
use voicelog_evidence::policy::Policy;
use voicelog_evidence::timestamp::{Anchors, Question};
use voicelog_model::{Clock, Timestamp, error};

/// How often it is looked whether there is something new to vouch for.
const LOOK: Duration = Duration::from_secs(5);
/// Looks that pass before somebody who did not answer is asked again.
const REST: u32 = 12;
/// How often in a row nobody may answer before there is an alarm.
const UNREACHED_MAX: u32 = 5;
/// How often the log is stamped, in microseconds.
const DAY: i64 = 86_400 * 1_000_000;
/// How long after a failure the authority is asked again, in microseconds.
const STAMP_REST: u64 = 900 * 1_000_000;
/// Witnesses at most.
const WITNESSES_MAX: usize = 16;

/// Those who vouch, read from the configuration before anything is started.
#[derive(Debug, Default)]
pub(crate) struct Vouchers {
    witnesses: Vec<(WitnessSettings, Trust)>,
    quorum: usize,
    authority: Option<Arc<Authority>>,
    /// Certificates of the authority, as configured.
    anchors: Option<String>,
}

impl Vouchers {
    /// Reads what the configuration says.
    ///
    /// # Errors
    /// [`BadInput`]: what it says cannot be, or a file that it names cannot be read.
    pub(crate) fn read(log: &Log) -> Result<Self> {
        Self::try_read(log).map_err(|error| BadInput(format!("[log] {error:#}")).into())
    }

    fn try_read(log: &Log) -> Result<Self> {
        if log.witnesses.len() > WITNESSES_MAX {
            bail!("there are more than {WITNESSES_MAX} witnesses");
        }
        let mut witnesses = Vec::new();
        let mut keys = BTreeSet::new();
        for witness in &log.witnesses {
            let url = &witness.url;
            let named = || format!("witness `{url}`");
            check_address(url, witness.allow_http)
                .map_err(|why| anyhow::anyhow!("{}: url: {why}", named()))?;
            let settings = WitnessSettings {
                url: url.clone(),
                key: witness
                    .key
                    .parse()
                    .map_err(|why| anyhow::anyhow!("{}: key: {why}", named()))?,
            };
            if !keys.insert(*settings.key.bytes()) {
                bail!(
                    "{}: its key stands there twice; each witness counts once",
                    named()
                );
            }
            let trust = trust_for(url, witness.issuers.clone()).with_context(named)?;
            witnesses.push((settings, trust));
        }
        let count = witnesses.len();
        let quorum = log.quorum.unwrap_or(count);
        if quorum > count {
            bail!("quorum = {quorum}, and there are {count} witnesses");
        }
        let authority = log.timestamp_authority.as_ref();
        Ok(Self {
            witnesses,
            quorum,
            authority: authority.map(read_authority).transpose()?,
            anchors: authority.map(read_anchors).transpose()?,
        })
    }

    /// What each bundle of this archive holds of them, with the page that checks it.
    pub(crate) fn papers(&self, log: VerifierKey) -> Result<BundlePapers> {
        let named = self.witnesses.iter().zip(1..);
        let named = named.map(|((witness, _), number)| witness.named(number));
        let policy = (!self.witnesses.is_empty())
            .then(|| Policy::new(log, named.collect(), self.quorum))
            .transpose()?;
        Ok(BundlePapers {
            verifier_page: Some(include_bytes!("../../../verifier/verify.html")),
            printer: Some(Arc::new(PdfPrinter)),
            policy: policy.map(|policy| policy.to_string()),
            timestamp_anchors: self.anchors.clone(),
            stamper: self
                .authority
                .clone()
                .map(|authority| authority as Arc<dyn Stamper>),
        })
    }

    /// The timestamping authority, if there is one.
    pub(crate) fn authority(&self) -> Option<Arc<Authority>> {
        self.authority.clone()
    }

    /// The witnesses over this archive.
    pub(crate) fn witnesses(self, archive: &Arc<Archive>) -> Witnesses {
        Witnesses::new(Arc::clone(archive), self.witnesses, self.quorum)
    }
}

fn read_anchors(authority: &TimestampAuthority) -> Result<String> {
    let (url, path) = (&authority.url, authority.certificate.display());
    std::fs::read_to_string(&authority.certificate)
        .with_context(|| format!("timestamp_authority `{url}`: cannot read `{path}`"))
}

fn read_authority(authority: &TimestampAuthority) -> Result<Arc<Authority>> {
    let url = &authority.url;
    let named = || format!("timestamp_authority `{url}`");
    check_address(url, authority.allow_http)
        .map_err(|why| anyhow::anyhow!("{}: url: {why}", named()))?;
    let path = authority.certificate.display();
    let pem = read_anchors(authority)?;
    let anchors = Anchors::from_pem(&pem).with_context(|| format!("{}: `{path}`", named()))?;
    let settings = AuthoritySettings {
        url: url.clone(),
        anchors,
        policy: authority.policy.clone(),
    };
    // A policy that is none is found here, not at the first question.
    let asked = Question {
        policy: settings.policy.clone(),
        ..Question::default()
    };
    asked
        .to_der()
        .with_context(|| format!("{}: policy is no object identifier", named()))?;
    let trust = trust_for(url, authority.issuers.clone()).with_context(named)?;
    Ok(Arc::new(Authority::new(settings, &trust)))
}

/// The thread that asks them.
#[derive(Debug)]
pub(crate) struct Notary {
    pub(crate) standing: Arc<Standing>,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Notary {
    /// Starts it, if there is anybody to ask.
    pub(crate) fn start(
        vouchers: Vouchers,
        archive: &Arc<Archive>,
        clock: &Arc<SystemClock>,
    ) -> Result<Self> {
        let standing = Arc::new(Standing::default());
        let mut round = Round {
            authority: vouchers.authority(),
            witnesses: vouchers.witnesses(archive),
            failed_at: None,
            archive: Arc::clone(archive),
            clock: Arc::clone(clock),
            standing: Arc::clone(&standing),
            unreached: 0,
            rest: 0,
        };
        if round.witnesses.is_empty() && round.authority.is_none() {
            return Ok(Self {
                standing,
                thread: None,
            });
        }
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            while matches!(stopped.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout)) {
                if let Err(error) = round.go().and_then(|()| round.stamp()) {
                    tracing::error!(error = %error::chain(&error), "asking others to vouch for the log");
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("voicelog-notary".to_owned())
            .spawn(run)
            .context("cannot start a thread for witnesses")?;
        Ok(Self {
            standing,
            thread: Some((stop, thread)),
        })
    }

    /// Stops it. What is under way has its own end; what was not vouched for is after the next start.
    pub(crate) fn stop(self) {
        if let Some((stop, thread)) = self.thread {
            let _it_is_gone = stop.send(());
            let _it_panicked = thread.join();
        }
    }
}

/// What the thread goes by.
struct Round {
    witnesses: Witnesses,
    authority: Option<Arc<Authority>>,
    /// When the authority failed last.
    failed_at: Option<Timestamp>,
    archive: Arc<Archive>,
    clock: Arc<SystemClock>,
    standing: Arc<Standing>,
    /// Rounds in a row in which somebody could not be reached.
    unreached: u32,
    /// Looks to pass before the next round.
    rest: u32,
}

impl Round {
    fn go(&mut self) -> Result<(), ArchiveError> {
        if self.rest > 0 {
            self.rest -= 1;
            return Ok(());
        }
        if self.witnesses.is_up_to_date()? {
            return Ok(());
        }
        let answers = self.witnesses.ask()?;
        let words: Vec<&'static str> = answers.iter().filter_map(word).collect();
        let is_unreached = words.contains(&"not_reached");
        self.unreached = if is_unreached { self.unreached + 1 } else { 0 };
        if !words.is_empty() {
            self.rest = REST;
        }
        let known: Vec<&'static str> = words
            .into_iter()
            .filter(|word| *word != "not_reached" || self.unreached >= UNREACHED_MAX)
            .collect();
        for (name, answer) in &answers {
            if let Err(fault) = answer {
                tracing::warn!(witness = name, "did not sign: {fault}");
            }
        }
        self.standing
            .set(&self.archive, "log_witness", self.clock.now(), &known)
    }
}

impl Round {
    /// Once a day, and sooner after a failure, also of one that only a copy saw.
    fn stamp(&mut self) -> Result<(), ArchiveError> {
        let now = self.clock.now();
        let Some(authority) = &self.authority else {
            return Ok(());
        };
        // A clock that jumped and was set right must not keep it from being asked for years.
        let is_recent = |at: Timestamp| now.micros().abs_diff(at.micros()) < STAMP_REST;
        if self.failed_at.is_some_and(is_recent) {
            return Ok(());
        }
        let is_due = Authority::is_due(&self.archive, now.plus_micros(-DAY))?;
        if !is_due && !authority.was_missed() {
            return Ok(());
        }
        let fault = match authority.ask(&self.archive, now)? {
            None | Some(Ok(_)) => None,
            Some(Err(fault)) => {
                tracing::warn!("no timestamp of the log: {fault}");
                self.failed_at = Some(now);
                Some(fault.word())
            }
        };
        self.standing
            .set(&self.archive, "log_timestamp", now, fault.as_slice())
    }
}

fn word((_name, answer): &WitnessAnswer) -> Option<&'static str> {
    answer.as_ref().err().map(|fault| fault.word())
}
