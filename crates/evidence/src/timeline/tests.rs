//! Calls as they go right and wrong, and what their timelines say.

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

#[test]
fn a_normal_call_is_whole() {
    let mut call = Call::permitted();
    call.talk(25 * MS, 100);
    call.event(2_020 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (AwaitingFirstPacket, 0, 5),
            (Media, 5, 2_005),
            (AfterLastPacket, 2_005, 2_020)
        ]
    );
    assert_eq!(timeline.verdict, Verdict::Whole);
    let stream = &timeline.streams[0];
    assert_eq!(
        (stream.packets, stream.payload_bytes, stream.lost),
        (100, 16_000, 0)
    );
    assert_eq!(stream.intervals[1].samples, 16_000);
    assert_eq!(
        (stream.first_sequence, stream.last_sequence),
        (Some(65_500), Some(63))
    );
}

#[test]
fn a_call_that_was_permitted_late_says_until_when_and_why() {
    let mut call = Call::new();
    call.event(2 * MS, refused());
    call.event(7_000 * MS, permitted());
    call.talk(7_020 * MS, 50);
    call.event(8_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [(NotStarted, 0, 7_000), (Media, 7_000, 8_000)]
    );
    let waited = &timeline.streams[0].intervals[0];
    assert_eq!(
        (waited.cause, &waited.grounds),
        (Some(Cause::Refusal), &vec![ground()])
    );
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn a_call_that_was_never_permitted_is_not_recorded() {
    let mut call = Call::new();
    call.event(2 * MS, refused());
    call.event(8_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(shape(&timeline), [(NotStarted, 0, 8_000)]);
    assert_eq!(
        (timeline.verdict, timeline.streams[0].packets),
        (Verdict::NotRecorded, 0)
    );
}

#[test]
fn packets_before_the_permit_have_no_place() {
    let mut call = Call::new();
    call.event(2 * MS, refused());
    call.talk(100 * MS, 10);
    call.event(8_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(shape(&timeline), [(NotStarted, 0, 8_000)]);
    assert_eq!(
        (timeline.streams[0].outside, timeline.streams[0].packets),
        (10, 10)
    );
}

#[test]
fn no_media_is_placed_before_the_permission() {
    let mut call = Call::new();
    call.event(9 * MS, permitted());
    call.talk(20 * MS, 50);
    call.event(1_020 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (AwaitingFirstPacket, 0, 9),
            (Media, 9, 1_009),
            (AfterLastPacket, 1_009, 1_020)
        ]
    );
    assert_eq!(timeline.verdict, Verdict::Whole);
}

#[test]
fn a_permission_that_ends_stops_the_media() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 50);
    let decision = DecisionId::from_bytes([3; 16]);
    call.event(
        1_005 * MS,
        JournalEvent::PermitEnded {
            decision,
            reasons: vec![ground()],
        },
    );
    call.talk(1_020 * MS, 10);
    call.event(3_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    let shape = shape(&timeline);
    assert_eq!(
        shape[1..],
        [(AfterLastPacket, 1_000, 1_005), (Paused, 1_005, 3_000)][..],
        "{shape:?}"
    );
    let paused = &timeline.streams[0].intervals[2];
    assert_eq!(
        (paused.cause, paused.grounds.len()),
        (Some(Cause::Refusal), 1)
    );
    assert_eq!(timeline.streams[0].outside, 10);
}

#[test]
fn a_pause_by_the_client_is_declared_and_is_no_loss() {
    let number = StreamNumber(1);
    let mut call = Call::permitted();
    call.talk(23 * MS, 50);
    let by = Cause::RecordingClient;
    call.event(
        1_000 * MS,
        JournalEvent::StreamPaused { stream: number, by },
    );
    // On its way when the pause came.
    call.talk(1_023 * MS, 1);
    call.skip(500);
    call.event(11_000 * MS, JournalEvent::StreamResumed { stream: number });
    call.talk(11_040 * MS, 50);
    call.event(12_020 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (AwaitingFirstPacket, 0, 3),
            (Media, 3, 1_023),
            (Paused, 1_023, 11_000),
            (AwaitingFirstPacket, 11_000, 11_020),
            (Media, 11_020, 12_020)
        ]
    );
    assert_eq!(
        timeline.streams[0].intervals[2].cause,
        Some(Cause::RecordingClient)
    );
    assert_eq!(timeline.streams[0].lost, 0);
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn lost_packets_are_counted_and_their_time_is_kept() {
    for lost in [1, 100_u16] {
        let gap = i64::from(lost) * 20;
        let mut call = Call::permitted();
        call.talk(20 * MS, 50);
        call.skip(lost);
        call.talk((1_020 + gap) * MS, 50);
        call.event((2_000 + gap) * MS, ended(Cause::RecordingClient));
        let timeline = call.timeline();
        let end = 1_000 + u64::try_from(gap).unwrap();
        let shape = shape(&timeline);
        assert_eq!(shape[0], (Media, 0, 1_000), "{lost}");
        assert_eq!(shape[1], (Loss, 1_000, end), "{lost}");
        assert_eq!(timeline.streams[0].intervals[1].lost, u64::from(lost));
        assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
    }
}

#[test]
fn reordered_and_doubled_packets_change_nothing() {
    let mut plain = Call::permitted();
    plain.talk(20 * MS, 100);
    plain.event(2_000 * MS, ended(Cause::RecordingClient));
    let mut shuffled = Call {
        records: plain.records.clone(),
        ..Call::new()
    };
    shuffled.records.swap(20, 21);
    shuffled.records.swap(40, 42);
    shuffled.records.insert(60, plain.records[59].clone());
    let (plain, shuffled) = (plain.timeline(), shuffled.timeline());
    assert_eq!(shuffled.verdict, Verdict::Whole);
    assert_eq!(shape(&shuffled), shape(&plain));
    let stream = &shuffled.streams[0];
    assert_eq!(
        (stream.duplicates, stream.reordered, stream.lost),
        (1, 3, 0)
    );
}

#[test]
fn another_source_goes_on_where_the_first_stopped() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 50);
    (call.ssrc, call.sequence, call.timestamp) = (99, 7, 123_456);
    call.talk(1_050 * MS, 50);
    call.event(2_030 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (Media, 0, 1_000),
            (AwaitingFirstPacket, 1_000, 1_030),
            (Media, 1_030, 2_030)
        ]
    );
    assert_eq!(
        (timeline.verdict, timeline.streams[0].lost),
        (Verdict::Whole, 0)
    );
}

