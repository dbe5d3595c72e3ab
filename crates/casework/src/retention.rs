//! The end of the term: which recordings are due, and their destruction.
//!
//! The index names candidates; whether one may be destroyed is asked of the law each time, with
//! the holds and terms of that moment.

use crate::Asked;
use voicelog_archive::{Archive, ArchiveError, Destroyed, RecordingSummary, Verdict};
use voicelog_model::{RecordingId, Timestamp};

/// Recordings that one sweep looks at, at most; the next sweep goes on.
pub const SWEEP_MAX: usize = 1_000;

/// Recordings whose term will have ended by `until`, soonest first. Nothing is destroyed.
pub fn preview(archive: &Archive, until: Timestamp) -> Result<Vec<RecordingSummary>, ArchiveError> {
    archive.due(until, SWEEP_MAX)
}

/// What the sweep did with one recording.
#[derive(Debug)]
pub struct Swept {
    /// Which recording.
    pub id: RecordingId,
    /// Destroyed, refused by the law, or failed. One failure does not stop the sweep.
    pub outcome: Result<Asked<Destroyed>, ArchiveError>,
}

/// Destroys every recording whose term has ended, if the law permits it.
pub fn run(archive: &Archive, now: Timestamp) -> Result<Vec<Swept>, ArchiveError> {
    let due = archive.due(now, SWEEP_MAX)?;
    Ok(due
        .into_iter()
        .map(|recording| Swept {
            id: recording.id,
            outcome: destroy(archive, recording.id, now),
        })
        .collect())
}

/// Asks to destroy one recording, and does so if the law permits it.
pub fn destroy(
    archive: &Archive,
    id: RecordingId,
    now: Timestamp,
) -> Result<Asked<Destroyed>, ArchiveError> {
    let answer = archive.ask_to_destroy(id, now)?;
    match answer.verdict {
        Verdict::Permit(permit) => Ok(Asked::Given(archive.destroy(permit, now)?)),
        Verdict::Refusal(_) => Ok(Asked::Refused {
            id: answer.id,
            decision: Box::new(answer.decision),
        }),
    }
}
