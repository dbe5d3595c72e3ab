//! When the law lets media in, and when it stops.

use super::*;
use crate::journal::{AskedBy, PauseReason, PrivateEnd, ResumedBy};

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

fn withheld(reason: PauseReason) -> JournalEvent {
    JournalEvent::RecordingPaused {
        reason,
        by: AskedBy::Program,
        party: None,
    }
}

fn resumed() -> JournalEvent {
    JournalEvent::RecordingResumed {
        by: ResumedBy::Program,
    }
}

#[test]
fn a_pause_on_our_side_is_declared_with_its_bounds_and_reason_and_is_no_loss() {
    let mut call = Call::permitted();
    call.talk(23 * MS, 50);
    call.event(1_020 * MS, withheld(PauseReason::CardData));
    // What arrives is not kept, by nobody; the numbers go on.
    call.skip(100);
    call.event(3_010 * MS, resumed());
    call.talk(3_023 * MS, 50);
    call.event(4_023 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (AwaitingFirstPacket, 0, 3),
            (Media, 3, 1_003),
            (AfterLastPacket, 1_003, 1_020),
            (Paused, 1_020, 3_010),
            (Media, 3_010, 4_010),
            (AfterLastPacket, 4_010, 4_023)
        ]
    );
    let paused = &timeline.streams[0].intervals[3];
    assert_eq!(paused.cause, Some(Cause::Operator));
    let pausing = paused.pause.as_ref().unwrap();
    assert_eq!(pausing.reason, PauseReason::CardData);
    assert_eq!(timeline.streams[0].lost, 0);
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn a_pause_on_our_side_goes_on_over_a_hold_a_refusal_and_a_new_stream() {
    let number = StreamNumber(1);
    let decision = DecisionId::from_bytes([3; 16]);
    let mut call = Call::permitted();
    call.talk(20 * MS, 50);
    call.event(1_000 * MS, withheld(PauseReason::CardData));
    let by = Cause::RecordingClient;
    let held = JournalEvent::StreamPaused { stream: number, by };
    call.event(2_000 * MS, held);
    call.event(3_000 * MS, JournalEvent::StreamResumed { stream: number });
    let reasons = vec![ground()];
    call.event(4_000 * MS, JournalEvent::PermitEnded { decision, reasons });
    call.event(5_000 * MS, permitted());
    call.event(6_000 * MS, withheld(PauseReason::Medical));
    call.event(7_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (Media, 0, 1_000),
            (Paused, 1_000, 4_000),
            (Paused, 4_000, 5_000),
            (Paused, 5_000, 6_000),
            (Paused, 6_000, 7_000)
        ]
    );
    let intervals = timeline.streams[0].intervals[1..].iter();
    let reasons = intervals.map(|interval| interval.pause.as_ref().map(|pause| pause.reason));
    let (card, medical) = (PauseReason::CardData, PauseReason::Medical);
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        [Some(card), None, Some(card), Some(medical)]
    );
}

#[test]
fn a_stream_that_comes_during_a_pause_begins_paused() {
    let mut call = Call::permitted();
    call.event(1_000 * MS, withheld(PauseReason::CitizenNumber));
    let second = JournalEvent::StreamAdded { stream: stream(2) };
    call.event(2_000 * MS, second);
    call.event(3_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    let kinds: Vec<_> = timeline.streams[1]
        .intervals
        .iter()
        .map(|i| i.kind)
        .collect();
    assert_eq!(kinds, [NotStarted, Paused]);
}

#[test]
fn a_private_call_is_one_until_it_is_said_that_it_is_not_whatever_is_paused_meanwhile() {
    let mut call = Call::permitted();
    let (by, party) = (AskedBy::Key, Some("p1".to_owned()));
    call.talk(20 * MS, 50);
    let began = JournalEvent::PrivateBegan { by, party };
    call.event(1_000 * MS, began);
    call.event(2_000 * MS, withheld(PauseReason::CardData));
    call.event(
        3_000 * MS,
        JournalEvent::RecordingResumed {
            by: ResumedBy::Program,
        },
    );
    call.event(4_000 * MS, withheld(PauseReason::Medical));
    let (reason, party) = (PrivateEnd::BusinessAgain, Some("p1".to_owned()));
    call.event(5_000 * MS, JournalEvent::PrivateEnded { reason, by, party });
    call.event(
        6_000 * MS,
        JournalEvent::RecordingResumed {
            by: ResumedBy::Program,
        },
    );
    call.skip(250);
    call.talk(6_020 * MS, 50);
    call.event(7_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (Media, 0, 1_000),
            (Paused, 1_000, 5_000),
            (Paused, 5_000, 6_000),
            (Media, 6_000, 7_000)
        ]
    );
    let intervals = timeline.streams[0].intervals.iter();
    let reasons =
        intervals.filter_map(|interval| interval.pause.as_ref().map(|pause| pause.reason));
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        [PauseReason::PrivateCall, PauseReason::Medical]
    );
    assert!(timeline.is_partly_private());
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
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
