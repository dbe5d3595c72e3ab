//! Pauses on our side: what arrives in between is kept nowhere, and the timeline says why.

use crate::raw::{DUTCH, RawCall, STAFF};
use crate::support::*;
use std::time::Duration;
use voicelog_archive::check::Level;
use voicelog_archive::journal::{AskedBy, JournalEvent, PauseReason, Pausing, Record, ResumedBy};
use voicelog_archive::timeline::{Interval, IntervalKind, Timeline, Verdict};
use voicelog_model::RecordingId;
use voicelog_recorder::{CallState, MediaCounts, PauseError};
use voicelog_src_sim::place;

const KEYS: &str = "8 101\r\na=rtpmap:101 telephone-event/8000";

fn counts(server: &Server) -> MediaCounts {
    server.recorder.status().calls[0].media
}

/// The pauses of the first stream.
fn pauses(timeline: &Timeline) -> Vec<&Interval> {
    let intervals = timeline.streams[0].intervals.iter();
    intervals
        .filter(|interval| interval.kind == IntervalKind::Paused)
        .collect()
}

/// Speaks once on each stream, and waits until what was sent has been dealt with.
fn speak(server: &Server, call: &mut RawCall, streams: usize) {
    let seen = |counts: MediaCounts| counts.kept + counts.paused + counts.without_permit;
    let before = seen(counts(server));
    for stream in 0..streams {
        call.speak(stream);
    }
    wait_until("packets are dealt with", || {
        seen(counts(server)) >= before + streams as u64
    });
}

#[test]
fn what_is_said_during_a_pause_is_kept_nowhere_and_the_timeline_says_why() {
    let server = server();
    let call = place(&server.plan("announced", 1)).unwrap();
    let id = server.call_in(CallState::Recording);
    wait_until("media is kept", || counts(&server).kept > 20);
    let paused = server
        .recorder
        .pause(id, PauseReason::CardData, None)
        .unwrap();
    assert_eq!(paused.until.micros_since(paused.since), 120_000_000);
    let shown = server.recorder.status().calls[0].pause;
    assert_eq!(shown, Some(paused));
    let kept = counts(&server).kept;
    wait_until("media is thrown away", || counts(&server).paused > 40);
    assert_eq!(counts(&server).kept, kept);
    assert!(call.status().flows(), "the client is not told to stop");
    server.recorder.resume(id).unwrap();
    assert_eq!(server.recorder.status().calls[0].pause, None);
    wait_until("media is kept again", || counts(&server).kept > kept + 20);
    let report = call.hang_up().unwrap();
    server.all_closed();

    let opened = server.open(id);
    for (stream, all) in (1..).zip(sent(&report)) {
        let kept = payloads(&opened, stream);
        let packets: Vec<_> = kept.chunks(160).collect();
        let all: Vec<_> = all.chunks(160).collect();
        let before = packets
            .iter()
            .zip(&all)
            .take_while(|(kept, sent)| kept == sent)
            .count();
        assert!(before > 5 && before < packets.len());
        assert!(
            all.ends_with(&packets[before..]),
            "one hole, and nothing else is missing"
        );
        assert!(all.len() - packets.len() >= 15);
    }
    let timeline = server.timeline(id);
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
    let [pause] = pauses(&timeline)[..] else {
        panic!("{timeline:#?}")
    };
    let pausing = Pausing {
        reason: PauseReason::CardData,
        by: AskedBy::Program,
        party: None,
    };
    assert_eq!(pause.pause, Some(pausing));
    // The last packet before it may reach a little into it.
    let start = paused.since.micros_since(timeline.call_started);
    assert!((start..=start + 20_000).contains(&pause.start_us.cast_signed()));
    assert_eq!(timeline.streams[0].lost, 0);
    // Read back from the disk, the arithmetic comes to the same.
    let findings = server.archive.check(Level::Hash).unwrap();
    assert_eq!(findings.wrong, []);
}

#[test]
fn a_pause_that_nobody_ends_ends_at_its_limit_to_the_microsecond() {
    let server = server();
    let call = place(&server.plan("announced", 1)).unwrap();
    let id = server.call_in(CallState::Recording);
    wait_until("media is kept", || counts(&server).kept > 10);
    let second = Some(Duration::from_secs(1));
    let paused = server
        .recorder
        .pause(id, PauseReason::Medical, second)
        .unwrap();
    let kept = counts(&server).kept;
    wait_until("media is kept again", || counts(&server).kept > kept + 10);
    call.hang_up().unwrap();
    server.all_closed();
    let timeline = server.timeline(id);
    let [pause] = pauses(&timeline)[..] else {
        panic!("{timeline:#?}")
    };
    let end = paused.until.micros_since(timeline.call_started);
    assert_eq!(pause.end_us.cast_signed(), end);
    assert!(pause.length_us() > 900_000);
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn a_pause_goes_on_over_a_new_offer_another_source_a_new_stream_and_who_joins() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 1, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    speak(&server, &mut call, 1);
    server
        .recorder
        .pause(id, PauseReason::CitizenNumber, None)
        .unwrap();
    let kept = counts(&server).kept;
    speak(&server, &mut call, 1);
    assert_eq!(call.offer("INVITE", 2, Some(&metadata)), 200);
    speak(&server, &mut call, 2);
    // Another source on the same port, and a third who is told of.
    call.speak_from(0, 0x0bad_cafe);
    let joined = RawCall::metadata(&[STAFF, DUTCH, "tel:+31301234567"]);
    assert_eq!(call.update(&joined), 200);
    speak(&server, &mut call, 2);
    assert_eq!(counts(&server).kept, kept);
    assert_eq!(server.call_in(CallState::Recording), id);
    server.recorder.resume(id).unwrap();
    wait_until("media is kept again", || {
        call.speak(0);
        counts(&server).kept > kept
    });
    call.bye();
    server.all_closed();
    assert_eq!(pauses(&server.timeline(id)).len(), 1);
}

