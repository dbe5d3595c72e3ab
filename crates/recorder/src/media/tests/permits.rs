//! When packets are kept: by the answers of the law, and what changes them.

use super::*;

#[test]
fn what_arrived_before_the_permit_is_not_kept_even_if_it_is_read_after_it() {
    let mut bench = Bench::new(1);
    for sequence in 0..5 {
        bench.say(sequence);
    }
    bench.sweep();
    let permitted_at = now();
    for sequence in 5..8 {
        bench.say(sequence);
    }
    bench.session.keep(permitted_at, Vec::new(), false);
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().without_permit), (3, 5));
    assert_eq!(sequences(&bench.end()), [5, 6, 7]);
}

#[test]
fn without_a_permit_there_is_no_journal_at_all() {
    let mut bench = Bench::new(2);
    bench.close(now(), Vec::new(), None);
    for sequence in 0..30 {
        bench.say(sequence);
        bench.sweep();
    }
    assert_eq!(
        bench.counts(),
        MediaCounts {
            without_permit: 30,
            ..MediaCounts::default()
        }
    );
    assert!(bench.handed_over().is_none());
    assert!(bench.end().is_empty());
}

#[test]
fn while_the_law_is_asked_again_packets_wait_and_a_permit_loses_none_of_them() {
    let mut bench = Bench::keeping();
    bench.say(1);
    bench.sweep();
    bench.session.hold();
    bench.say(2);
    bench.sweep();
    assert_eq!(bench.counts().kept, 1);
    bench.keep();
    bench.sweep();
    assert_eq!(sequences(&bench.end()), [1, 2]);
}

#[test]
fn a_refusal_holds_from_the_moment_the_facts_changed() {
    let mut bench = Bench::keeping();
    bench.say(1);
    let changed_at = now().plus_micros(1);
    bench.session.hold();
    while now() <= changed_at {}
    bench.say(2);
    bench.close(changed_at, Vec::new(), None);
    bench.say(3);
    bench.sweep();
    assert_eq!(sequences(&bench.end()), [1]);
}

#[test]
fn what_is_thrown_away_without_a_refusal_is_told_when_it_goes_on() {
    let mut bench = Bench::keeping();
    bench.close(now(), Vec::new(), Some(Cause::Refusal));
    bench.say(1);
    bench.say(2);
    bench.sweep();
    bench.keep();
    let records = bench.end();
    let dropped = JournalEvent::MediaDropped {
        stream: StreamNumber(1),
        packets: 2,
        cause: Cause::Refusal,
    };
    assert_eq!(events(&records)[0], &dropped);
}

#[test]
fn what_came_while_the_law_was_asked_after_a_refusal_is_not_kept() {
    let mut bench = Bench::keeping();
    bench.say(1);
    bench.sweep();
    bench.close(now(), Vec::new(), None);
    bench.session.hold();
    bench.say(2);
    bench.sweep();
    let permitted_at = now();
    bench.say(3);
    bench.session.keep(permitted_at, Vec::new(), false);
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().without_permit), (2, 1));
    assert_eq!(sequences(&bench.end()), [1, 3]);
}

#[test]
fn a_second_refusal_keeps_nothing_of_what_came_since_the_first() {
    let mut bench = Bench::keeping();
    bench.close(now(), Vec::new(), None);
    bench.say(1);
    bench.session.hold();
    bench.say(2);
    let since = now().plus_micros(1_000_000);
    bench.close(since, Vec::new(), None);
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().without_permit), (0, 2));
    assert!(sequences(&bench.end()).is_empty());
}

#[test]
fn a_permit_for_facts_that_have_changed_keeps_nothing_before_the_next_answer() {
    let mut bench = Bench::new(1);
    let permitted_at = now();
    bench.session.keep(permitted_at, Vec::new(), true);
    bench.say(1);
    bench.sweep();
    assert_eq!(bench.counts().kept, 0);
    // A permission loses nothing, a refusal holds from the change on.
    bench.keep();
    bench.sweep();
    bench.session.hold();
    let changed_at = now().plus_micros(1);
    while now() <= changed_at {}
    bench.say(2);
    bench.session.keep(now(), Vec::new(), true);
    bench.close(changed_at, Vec::new(), None);
    assert_eq!(sequences(&bench.end()), [1]);
}

#[test]
fn what_waited_without_an_answer_is_told_as_dropped_however_often_the_law_was_asked() {
    let mut bench = Bench::keeping();
    bench.say(1);
    bench.sweep();
    bench.session.hold();
    let held_at = now();
    bench.say(2);
    bench.close(held_at, Vec::new(), Some(Cause::Refusal));
    bench.say(3);
    bench.sweep();
    bench.session.hold();
    bench.say(4);
    bench.close(held_at, Vec::new(), Some(Cause::Refusal));
    bench.sweep();
    bench.session.hold();
    bench.say(5);
    let permitted_at = now();
    bench.say(6);
    bench.session.keep(permitted_at, Vec::new(), false);
    let records = bench.end();
    assert_eq!(sequences(&records), [1, 6]);
    let dropped = JournalEvent::MediaDropped {
        stream: StreamNumber(1),
        packets: 4,
        cause: Cause::Refusal,
    };
    assert_eq!(events(&records)[0], &dropped);
    assert_eq!(events(&records).len(), 2);
}

#[test]
fn a_key_that_comes_while_the_law_is_being_asked_counts_though_the_answer_is_no() {
    let key_of = |sequence: u16| [&rtp(101, sequence, SSRC)[..12], &[1, 10, 0, 160]].concat();
    let mut bench = Bench::listening();
    bench.keep();
    bench.say(1);
    bench.sweep();
    let changed = now();
    bench.session.hold();
    bench.say(2);
    bench.send(&key_of(3));
    bench.close(changed, Vec::new(), None);
    let heard = bench.session.take_heard();
    let acts: Vec<_> = heard.iter().map(|heard| heard.act).collect();
    assert_eq!(acts, [KeyAct::Consent]);
    assert_eq!((bench.counts().kept, bench.counts().left_out), (1, 0));
}

#[test]
fn after_a_failure_what_it_cost_and_the_end_are_said_and_nothing_is_kept() {
    let mut bench = Bench::keeping();
    bench.say(1);
    bench.sweep();
    bench.session.fail(Cause::DiskFull);
    bench.keep();
    bench.say(2);
    bench.sweep();
    let records = bench.end();
    assert!(sequences(&records).is_empty());
    let ended = JournalEvent::CallEnded {
        cause: Cause::RecordingClient,
    };
    let lost = JournalEvent::MediaDropped {
        stream: StreamNumber(1),
        packets: 1,
        cause: Cause::DiskFull,
    };
    assert_eq!(events(&records), [&lost, &lost, &ended]);
}
