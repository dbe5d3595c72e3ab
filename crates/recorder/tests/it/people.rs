//! Who takes part, while it changes: what counts is who is there, and whose voice a stream is now.

use crate::raw::{DUTCH, GERMAN, RawCall, STAFF};
use crate::support::*;
use voicelog_archive::timeline::{IntervalKind, Verdict};
use voicelog_archive::{ConsentBy, Verdict as Answered};
use voicelog_model::{Language, RecordingId, StreamNumber};
use voicelog_recorder::CallState;

const KEYS: &str = "8 101\r\na=rtpmap:101 telephone-event/8000";
const AUSTRIAN: &str = "tel:+4312345678";
const OTHER_GERMAN: &str = "tel:+4989999999";

fn kept(server: &Server) -> u64 {
    server.recorder.status().calls[0].media.kept
}

/// Speaks on both streams until more is kept.
fn is_heard(server: &Server, call: &mut RawCall) {
    let before = kept(server);
    wait_until("media is kept", || {
        call.speak(0);
        call.speak(1);
        kept(server) > before + 1
    });
}

fn sayings(server: &Server, id: RecordingId) -> Vec<(String, String)> {
    let sayings = server.archive.call(id).unwrap().sayings.into_iter();
    sayings.map(|said| (said.party, said.consent)).collect()
}

/// Whose voice each stretch of a stream was.
fn voices(server: &Server, id: RecordingId, stream: u16) -> Vec<String> {
    let timeline = server.timeline(id);
    let stretches = timeline.voices_of(StreamNumber(stream)).into_iter();
    stretches
        .map(|stretch| stretch.voice.parties.join("+"))
        .collect()
}

#[test]
fn after_a_german_has_left_the_dutch_are_recorded_again() {
    let server = server();
    let dutch = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 2, Some(&dutch));
    let id = server.call_in(CallState::Recording);
    is_heard(&server, &mut call);
    assert_eq!(
        call.update(&RawCall::metadata(&[STAFF, DUTCH, GERMAN])),
        200
    );
    assert_eq!(server.call_in(CallState::Stopped), id);
    assert_eq!(call.update(&dutch), 200);
    assert_eq!(server.call_in(CallState::Recording), id);
    is_heard(&server, &mut call);
    call.bye();
    server.all_closed();
    assert_eq!(server.timeline(id).verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn avaya_a_stand_in_at_an_address_of_the_product_is_replaced_and_the_call_is_recorded() {
    let stand_in =
        RawCall::metadata(&["sip:+31201111111@voorbeeld.example", "sip:ASBCE@asbce.com"]);
    let real = RawCall::metadata(&["sip:+31201111111@voorbeeld.example", DUTCH]);
    // The product gives the real one an id of its own; others use the id again.
    for real in [real.replace("a2", "b2"), real] {
        let server = server();
        let mut call = RawCall::place(&server, "announced", 2, Some(&stand_in));
        let id = server.call_in(CallState::Waiting);
        assert_eq!(call.update(&real), 200);
        assert_eq!(server.call_in(CallState::Recording), id);
        is_heard(&server, &mut call);
        call.bye();
        server.all_closed();
        assert_eq!(voices(&server, id, 2), ["p2", "p3"]);
    }
}

#[test]
fn keys_count_for_whoever_speaks_on_a_stream_now_and_not_for_who_was_said_to_at_first() {
    let server = server();
    let crossed = RawCall::metadata(&[GERMAN, STAFF]);
    let mut call = RawCall::place_as(&server, "keyed", 2, Some(&crossed), KEYS);
    let id = server.call_in(CallState::Waiting);
    // The client corrects itself: the agent is on the first stream, the German on the second.
    let right = RawCall::metadata(&[STAFF, GERMAN])
        .replace("\"a1\"", "\"x\"")
        .replace("\"a2\"", "\"a1\"")
        .replace("\"x\"", "\"a2\"");
    assert_eq!(call.update(&right), 200);
    // That the others agreed is the agent's to say, and the German's key is none of those.
    call.press(1, "*3");
    call.press(1, "1");
    wait_until("the key was heard", || !sayings(&server, id).is_empty());
    assert_eq!(
        sayings(&server, id),
        [("p1".to_owned(), "given".to_owned())]
    );
    let answer = server.archive.ask_to_record(id, now()).unwrap();
    assert!(matches!(answer.verdict, Answered::Refusal(_)));
    call.press(0, "1");
    assert_eq!(server.call_in(CallState::Recording), id);
    let by = &server.archive.call(id).unwrap().sayings[1];
    assert_eq!((by.party.as_str(), &by.by), ("p2", &ConsentBy::Key));
    call.bye();
    server.all_closed();
    assert_eq!(voices(&server, id, 1), ["p1", "p2"]);
    assert_eq!(voices(&server, id, 2), ["p2", "p1"]);
}

#[test]
fn whoever_comes_by_a_transfer_agrees_for_himself() {
    let server = server();
    let first = RawCall::metadata(&[STAFF, GERMAN]);
    let mut call = RawCall::place_as(&server, "keyed", 2, Some(&first), KEYS);
    let id = server.call_in(CallState::Waiting);
    call.press(0, "1");
    call.press(1, "1");
    assert_eq!(server.call_in(CallState::Recording), id);
    is_heard(&server, &mut call);
    // With another id, and under the id of the one who left.
    let of_its_own = RawCall::metadata(&[STAFF, AUSTRIAN]).replace("a2", "c2");
    let again = RawCall::metadata(&[STAFF, OTHER_GERMAN]).replace("a2", "c2");
    for (number, metadata) in [(3, of_its_own), (4, again)] {
        assert_eq!(call.update(&metadata), 200);
        assert_eq!(server.call_in(CallState::Stopped), id);
        call.press(1, "1");
        assert_eq!(server.call_in(CallState::Recording), id);
        let said = sayings(&server, id).pop().unwrap();
        assert_eq!(said, (format!("p{number}"), "given".to_owned()));
        is_heard(&server, &mut call);
    }
    call.bye();
    server.all_closed();
    assert_eq!(voices(&server, id, 2), ["p2", "p3", "p4"]);
    // Who was heard counts for what was kept, with what was said then.
    let asker = voicelog_model::Pii::new("somebody".to_owned());
    let facts = serde_json::json!({ "requester_role": "controller_staff", "need_to_know_basis": "complaint 12" });
    let facts = facts.as_object().unwrap();
    let asked = server
        .archive
        .ask_to_listen(id, &asker, facts, now())
        .unwrap();
    let facts = server.archive.decide_again(asked.id).unwrap().facts;
    assert_eq!(facts["countries"], serde_json::json!(["AT", "DE", "NL"]));
    let consents =
        serde_json::json!({ "p1": "given", "p2": "given", "p3": "given", "p4": "given" });
    assert_eq!(facts["consent_per_participant"], consents);
}

#[test]
fn a_document_without_any_association_holds_nobody() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 2, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    is_heard(&server, &mut call);
    let mut without = metadata;
    while let Some(start) = without.find("<participantstreamassoc") {
        let end = without.find("</participantstreamassoc>").unwrap();
        without.replace_range(start..end + "</participantstreamassoc>".len(), "");
    }
    for document in [
        without.clone(),
        without.replace("<datamode>complete</datamode>", ""),
    ] {
        assert_eq!(call.update(&document), 200);
        is_heard(&server, &mut call);
        assert_eq!(server.call_in(CallState::Recording), id);
    }
    call.bye();
    server.all_closed();
    assert!(!kinds(&server.timeline(id)).contains(&IntervalKind::Paused));
    let report = server.detail(id).report.unwrap();
    assert!(report.quirks.contains(&"complete_not_whole".to_owned()));
    assert_eq!(voices(&server, id, 1), ["p1"]);
}

