//! Somebody asks a government body whether they may record, and is refused: the law is asked, and its answer kept.
//!
//! No recording comes of it, so these decisions are about a register instead: an id of its own for each month, under which
//! they are found, counted and wiped together.

use crate::error::Doing as _;
use crate::permit::{Answer, act};
use crate::{Archive, ArchiveError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use voicelog_law::Decision;
use voicelog_model::{Action, DecisionId, Language, Pii, RecordingId, Timestamp};
use voicelog_store::index::DecisionRow;

/// What marks the ids of registers among all others.
const REGISTER: [u8; 10] = *b"voicelogrq";
/// Characters of an answer at most.
const TEXT_CHARACTERS_MAX: usize = 2_000;

/// What an official says when they refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalSaid {
    /// Which of the known reasons it is: a word by which refusals are counted.
    pub reason: String,
    /// The reason as the citizen reads it.
    pub text: String,
    /// What is offered instead, as the citizen reads it.
    pub alternative: String,
    /// The language of both, which is that of the letter.
    pub lang: Language,
    /// The talk in a room in which it was asked, if any.
    pub talk: Option<RecordingId>,
}

/// What is kept, sealed, beside the facts of such a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestKept {
    reason: String,
    lang: Language,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    talk: Option<RecordingId>,
}

/// A request that an official refused, or wanted to.
#[derive(Debug)]
pub struct RefusedRequest {
    /// Id of the decision.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// The law's answer.
    pub decision: Decision,
    /// Whether the refusal was permitted; if not, the citizen may record.
    pub is_permitted: bool,
    /// What was said; nothing once it was wiped.
    pub said: Option<RefusalSaid>,
    /// The facts that the law was asked about; empty once they were wiped.
    pub facts: Map<String, Value>,
}

/// Under which id the refusals of a month stand: `month` is its first moment.
fn register(month: Timestamp) -> RecordingId {
    RecordingId::new(month, REGISTER)
}

/// The facts of a citizen who says beforehand that they record a talk with a government body.
///
/// What is asked about is `refuse_recording` where there is something said, and else whether the citizen may `record`.
#[must_use]
pub fn request_facts(said: Option<&RefusalSaid>) -> Map<String, Value> {
    let mut facts = Map::new();
    for (name, value) in [
        ("recorder_type", json!("citizen")),
        ("counterpart_types", json!(["government_body"])),
        ("channel", json!("live_inside")),
        ("participation", json!("participant")),
        ("openness", json!("announced")),
        ("requested_action", json!("record")),
    ] {
        facts.insert(name.to_owned(), value);
    }
    if let Some(said) = said {
        let mut reason = Map::new();
        for (field, text) in [
            ("text", &said.text),
            ("alternative_offered", &said.alternative),
        ] {
            if !text.trim().is_empty() {
                let text: String = text.trim().chars().take(TEXT_CHARACTERS_MAX).collect();
                reason.insert(field.to_owned(), json!(text));
            }
        }
        facts.insert("weighty_reason".to_owned(), Value::Object(reason));
        facts.insert("requested_action".to_owned(), json!("refuse_recording"));
    }
    facts
}

impl Archive {
    /// May a government body refuse this citizen that they record? `month` is the first moment of the month in which it is
    /// counted; `asker` is the account that asks, kept sealed. The answer is durable, with its leaf, before it is given.
    pub fn ask_to_refuse(
        &self,
        said: &RefusalSaid,
        month: Timestamp,
        asker: &Pii<String>,
        now: Timestamp,
    ) -> Result<Answer<act::Refuse>, ArchiveError> {
        let kept = RequestKept {
            reason: said.reason.clone(),
            lang: said.lang,
            talk: said.talk,
        };
        self.ask_about_request(register(month), request_facts(Some(said)), kept, asker, now)
    }

    /// The refusals of a month, oldest first; `month` is its first moment.
    pub fn refused_requests(&self, month: Timestamp) -> Result<Vec<RefusedRequest>, ArchiveError> {
        let rows = self.index.decisions_of(register(month));
        let rows = rows.doing("reading decisions")?;
        rows.iter().map(|row| self.refused_request(row)).collect()
    }

    /// One of them; `None` where there is no such decision, or it is about something else.
    pub fn request_refused(&self, id: DecisionId) -> Result<Option<RefusedRequest>, ArchiveError> {
        let row = self.index.decision(id).doing("reading a decision")?;
        let row = row.filter(|row| row.action == Action::RefuseRecording);
        row.map(|row| self.refused_request(&row)).transpose()
    }

    /// Wipes what was said in the refusals of a month, with who refused; that they were and what the law answered stays, as in
    /// the log. Gives how many there were; `month` is its first moment.
    pub fn forget_requests(&self, month: Timestamp) -> Result<usize, ArchiveError> {
        let id = register(month);
        let rows = self.index.decisions_of(id).doing("reading decisions")?;
        let said = rows.iter().filter(|row| !row.sealed_facts.is_empty());
        let count = said.count();
        if count > 0 {
            let forgotten = self.index.forget_facts(id);
            forgotten.doing("forgetting what was said in refusals")?;
        }
        Ok(count)
    }

    fn refused_request(&self, row: &DecisionRow) -> Result<RefusedRequest, ArchiveError> {
        let decision = self.parse_decision(row)?;
        let is_permitted = self.refusal(row.action, &decision).is_none();
        let sealed = match row.sealed_facts.is_empty() {
            true => None,
            false => Some(self.open_facts(row)?),
        };
        let (facts, kept) =
            sealed.map_or((Map::new(), None), |sealed| (sealed.facts, sealed.request));
        let word = |field: &str| {
            let reason = facts.get("weighty_reason")?;
            Some(reason.get(field)?.as_str()?.to_owned())
        };
        let said = kept.map(|kept| RefusalSaid {
            reason: kept.reason,
            text: word("text").unwrap_or_default(),
            alternative: word("alternative_offered").unwrap_or_default(),
            lang: kept.lang,
            talk: kept.talk,
        });
        Ok(RefusedRequest {
            id: row.id,
            at: row.at,
            decision,
            is_permitted,
            said,
            facts,
        })
    }
}
