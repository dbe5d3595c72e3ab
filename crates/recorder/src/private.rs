//! Saying that a call is private, or is no longer, for whoever is outside the recorder.
//!
//! **Invariant:** nobody is told that a call is private before the thread that reads its media has said
//! so. What is not heard in time is an error, whatever became of it.

use crate::keep::wish_error;
use crate::media::PrivateAnswer;
use crate::signalling::Notice;
use crate::{Recorder, WishError};
use voicelog_archive::journal::PrivateEnd;
use voicelog_model::{Pii, RecordingId};

impl Recorder {
    /// Says that a call is private: nothing that arrives from now on is kept, until the end of the
    /// call or until the same person says that it is no longer ([`Recorder::end_private`]). `said_by`
    /// is who says so, as the program that tells us knows them. It returns when the media is no longer
    /// kept.
    ///
    /// # Errors
    ///
    /// There is no such call, or no answer came in time.
    pub fn begin_private(
        &self,
        id: RecordingId,
        said_by: Pii<String>,
    ) -> Result<PrivateAnswer, WishError> {
        self.asked(|done| Notice::Private(id, said_by, done))
            .map_err(wish_error)
    }

    /// Says that a call is no longer private. It counts only if `said_by` is who said that it was.
    ///
    /// # Errors
    ///
    /// There is no such call, or no answer came in time.
    pub fn end_private(
        &self,
        id: RecordingId,
        said_by: Pii<String>,
        reason: PrivateEnd,
    ) -> Result<PrivateAnswer, WishError> {
        self.asked(|done| Notice::PrivateOver(id, said_by, reason, done))
            .map_err(wish_error)
    }
}
