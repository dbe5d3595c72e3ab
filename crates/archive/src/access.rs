//! Who listened to a recording, who got a copy, and why (AVG art. 5 lid 2).
//!
//! The log's leaf says that it happened and names nobody. Who and why lie sealed with the decision
//! that permitted or refused it, and go when the recording is destroyed.

use crate::error::Doing;
use crate::{Archive, ArchiveError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use voicelog_evidence::canonical::{canonical_json, from_canonical};
use voicelog_evidence::digest::sha256;
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::{Action, DecisionId, Pii, RecordingId, Timestamp};
use voicelog_store::index::{LeafId, PendingLeaf, State};

/// What came of a request to listen or for a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// The recording was opened.
    Opened,
    /// The law permitted it; the recording was not opened, as when it turned out to be damaged.
    NotOpened,
    /// The law refused.
    Refused,
    /// The recording was opened, after the backup from which the archive was restored: the log tells so, and who
    /// asked and why was lost.
    OnlyLogged,
}

impl Came {
    /// One word, for machines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::NotOpened => "not_opened",
            Self::Refused => "refused",
            Self::OnlyLogged => "only_logged",
        }
    }
}

/// One request to listen to a recording or for a copy of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The decision about it.
    pub decision: DecisionId,
    /// When.
    pub at: Timestamp,
    /// `listen`, `give_copy` or `file_in_court`. Of what is only in the log a copy for a court is `give_copy` too.
    pub action: Action,
    /// What came of it.
    pub came: Came,
    /// The account that asked. None once the recording is destroyed, and where only the log tells of it.
    pub asker: Option<Pii<String>>,
    /// The reason that the asker gave, if one was given. None where there is no asker.
    pub reason: Option<Pii<String>>,
    /// The role of whom it was for, one word of the law's `requester_role`, as `data_subject`;
    /// none for a court, and where there is no asker.
    pub recipient: Option<String>,
}

impl Archive {
    /// Who asked to listen to a recording or for a copy, when, why, and what came of it; oldest
    /// first. Names people: show it only to those who may see who handled a recording.
    pub fn accesses(&self, id: RecordingId) -> Result<Vec<Access>, ArchiveError> {
        let row = self
            .index
            .recording(id)
            .doing("reading the index")?
            .ok_or(ArchiveError::NotFound(id))?;
        let is_wiped = matches!(row.state, State::Destroying | State::Destroyed);
        let mut accesses = Vec::new();
        for kept in self.index.decisions_of(id).doing("reading decisions")? {
            if !matches!(
                kept.action,
                Action::Listen | Action::GiveCopy | Action::FileInCourt
            ) {
                continue;
            }
            let decision = self.parse_decision(&kept)?;
            let came = if self.refusal(kept.action, &decision).is_some() {
                Came::Refused
            } else if self.leaf_bytes(access_leaf(kept.id))?.is_some() {
                Came::Opened
            } else {
                Came::NotOpened
            };
            let mut access = Access {
                decision: kept.id,
                at: kept.at,
                action: kept.action,
                came,
                asker: None,
                reason: None,
                recipient: None,
            };
            if !is_wiped {
                let sealed = self.facts_of(kept.id)?;
                let text = |name| Some(sealed.facts.get(name)?.as_str()?.to_owned());
                access.reason = text("need_to_know_basis").map(Pii::new);
                if kept.action != Action::Listen {
                    access.recipient = text("requester_role");
                }
                access.asker = sealed.asker;
            }
            accesses.push(access);
        }
        accesses.extend(self.lost_accesses(id)?.into_iter().map(LostAccess::told));
        accesses.sort_by_key(|access| access.at);
        Ok(accesses)
    }

    /// Notes the accesses that entries of the log tell of, and of which the index has no decision: what a restore
    /// finds of the time after the backup. May be called again with the same entries.
    pub(crate) fn note_lost_accesses(&self, leaves: &[PendingLeaf]) -> Result<(), ArchiveError> {
        let mut lost: BTreeMap<RecordingId, Vec<LostAccess>> = BTreeMap::new();
        for pending in leaves {
            let Ok(leaf) = Leaf::from_bytes(&pending.bytes) else {
                continue;
            };
            let is_access = matches!(leaf.kind, LeafKind::Listened | LeafKind::Exported);
            let (true, Ok(id)) = (is_access, leaf.object.parse()) else {
                continue;
            };
            let decision = DecisionId::from_bytes(pending.id);
            let kept = self.index.decision(decision);
            if kept.doing("looking for a decision")?.is_none() {
                let access = LostAccess {
                    decision,
                    at: leaf.at,
                    was_copy: leaf.kind == LeafKind::Exported,
                };
                lost.entry(id).or_default().push(access);
            }
        }
        for (id, new) in lost {
            let mut all = self.lost_accesses(id)?;
            all.extend(new);
            all.sort_by_key(|access| (access.at, access.decision));
            all.dedup();
            self.index
                .set_setting(&lost_name(id), &canonical_json(&all)?)
                .doing("noting what was lost of accesses")?;
        }
        Ok(())
    }

    fn lost_accesses(&self, id: RecordingId) -> Result<Vec<LostAccess>, ArchiveError> {
        let kept = self.index.setting(&lost_name(id));
        match kept.doing("reading a setting")? {
            Some(bytes) => Ok(from_canonical(&bytes)?),
            None => Ok(Vec::new()),
        }
    }

    /// Puts in the log that a recording was opened under a decision.
    pub(crate) fn log_access(
        &self,
        kind: LeafKind,
        id: RecordingId,
        decision: DecisionId,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let salt = self.facts_of(decision)?.salt;
        let content = sha256(&self.decision_document(decision)?);
        let leaf = self.leaf(kind, &id.to_string(), &salt, &content, now)?;
        let leaf = PendingLeaf {
            id: access_leaf(decision),
            ..leaf
        };
        // A copy that goes out while the recording is being destroyed would be one that its certificate does not name.
        self.index
            .queue_leaf_of(id, &leaf)
            .doing("logging an access")
    }
}

/// An access of which only the log tells. Nothing about anybody: it stays when the recording is destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LostAccess {
    decision: DecisionId,
    at: Timestamp,
    was_copy: bool,
}

impl LostAccess {
    const fn told(self) -> Access {
        Access {
            decision: self.decision,
            at: self.at,
            action: if self.was_copy {
                Action::GiveCopy
            } else {
                Action::Listen
            },
            came: Came::OnlyLogged,
            asker: None,
            reason: None,
            recipient: None,
        }
    }
}

/// The setting that keeps what only the log tells of the accesses to a recording.
fn lost_name(id: RecordingId) -> String {
    format!("accesses_lost/{id}")
}

/// The id of the leaf that says that a recording was opened under a decision, so that it can be
/// found from the decision: a permit is used once.
const fn access_leaf(decision: DecisionId) -> LeafId {
    *decision.as_bytes()
}
