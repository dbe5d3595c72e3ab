//! What the threads tell each other about the recorder as a whole, and what others may see of it.

use crate::alarms::{AlarmKey, StandingAlarm};
use crate::clock_check::ClockCheck;
use crate::media::{MediaCounts, PauseStatus, SharedCounts};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use voicelog_archive::{News, Readiness};
use voicelog_model::{RecordingId, Timestamp};

/// News that waits for a disk that takes nothing. Beyond that what is new is left out, and counted.
const NEWS_MAX: usize = 10_000;
/// The word for a new call that was turned away because the archive could not answer.
pub(crate) const NO_ANSWER: &str = "refused_no_answer";

/// The recorder as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Calls in progress.
    pub calls: Vec<CallStatus>,
    /// Calls that have ended and are being closed.
    pub closing: usize,
    /// Whether new calls are taken.
    pub accepting: bool,
    /// Why not, if not.
    pub why_not: Option<WhyNot>,
    /// What became of the packets of all calls since the start.
    pub media: MediaCounts,
    /// How often what happened since the start: messages read, refused and ignored, calls offered.
    pub counts: BTreeMap<&'static str, u64>,
    /// Bytes of media that wait in memory, for a notice or for somebody who asks to keep the call.
    pub waiting_bytes: usize,
    /// After how many minutes the disk is too full for new calls, if it goes on as in the last hour.
    pub disk_minutes_left: Option<u64>,
    /// Alarms that stand.
    pub alarms: Vec<StandingAlarm>,
}

/// A call in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallStatus {
    /// Its recording.
    pub id: RecordingId,
    /// What is being done with it.
    pub state: CallState,
    /// When it was offered.
    pub offered_at: Timestamp,
    /// What its media came to so far.
    pub media: MediaCounts,
    /// The pause that it is in.
    pub pause: Option<PauseStatus>,
    /// Since when it is a private call, of which nothing is kept.
    pub private: Option<Timestamp>,
}

/// What is being done with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// The law is being asked for the first time.
    Asking,
    /// Not permitted (yet): nothing is kept.
    Waiting,
    /// Media is kept.
    Recording,
    /// It was recorded, and now it may not be.
    Stopped,
}

/// Why no new call is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNot {
    /// As many calls as the configuration allows.
    TooManyCalls,
    /// Less room on the disk than is to be kept free.
    DiskNearlyFull,
    /// The last attempt to make media durable failed, or the disk can't be asked.
    DiskTrouble,
    /// No ports of the configured range are free for the media of one more call.
    NoMediaPorts,
    /// The server is being stopped.
    Draining,
    /// A part of the recorder has failed for good: the process has to be started again.
    Broken,
}

impl WhyNot {
    /// The word in the diary and in messages to other systems.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooManyCalls => "too_many",
            Self::DiskNearlyFull => "disk_full",
            Self::DiskTrouble => "disk_trouble",
            Self::NoMediaPorts => "no_media_ports",
            Self::Draining => "stopping",
            Self::Broken => "broken",
        }
    }
}

/// One call's part of the status.
#[derive(Debug)]
pub(crate) struct CallEntry {
    pub(crate) state: CallState,
    pub(crate) offered_at: Timestamp,
    pub(crate) counts: Arc<SharedCounts>,
}

/// Shared by all threads of the recorder. No lock here is held while anything else is done.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    disk_trouble: AtomicBool,
    disk_full: AtomicBool,
    is_broken: AtomicBool,
    state: Mutex<State>,
    all_finished: Condvar,
}

#[derive(Debug, Default)]
struct State {
    calls: BTreeMap<RecordingId, CallEntry>,
    /// Calls offered and not yet closed, with or without a recording.
    unfinished: usize,
    why_not: Option<WhyNot>,
    media_of_ended: MediaCounts,
    /// Of calls that have ended, and of which a media thread may still take in what came last.
    ending: Vec<Arc<SharedCounts>>,
    counts: BTreeMap<&'static str, u64>,
    /// What is to be told to other systems; the finisher takes it to the disk.
    news: Vec<News>,
    disk_minutes_left: Option<u64>,
    alarms: BTreeMap<AlarmKey, Timestamp>,
    /// What is new of it; signalling takes it.
    readiness: Option<Readiness>,
    /// What our clock was held against last.
    clock_check: Option<ClockCheck>,
}

impl State {
    fn standing(&self) -> Vec<StandingAlarm> {
        let one = |(key, since): (&AlarmKey, &Timestamp)| StandingAlarm {
            key: *key,
            since: *since,
        };
        self.alarms.iter().map(one).collect()
    }
}

