//! What somebody on our side may wish of a call in progress, besides pausing it.

use std::fmt;
use voicelog_archive::KeepRequest;
use voicelog_archive::journal::PrivateEnd;
use voicelog_model::{Pii, RecordingId, Timestamp};

/// What came of asking to keep a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is kept, from this moment on.
    From(Timestamp),
    /// The law does not permit it now. It is kept from the moment on at which the law does.
    NotPermitted,
    /// Its line keeps every call that may be recorded.
    EveryCall,
}

/// What came of saying that a call is private, or is no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Private {
    /// It is private: nothing that arrives from this moment on is kept.
    Since(Timestamp),
    /// It is no longer private.
    Over,
    /// It was not private.
    NotPrivate,
    /// Somebody else said that it is private, and only they can say that it is not.
    AnotherPerson,
}

/// Why nobody can say what came of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHeard {
    /// No call in progress has this recording.
    NoSuchCall,
    /// The recorder did not answer: nobody knows.
    NoAnswer,
}

/// Who carries wishes out. The binary implements it over the recorder.
pub trait Wishes: Send + Sync + fmt::Debug {
    /// Asks to keep a call, and returns when it is kept. May block.
    ///
    /// # Errors
    ///
    /// Nobody may take it that the call is kept.
    fn keep(&self, id: RecordingId, request: KeepRequest) -> Result<Kept, NotHeard>;

    /// Says that a call is private, and returns when its media is no longer kept. May block.
    ///
    /// # Errors
    ///
    /// Nobody may take it that nothing is kept.
    fn begin_private(&self, id: RecordingId, said_by: Pii<String>) -> Result<Private, NotHeard>;

    /// Says that a call is no longer private. May block.
    ///
    /// # Errors
    ///
    /// There is no such call, or nobody knows.
    fn end_private(
        &self,
        id: RecordingId,
        said_by: Pii<String>,
        reason: PrivateEnd,
    ) -> Result<Private, NotHeard>;
}
