//! Hold, as the client says it: in the session description or in the metadata.

use crate::raw::{DUTCH, RawCall, STAFF};
use crate::support::*;
use voicelog_archive::journal::Record;
use voicelog_archive::timeline::{IntervalKind, Verdict};
use voicelog_recorder::{CallState, MediaCounts};

fn counts(server: &Server) -> MediaCounts {
    server.recorder.status().calls[0].media
}

fn kept_after_speaking(server: &Server, call: &mut RawCall) -> u64 {
    let before = counts(server).kept;
    wait_until("media is kept", || {
        call.speak(0);
        call.speak(1);
        // Both count on one clock. One that runs ahead of ours would cover the hold that follows.
        pass(40);
        counts(server).kept > before
    });
    counts(server).kept
}

/// Music of both streams, which nobody may keep.
fn music(server: &Server, call: &mut RawCall) {
    let mut throw = || {
        let thrown = counts(server).without_permit;
        wait_until("music is thrown away", || {
            call.speak(0);
            call.speak(1);
            counts(server).without_permit > thrown + 10
        });
    };
    // What was said before the hold has been taken in when the first music is thrown away.
    throw();
    let kept = counts(server).kept;
    throw();
    assert_eq!(counts(server).kept, kept);
}

#[test]
fn a_stream_that_the_client_holds_stops_all_until_it_goes_on_without_asking_the_client() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 2, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    let kept = kept_after_speaking(&server, &mut call);
    for held in ["inactive", "recvonly"] {
        call.directions = vec![held, "sendonly"];
        assert_eq!(call.offer("INVITE", 2, Some(&metadata)), 200);
        assert_eq!(server.call_in(CallState::Stopped), id);
        music(&server, &mut call);
        call.directions.clear();
        assert_eq!(call.offer("INVITE", 2, Some(&metadata)), 200);
        assert_eq!(server.call_in(CallState::Recording), id);
        // What is said between the two tells them apart on the timeline.
        assert!(kept_after_speaking(&server, &mut call) > kept);
    }
    call.bye();
    server.all_closed();
    let timeline = server.timeline(id);
    let paused = |kind: &IntervalKind| *kind == IntervalKind::Paused;
    assert_eq!(
        kinds(&timeline).iter().filter(|kind| paused(kind)).count(),
        2,
        "{:#?}",
        timeline.streams
    );
    let held = timeline.streams[1].intervals.iter();
    let held: Vec<_> = held.filter(|interval| paused(&interval.kind)).collect();
    assert!(
        held.iter().all(|interval| !interval.grounds.is_empty()),
        "{timeline:#?}"
    );
    assert_ne!(timeline.verdict, Verdict::Whole);
}

#[test]
fn music_that_goes_on_while_the_metadata_says_hold_is_not_kept() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 2, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    kept_after_speaking(&server, &mut call);
    let held = metadata.replace("<send>t2</send>", "");
    assert_eq!(call.update(&held), 200);
    assert_eq!(server.call_in(CallState::Stopped), id);
    let held_at = now();
    music(&server, &mut call);
    let going_on_at = now();
    assert_eq!(call.update(&metadata), 200);
    assert_eq!(server.call_in(CallState::Recording), id);
    kept_after_speaking(&server, &mut call);
    call.bye();
    server.all_closed();
    let opened = server.open(id);
    for record in &opened.records {
        if let Record::Packet { arrived, .. } = record {
            let is_held = *arrived > held_at && *arrived < going_on_at;
            assert!(!is_held, "a packet of the hold is kept");
        }
    }
}

#[test]
fn a_call_on_hold_with_the_address_of_zeros_is_on_hold() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 1, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    call.directions = vec!["sendonly\r\nc=IN IP4 0.0.0.0"];
    assert_eq!(call.offer("INVITE", 1, Some(&metadata)), 200);
    assert_eq!(server.call_in(CallState::Stopped), id);
    call.bye();
    server.all_closed();
}

#[test]
fn who_leaves_is_not_on_hold_and_a_client_that_never_told_who_sends_holds_nobody() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let without = metadata
        .replace("<send>t1</send>", "")
        .replace("<send>t2</send>", "");
    let mut call = RawCall::place(&server, "announced", 2, Some(&without));
    let id = server.call_in(CallState::Recording);
    assert_eq!(call.update(&without), 200);
    assert_eq!(call.update(&metadata), 200);
    // The agent leaves: the document names one participant.
    let left = "<recording xmlns=\"urn:ietf:params:xml:ns:recording:1\"><datamode>partial</datamode>\
        <participantsessionassoc participant_id=\"a1\" session_id=\"s\"><disassociate-time>x</disassociate-time>\
        </participantsessionassoc><participantstreamassoc participant_id=\"a1\"/></recording>";
    assert_eq!(call.update(left), 200);
    kept_after_speaking(&server, &mut call);
    assert_eq!(server.call_in(CallState::Recording), id);
    call.bye();
    server.all_closed();
}
