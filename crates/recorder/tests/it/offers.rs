//! What a client changes during a call by a later offer.

use crate::raw::{DUTCH, GERMAN, RawCall, STAFF};
use crate::support::*;
use voicelog_archive::timeline::{IntervalKind, Verdict};
use voicelog_recorder::CallState;

/// More participants than we keep.
fn crowd() -> String {
    let many: String = (1..=65)
        .map(|number| {
            format!(
                "<participant participant_id=\"x{number}\"><nameID aor=\"tel:+3120{number:07}\"/></participant>"
            )
        })
        .collect();
    format!(
        "<recording xmlns=\"urn:ietf:params:xml:ns:recording:1\"><datamode>complete</datamode>{many}</recording>"
    )
}

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
    let mut call = RawCall::dutch(&server, 2);
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
        let mut call = RawCall::dutch(&server, 2);
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

#[test]
fn metadata_that_cannot_be_kept_whole_stops_the_recording_until_a_whole_one_comes() {
    let server = server();
    let whole = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 2, Some(&whole));
    let id = server.call_in(CallState::Recording);
    assert_eq!(call.update(&crowd()), 200);
    assert_eq!(server.call_in(CallState::Stopped), id);
    let parties = server.archive.call(id).unwrap().parties;
    assert_eq!(parties.last().unwrap().country, "ZZ");
    assert_eq!(call.update(&whole), 200);
    assert_eq!(server.call_in(CallState::Recording), id);
    let before = kept(&server);
    wait_until("media is kept again", || {
        call.speak(0);
        kept(&server) > before
    });
    call.bye();
    server.all_closed();
}

#[test]
fn first_metadata_that_cannot_be_read_records_nothing_until_one_can_be() {
    let server = server();
    let mut call = RawCall::place(&server, "announced", 2, Some("<recording><participant"));
    let id = server.call_in(CallState::Waiting);
    assert_eq!(call.answered.as_deref(), Some("inactive"));
    assert_eq!(call.update(&RawCall::metadata(&[STAFF, DUTCH])), 200);
    assert_eq!(server.call_in(CallState::Recording), id);
    call.bye();
    server.all_closed();
}

#[test]
fn an_update_that_cannot_be_read_stops_nothing_raises_an_alarm_and_asks_for_all_of_it() {
    let server = server();
    let whole = RawCall::metadata(&[STAFF, DUTCH]);
    // A client that does not say that it takes UPDATE is not sent one (RFC 3311 §5.1).
    let headers = "Require: siprec\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE\r\n";
    let mut call = RawCall::place_with(&server, "announced", &whole, headers);
    let id = server.call_in(CallState::Recording);
    assert_eq!(call.update("<recording><participant"), 200);
    let asks = call.next_request();
    assert!(asks.starts_with("UPDATE "), "{asks}");
    let kind = "\r\nContent-Type: application/rs-metadata-request\r\n";
    assert!(
        asks.contains(kind) && asks.contains("<requestsnapshot"),
        "{asks}"
    );
    call.answer_request(&asks, 200);
    for _packet in 0..10 {
        call.speak(0);
    }
    wait_until("media is kept", || kept(&server) == 10);
    assert_eq!(server.call_in(CallState::Recording), id);
    let alarm = || server.recorder.status().counts["alarm_metadata_unreadable"];
    assert_eq!(alarm(), 1);
    // It is one alarm until a whole document comes.
    assert_eq!(call.update("<recording><"), 200);
    assert_eq!(call.update(&whole), 200);
    assert_eq!(call.update("<recording>"), 200);
    wait_until("a second alarm", || alarm() == 2);
    call.bye();
    server.all_closed();
    let report = server.detail(id).report.unwrap();
    assert!(report.quirks.contains(&"update_not_read".to_owned()));
    assert!(!kinds(&server.timeline(id)).contains(&IntervalKind::Paused));
}

#[test]
fn a_voice_that_is_only_guessed_is_not_written_down() {
    let server = server();
    // No label, no send: only the order of the streams says who is who.
    let metadata = RawCall::metadata(&[STAFF, DUTCH])
        .replace("<label>", "<x>")
        .replace("</label>", "</x>")
        .replace("<send>", "<recv>")
        .replace("</send>", "</recv>");
    let mut call = RawCall::place(&server, "announced", 2, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    call.speak(0);
    wait_until("media is kept", || kept(&server) == 1);
    call.bye();
    server.all_closed();
    assert_eq!(server.timeline(id).streams[0].stream.party, None);
}

#[test]
fn a_stream_that_is_removed_and_comes_back_is_recorded_again() {
    let server = server();
    let mut call = RawCall::dutch(&server, 2);
    let id = server.call_in(CallState::Recording);
    call.speak(1);
    wait_until("media is kept", || kept(&server) == 1);
    assert_eq!(call.offer("INVITE", 1, None), 200);
    pass(300);
    assert_eq!(call.offer("INVITE", 2, None), 200);
    for _packet in 0..10 {
        call.speak(1);
        pass(20);
    }
    wait_until("media is kept again", || kept(&server) == 11);
    call.bye();
    server.all_closed();
    let timeline = server.timeline(id);
    let stream = &timeline.streams[1];
    assert_eq!((stream.packets, stream.outside), (11, 0), "{stream:#?}");
    let kinds: Vec<_> = stream.intervals.iter().map(|i| i.kind).collect();
    let paused = kinds.iter().position(|kind| *kind == IntervalKind::Paused);
    assert!(
        kinds[paused.unwrap()..].contains(&IntervalKind::Media),
        "{kinds:?}"
    );
}

#[test]
fn a_client_that_moves_its_media_by_a_later_offer_is_heard_there_at_once() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 2, Some(&metadata));
    server.call_in(CallState::Recording);
    call.speak(0);
    wait_until("media is kept", || kept(&server) == 1);
    call.media[0] = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    assert_eq!(call.offer("INVITE", 2, None), 200);
    // The answer can reach the client a moment before the media thread knows.
    for _packet in 0..10 {
        call.speak(0);
        pass(20);
    }
    wait_until("media from the new address is kept", || kept(&server) >= 5);
    call.bye();
    server.all_closed();
}
