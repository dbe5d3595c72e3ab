//! What other systems and people are told of what went wrong at our side of the line, and what was not
//! recorded and why.

use crate::raw::{DUTCH, GERMAN, RawCall, STAFF};
use crate::support::*;
use std::net::UdpSocket;
use std::time::Duration;
use voicelog_archive::journal::{Cause, SaidBy};
use voicelog_archive::timeline::{Verdict, comings, ending_text};
use voicelog_archive::{Draw, State};
use voicelog_model::Language;
use voicelog_recorder::{CallState, RecorderConfig, WhyNot};
use voicelog_src_sim::place;

/// What the server answers to a request without a body, by its status line.
fn asked(server: &Server, method: &str, more: &str) -> String {
    asked_at(server, "announced", method, more)
}

/// The same, to another line.
fn asked_at(server: &Server, line: &str, method: &str, more: &str) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = server.recorder.udp_address().unwrap();
    let local = socket.local_addr().unwrap();
    let request = format!(
        "{method} sip:{line}@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{local}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:sbc@{local}>;tag=1\r\nTo: <sip:{line}@{to}>\r\n\
         Call-ID: {method}@{local}\r\nCSeq: 1 {method}\r\n{more}Content-Length: 0\r\n\r\n"
    );
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket.send_to(request.as_bytes(), to).unwrap();
    let mut answer = [0; 2_048];
    loop {
        let length = socket.recv(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        if !answer.starts_with("SIP/2.0 100") {
            return answer.lines().next().unwrap().to_owned();
        }
    }
}

/// A range of ports for two calls of two streams, free as far as can be seen.
fn four_pairs() -> std::ops::RangeInclusive<u16> {
    let is_free = |start: &u16| {
        let all = (*start..=start + 7).map(|port| UdpSocket::bind(("127.0.0.1", port)));
        all.collect::<Result<Vec<_>, _>>().is_ok()
    };
    let start = (41_000..59_000).step_by(8).find(is_free).unwrap();
    start..=start + 7
}

#[test]
fn with_every_media_port_in_use_options_says_503_and_an_alarm_says_why_until_one_is_free() {
    let server = server_with(&RecorderConfig {
        media_ports: four_pairs(),
        calls_max: 300,
        ..config()
    });
    server.subscribe();
    assert_eq!(asked(&server, "OPTIONS", ""), "SIP/2.0 200 OK");
    let calls = [1, 2].map(|seed| place(&server.plan("announced", seed)).unwrap());
    wait_until("no call is taken for want of ports", || {
        server.recorder.status().why_not == Some(WhyNot::NoMediaPorts)
    });
    assert!(asked(&server, "OPTIONS", "").starts_with("SIP/2.0 503"));
    server.wait_for_message(&["alarm.raised", "no_new_calls", "no_media_ports"]);
    let standing = server.recorder.status().alarms;
    let of_ports = standing
        .iter()
        .any(|alarm| alarm.key.reason == Some("no_media_ports"));
    assert!(of_ports, "{standing:?}");
    for call in calls {
        call.hang_up().unwrap();
    }
    server.wait_for_message(&["alarm.cleared", "no_new_calls", "no_media_ports"]);
    wait_until("calls are taken again", || {
        server.recorder.status().accepting
    });
    assert_eq!(asked(&server, "OPTIONS", ""), "SIP/2.0 200 OK");
    assert_eq!(server.recorder.status().alarms, []);
}

#[test]
fn a_client_whose_calls_are_refused_is_an_alarm_with_its_cause() {
    let server = server();
    server.subscribe();
    // Whoever calls like a telephone, and not like a recording client.
    let answer = asked(&server, "INVITE", "Contact: <sip:sbc@127.0.0.1>\r\n");
    assert!(answer.starts_with("SIP/2.0 403"), "{answer}");
    server.wait_for_message(&["alarm.raised", "calls_refused", "refused_not_recording"]);
    let standing = server.recorder.status().alarms;
    assert_eq!(standing.len(), 1, "{standing:?}");
    assert_eq!(standing[0].key.reason, Some("refused_not_recording"));
}

#[test]
fn an_exchange_that_asks_at_an_address_that_is_no_line_is_an_alarm_for_it_may_offer_no_call() {
    let server = server();
    server.subscribe();
    let answer = asked_at(&server, "ping", "OPTIONS", "");
    assert!(answer.starts_with("SIP/2.0 503"), "{answer}");
    server.wait_for_message(&["alarm.raised", "calls_refused", "options_not_ready"]);
    // With a line that takes all calls it is told that it can.
    let server = server_on(vec![default_line()]);
    assert_eq!(asked_at(&server, "ping", "OPTIONS", ""), "SIP/2.0 200 OK");
}

#[test]
fn calls_beyond_the_limit_are_an_alarm() {
    let server = server_with(&RecorderConfig {
        calls_max: 1,
        ..config()
    });
    server.subscribe();
    let call = place(&server.plan("announced", 1)).unwrap();
    server.wait_for_message(&["alarm.raised", "no_new_calls", "too_many"]);
    call.hang_up().unwrap();
    server.wait_for_message(&["alarm.cleared", "no_new_calls", "too_many"]);
}

