//! The client side of C2SP tlog-witness v1.0.0: `add-checkpoint`.

use super::{agent, post};
use crate::webhook::Trust;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use ureq::Agent;
use voicelog_archive::{Archive, ArchiveError};
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::cosignature::CosignerKey;
use voicelog_evidence::note::Note;
use voicelog_evidence::policy::{Policy, PolicyWitness};
use voicelog_evidence::witness::AddCheckpoint;
use voicelog_model::Timestamp;

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 65_536;
/// How often one checkpoint is sent again because the witness saw the log at another size.
const CONFLICTS_MAX: u32 = 2;

/// A witness as the configuration names it.
#[derive(Debug, Clone)]
pub struct WitnessSettings {
    /// Its submission prefix.
    pub url: String,
    /// Its key.
    pub key: CosignerKey,
}

/// Why a witness did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessFault {
    /// No answer.
    #[error("no answer: {0}")]
    NotReached(String),
    /// 404.
    #[error("the witness does not know this log: have its administrator add the log's key")]
    UnknownLog,
    /// 403.
    #[error("the witness has another key for this log")]
    OtherKey,
    /// 422.
    #[error("the witness saw another log: what this archive shows now is no continuation of it")]
    Forked,
    /// It cosigned a longer log.
    #[error(
        "the witness saw this log with {seen} entries, and now it has {now}: an older copy of the archive was put back"
    )]
    RolledBack {
        /// What it saw.
        seen: u64,
        /// What there is.
        now: u64,
    },
    /// Anything that the protocol does not say.
    #[error("the witness answers in a way that the protocol does not know: {0}")]
    Nonsense(String),
}

impl WitnessFault {
    /// One word, for alarms and metrics.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotReached(_) => "not_reached",
            Self::UnknownLog => "unknown_log",
            Self::OtherKey => "other_key",
            Self::Forked => "forked",
            Self::RolledBack { .. } => "rolled_back",
            Self::Nonsense(_) => "nonsense",
        }
    }
}

/// What became of asking one witness: when it signed, or why it did not.
pub type WitnessAnswer = (String, Result<Timestamp, WitnessFault>);

/// The witnesses of a log.
pub struct Witnesses {
    archive: Arc<Archive>,
    witnesses: Vec<(WitnessSettings, Agent)>,
    /// How many of them must have signed.
    quorum: usize,
    /// The size at which each signed last, by its key, since the start.
    seen: Mutex<BTreeMap<[u8; 32], u64>>,
}

impl fmt::Debug for Witnesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Witnesses({})", self.witnesses.len())
    }
}

impl WitnessSettings {
    /// As a policy names it, the how many-th of them.
    #[must_use]
    pub fn named(&self, number: usize) -> PolicyWitness {
        PolicyWitness {
            name: format!("w{number}"),
            key: self.key.clone(),
            url: Some(self.url.clone()),
        }
    }
}

