//! Wishes about calls in progress: the recorder behind the web room's door.

use std::sync::Arc;
use voicelog_archive::KeepRequest;
use voicelog_archive::journal::PrivateEnd;
use voicelog_model::{Pii, RecordingId};
use voicelog_recorder::{KeepAnswer, PrivateAnswer, Recorder, WishError};
use voicelog_web::{Kept, NotHeard, Private, Wishes};

/// Carries out what is wished of the recorder's calls.
#[derive(Debug)]
pub(crate) struct RecorderWishes(pub(crate) Arc<Recorder>);

impl Wishes for RecorderWishes {
    fn keep(&self, id: RecordingId, request: KeepRequest) -> Result<Kept, NotHeard> {
        match self.0.request_keep(id, request) {
            Ok(KeepAnswer::Kept { from }) => Ok(Kept::From(from)),
            Ok(KeepAnswer::NotPermitted) => Ok(Kept::NotPermitted),
            Ok(KeepAnswer::EveryCall) => Ok(Kept::EveryCall),
            Err(error) => Err(why(error)),
        }
    }

    fn begin_private(&self, id: RecordingId, said_by: Pii<String>) -> Result<Private, NotHeard> {
        self.0.begin_private(id, said_by).map(private).map_err(why)
    }

    fn end_private(
        &self,
        id: RecordingId,
        said_by: Pii<String>,
        reason: PrivateEnd,
    ) -> Result<Private, NotHeard> {
        let said = self.0.end_private(id, said_by, reason);
        said.map(private).map_err(why)
    }
}

const fn private(answer: PrivateAnswer) -> Private {
    match answer {
        PrivateAnswer::Private { since } => Private::Since(since),
        PrivateAnswer::Over => Private::Over,
        PrivateAnswer::NotPrivate => Private::NotPrivate,
        PrivateAnswer::AnotherPerson => Private::AnotherPerson,
    }
}

const fn why(error: WishError) -> NotHeard {
    match error {
        WishError::NoSuchCall => NotHeard::NoSuchCall,
        WishError::NoAnswer => NotHeard::NoAnswer,
    }
}
