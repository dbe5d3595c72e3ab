//! A private call: somebody on our side says that this conversation is nobody's business. Nothing of
//! it is recorded from then on, and the law is asked with that fact.
//!
//! Who said so is the one who can take it back. What was kept before stays what it was: no rule of
//! the rulebook makes it unlawful, and nothing is destroyed by a key.

use crate::call::Call;
use crate::{Archive, ArchiveError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use voicelog_evidence::journal::AskedBy;
use voicelog_model::{Pii, RecordingId, Timestamp};

/// That a call is private; kept, sealed, with each decision about it while it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivateCall {
    /// How it was said.
    pub by: AskedBy,
    /// Who said it: the pseudonym of the participant who pressed the key, or what the program that
    /// told us calls the person.
    pub said_by: Pii<String>,
    /// When.
    pub at: Timestamp,
}

impl PrivateCall {
    /// Whether the same person says it, in the same way.
    fn is_of(&self, by: AskedBy, said_by: &Pii<String>) -> bool {
        self.by == by && self.said_by.expose() == said_by.expose()
    }
}

/// What came of saying that a call is private, or is no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateSaid {
    /// It counts from now on: the law is to be asked again.
    Changed,
    /// It was so before.
    Already,
    /// Somebody else said that it is private, and only they can say that it is not.
    AnotherPerson,
}

impl Call {
    /// What the law is told of a private call.
    pub(crate) fn mind_private(&self, facts: &mut Map<String, Value>) {
        if self.private.is_some() {
            facts.insert("content_nature".into(), json!("private"));
        }
    }
}

impl Archive {
    /// Takes in that a call is private. Whoever tells this asks the law again by itself: nobody else
    /// is told.
    ///
    /// # Errors
    ///
    /// There is no such call in progress.
    pub fn begin_private(
        &self,
        id: RecordingId,
        private: PrivateCall,
    ) -> Result<PrivateSaid, ArchiveError> {
        let mut said = PrivateSaid::Already;
        self.calls.change_untold(id, |call| {
            if call.private.is_none() {
                call.private = Some(private);
                said = PrivateSaid::Changed;
            }
            Ok(())
        })?;
        Ok(said)
    }

    /// Takes in that a call is no longer private, as far as the one who said it says so.
    ///
    /// # Errors
    ///
    /// There is no such call in progress.
    pub fn end_private(
        &self,
        id: RecordingId,
        by: AskedBy,
        said_by: &Pii<String>,
    ) -> Result<PrivateSaid, ArchiveError> {
        let mut said = PrivateSaid::Already;
        self.calls.change_untold(id, |call| {
            said = match &call.private {
                None => PrivateSaid::Already,
                Some(private) if private.is_of(by, said_by) => {
                    call.private = None;
                    PrivateSaid::Changed
                }
                Some(_) => PrivateSaid::AnotherPerson,
            };
            Ok(())
        })?;
        Ok(said)
    }
}
