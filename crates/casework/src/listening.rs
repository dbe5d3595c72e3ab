//! Listening to a recording: for a declared reason, and logged.

use crate::Asked;
use serde_json::{Map, json};
use voicelog_archive::{Archive, ArchiveError, Playable, Verdict};
use voicelog_model::{Pii, RecordingId, Timestamp};

/// Asks to listen. `asker` is the account that asks, `need_to_know` its own reason; without one
/// the law refuses. Both are kept, sealed, with the decision ([`Archive::accesses`]).
pub fn open(
    archive: &Archive,
    id: RecordingId,
    asker: &Pii<String>,
    need_to_know: &str,
    now: Timestamp,
) -> Result<Asked<Playable>, ArchiveError> {
    let mut facts = Map::new();
    facts.insert("requester_role".into(), json!("controller_staff"));
    let reason = need_to_know.trim();
    if !reason.is_empty() {
        facts.insert("need_to_know_basis".into(), json!(reason));
    }
    let answer = archive.ask_to_listen(id, asker, &facts, now)?;
    match answer.verdict {
        Verdict::Permit(permit) => Ok(Asked::Given(archive.play(permit, now)?)),
        Verdict::Refusal(_) => Ok(Asked::Refused {
            id: answer.id,
            decision: Box::new(answer.decision),
        }),
    }
}
