//! What waits in memory for the notice of its line.

use super::*;

#[test]
fn what_waits_for_the_notice_is_heard_and_kept_from_the_notice_on_without_what_was_paused() {
    let mut bench = Bench::new(1);
    bench
        .session
        .attend(Attention::Listen(Some(60_000_000)), &room());
    bench.close(now(), Vec::new(), None);
    let mut permitted_at = now();
    let mut pause_began = now();
    for sequence in 0..20 {
        match sequence {
            5 => permitted_at = now(),
            10 => {
                pause_began = now();
                bench.pause(60_000);
            }
            15 => assert!(bench.resume()),
            _ => {}
        }
        bench.say(sequence);
        bench.sweep();
        let is_put_by = bench.session.put_waiting_by(now());
        let heard = bench.session.overheard(is_put_by, true);
        assert!(heard.is_some() || (10..15).contains(&sequence));
        assert!(bench.handed_over().is_none());
    }
    let counts = bench.counts();
    assert_eq!((counts.waiting, counts.paused, counts.kept), (15, 5, 0));
    let decision = DecisionId::from_bytes([1; 16]);
    let permitted = vec![(permitted_at, JournalEvent::Permitted { decision })];
    bench.session.attend(Attention::Over, &room());
    bench.session.release(permitted_at, permitted, false);
    bench.say(20);
    bench.sweep();
    let counts = bench.counts();
    assert_eq!(
        (counts.waiting, counts.without_permit, counts.kept),
        (0, 5, 11)
    );
    let mut chunks = Chunks::default();
    bench.session.hand_over(now(), &mut chunks);
    let chunks = chunks.iter().map(|(_, chunk)| decode_chunk(chunk).unwrap());
    let mut records: Vec<_> = chunks.flatten().collect();
    records.extend(bench.end());
    let kept = sequences(&records);
    assert_eq!(kept, [5, 6, 7, 8, 9, 15, 16, 17, 18, 19, 20]);
    assert!(matches!(
        events(&records)[..],
        [
            JournalEvent::Permitted { .. },
            JournalEvent::RecordingPaused { .. },
            JournalEvent::RecordingResumed { .. },
            JournalEvent::CallEnded { .. },
        ]
    ));
    let paused = records.iter().find(|record| {
        let event = record.as_view();
        event.time() >= pause_began
    });
    assert!(matches!(
        paused,
        Some(Record::Event {
            event: JournalEvent::RecordingPaused { .. },
            ..
        })
    ));
}

#[test]
fn what_waited_in_vain_is_dropped_and_counted() {
    for ended in [false, true] {
        let mut bench = Bench::new(1);
        bench
            .session
            .attend(Attention::Listen(Some(60_000_000)), &room());
        bench.close(now(), Vec::new(), None);
        for sequence in 0..5 {
            bench.say(sequence);
        }
        bench.sweep();
        assert_eq!(bench.counts().waiting, 5);
        if ended {
            let shared = Arc::clone(&bench.shared);
            assert!(bench.end().is_empty());
            assert_eq!(
                (shared.read().waiting, shared.read().without_permit),
                (0, 5)
            );
        } else {
            bench.keep();
            bench.sweep();
            assert_eq!(
                (bench.counts().waiting, bench.counts().without_permit),
                (0, 5)
            );
            assert!(sequences(&bench.end()).is_empty());
        }
    }
}

/// A bench of a call that may be kept once somebody asks.
fn holding() -> Bench {
    let mut bench = Bench::new(1);
    let look_back = LookBack {
        from: now(),
        reach: 60_000_000,
    };
    let attention = Attention::LookBack(look_back);
    bench.session.attend(attention, &room());
    bench.close(now(), Vec::new(), None);
    bench
}

/// What waited and is released, as the writer gets it.
fn released(bench: &mut Bench) -> Vec<Record> {
    let mut chunks = Chunks::default();
    bench.session.hand_over(now(), &mut chunks);
    let chunks = chunks.iter().map(|(_, chunk)| decode_chunk(chunk).unwrap());
    chunks.flatten().collect()
}

#[test]
fn what_is_in_doubt_when_somebody_asks_is_kept_if_nobody_better_comes() {
    for from_whole in [true, false] {
        let mut bench = holding();
        let from = now();
        let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
        let say = |sequence| elsewhere.send_to(&rtp(8, sequence, SSRC), bench.rtp[0]);
        say(1).unwrap();
        let later = now();
        while now() <= later {}
        say(2).unwrap();
        bench.sweep();
        assert_eq!(bench.counts().waiting, 0);
        let from = if from_whole { from } else { later };
        bench.session.release(from, Vec::new(), false);
        assert!(sequences(&released(&mut bench)).is_empty());
        elsewhere.send_to(&rtp(8, 3, SSRC), bench.rtp[0]).unwrap();
        let shared = Arc::clone(&bench.shared);
        let kept: &[u16] = if from_whole { &[1, 2, 3] } else { &[2, 3] };
        assert_eq!(sequences(&bench.end()), kept);
        // What is before the beginning of the recording is not kept, and counted.
        assert_eq!(shared.read().without_permit, u64::from(!from_whole));
    }
}

#[test]
fn a_mistake_right_after_a_release_loses_the_media_and_not_how_the_recording_began() {
    let mut bench = holding();
    let from = now();
    bench.say(1);
    bench.sweep();
    let decision = DecisionId::from_bytes([1; 16]);
    let permitted = JournalEvent::Permitted { decision };
    bench
        .session
        .release(from, vec![(from, permitted.clone())], false);
    bench.session.fail(Cause::Overload);
    let records = released(&mut bench);
    assert!(sequences(&records).is_empty());
    let lost = JournalEvent::MediaDropped {
        stream: StreamNumber(1),
        packets: 1,
        cause: Cause::Overload,
    };
    assert_eq!(events(&records), [&permitted, &lost]);
}

#[test]
fn what_is_in_doubt_when_somebody_asks_is_wiped_if_the_client_comes_and_counted() {
    let mut bench = holding();
    let from = now();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.send_to(&rtp(8, 9, 99), bench.rtp[0]).unwrap();
    bench.sweep();
    bench.session.release(from, Vec::new(), false);
    bench.say(1);
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().foreign), (1, 1));
    assert_eq!(sequences(&bench.end()), [1]);
}

#[test]
fn what_is_in_doubt_when_nobody_asks_any_more_is_counted() {
    let mut bench = holding();
    let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
    elsewhere.send_to(&rtp(8, 1, SSRC), bench.rtp[0]).unwrap();
    bench.sweep();
    bench.session.attend(Attention::Forget, &room());
    bench.sweep();
    assert_eq!(
        (bench.counts().waiting, bench.counts().without_permit),
        (0, 1)
    );
    bench.keep();
    assert!(sequences(&bench.end()).is_empty());
}

#[test]
fn what_waited_after_the_facts_had_changed_is_taken_out_of_what_was_released() {
    let mut bench = holding();
    let from = now();
    bench.say(1);
    bench.sweep();
    bench.session.put_waiting_by(now());
    // A hold, of which the media thread hears only after what comes was read.
    let changed_at = now();
    while now() <= changed_at {}
    bench.say(2);
    bench.sweep();
    bench.session.release(from, Vec::new(), true);
    bench.session.hold();
    bench.say(3);
    bench.close(changed_at, Vec::new(), None);
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().without_permit), (1, 2));
    let mut records = released(&mut bench);
    records.extend(bench.end());
    assert_eq!(sequences(&records), [1]);
}