#[test]
fn silence_suppression_is_no_loss() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 50);
    call.packet(1_020 * MS, 13, 1);
    call.timestamp = call.timestamp.wrapping_add(3_999 + 160);
    call.talk(1_540 * MS, 50);
    call.event(2_520 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (Media, 0, 1_000),
            (SilenceSuppressed, 1_000, 1_520),
            (Media, 1_520, 2_520)
        ]
    );
    assert_eq!(
        (timeline.streams[0].lost, timeline.streams[0].packets),
        (0, 101)
    );
}

#[test]
fn another_payload_type_of_g711_is_media_too() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 10);
    call.packet(220 * MS, 0, 160);
    call.talk(240 * MS, 10);
    call.event(420 * MS, ended(Cause::RecordingClient));
    assert_eq!(shape(&call.timeline()), [(Media, 0, 420)]);
}

#[test]
fn an_interruption_ends_the_call_at_its_own_time_however_late_the_restart() {
    for days in [0, 3] {
        let mut call = Call::permitted();
        call.talk(20 * MS, 50);
        let restarted_at = Timestamp::from_micros(START + 60_000 * MS + days * 86_400_000 * MS);
        call.event(1_500 * MS, JournalEvent::Interrupted { restarted_at });
        let timeline = call.timeline();
        assert_eq!(
            shape(&timeline),
            [(Media, 0, 1_000), (Restart, 1_000, 1_500)]
        );
        assert_eq!(
            (timeline.end, timeline.verdict),
            (Some(Cause::Restart), Verdict::WholeWithDeclaredGaps)
        );
    }
}

#[test]
fn an_interruption_of_a_call_that_waited_keeps_its_reason() {
    let mut call = Call::new();
    call.event(2 * MS, refused());
    call.event(4_000 * MS, refused());
    let restarted_at = Timestamp::from_micros(START + 9_000 * MS);
    call.event(4_500 * MS, JournalEvent::Interrupted { restarted_at });
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [(NotStarted, 0, 4_000), (Restart, 4_000, 4_500)]
    );
    assert_eq!(timeline.verdict, Verdict::NotRecorded);
}

#[test]
fn media_that_stops_without_a_reason_is_an_undeclared_gap() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 50);
    call.event(31_000 * MS, ended(Cause::TimeOut));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [(Media, 0, 1_000), (UndeclaredGap, 1_000, 31_000)]
    );
    assert_eq!(timeline.verdict, Verdict::UndeclaredGap);
}

#[test]
fn a_journal_without_an_end_is_never_whole() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 50);
    let timeline = call.timeline();
    assert_eq!(
        (timeline.end, timeline.verdict),
        (None, Verdict::UndeclaredGap)
    );
}

