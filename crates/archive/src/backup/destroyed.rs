//! The list of destructions: what must not come back, with what an older copy of the index needs to
//! make the tombstones, and the log's entries. Ids, moments and decisions; nothing about anybody.

use super::BackupError;
use super::format::known_version;
use crate::error::Doing;
use crate::{Archive, ArchiveError};
use serde::{Deserialize, Serialize};
use voicelog_evidence::Digest;
use voicelog_evidence::canonical::{canonical_json, from_canonical};
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::note::{Note, SigningKey, VerifierKey};
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::{Action, DecisionId, DestructionId, HoldId, RecordingId, Scope, Timestamp};
use voicelog_store::index::{
    Burial, Buried, DecisionRow, LeafId, Ledger, LedgerEntry, NewDestruction, NewHold, PendingLeaf,
};

/// What the first line of the signed head begins with: what it is. Its version follows.
const LINE_START: &str = "voicelog-destroyed/v";
/// The version that is written. Version 1 had no holds, and not when a call began; both 1 and 2 had every destruction,
/// whatever part of the log they had.
const VERSION: u32 = 3;
/// From this version on, a list leaves out what the log told of before its first entry.
const PARTIAL_SINCE: u32 = 3;
/// What stands between the head and the lines.
const RULE: &str = "---\n";
/// How a list is called in messages, where it has no name of its own.
const NAME: &str = "the list of destructions";
/// How often a list is begun again because something was logged meanwhile that has no place yet.
const TRIES_MAX: usize = 3;

/// The signed head of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u32,
    archive: String,
    made_at: Timestamp,
    /// Entries of the log in the list: these places.
    log_from: u64,
    log_size: u64,
    /// The signed checkpoint of that size; empty where the log is.
    checkpoint: String,
    destructions: u64,
    lines_sha256: Digest,
}

impl Head {
    /// The list: the signed head, and the lines that it has the hash of.
    fn signed(&self, key: &SigningKey, lines: &[u8]) -> Result<Vec<u8>, BackupError> {
        let json = canonical_json(self)?;
        let json = String::from_utf8_lossy(&json);
        let note = key.sign(&format!("{LINE_START}{VERSION}\n{json}\n"))?;
        Ok([note.as_bytes(), RULE.as_bytes(), lines].concat())
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Destroyed(Box<Entry>),
    Leaf(LeafLine),
    Hold(Box<HoldLine>),
}

/// A hold that stands. What is sealed of it opens with the recording's own data key, and ends with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldLine {
    hold: HoldId,
    recording: RecordingId,
    ground: String,
    placed_at: Timestamp,
    review_at: Timestamp,
    /// Hexadecimal digits; none where a key sealed it that outlives the recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

/// One destruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    recording: RecordingId,
    /// Left out where it is everything; before there were scopes it always was.
    #[serde(default, skip_serializing_if = "Scope::is_whole")]
    scope: Scope,
    /// When the call began; not in version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    destruction: DestructionId,
    begun_at: Timestamp,
    decision: DecisionId,
    decided_at: Timestamp,
    outcome: String,
    document: String,
    decision_leaf: Option<LeafName>,
    /// None while it is not complete.
    done: Option<Done>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    destroyed_at: Timestamp,
    statement: String,
    leaf: LeafLine,
}

/// A leaf with the id that it had while it waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeafLine {
    id: LeafName,
    bytes: String,
}

/// A leaf's id in text: a UUID's spelling, like every other id.
type LeafName = RecordingId;

const fn name_of(id: LeafId) -> LeafName {
    RecordingId::from_bytes(id)
}

/// A list of destructions that was read and verified.
#[derive(Debug)]
pub struct DestroyedList {
    head: Head,
    checkpoint: Option<Checkpoint>,
    entries: Vec<Entry>,
    leaves: Vec<PendingLeaf>,
    holds: Vec<NewHold>,
}

/// What is in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListReport {
    /// Destructions, complete or begun.
    pub destructions: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// The log's entries from this place on are in it …
    pub log_from: u64,
    /// … up to this size.
    pub log_size: u64,
}

fn text(bytes: Vec<u8>, what: &str) -> Result<String, ArchiveError> {
    String::from_utf8(bytes).map_err(|_bytes| ArchiveError::Corrupt {
        what: what.to_owned(),
    })
}