impl Shared {
    /// Our clock was held against another one.
    pub(crate) fn set_clock_check(&self, check: ClockCheck) {
        self.lock().clock_check = Some(check);
    }

    /// What our clock was held against last, if that was less than `micros` before `now`.
    pub(crate) fn clock_check(&self, now: Timestamp, micros: i64) -> Option<ClockCheck> {
        let check = self.lock().clock_check.clone();
        check.filter(|check| now.micros_since(check.checked_at).abs() < micros)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is one insert, remove or addition: a poisoned state is still a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_disk_trouble(&self, is_so: bool) {
        self.disk_trouble.store(is_so, Ordering::Relaxed);
    }

    /// What the disk has to say about new calls.
    pub(crate) fn set_disk_is_full(&self, is_so: bool) {
        self.disk_full.store(is_so, Ordering::Relaxed);
    }

    /// A thread is gone that nothing can do without. Whoever waits for calls is let go.
    pub(crate) fn set_broken(&self) {
        let state = self.lock();
        self.is_broken.store(true, Ordering::Relaxed);
        drop(state);
        self.all_finished.notify_all();
    }

    fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }

    /// Whether we ourselves, or the disk, stand in the way of new calls.
    pub(crate) fn trouble_why_not(&self) -> Option<WhyNot> {
        if self.is_broken() {
            Some(WhyNot::Broken)
        } else if self.disk_trouble.load(Ordering::Relaxed) {
            Some(WhyNot::DiskTrouble)
        } else if self.disk_full.load(Ordering::Relaxed) {
            Some(WhyNot::DiskNearlyFull)
        } else {
            None
        }
    }

    /// Says whether new calls are taken. Whether that is a change.
    pub(crate) fn set_why_not(&self, why_not: Option<WhyNot>) -> bool {
        std::mem::replace(&mut self.lock().why_not, why_not) != why_not
    }

    pub(crate) fn set_count(&self, what: &'static str, count: u64) {
        self.lock().counts.insert(what, count);
    }

    /// Something happened once more.
    pub(crate) fn count(&self, what: &'static str) {
        let mut state = self.lock();
        let count = state.counts.entry(what).or_default();
        *count = count.saturating_add(1);
    }

    /// How often it happened.
    pub(crate) fn count_of(&self, what: &str) -> u64 {
        self.lock().counts.get(what).copied().unwrap_or(0)
    }

    pub(crate) fn set_disk_minutes_left(&self, minutes: Option<u64>) {
        self.lock().disk_minutes_left = minutes;
    }

    /// An alarm stands from now on. Whether it did not before.
    pub(crate) fn set_alarm(&self, key: AlarmKey, at: Timestamp) -> bool {
        let mut state = self.lock();
        let is_new = !state.alarms.contains_key(&key);
        state.alarms.entry(key).or_insert(at);
        is_new
    }

    /// An alarm stands no more. Whether it did.
    pub(crate) fn unset_alarm(&self, key: AlarmKey) -> bool {
        self.lock().alarms.remove(&key).is_some()
    }

    /// The alarms that stand.
    pub(crate) fn alarms(&self) -> Vec<StandingAlarm> {
        self.lock().standing()
    }

    /// Which lines could record a call.
    pub(crate) fn set_readiness(&self, readiness: Readiness) {
        self.lock().readiness = Some(readiness);
    }

    /// The same, if it is news.
    pub(crate) fn take_readiness(&self) -> Option<Readiness> {
        self.lock().readiness.take()
    }

    /// Something happened that other systems may want to hear.
    pub(crate) fn tell(&self, news: News) {
        self.give_news_back(vec![news], false);
    }

    /// What is to be told since the last time.
    pub(crate) fn take_news(&self) -> Vec<News> {
        std::mem::take(&mut self.lock().news)
    }

    /// News that wait, before what is newer if they could not be taken to the disk.
    pub(crate) fn give_news_back(&self, news: Vec<News>, is_older: bool) {
        let mut state = self.lock();
        let waiting = std::mem::take(&mut state.news);
        let (mut all, rest) = if is_older {
            (news, waiting)
        } else {
            (waiting, news)
        };
        all.extend(rest);
        let left_out = all.len().saturating_sub(NEWS_MAX) as u64;
        all.truncate(NEWS_MAX);
        state.news = all;
        if left_out > 0 {
            let count = state.counts.entry("news_left_out").or_default();
            *count = count.saturating_add(left_out);
        }
    }