impl Witnesses {
    /// Those that the configuration names, each with whose certificates it may show.
    #[must_use]
    pub fn new(
        archive: Arc<Archive>,
        witnesses: Vec<(WitnessSettings, Trust)>,
        quorum: usize,
    ) -> Self {
        Self {
            archive,
            witnesses: witnesses
                .into_iter()
                .map(|(settings, trust)| (settings, agent(&trust)))
                .collect(),
            quorum,
            seen: Mutex::default(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.witnesses.is_empty()
    }

    /// The policy by which others can judge this log.
    pub fn policy(&self) -> Result<Policy, voicelog_evidence::policy::PolicyError> {
        let named = self.witnesses.iter().zip(1..);
        let named = named.map(|((witness, _), number)| witness.named(number));
        Policy::new(self.archive.log_key(), named.collect(), self.quorum)
    }

    /// Whether the kept checkpoint is the newest and each witness signed it.
    pub fn is_up_to_date(&self) -> Result<bool, ArchiveError> {
        let Some((newest, _note)) = self.archive.newest_checkpoint()? else {
            return Ok(true);
        };
        let kept = self.archive.cosigned_checkpoint()?.unwrap_or_default();
        let Ok(note) = Note::parse(kept.as_bytes()) else {
            return Ok(self.witnesses.is_empty());
        };
        let is_newest = Checkpoint::parse(note.unverified_text()).as_ref() == Ok(&newest);
        let signed = |(witness, _): &(WitnessSettings, Agent)| {
            matches!(witness.key.verify(&note), Ok(Some(_)))
        };
        Ok(is_newest && self.witnesses.iter().all(signed))
    }

    /// Has every witness sign the newest checkpoint, and keeps what verifies.
    ///
    /// Errors: the archive cannot be read or written. What a witness does is no error but an answer.
    pub fn ask(&self) -> Result<Vec<WitnessAnswer>, ArchiveError> {
        self.archive.sequence()?;
        let Some((newest, mut note)) = self.archive.newest_checkpoint()? else {
            return Ok(Vec::new());
        };
        let text = newest.to_string();
        let mut answers = Vec::new();
        let mut has_signatures = false;
        for (witness, agent) in &self.witnesses {
            let answer = self.ask_one(witness, agent, &newest, &note)?;
            let name = witness.key.name().to_owned();
            answers.push(match answer {
                Ok(line) => match signed_by(witness, &text, &note, &line) {
                    Ok((at, line)) => {
                        note.push_str(&line);
                        has_signatures = true;
                        (name, Ok(at))
                    }
                    Err(fault) => (name, Err(fault)),
                },
                Err(fault) => (name, Err(fault)),
            });
        }
        if has_signatures {
            self.archive.keep_cosigned(&note)?;
        }
        Ok(answers)
    }

    fn ask_one(
        &self,
        witness: &WitnessSettings,
        agent: &Agent,
        newest: &Checkpoint,
        note: &str,
    ) -> Result<Result<String, WitnessFault>, ArchiveError> {
        let mut old = self.seen_by(witness)?;
        for _again in 0..=CONFLICTS_MAX {
            if old > newest.size {
                return Ok(Err(WitnessFault::RolledBack {
                    seen: old,
                    now: newest.size,
                }));
            }
            let request = AddCheckpoint {
                old,
                proof: self.archive.consistency(old, newest.size)?,
                checkpoint: note.to_owned(),
            };
            let url = format!("{}/add-checkpoint", witness.url.trim_end_matches('/'));
            let body = request.to_string();
            let kind = "text/plain; charset=utf-8";
            let answer = post(agent, &url, kind, body.as_bytes(), ANSWER_BYTES_MAX);
            let (status, body) = match answer {
                Ok(answer) => answer,
                Err(why) => return Ok(Err(WitnessFault::NotReached(why))),
            };
            let nonsense = |what: &str| WitnessFault::Nonsense(what.to_owned());
            return Ok(match status {
                200 => {
                    self.saw(witness, newest.size);
                    String::from_utf8(body).map_err(|_text| nonsense("it is no text"))
                }
                403 => Err(WitnessFault::OtherKey),
                404 => Err(WitnessFault::UnknownLog),
                409 => match size_in(&body) {
                    // For this time only: nobody signed what it says, and a wrong size must not stay.
                    Some(size) => {
                        self.forget(witness);
                        old = size;
                        continue;
                    }
                    None => Err(nonsense("409 without a size")),
                },
                422 => Err(WitnessFault::Forked),
                other => Err(nonsense(&format!("status {other}"))),
            });
        }
        Ok(Err(WitnessFault::Nonsense(
            "it says again and again that it saw another size".to_owned(),
        )))
    }

    /// The size at which the witness saw the log last: since the start, or else from what is kept.
    fn seen_by(&self, witness: &WitnessSettings) -> Result<u64, ArchiveError> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(size) = seen.get(witness.key.bytes()) {
            return Ok(*size);
        }
        let kept = self.archive.cosigned_checkpoint()?.unwrap_or_default();
        let size = Note::parse(kept.as_bytes()).ok().and_then(|note| {
            witness.key.verify(&note).ok().flatten()?;
            Checkpoint::parse(note.unverified_text()).ok()
        });
        Ok(size.map_or(0, |checkpoint| checkpoint.size))
    }

    fn forget(&self, witness: &WitnessSettings) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(witness.key.bytes());
    }

    fn saw(&self, witness: &WitnessSettings, size: u64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(*witness.key.bytes(), size);
    }
}

/// The line of the witness in what it answered, if it holds. Lines of others are passed over.
fn signed_by(
    witness: &WitnessSettings,
    text: &str,
    note: &str,
    answer: &str,
) -> Result<(Timestamp, String), WitnessFault> {
    let nonsense = |what: &str| WitnessFault::Nonsense(what.to_owned());
    for line in answer.split_inclusive('\n') {
        let alone = format!("{text}\n{line}");
        let Ok(read) = Note::parse(alone.as_bytes()) else {
            return Err(nonsense("a line that is no signature"));
        };
        match witness.key.verify(&read) {
            Ok(Some(at)) if note.len() + line.len() < voicelog_evidence::note::NOTE_BYTES_MAX => {
                return Ok((at, line.to_owned()));
            }
            Ok(_) => {}
            Err(_bad) => return Err(nonsense("its signature does not hold")),
        }
    }
    Err(nonsense("it did not sign"))
}

/// A decimal number and a newline.
fn size_in(body: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(body).ok()?.strip_suffix('\n')?;
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}
