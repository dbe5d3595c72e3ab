//! A decision made again: the same facts, the same moment, the rules of that moment. Nothing is
//! kept, nothing is logged, and no permit comes of it.

use crate::error::Doing;
use crate::{Archive, ArchiveError, ChosenRule, KeepState, NoticeState, PrivateCall, Saying};
use serde_json::{Map, Value};
use voicelog_law::{Decision, Facts};
use voicelog_model::{DecisionId, RecordingId};

/// A decision beside the same decision made again.
#[derive(Debug, Clone)]
pub struct Again {
    /// As it was kept.
    pub stored: Decision,
    /// As this program makes it now.
    pub again: Decision,
    /// The facts of both.
    pub facts: Map<String, Value>,
    /// The rule of its line that the facts came from, where the line has rules.
    pub rule: Option<ChosenRule>,
    /// Which recording it is about.
    pub recording: Option<RecordingId>,
    /// How consent was said during the call until then.
    pub sayings: Vec<Saying>,
    /// What had come of looking for the notice of the line, where one is looked for.
    pub notice: Option<NoticeState>,
    /// Whether somebody had asked to keep the call, where its line keeps what it is asked to keep.
    pub keep: Option<KeepState>,
    /// That it was a private call then, and who had said so.
    pub private: Option<PrivateCall>,
}

impl Again {
    /// Whether nothing differs: outcome, reasons, duties, advice, texts, rulebook.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.stored == self.again
    }
}

impl Archive {
    /// Makes a decision again, by the rules of its moment, the law's and the house's.
    ///
    /// # Errors
    /// There is no such decision; its facts were destroyed with the recording; or they do not
    /// open.
    pub fn decide_again(&self, id: DecisionId) -> Result<Again, ArchiveError> {
        let row = self.index.decision(id).doing("reading a decision")?;
        let row = row.ok_or(ArchiveError::NoDecision(id))?;
        let stored = self.parse_decision(&row)?;
        if row.sealed_facts.is_empty()
            && let Some(id) = row.recording
        {
            // Of a recording without its sound, one that a list of destructions brought into a restored archive.
            return Err(self.wrong_state(id, "decided again"));
        }
        let sealed = self.facts_of(id)?;
        let facts = sealed.facts;
        let at = stored.at;
        let checked = Facts::from_map(&facts, at).map_err(ArchiveError::Facts)?;
        let rulebook = self.rulebook().on(at).map_err(ArchiveError::Rulebook)?;
        Ok(Again {
            again: voicelog_law::decide_without_unknown(&rulebook, &checked, at),
            stored,
            facts,
            rule: sealed.rule,
            recording: row.recording,
            sayings: sealed.sayings,
            notice: sealed.notice,
            keep: sealed.keep,
            private: sealed.private,
        })
    }
}
