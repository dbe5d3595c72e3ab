//! Wishes about calls in progress: the recorder behind the web room's door.

use std::sync::Arc;
use voicelog_archive::KeepRequest;
use voicelog_model::RecordingId;
use voicelog_recorder::{KeepAnswer, KeepError, Recorder};
use voicelog_web::{Kept, NotHeard, Wishes};

/// Carries out what is wished of the recorder's calls.
#[derive(Debug)]
pub(crate) struct RecorderWishes(pub(crate) Arc<Recorder>);

impl Wishes for RecorderWishes {
    fn keep(&self, id: RecordingId, request: KeepRequest) -> Result<Kept, NotHeard> {
        match self.0.request_keep(id, request) {
            Ok(KeepAnswer::Kept { from }) => Ok(Kept::From(from)),
            Ok(KeepAnswer::NotPermitted) => Ok(Kept::NotPermitted),
            Ok(KeepAnswer::EveryCall) => Ok(Kept::EveryCall),
            Err(KeepError::NoSuchCall) => Err(NotHeard::NoSuchCall),
            Err(KeepError::NoAnswer) => Err(NotHeard::NoAnswer),
        }
    }
}
