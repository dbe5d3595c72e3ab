//! Waiting and the kernel's clock. The only place of this room that reads a clock of the machine.
//!
//! Nothing here is a moment of the record: those come from the [`Clock`](voicelog_model::Clock)
//! that is passed in. A tick says how long to wait; the kernel's time says how old a packet is.

use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// A moment for waiting. It only ever goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(Instant);

impl Tick {
    /// This moment.
    #[expect(
        clippy::disallowed_methods,
        reason = "how long to wait follows the machine; a clock that tests move must not stop a sweep"
    )]
    pub(crate) fn now() -> Self {
        Self(Instant::now())
    }

    /// The moment that much further.
    pub(crate) fn plus(self, wait: Duration) -> Self {
        Self(self.0.checked_add(wait).unwrap_or(self.0))
    }

    /// How long it is from `earlier` to this moment; zero if it is not later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }
}

/// The kernel's wall clock in microseconds since 1970: what it stamps arriving packets with.
///
/// `None` if the kernel does not say; packets then count as arrived when they were read.
pub(crate) fn kernel_micros() -> Option<i64> {
    let now = clock_gettime(ClockId::CLOCK_REALTIME).ok()?;
    micros_of(now.tv_sec(), now.tv_nsec())
}

/// Microseconds of the kernel's seconds and nanoseconds.
pub(crate) const fn micros_of(seconds: i64, nanos: i64) -> Option<i64> {
    match seconds.checked_mul(1_000_000) {
        Some(micros) => micros.checked_add(nanos / 1_000),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_go_forward_and_never_give_a_negative_wait() {
        let first = Tick::now();
        let later = first.plus(Duration::from_millis(5));
        assert_eq!(later.since(first), Duration::from_millis(5));
        assert_eq!(first.since(later), Duration::ZERO);
    }

    #[test]
    fn seconds_that_do_not_fit_are_no_moment() {
        assert_eq!(micros_of(2, 3_999), Some(2_000_003));
        assert_eq!(micros_of(i64::MAX, 0), None);
    }
}
