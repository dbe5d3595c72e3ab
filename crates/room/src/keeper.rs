//! The keeper: one thread that closes talks and looks at the clock.

use crate::guard::{contained_in, mishap};
use crate::rooms::Shared;
use crate::state::EndedBy;
use crate::talk::Talk;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, TryLockError};
use std::time::Duration;
use voicelog_archive::RecordingWriter;
use voicelog_model::{RecordingId, Timestamp, error::chain};

/// How often the clock is looked at.
const BEAT: Duration = Duration::from_millis(250);
/// Where no device was heard of for so long, the talk ends: 15 minutes.
const FORSAKEN_MICROS: i64 = 15 * 60 * 1_000_000;
/// How long the end of a talk waits for the last chunks of its devices: 2 minutes.
const LAST_CHUNKS_MICROS: i64 = 120_000_000;
/// How long a talk that is over can be looked at: an hour.
const REMEMBERED_MICROS: i64 = 3_600_000_000;

pub(crate) enum Job {
    /// Its last words are on the disk.
    Close(Arc<Talk>, Box<RecordingWriter>),
    /// Nothing more is written of it; recovery closes it.
    GivenUp(Arc<Talk>),
    /// Writing it went wrong.
    Failed(RecordingId),
    Wake,
    Stop,
}

/// The way to the keeper.
#[derive(Debug, Clone)]
pub(crate) struct KeeperHandle(Sender<Job>);

/// The keeper's end of the way.
pub(crate) struct KeeperEnd(Mutex<Receiver<Job>>);

impl KeeperHandle {
    pub(crate) fn new() -> (Self, KeeperEnd) {
        let (jobs, received) = std::sync::mpsc::channel();
        (Self(jobs), KeeperEnd(Mutex::new(received)))
    }

    pub(crate) fn close(&self, talk: Arc<Talk>, writer: RecordingWriter) {
        self.send(Job::Close(talk, Box::new(writer)));
    }

    pub(crate) fn given_up(&self, talk: Arc<Talk>) {
        self.send(Job::GivenUp(talk));
    }

    pub(crate) fn failed(&self, id: RecordingId) {
        self.send(Job::Failed(id));
    }

    pub(crate) fn wake(&self) {
        self.send(Job::Wake);
    }

    pub(crate) fn stop(&self) {
        self.send(Job::Stop);
    }

    fn send(&self, job: Job) {
        if self.0.send(job).is_err() {
            tracing::error!("the keeper of talks is gone; recovery closes what is open");
        }
    }
}

/// Runs until it is stopped.
pub(crate) fn run(shared: &Shared, end: &KeeperEnd) {
    let Ok(jobs) = end.0.lock() else {
        return;
    };
    loop {
        match jobs.recv_timeout(BEAT) {
            Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(Job::Close(talk, writer)) => {
                let id = talk.id;
                if contained_in(id, "closing", || shared.close(&talk, writer)).is_none() {
                    give_up(shared, &talk);
                }
            }
            Ok(Job::GivenUp(talk)) => give_up(shared, &talk),
            Ok(Job::Failed(id)) => {
                if let Ok(talk) = shared.find(id) {
                    give_up(shared, &talk);
                }
            }
            Ok(Job::Wake) | Err(RecvTimeoutError::Timeout) => {}
        }
        tick(shared);
    }
}

/// A talk is left for recovery to close. A mistake in saying so must not end the keeper.
fn give_up(shared: &Shared, talk: &Talk) {
    contained_in(talk.id, "giving it up", || shared.failed(talk));
}

/// One look at all talks.
pub(crate) fn tick(shared: &Shared) {
    for talk in shared.all() {
        // A look can take a while: it asks the law, and may wait for the disk.
        let now = shared.clock.now();
        let looked = contained_in(talk.id, "looking at the clock", || {
            mishap(talk.id, "looking");
            look(shared, &talk, now);
        });
        if looked.is_none() {
            give_up(shared, &talk);
        }
    }
    let now = shared.clock.now();
    let is_over = |talk: &Arc<Talk>| {
        let closed = talk.lock().closed;
        closed.is_some_and(|closed| now.micros_since(closed) >= REMEMBERED_MICROS)
    };
    let over: Vec<RecordingId> = shared
        .all()
        .iter()
        .filter(|t| is_over(t))
        .map(|t| t.id)
        .collect();
    if !over.is_empty() {
        let mut talks = shared.write_talks();
        talks.retain(|id, _talk| !over.contains(id));
    }
}

fn look(shared: &Shared, talk: &Arc<Talk>, now: Timestamp) {
    if talk.lock().closed.is_some() {
        return;
    }
    // Facts of a call in progress can be said over the API as well.
    let version = shared.archive.versions(talk.id);
    let (ended, over, is_recorded) = {
        let mut inner = talk.lock();
        let is_news = inner.is_silence_news(now) | shared.mind_notice(talk, &mut inner, now);
        let has_lapsed = inner.code.as_ref().is_some_and(|(_, until)| now >= *until);
        if has_lapsed {
            inner.code = None;
        }
        let is_too_long = inner.ends_at().is_some_and(|at| now >= at);
        let is_forsaken = now.micros_since(inner.heard_at) >= FORSAKEN_MICROS;
        let over = match (is_too_long, is_forsaken) {
            (true, _) => Some(EndedBy::Length),
            (false, true) => Some(EndedBy::Nobody),
            (false, false) => None,
        };
        let is_news_to_law = inner.is_unanswered || inner.asked_version != Some(version);
        let is_recorded = inner.started.is_some() && is_news_to_law;
        let known = (inner.ended, over, is_recorded);
        drop(inner);
        if is_news || has_lapsed {
            talk.changed();
        }
        known
    };
    if let Some((at, _cause)) = ended {
        let is_late = now.micros_since(at) >= LAST_CHUNKS_MICROS;
        shared.close_if_due(talk, is_late, now);
        return;
    }
    // Whoever acts in it just now is heard of.
    let _acting = match talk.acting.try_lock() {
        Ok(acting) => acting,
        Err(TryLockError::Poisoned(acting)) => acting.into_inner(),
        Err(TryLockError::WouldBlock) => return,
    };
    if let Some(by) = over {
        shared.end(talk, by, now);
    } else if is_recorded {
        match shared.ask_if_needed(talk, now) {
            Ok(()) => talk.lock().asked_version = Some(version),
            // Nothing is kept until the law was asked; the next look asks it.
            Err(error) => {
                tracing::warn!(recording = %talk.id, error = %chain(&error), "the law is asked again");
            }
        }
    }
}
