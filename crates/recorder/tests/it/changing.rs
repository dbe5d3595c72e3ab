//! Streams that become others during a call, sides that are offered in a way in which they cannot be
//! recorded, and strangers.

use crate::raw::{DUTCH, RawCall, STAFF};
use crate::support::*;
use std::net::UdpSocket;
use voicelog_archive::journal::Cause;
use voicelog_archive::timeline::{IntervalKind, StreamTimeline, Verdict, comings};
use voicelog_model::Language;
use voicelog_recorder::CallState;

const DTLS: (&str, &str) = ("UDP/TLS/RTP/SAVP", "8");
const PLAIN: (&str, &str) = ("RTP/AVP", "8");

fn kept(server: &Server) -> u64 {
    let status = server.recorder.status();
    status.calls.first().map_or(0, |call| call.media.kept)
}

/// Twenty milliseconds of speech at a time.
fn speak(call: &mut RawCall, packets: usize, payload_type: u8) {
    for _packet in 0..packets {
        call.speak_in(0, payload_type);
        pass(20);
    }
}

fn kinds_of(stream: &StreamTimeline) -> Vec<(IntervalKind, Option<Cause>)> {
    let intervals = stream.intervals.iter();
    intervals
        .map(|interval| (interval.kind, interval.cause))
        .collect()
}

#[test]
fn a_codec_that_changes_by_a_later_offer_loses_no_packet_however_late_the_client_changes_over() {
    // Another static type; another number for the same codec.
    for (formats, payload_type) in [("0", 0), ("96\r\na=rtpmap:96 PCMA/8000", 96)] {
        let server = server();
        let metadata = RawCall::metadata(&[STAFF, DUTCH]);
        let mut call = RawCall::place(&server, "announced", 1, Some(&metadata));
        let id = server.call_in(CallState::Recording);
        let port = call.to[0];
        speak(&mut call, 20, 8);
        call.lines = vec![("RTP/AVP", formats)];
        assert_eq!(call.offer("INVITE", 1, None), 200);
        assert_eq!(call.to[0], port, "the ports of a stream stay");
        // It has our answer, and needs 200 ms more.
        speak(&mut call, 10, 8);
        speak(&mut call, 30, payload_type);
        wait_until("all are kept", || kept(&server) == 60);
        call.bye();
        server.all_closed();
        let stream = &server.timeline(id).streams[0];
        assert_eq!((stream.packets, stream.lost, stream.outside), (60, 0, 0));
        let missing = stream.intervals.iter().map(|interval| interval.lost);
        assert_eq!(missing.sum::<u64>(), 0, "{stream:#?}");
    }
}

#[test]
fn a_stream_that_comes_back_while_its_packets_are_on_their_way_loses_none() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 2, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    let port = call.to[1];
    call.speak(1);
    wait_until("media is kept", || kept(&server) == 1);
    assert_eq!(call.offer("INVITE", 1, None), 200);
    pass(300);
    // It sends at once, to where it sent before, and changes the codec with the same offer.
    call.lines = vec![PLAIN, ("RTP/AVP", "0 8")];
    assert_eq!(call.offer("INVITE", 2, None), 200);
    assert_eq!(call.to[1], port);
    for _packet in 0..10 {
        call.speak_in(1, 0);
        pass(20);
    }
    wait_until("all are kept", || kept(&server) == 11);
    call.bye();
    server.all_closed();
    let stream = &server.timeline(id).streams[1];
    assert_eq!((stream.packets, stream.outside), (11, 0));
}

#[test]
fn a_side_that_we_cannot_take_is_missing_by_name_on_the_timeline_in_an_alarm_and_in_a_quirk() {
    let keys = ("RTP/SAVP", "8");
    let bundled = ("RTP/AVP", "8\r\na=bundle-only");
    for (line, cause, quirk) in [
        (DTLS, Cause::Protection, "stream_refused"),
        (keys, Cause::Keys, "protected_stream_refused"),
        (bundled, Cause::Form, "stream_refused"),
    ] {
        let server = server();
        let mut call = RawCall::idle(&server, "announced");
        call.lines = vec![PLAIN, line];
        call.is_second_without_port = line == bundled;
        let metadata = RawCall::metadata(&[STAFF, DUTCH]);
        assert_eq!(call.offer("INVITE", 2, Some(&metadata)), 200);
        let id = server.call_in(CallState::Recording);
        assert_eq!(call.to[1].port(), 0);
        speak(&mut call, 10, 8);
        wait_until("the alarm", || {
            let status = server.recorder.status();
            status.counts.get("alarm_side_refused") == Some(&1)
        });
        call.bye();
        server.all_closed();
        let timeline = server.timeline(id);
        assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
        let missing = &timeline.streams[1];
        assert_eq!(missing.stream.party.as_deref(), Some("p2"));
        assert_eq!(kinds_of(missing), [(IntervalKind::Refused, Some(cause))]);
        let odd = server.detail(id).report.unwrap().quirks;
        assert!(odd.iter().any(|word| word == quirk), "{odd:?}");
    }
}

