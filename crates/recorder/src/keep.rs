//! Asking to keep a call, for whoever is outside the recorder.
//!
//! **Invariant:** nobody is told that a call is kept before the thread that has its media has said so.

use crate::media::KeepAnswer;
use crate::signalling::Notice;
use crate::{PauseError, Recorder};
use voicelog_archive::KeepRequest;
use voicelog_model::RecordingId;

/// What is wished of a call is not done, or nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    /// No call in progress has this recording.
    #[error("no call in progress has this recording")]
    NoSuchCall,
    /// Not heard in time.
    #[error("the recorder did not answer in time; nobody knows what came of it")]
    NoAnswer,
}

impl Recorder {
    /// Asks to keep a call on a line that keeps what it is asked to keep. Of several requests the
    /// first counts. Blocks until the law has answered, at most five seconds.
    ///
    /// # Errors
    ///
    /// There is no such call, or no answer came in time.
    pub fn request_keep(
        &self,
        id: RecordingId,
        request: KeepRequest,
    ) -> Result<KeepAnswer, WishError> {
        self.asked(|done| Notice::Keep(id, Box::new(request), done))
            .map_err(wish_error)
    }
}

/// The same of another wish than a pause.
pub(crate) const fn wish_error(error: PauseError) -> WishError {
    match error {
        PauseError::NoAnswer => WishError::NoAnswer,
        PauseError::NoSuchCall | PauseError::Length { .. } | PauseError::NotPaused => {
            WishError::NoSuchCall
        }
    }
}
