//! What the law would answer, for somebody who has not asked yet. It is not an answer: nothing is
//! kept, nothing is logged, and no permit comes of it.

use crate::{Archive, ArchiveError};
use serde_json::{Map, Value};
use voicelog_law::{Decision, Facts};
use voicelog_model::{Action, RecordingId, Timestamp};

impl Archive {
    /// The decision that [`Archive::ask_for_copy`] would make now, so that whoever gives a copy
    /// reads of the duties before and not after. `action` and `facts` as there.
    pub fn foresee_copy(
        &self,
        id: RecordingId,
        action: Action,
        facts: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Decision, ArchiveError> {
        let facts = self.copy_facts(id, action, facts)?;
        let checked = Facts::from_map(&facts, now).map_err(ArchiveError::Facts)?;
        let rulebook = self.rulebook_at(now)?;
        Ok(voicelog_law::decide_without_unknown(
            &rulebook, &checked, now,
        ))
    }
}
