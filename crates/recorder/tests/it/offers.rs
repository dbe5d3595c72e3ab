//! What a client changes during a call by a later offer.

use crate::raw::{DUTCH, GERMAN, RawCall, STAFF};
use crate::support::*;
use voicelog_archive::timeline::Verdict;
use voicelog_recorder::CallState;

fn kept(server: &Server) -> u64 {
    server
        .recorder
        .status()
        .calls
        .first()
        .map_or(0, |call| call.media.kept)
}

#[test]
fn a_stream_that_is_added_is_recorded_and_attributed() {
    let server = server();
    let mut call = RawCall::place(
        &server,
        "announced",
        2,
        Some(&RawCall::metadata(&[STAFF, DUTCH])),
    );
    let id = server.call_in(CallState::Recording);
    let joined = RawCall::metadata(&[STAFF, DUTCH, "tel:+31301234567"]);
    assert_eq!(call.offer("INVITE", 3, Some(&joined)), 200);
    for stream in [0, 1, 2] {
        call.speak(stream);
    }
    wait_until("all three are kept", || kept(&server) == 3);
    call.bye();
    server.all_closed();
    let timeline = server.timeline(id);
    assert_eq!(timeline.streams.len(), 3);
    assert_eq!(timeline.streams[2].stream.party.as_deref(), Some("p3"));
    assert_eq!(timeline.streams[2].packets, 1);
}

#[test]
fn a_third_party_from_abroad_on_a_new_stream_stops_the_recording() {
    for method in ["INVITE", "UPDATE"] {
        let server = server();
        let mut call = RawCall::place(
            &server,
            "announced",
            2,
            Some(&RawCall::metadata(&[STAFF, DUTCH])),
        );
        let id = server.call_in(CallState::Recording);
        call.speak(0);
        wait_until("media is kept", || kept(&server) == 1);
        let joined = RawCall::metadata(&[STAFF, DUTCH, GERMAN]);
        assert_eq!(call.offer(method, 3, Some(&joined)), 200);
        for stream in [0, 1, 2] {
            call.speak(stream);
        }
        assert_eq!(server.call_in(CallState::Stopped), id, "{method}");
        for stream in [0, 1, 2] {
            call.speak(stream);
        }
        pass(100);
        assert_eq!(kept(&server), 1, "{method}");
        call.bye();
        server.all_closed();
        let timeline = server.timeline(id);
        assert_eq!(timeline.streams[2].packets, 0);
        assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
    }
}
