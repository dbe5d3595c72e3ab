//! Calls as exchanges place them that were not made for this server: without an offer, without a
//! user in the address, without SIPREC, with metadata that is almost XML.

use crate::raw::{DUTCH, GERMAN, RawCall, STAFF};
use crate::support::*;
use voicelog_model::StreamNumber;
use voicelog_recorder::CallState;

fn kept(server: &Server) -> u64 {
    let calls = server.recorder.status().calls;
    calls.iter().map(|call| call.media.kept).sum()
}

#[test]
fn a_call_without_an_offer_is_recorded_with_the_voices_of_its_metadata() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place_late(&server, "announced", 2, Some(&metadata), None);
    let id = server.call_in(CallState::Recording);
    assert_eq!(call.answered.as_deref(), Some("recvonly"));
    for _packet in 0..20 {
        call.speak(0);
        call.speak(1);
        pass(20);
    }
    wait_until("both sides are kept", || kept(&server) == 40);
    call.bye();
    server.all_closed();
    let timeline = server.timeline(id);
    let parties: Vec<_> = timeline
        .streams
        .iter()
        .map(|s| s.stream.party.as_deref())
        .collect();
    assert_eq!(parties, [Some("p1"), Some("p2")]);
    assert!(timeline.streams.iter().all(|stream| stream.packets == 20));
    let report = server.detail(id).report.unwrap();
    assert!(report.quirks.iter().any(|quirk| quirk == "offer_by_us"));
}

#[test]
fn a_call_without_an_offer_that_may_not_be_recorded_is_asked_for_nothing() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, GERMAN]);
    let mut call = RawCall::place_late(&server, "announced", 2, Some(&metadata), None);
    server.call_in(CallState::Waiting);
    assert_eq!(call.answered.as_deref(), Some("inactive"));
    call.speak(0);
    pass(200);
    assert_eq!(kept(&server), 0);
    call.bye();
    server.all_closed();
}

#[test]
fn the_bridge_of_a_telephone_is_recorded_side_by_side_without_siprec_and_without_an_offer() {
    let server = server();
    let of_side = |side: &str| {
        format!(
            "sip:2001@voorbeeld.example;x-{side};x-refci=27298698;x-nearendaddr=2001;x-farendaddr=+31201234567"
        )
    };
    let mut calls: Vec<_> = ["nearend", "farend"]
        .map(|side| RawCall::place_late(&server, "announced", 1, None, Some(&of_side(side))))
        .into();
    wait_until("both sides are recorded", || {
        let calls = server.recorder.status().calls;
        calls.len() == 2 && calls.iter().all(|call| call.state == CallState::Recording)
    });
    let ids: Vec<_> = server
        .recorder
        .status()
        .calls
        .iter()
        .map(|call| call.id)
        .collect();
    for call in &mut calls {
        call.speak(0);
    }
    wait_until("both are kept", || kept(&server) == 2);
    for call in &mut calls {
        call.bye();
    }
    server.all_closed();
    let mut voices = Vec::new();
    for id in &ids {
        let timeline = server.timeline(*id);
        assert_eq!(timeline.streams.len(), 1);
        for stretch in timeline.voices_of(StreamNumber(1)) {
            voices.extend(stretch.voice.parties.clone());
        }
        // Both sides of one conversation, and neither of them a copy of the other.
        let parts = server.archive.conversation(*id).unwrap().parts;
        assert_eq!(parts.iter().map(|part| part.id).collect::<Vec<_>>(), ids);
        let of_talk: Vec<_> = parts
            .iter()
            .map(|part| part.part.clone().unwrap())
            .collect();
        assert!(of_talk.iter().all(|part| !part.is_copy), "{of_talk:?}");
        assert_eq!(of_talk[1].linked_by, "group");
    }
    assert_eq!(voices, ["p1", "p2"]);
}

#[test]
fn a_call_to_no_line_at_all_goes_to_the_default_line_and_without_one_is_not_recorded() {
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    for called in ["", "8000"] {
        let server = server_on(vec![default_line()]);
        let mut call = RawCall::place(&server, called, 2, Some(&metadata));
        let id = server.call_in(CallState::Recording);
        assert_eq!(server.archive.call(id).unwrap().line.name, "rest");
        call.bye();
        server.all_closed();
    }
    let server = server();
    let mut call = RawCall::place(&server, "", 2, Some(&metadata));
    server.call_in(CallState::Waiting);
    call.bye();
    server.all_closed();
}

#[test]
fn metadata_that_is_almost_xml_is_read_and_the_call_recorded() {
    let good = RawCall::metadata(&[STAFF, DUTCH]);
    let unbound = good.replace(
        "</recording>",
        "<ac:AvayaUCID>00FA</ac:AvayaUCID></recording>",
    );
    let declared = format!("<!DOCTYPE recording>{good}");
    let doubled = good.replace("<recording ", "<recording a='1' a='2' ");
    let wrapped = format!("<s:Envelope xmlns:s='x'><s:Body>{good}</s:Body></s:Envelope>");
    for (metadata, quirk) in [
        (unbound, "metadata_repaired"),
        (declared, "metadata_doctype"),
        (doubled, "metadata_repaired"),
        (wrapped, "metadata_wrapped"),
    ] {
        let server = server();
        let mut call = RawCall::place(&server, "announced", 2, Some(&metadata));
        let id = server.call_in(CallState::Recording);
        // The same in the middle of the call stops nothing.
        assert_eq!(call.update(&metadata), 200);
        call.speak(0);
        wait_until("it goes on", || kept(&server) == 1);
        call.bye();
        server.all_closed();
        let report = server.detail(id).report.unwrap();
        assert!(
            report.quirks.iter().any(|known| known == quirk),
            "{quirk}: {report:?}"
        );
    }
}
