//! Calls as they go right and wrong, and what their timelines say.

mod clock;
mod codecs;
mod ending;
mod media;
mod permission;

use super::IntervalKind::*;
use super::*;
use crate::journal::{JournalEvent, PacketKind};
use proptest::prelude::*;
use voicelog_model::{Codec, DecisionId, StreamNumber};

const START: i64 = 1_790_000_000_000_000;
const MS: i64 = 1_000;

/// A call being played: records in the order of a recorder.
struct Call {
    records: Vec<Record>,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
}

fn stream(number: u16) -> MediaStream {
    MediaStream {
        number: StreamNumber(number),
        label: None,
        codec: Codec::Pcma,
        payload_type: 8,
        parameters: None,
        also: vec![],
        party: None,
    }
}

fn ground() -> Ground {
    Ground {
        rule: "de-201".into(),
        articles: vec!["§ 201 StGB".into()],
        text_nl: "geen toestemming".into(),
        text_en: "no consent".into(),
    }
}

fn refused() -> JournalEvent {
    let decision = DecisionId::from_bytes([1; 16]);
    let outcome = "forbidden_criminal".into();
    JournalEvent::NotPermitted {
        decision,
        outcome,
        reasons: vec![ground()],
    }
}

fn permitted() -> JournalEvent {
    JournalEvent::Permitted {
        decision: DecisionId::from_bytes([2; 16]),
    }
}

fn ended(cause: Cause) -> JournalEvent {
    JournalEvent::CallEnded { cause }
}

fn dropped(packets: u64, cause: Cause) -> JournalEvent {
    JournalEvent::MediaDropped {
        stream: StreamNumber(1),
        packets,
        cause,
    }
}

impl Call {
    fn new() -> Self {
        let mut call = Self {
            records: vec![],
            sequence: 65_500,
            timestamp: 0u32.wrapping_sub(4_000),
            ssrc: 77,
        };
        call.event(0, JournalEvent::CallStarted {});
        call.event(0, JournalEvent::StreamAdded { stream: stream(1) });
        call
    }

    fn permitted() -> Self {
        let mut call = Self::new();
        call.event(0, permitted());
        call
    }

    fn event(&mut self, at: i64, event: JournalEvent) {
        self.records.push(Record::Event {
            at: Timestamp::from_micros(START + at),
            event,
        });
    }

    fn packet(&mut self, at: i64, payload_type: u8, payload: usize) {
        let mut bytes = vec![0x80, payload_type];
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.timestamp.to_be_bytes());
        bytes.extend_from_slice(&self.ssrc.to_be_bytes());
        bytes.resize(12 + payload, 0xd5);
        let arrived = Timestamp::from_micros(START + at);
        let kind = PacketKind::Rtp;
        self.records.push(Record::Packet {
            stream: StreamNumber(1),
            arrived,
            kind,
            bytes,
        });
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(u32::try_from(payload).unwrap());
    }

    /// 20 ms packets that arrive from `from` on, in microseconds.
    fn talk(&mut self, from: i64, packets: i64) {
        for n in 0..packets {
            self.packet(from + n * 20 * MS, 8, 160);
        }
    }

    fn skip(&mut self, packets: u16) {
        self.sequence = self.sequence.wrapping_add(packets);
        self.timestamp = self.timestamp.wrapping_add(u32::from(packets) * 160);
    }

    fn timeline(self) -> Timeline {
        let timeline = self.covered();
        let bytes = timeline.to_bytes().unwrap();
        assert_eq!(Timeline::from_bytes(&bytes).unwrap(), timeline);
        timeline
    }

    fn covered(self) -> Timeline {
        let timeline = build(self.records);
        for stream in &timeline.streams {
            let mut at = 0;
            for interval in &stream.intervals {
                assert_eq!(
                    interval.start_us, at,
                    "intervals adjoin: {:?}",
                    stream.intervals
                );
                assert!(interval.end_us > interval.start_us);
                at = interval.end_us;
            }
            assert_eq!(at, timeline.length_us(), "intervals cover the call");
        }
        timeline
    }
}

/// Kind, and start and end in milliseconds, of the first stream's intervals.
fn shape(timeline: &Timeline) -> Vec<(IntervalKind, u64, u64)> {
    let intervals = timeline.streams[0].intervals.iter();
    intervals
        .map(|interval| {
            (
                interval.kind,
                interval.start_us / 1_000,
                interval.end_us / 1_000,
            )
        })
        .collect()
}
