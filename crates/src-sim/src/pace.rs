//! The clock, the wait, and the arithmetic of a real pace.
//!
//! Every other module gets moments as parameters; the machine's clocks are read here only.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use voicelog_model::Timestamp;

/// The monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a sender of real-time media is driven by the machine's clock; this is its one reading"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The wall clock, for the moments in a report and in rs-metadata.
#[expect(
    clippy::disallowed_methods,
    reason = "reports say when a packet went out; this is the one reading of the wall clock"
)]
fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let micros = since.map_or(0, |passed| i64::try_from(passed.as_micros()).unwrap_or(0));
    Timestamp::from_micros(micros)
}

/// Waits until `deadline`; returns at once if it has passed.
#[expect(
    clippy::disallowed_methods,
    reason = "waiting for the next packet's moment is the job of a sender"
)]
pub(crate) fn wait_until(deadline: Instant) {
    let left = deadline.saturating_duration_since(now());
    if !left.is_zero() {
        std::thread::sleep(left);
    }
}

/// One moment on both clocks, so that the wall clock is read once in a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchor {
    monotonic: Instant,
    wall: Timestamp,
}

impl Anchor {
    /// Reads both clocks.
    pub(crate) fn take() -> Self {
        Self {
            monotonic: now(),
            wall: wall(),
        }
    }

    /// The wall clock's word for a moment at or after the anchor.
    pub(crate) fn wall_at(&self, moment: Instant) -> Timestamp {
        let micros = moment.saturating_duration_since(self.monotonic).as_micros();
        self.wall
            .plus_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

/// The moments at which the packets of one call are due: absolute, so that waiting too long
/// once makes one packet late and not every packet after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    start: Instant,
    interval: Duration,
    next: u64,
}

impl Pace {
    /// Packet 0 is due at `start`.
    pub(crate) const fn new(start: Instant, interval: Duration) -> Self {
        Self {
            start,
            interval,
            next: 0,
        }
    }

    /// When the next packet is due.
    pub(crate) fn due(&self) -> Instant {
        let nanos = self.interval.as_nanos().saturating_mul(self.next.into());
        let offset = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.start.checked_add(offset).unwrap_or(self.start)
    }

    /// Packets taken so far.
    pub(crate) const fn taken(&self) -> u64 {
        self.next
    }

    /// The number of the next packet and how late it is, if it is due; moves on to the one after.
    pub(crate) fn take(&mut self, now: Instant) -> Option<(u64, Duration)> {
        let due = self.due();
        if now < due {
            return None;
        }
        let number = self.next;
        self.next = self.next.saturating_add(1);
        Some((number, now.saturating_duration_since(due)))
    }
}

/// How late the sender itself was: the share of packets that went out so many milliseconds after
/// their moment. A load that is late itself proves nothing about the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lateness {
    /// Packets by whole milliseconds of lateness; the last place holds everything above.
    counts: Vec<u64>,
    max: Duration,
}

/// Places in the histogram of lateness: 0 to 998 ms one by one, the last for all that is later.
const LATENESS_PLACES: usize = 1_000;

impl Default for Lateness {
    fn default() -> Self {
        Self {
            counts: vec![0; LATENESS_PLACES],
            max: Duration::ZERO,
        }
    }
}

impl Lateness {
    /// Counts one packet.
    pub(crate) fn add(&mut self, late: Duration) {
        let millis = usize::try_from(late.as_millis()).unwrap_or(usize::MAX);
        if let Some(count) = self.counts.get_mut(millis.min(LATENESS_PLACES - 1)) {
            *count += 1;
        }
        self.max = self.max.max(late);
    }

    /// Packets counted.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The latest packet's lateness.
    #[must_use]
    pub const fn max(&self) -> Duration {
        self.max
    }

    /// The lateness, in whole milliseconds (rounded down), that `per_mille` of 1,000 packets
    /// stayed at or below; 999 for "a second or more".
    #[must_use]
    pub fn percentile_ms(&self, per_mille: u64) -> u64 {
        let wanted = self.packets().saturating_mul(per_mille).div_ceil(1_000);
        let mut seen = 0;
        for (millis, count) in (0_u64..).zip(&self.counts) {
            seen += count;
            if seen >= wanted {
                return millis;
            }
        }
        0
    }

    /// How many packets were more than `millis` milliseconds late.
    #[must_use]
    pub fn later_than_ms(&self, millis: usize) -> u64 {
        self.counts.iter().skip(millis.saturating_add(1)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_late_packet_does_not_move_the_ones_after_it() {
        let start = now();
        let interval = Duration::from_millis(20);
        let mut pace = Pace::new(start, interval);
        // Each reading of the clock is a little late, the tenth by a lot.
        for number in 0..1_000_u64 {
            let late = Duration::from_micros(if number == 10 { 150_000 } else { 700 });
            let at = start + interval * u32::try_from(number).unwrap() + late;
            if (11..=17).contains(&number) {
                continue;
            }
            while pace.take(at).is_some() {}
        }
        assert_eq!(pace.due(), start + interval * 1_000);
    }

    #[test]
    fn every_packet_is_given_once_and_in_order() {
        let start = now();
        let mut pace = Pace::new(start, Duration::from_millis(20));
        let at = start + Duration::from_millis(95);
        let mut given = Vec::new();
        while let Some((number, late)) = pace.take(at) {
            given.push((number, late.as_millis()));
        }
        assert_eq!(given, [(0, 95), (1, 75), (2, 55), (3, 35), (4, 15)]);
        assert_eq!(pace.take(at), None);
    }

    #[test]
    fn lateness_is_told_by_percentile_and_maximum() {
        let mut lateness = Lateness::default();
        for millis in 0..100 {
            lateness.add(Duration::from_millis(millis));
        }
        lateness.add(Duration::from_secs(3));
        assert_eq!(lateness.packets(), 101);
        assert_eq!(lateness.percentile_ms(500), 50);
        assert_eq!(lateness.percentile_ms(1_000), 999);
        assert_eq!(lateness.later_than_ms(98), 2);
        assert_eq!(lateness.max(), Duration::from_secs(3));
    }
}
