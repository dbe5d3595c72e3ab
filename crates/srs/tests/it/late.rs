//! INVITEs without an offer (RFC 3261 §13.2.1): ours is in the 200, the client's answer in its ACK.

use crate::client::{
    METADATA, Request, SECOND, Seen, World, ack, answer, answer_streams, media_of, sdp,
};
use voicelog_model::StreamNumber;
use voicelog_srs::metadata::AttributionRule;
use voicelog_srs::{
    Activity, Command, Config, Event, LocalDirection, Offer, Quirk, SessionKey, StreamActivity,
};

fn bare() -> Request {
    Request::new("INVITE", 1).header("Require: siprec")
}

fn offered_by_us(
    request: &Request,
    direction: LocalDirection,
) -> (World, SessionKey, Box<Offer>, Seen) {
    let mut world = World::with(Config::default());
    let (key, offer) = world.offered(request);
    let count = u16::try_from(offer.streams.len()).unwrap();
    world.command(key, answer_streams(count, direction));
    let ok = world.expect(200);
    (world, key, offer, ok)
}

fn active(number: u16) -> StreamActivity {
    StreamActivity {
        number: StreamNumber(number),
        activity: Activity::Active,
        remote: media_of(number),
        key: None,
    }
}

#[test]
fn ours_has_the_labels_of_the_metadata_and_the_ack_answers_it() {
    let request = bare().body("application/rs-metadata+xml", METADATA);
    let (mut world, key, offer, ok) = offered_by_us(&request, LocalDirection::Receive);
    assert!(offer.quirks.contains(&Quirk::OfferByUs));
    let labels: Vec<_> = offer.streams.iter().map(|s| s.label.as_deref()).collect();
    assert_eq!(labels, [Some("1"), Some("2")]);
    assert!(
        offer
            .streams
            .iter()
            .all(|s| s.formats[0].codec.name() == "PCMA")
    );
    let voices = &offer.metadata.as_ref().unwrap().voices;
    assert!(
        voices
            .iter()
            .all(|v| v.voices[0].rule == AttributionRule::Label)
    );
    let body = ok.body();
    assert_eq!(body.matches("m=audio 3000").count(), 2, "{body}");
    assert_eq!(body.matches("a=recvonly").count(), 2);
    assert!(body.contains("a=label:1\r\n") && body.contains("a=label:2\r\n"));
    for codec in [
        "8 PCMA/8000",
        "0 PCMU/8000",
        "9 G722/8000",
        "101 telephone-event/8000",
    ] {
        assert_eq!(
            body.matches(&format!("a=rtpmap:{codec}")).count(),
            2,
            "{codec}"
        );
    }
    world.send(&ack(&request, &ok).sdp(&sdp(1, "sendonly")));
    assert_eq!(world.next_event(), Event::Answered);
    world.expect_event(&Event::DirectionChanged {
        streams: vec![active(1), active(2)],
    });
    // Nothing is asked of the client again.
    world.pass(60 * SECOND);
    world.expect_silence();
    world.command(key, Command::Pause);
    assert_eq!(world.next_sent().body().matches("a=inactive").count(), 2);
}

#[test]
fn without_metadata_there_are_two_lines_and_one_that_the_client_has_not_is_removed() {
    let (mut world, _, offer, ok) = offered_by_us(&bare(), LocalDirection::Receive);
    assert_eq!(offer.streams.len(), 2);
    assert!(offer.quirks.contains(&Quirk::MetadataMissing));
    let one = "v=0\r\nc=IN IP4 192.0.2.10\r\nm=audio 20000 RTP/AVP 8\r\na=sendonly\r\nm=audio 0 RTP/AVP 8\r\n";
    world.send(&ack(&bare(), &ok).sdp(one));
    assert_eq!(world.next_event(), Event::Answered);
    let removed = StreamActivity {
        activity: Activity::Removed,
        remote: None,
        ..active(2)
    };
    world.expect_event(&Event::DirectionChanged {
        streams: vec![active(1), removed],
    });
}

#[test]
fn a_call_that_may_not_be_recorded_yet_is_offered_inactive_and_that_is_no_hold() {
    let (mut world, key, _, ok) = offered_by_us(&bare(), LocalDirection::Inactive);
    assert_eq!(ok.body().matches("a=inactive").count(), 2);
    world.send(&ack(&bare(), &ok).sdp(&sdp(1, "inactive")));
    assert_eq!(world.next_event(), Event::Answered);
    world.expect_event(&Event::DirectionChanged {
        streams: vec![active(1), active(2)],
    });
    world.command(key, Command::Receive);
    let invite = world.next_sent();
    assert_eq!(invite.body().matches("a=recvonly").count(), 2);
}

#[test]
fn a_later_offer_without_our_labels_keeps_the_ports() {
    let request = bare();
    let (mut world, _, _, ok) = offered_by_us(&request, LocalDirection::Receive);
    let unlabelled = |direction| {
        sdp(2, direction)
            .replace("a=label:1\r\n", "")
            .replace("a=label:2\r\n", "")
    };
    world.send(&ack(&request, &ok).sdp(&unlabelled("sendonly")));
    world.events.clear();
    let hold = Request::new("INVITE", 2)
        .to(&ok.to_tag())
        .sdp(&unlabelled("inactive"));
    world.send(&hold);
    let answer = world.expect(200);
    for kept in [
        "m=audio 30000 ",
        "m=audio 30002 ",
        "a=label:1\r\n",
        "a=label:2\r\n",
    ] {
        assert!(answer.body().contains(kept), "{kept}");
    }
    assert!(matches!(world.next_event(), Event::DirectionChanged { .. }));
}

#[test]
fn without_an_ack_the_session_ends_as_any_other() {
    let (mut world, _, _, _) = offered_by_us(&bare(), LocalDirection::Receive);
    world.pass(32 * SECOND);
    assert!(matches!(world.next_event(), Event::Ended { .. }));
}

#[test]
fn the_bridge_of_a_telephone_carries_one_side_and_names_both_in_its_from() {
    let from = "<sip:2001@10.0.0.1;x-nearend;x-refci=27298698;x-nearendclusterid=C;x-nearendaddr=2001;x-farendaddr=+31201234567>;tag=src1";
    let text = Request::new("INVITE", 1)
        .without("Contact")
        .header("Contact: <sip:2001@192.0.2.10:5060>")
        .text();
    let line = text
        .split("\r\n")
        .find(|line| line.starts_with("From: "))
        .unwrap();
    let mut world = World::new();
    world.send_bytes(text.replacen(line, &format!("From: {from}"), 1).as_bytes());
    world.expect(100);
    let (key, Event::Offered(offer)) = world.events.pop_front().unwrap() else {
        panic!("no offer");
    };
    assert_eq!(offer.streams.len(), 1);
    let metadata = offer.metadata.as_ref().unwrap();
    let addresses: Vec<_> = metadata
        .participants
        .iter()
        .map(|p| p.addresses[0].expose().as_str())
        .collect();
    assert_eq!(addresses, ["sip:2001@10.0.0.1", "tel:+31201234567"]);
    assert_eq!(metadata.voices[0].voices[0].party, "p1");
    assert_eq!(metadata.quirks, [Quirk::ParticipantsInHeader]);
    assert_eq!(metadata.groups[0].expose(), "27298698");
    world.command(key, answer(LocalDirection::Receive));
    assert_eq!(
        world.expect(200).body().matches("m=audio 30000 ").count(),
        1
    );
}
