//! The end of a talk: no more is kept, the last chunks come, and the recording is closed.

use crate::rooms::{Rooms, Shared};
use crate::state::{EndedBy, Fingerprint};
use crate::talk::{Inner, Journal, Talk};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use voicelog_archive::journal::{Cause, JournalEvent};
use voicelog_archive::{ArchiveError, News, NewsKind, RecordingWriter};
use voicelog_model::{RecordingId, Timestamp, error::chain};

impl Rooms {
    /// The server stops: every talk ends now, which its timeline says, and is closed with what its devices have handed
    /// over. Minutes that the host signed are kept as they are. False where not all talks were closed in that time; the next
    /// start closes them.
    #[must_use]
    pub fn settle(&self, wait: Duration) -> bool {
        let shared = &self.shared;
        shared.is_stopping.store(true, Ordering::Relaxed);
        let now = shared.clock.now();
        for talk in shared.all() {
            let _acting = talk.act();
            if talk.lock().ended.is_none() {
                shared.end(&talk, EndedBy::Stop, now);
            }
            shared.close_if_due(&talk, true, now);
        }
        let is_open = |talk: &Arc<Talk>| talk.lock().closed.is_none();
        let one_at_a_time = shared
            .closing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let waited = shared
            .one_closed
            .wait_timeout_while(one_at_a_time, wait, |()| shared.all().iter().any(is_open));
        let (one_at_a_time, ran_out) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(one_at_a_time);
        // Sound first: minutes can wait for it, and as long as it may take.
        let until = now.plus_micros(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
        for talk in shared.all() {
            if shared.clock.now() >= until {
                break;
            }
            shared.keep_at_stop(&talk);
        }
        !ran_out.timed_out()
    }
}

impl Shared {
    /// Ends a talk at that moment: what was captured later is not kept. The caller holds `acting`.
    pub(crate) fn end(&self, talk: &Talk, by: EndedBy, now: Timestamp) {
        let is_done = {
            let mut inner = talk.lock();
            if inner.ended.is_some() {
                return;
            }
            inner.held.close(now);
            inner.code = None;
            inner.ended = Some((now, by.cause()));
            inner.ended_by = Some(by);
            inner.are_tracks_closed()
        };
        talk.changed();
        if is_done {
            self.keeper.wake();
        }
    }

    /// Closes a talk that has ended, once nothing more comes, or it is late.
    pub(crate) fn close_if_due(&self, talk: &Arc<Talk>, is_late: bool, now: Timestamp) {
        let unrecorded = {
            let mut inner = talk.lock();
            let Some((at, cause)) = inner.ended else {
                return;
            };
            let is_complete = inner.are_tracks_closed() && !self.is_listening(&inner);
            if inner.is_closing || !(is_late || is_complete) {
                return;
            }
            inner.is_closing = true;
            if inner.started.is_some() {
                self.say_the_end(talk, &mut inner, at, cause);
                None
            } else {
                Some(inner.unrecorded(at, cause))
            }
        };
        match unrecorded {
            None => self.writer.end(Arc::clone(talk)),
            Some(events) => self.close_unrecorded(talk, &events, now),
        }
    }

    /// The last events of the journal.
    fn say_the_end(&self, talk: &Talk, inner: &mut Inner, at: Timestamp, cause: Cause) {
        for place in 0..inner.tracks.len() {
            self.conclude(talk, inner, place, at, Cause::TimeOut);
        }
        self.end_notice(talk, inner, at);
        talk.note(inner, &self.writer, at, JournalEvent::CallEnded { cause });
        inner.journal = Journal::Over;
    }

    /// Nothing was recorded: where the law refused that is kept, and otherwise nothing is.
    fn close_unrecorded(&self, talk: &Talk, events: &[(Timestamp, JournalEvent)], now: Timestamp) {
        match self.archive.finish_unrecorded(talk.id, events, now) {
            Ok(finished) => self.tell(News::closed(now, talk.id, &finished.timeline)),
            // Nobody asked the law, or it permitted and nobody started: there is nothing to keep.
            Err(ArchiveError::NotFound(_)) => {}
            Err(error) => {
                tracing::error!(recording = %talk.id, error = %chain(&error),
                    "a talk is left for recovery to close");
                self.failed(talk);
            }
        }
        self.is_closed(talk);
    }

