//! The diary: what the recorder did, minute by minute. Who later misses a call finds there whether
//! the recorder ran, took new calls, or turned something away. Nothing about anybody.

use crate::shared::{Shared, WhyNot};
use std::collections::BTreeMap;
use voicelog_archive::{Archive, ArchiveError, DiaryEntry};
use voicelog_model::Timestamp;

const MINUTE: i64 = 60_000_000;
/// How long a minute is known, in microseconds: 93 days, so a whole month can be looked at in the
/// next.
const KEPT: i64 = 93 * 24 * 60 * MINUTE;
/// Most lines that wait for a disk that takes none. Beyond that what is new is not noted.
const WAITING_MAX: usize = 10_000;
/// The word for a minute in which the recorder ran.
const RAN: &str = "ran";

/// What is to be written, and what has been.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    /// The counts up to which everything is noted.
    noted: BTreeMap<&'static str, u64>,
    /// By start of the minute and word: how often, and not written yet.
    waiting: BTreeMap<(i64, &'static str), u64>,
    minute: Option<i64>,
}

impl Diary {
    /// Notes what has happened since the last time. Whether a new minute has begun: then what
    /// waits is to be written.
    pub(crate) fn note(&mut self, shared: &Shared, now: Timestamp) -> bool {
        let minute = now.micros().div_euclid(MINUTE) * MINUTE;
        let is_new = self.minute.replace(minute) != Some(minute);
        if is_new {
            self.add(minute, RAN, 1);
        }
        let (why_not, counts) = shared.counts();
        if let Some(why_not) = why_not {
            // Once a minute: it is a state, not a number of times.
            self.waiting.insert((minute, word(why_not)), 1);
        }
        for (what, count) in counts {
            let before = self.noted.insert(what, count).unwrap_or(0);
            self.add(minute, what, count.saturating_sub(before));
        }
        is_new
    }

    fn add(&mut self, minute: i64, what: &'static str, count: u64) {
        if count > 0 && self.waiting.len() < WAITING_MAX {
            let sum = self.waiting.entry((minute, what)).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    /// Writes what waits, and forgets what is old. After an error it waits on.
    pub(crate) fn write(&mut self, archive: &Archive, now: Timestamp) -> Result<(), ArchiveError> {
        let entries: Vec<DiaryEntry> = self
            .waiting
            .iter()
            .map(|((minute, what), count)| DiaryEntry {
                minute: Timestamp::from_micros(*minute),
                what: (*what).to_owned(),
                count: *count,
            })
            .collect();
        archive.add_to_diary(&entries)?;
        self.waiting.clear();
        archive.forget_links(now)?;
        archive.forget_copy_links(now)?;
        archive.forget_diary(now.plus_micros(-KEPT))
    }
}

/// The word for a minute in which no new calls were taken.
const fn word(why_not: WhyNot) -> &'static str {
    match why_not {
        WhyNot::TooManyCalls => "no_new_calls_too_many",
        WhyNot::DiskNearlyFull => "no_new_calls_disk_full",
        WhyNot::DiskTrouble => "no_new_calls_disk_trouble",
        WhyNot::NoMediaPorts => "no_new_calls_no_media_ports",
        WhyNot::Draining => "no_new_calls_stopping",
        WhyNot::Broken => "no_new_calls_broken",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000 + seconds * 1_000_000)
    }

    fn waiting(diary: &Diary) -> Vec<(i64, &'static str, u64)> {
        let start = at(0).micros();
        let lines = diary.waiting.iter();
        lines
            .map(|((minute, what), count)| ((minute - start) / MINUTE, *what, *count))
            .collect()
    }

    #[test]
    fn each_minute_says_that_it_ran_and_what_came_in_it() {
        let (shared, mut diary) = (Shared::default(), Diary::default());
        assert!(diary.note(&shared, at(1)));
        assert!(!diary.note(&shared, at(2)));
        shared.set_count("refused_bad_request", 2);
        assert!(!diary.note(&shared, at(30)));
        shared.set_count("refused_bad_request", 5);
        assert!(diary.note(&shared, at(61)));
        shared.set_why_not(Some(WhyNot::DiskNearlyFull));
        assert!(!diary.note(&shared, at(62)));
        assert!(!diary.note(&shared, at(63)));
        assert_eq!(
            waiting(&diary),
            [
                (0, "ran", 1),
                (0, "refused_bad_request", 2),
                (1, "no_new_calls_disk_full", 1),
                (1, "ran", 1),
                (1, "refused_bad_request", 3),
            ]
        );
    }

    #[test]
    fn what_cannot_be_written_does_not_grow_without_end() {
        let (shared, mut diary) = (Shared::default(), Diary::default());
        for minute in 0..20_000 {
            diary.note(&shared, at(60 * minute));
        }
        assert_eq!(diary.waiting.len(), WAITING_MAX);
    }
}
