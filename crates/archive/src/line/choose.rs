//! Which rule of its line a call is asked about under.

use crate::call::{Call, Candidate};
use crate::line::draw::{Draw, OneIn};
use crate::{Archive, ArchiveError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use voicelog_law::{Facts, Outcome};
use voicelog_model::{Action, Timestamp};

/// The rule of its line that a call was asked about under.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChosenRule {
    /// Its name; nothing where the line's own facts were asked about.
    pub name: Option<String>,
    /// What else it could have been, since something about the call was not known: on none of
    /// these is the law stricter. Nothing in it stands for the line's own facts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_possible: Vec<Option<String>>,
    /// Of such calls one in so many is recorded. Which, follows from the call's id: [`Draw`].
    ///
    /// [`Draw`]: crate::Draw
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_in: Option<OneIn>,
}

/// What a call is asked about, and what else holds for it.
pub(crate) struct Chosen {
    pub(crate) facts: Map<String, Value>,
    pub(crate) rule: Option<ChosenRule>,
    /// How long the sound is kept, where it has a term of its own.
    pub(crate) sound_term: Option<String>,
}

impl Archive {
    /// The facts that a call is asked about. Where it is not known which rule of its line is the
    /// one, those that the law is strictest on; of equals the first.
    pub(crate) fn strictest(&self, call: &Call, now: Timestamp) -> Result<Chosen, ArchiveError> {
        let mut candidates = call.candidates();
        let mut strictest = 0;
        if candidates.len() > 1 {
            let rulebook = self.rulebook_at(now)?;
            let mut most = None;
            for (place, candidate) in candidates.iter().enumerate() {
                let checked =
                    Facts::from_map(&candidate.facts, now).map_err(ArchiveError::Facts)?;
                let decision = voicelog_law::decide_without_unknown(&rulebook, &checked, now);
                let is_left_out = candidate
                    .sample
                    .is_some_and(|sample| !Draw::of(call.id).is_within(sample.one_in));
                let is_refused = is_left_out || self.refusal(Action::Record, &decision).is_some();
                let strictness = Some((is_refused, severity(decision.outcome())));
                if strictness > most {
                    (most, strictest) = (strictness, place);
                }
            }
        }
        let Candidate {
            rule,
            facts,
            sample,
            sound_term,
        } = candidates.remove(strictest);
        let one_in = sample.map(|sample| sample.one_in);
        let is_told = !call.line.rules.is_empty() || one_in.is_some();
        let chosen = is_told.then(|| ChosenRule {
            name: rule,
            one_in,
            also_possible: candidates.into_iter().map(|other| other.rule).collect(),
        });
        Ok(Chosen {
            facts,
            rule: chosen,
            sound_term,
        })
    }
}

/// How strict an outcome is.
const fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Permitted => 0,
        Outcome::PermittedWithDuties => 1,
        Outcome::NeedsHuman => 2,
        Outcome::ForbiddenPrivacy => 3,
        Outcome::ForbiddenCriminal => 4,
    }
}
