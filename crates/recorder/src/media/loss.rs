//! Loss while a call runs: how many packets of a stream did not come, by their numbers, in each stretch of
//! ten seconds. The timeline counts exactly, afterwards; this is for whoever can still do something.

use voicelog_model::Timestamp;

/// How long a stretch is, in microseconds.
const STRETCH: i64 = 10_000_000;
/// Fewest packets that a stretch must have had to tell anything: two seconds of 20 ms.
const EXPECTED_MIN: u64 = 100;
/// A jump of the numbers by more is a stream that began anew, not a loss (RFC 3550 §A.1 has 3,000).
const JUMP_MAX: u16 = 3_000;

/// The numbers of one stream.
#[derive(Debug, Default)]
pub(super) struct Loss {
    ssrc: u32,
    highest: u16,
    since: Option<Timestamp>,
    expected: u64,
    received: u64,
    /// Packets that did not come, of a thousand, in the last whole stretch.
    permille: u64,
}

impl Loss {
    /// A packet of the stream has come.
    pub(super) fn take(&mut self, ssrc: u32, sequence: u16, arrived: Timestamp) {
        let since = *self.since.get_or_insert(arrived);
        let ahead = sequence.wrapping_sub(self.highest);
        let behind = self.highest.wrapping_sub(sequence);
        let is_first = self.expected == 0 && self.received == 0;
        if ssrc != self.ssrc || is_first {
            (self.ssrc, self.highest) = (ssrc, sequence);
            self.expected += 1;
            self.received += 1;
        } else if (1..=JUMP_MAX).contains(&ahead) {
            self.highest = sequence;
            self.expected += u64::from(ahead);
            self.received += 1;
        } else if ahead != 0 && behind <= JUMP_MAX {
            // One that was late is not lost; one that came twice counts once more than it should, which
            // hides a loss at most.
            self.received += 1;
        } else if ahead != 0 {
            self.highest = sequence;
        }
        if arrived.micros_since(since).abs() >= STRETCH {
            let lost = self.expected.saturating_sub(self.received);
            self.permille = if self.expected >= EXPECTED_MIN {
                lost * 1_000 / self.expected
            } else {
                0
            };
            self.since = Some(arrived);
            (self.expected, self.received) = (1, 1);
        }
    }

    /// Packets went by unread, as in a pause: what they were numbered is not known, and that they are
    /// not here is no loss. The stretch begins anew behind them.
    pub(super) const fn pass_over(&mut self) {
        self.since = None;
        (self.expected, self.received) = (0, 0);
    }

    /// Packets that did not come, of a thousand, in the last whole stretch.
    pub(super) const fn permille(&self) -> u64 {
        self.permille
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream of 20 ms packets, without those that `is_lost` names; what is told at the end.
    fn told(packets: u32, is_lost: impl Fn(u32) -> bool) -> u64 {
        let mut loss = Loss::default();
        for number in (0..packets).filter(|number| !is_lost(*number)) {
            // The numbers wrap on the way.
            let sequence = u16::try_from((number + 65_000) % 65_536).unwrap();
            let at = Timestamp::from_micros(i64::from(number) * 20_000);
            loss.take(7, sequence, at);
        }
        loss.permille()
    }

    #[test]
    fn what_is_missing_in_ten_seconds_is_told_of_a_thousand() {
        assert_eq!(told(1_200, |_| false), 0);
        assert_eq!(told(1_200, |number| number % 10 == 3), 99);
        assert_eq!(told(400, |number| number % 2 == 0), 0, "too short to tell");
        let early = |number: u32| number < 400 && number % 4 == 1;
        assert!(told(520, early) > 100);
        assert_eq!(told(1_200, early), 0, "it is over");
    }

    #[test]
    fn a_stream_that_begins_anew_has_lost_nothing() {
        let mut loss = Loss::default();
        for number in 0_u16..1_200 {
            let at = Timestamp::from_micros(i64::from(number) * 20_000);
            let (ssrc, sequence) = if number < 300 {
                (1, number)
            } else if number < 600 {
                (2, 40_000 + number)
            } else {
                (2, 9_000 + number)
            };
            loss.take(ssrc, sequence, at);
            assert_eq!(loss.permille(), 0);
        }
    }

    #[test]
    fn what_went_by_unread_in_a_pause_is_not_lost() {
        let mut loss = Loss::default();
        for number in (0_u16..1_200).filter(|number| !(450..900).contains(number)) {
            if number == 900 {
                loss.pass_over();
            }
            loss.take(
                1,
                number,
                Timestamp::from_micros(i64::from(number) * 20_000),
            );
            assert_eq!(loss.permille(), 0);
        }
    }

    #[test]
    fn packets_in_another_order_are_not_lost() {
        let mut loss = Loss::default();
        for number in 0_u16..1_200 {
            let at = Timestamp::from_micros(i64::from(number) * 20_000);
            loss.take(1, number ^ 1, at);
        }
        assert_eq!(loss.permille(), 0);
    }
}
