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
