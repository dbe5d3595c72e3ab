//! What is kept of a call that may not be recorded, not yet, or not any more.

use crate::raw::{GERMAN, RawCall, STAFF};
use crate::support::*;
use serde_json::json;
use std::time::Duration;
use voicelog_archive::journal::Cause;
use voicelog_archive::timeline::{IntervalKind, Verdict};
use voicelog_archive::{RecordingFilter, State};
use voicelog_recorder::CallState;
use voicelog_src_sim::{Participant, SimError, place};

#[test]
fn of_a_refused_call_not_one_byte_is_kept_although_media_is_sent() {
    let server = server();
    let mut plan = server.plan("covert", 1);
    plan.honour_direction = false;
    plan.duration = Some(Duration::from_millis(800));
    let call = place(&plan).unwrap();
    let id = server.call_in(CallState::Waiting);
    wait_until("media is thrown away", || {
        server
            .recorder
            .status()
            .calls
            .first()
            .is_some_and(|call| call.media.without_permit > 20)
    });
    assert_eq!(server.recorder.status().calls[0].media.kept, 0);
    let report = call.finish().unwrap();
    assert!(!report.answer.unwrap().receives());
    server.all_closed();
    let trace = server.archive.trace(id).unwrap();
    assert_eq!((trace.blobs, trace.bytes, trace.has_key), (0, 0, false));
    assert_eq!(server.detail(id).summary.state, State::NotRecorded);
    let timeline = server.timeline(id);
    assert_eq!(timeline.verdict, Verdict::NotRecorded);
    assert!(
        !timeline.streams[0].intervals[0].grounds.is_empty(),
        "{timeline:#?}"
    );
}

#[test]
fn a_line_that_rejects_answers_403_and_keeps_the_refusal() {
    let server = server();
    let mut plan = server.plan("strict", 1);
    plan.duration = Some(Duration::from_millis(200));
    assert!(matches!(
        place(&plan),
        Err(SimError::Refused { status: 403, .. })
    ));
    server.all_closed();
    let (kept, _) = server
        .archive
        .list(&RecordingFilter::default(), None, 10)
        .unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].state, State::NotRecorded);
    assert_eq!(server.timeline(kept[0].id).end, Some(Cause::Refusal));
}

#[test]
fn recording_starts_where_consent_is_given_and_the_timeline_says_so() {
    let server = server();
    let mut plan = server.german_plan(1);
    plan.honour_direction = false;
    let call = place(&plan).unwrap();
    let id = server.call_in(CallState::Waiting);
    wait_until("media is thrown away", || {
        server.recorder.status().calls[0].media.without_permit > 20
    });
    let said_at = now();
    server.say(
        id,
        &json!({ "consent_per_participant": { "p1": "given", "p2": "given" } }),
    );
    assert_eq!(server.call_in(CallState::Recording), id);
    wait_until("media is kept", || {
        server.recorder.status().calls[0].media.kept > 40
    });
    let report = call.hang_up().unwrap();
    server.all_closed();
    let opened = server.open(id);
    for (stream, payload) in (1..).zip(sent(&report)) {
        let kept = payloads(&opened, stream);
        assert!(!kept.is_empty() && kept.len() < payload.len());
        assert!(
            payload.ends_with(&kept),
            "what is kept is the whole of the end"
        );
    }
    let timeline = server.timeline(id);
    let kinds = kinds(&timeline);
    assert_eq!(kinds[0], IntervalKind::NotStarted);
    assert!(kinds.contains(&IntervalKind::Media));
    assert!(
        !kinds.contains(&IntervalKind::UndeclaredGap),
        "{timeline:#?}"
    );
    let not_started = &timeline.streams[0].intervals[0];
    assert!(!not_started.grounds.is_empty());
    let started_at = timeline
        .call_started
        .plus_micros(not_started.end_us.cast_signed());
    assert!(started_at >= said_at);
}

