//! What the other threads tell the signalling thread.

use crate::decider::Reply;
use crate::media::{HeardKey, KeepAnswer, PauseOrder, PauseStatus, PrivateAnswer};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use voicelog_archive::KeepRequest;
use voicelog_archive::journal::{Cause, PrivateEnd};
use voicelog_archive::notice::{EarNews, Hearing};
use voicelog_model::{Pii, RecordingId};

/// One message to the signalling thread. Each kind is bounded: one reply for each question, one
/// failure for each recording.
#[derive(Debug)]
pub(crate) enum Notice {
    /// The law has answered, or could not.
    Answered(Box<Reply>),
    /// The media of this recording cannot go on.
    MediaFailed(RecordingId, Cause),
    /// A key about consent was pressed in this call.
    Key(RecordingId, HeardKey),
    /// The notice of its line was heard in this call.
    Announced(RecordingId, Hearing),
    /// This call could not be listened to.
    NotListened(RecordingId),
    /// Pause this call; says what came of it, nothing if there is no such call.
    Pause(
        RecordingId,
        PauseOrder,
        std::sync::mpsc::Sender<Option<PauseStatus>>,
    ),
    /// Let this call go on; says whether it was paused, nothing if there is no such call.
    Resume(RecordingId, std::sync::mpsc::Sender<Option<bool>>),
    /// Somebody asks to keep this call; says what came of it, nothing if there is no such call.
    Keep(
        RecordingId,
        Box<KeepRequest>,
        std::sync::mpsc::Sender<Option<KeepAnswer>>,
    ),
    /// This call is private, says somebody; says what came of it, nothing if there is no such call.
    Private(
        RecordingId,
        Pii<String>,
        std::sync::mpsc::Sender<Option<PrivateAnswer>>,
    ),
    /// This call is no longer private, says somebody; the same.
    PrivateOver(
        RecordingId,
        Pii<String>,
        PrivateEnd,
        std::sync::mpsc::Sender<Option<PrivateAnswer>>,
    ),
    /// What waits in memory takes all the room that it may have.
    WaitingRoomFull,
    /// Our clock was set by so many microseconds while this call was in progress.
    ClockStepped(RecordingId, i64),
    /// Take no new calls from now on; says when that is so.
    Drain(std::sync::mpsc::Sender<()>),
    /// End the calls that are left.
    EndAll,
    /// Say when no client owes us an answer any more.
    TellIdle(std::sync::mpsc::Sender<()>),
    /// Stop now.
    Quit,
}

impl From<EarNews> for Notice {
    fn from(news: EarNews) -> Self {
        match news {
            EarNews::Heard(id, hearing) => Self::Announced(id, hearing),
            EarNews::NotListened(id) => Self::NotListened(id),
        }
    }
}

/// The way to the signalling thread. Never blocks.
#[derive(Debug, Clone)]
pub(crate) struct Notices(UnboundedSender<Notice>);

impl Notices {
    /// Makes a way to the signalling thread, and its end of it.
    pub(crate) fn new() -> (Self, UnboundedReceiver<Notice>) {
        let (sender, receiver) = unbounded_channel();
        (Self(sender), receiver)
    }

    /// Sends; without effect once the signalling thread has ended.
    pub(crate) fn send(&self, notice: Notice) {
        if self.0.send(notice).is_err() {
            tracing::debug!("signalling has ended; a notice is not heard");
        }
    }
}

/// The calls whose facts have changed since somebody last looked. A set: however often a call
/// changes, it is asked about once.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangedCalls {
    ids: Arc<Mutex<BTreeSet<RecordingId>>>,
    bell: Arc<Notify>,
}

impl ChangedCalls {
    /// Remembers a call and rings. May be called from any thread; does not block.
    pub(crate) fn add(&self, id: RecordingId) {
        self.lock().insert(id);
        self.bell.notify_one();
    }

    /// Takes what has changed.
    pub(crate) fn take(&self) -> BTreeSet<RecordingId> {
        std::mem::take(&mut *self.lock())
    }

    /// Waits until something has changed.
    pub(crate) async fn wait(&self) {
        self.bell.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<RecordingId>> {
        // A poisoned set is still a whole one.
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