    /// Closes the recording, whose last words are on the disk.
    pub(crate) fn close(&self, talk: &Talk, mut writer: Box<RecordingWriter>) {
        let (id, now) = (talk.id, self.clock.now());
        let closed = self.archive.close(&mut writer);
        let finished = match closed {
            Ok(()) => self.archive.finish(*writer, now),
            Err(error) => Err(error),
        };
        let finished = finished.or_else(|error| {
            tracing::warn!(recording = %id, error = %chain(&error), "a talk is closed from what is stored");
            self.archive.finish_from_disk(id, now)
        });
        match finished {
            Ok(finished) => {
                tracing::info!(recording = %id, verdict = finished.verdict.as_str(), "recorded");
                self.tell(News::closed(now, id, &finished.timeline));
                if let Err(error) = self.archive.sequence() {
                    // The next one that sequences takes it along.
                    tracing::warn!(error = %chain(&error), "the log could not be continued");
                }
                self.link_recording(talk);
                talk.lock().fingerprint = self.fingerprint(id);
            }
            Err(error) => {
                tracing::error!(recording = %id, error = %chain(&error),
                    "a talk is left for recovery to close");
                self.failed(talk);
            }
        }
        self.is_closed(talk);
    }

    pub(crate) fn fingerprint(&self, id: RecordingId) -> Option<Fingerprint> {
        Fingerprint::of(self.archive.fingerprint(id).ok().flatten()?)
    }

    /// It is over, one way or another.
    pub(crate) fn is_closed(&self, talk: &Talk) {
        {
            let mut inner = talk.lock();
            inner.closed.get_or_insert(self.clock.now());
            inner.journal = Journal::Over;
            for track in &mut inner.tracks {
                track.is_open = false;
                // Whoever waits is told that nobody knows.
                track.waiting.clear();
            }
        }
        talk.changed();
        // Whoever looks whether all are closed either sees this one so, or is waiting by now.
        drop(self.closing.lock().unwrap_or_else(PoisonError::into_inner));
        self.one_closed.notify_all();
    }

    /// Something went wrong with it: it ends here, for everybody in it to see, and the next start of the server closes
    /// what is on the disk.
    pub(crate) fn failed(&self, talk: &Talk) {
        let now = self.clock.now();
        let is_known = {
            let mut inner = talk.lock();
            inner.held.close(now);
            inner.ended.get_or_insert((now, EndedBy::Failure.cause()));
            inner.code = None;
            inner.is_closing = true;
            // Whatever it was that ended it: this is what people have to know.
            inner.ended_by.replace(EndedBy::Failure) == Some(EndedBy::Failure)
        };
        if !is_known {
            self.writer.give_up(talk.id);
            self.failures().push((talk.id, now));
            self.tell(News::new(NewsKind::Failed, now, Some(talk.id)).with("reason", "not_closed"));
        }
        self.is_closed(talk);
    }

    /// Talks that were left for the next start of the server to close, since this one.
    pub(crate) fn failures(&self) -> MutexGuard<'_, Vec<(RecordingId, Timestamp)>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, news: News) {
        if let Err(error) = self.archive.tell(&[news]) {
            tracing::error!(error = %chain(&error), "a message to other systems is not queued");
        }
    }
}

impl Inner {
    /// The events of a talk of which nothing was recorded.
    fn unrecorded(&mut self, at: Timestamp, cause: Cause) -> Vec<(Timestamp, JournalEvent)> {
        let began = self.began.unwrap_or(at);
        let mut events = vec![(began, JournalEvent::CallStarted {})];
        if let Journal::Waits(waited) = std::mem::replace(&mut self.journal, Journal::Over) {
            events.extend(waited.into_iter().filter(|(at, _)| *at >= began));
        }
        events.push((at, JournalEvent::CallEnded { cause }));
        events
    }
}
