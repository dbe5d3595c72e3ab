//! Asking an authority when it saw a checkpoint (RFC 3161 over HTTP, §3.4).

use super::{agent, post};
use crate::webhook::Trust;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use ureq::Agent;
use voicelog_archive::{Archive, ArchiveError, Stamper, TimestampRow, random};
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::timestamp::{ANSWER_BYTES_MAX, Anchors, Question, Stamp, TimestampError};
use voicelog_model::Timestamp;

/// How far the authority's moment may lie from our clock, in microseconds: either of the two is wrong then.
const APART_MAX: i64 = 600 * 1_000_000;
/// How long after it did not answer for one copy it is not asked for the next, in microseconds.
const REST: u64 = 900 * 1_000_000;

/// An authority as the configuration names it.
#[derive(Debug, Clone)]
pub struct AuthoritySettings {
    /// Where it is asked.
    pub url: String,
    /// By whose certificates its stamps are believed.
    pub anchors: Anchors,
    /// The policy that it must stamp under, in dots.
    pub policy: Option<String>,
}

/// Why there is no stamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StampFault {
    /// No answer.
    #[error("no answer: {0}")]
    NotReached(String),
    /// An answer that is no stamp, or none that is believed.
    #[error("its answer is not believed: {0}")]
    NotBelieved(TimestampError),
    /// Its clock and ours are far apart.
    #[error("it says that it is {0}, and the clock here does not: one of the two is wrong")]
    ClocksApart(Timestamp),
}

impl StampFault {
    /// One word, for alarms and metrics.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotReached(_) => "not_reached",
            Self::NotBelieved(_) => "not_believed",
            Self::ClocksApart(_) => "clocks_apart",
        }
    }
}

/// The authority of a log.
pub struct Authority {
    settings: AuthoritySettings,
    agent: Agent,
    /// Since when no copy waits for it.
    resting_since: Mutex<Option<Timestamp>>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", self.settings.url)
    }
}

impl Authority {
    /// One that has done nothing yet.
    #[must_use]
    pub fn new(settings: AuthoritySettings, trust: &Trust) -> Self {
        Self {
            settings,
            agent: agent(trust),
            resting_since: Mutex::default(),
        }
    }

    /// Whether the newest stamp that an archive kept is of before this moment, and its log grew since.
    pub fn is_due(archive: &Archive, before: Timestamp) -> Result<bool, ArchiveError> {
        let newest = archive.timestamps(1)?;
        Ok(match newest.first() {
            Some(row) => row.at < before && row.size < archive.log_size()?,
            None => archive.log_size()? > 0,
        })
    }

    /// Whether a copy went without a stamp since one was had: whoever watches asks again, and tells of it.
    pub fn was_missed(&self) -> bool {
        self.resting().is_some()
    }

    fn resting(&self) -> MutexGuard<'_, Option<Timestamp>> {
        // It is one moment: what a panic leaves behind is whole.
        self.resting_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the newest checkpoint stamped, and keeps the stamp once all of it holds. `None` while the log
    /// is empty.
    ///
    /// Errors: the archive cannot be read or written. What the authority does is no error but an answer.
    pub fn ask(
        &self,
        archive: &Archive,
        now: Timestamp,
    ) -> Result<Option<Result<Stamp, StampFault>>, ArchiveError> {
        archive.sequence()?;
        let Some((checkpoint, note)) = archive.newest_checkpoint()? else {
            return Ok(None);
        };
        let stamped = self.stamped(&checkpoint, random::bytes()?, now);
        if let Ok((stamp, answer)) = &stamped {
            *self.resting() = None;
            archive.keep_timestamp(&TimestampRow {
                size: checkpoint.size,
                at: stamp.at,
                checkpoint: note.into_bytes(),
                token: answer.clone(),
            })?;
        }
        Ok(Some(stamped.map(|(stamp, _answer)| stamp)))
    }

    fn stamped(
        &self,
        checkpoint: &Checkpoint,
        nonce: [u8; 8],
        now: Timestamp,
    ) -> Result<(Stamp, Vec<u8>), StampFault> {
        let question = Question {
            imprint: imprint(checkpoint),
            nonce: Some(nonce),
            policy: self.settings.policy.clone(),
        };
        let request = question.to_der().map_err(StampFault::NotBelieved)?;
        let kind = "application/timestamp-query";
        let most = ANSWER_BYTES_MAX as u64;
        let (status, answer) = post(&self.agent, &self.settings.url, kind, &request, most)
            .map_err(StampFault::NotReached)?;
        if status != 200 {
            return Err(StampFault::NotReached(format!("status {status}")));
        }
        let stamp = question
            .verify(&answer, &self.settings.anchors)
            .map_err(StampFault::NotBelieved)?;
        if stamp.at.micros().abs_diff(now.micros()) > APART_MAX.unsigned_abs() {
            return Err(StampFault::ClocksApart(stamp.at));
        }
        Ok((stamp, answer))
    }
}

impl Stamper for Authority {
    fn stamp(
        &self,
        checkpoint: &Checkpoint,
        now: Timestamp,
    ) -> Result<(Timestamp, Vec<u8>), String> {
        let mut resting = self.resting();
        // Also before then: a clock that jumped and was set right must not keep it from being asked for years.
        if resting.is_some_and(|since| now.micros().abs_diff(since.micros()) < REST) {
            return Err("it did not answer a short while ago".to_owned());
        }
        let nonce = random::bytes().map_err(|error| error.to_string())?;
        let stamped = self.stamped(checkpoint, nonce, now);
        *resting = stamped.is_err().then_some(now);
        let stamped = stamped.map_err(|fault| fault.to_string());
        stamped.map(|(stamp, token)| (stamp.at, token))
    }
}

/// What is stamped of a checkpoint: SHA-256 of its text, which all signatures below it are over.
#[must_use]
pub fn imprint(checkpoint: &Checkpoint) -> [u8; 32] {
    sha256(checkpoint.to_string().as_bytes())
}