#[test]
fn a_call_that_waits_can_be_paused_and_begins_paused_when_it_is_permitted() {
    let server = server();
    let mut plan = server.german_plan(1);
    plan.honour_direction = false;
    let call = place(&plan).unwrap();
    let id = server.call_in(CallState::Waiting);
    server
        .recorder
        .pause(id, PauseReason::Private, None)
        .unwrap();
    server.say(
        id,
        &serde_json::json!({ "consent_per_participant": { "p1": "given", "p2": "given" } }),
    );
    server.call_in(CallState::Recording);
    wait_until("media is thrown away", || counts(&server).paused > 10);
    assert_eq!(counts(&server).kept, 0);
    server.recorder.resume(id).unwrap();
    wait_until("media is kept", || counts(&server).kept > 10);
    call.hang_up().unwrap();
    server.all_closed();
    let timeline = server.timeline(id);
    let kinds = kinds(&timeline);
    assert_eq!(kinds[..2], [IntervalKind::NotStarted, IntervalKind::Paused]);
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn what_cannot_be_paused_is_an_error_and_never_shown_as_paused() {
    let server = server();
    let nobody = RecordingId::new(now(), [9; 10]);
    let pause = |id, seconds| {
        let limit = Some(Duration::from_secs(seconds));
        server.recorder.pause(id, PauseReason::Other, limit)
    };
    assert_eq!(pause(nobody, 10), Err(PauseError::NoSuchCall));
    assert_eq!(server.recorder.resume(nobody), Err(PauseError::NoSuchCall));
    let mut call = RawCall::dutch(&server, 1);
    let id = server.call_in(CallState::Recording);
    for seconds in [0, 901] {
        assert_eq!(
            pause(id, seconds),
            Err(PauseError::Length { seconds_max: 900 })
        );
    }
    assert_eq!(server.recorder.resume(id), Err(PauseError::NotPaused));
    assert_eq!(server.recorder.status().calls[0].pause, None);
    call.bye();
    server.all_closed();
    assert_eq!(pause(id, 10), Err(PauseError::NoSuchCall));
}

#[test]
fn keys_of_our_side_pause_and_go_on_and_the_keys_themselves_are_kept_nowhere() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place_as(&server, "keyed", 2, Some(&metadata), KEYS);
    let id = server.call_in(CallState::Recording);
    speak(&server, &mut call, 2);
    // The other side has no say over it.
    call.press(1, "*7");
    speak(&server, &mut call, 2);
    assert_eq!(server.recorder.status().calls[0].pause, None);
    call.press(0, "*7");
    let is_paused = || server.recorder.status().calls[0].pause.is_some();
    wait_until("the key pauses", is_paused);
    let kept = counts(&server).kept;
    // A card number, said and typed.
    call.press(1, "4111111111111111");
    speak(&server, &mut call, 2);
    assert_eq!(counts(&server).kept, kept);
    call.press(0, "*8");
    wait_until("the key lets it go on", || !is_paused());
    speak(&server, &mut call, 2);
    assert!(counts(&server).kept > kept);
    call.bye();
    server.all_closed();
    let opened = server.open(id);
    let events = || {
        opened.records.iter().filter_map(|record| match record {
            Record::Event { event, .. } => Some(event),
            Record::Packet { .. } => None,
        })
    };
    let pausing: Vec<_> = events()
        .filter(|event| {
            matches!(
                event,
                JournalEvent::RecordingPaused { .. } | JournalEvent::RecordingResumed { .. }
            )
        })
        .collect();
    let by_key = JournalEvent::RecordingPaused {
        reason: PauseReason::CardData,
        by: AskedBy::Key,
        party: Some("p1".to_owned()),
    };
    let resumed = JournalEvent::RecordingResumed { by: ResumedBy::Key };
    assert_eq!(pausing, [&by_key, &resumed]);
    // Of two keys of the other side, and of the first of ours: the second is in the pause.
    let left_out = events().filter(|event| matches!(event, JournalEvent::KeyLeftOut { .. }));
    assert_eq!(left_out.count(), 15);
}