#[test]
fn a_full_disk_is_named_at_the_end() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 50);
    call.event(1_500 * MS, dropped(225, Cause::DiskFull));
    call.event(5_500 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [(Media, 0, 1_000), (Dropped, 1_000, 5_500)]
    );
    let last = &timeline.streams[0].intervals[1];
    assert_eq!((last.cause, last.lost), (Some(Cause::DiskFull), 225));
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn what_the_recorder_dropped_is_told_from_what_the_network_lost() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 50);
    call.skip(30);
    call.talk(1_620 * MS, 20);
    call.event(1_800 * MS, dropped(20, Cause::Overload));
    call.talk(2_020 * MS, 30);
    call.event(2_600 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (Media, 0, 1_000),
            (Dropped, 1_000, 1_400),
            (Loss, 1_400, 1_600),
            (Media, 1_600, 2_600)
        ]
    );
    let lost: Vec<_> = timeline.streams[0]
        .intervals
        .iter()
        .map(|interval| interval.lost)
        .collect();
    assert_eq!(lost, [0, 20, 10, 0]);
}

#[test]
fn a_stream_on_which_nothing_came_says_so() {
    let mut call = Call::permitted();
    call.event(9_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(shape(&timeline), [(UndeclaredGap, 0, 9_000)]);
    assert_eq!(timeline.streams[0].intervals[0].cause, Some(Cause::NoMedia));
    assert_eq!(timeline.verdict, Verdict::UndeclaredGap);
}

#[test]
fn streams_can_start_at_different_times() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 500);
    call.event(4_000 * MS, JournalEvent::StreamAdded { stream: stream(2) });
    let late: Vec<_> = call
        .records
        .iter()
        .filter_map(|record| match record {
            Record::Packet {
                arrived,
                kind,
                bytes,
                ..
            } if *arrived > Timestamp::from_micros(START + 4_100 * MS) => Some(Record::Packet {
                stream: StreamNumber(2),
                arrived: *arrived,
                kind: *kind,
                bytes: bytes.clone(),
            }),
            _ => None,
        })
        .collect();
    call.records.extend(late);
    call.event(10_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    let second: Vec<_> = timeline.streams[1]
        .intervals
        .iter()
        .map(|i| (i.kind, i.start_us / 1_000))
        .collect();
    assert_eq!(
        second,
        [
            (NotStarted, 0),
            (AwaitingFirstPacket, 4_000),
            (Media, 4_100)
        ]
    );
    assert_eq!(timeline.verdict, Verdict::Whole);
}

#[test]
fn packets_of_an_unannounced_stream_are_counted() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 50);
    call.records.push(Record::Packet {
        stream: StreamNumber(8),
        arrived: Timestamp::from_micros(START + 900 * MS),
        kind: PacketKind::Rtp,
        bytes: vec![0x80],
    });
    call.event(1_000 * MS, ended(Cause::RecordingClient));
    assert_eq!(call.timeline().stray_packets, 1);
}

#[test]
fn a_network_that_stalls_and_catches_up_is_no_gap() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 100);
    for _ in 0..50 {
        call.packet(3_000 * MS, 8, 160);
    }
    call.talk(3_020 * MS, 100);
    call.event(5_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(shape(&timeline), [(Media, 0, 5_000)]);
    assert_eq!(timeline.verdict, Verdict::Whole);
}

#[test]
fn a_sender_that_stops_its_clock_leaves_an_undeclared_gap() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 200);
    call.talk(9_020 * MS, 200);
    call.event(13_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (Media, 0, 4_000),
            (UndeclaredGap, 4_000, 9_000),
            (Media, 9_000, 13_000)
        ]
    );
    assert_eq!(timeline.verdict, Verdict::UndeclaredGap);
}

#[test]
fn a_clock_that_drifts_is_declared_and_no_gap() {
    for parts in [-200_i64, 0, 200] {
        let mut call = Call::permitted();
        let packets = 18_000_i64;
        for n in 0..packets {
            let drifted = n * 20 * MS + n * 20 * MS * parts / 1_000_000;
            call.packet(20 * MS + drifted, 8, 160);
        }
        let end = 20 * MS * packets + 20 * MS * packets * parts / 1_000_000 + 5 * MS;
        call.event(end, ended(Cause::RecordingClient));
        let timeline = call.timeline();
        let stream = &timeline.streams[0];
        assert_eq!(timeline.verdict, Verdict::Whole, "{parts}");
        let expected = parts * 360;
        assert!(
            (stream.drift_us - expected).abs() < 4 * MS,
            "{} for {expected}",
            stream.drift_us
        );
        let media = &stream.intervals[0];
        assert_eq!((media.kind, media.samples), (Media, 2_880_000));
        let length = i64::try_from(media.length_us()).unwrap();
        assert_eq!(length, 360_000 * MS + stream.drift_us);
    }
}