    /// Whether new calls are taken, and how often what happened.
    pub(crate) fn counts(&self) -> (Option<WhyNot>, BTreeMap<&'static str, u64>) {
        let state = self.lock();
        (state.why_not, state.counts.clone())
    }

    pub(crate) fn insert_call(&self, id: RecordingId, entry: CallEntry) {
        self.lock().calls.insert(id, entry);
    }

    pub(crate) fn set_call_state(&self, id: RecordingId, state: CallState) {
        if let Some(entry) = self.lock().calls.get_mut(&id) {
            entry.state = state;
        }
    }

    pub(crate) fn remove_call(&self, id: RecordingId) {
        let mut state = self.lock();
        let entry = state.calls.remove(&id);
        let mut ending = std::mem::take(&mut state.ending);
        ending.extend(entry.map(|entry| entry.counts));
        for counts in ending {
            match Arc::try_unwrap(counts) {
                Ok(counts) => state.media_of_ended.add(&counts.read()),
                Err(counts) => state.ending.push(counts),
            }
        }
    }

    /// A call has been offered; [`Self::call_finished`] is its other half.
    pub(crate) fn call_offered(&self) {
        self.lock().unfinished += 1;
    }

    /// A call is closed, or it is certain that only recovery can close it.
    pub(crate) fn call_finished(&self) {
        let mut state = self.lock();
        state.unfinished = state.unfinished.saturating_sub(1);
        if state.unfinished == 0 {
            self.all_finished.notify_all();
        }
    }

    /// Waits until every call is closed, at most that long, and not at all once nothing can be
    /// closed any more. Whether it is so.
    pub(crate) fn wait_finished(&self, wait: Duration) -> bool {
        let state = self.lock();
        let (state, _timed_out) = self
            .all_finished
            .wait_timeout_while(state, wait, |state| {
                state.unfinished > 0 && !self.is_broken()
            })
            .unwrap_or_else(PoisonError::into_inner);
        state.unfinished == 0
    }

    /// The whole as it is now.
    pub(crate) fn status(&self) -> Status {
        let state = self.lock();
        // Signalling, which looks at admission, may be the one that failed.
        let why_not = if self.is_broken() {
            Some(WhyNot::Broken)
        } else {
            state.why_not
        };
        let mut media = state.media_of_ended;
        let running = state.calls.values().map(|entry| &entry.counts);
        for counts in running.chain(&state.ending) {
            media.add(&counts.read());
        }
        Status {
            alarms: state.standing(),
            media,
            calls: state
                .calls
                .iter()
                .map(|(id, entry)| CallStatus {
                    id: *id,
                    state: entry.state,
                    offered_at: entry.offered_at,
                    media: entry.counts.read(),
                    pause: entry.counts.pause(),
                    private: entry.counts.private(),
                })
                .collect(),
            closing: state.unfinished.saturating_sub(state.calls.len()),
            accepting: why_not.is_none(),
            why_not,
            counts: state.counts.clone(),
            waiting_bytes: 0,
            disk_minutes_left: state.disk_minutes_left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_when_the_last_call_is_closed() {
        let shared = Arc::new(Shared::default());
        assert!(shared.wait_finished(Duration::ZERO));
        shared.call_offered();
        shared.call_offered();
        assert!(!shared.wait_finished(Duration::from_millis(1)));
        let other = Arc::clone(&shared);
        let closing = std::thread::spawn(move || {
            other.call_finished();
            other.call_finished();
        });
        assert!(shared.wait_finished(Duration::from_secs(10)));
        closing.join().unwrap();
    }

    #[test]
    fn what_came_last_of_a_call_is_counted_also_when_it_is_read_after_the_end_and_nothing_twice() {
        let shared = Shared::default();
        let counts = |kept, waiting| MediaCounts {
            kept,
            waiting,
            ..MediaCounts::default()
        };
        let totals = || (shared.status().media.kept, shared.status().media.waiting);
        let media = Arc::new(SharedCounts::default());
        let id = RecordingId::from_bytes([1; 16]);
        let entry = CallEntry {
            state: CallState::Recording,
            offered_at: Timestamp::from_micros(0),
            counts: Arc::clone(&media),
        };
        shared.insert_call(id, entry);
        media.publish(&counts(5, 3), None);
        shared.remove_call(id);
        assert_eq!(totals(), (5, 3));
        media.publish(&counts(8, 0), None);
        assert_eq!(totals(), (8, 0));
        drop(media);
        for _other in 0..2 {
            shared.remove_call(id);
            assert_eq!(totals(), (8, 0));
        }
        assert!(shared.lock().ending.is_empty());
    }
}