#[test]
fn a_side_that_is_lost_by_a_later_offer_is_missing_until_it_is_offered_as_before() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 2, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    call.speak(1);
    wait_until("media is kept", || kept(&server) == 1);
    call.lines = vec![PLAIN, DTLS];
    assert_eq!(call.offer("INVITE", 2, None), 200);
    assert_eq!(call.to[1].port(), 0);
    pass(300);
    call.lines.clear();
    assert_eq!(call.offer("INVITE", 2, None), 200);
    call.speak(1);
    wait_until("media is kept again", || kept(&server) == 2);
    // A side that comes later, and that we can never take.
    call.lines = vec![PLAIN, PLAIN, DTLS];
    assert_eq!(call.offer("UPDATE", 3, None), 200);
    pass(300);
    call.bye();
    server.all_closed();
    let timeline = server.timeline(id);
    let second = kinds_of(&timeline.streams[1]);
    let refused = (IntervalKind::Refused, Some(Cause::Protection));
    let lost = second.iter().position(|kind| *kind == refused).unwrap();
    assert!(
        second[..lost].contains(&(IntervalKind::Media, None)),
        "{second:?}"
    );
    assert!(
        second[lost..].contains(&(IntervalKind::Media, None)),
        "{second:?}"
    );
    assert_eq!(kinds_of(&timeline.streams[2]).last(), Some(&refused));
}

#[test]
fn sound_of_which_nothing_says_what_it_is_is_kept() {
    let server = server();
    let mut call = RawCall::idle(&server, "announced");
    call.lines = vec![("RTP/AVP", "96")];
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    assert_eq!(call.offer("INVITE", 1, Some(&metadata)), 200);
    let id = server.call_in(CallState::Recording);
    speak(&mut call, 10, 96);
    wait_until("all are kept", || kept(&server) == 10);
    call.bye();
    server.all_closed();
    assert_eq!(payloads(&server.open(id), 1).len(), 1_600);
    assert!(server.timeline(id).streams[0].stream.codec.is_unnamed());
    let odd = server.detail(id).report.unwrap().quirks;
    assert!(odd.iter().any(|word| word == "format_unnamed"), "{odd:?}");
}

#[test]
fn a_stranger_who_comes_first_is_not_kept_as_the_participants_voice() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 1, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    let stranger = UdpSocket::bind("127.0.0.2:0").unwrap();
    for sequence in 0..20 {
        stranger
            .send_to(&strange_packet(sequence), call.to[0])
            .unwrap();
        pass(20);
    }
    speak(&mut call, 10, 8);
    wait_until("the client is heard", || kept(&server) == 10);
    let media = server.recorder.status().calls[0].media;
    assert_eq!((media.foreign, media.source_changes), (20, 1));
    call.bye();
    server.all_closed();
    assert_eq!(payloads(&server.open(id), 1), [0xd5; 1_600]);
}

#[test]
fn a_stranger_who_was_believed_is_told_when_the_client_speaks_after_all() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 1, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    let stranger = UdpSocket::bind("127.0.0.2:0").unwrap();
    for sequence in 0..120 {
        stranger
            .send_to(&strange_packet(sequence), call.to[0])
            .unwrap();
        pass(20);
    }
    assert!(
        kept(&server) > 0,
        "for all that is known it is a client behind a NAT"
    );
    speak(&mut call, 10, 8);
    call.bye();
    server.all_closed();
    let timeline = server.timeline(id);
    assert_ne!(timeline.verdict, Verdict::Whole);
    let told = comings(&timeline, Language::En);
    assert!(told[0].contains("came from another address"), "{told:?}");
}
