//! The gate: gathers facts, asks the law, makes the answer durable, and only then hands out a
//! permit. No other room can make one.
//!
//! **Invariant:** nothing maps an error to "allowed". A failure to gather, to decide or to store
//! is an error, and an error is never a permission.

mod destroying;
pub(crate) mod requests;

use self::requests::RequestKept;
use crate::call::CONSENTS;
use crate::consent::Saying;
use crate::error::Doing;
use crate::keep::{KeepState, not_requested};
use crate::line::Chosen;
use crate::line::ChosenRule;
use crate::line::draw::left_out;
use crate::notice::NoticeState;
use crate::permit::{Answer, Permit, Refusal, Verdict, act};
use crate::private::PrivateCall;
use crate::retention::held;
use crate::{Archive, ArchiveError, random};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use voicelog_evidence::Digest;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::journal::{Ground, JournalEvent};
use voicelog_evidence::key::{open_bytes, seal_bytes};
use voicelog_evidence::timeline::Verdict as Completeness;
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_law::{Decision, Facts, Outcome, Text};
use voicelog_model::{Action, DecisionId, Language, Pii, RecordingId, Scope, Timestamp};
use voicelog_store::index::{DecisionRow, NewRecording, PendingLeaf, RecordingRow, State};

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

/// What is kept, sealed, beside a decision: enough to ask the law again, who asked, and the salt
/// that opens the decision's commitment in the log.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealedFacts {
    pub(crate) facts: Map<String, Value>,
    pub(crate) salt: [u8; 32],
    /// Who asked, for acts that a person asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asker: Option<Pii<String>>,
    /// Which rule of its line a call was asked about under, where the line has rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<ChosenRule>,
    /// How consent was said during the call until then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sayings: Vec<Saying>,
    /// What had come of looking for the notice of the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) notice: Option<NoticeState>,
    /// Whether somebody had asked to keep the call, where its line keeps what it is asked to keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keep: Option<KeepState>,
    /// That it was a private call then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) private: Option<PrivateCall>,
    /// What those had said of being recorded who were not there any more, by pseudonym. The
    /// question was not about them; what was kept while they were there is.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) left: Map<String, Value>,
    /// How long the sound is kept, where it has a term of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sound_term: Option<String>,
    /// How much of the recording a question to destroy was about.
    #[serde(default, skip_serializing_if = "Scope::is_whole")]
    pub(crate) scope: Scope,
    /// What else was said when a citizen who asked to record was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<RequestKept>,
}

/// One question to the law.
struct Question<'a> {
    action: Action,
    recording: RecordingId,
    facts: Map<String, Value>,
    asker: Option<&'a Pii<String>>,
    rule: Option<ChosenRule>,
    sayings: Vec<Saying>,
    notice: Option<NoticeState>,
    keep: Option<KeepState>,
    private: Option<PrivateCall>,
    left: Map<String, Value>,
    sound_term: Option<String>,
    scope: Scope,
    request: Option<RequestKept>,
    now: Timestamp,
}

impl Question<'_> {
    /// Of an act on a recording that exists.
    fn about(action: Action, recording: RecordingId, now: Timestamp) -> Self {
        Self {
            action,
            recording,
            facts: Map::new(),
            asker: None,
            rule: None,
            sayings: Vec::new(),
            notice: None,
            keep: None,
            private: None,
            left: Map::new(),
            sound_term: None,
            scope: Scope::Whole,
            request: None,
            now,
        }
    }
}

/// An answer that is not durable yet: nothing may be done with it.
struct Draft {
    row: (DecisionRow, PendingLeaf),
    recording: RecordingId,
    decision: Decision,
    refusal: Option<Refusal>,
}

impl Draft {
    /// Only once its row is durable.
    fn into_answer<A>(self) -> Answer<A> {
        let id = self.row.0.id;
        let verdict = match self.refusal {
            None => Verdict::Permit(Permit::new(self.recording, id)),
            Some(refusal) => Verdict::Refusal(refusal),
        };
        Answer {
            id,
            decision: self.decision,
            verdict,
        }
    }
}

