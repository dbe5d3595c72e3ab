//! Consent said with the keys of a telephone, in a call that waits for it.

use crate::raw::{GERMAN, RawCall, STAFF};
use crate::support::*;
use voicelog_archive::{ConsentBy, Verdict};
use voicelog_model::RecordingId;
use voicelog_recorder::{CallState, MediaCounts};

const KEYS: &str = "8 101\r\na=rtpmap:101 telephone-event/8000";

fn counts(server: &Server) -> MediaCounts {
    server.recorder.status().calls[0].media
}

fn german_call(server: &Server) -> (RawCall, RecordingId) {
    let metadata = RawCall::metadata(&[STAFF, GERMAN]);
    let call = RawCall::place_as(server, "keyed", 2, Some(&metadata), KEYS);
    let id = server.call_in(CallState::Waiting);
    (call, id)
}

#[test]
fn the_other_side_agrees_with_a_key_and_recording_begins_and_refuses_with_a_key_and_it_stops() {
    let server = server();
    let (mut call, id) = german_call(&server);
    assert_eq!(
        call.answered.as_deref(),
        Some("recvonly"),
        "so that the key is sent at all"
    );
    for _packet in 0..20 {
        call.speak(0);
        call.speak(1);
    }
    // The German presses it for himself only.
    call.press(1, "1");
    wait_until("the key was heard", || {
        !server.archive.call(id).unwrap().sayings.is_empty()
    });
    assert_eq!(server.call_in(CallState::Waiting), id);
    assert_eq!(counts(&server).kept, 0);
    call.press(0, "1");
    assert_eq!(server.call_in(CallState::Recording), id);
    wait_until("media is kept", || {
        call.speak(0);
        counts(&server).kept > 0
    });
    call.press(1, "2");
    assert_eq!(server.call_in(CallState::Stopped), id);
    let kept = counts(&server).kept;
    for _packet in 0..20 {
        call.speak(1);
    }
    // And agrees again: the client was not told to stop.
    call.press(1, "1");
    assert_eq!(server.call_in(CallState::Recording), id);
    assert_eq!(counts(&server).kept, kept);
    call.bye();
    server.all_closed();
    let sealed = server.detail(id).decisions.last().unwrap().id;
    let sayings = server.archive.decide_again(sealed).unwrap().sayings;
    let said: Vec<_> = sayings
        .iter()
        .map(|saying| (saying.party.as_str(), saying.consent.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("p2", "given"),
            ("p1", "given"),
            ("p2", "refused"),
            ("p2", "given")
        ]
    );
    assert!(sayings.iter().all(|saying| saying.by == ConsentBy::Key));
}

#[test]
fn while_a_call_waits_for_a_key_nothing_is_stored_and_no_row_holds_a_sample() {
    let server = server();
    let (mut call, id) = german_call(&server);
    for _packet in 0..50 {
        call.speak(0);
        call.speak(1);
    }
    wait_until("media is thrown away", || {
        counts(&server).without_permit >= 100
    });
    assert_eq!((counts(&server).kept, counts(&server).left_out), (0, 0));
    call.bye();
    server.all_closed();
    let trace = server.archive.trace(id).unwrap();
    assert_eq!((trace.blobs, trace.bytes, trace.has_key), (0, 0, false));
}

#[test]
fn what_the_agent_heard_spoken_counts_for_the_others_and_says_who_marked_it() {
    let server = server();
    let (mut call, id) = german_call(&server);
    call.press(0, "*3");
    wait_until("the key was heard", || {
        !server.archive.call(id).unwrap().sayings.is_empty()
    });
    let sayings = server.archive.call(id).unwrap().sayings;
    assert_eq!((sayings.len(), sayings[0].party.as_str()), (1, "p2"));
    let ConsentBy::Spoken { marked_by } = &sayings[0].by else {
        panic!("{sayings:?}")
    };
    assert_eq!(marked_by.as_ref().unwrap().expose(), "p1");
    // The agent's own consent is asked for as well.
    let answer = server.archive.ask_to_record(id, now()).unwrap();
    assert!(matches!(answer.verdict, Verdict::Refusal(_)));
    call.press(0, "1");
    assert_eq!(server.call_in(CallState::Recording), id);
    call.bye();
    server.all_closed();
}

#[test]
fn a_key_from_elsewhere_agrees_to_nothing() {
    let server = server();
    let (mut call, id) = german_call(&server);
    call.speak(1);
    wait_until("the stream has its source", || {
        counts(&server).without_permit > 0
    });
    let forged = stranger();
    for sequence in 0..5_u8 {
        let packet = [
            0x80, 101, 0, sequence, 0, 0, 0, sequence, 9, 9, 9, 9, 1, 0x8a, 0, 160,
        ];
        forged.send_to(&packet, call.to[1]).unwrap();
    }
    wait_until("it was read", || counts(&server).without_permit > 5);
    assert!(server.archive.call(id).unwrap().sayings.is_empty());
    call.bye();
    server.all_closed();
}
