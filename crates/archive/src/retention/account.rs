//! What outlives a destroyed recording: what it was for, which term it had, why the law let it be kept no
//! longer, and which copies of it were given. Read while it can be, and certified with the destruction.

use super::terms;
use crate::{Archive, ArchiveError, Came};
use serde_json::{Map, Value};
use voicelog_evidence::certificate::{CopyGiven, DestroyedRecording, DestructionGround};
use voicelog_model::{Action, DecisionId, RecordingId, Scope, Timestamp};
use voicelog_store::index::RecordingRow;

/// Whom a copy for the court is for: there is no role that asks for one.
const COURT: &str = "court";

impl Archive {
    /// What is certified of a recording beside its destruction; none where it does not open any more: a
    /// damaged decision must not keep a recording from being destroyed.
    pub(super) fn account_of(
        &self,
        row: &RecordingRow,
        scope: Scope,
        decision: DecisionId,
        now: Timestamp,
    ) -> Option<DestroyedRecording> {
        match self.read_account(row, scope, decision, now) {
            Ok(account) => Some(account),
            Err(error) => {
                tracing::warn!(
                    recording = %row.id,
                    "its certificate of destruction does not say what it was for: {}",
                    voicelog_model::error::chain(&error)
                );
                None
            }
        }
    }

    fn read_account(
        &self,
        row: &RecordingRow,
        scope: Scope,
        decision: DecisionId,
        now: Timestamp,
    ) -> Result<DestroyedRecording, ArchiveError> {
        let facts = self.recorded_facts(row)?;
        let rulebook = self.rulebook_at(now)?;
        let reasons = terms::refusals(&rulebook, &facts, "keep", row.started_at, now)?;
        let grounds = reasons.into_iter().map(|reason| DestructionGround {
            rule: reason.rule,
            articles: reason.articles,
        });
        let (retention_term, retain_until) = match scope {
            Scope::Whole => (word(&facts, "retention_term"), row.retain_until),
            Scope::Sound => (self.sound_term(row)?, row.sound_until),
        };
        Ok(DestroyedRecording {
            recorded_at: row.started_at,
            purpose: word(&facts, "purpose"),
            retention_term,
            retain_until,
            recorder_type: word(&facts, "recorder_type"),
            process_type: word(&facts, "process_type"),
            asked_by_account: self.facts_of(decision)?.asker.is_some(),
            grounds: grounds.collect(),
            copies: self.copies_given(row.id)?,
        })
    }

    /// Copies of a recording that were really given, oldest first.
    fn copies_given(&self, id: RecordingId) -> Result<Vec<CopyGiven>, ArchiveError> {
        let mut copies = Vec::new();
        for access in self.accesses(id)? {
            if access.action == Action::Listen {
                continue;
            }
            let recipient = match (access.came, access.action) {
                (Came::NotOpened | Came::Refused, _) => continue,
                (Came::OnlyLogged, _) => None,
                (Came::Opened, Action::FileInCourt) => Some(COURT.to_owned()),
                (Came::Opened, _) => word(&self.facts_of(access.decision)?.facts, "requester_role"),
            };
            copies.push(CopyGiven {
                at: access.at,
                decision: access.decision,
                recipient,
            });
        }
        Ok(copies)
    }
}

fn word(facts: &Map<String, Value>, name: &str) -> Option<String> {
    facts.get(name).and_then(Value::as_str).map(str::to_owned)
}
