//! Who listened to a recording, who got a copy, and why (AVG art. 5 lid 2).
//!
//! The log's leaf says that it happened and names nobody. Who and why lie sealed with the decision
//! that permitted or refused it, and go when the recording is destroyed.

use crate::error::Doing;
use crate::{Archive, ArchiveError};
use voicelog_evidence::digest::sha256;
use voicelog_evidence::tlog::LeafKind;
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
}

impl Came {
    /// One word, for machines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::NotOpened => "not_opened",
            Self::Refused => "refused",
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
    /// `listen`, `give_copy` or `file_in_court`.
    pub action: Action,
    /// What came of it.
    pub came: Came,
    /// The account that asked. None once the recording is destroyed.
    pub asker: Option<Pii<String>>,
    /// The reason that the asker gave, if one was given. None once the recording is destroyed.
    pub reason: Option<Pii<String>>,
    /// The role of whom it was for, one word of the law's `requester_role`, as `data_subject`;
    /// none for a court, and once the recording is destroyed.
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
        Ok(accesses)
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

/// The id of the leaf that says that a recording was opened under a decision, so that it can be
/// found from the decision: a permit is used once.
const fn access_leaf(decision: DecisionId) -> LeafId {
    *decision.as_bytes()
}
