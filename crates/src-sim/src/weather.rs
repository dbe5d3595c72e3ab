//! What goes wrong with media on its way, on purpose: so much loss, so much jitter, from a seed.

use crate::error::SimError;
use crate::random::mix_at;
use crate::rtp::Disturbance;
use std::time::Duration;

/// Packets at each end of a stream that nothing happens to. Whoever receives can't know of a
/// packet that was lost before the first or after the last, so nobody could be held to it.
const CALM: u64 = 5;
/// Parts of one whole in which shares are told: 1 % is 100.
const WHOLE: u64 = 10_000;

/// What goes wrong with the media of a load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weather {
    /// Packets lost, of 10,000.
    pub lost: u32,
    /// Packets sent twice, of 10,000.
    pub duplicated: u32,
    /// Packets sent after the one that follows, of 10,000.
    pub reordered: u32,
    /// Each packet waits so many milliseconds at most before it is sent.
    pub jitter_ms: u32,
}

impl Weather {
    /// Longest jitter.
    const JITTER_MS_MAX: u32 = 500;

    pub(crate) fn check(self) -> Result<(), SimError> {
        let bad = |why: &str| {
            Err(SimError::BadPlan {
                why: why.to_owned(),
            })
        };
        let shares = [self.lost, self.duplicated, self.reordered];
        if shares.iter().map(|share| u64::from(*share)).sum::<u64>() > WHOLE / 2 {
            return bad("at most half of the packets can be lost, doubled or put out of order");
        }
        if self.jitter_ms > Self::JITTER_MS_MAX {
            return bad("a packet waits half a second at most");
        }
        Ok(())
    }

    /// What happens to a stream of so many packets: the same for the same seed.
    pub(crate) fn over(self, packets: u64, seed: u64) -> Disturbance {
        let mut disturbance = Disturbance::default();
        let lost = u64::from(self.lost);
        let doubled = lost + u64::from(self.duplicated);
        let swapped = doubled + u64::from(self.reordered);
        if swapped == 0 {
            return disturbance;
        }
        for packet in CALM..packets.saturating_sub(CALM) {
            let drawn = mix_at(seed, packet) % WHOLE;
            let into = match drawn {
                _ if drawn < lost => &mut disturbance.drop,
                _ if drawn < doubled => &mut disturbance.duplicate,
                _ if drawn < swapped => &mut disturbance.swap_with_next,
                _ => continue,
            };
            into.insert(packet);
        }
        disturbance
    }

    /// How long this packet waits, by its number: the first
    /// after silence (marker bit) does not: one that overtook it would be taken for the first.
    /// Neither does RTCP, which is told by its type (RFC 5761 §4).
    pub(crate) fn delay(self, seed: u64, stream: usize, packet: &[u8]) -> Duration {
        let (Some(kind), Some(number)) = (packet.get(1), packet.get(2..4)) else {
            return Duration::ZERO;
        };
        let is_first_or_rtcp = kind & 0x80 != 0;
        if self.jitter_ms == 0 || is_first_or_rtcp {
            return Duration::ZERO;
        }
        let number = number
            .iter()
            .fold(0, |all, byte| all << 8 | u64::from(*byte));
        let place = u64::try_from(stream).unwrap_or(0) << 16 | number;
        Duration::from_millis(mix_at(seed, place) % (u64::from(self.jitter_ms) + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_percent_is_about_one_in_a_hundred_and_the_same_ones_each_time() {
        let weather = Weather {
            lost: 100,
            duplicated: 50,
            ..Weather::default()
        };
        let happens = weather.over(100_000, 7);
        assert!((800..1_200).contains(&happens.drop.len()));
        assert!((350..650).contains(&happens.duplicate.len()));
        assert!(happens.drop.is_disjoint(&happens.duplicate));
        assert_eq!(happens, weather.over(100_000, 7));
        assert_ne!(happens, weather.over(100_000, 8));
        let ends = (0..CALM).chain(100_000 - CALM..100_000);
        assert!(
            ends.into_iter()
                .all(|packet| !happens.drop.contains(&packet))
        );
    }

    #[test]
    fn a_packet_waits_no_longer_than_the_jitter() {
        let weather = Weather {
            jitter_ms: 30,
            ..Weather::default()
        };
        let wait = |number: u16| {
            let [high, low] = number.to_be_bytes();
            let packet = [0x80, 8, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 1];
            weather.delay(1, 0, &packet).as_millis()
        };
        let waits: Vec<_> = (0..1_000).map(wait).collect();
        assert_eq!(
            (waits.iter().min(), waits.iter().max()),
            (Some(&0), Some(&30))
        );
        let report = [0x80, 200, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(weather.delay(1, 0, &report).is_zero());
    }

    #[test]
    fn more_than_half_cannot_go_wrong() {
        let storm = Weather {
            lost: 4_000,
            reordered: 1_001,
            ..Weather::default()
        };
        assert!(storm.check().is_err());
    }
}
