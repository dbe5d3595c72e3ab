//! The gate: gathers facts, asks the law, makes the answer durable, and only then hands out a
//! permit. No other room can make one.
//!
//! **Invariant:** nothing maps an error to "allowed". A failure to gather, to decide or to store
//! is an error, and an error is never a permission.

use crate::call::CONSENTS;
use crate::error::Doing;
use crate::permit::{Answer, Permit, Refusal, Verdict, act};
use crate::{Archive, ArchiveError, random};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::journal::{Ground, JournalEvent};
use voicelog_evidence::key::{open_bytes, seal_bytes};
use voicelog_evidence::tlog::LeafKind;
use voicelog_law::{Decision, Facts, Outcome, Text};
use voicelog_model::{Action, DecisionId, Language, RecordingId, Timestamp};
use voicelog_store::index::{DecisionRow, NewRecording, RecordingRow, State};

/// The facts that can be said during a call and tell what a recording of it contains, rather than
/// how it was made.
const CONTENT_FACTS: &[&str] = &[
    "age_youngest",
    "content_nature",
    "counterpart_types",
    "special_data",
    "special_data_ground",
    "threat_or_abuse",
];

/// Label under which the facts of one decision are sealed.
fn facts_label(id: DecisionId) -> String {
    format!("decision facts {id}")
}

/// What is kept, sealed, beside a decision: enough to ask the law again, and the salt that opens
/// the decision's commitment in the log.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealedFacts {
    pub(crate) facts: Map<String, Value>,
    pub(crate) salt: [u8; 32],
}

impl Archive {
    /// May this call be recorded, now, with the facts as they are now?
    pub fn ask_to_record(
        &self,
        id: RecordingId,
        now: Timestamp,
    ) -> Result<Answer<act::Record>, ArchiveError> {
        let call = self.calls.get(id).ok_or(ArchiveError::NotFound(id))?;
        let answer = self.ask(Action::Record, id, call.facts(), now)?;
        // A call that is refused gets its row at once, so that a refusal is never silent. It
        // holds no personal data.
        let is_new = self
            .index
            .recording(id)
            .doing("reading the index")?
            .is_none();
        if is_new && matches!(answer.verdict, Verdict::Refusal(_)) {
            let row = NewRecording {
                id,
                started_at: call.offered_at,
                state: State::Waiting,
                line: call.line.name,
                decision: answer.id,
                sealed: Vec::new(),
            };
            self.index
                .insert_recording(&row)
                .doing("taking up a call")?;
        }
        Ok(answer)
    }