#[test]
fn a_client_that_waits_is_asked_for_media_when_consent_is_given() {
    let server = server();
    let call = place(&server.german_plan(1)).unwrap();
    let id = server.call_in(CallState::Waiting);
    assert!(call.wait_for(LONG, |status| status.answer.is_some()));
    assert!(!call.status().flows());
    server.say(
        id,
        &json!({ "consent_per_participant": { "p1": "given", "p2": "given" } }),
    );
    assert!(call.wait_for(LONG, voicelog_src_sim::CallStatus::flows));
    wait_until("media is kept", || {
        server.recorder.status().calls[0].media.kept > 20
    });
    let report = call.hang_up().unwrap();
    server.all_closed();
    assert_eq!(payloads(&server.open(id), 1), sent(&report)[0]);
}

#[test]
fn consent_taken_back_stops_the_recording_from_that_moment() {
    let server = server();
    let mut plan = server.german_plan(1);
    plan.honour_direction = false;
    let call = place(&plan).unwrap();
    let id = server.call_in(CallState::Waiting);
    let consent = |word: &str| json!({ "consent_per_participant": { "p1": "given", "p2": word } });
    server.say(id, &consent("given"));
    server.call_in(CallState::Recording);
    wait_until("media is kept", || {
        server.recorder.status().calls[0].media.kept > 20
    });
    let withdrawn_at = now();
    server.say(id, &consent("withdrawn"));
    server.call_in(CallState::Stopped);
    let before = server.recorder.status().calls[0].media.without_permit;
    wait_until("media is thrown away", || {
        server.recorder.status().calls[0].media.without_permit > before + 4
    });
    let kept = server.recorder.status().calls[0].media.kept;
    pass(300);
    assert_eq!(server.recorder.status().calls[0].media.kept, kept);
    call.hang_up().unwrap();
    server.all_closed();
    let opened = server.open(id);
    for record in &opened.records {
        if let voicelog_archive::journal::Record::Packet { arrived, .. } = record {
            // The moment of the listener's call, which is just after ours.
            assert!(arrived.micros_since(withdrawn_at) < 20_000);
        }
    }
    assert_ne!(server.timeline(id).verdict, Verdict::UndeclaredGap);
}

#[test]
fn a_participant_who_joins_from_abroad_stops_the_recording() {
    let server = server();
    let call = place(&server.plan("announced", 1)).unwrap();
    let id = server.call_in(CallState::Recording);
    wait_until("media is kept", || {
        server.recorder.status().calls[0].media.kept > 20
    });
    let joined = [
        Participant::new("sip:2001@voorbeeld.example", "Verkoop"),
        Participant::new("tel:+4930901820", "Kunde"),
    ];
    assert_eq!(call.update_metadata(&joined).unwrap(), 200);
    assert_eq!(server.call_in(CallState::Stopped), id);
    assert!(
        call.wait_for(LONG, |status| !status.flows()),
        "the client is told to stop"
    );
    // The last packet kept covers the instant in which the law said no: a call that ended in that
    // same instant would lack nothing.
    pass(300);
    call.hang_up().unwrap();
    server.all_closed();
    assert_eq!(server.timeline(id).verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn a_client_that_refuses_to_send_is_asked_again() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, GERMAN]);
    let mut call = RawCall::place(&server, "announced", 2, Some(&metadata));
    let id = server.call_in(CallState::Waiting);
    server.say(
        id,
        &json!({ "consent_per_participant": { "p1": "given", "p2": "given" } }),
    );
    server.call_in(CallState::Recording);
    let refused = call.next_request();
    assert!(refused.starts_with("INVITE ") && refused.contains("a=recvonly"));
    call.answer_request(&refused, 500);
    assert!(call.next_request().starts_with("ACK "));
    // The client shows that it is there, and is asked again before half a minute is over.
    let again = loop {
        pass(500);
        let answer = call.try_ask("OPTIONS");
        if let Some(request) = answer {
            break request;
        }
    };
    assert!(again.starts_with("INVITE ") && again.contains("a=recvonly"));
    assert_eq!(
        server.recorder.status().counts.get("reinvite_refused"),
        Some(&1)
    );
    call.answer_request(&again, 488);
    call.bye();
    server.all_closed();
}
