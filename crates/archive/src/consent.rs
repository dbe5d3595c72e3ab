//! Consent said during a call: by whom, how, and who says so.

use crate::call::CONSENTS;
use crate::line::Side;
use crate::{Archive, ArchiveError, Call};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use voicelog_model::{Pii, RecordingId, Timestamp};

/// Sayings of one call that are kept at most; what they said counts all the same.
const SAYINGS_MAX: usize = 200;

/// How somebody's consent, or its refusal, was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case", deny_unknown_fields)]
pub enum ConsentBy {
    /// With a key of the own telephone.
    Key,
    /// On the page of a talk in a room, on the own screen, where the terms stand.
    Screen,
    /// Aloud, in the conversation; somebody who heard it says so.
    Spoken {
        /// Who says so: the pseudonym of the participant who pressed the key, or what the program
        /// that told us calls the agent.
        marked_by: Option<Pii<String>>,
    },
}

/// Consent of one participant, or its refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Pseudonym of whose consent it is.
    pub party: String,
    /// A value of the fact `consent_per_participant`: `given`, `refused`, `withdrawn` …
    pub word: String,
    /// How it was said.
    pub by: ConsentBy,
}

/// What was said of consent in a call, and when; kept, sealed, with every later decision about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saying {
    /// When it was said, or told to us.
    pub at: Timestamp,
    /// Pseudonym of whose consent it is.
    pub party: String,
    /// What it is now.
    pub consent: String,
    /// How it was said.
    pub by: ConsentBy,
}

impl Call {
    /// Pseudonyms of those who are there and not known to be on our side.
    #[must_use]
    pub fn other_side(&self) -> Vec<String> {
        let parties = self.present().into_iter();
        parties
            .filter(|party| self.side_of(party) != Side::Own)
            .collect()
    }
}

impl Archive {
    /// Takes in what a participant said of being recorded. It counts at once, as
    /// [`Archive::say`] does, and how it was said is kept with the decisions that follow.
    ///
    /// # Errors
    ///
    /// There is no such call or participant, or the word is none.
    pub fn consent(
        &self,
        id: RecordingId,
        consent: Consent,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        self.consent_with(id, consent, Map::new(), now)
    }

    /// The same with other facts that are said at once: what does not go together with the consent of before must not be
    /// said before or after it.
    ///
    /// # Errors
    ///
    /// As [`Archive::consent`] and [`Archive::say`].
    pub fn consent_with(
        &self,
        id: RecordingId,
        consent: Consent,
        mut said: Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let Consent { party, word, by } = consent;
        self.calls.change(id, |call| {
            if !call.parties.iter().any(|known| known.id == party) {
                return Err(ArchiveError::NoParty(id));
            }
            said.insert(CONSENTS.to_owned(), json!({ &party: &word }));
            call.take_in(said)?;
            if call.sayings.len() < SAYINGS_MAX {
                call.sayings.push(Saying {
                    at: now,
                    party,
                    consent: word,
                    by,
                });
            }
            call.check(now)
        })
    }
}
