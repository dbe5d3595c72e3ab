//! Clocks that differ, drift, stop and lie.

use super::*;

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
