//! The files that are in a folder: how long each has not changed, and when it is its turn.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use voicelog_model::Timestamp;

/// How long a file is left alone after it could not be taken for the first time; twice as long each time after that.
const PAUSE_MICROS: i64 = 10_000_000;
/// At most.
const PAUSE_MICROS_MAX: i64 = 600_000_000;

/// What a file looks like from outside: how large it is, and when it was changed last (microseconds).
pub(super) type Look = (u64, i64);

#[derive(Debug, Clone, Copy)]
struct Seen {
    look: Look,
    since: Timestamp,
    tries: u32,
    turn: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    settle_micros: i64,
    seen: BTreeMap<OsString, Seen>,
}

impl Queue {
    pub(super) fn new(settle_micros: i64) -> Self {
        Self {
            settle_micros,
            seen: BTreeMap::new(),
        }
    }

    /// Says what is in the folder now. One that looks otherwise than before begins anew.
    pub(super) fn found(&mut self, files: impl Iterator<Item = (OsString, Look)>, now: Timestamp) {
        let mut seen = BTreeMap::new();
        for (name, look) in files {
            let before = self.seen.get(&name).filter(|seen| seen.look == look);
            let begins = Seen {
                look,
                since: now,
                tries: 0,
                turn: now.plus_micros(self.settle_micros),
            };
            seen.insert(name, before.copied().unwrap_or(begins));
        }
        self.seen = seen;
    }

    /// Whose turn it is: whoever waited longest first, so that those that fail keep nobody waiting.
    pub(super) fn due(&self, now: Timestamp) -> Vec<OsString> {
        let due = self.seen.iter().filter(|(_, seen)| seen.turn <= now);
        let mut due: Vec<_> = due.map(|(name, seen)| (seen.turn, name)).collect();
        due.sort_unstable();
        due.into_iter().map(|(_, name)| name.clone()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    /// How long it has not changed, in microseconds.
    pub(super) fn unchanged(&self, name: &OsStr, now: Timestamp) -> i64 {
        let seen = self.seen.get(name);
        seen.map_or(0, |seen| now.micros_since(seen.since))
    }

    pub(super) fn looks_like(&self, name: &OsStr, look: Look) -> bool {
        self.seen.get(name).is_some_and(|seen| seen.look == look)
    }

    /// It is put aside.
    pub(super) fn done(&mut self, name: &OsStr) {
        self.seen.remove(name);
    }

    /// It is not whole yet, as it seems.
    pub(super) fn settle(&mut self, name: &OsStr, now: Timestamp) {
        if let Some(seen) = self.seen.get_mut(name) {
            seen.turn = now.plus_micros(self.settle_micros);
        }
    }

    /// It could not be taken, for a reason that is not its own.
    pub(super) fn failed(&mut self, name: &OsStr, now: Timestamp) {
        if let Some(seen) = self.seen.get_mut(name) {
            let pause = PAUSE_MICROS.saturating_mul(1_i64 << seen.tries.min(30));
            seen.turn = now.plus_micros(pause.min(PAUSE_MICROS_MAX));
            seen.tries = seen.tries.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn name(number: usize) -> OsString {
        format!("{number:03}.wav").into()
    }

    #[test]
    fn files_that_fail_are_tried_ever_more_seldom_and_keep_nobody_waiting() {
        let mut queue = Queue::new(30_000_000);
        let all = || (0..250).map(|number| (name(number), (1, 1)));
        queue.found(all(), at(0));
        assert_eq!(queue.due(at(29)), [""; 0]);
        let (mut tries, mut last) = (0, None);
        for seconds in (30..3_630).step_by(5) {
            queue.found(all(), at(seconds));
            for one in queue.due(at(seconds)).into_iter().take(100) {
                match one == name(240) {
                    // The only one that can be taken.
                    true => last = last.or(Some(seconds)),
                    false => queue.failed(&one, at(seconds)),
                }
                tries += u32::from(one == name(7));
            }
        }
        assert_eq!(last, Some(40), "in the third look");
        assert!((8..=14).contains(&tries), "{tries} in an hour");
    }

    #[test]
    fn a_file_that_changed_begins_anew() {
        let mut queue = Queue::new(30_000_000);
        let one = |look| std::iter::once((name(1), look));
        queue.found(one((1, 1)), at(0));
        for seconds in [30, 60] {
            queue.failed(&name(1), at(seconds));
        }
        queue.found(one((2, 2)), at(70));
        assert_eq!(queue.due(at(99)), [""; 0]);
        assert_eq!(queue.due(at(100)), [name(1)]);
        assert_eq!(queue.unchanged(&name(1), at(100)), 30_000_000);
        assert!(!queue.looks_like(&name(1), (1, 1)));
    }
}
