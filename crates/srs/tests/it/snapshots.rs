//! Metadata that was lost: we ask for all of it once more (RFC 7866 §9.2), and never twice.

use crate::client::{METADATA, Request, SECOND, Seen, T1, World, answer, sdp};
use voicelog_srs::{EndCause, Event, LocalDirection, Quirk};

const ALLOW: &str = "Allow: INVITE, ACK, BYE, UPDATE";
const BROKEN: &str = "<recording><participant";

fn partial(inside: &str) -> String {
    format!(
        "<recording xmlns='urn:ietf:params:xml:ns:recording:1'><datamode>partial</datamode>{inside}</recording>"
    )
}

/// A session whose client takes UPDATE.
fn established(metadata: &str) -> (World, Seen) {
    let mut world = World::new();
    let invite = Request::invite()
        .header(ALLOW)
        .both(&sdp(1, "sendonly"), metadata);
    let (key, _) = world.offered(&invite);
    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    world.send(&crate::client::ack(&invite, &ok));
    assert_eq!(world.next_event(), Event::Answered);
    (world, ok)
}

fn update(world: &mut World, ok: &Seen, cseq: u32, metadata: &str) {
    let update = Request::new("UPDATE", cseq)
        .to(&ok.to_tag())
        .body("application/rs-metadata+xml", metadata);
    world.send(&update);
    assert_eq!(world.next_sent().status(), 200);
    assert!(matches!(world.next_event(), Event::MetadataChanged(_)));
}

fn is_request(seen: &Seen) -> bool {
    seen.method() == "UPDATE"
        && seen.header("Content-Type") == Some("application/rs-metadata-request")
        && seen.header("Content-Disposition") == Some("recording-session")
}

#[test]
fn a_document_that_cannot_be_read_is_asked_for_once_and_the_snapshot_mends_it() {
    let (mut world, ok) = established(METADATA);
    update(&mut world, &ok, 2, BROKEN);
    let request = world.next_sent();
    assert!(is_request(&request), "{}", request.text);
    assert!(
        request
            .body()
            .contains("<requestsnapshot xmlns=\"urn:ietf:params:xml:ns:recording:1\">")
    );
    assert!(!request.body().contains("m=audio"));
    world.respond(&request, 200, None);

    // The answer is broken too: we do not ask for ever.
    update(&mut world, &ok, 3, BROKEN);
    update(
        &mut world,
        &ok,
        4,
        &partial("<participant participant_id='x'/>"),
    );
    world.expect_silence();

    let whole = Request::new("UPDATE", 5)
        .to(&ok.to_tag())
        .body("application/rs-metadata+xml", METADATA);
    world.send(&whole);
    world.expect(200);
    let Event::MetadataChanged(metadata) = world.next_event() else {
        panic!()
    };
    assert!(!metadata.quirks.contains(&Quirk::ParticipantsUnknown));
    // What is lost from now on is asked for anew.
    update(&mut world, &ok, 6, BROKEN);
    assert!(is_request(&world.next_sent()));
}

#[test]
fn an_update_of_what_we_were_never_told_is_asked_for() {
    let strangers = partial(
        "<participantstreamassoc participant_id='nobody'><send>czE=</send></participantstreamassoc>",
    );
    let (mut world, ok) = established(METADATA);
    update(&mut world, &ok, 2, &strangers);
    assert!(is_request(&world.next_sent()));

    let (mut world, _) = established(&partial("<participant participant_id='a'/>"));
    assert!(is_request(&world.next_sent()));
}

#[test]
fn a_broken_document_in_the_invite_is_asked_for_after_the_ack() {
    let (mut world, _) = established(BROKEN);
    assert!(is_request(&world.next_sent()));
    assert_eq!(world.sent.len(), 0);
}

#[test]
fn a_good_update_or_no_metadata_at_all_is_no_reason_to_ask() {
    let (mut world, ok) = established(METADATA);
    update(
        &mut world,
        &ok,
        2,
        &partial("<participant participant_id='c'/>"),
    );
    world.expect_silence();
    let mut world = World::new();
    let invite = Request::invite().header(ALLOW).sdp(&sdp(1, "sendonly"));
    world.established(&invite, LocalDirection::Receive);
    world.expect_silence();
}

#[test]
fn a_client_that_does_not_say_that_it_takes_update_is_never_asked() {
    for allow in ["X-Allow: UPDATE", "Allow: INVITE, ACK, BYE"] {
        let mut world = World::new();
        let invite = Request::invite()
            .header(allow)
            .both(&sdp(1, "sendonly"), BROKEN);
        world.established(&invite, LocalDirection::Receive);
        world.pass(3_600 * SECOND);
        world.expect_silence();
    }
}

#[test]
fn a_refusal_is_told_and_forgotten() {
    for status in [488, 405, 500] {
        let (mut world, ok) = established(BROKEN);
        let request = world.next_sent();
        world.respond(&request, status, None);
        world.expect_event(&Event::SnapshotRefused { status });
        update(&mut world, &ok, 2, BROKEN);
        world.pass(3_600 * SECOND);
        world.expect_silence();
    }
}

#[test]
fn silence_is_a_refusal_too_and_the_session_goes_on() {
    let (mut world, _) = established(BROKEN);
    world.pass(64 * T1);
    assert_eq!(world.sent.len(), 11);
    assert!(world.sent.iter().all(is_request));
    world.expect_event(&Event::SnapshotRefused { status: 408 });
    assert_eq!(world.endpoint.open_sessions(), 1);
}

#[test]
fn a_client_that_forgot_the_session_has_ended_it_and_nothing_follows() {
    let (mut world, _) = established(BROKEN);
    let request = world.next_sent();
    world.respond(&request, 481, None);
    world.expect_event(&Event::Ended {
        cause: EndCause::ByRecordingClient,
    });
}

#[test]
fn a_document_broken_while_we_are_asking_is_covered_by_the_same_request() {
    let (mut world, ok) = established(BROKEN);
    let request = world.next_sent();
    update(&mut world, &ok, 2, BROKEN);
    world.respond(&request, 200, None);
    world.expect_silence();
}
