//! What came, what was lost, and who stopped it.

use super::*;

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
    call.talk(1_035 * MS, 50);
    call.event(2_015 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (Media, 0, 1_000),
            (AwaitingFirstPacket, 1_000, 1_015),
            (Media, 1_015, 2_015)
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
            (Some(Cause::Restart), Verdict::CutShort)
        );
    }
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
fn what_is_lost_where_a_source_begins_anew_is_declared_and_no_packet_is_disowned() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 30);
    // Five times another source, of which the second packet is lost; then one whose first packets are.
    for source in 0..5 {
        (call.ssrc, call.sequence) = (100 + source, 1_000);
        let from = 620 * MS + i64::from(source) * 240 * MS;
        call.talk(from, 1);
        call.skip(1);
        call.talk(from + 40 * MS, 10);
    }
    call.event(1_820 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    let stream = &timeline.streams[0];
    assert_eq!((stream.lost, stream.outside, stream.packets), (5, 0, 85));
    let gap = |kind| stream.intervals.iter().filter(|i| i.kind == kind).count();
    assert_eq!((gap(Loss), gap(AwaitingFirstPacket)), (5, 0), "{stream:#?}");
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn between_two_sources_more_than_a_packet_is_declared_though_no_number_tells_of_it() {
    for (gap, shape_between) in [
        (15, AwaitingFirstPacket),
        (60, SourceChange),
        (300, UndeclaredGap),
    ] {
        let mut call = Call::permitted();
        call.talk(20 * MS, 50);
        (call.ssrc, call.sequence) = (99, 7);
        call.talk((1_020 + gap) * MS, 50);
        call.event((2_000 + gap) * MS, ended(Cause::RecordingClient));
        let timeline = call.timeline();
        let between = &timeline.streams[0].intervals[1];
        assert_eq!(between.kind, shape_between, "{gap} ms");
        assert_eq!(between.length_us(), gap.unsigned_abs() * 1_000);
        let is_whole = timeline.verdict == Verdict::Whole;
        assert_eq!(is_whole, gap == 15, "{gap} ms");
    }
}

fn refused_stream(why: Cause) -> JournalEvent {
    JournalEvent::StreamRefused {
        stream: stream(2),
        cause: why,
    }
}

#[test]
fn a_side_that_we_cannot_take_is_missing_by_name_until_it_is_offered_otherwise() {
    let mut call = Call::new();
    call.event(0, refused_stream(Cause::Protection));
    call.event(0, permitted());
    call.talk(20 * MS, 100);
    call.event(1_000 * MS, JournalEvent::StreamAdded { stream: stream(2) });
    call.event(2_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    let first = &timeline.streams[1].intervals[0];
    assert_eq!(
        (first.kind, first.cause),
        (Refused, Some(Cause::Protection))
    );
    assert_eq!(first.length_us(), 1_000_000);
    // From then on it is a stream like any other, of which nothing came.
    assert_eq!(timeline.streams[1].intervals[1].kind, AwaitingFirstPacket);
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn a_side_that_is_offered_otherwise_during_the_call_is_missing_from_then_on() {
    let mut call = Call::new();
    call.event(0, permitted());
    call.talk(20 * MS, 50);
    let stream = stream(1);
    let cause = Cause::Keys;
    call.event(1_000 * MS, JournalEvent::StreamRefused { stream, cause });
    call.event(2_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [(Media, 0, 1_000), (Refused, 1_000, 2_000)]
    );
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn sound_from_elsewhere_before_the_named_address_was_heard_is_told_and_the_call_is_not_whole() {
    for was_elsewhere in [false, true] {
        let mut call = Call::permitted();
        call.talk(20 * MS, 50);
        let stream = StreamNumber(1);
        let changed = JournalEvent::SourceChanged {
            stream,
            was_elsewhere,
        };
        call.event(1_010 * MS, changed);
        call.talk(1_020 * MS, 49);
        call.event(1_980 * MS, ended(Cause::RecordingClient));
        let timeline = call.timeline();
        assert_eq!(timeline.verdict == Verdict::Whole, !was_elsewhere);
        let told = comings(&timeline, voicelog_model::Language::En);
        assert_eq!(told.len(), usize::from(was_elsewhere), "{told:?}");
    }
}