#[test]
fn streams_that_are_swapped_by_a_later_offer_are_each_others_voice_from_then_on() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 2, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    is_heard(&server, &mut call);
    call.labels = vec!["2", "1"];
    assert_eq!(call.offer("INVITE", 2, None), 200);
    wait_until("it is recorded on", || {
        call.speak(0);
        call.speak(1);
        kept(&server) > 20
    });
    call.bye();
    server.all_closed();
    assert_eq!(voices(&server, id, 1), ["p1", "p2"]);
    assert_eq!(voices(&server, id, 2), ["p2", "p1"]);
    let detail = server.detail(id);
    let words = detail.report.unwrap();
    let words = words.voices_in_words(detail.timeline.as_ref(), Language::En);
    assert_eq!(words.len(), 4, "{words:?}");
    assert!(
        words[0].starts_with("stream 1, ") && words[0].contains(": p1; "),
        "{words:?}"
    );
    assert!(
        words[1].starts_with("stream 1, ") && words[1].contains(": p2; "),
        "{words:?}"
    );
}

#[test]
fn one_update_is_one_question_to_the_law_and_what_changes_no_fact_is_none() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 2, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    is_heard(&server, &mut call);
    let asked = || server.detail(id).decisions.len();
    assert_eq!(asked(), 1);
    // The same once more, and a name that nobody asks the law about.
    assert_eq!(call.update(&metadata), 200);
    let named = metadata.replace(
        "/></participant>",
        "><name>Ewa</name></nameID></participant>",
    );
    assert_eq!(call.update(&named), 200);
    is_heard(&server, &mut call);
    assert_eq!(asked(), 1);
    // Who takes part and who is on hold, both in one document.
    let joined = RawCall::metadata(&[STAFF, DUTCH, GERMAN]).replace("<send>t2</send>", "");
    assert_eq!(call.update(&joined), 200);
    assert_eq!(server.call_in(CallState::Stopped), id);
    call.bye();
    server.all_closed();
    assert_eq!(asked(), 2);
}