    /// May this recording be played back? `facts` say who asks and why.
    pub fn ask_to_listen(
        &self,
        id: RecordingId,
        facts: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Answer<act::Listen>, ArchiveError> {
        self.ask(
            Action::Listen,
            id,
            self.existing_facts(id, "listen", facts)?,
            now,
        )
    }

    /// May a copy be given? `action` is `give_copy` or `file_in_court`; `facts` say who asks.
    pub fn ask_for_copy(
        &self,
        id: RecordingId,
        action: Action,
        facts: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Answer<act::GiveCopy>, ArchiveError> {
        self.ask(
            action,
            id,
            self.existing_facts(id, action.as_str(), facts)?,
            now,
        )
    }

    /// May this recording be destroyed? Holds are gathered here, not told by the caller.
    pub fn ask_to_destroy(
        &self,
        id: RecordingId,
        now: Timestamp,
    ) -> Result<Answer<act::Destroy>, ArchiveError> {
        let holds = self.index.holds_of(id).doing("looking for holds")?;
        let is_held = holds.iter().any(|hold| hold.lifted_at.is_none());
        let mut facts = Map::new();
        let hold = if is_held {
            json!({ "claim": true })
        } else {
            json!({})
        };
        facts.insert("legal_hold".into(), hold);
        self.ask(
            Action::Destroy,
            id,
            self.existing_facts(id, "destroy", &facts)?,
            now,
        )
    }

    /// Facts about a recording that exists: those it was made under, what has become of it, and
    /// what the one who asks adds.
    pub(crate) fn existing_facts(
        &self,
        id: RecordingId,
        action: &str,
        added: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ArchiveError> {
        let row = self.row(id)?;
        let mut facts = self.recorded_facts(&row)?;
        facts.insert("requested_action".into(), json!(action));
        facts.insert("recorded_at".into(), json!(row.started_at));
        if row.state != State::Sealed {
            return Err(self.wrong_state(id, "used"));
        }
        facts.insert("recording_state".into(), json!("exists"));
        for (name, value) in added {
            facts.insert(name.clone(), value.clone());
        }
        Ok(facts)
    }

    /// The facts of a recording: how it was made is what the last permit to make it says, and what
    /// it contains is what was said of the call until its end, whatever the answer was then.
    ///
    /// Who takes consent back stops the recording, and does not make what was recorded until then
    /// a recording without consent. But what rests on consent itself ends with it (AVG art. 7
    /// lid 3), and then the last word of those counts whom the permit counted.
    pub(crate) fn recorded_facts(
        &self,
        row: &RecordingRow,
    ) -> Result<Map<String, Value>, ArchiveError> {
        let mut facts = self.facts_of(self.governing_decision(row)?)?.facts;
        let rows = self.index.decisions_of(row.id).doing("reading decisions")?;
        let Some(newest) = rows.iter().rfind(|kept| kept.action == Action::Record) else {
            return Ok(facts);
        };
        let mut said = self.facts_of(newest.id)?.facts;
        for name in CONTENT_FACTS {
            if let Some(value) = said.remove(*name) {
                facts.insert((*name).to_owned(), value);
            }
        }
        let is = |name: &str, word: &str| facts.get(name).is_some_and(|value| value == word);
        if !is("legal_basis", "a") && !is("special_data_ground", "explicit_consent") {
            return Ok(facts);
        }
        if let Some(objected) = said.remove("openness")
            && objected == "announced_objected"
        {
            facts.insert("openness".to_owned(), objected);
        }
        match (facts.get_mut(CONSENTS), said.remove(CONSENTS)) {
            (Some(Value::Object(counted)), Some(Value::Object(last))) => {
                for (party, consent) in last {
                    if let Some(known) = counted.get_mut(&party) {
                        *known = consent;
                    }
                }
            }
            (None, Some(last)) => {
                facts.insert(CONSENTS.to_owned(), last);
            }
            (_, _) => {}
        }
        Ok(facts)
    }

    /// The last decision that permitted to make a recording. A call that was refused first began
    /// under another.
    pub(crate) fn governing_decision(
        &self,
        row: &RecordingRow,
    ) -> Result<DecisionId, ArchiveError> {
        let rows = self.index.decisions_of(row.id).doing("reading decisions")?;
        for kept in rows
            .iter()
            .rev()
            .filter(|kept| kept.action == Action::Record)
        {
            if self
                .refusal(Action::Record, &self.parse_decision(kept)?)
                .is_none()
            {
                return Ok(kept.id);
            }
        }
        Ok(row.decision)
    }

    /// Asks the law and makes the answer durable. INVARIANT 3: the decision is on disk before the
    /// permit exists.
    fn ask<A>(
        &self,
        action: Action,
        id: RecordingId,
        facts: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Answer<A>, ArchiveError> {
        let checked = Facts::from_map(&facts, now).map_err(ArchiveError::Facts)?;
        let decision =
            voicelog_law::decide_without_unknown(&*self.rulebook_at(now)?, &checked, now);
        let refusal = self.refusal(action, &decision);
        let decision_id = DecisionId::new(now, random::bytes()?);
        self.keep_decision(
            decision_id,
            id,
            action,
            &decision,
            refusal.is_none(),
            facts,
            now,
        )?;
        let verdict = match refusal {
            None => Verdict::Permit(Permit::new(id, decision_id)),
            Some(refusal) => Verdict::Refusal(refusal),
        };
        Ok(Answer {
            id: decision_id,
            decision,
            verdict,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "one row has these columns")]
    fn keep_decision(
        &self,
        decision_id: DecisionId,
        recording: RecordingId,
        action: Action,
        decision: &Decision,
        permitted: bool,
        facts: Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let document = canonical_json(decision)?;
        let salt = random::bytes()?;
        let kind = if permitted {
            LeafKind::Permitted
        } else {
            LeafKind::Refused
        };
        let leaf = self.leaf(
            kind,
            &decision_id.to_string(),
            &salt,
            &sha256(&document),
            now,
        )?;
        let sealed_facts = seal_bytes(
            &self.secrets.decision_key,
            &facts_label(decision_id),
            recording,
            random::bytes()?,
            &canonical_json(&SealedFacts { facts, salt })?,
        );
        let row = DecisionRow {
            id: decision_id,
            at: now,
            action,
            outcome: decision.outcome().as_str().to_owned(),
            recording: Some(recording),
            document,
            sealed_facts,
            leaf: Some(leaf.id),
        };
        self.index
            .insert_decision(&row, Some(&leaf))
            .doing("keeping the decision")
    }

    /// The facts that a decision was made on.
    pub(crate) fn facts_of(&self, id: DecisionId) -> Result<SealedFacts, ArchiveError> {
        let damaged = || ArchiveError::Corrupt {
            what: format!("the facts of decision {id}"),
        };
        let row = self
            .index
            .decision(id)
            .doing("reading the decision")?
            .ok_or_else(damaged)?;
        let recording = row.recording.ok_or_else(damaged)?;
        let label = facts_label(id);
        let opened = open_bytes(
            &self.secrets.decision_key,
            &label,
            recording,
            &row.sealed_facts,
        )
        .map_err(|_sealed| damaged())?;
        serde_json::from_slice(&opened).map_err(|_text| damaged())
    }
}

impl Archive {
    /// Why the act may not happen now; `None` if it may.
    ///
    /// A duty that protects the people recorded at the first moment (the notice) must be *known*
    /// to be met before the first sample; until then the law's "permitted under duties" is not
    /// yet a permit.
    fn refusal(&self, action: Action, decision: &Decision) -> Option<Refusal> {
        match decision.outcome() {
            Outcome::Permitted | Outcome::PermittedWithDuties => {
                if action != Action::Record {
                    return None;
                }
                let open = decision.duties_blocking_first_sample();
                let grounds: Vec<Ground> = open
                    .map(|duty| self.ground(&duty.rule, &duty.articles, &duty.text))
                    .collect();
                (!grounds.is_empty()).then_some(Refusal { grounds })
            }
            Outcome::NeedsHuman | Outcome::ForbiddenPrivacy | Outcome::ForbiddenCriminal => {
                let grounds = decision
                    .reasons()
                    .iter()
                    .map(|reason| self.ground(&reason.rule, &reason.articles, &reason.text))
                    .collect();
                Some(Refusal { grounds })
            }
        }
    }

    /// The timeline's event for a decision that did not permit recording; `None` if it did.
    pub(crate) fn refusal_event(
        &self,
        id: DecisionId,
        decision: &Decision,
    ) -> Option<JournalEvent> {
        let refusal = self.refusal(Action::Record, decision)?;
        Some(not_permitted(id, decision, refusal.grounds))
    }

    /// A reason as the timeline shows it: in a few words where the rule has them.
    fn ground(&self, rule: &str, articles: &[String], text: &Text) -> Ground {
        let rulebook = self.rulebook();
        let text = rulebook.short_text(rule).unwrap_or(text);
        Ground {
            rule: rule.to_owned(),
            articles: articles.to_vec(),
            text_nl: text.pick(Language::Nl).to_owned(),
            text_en: text.pick(Language::En).to_owned(),
        }
    }
}

fn not_permitted(id: DecisionId, decision: &Decision, reasons: Vec<Ground>) -> JournalEvent {
    let outcome = decision.outcome().as_str().to_owned();
    JournalEvent::NotPermitted {
        decision: id,
        outcome,
        reasons,
    }
}

impl Answer<act::Record> {
    /// The timeline's event for this answer if it did not permit recording.
    #[must_use]
    pub fn refusal_event(&self) -> Option<JournalEvent> {
        match &self.verdict {
            Verdict::Permit(_) => None,
            Verdict::Refusal(refusal) => Some(not_permitted(
                self.id,
                &self.decision,
                refusal.grounds.clone(),
            )),
        }
    }
}
