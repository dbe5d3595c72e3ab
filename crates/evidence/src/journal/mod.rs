//! The journal: the original of a telephone recording, record by record, as it arrived.
//!
//! A record is a packet with its arrival time, or an event with its time. Records stand in the
//! order in which the recorder saw them; their place in that order, counted from 0 over the whole
//! recording, is their *index*. They are stored in chunks; each chunk decodes alone.
//!
//! **Invariant:** what is decoded is, byte for byte and microsecond for microsecond, what was
//! pushed; and an event holds no personal data.

mod chunk;
mod event;
mod predict;
mod read;

pub use chunk::ChunkBuilder;
pub use event::{
    AskedBy, Cause, Ground, JournalEvent, KEEP_RULE, KeepReason, KeyPacket, PauseReason, Pausing,
    PrivateEnd, ResumedBy, SAMPLE_RULE, SaidBy, VoiceRule,
};
pub use read::{ChunkReader, decode_chunk};

use voicelog_model::{Kind, StreamNumber, Timestamp};

/// Largest event in bytes of JSON.
pub const EVENT_BYTES_MAX: usize = 64 << 10;

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PacketKind {
    /// Media (RFC 3550 §5), or what came to the media port and is no RTCP.
    Rtp,
    /// Control (RFC 3550 §6).
    Rtcp,
}

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A datagram as it arrived (after SRTP).
    Packet {
        /// The stream whose port it came to.
        stream: StreamNumber,
        /// When the kernel received it.
        arrived: Timestamp,
        /// Media or control.
        kind: PacketKind,
        /// The whole datagram.
        bytes: Vec<u8>,
    },
    /// Something that happened.
    Event {
        /// When.
        at: Timestamp,
        /// What.
        event: JournalEvent,
    },
}

/// A record that borrows its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordRef<'a> {
    /// See [`Record::Packet`].
    Packet {
        /// The stream whose port it came to.
        stream: StreamNumber,
        /// When the kernel received it.
        arrived: Timestamp,
        /// Media or control.
        kind: PacketKind,
        /// The whole datagram.
        bytes: &'a [u8],
    },
    /// See [`Record::Event`].
    Event {
        /// When.
        at: Timestamp,
        /// What.
        event: &'a JournalEvent,
    },
}

impl Record {
    /// The same record, borrowed.
    #[must_use]
    pub fn as_view(&self) -> RecordRef<'_> {
        match self {
            Self::Packet {
                stream,
                arrived,
                kind,
                bytes,
            } => RecordRef::Packet {
                stream: *stream,
                arrived: *arrived,
                kind: *kind,
                bytes,
            },
            Self::Event { at, event } => RecordRef::Event { at: *at, event },
        }
    }
}

impl RecordRef<'_> {
    /// When it arrived or happened.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        match self {
            Self::Packet { arrived, .. } => *arrived,
            Self::Event { at, .. } => *at,
        }
    }

    /// A copy that owns its bytes.
    #[must_use]
    pub fn to_record(self) -> Record {
        match self {
            Self::Packet {
                stream,
                arrived,
                kind,
                bytes,
            } => Record::Packet {
                stream,
                arrived,
                kind,
                bytes: bytes.to_vec(),
            },
            Self::Event { at, event } => Record::Event {
                at,
                event: event.clone(),
            },
        }
    }
}

/// Why a record cannot be written, or a chunk not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Longer than [`voicelog_model::limits::RTP_PACKET_BYTES_MAX`].
    #[error("a packet of {0} bytes is longer than the journal takes")]
    PacketTooLong(usize),
    /// An event longer than [`EVENT_BYTES_MAX`], or with a number that JSON does not keep.
    #[error("an event cannot be written: it is too long or holds a number out of range")]
    EventUnwritable,
    /// The chunk has no room for the record; take it first.
    #[error("the chunk is full")]
    ChunkFull,
    /// Longer than [`voicelog_model::limits::CHUNK_BYTES_MAX`].
    #[error("a chunk of {0} bytes is longer than any writer makes")]
    ChunkTooLong(usize),
    /// Written by a newer voicelog.
    #[error("chunk has version {0}, which this program does not know")]
    Version(u8),
    /// Not a chunk, or a damaged one.
    #[error("chunk is malformed at byte {at}: {what}")]
    Malformed {
        /// Where reading stopped.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
}

