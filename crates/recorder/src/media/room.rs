//! How much media waits in memory, of all calls together, and whose is the oldest.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use voicelog_model::{RecordingId, Timestamp};

/// Longest that anything waits, in microseconds, with some room: a look-back of 300 s and the time
/// that the law takes. What was put by before that is no longer there.
const LONGEST_MICROS: i64 = 330_000_000;

/// Memory for media that waits.
#[derive(Debug)]
pub(crate) struct Room {
    used: AtomicUsize,
    max: usize,
}

impl Room {
    /// So many bytes, of all calls together.
    pub(crate) const fn new(max: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            max,
        }
    }

    /// Bytes that are taken.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether more is taken than there is.
    pub(super) fn is_overfull(&self) -> bool {
        self.used() > self.max
    }
}

/// What was put by, oldest first: when, and of which call. What has gone meanwhile stays named
/// until it is too old to be there.
#[derive(Debug, Default)]
pub(super) struct Oldest(VecDeque<(Timestamp, RecordingId)>);

impl Oldest {
    /// Something of a call was put by.
    pub(super) fn add(&mut self, at: Timestamp, id: RecordingId) {
        self.0.push_back((at, id));
    }

    /// Forgets what is too old to be there still.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.0.front()
            && now.micros_since(*at) > LONGEST_MICROS
        {
            self.0.pop_front();
        }
    }

    /// Forgets everything: the times are those of a clock that was set since.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Takes the oldest.
    pub(super) fn take(&mut self) -> Option<(Timestamp, RecordingId)> {
        self.0.pop_front()
    }
}
