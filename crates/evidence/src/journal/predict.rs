//! What the next RTP header of a stream will be, judged by the last one.
//!
//! Encoder and decoder run the same prediction and store only where it fails. In a call without
//! loss it never fails, so a header of twelve bytes costs none.

use voicelog_model::StreamNumber;

/// Bytes of the fixed RTP header (RFC 3550 §5.1).
pub(super) const HEADER_BYTES: usize = 12;
/// Streams 1 to 15 have a place in the tag byte; this place says that a number follows.
pub(super) const SLOT_OTHER: u8 = 15;
/// Timestamp step before a stream has shown its own: 20 ms at 8 kHz.
const STEP_AT_FIRST: u32 = 160;
/// Microseconds of one timestamp unit at 8 kHz. With another clock rate the prediction of the
/// arrival is worse and the format still exact.
const MICROS_PER_UNIT: i64 = 125;

/// The place of a stream in the tag byte: 0 for stream 1, 14 for stream 15.
pub(super) fn slot_of(stream: StreamNumber) -> u8 {
    u8::try_from(stream.0)
        .ok()
        .and_then(|number| number.checked_sub(1))
        .map_or(SLOT_OTHER, |slot| slot.min(SLOT_OTHER))
}

/// The fields of a fixed RTP header that prediction knows about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) first: u8,
    pub(super) second: u8,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
}

impl Header {
    pub(super) const fn read(bytes: [u8; HEADER_BYTES]) -> Self {
        let [first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = bytes;
        Self {
            first,
            second,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
        }
    }

    pub(super) const fn write(self) -> [u8; HEADER_BYTES] {
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [r0, r1, r2, r3] = self.ssrc.to_be_bytes();
        [
            self.first,
            self.second,
            s0,
            s1,
            t0,
            t1,
            t2,
            t3,
            r0,
            r1,
            r2,
            r3,
        ]
    }
}

/// What is remembered of one stream within one chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Track {
    header: Header,
    step: u32,
    /// Bytes of the last packet, header and all.
    pub(super) byte_len: usize,
    /// Arrival of the last packet in microseconds.
    pub(super) arrived: i64,
}

/// How a header differs from its prediction. All zero and `None`: not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Difference {
    /// The second byte (marker and payload type), where it is not the last one without marker.
    pub(super) second: Option<u8>,
    /// Sequence numbers skipped; negative when it goes back.
    pub(super) skipped: i16,
    /// Timestamp units beyond the step times the sequence numbers gone by.
    pub(super) shifted: i32,
}

impl Track {
    /// After a packet whose header was stored whole.
    pub(super) const fn restart(
        before: Option<&Self>,
        header: Header,
        byte_len: usize,
        arrived: i64,
    ) -> Self {
        let step = match before {
            Some(track) => track.step,
            None => STEP_AT_FIRST,
        };
        Self {
            header,
            step,
            byte_len,
            arrived,
        }
    }

    /// After a packet whose header was predicted.
    pub(super) const fn follow(&mut self, header: Header, byte_len: usize, arrived: i64) {
        if header.sequence == self.header.sequence.wrapping_add(1) {
            self.step = header.timestamp.wrapping_sub(self.header.timestamp);
        }
        self.header = header;
        self.byte_len = byte_len;
        self.arrived = arrived;
    }

    /// How a header differs from the prediction; `None` where it is not predictable at all.
    pub(super) fn difference(&self, header: Header) -> Option<Difference> {
        if header.first != self.header.first || header.ssrc != self.header.ssrc {
            return None;
        }
        let advance = header.sequence.wrapping_sub(self.header.sequence);
        let predicted = self.timestamp_after(advance);
        Some(Difference {
            second: (header.second != self.second()).then_some(header.second),
            skipped: advance.wrapping_sub(1).cast_signed(),
            shifted: header.timestamp.wrapping_sub(predicted).cast_signed(),
        })
    }

    /// The header that differs from the prediction in that way.
    pub(super) fn header_with(&self, difference: Difference) -> Header {
        let advance = difference.skipped.cast_unsigned().wrapping_add(1);
        Header {
            first: self.header.first,
            second: difference.second.unwrap_or(self.second()),
            sequence: self.header.sequence.wrapping_add(advance),
            timestamp: self
                .timestamp_after(advance)
                .wrapping_add(difference.shifted.cast_unsigned()),
            ssrc: self.header.ssrc,
        }
    }

    /// When a packet with this timestamp should arrive, in microseconds.
    pub(super) fn arrival_of(&self, header: Header) -> i64 {
        let units = header
            .timestamp
            .wrapping_sub(self.header.timestamp)
            .cast_signed();
        self.arrived
            .wrapping_add(i64::from(units) * MICROS_PER_UNIT)
    }

    /// Marker bits come alone: the prediction is the last byte without it.
    const fn second(&self) -> u8 {
        self.header.second & 0x7f
    }

    fn timestamp_after(&self, advance: u16) -> u32 {
        let packets = i32::from(advance.cast_signed()).cast_unsigned();
        self.header
            .timestamp
            .wrapping_add(self.step.wrapping_mul(packets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> impl Strategy<Value = Header> {
        any::<[u8; HEADER_BYTES]>().prop_map(Header::read)
    }

    proptest! {
        #[test]
        fn a_header_comes_back_from_its_difference(
            last in header(), mut next in header(), step in any::<u32>(), same in any::<bool>(),
        ) {
            prop_assert_eq!(Header::read(next.write()), next);
            if same {
                (next.first, next.ssrc) = (last.first, last.ssrc);
            }
            let track = Track { header: last, step, byte_len: 172, arrived: 0 };
            match track.difference(next) {
                Some(difference) => prop_assert_eq!(track.header_with(difference), next),
                None => prop_assert!(last.first != next.first || last.ssrc != next.ssrc),
            }
        }
    }

    #[test]
    fn lost_packets_do_not_spoil_the_timestamp() {
        let read = |sequence, timestamp| Header {
            first: 0x80,
            second: 8,
            sequence,
            timestamp,
            ssrc: 1,
        };
        let mut track = Track::restart(None, read(65_534, 0u32.wrapping_sub(160)), 172, 0);
        let skipped = track.difference(read(1, 320)).unwrap();
        assert_eq!(
            skipped,
            Difference {
                second: None,
                skipped: 2,
                shifted: 0
            }
        );
        track.follow(read(1, 320), 172, 60_000);
        assert_eq!(
            track.difference(read(2, 480)).unwrap(),
            Difference::default()
        );
        assert_eq!(track.arrival_of(read(2, 480)), 80_000);
    }

    #[test]
    fn streams_one_to_fifteen_have_a_place() {
        assert_eq!(
            [0, 1, 15, 16, 65_535].map(|n| slot_of(StreamNumber(n))),
            [15, 0, 14, 15, 15]
        );
    }
}