impl JournalError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::PacketTooLong(_) | Self::EventUnwritable => Kind::Invalid,
            Self::ChunkFull => Kind::Exhausted,
            Self::ChunkTooLong(_) | Self::Version(_) | Self::Malformed { .. } => Kind::Corrupt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use voicelog_model::{Codec, DecisionId, MediaStream};

    fn rtp(sequence: u16, timestamp: u32, ssrc: u32, payload: usize) -> Vec<u8> {
        let mut bytes = vec![0x80, 8];
        bytes.extend_from_slice(&sequence.to_be_bytes());
        bytes.extend_from_slice(&timestamp.to_be_bytes());
        bytes.extend_from_slice(&ssrc.to_be_bytes());
        bytes.resize(12 + payload, 0x5a);
        bytes
    }

    fn packet(stream: u16, micros: i64, bytes: Vec<u8>) -> Record {
        let (stream, arrived) = (StreamNumber(stream), Timestamp::from_micros(micros));
        Record::Packet {
            stream,
            arrived,
            kind: PacketKind::Rtp,
            bytes,
        }
    }

    fn push(builder: &mut ChunkBuilder, record: &Record) {
        match record {
            Record::Packet {
                stream,
                arrived,
                kind,
                bytes,
            } => {
                builder
                    .push_packet(*stream, *arrived, *kind, bytes)
                    .unwrap();
            }
            Record::Event { at, event } => builder.push_event(*at, event).unwrap(),
        }
    }

    fn encode(records: &[Record]) -> Vec<u8> {
        let mut builder = ChunkBuilder::new();
        for record in records {
            push(&mut builder, record);
        }
        assert_eq!(builder.byte_len(), builder.plaintext().len());
        let chunk = builder.take();
        assert!(builder.is_empty());
        chunk
    }

    /// 300 ms of two streams of 20 ms packets, with some jitter.
    fn ordinary_call() -> Vec<Record> {
        let mut records = Vec::new();
        for step in 0..15_u16 {
            for stream in 1..=2_u16 {
                let jitter = i64::from(step * 37 % 11) * 90 + i64::from(stream) * 7_000;
                let media = rtp(step, u32::from(step) * 160, u32::from(stream), 160);
                let micros = 1_790_000_000_000_000 + i64::from(step) * 20_000 + jitter;
                records.push(packet(stream, micros, media));
            }
        }
        records
    }

    #[test]
    fn an_ordinary_call_costs_less_than_three_and_a_half_percent() {
        let records = ordinary_call();
        let chunk = encode(&records);
        assert_eq!(decode_chunk(&chunk).unwrap(), records);
        let on_disk = chunk.len() + crate::segment::FRAME_OVERHEAD_BYTES;
        let payload = 30 * 160;
        assert!(
            on_disk * 1000 <= payload * 1035,
            "{on_disk} bytes for {payload}"
        );
    }

    #[test]
    fn a_predicted_header_costs_nothing_and_a_lost_packet_little() {
        let step = |sequence: u16, micros| {
            packet(1, micros, rtp(sequence, u32::from(sequence) * 160, 9, 160))
        };
        let mut records = vec![step(1, 0), step(2, 20_000)];
        let before = encode(&records).len();
        records.push(step(3, 40_010));
        assert_eq!(encode(&records).len() - before, 160 + 2, "tag and arrival");
        records.push(step(7, 120_000));
        assert_eq!(
            encode(&records).len() - before,
            320 + 2 + 4,
            "tag, arrival, flags, skipped"
        );
    }

    #[test]
    fn the_buffer_of_a_builder_is_used_again() {
        let mut builder = ChunkBuilder::new();
        let buffer = builder.plaintext().as_ptr();
        for _ in 0..3 {
            for record in ordinary_call() {
                push(&mut builder, &record);
            }
            assert_eq!(builder.plaintext().as_ptr(), buffer);
            builder.clear();
        }
    }

    #[test]
    fn events_and_packets_keep_their_order() {
        let stream = MediaStream {
            number: StreamNumber(1),
            label: Some("96".into()),
            codec: Codec::Pcma,
            payload_type: 8,
            parameters: None,
            also: vec![],
            party: Some("p1".into()),
        };
        let at = |micros, event| Record::Event {
            at: Timestamp::from_micros(micros),
            event,
        };
        let decision = DecisionId::from_bytes([3; 16]);
        let records = vec![
            at(-5, JournalEvent::CallStarted {}),
            at(10, JournalEvent::StreamAdded { stream }),
            at(10, JournalEvent::Permitted { decision }),
            packet(1, 9, rtp(1, 2, 3, 160)),
            at(
                8,
                JournalEvent::MediaDropped {
                    stream: StreamNumber(1),
                    packets: 3,
                    cause: Cause::Overload,
                },
            ),
            packet(1, 20_009, rtp(5, 642, 3, 160)),
            at(
                30_000,
                JournalEvent::Interrupted {
                    restarted_at: Timestamp::from_micros(70_000),
                },
            ),
        ];
        assert_eq!(decode_chunk(&encode(&records)).unwrap(), records);
    }

    #[test]
    fn limits_are_kept_and_leave_the_chunk_as_it_was() {
        use voicelog_model::limits::{CHUNK_BYTES_MAX, RTP_PACKET_BYTES_MAX};
        let mut builder = ChunkBuilder::new();
        let at = Timestamp::from_micros(0);
        let long = vec![0; RTP_PACKET_BYTES_MAX + 1];
        let mut push =
            |bytes: &[u8]| builder.push_packet(StreamNumber(1), at, PacketKind::Rtcp, bytes);
        assert_eq!(push(&long), Err(JournalError::PacketTooLong(long.len())));
        let mut pushed = 0;
        while push(&long[1..]).is_ok() {
            pushed += 1;
        }
        assert_eq!(push(&long[1..]), Err(JournalError::ChunkFull));
        let chunk = builder.take();
        assert!(chunk.len() <= CHUNK_BYTES_MAX);
        assert_eq!(decode_chunk(&chunk).unwrap().len(), pushed);
    }

    #[test]
    fn what_no_writer_makes_is_refused_with_its_place() {
        let chunk = encode(&ordinary_call());
        assert_eq!(decode_chunk(&[2, 0]), Err(JournalError::Version(2)));
        assert!(decode_chunk(&chunk[..9]).is_err(), "no record");
        for (tail, what) in [
            (&[0x01][..], "the tag is unknown"),
            (&[0x50], "the tag is unknown"),
            (&[0x35, 0], "a packet follows none of its stream"),
            (&[0x40, 0, 0x10], "a flag is unknown"),
            (
                &[0x1f, 1, 0, 0],
                "a stream number stands in the wrong place",
            ),
            (&[0x10, 0, 0xff, 0xff, 0x7f], "a length is too large"),
            (
                &[0x40, 0, 0x08, 0x05],
                "a packet is shorter than its header",
            ),
            (&[0x00, 0, 2, b'{', b'}'], "an event is not canonical JSON"),
            (&[0x10, 0x80, 0x00], "a number is cut or badly coded"),
        ] {
            let broken = [&chunk[..], tail].concat();
            match decode_chunk(&broken) {
                Err(JournalError::Malformed { at, what: found }) => {
                    assert_eq!(found, what);
                    assert!(at > chunk.len() && at <= broken.len(), "{what} at {at}");
                }
                other => panic!("{what}: {other:?}"),
            }
        }
    }

    fn any_packet() -> impl Strategy<Value = Record> {
        let bytes =
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..40),
                (0..6_u16, 0..9_u32, 0..3_u32, 0..4_usize)
                    .prop_map(|(sequence, step, ssrc, len)| rtp(sequence, step * 160, ssrc, len)),
            ];
        let stream = prop_oneof![0..4_u16, any::<u16>()];
        (stream, any::<i64>(), any::<bool>(), bytes).prop_map(|(stream, micros, rtcp, bytes)| {
            Record::Packet {
                stream: StreamNumber(stream),
                arrived: Timestamp::from_micros(micros),
                kind: if rtcp {
                    PacketKind::Rtcp
                } else {
                    PacketKind::Rtp
                },
                bytes,
            }
        })
    }

    proptest! {
        #[test]
        fn whatever_is_pushed_comes_back(records in proptest::collection::vec(any_packet(), 1..60)) {
            prop_assert_eq!(decode_chunk(&encode(&records)).unwrap(), records);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(first) = bytes.first_mut() {
                *first = 1;
            }
            let _ignored = decode_chunk(&bytes);
        }

        #[test]
        fn a_damaged_chunk_does_not_make_the_reader_panic(at in 0..5000_usize, to in any::<u8>()) {
            let mut chunk = encode(&ordinary_call());
            let at = at % chunk.len();
            chunk[at] = to;
            let _ignored = decode_chunk(&chunk);
        }
    }
}