impl Archive {
    /// May this call be recorded, now, with the facts as they are now?
    pub fn ask_to_record(
        &self,
        id: RecordingId,
        now: Timestamp,
    ) -> Result<Answer<act::Record>, ArchiveError> {
        let call = self.calls.get(id).ok_or(ArchiveError::NotFound(id))?;
        let asked = call.asked();
        let Chosen {
            facts,
            rule,
            sound_term,
        } = self.strictest(&call, now)?;
        let answer = self.ask(Question {
            action: Action::Record,
            recording: id,
            facts,
            asker: None,
            rule,
            left: call.said_by_who_left(),
            sayings: call.sayings,
            notice: call.notice,
            keep: call.keep,
            private: call.private,
            sound_term,
            scope: Scope::Whole,
            request: None,
            now,
        })?;
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
                line: call.line.name.clone(),
                decision: answer.id,
                sealed: Vec::new(),
                report: call.about.report.to_bytes()?,
                has_sound_key: call.line.names_sound_term(),
            };
            self.index
                .insert_recording(&row)
                .doing("taking up a call")?;
        }
        self.calls.decided(id, asked);
        Ok(answer)
    }

    /// May a file be taken in?
    pub(crate) fn ask_about_import(
        &self,
        id: RecordingId,
        facts: Map<String, Value>,
        asker: &Pii<String>,
        now: Timestamp,
    ) -> Result<Answer<act::Import>, ArchiveError> {
        self.ask(Question {
            facts,
            asker: Some(asker),
            ..Question::about(Action::ImportFile, id, now)
        })
    }

    /// The refusal of a file that is not there yet, put on record; nothing, and nothing on record, where the law has
    /// nothing against it so far.
    pub(crate) fn ask_before_import(
        &self,
        id: RecordingId,
        facts: Map<String, Value>,
        asker: &Pii<String>,
        now: Timestamp,
    ) -> Result<Option<Answer<act::Import>>, ArchiveError> {
        let draft = self.answer(Question {
            facts,
            asker: Some(asker),
            ..Question::about(Action::ImportFile, id, now)
        })?;
        let is_refused = draft.refusal.is_some();
        is_refused.then(|| self.keep(draft)).transpose()
    }

    /// May a citizen be refused that they record? `register` is what the decision is found under.
    pub(crate) fn ask_about_request(
        &self,
        register: RecordingId,
        facts: Map<String, Value>,
        said: RequestKept,
        asker: &Pii<String>,
        now: Timestamp,
    ) -> Result<Answer<act::Refuse>, ArchiveError> {
        self.ask(Question {
            facts,
            asker: Some(asker),
            request: Some(said),
            ..Question::about(Action::RefuseRecording, register, now)
        })
    }

    /// May this recording be played back? `asker` is the account that asks, and is kept sealed
    /// with the decision; `facts` say in which role and why.
    pub fn ask_to_listen(
        &self,
        id: RecordingId,
        asker: &Pii<String>,
        facts: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Answer<act::Listen>, ArchiveError> {
        self.ask(Question {
            facts: self.existing_facts(id, "listen", facts)?,
            asker: Some(asker),
            ..Question::about(Action::Listen, id, now)
        })
    }

    /// May a copy be given? `action` is `give_copy` or `file_in_court`; `asker` is the account
    /// that asks, kept sealed with the decision; `facts` say for whom. What a copy is worth as
    /// evidence the archive adds itself.
    pub fn ask_for_copy(
        &self,
        id: RecordingId,
        action: Action,
        asker: &Pii<String>,
        facts: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Answer<act::GiveCopy>, ArchiveError> {
        self.ask(Question {
            facts: self.copy_facts(id, action, facts)?,
            asker: Some(asker),
            ..Question::about(action, id, now)
        })
    }

    /// The facts for a copy, with what the archive knows of its worth as evidence.
    pub(crate) fn copy_facts(
        &self,
        id: RecordingId,
        action: Action,
        facts: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ArchiveError> {
        let mut facts = self.existing_facts(id, action.as_str(), facts)?;
        if let Some(integrity) = self.integrity(&self.row(id)?)? {
            facts.insert("integrity".into(), integrity);
        }
        Ok(facts)
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
        if row.state != State::Sealed {
            return Err(self.wrong_state(id, "used"));
        }
        self.facts_about(&row, action, added)
    }

    fn facts_about(
        &self,
        row: &RecordingRow,
        action: &str,
        added: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ArchiveError> {
        let mut facts = self.recorded_facts(row)?;
        facts.insert("requested_action".into(), json!(action));
        facts.insert("recorded_at".into(), json!(row.started_at));
        facts.insert("recording_state".into(), json!("exists"));
        for (name, value) in added {
            facts.insert(name.clone(), value.clone());
        }
        Ok(facts)
    }

    /// What the archive itself has on record of a closed recording: the hash of its manifest, the
    /// moment of the leaf that commits to it, and whether the arithmetic found it whole. Whether
    /// the disk still holds what was recorded is looked at when it is opened, before anything is
    /// given.
    fn integrity(&self, row: &RecordingRow) -> Result<Option<Value>, ArchiveError> {
        let Some(leaf) = row.leaf else {
            return Ok(None);
        };
        let Some(leaf) = self.leaf_bytes(leaf)? else {
            return Ok(None);
        };
        let Ok(leaf) = Leaf::from_bytes(&leaf) else {
            return Ok(None);
        };
        let verdict = row.verdict.as_deref().and_then(Completeness::from_word);
        let unbroken = matches!(
            verdict,
            Some(Completeness::Whole | Completeness::WholeWithDeclaredGaps)
        );
        Ok(Some(json!({
            "hash": Digest::of(&self.manifest_bytes(row.id)?),
            "timestamp": leaf.at,
            "unbroken": unbroken,
        })))
    }

    /// The facts of a recording: how it was made is what the last permit to make it says, with those
    /// who took part under an earlier one; what it contains is what was said of the call until its
    /// end, whatever the answer was then.
    ///
    /// Who takes consent back stops the recording, and does not make what was recorded until then
    /// a recording without consent. But what rests on consent itself ends with it (AVG art. 7
    /// lid 3), and then the last word of those counts whom the permit counted.
    pub(crate) fn recorded_facts(
        &self,
        row: &RecordingRow,
    ) -> Result<Map<String, Value>, ArchiveError> {
        let rows = self.index.decisions_of(row.id).doing("reading decisions")?;
        let governing = self.governing_of(row, &rows)?;
        let sealed = match rows.iter().find(|kept| kept.id == governing) {
            Some(kept) => self.open_facts(kept)?,
            None => self.facts_of(governing)?,
        };
        let mut facts = sealed.facts;
        // Of what is done with it later no line can say this.
        facts.remove("second_person");
        self.add_who_left(&rows, governing, &mut facts)?;
        let Some(newest) = rows.iter().rfind(|kept| kept.action == Action::Record) else {
            return Ok(facts);
        };
        let sealed = self.open_facts(newest)?;
        let mut said = sealed.facts;
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
                for (party, consent) in last.into_iter().chain(sealed.left) {
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
        self.governing_of(row, &rows)
    }

    /// The same among all decisions about it, which were read before.
    fn governing_of(
        &self,
        row: &RecordingRow,
        rows: &[DecisionRow],
    ) -> Result<DecisionId, ArchiveError> {
        let asked = rows.iter().rev();
        for kept in asked.filter(|kept| kept.action == Action::Record) {
            if self
                .refusal_of(kept, &self.parse_decision(kept)?)?
                .is_none()
            {
                return Ok(kept.id);
            }
        }
        Ok(row.decision)
    }

    /// Asks the law and makes the answer durable.
    fn ask<A>(&self, question: Question<'_>) -> Result<Answer<A>, ArchiveError> {
        self.keep(self.answer(question)?)
    }

    /// INVARIANT 3: the decision is on disk before the permit exists.
    fn keep<A>(&self, draft: Draft) -> Result<Answer<A>, ArchiveError> {
        let (decision, leaf) = &draft.row;
        self.index
            .insert_decision(decision, Some(leaf))
            .doing("keeping the decision")?;
        Ok(draft.into_answer())
    }

    /// Asks the law.
    fn answer(&self, question: Question<'_>) -> Result<Draft, ArchiveError> {
        let (action, now) = (question.action, question.now);
        let checked = Facts::from_map(&question.facts, now).map_err(ArchiveError::Facts)?;
        let rules = self.rulebook_at(now)?;
        self.tell_of_new_rules(&rules, now)?;
        let decision = voicelog_law::decide_without_unknown(&rules, &checked, now);
        let recording = question.recording;
        // What the law permits may still not be drawn; what it forbids no draw permits.
        let one_in = question.rule.as_ref().and_then(|rule| rule.one_in);
        let is_held = action == Action::Destroy && is_held(&question.facts);
        let refusal = self
            .refusal(action, &decision)
            .or_else(|| is_held.then(|| Refusal::because(held())))
            .or_else(|| left_out(recording, one_in?))
            .or_else(|| not_requested(question.keep.as_ref()));
        Ok(Draft {
            row: self.decision_row(question, &decision, refusal.is_none())?,
            recording,
            decision,
            refusal,
        })
    }

    /// What is kept of an answer.
    fn decision_row(
        &self,
        question: Question<'_>,
        decision: &Decision,
        permitted: bool,
    ) -> Result<(DecisionRow, PendingLeaf), ArchiveError> {
        let Question {
            action,
            recording,
            facts,
            asker,
            rule,
            sayings,
            notice,
            keep,
            private,
            left,
            sound_term,
            scope,
            request,
            now,
        } = question;
        let id = DecisionId::new(now, random::bytes()?);
        let document = canonical_json(decision)?;
        let salt = random::bytes()?;
        let kind = if permitted {
            LeafKind::Permitted
        } else if action == Action::Destroy {
            LeafKind::DestructionRefused
        } else {
            LeafKind::Refused
        };
        let leaf = self.leaf(kind, &id.to_string(), &salt, &sha256(&document), now)?;
        let asker = asker.cloned();
        let sealed_facts = seal_bytes(
            &self.secrets.decision_key,
            &facts_label(id),
            recording,
            random::bytes()?,
            &canonical_json(&SealedFacts {
                facts,
                salt,
                asker,
                rule,
                sayings,
                notice,
                keep,
                private,
                left,
                sound_term,
                scope,
                request,
            })?,
        );
        let row = DecisionRow {
            id,
            at: now,
            action,
            outcome: decision.outcome().as_str().to_owned(),
            recording: Some(recording),
            document,
            sealed_facts,
            leaf: Some(leaf.id),
        };
        Ok((row, leaf))
    }

    /// The facts that a decision was made on.
    pub(crate) fn facts_of(&self, id: DecisionId) -> Result<SealedFacts, ArchiveError> {
        let row = self.index.decision(id).doing("reading the decision")?;
        self.open_facts(&row.ok_or_else(|| damaged_facts(id))?)
    }

    /// The same of a decision that was read before.
    pub(crate) fn open_facts(&self, row: &DecisionRow) -> Result<SealedFacts, ArchiveError> {
        let damaged = || damaged_facts(row.id);
        let recording = row.recording.ok_or_else(damaged)?;
        let label = facts_label(row.id);
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
    pub(crate) fn refusal(&self, action: Action, decision: &Decision) -> Option<Refusal> {
        match decision.outcome() {
            Outcome::Permitted | Outcome::PermittedWithDuties => {
                if action != Action::Record {
                    return None;
                }
                let open = decision.duties_blocking_first_sample();
                let grounds: Vec<Ground> = open
                    .map(|duty| self.ground(&duty.rule, &duty.articles, &duty.text))
                    .collect();
                (!grounds.is_empty()).then_some(Refusal {
                    grounds,
                    look_back_seconds: None,
                })
            }
            Outcome::NeedsHuman | Outcome::ForbiddenPrivacy | Outcome::ForbiddenCriminal => {
                let grounds = decision
                    .reasons()
                    .iter()
                    .map(|reason| self.ground(&reason.rule, &reason.articles, &reason.text))
                    .collect();
                Some(Refusal {
                    grounds,
                    look_back_seconds: None,
                })
            }
        }
    }

    /// Why a decision that is kept did not permit recording, by the law, by the draw or since nobody
    /// had asked; `None` if
    /// it did.
    pub(crate) fn refusal_of(
        &self,
        kept: &DecisionRow,
        decision: &Decision,
    ) -> Result<Option<Refusal>, ArchiveError> {
        if let Some(refusal) = self.refusal(Action::Record, decision) {
            return Ok(Some(refusal));
        }
        let sealed = self.open_facts(kept)?;
        let one_in = sealed.rule.and_then(|rule| rule.one_in);
        let drawn_by = one_in.zip(kept.recording);
        let not_drawn = drawn_by.and_then(|(one_in, recording)| left_out(recording, one_in));
        Ok(not_drawn.or_else(|| not_requested(sealed.keep.as_ref())))
    }

    /// The timeline's event for a decision that did not permit recording; `None` if it did.
    pub(crate) fn refusal_event(
        &self,
        kept: &DecisionRow,
        decision: &Decision,
    ) -> Result<Option<JournalEvent>, ArchiveError> {
        let refusal = self.refusal_of(kept, decision)?;
        Ok(refusal.map(|refusal| not_permitted(kept.id, decision, refusal.grounds)))
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

/// Whether any hold stands, by the facts that the gate gathered.
pub(crate) fn is_held(facts: &Map<String, Value>) -> bool {
    let holds = facts.get("legal_hold").and_then(Value::as_object);
    holds.is_some_and(|holds| !holds.is_empty())
}

fn damaged_facts(id: DecisionId) -> ArchiveError {
    ArchiveError::Corrupt {
        what: format!("the facts of decision {id}"),
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