impl Archive {
    /// The log from a place on, and what was destroyed without the log telling so before: as it is now, signed. From 0 it is
    /// everything.
    pub fn destroyed_list(
        &self,
        log_from: u64,
        now: Timestamp,
    ) -> Result<(Vec<u8>, ListReport), BackupError> {
        let (ledger, log_from) = self.ledger(log_from)?;
        let log = ledger.head;
        let mut lines = Vec::new();
        let mut write = |line: &Line| -> Result<(), BackupError> {
            lines.extend_from_slice(&canonical_json(line)?);
            lines.push(b'\n');
            Ok(())
        };
        let count = ledger.destructions.len() as u64;
        for destruction in ledger.destructions {
            write(&Line::Destroyed(Box::new(entry(destruction)?)))?;
        }
        for hold in ledger.holds {
            let outlives = self.outlives(&hold);
            write(&Line::Hold(Box::new(hold_line(hold, outlives))))?;
        }
        for leaf in ledger.leaves {
            write(&Line::Leaf(leaf_line(leaf)?))?;
        }
        let head = Head {
            version: VERSION,
            archive: self.origin.clone(),
            made_at: now,
            log_from,
            log_size: log.size,
            checkpoint: text(log.checkpoint, "the checkpoint of the log")?,
            destructions: count,
            lines_sha256: Digest::of(&lines),
        };
        let report = report_of(&head);
        Ok((head.signed(&self.secrets.signing_key, &lines)?, report))
    }

    /// What was destroyed, what is held and the log, all as of one moment.
    fn ledger(&self, log_from: u64) -> Result<(Ledger, u64), BackupError> {
        let mut tries = 0;
        loop {
            self.sequence()?;
            let size = self.log_size()?;
            let log_from = log_from.min(size);
            let ledger = self.index.ledger(log_from);
            let ledger = ledger.doing("reading what was destroyed")?;
            tries += 1;
            // A hold whose leaf still waits would come back without it.
            if tries == TRIES_MAX || ledger.is_settled {
                return Ok((ledger, log_from));
            }
        }
    }
}

fn leaf_line(leaf: PendingLeaf) -> Result<LeafLine, ArchiveError> {
    Ok(LeafLine {
        id: name_of(leaf.id),
        bytes: text(leaf.bytes, "a leaf of the log")?,
    })
}

fn hold_line(hold: NewHold, outlives: bool) -> HoldLine {
    HoldLine {
        hold: hold.id,
        recording: hold.recording,
        ground: hold.ground,
        placed_at: hold.placed_at,
        review_at: hold.review_at,
        sealed: (!outlives).then(|| hex(&hold.sealed)),
    }
}

fn entry(found: LedgerEntry) -> Result<Entry, ArchiveError> {
    let NewDestruction {
        id,
        recording,
        scope,
        decision,
        begun_at,
    } = found.row.destruction;
    let done = match found.row.destroyed_at {
        None => None,
        Some(destroyed_at) => {
            let (Some(statement), Some(leaf)) = (found.statement, found.leaf) else {
                return Err(no_destruction(recording));
            };
            Some(Done {
                destroyed_at,
                statement: text(statement, "a statement")?,
                leaf: leaf_line(leaf)?,
            })
        }
    };
    Ok(Entry {
        recording,
        scope,
        started_at: Some(found.started_at),
        destruction: id,
        begun_at,
        decision,
        decided_at: found.decision.at,
        outcome: found.decision.outcome,
        document: text(found.decision.document, "a decision")?,
        decision_leaf: found.decision.leaf.map(name_of),
        done,
    })
}

/// The setting that keeps the statement of a destruction.
fn statement_name(id: DestructionId) -> String {
    format!("destruction/{id}")
}

fn no_destruction(id: RecordingId) -> ArchiveError {
    ArchiveError::Corrupt {
        what: format!("the destruction of {id}"),
    }
}

const fn report_of(head: &Head) -> ListReport {
    ListReport {
        destructions: head.destructions,
        made_at: head.made_at,
        log_from: head.log_from,
        log_size: head.log_size,
    }
}

