//! Notices that a clock was set: held against a clock that nobody sets, it has gone too far or not far
//! enough.

use crate::pace::Tick;
use std::time::Duration;
use voicelog_model::Timestamp;

/// What counts as set, in microseconds: a second. Slewing (NTP) moves it by far less between two looks.
const STEP_MIN: i64 = 1_000_000;
/// How far apart two readings may be that are taken as one moment.
const APART_MAX: Duration = Duration::from_millis(100);

/// The last look at both clocks.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    last: Option<(Timestamp, Tick)>,
}

impl Steps {
    /// Looks again at the clock that can be set, with `read`. By how much it was set since the last time, in
    /// microseconds, if it was.
    pub(crate) fn look<T>(&mut self, read: impl FnOnce() -> (Timestamp, T)) -> (T, Option<i64>) {
        let before = Tick::now();
        let (now, read) = read();
        let after = Tick::now();
        (read, self.judge(now, before, after))
    }

    /// A look between two moments of the other clock. Where they are far apart, this thread was put aside in
    /// between and the look tells nothing.
    fn judge(&mut self, now: Timestamp, before: Tick, after: Tick) -> Option<i64> {
        if after.since(before) > APART_MAX {
            return None;
        }
        let (then, since) = self.last.replace((now, before))?;
        let passed = i64::try_from(before.since(since).as_micros()).unwrap_or(i64::MAX);
        let by = now.micros_since(then).saturating_sub(passed);
        (by.abs() >= STEP_MIN).then_some(by)
    }

    /// The next look is a first one.
    pub(crate) const fn forget(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_noticed_once_and_time_that_passes_is_not() {
        let (mut steps, start) = (Steps::default(), Tick::now());
        let mut look = |wall_ms: i64, passed_ms: u64| {
            let now = Timestamp::from_micros(1_800_000_000_000_000 + wall_ms * 1_000);
            let tick = start.plus(Duration::from_millis(passed_ms));
            steps.judge(now, tick, tick)
        };
        assert_eq!(look(0, 0), None);
        assert_eq!(look(3_600_000, 3_600_000), None, "a machine that slept");
        assert_eq!(look(3_600_900, 3_600_020), None, "less than a second");
        assert_eq!(look(3_605_920, 3_600_040), Some(5_000_000));
        assert_eq!(look(3_605_940, 3_600_060), None);
        assert_eq!(look(3_602_960, 3_600_080), Some(-3_000_000));
    }

    #[test]
    fn a_thread_that_is_put_aside_between_two_readings_has_seen_no_step() {
        let (mut steps, start) = (Steps::default(), Tick::now());
        let at = |ms: i64| Timestamp::from_micros(1_800_000_000_000_000 + ms * 1_000);
        let tick = |ms: u64| start.plus(Duration::from_millis(ms));
        assert_eq!(steps.judge(at(0), tick(0), tick(0)), None);
        // The clock was read at 20, and two seconds later the other one.
        assert_eq!(steps.judge(at(20), tick(19), tick(2_020)), None);
        assert_eq!(steps.judge(at(2_040), tick(2_040), tick(2_041)), None);
    }
}
