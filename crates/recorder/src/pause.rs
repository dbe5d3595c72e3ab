//! Pausing a call, for whoever is outside the recorder.
//!
//! **Invariant:** nobody is told that recording is paused before the thread that reads the media
//! has said so. What is not heard in time is an error, whatever became of it.

use crate::Recorder;
use crate::media::{PauseOrder, PauseStatus};
use crate::signalling::Notice;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use voicelog_archive::journal::{AskedBy, PauseReason};
use voicelog_model::RecordingId;

/// How long the media thread may take to say what came of it.
const ANSWER: Duration = Duration::from_secs(5);

/// A pause was not made, or not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PauseError {
    /// No call in progress has this recording.
    #[error("no call in progress has this recording")]
    NoSuchCall,
    /// No pause, or one longer than may be.
    #[error("a pause lasts from 1 to {seconds_max} seconds")]
    Length {
        /// The longest that may be asked for, in seconds.
        seconds_max: u64,
    },
    /// It is not paused.
    #[error("recording is not paused")]
    NotPaused,
    /// Not heard in time.
    #[error("the recorder did not answer in time; nobody knows whether recording is paused")]
    NoAnswer,
}

impl Recorder {
    /// Pauses recording of a call until [`Recorder::resume`], or until the limit is over (`None`:
    /// what the configuration says). Nothing that arrives in between is kept. A call that is
    /// paused already is paused for the new reason, and the limit begins anew.
    ///
    /// It returns when the media is no longer kept. Blocks for a sweep, at most five seconds.
    ///
    /// # Errors
    ///
    /// There is no such call, the limit is too long, or no answer came in time: then it is to be
    /// taken that recording goes on.
    pub fn pause(
        &self,
        id: RecordingId,
        reason: PauseReason,
        limit: Option<Duration>,
    ) -> Result<PauseStatus, PauseError> {
        let limit = limit.unwrap_or(self.pause);
        if limit < Duration::from_secs(1) || limit > self.pause_max {
            let seconds_max = self.pause_max.as_secs();
            return Err(PauseError::Length { seconds_max });
        }
        let order = PauseOrder {
            reason,
            by: AskedBy::Program,
            party: None,
            micros: i64::try_from(limit.as_micros()).unwrap_or(i64::MAX),
        };
        self.asked(|done| Notice::Pause(id, order, done))
    }

    /// Lets a paused call go on, from this moment.
    ///
    /// # Errors
    ///
    /// There is no such call, it is not paused, or no answer came in time.
    pub fn resume(&self, id: RecordingId) -> Result<(), PauseError> {
        match self.asked(|done| Notice::Resume(id, done))? {
            true => Ok(()),
            false => Err(PauseError::NotPaused),
        }
    }

    /// Asks the signalling thread, and waits for what the media thread says.
    pub(crate) fn asked<T>(
        &self,
        notice: impl FnOnce(std::sync::mpsc::Sender<Option<T>>) -> Notice,
    ) -> Result<T, PauseError> {
        let (done, answer) = channel();
        self.notices.send(notice(done));
        match answer.recv_timeout(ANSWER) {
            Ok(Some(answer)) => Ok(answer),
            // Nobody has such a call, or it ended before the media thread came to it.
            Ok(None) | Err(RecvTimeoutError::Disconnected) => Err(PauseError::NoSuchCall),
            Err(RecvTimeoutError::Timeout) => Err(PauseError::NoAnswer),
        }
    }
}