#[test]
fn a_first_second_that_was_delayed_is_no_gap() {
    let mut call = Call::permitted();
    call.talk(110 * MS, 100);
    call.talk(2_020 * MS, 200);
    call.event(6_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(shape(&timeline), [(Media, 0, 6_000)]);
    assert_eq!(timeline.verdict, Verdict::Whole);
}

#[test]
fn waiting_for_the_decision_and_for_the_first_packet_have_a_limit_each() {
    let mut call = Call::new();
    call.event(1_900 * MS, permitted());
    call.talk(3_820 * MS, 100);
    call.event(5_800 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [(AwaitingFirstPacket, 0, 3_800), (Media, 3_800, 5_800)]
    );
    assert_eq!(timeline.verdict, Verdict::Whole);
}

#[test]
fn packets_behind_the_end_are_stray() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 50);
    call.event(1_000 * MS, ended(Cause::RecordingClient));
    call.talk(1_020 * MS, 3);
    let timeline = call.timeline();
    assert_eq!(
        (timeline.stray_packets, timeline.streams[0].packets),
        (3, 50)
    );
}

#[test]
fn more_media_than_time_is_never_whole() {
    let mut call = Call::permitted();
    for _ in 0..2_000 {
        call.packet(20 * MS, 8, 160);
    }
    call.event(1_000 * MS, ended(Cause::RecordingClient));
    assert_eq!(call.timeline().verdict, Verdict::UndeclaredGap);
}

#[test]
fn a_bogus_jump_of_the_clock_is_not_believed() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 100);
    call.timestamp = call.timestamp.wrapping_add(80_000_000);
    call.talk(2_020 * MS, 100);
    call.event(4_000 * MS, ended(Cause::RecordingClient));
    assert_eq!(shape(&call.timeline()), [(Media, 0, 4_000)]);
}

proptest! {
    #[test]
    fn any_loss_and_jitter_adds_up(
        kept in proptest::collection::vec(prop::bool::weighted(0.9), 20..400),
        jitter in proptest::collection::vec(0..60_i64, 400),
    ) {
        let mut call = Call::permitted();
        let mut sent = 0;
        for (n, (keep, jitter)) in kept.iter().zip(&jitter).enumerate() {
            if *keep {
                call.packet((20 + i64::try_from(n).unwrap() * 20 + jitter) * MS, 8, 160);
                sent += 1;
            } else {
                call.skip(1);
            }
        }
        let end = (i64::try_from(kept.len()).unwrap() * 20 + 100) * MS;
        call.event(end, ended(Cause::RecordingClient));
        let first = kept.iter().position(|keep| *keep);
        let last = kept.iter().rposition(|keep| *keep);
        let timeline = call.timeline();
        let stream = &timeline.streams[0];
        prop_assert_eq!(stream.packets, sent);
        if let (Some(first), Some(last)) = (first, last) {
            let between = kept[first..=last].iter().filter(|keep| !**keep).count() as u64;
            prop_assert_eq!(stream.lost, between);
        }
        let samples: u64 = stream.intervals.iter().map(|interval| interval.samples).sum();
        prop_assert!(samples <= sent * 160 && samples + 160 >= sent * 160);
    }

    #[test]
    fn no_records_make_it_panic_or_leave_a_hole(
        packets in proptest::collection::vec((any::<i64>(), any::<u16>(), any::<u32>(), 0..3_u32, 0..400_usize, 0..9_u8), 0..80),
        absurd in any::<bool>(),
    ) {
        let mut call = Call::permitted();
        for (at, sequence, timestamp, ssrc, payload, kind) in packets {
            let at = if absurd { at / 2 } else { at % (3_600_000 * MS) };
            match kind {
                0 => call.event(at, ended(Cause::TimeOut)),
                1 => call.event(at, refused()),
                2 => call.event(at, permitted()),
                3 => call.event(at, JournalEvent::StreamPaused { stream: StreamNumber(1), by: Cause::Operator }),
                4 => call.event(at, JournalEvent::StreamResumed { stream: StreamNumber(1) }),
                5 => call.event(at, dropped(u64::from(timestamp), Cause::Overload)),
                _ => {
                    (call.sequence, call.timestamp, call.ssrc) = (sequence, timestamp, ssrc);
                    call.packet(at, kind + 2, payload);
                }
            }
        }
        let _checked = if absurd { call.covered() } else { call.timeline() };
    }
}
