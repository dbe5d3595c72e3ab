//! Pausing calls: the recorder behind the web room's door.

use std::sync::Arc;
use std::time::Duration;
use voicelog_archive::journal::PauseReason;
use voicelog_model::RecordingId;
use voicelog_recorder::{PauseError, PauseStatus, Recorder};
use voicelog_web::{NotPaused, Paused, Pauses};

/// Pauses the recorder's calls.
#[derive(Debug)]
pub(crate) struct RecorderPauses(pub(crate) Arc<Recorder>);

impl Pauses for RecorderPauses {
    fn pause(
        &self,
        id: RecordingId,
        reason: PauseReason,
        limit: Option<Duration>,
    ) -> Result<Paused, NotPaused> {
        self.0.pause(id, reason, limit).map(paused).map_err(why)
    }

    fn resume(&self, id: RecordingId) -> Result<(), NotPaused> {
        self.0.resume(id).map_err(why)
    }

    fn paused(&self, id: RecordingId) -> Option<Paused> {
        let calls = self.0.status().calls;
        calls
            .into_iter()
            .find(|call| call.id == id)
            .and_then(|call| call.pause)
            .map(paused)
    }
}

const fn paused(status: PauseStatus) -> Paused {
    Paused {
        reason: status.reason,
        since: status.since,
        until: status.until,
    }
}

const fn why(error: PauseError) -> NotPaused {
    match error {
        PauseError::NoSuchCall => NotPaused::NoSuchCall,
        PauseError::Length { seconds_max } => NotPaused::Length { seconds_max },
        PauseError::NotPaused => NotPaused::IsNotPaused,
        PauseError::NoAnswer => NotPaused::NoAnswer,
    }
}
