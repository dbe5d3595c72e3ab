//! The room on the disk: an alarm while there is still time, before no new call is taken.

use crate::pace::Tick;
use std::collections::VecDeque;
use std::time::Duration;

/// How often the room is noted for the forecast.
const NOTE_EVERY: Duration = Duration::from_secs(60);
/// How many notes are kept: an hour.
const NOTES_MAX: usize = 60;
/// How many notes a forecast needs: ten minutes.
const NOTES_MIN: usize = 10;

/// What a look at the disk found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// As it was.
    Same,
    /// There is less room than the warning says.
    Short,
    /// There is enough again.
    Enough,
}

/// The room as it was.
#[derive(Debug)]
pub(crate) struct DiskWatch {
    warn_bytes: u64,
    keep_bytes: u64,
    is_short: bool,
    notes: VecDeque<(Tick, u64)>,
}

impl DiskWatch {
    /// Warns below `warn_bytes`; below `keep_bytes` no new call is taken.
    pub(crate) const fn new(warn_bytes: u64, keep_bytes: u64) -> Self {
        Self {
            warn_bytes,
            keep_bytes,
            is_short: false,
            notes: VecDeque::new(),
        }
    }

    /// Looks at the free bytes. The alarm ends where there is a tenth more than it begins with, so that it
    /// does not come and go.
    pub(crate) fn look(&mut self, free: u64, now: Tick) -> Room {
        let is_due = self
            .notes
            .back()
            .is_none_or(|(last, _)| now.since(*last) >= NOTE_EVERY);
        if is_due {
            if self.notes.len() == NOTES_MAX {
                self.notes.pop_front();
            }
            self.notes.push_back((now, free));
        }
        let enough = self.warn_bytes.saturating_add(self.warn_bytes / 10);
        match self.is_short {
            false if free < self.warn_bytes => {
                self.is_short = true;
                Room::Short
            }
            true if free >= enough => {
                self.is_short = false;
                Room::Enough
            }
            _ => Room::Same,
        }
    }

    /// After how many minutes no new call would be taken, if it went on as in the last hour; nothing while
    /// the room does not shrink, or too little is known.
    pub(crate) fn minutes_left(&self) -> Option<u64> {
        let ((then, before), (now, free)) = (self.notes.front()?, self.notes.back()?);
        let seconds = now.since(*then).as_secs();
        let used = before.checked_sub(*free).filter(|used| *used > 0)?;
        if self.notes.len() < NOTES_MIN || seconds == 0 {
            return None;
        }
        let left = u128::from(free.saturating_sub(self.keep_bytes));
        let minutes = left * u128::from(seconds) / u128::from(used) / 60;
        u64::try_from(minutes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_begins_before_calls_are_refused_and_does_not_flicker() {
        let mut watch = DiskWatch::new(1_000, 500);
        let now = Tick::now();
        let looks = [2_000, 999, 1_050, 990, 1_100, 1_050, 999].map(|free| watch.look(free, now));
        assert_eq!(
            looks,
            [
                Room::Same,
                Room::Short,
                Room::Same,
                Room::Same,
                Room::Enough,
                Room::Same,
                Room::Short
            ]
        );
    }

    #[test]
    fn the_forecast_says_when_calls_would_be_refused() {
        let mut watch = DiskWatch::new(1_000, 500);
        let start = Tick::now();
        let at = |minute: u64| start.plus(Duration::from_secs(60 * minute));
        for minute in 0..9 {
            watch.look(10_000 - 100 * minute, at(minute));
            assert_eq!(watch.minutes_left(), None, "too little is known");
        }
        for minute in 9..200 {
            watch.look(100_000 - 100 * minute, at(minute));
        }
        // 80,100 are left at 100 a minute.
        assert_eq!(watch.minutes_left(), Some(796));
        for minute in 200..300 {
            watch.look(90_000, at(minute));
        }
        assert_eq!(watch.minutes_left(), None, "it does not shrink");
    }
}