impl DestroyedList {
    /// Reads a list that the archive signed. `name` is how a message calls it.
    pub fn read(bytes: &[u8], key: &VerifierKey, name: Option<&str>) -> Result<Self, BackupError> {
        let file = name.unwrap_or(NAME).to_owned();
        let damaged = |why: String| BackupError::Damaged {
            file: file.clone(),
            why,
        };
        let bad = |why: &str| damaged(why.to_owned());
        let rule = format!("\n{RULE}");
        let at = bytes
            .windows(rule.len())
            .position(|window| window == rule.as_bytes())
            .ok_or_else(|| bad("it is no list of destructions"))?;
        let (note, rest) = bytes.split_at(at + 1);
        let lines = rest.get(RULE.len()..).unwrap_or_default();
        let note = Note::parse(note).map_err(|error| damaged(error.to_string()))?;
        let first = note.unverified_text().lines().next().unwrap_or_default();
        let found = first.strip_prefix(LINE_START);
        let found = found.ok_or_else(|| bad("it is no list of destructions"))?;
        let version = known_version(found, VERSION)?;
        let foreign = || BackupError::Foreign {
            part: file.clone(),
            expected: key.name().to_owned(),
        };
        if !note.signatures().iter().any(|one| one.name == key.name()) {
            return Err(foreign());
        }
        let signed = key.verify_alone(&note);
        let signed = signed.map_err(|error| damaged(error.to_string()))?;
        let json = signed.lines().nth(1).unwrap_or_default();
        let head: Head =
            from_canonical(json.as_bytes()).map_err(|error| damaged(error.to_string()))?;
        if head.version != version {
            return Err(bad("it names two versions"));
        }
        if head.archive != key.name() {
            return Err(foreign());
        }
        if Digest::of(lines) != head.lines_sha256 {
            return Err(bad("its lines have another hash than its signed head says"));
        }
        let checkpoint = match head.checkpoint.as_str() {
            "" => None,
            signed => {
                let checkpoint = Checkpoint::verify(signed.as_bytes(), key);
                Some(checkpoint.map_err(|error| damaged(error.to_string()))?)
            }
        };
        let mut list = Self {
            head,
            checkpoint,
            entries: Vec::new(),
            leaves: Vec::new(),
            holds: Vec::new(),
        };
        for line in lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            match from_canonical(line).map_err(|error| damaged(error.to_string()))? {
                Line::Destroyed(entry) => list.entries.push(*entry),
                Line::Leaf(leaf) => list.leaves.push(pending(&leaf)),
                Line::Hold(hold) => {
                    let hold = new_hold(*hold).ok_or_else(|| bad("a hold in it is damaged"))?;
                    list.holds.push(hold);
                }
            }
        }
        Ok(list)
    }

    /// What is in it.
    #[must_use]
    pub const fn report(&self) -> ListReport {
        report_of(&self.head)
    }

    /// The place in the log before which it tells of no destruction; none where it tells of every one.
    pub(super) fn tells_from(&self) -> Option<u64> {
        (self.head.version >= PARTIAL_SINCE).then_some(self.head.log_from)
    }

    /// The recordings that must not come back, or whose sound must not: those with their papers, and those of which the
    /// log says so.
    pub(super) fn gone(&self) -> impl Iterator<Item = (RecordingId, Scope)> {
        let papers = self.entries.iter();
        let papers = papers.map(|entry| (entry.recording, entry.scope));
        let told = self.destroyed_leaves().into_iter();
        papers.chain(told.map(|(id, scope, _at)| (id, scope)))
    }

    /// What the log says was destroyed, how much of it, and when.
    pub(super) fn destroyed_leaves(&self) -> Vec<(RecordingId, Scope, Timestamp)> {
        let read = self.leaves.iter();
        let read = read.filter_map(|leaf| Leaf::from_bytes(&leaf.bytes).ok());
        let gone = read.filter_map(|leaf| {
            let scope = match leaf.kind {
                LeafKind::Destroyed => Scope::Whole,
                LeafKind::SoundDestroyed => Scope::Sound,
                _ => return None,
            };
            Some((leaf.object.parse().ok()?, scope, leaf.at))
        });
        gone.collect()
    }

    /// The holds that stood.
    pub(super) fn holds(&self) -> Vec<NewHold> {
        self.holds.clone()
    }

    /// The log's entries, with the place of the first, and the checkpoint that they lead to.
    pub(super) fn log(&self) -> (u64, &[PendingLeaf], Option<&Checkpoint>) {
        (self.head.log_from, &self.leaves, self.checkpoint.as_ref())
    }

    /// The signed checkpoint of its log.
    pub(super) fn signed_checkpoint(&self) -> &str {
        &self.head.checkpoint
    }

    /// What an older index is told.
    pub(super) fn burials(&self) -> Vec<Burial> {
        let burial = |entry: &Entry| Burial {
            started_at: entry.started_at.unwrap_or(entry.begun_at),
            destruction: NewDestruction {
                id: entry.destruction,
                recording: entry.recording,
                scope: entry.scope,
                decision: entry.decision,
                begun_at: entry.begun_at,
            },
            decision: DecisionRow {
                id: entry.decision,
                at: entry.decided_at,
                action: Action::Destroy,
                outcome: entry.outcome.clone(),
                recording: Some(entry.recording),
                document: entry.document.clone().into_bytes(),
                sealed_facts: Vec::new(),
                leaf: entry.decision_leaf.map(|id| *id.as_bytes()),
            },
            done: entry.done.as_ref().map(|done| Buried {
                destroyed_at: done.destroyed_at,
                statement: (
                    statement_name(entry.destruction),
                    done.statement.clone().into_bytes(),
                ),
                leaf: pending(&done.leaf),
            }),
        };
        self.entries.iter().map(burial).collect()
    }
}

fn pending(leaf: &LeafLine) -> PendingLeaf {
    PendingLeaf {
        id: *leaf.id.as_bytes(),
        bytes: leaf.bytes.clone().into_bytes(),
    }
}

fn new_hold(line: HoldLine) -> Option<NewHold> {
    Some(NewHold {
        id: line.hold,
        recording: line.recording,
        placed_at: line.placed_at,
        decision: None,
        ground: line.ground,
        review_at: line.review_at,
        sealed: match line.sealed {
            None => Vec::new(),
            Some(digits) => unhex(&digits)?,
        },
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let text = std::str::from_utf8(pair)
            .ok()
            .filter(|text| text.len() == 2)?;
        u8::from_str_radix(text, 16).ok()
    });
    pairs.collect()
}

#[cfg(test)]
#[path = "destroyed_golden.rs"]
mod golden;