#[test]
fn a_call_that_our_shutdown_cut_short_is_never_told_as_whole() {
    let server = server();
    server.subscribe();
    let call = place(&server.plan("announced", 1)).unwrap();
    let id = server.call_in(CallState::Recording);
    wait_until("media is kept", || {
        server.recorder.status().calls[0].media.kept > 20
    });
    assert!(server.recorder.drain(Some(Duration::from_millis(100))));
    call.finish().unwrap();
    let timeline = server.timeline(id);
    assert_eq!(timeline.verdict, Verdict::CutShort, "{timeline:#?}");
    assert_eq!(timeline.cut_short().unwrap().cause, Cause::Shutdown);
    let told = ending_text(&timeline, Language::En).unwrap();
    assert!(
        told.ends_with("because it was shut down; what was said after that is not recorded"),
        "{told}"
    );
    let id = id.to_string();
    let parts = [
        "recording.finished",
        "cut_short",
        "\"shutdown\"",
        "cut_short_at_ms",
        &id,
    ];
    server.wait_for_message(&parts);
}

#[test]
fn a_call_of_one_second_in_which_nothing_came_is_not_whole() {
    let server = server();
    let mut call = RawCall::place(
        &server,
        "announced",
        2,
        Some(&RawCall::metadata(&[STAFF, DUTCH])),
    );
    let id = server.call_in(CallState::Recording);
    pass(1_000);
    call.bye();
    server.all_closed();
    let timeline = server.timeline(id);
    assert_eq!(timeline.verdict, Verdict::UndeclaredGap, "{timeline:#?}");
}

#[test]
fn a_call_that_was_not_drawn_is_told_as_that_and_not_as_forbidden() {
    let server = server();
    server.subscribe();
    let call = place(&server.plan("rarely", 1)).unwrap();
    let id = server.call_in(CallState::Waiting);
    call.hang_up().unwrap();
    server.all_closed();
    let detail = server.detail(id);
    assert_eq!(detail.summary.state, State::NotRecorded);
    assert_eq!(
        detail.summary.verdict,
        Some(Verdict::NotDrawn),
        "{}",
        Draw::of(id)
    );
    let id = id.to_string();
    server.wait_for_message(&["recording.not_drawn", &id]);
    let all = server.messages().join("\n");
    assert!(!all.contains("not_permitted"), "{all}");
}

#[test]
fn a_refusal_by_key_that_the_law_does_not_heed_stands_on_the_timeline() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let keys = "8 101\r\na=rtpmap:101 telephone-event/8000";
    let mut call = RawCall::place_as(&server, "keyed", 2, Some(&metadata), keys);
    let id = server.call_in(CallState::Recording);
    call.press(1, "2");
    wait_until("the key was heard", || {
        !server.archive.call(id).unwrap().sayings.is_empty()
    });
    for _packet in 0..60 {
        call.speak(0);
        call.speak(1);
        pass(20);
    }
    assert_eq!(server.call_in(CallState::Recording), id);
    call.bye();
    server.all_closed();
    let timeline = server.timeline(id);
    let [refusal] = &timeline.refusals[..] else {
        panic!("{timeline:#?}")
    };
    assert_eq!((refusal.party.as_str(), refusal.by), ("p2", SaidBy::Key));
    let told = comings(&timeline, Language::En).join("\n");
    assert!(
        told.contains("p2 said no to the recording with a key")
            && told.contains("recording went on after that"),
        "{told}"
    );
}

#[test]
fn a_refusal_that_the_law_heeds_stands_there_too_without_that_recording_went_on() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, GERMAN]);
    let keys = "8 101\r\na=rtpmap:101 telephone-event/8000";
    let mut call = RawCall::place_as(&server, "keyed", 2, Some(&metadata), keys);
    let id = server.call_in(CallState::Waiting);
    call.press(0, "1");
    call.press(1, "1");
    server.call_in(CallState::Recording);
    call.press(1, "2");
    server.call_in(CallState::Stopped);
    call.bye();
    server.all_closed();
    let told = comings(&server.timeline(id), Language::Nl).join("\n");
    assert!(
        told.contains("p2 zei met een toets nee tegen de opname op")
            && !told.contains("liet dat toch toe"),
        "{told}"
    );
}

#[test]
fn packets_of_a_type_that_was_not_agreed_are_told_apart_from_none_at_all() {
    let server = server();
    server.subscribe();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let amr = "97\r\na=rtpmap:97 AMR-WB/16000";
    let mut call = RawCall::place_as(&server, "announced", 2, Some(&metadata), amr);
    let id = server.call_in(CallState::Recording).to_string();
    for number in 0..120_u32 {
        call.speak_as(0, 0, number * 800, &[0xd5; 160]);
        pass(100);
    }
    let parts = [
        "alarm.raised",
        "no_media",
        "\"payload_type_not_agreed\":0",
        &id,
    ];
    server.wait_for_message(&parts);
    call.bye();
    server.wait_for_message(&["alarm.cleared", "no_media", "call_ended", &id]);
    server.all_closed();
    assert_eq!(server.recorder.status().alarms, []);
}
