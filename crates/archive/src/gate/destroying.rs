//! Asking to destroy: a recording, or its sound alone; one, or many together.

use super::{Answer, Draft, Question};
use crate::error::Doing;
use crate::permit::act;
use crate::retention::{Confirmation, HoldGround, in_halves};
use crate::{Archive, ArchiveError};
use serde_json::{Map, Value, json};
use voicelog_model::{Action, Pii, RecordingId, Scope, Timestamp};
use voicelog_store::index::State;

/// The answers about many recordings, each by itself.
type Answers<A> = Vec<(RecordingId, Result<Answer<A>, ArchiveError>)>;

/// Who asks to destroy.
#[derive(Clone, Copy)]
enum Asks<'a> {
    /// Nobody: a term has ended.
    Nobody,
    /// An account.
    Account(&'a Pii<String>),
    /// Two people, by a proposal that one made and the other confirmed.
    TwoPeople,
}

impl Archive {
    /// May this recording be destroyed? Holds are gathered here, not told by the caller.
    pub fn ask_to_destroy(
        &self,
        id: RecordingId,
        now: Timestamp,
    ) -> Result<Answer<act::Destroy>, ArchiveError> {
        self.ask_to_destroy_for(id, None, now)
    }

    /// The same, asked by an account. Its name is sealed with the decision, and goes with the recording.
    pub fn ask_to_destroy_for(
        &self,
        id: RecordingId,
        asker: Option<&Pii<String>>,
        now: Timestamp,
    ) -> Result<Answer<act::Destroy>, ArchiveError> {
        let asks = asker.map_or(Asks::Nobody, Asks::Account);
        self.keep(self.may_destroy(id, Scope::Whole, asks, now)?)
    }

    /// The same, asked by two people whose proposal stands.
    ///
    /// Errors: the proposals about it prove no two people. Whatever the law says, nobody asked then, and no term ended.
    pub fn ask_to_destroy_confirmed(
        &self,
        id: RecordingId,
        now: Timestamp,
    ) -> Result<Answer<act::Destroy>, ArchiveError> {
        self.keep(self.may_destroy(id, Scope::Whole, Asks::TwoPeople, now)?)
    }

    /// The same of many, each by itself.
    pub fn ask_to_destroy_confirmed_all(
        &self,
        ids: &[RecordingId],
        now: Timestamp,
    ) -> Answers<act::Destroy> {
        self.ask_all(ids, Scope::Whole, Asks::TwoPeople, now)
    }

    /// The same of many, half of them on another thread where they are very many. The answers are made durable together; one that cannot be given does not keep the others.
    pub fn ask_to_destroy_all(&self, ids: &[RecordingId], now: Timestamp) -> Answers<act::Destroy> {
        self.ask_all(ids, Scope::Whole, Asks::Nobody, now)
    }

    /// May the sound of these recordings be destroyed? The law is asked what it is asked of the whole: a hold and a
    /// floor hold for the sound too.
    pub fn ask_to_destroy_sound_all(
        &self,
        ids: &[RecordingId],
        now: Timestamp,
    ) -> Vec<(RecordingId, Result<Answer<act::DestroySound>, ArchiveError>)> {
        self.ask_all(ids, Scope::Sound, Asks::Nobody, now)
    }

    fn ask_all<A>(
        &self,
        ids: &[RecordingId],
        scope: Scope,
        asks: Asks<'_>,
        now: Timestamp,
    ) -> Answers<A>
    where
        Answer<A>: Send,
    {
        in_halves(ids, |ids| self.ask_together(ids, scope, asks, now))
    }

    fn ask_together<A>(
        &self,
        ids: &[RecordingId],
        scope: Scope,
        asks: Asks<'_>,
        now: Timestamp,
    ) -> Answers<A> {
        let drafts: Vec<_> = ids
            .iter()
            .map(|id| (*id, self.may_destroy(*id, scope, asks, now)))
            .collect();
        let rows = drafts.iter().filter_map(|(_, draft)| draft.as_ref().ok());
        let rows: Vec<_> = rows.map(|draft| draft.row.clone()).collect();
        let is_kept = self.index.insert_decisions(&rows).is_ok();
        let answer = |(id, draft): (RecordingId, Result<Draft, ArchiveError>)| {
            let answered = draft.and_then(|draft| match is_kept {
                true => Ok(draft.into_answer()),
                false => self.keep(draft),
            });
            (id, answered)
        };
        drafts.into_iter().map(answer).collect()
    }

    fn may_destroy(
        &self,
        id: RecordingId,
        scope: Scope,
        asks: Asks<'_>,
        now: Timestamp,
    ) -> Result<Draft, ArchiveError> {
        let mut facts = self.destroy_facts(id, scope)?;
        let is_asked = !matches!(asks, Asks::Nobody);
        let found = match scope {
            Scope::Whole => self.gather_second_person(id, is_asked, &mut facts, now)?,
            // A proposal is about the whole: nobody confirms that the sound goes.
            Scope::Sound => Confirmation::Absent,
        };
        let asked_first = match (asks, found) {
            (_, Confirmation::Proven(first)) => Some(first),
            (Asks::TwoPeople, Confirmation::Unproven(error)) => return Err(error),
            (Asks::TwoPeople, Confirmation::Absent) => {
                let what = "nobody has confirmed a proposal that stands";
                return Err(ArchiveError::BadProposal(what));
            }
            (Asks::Nobody | Asks::Account(_), Confirmation::Unproven(error)) => {
                let error = voicelog_model::error::chain(&error);
                tracing::warn!(recording = %id, %error, "a confirmation does not open, and counts as none");
                None
            }
            (Asks::Nobody | Asks::Account(_), Confirmation::Absent) => None,
        };
        let asker = match asks {
            Asks::Account(asker) => Some(asker),
            Asks::Nobody | Asks::TwoPeople => asked_first.as_ref(),
        };
        self.answer(Question {
            facts,
            asker,
            scope,
            ..Question::about(Action::Destroy, id, now)
        })
    }

    /// The facts for destroying, with the holds that stand; without whether a second person has confirmed.
    pub(crate) fn destroy_facts(
        &self,
        id: RecordingId,
        scope: Scope,
    ) -> Result<Map<String, Value>, ArchiveError> {
        let row = self.row(id)?;
        match (scope, row.state) {
            (Scope::Sound, State::Sealed) if row.has_sound_key => {}
            (Scope::Whole, State::Sealed | State::WithoutSound) => {}
            (Scope::Whole | Scope::Sound, _) => return Err(self.wrong_state(id, "used")),
        }
        let holds = self.index.holds_of(id).doing("looking for holds")?;
        let mut grounds = Map::new();
        for hold in holds.iter().filter(|hold| hold.lifted_at.is_none()) {
            // A word that this program does not know holds all the same.
            let ground = HoldGround::of_word(&hold.hold.ground);
            grounds.insert(ground.fact().to_owned(), json!(true));
        }
        let mut facts = Map::new();
        facts.insert("legal_hold".into(), Value::Object(grounds));
        self.facts_about(&row, "destroy", &facts)
    }
}
