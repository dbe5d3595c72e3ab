//! What a sender says of its own stream in RTCP (RFC 3550 §6), read without copying.
//!
//! Two rooms need the same reading of it, as with [`crate::rtp`]: the recorder, to answer, and the
//! timeline, which is made from the packets that were kept.

use crate::Timestamp;

/// Seconds from 1900, where NTP counts from, to 1970.
const NTP_TO_UNIX_SECONDS: i64 = 2_208_988_800;
/// Seconds of NTP that fit into 32 bits; then they begin again (RFC 5905 §6).
const NTP_ERA_SECONDS: i64 = 1 << 32;
/// Packets of one datagram that are looked at.
const PACKETS_MAX: usize = 32;

/// A sender report (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport {
    /// Whose stream it speaks of.
    pub ssrc: u32,
    /// The sender's wall clock, as NTP: seconds since 1900 and 2^-32 of them. 0 = it has none.
    pub ntp: u64,
    /// The same moment on the stream's clock.
    pub timestamp: u32,
}

impl SenderReport {
    /// What the sender's wall clock said: a claim. `None` if it has none.
    #[must_use]
    pub fn wall(&self) -> Option<Timestamp> {
        if self.ntp == 0 {
            return None;
        }
        let seconds = i64::try_from(self.ntp >> 32).ok()?;
        let micros = i64::try_from(((self.ntp & 0xffff_ffff) * 1_000_000) >> 32).ok()?;
        // Without the upper bit it is after 2036 and not before 1968.
        let era = if seconds < NTP_ERA_SECONDS / 2 {
            NTP_ERA_SECONDS
        } else {
            0
        };
        let seconds = seconds + era - NTP_TO_UNIX_SECONDS;
        Some(Timestamp::from_micros(seconds * 1_000_000 + micros))
    }

    /// The middle 32 bits of the wall clock, by which a receiver's report names this one.
    #[must_use]
    pub fn middle(&self) -> u32 {
        u32::try_from((self.ntp >> 16) & 0xffff_ffff).unwrap_or(0)
    }
}

/// What concerns us in a datagram of RTCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// How the sender's clocks stand.
    Report(SenderReport),
    /// A source leaves (RFC 3550 §6.6).
    Goodbye {
        /// Which one.
        ssrc: u32,
    },
}

/// Reads a compound packet. What is cut, or of another kind, is passed over.
pub fn read(mut bytes: &[u8]) -> impl Iterator<Item = Said> {
    let packets = std::iter::from_fn(move || {
        let [first, kind, high, low] = *bytes.first_chunk::<4>()?;
        let length = 4 + usize::from(u16::from_be_bytes([high, low])) * 4;
        let packet = bytes.get(4..length).filter(|_| first >> 6 == 2)?;
        bytes = bytes.get(length..).unwrap_or_default();
        Some((first & 0x1f, kind, packet))
    });
    packets.take(PACKETS_MAX).flat_map(|(count, kind, packet)| {
        let report = (kind == 200).then(|| report(packet)).flatten();
        let leaving = if kind == 203 { packet } else { &[] };
        let leaving = leaving.as_chunks::<4>().0.iter().take(usize::from(count));
        let leaving = leaving.map(|ssrc| Said::Goodbye {
            ssrc: u32::from_be_bytes(*ssrc),
        });
        report.map(Said::Report).into_iter().chain(leaving)
    })
}

fn report(packet: &[u8]) -> Option<SenderReport> {
    let (words, _) = packet.split_first_chunk::<16>()?;
    let [a, b, c, d, n0, n1, n2, n3, n4, n5, n6, n7, t0, t1, t2, t3] = *words;
    Some(SenderReport {
        ssrc: u32::from_be_bytes([a, b, c, d]),
        ntp: u64::from_be_bytes([n0, n1, n2, n3, n4, n5, n6, n7]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sender_report(ssrc: u32, ntp: u64, timestamp: u32) -> Vec<u8> {
        let mut bytes = vec![0x80, 200, 0, 6];
        bytes.extend(ssrc.to_be_bytes());
        bytes.extend(ntp.to_be_bytes());
        bytes.extend(timestamp.to_be_bytes());
        bytes.extend([0; 8]);
        bytes
    }

    #[test]
    fn a_report_and_a_goodbye_behind_other_packets_are_found() {
        let mut bytes = sender_report(7, 5 << 32, 160);
        bytes.extend([0x81, 202, 0, 2, 0, 0, 0, 7, 1, 1, b'x', 0]);
        bytes.extend([0x82, 203, 0, 3, 0, 0, 0, 7, 0, 0, 0, 9, 3, b'b', b'y', b'e']);
        let said: Vec<_> = read(&bytes).collect();
        let report = SenderReport {
            ssrc: 7,
            ntp: 5 << 32,
            timestamp: 160,
        };
        let expected = [
            Said::Report(report),
            Said::Goodbye { ssrc: 7 },
            Said::Goodbye { ssrc: 9 },
        ];
        assert_eq!(said, expected);
        assert_eq!(
            read(&bytes[..bytes.len() - 1]).count(),
            1,
            "the goodbye is cut"
        );
    }

    #[test]
    fn the_wall_clock_is_read_before_and_after_2036_and_may_be_missing() {
        let wall = |ntp| {
            let report = SenderReport {
                ssrc: 0,
                ntp,
                timestamp: 0,
            };
            report.wall().map(|wall| wall.to_string())
        };
        assert_eq!(wall(0), None);
        let at = |seconds: u64| seconds << 32;
        assert_eq!(
            wall(at(4_002_652_800)).as_deref(),
            Some("2026-11-03T00:00:00.000000Z")
        );
        assert_eq!(
            wall(at(3_204_096)).as_deref(),
            Some("2036-03-15T08:29:52.000000Z")
        );
        let half = SenderReport {
            ssrc: 0,
            ntp: at(4_002_652_800) | 1 << 31,
            timestamp: 0,
        };
        assert_eq!(half.wall().unwrap().micros() % 1_000_000, 500_000);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            prop_assert!(read(&bytes).count() < 64);
        }
    }
}
