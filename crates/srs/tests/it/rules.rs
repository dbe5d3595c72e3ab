//! Which requests are refused, with what, and that the refusal is counted.

use crate::client::{METADATA, Request, World, ack, sdp};
use voicelog_srs::{Config, Counted, LocalDirection, Quirk};

fn refused(request: &Request, status: u16, counted: Counted) -> crate::client::Seen {
    let mut world = World::new();
    world.send(request);
    let seen = world.expect(status);
    assert_eq!(world.events.len(), 0);
    assert_eq!(world.endpoint.counters().of(counted), 1);
    assert!(seen.header("To").unwrap().contains(";tag="));
    seen
}

#[test]
fn an_invite_that_is_no_recording_session_is_refused_unless_allowed() {
    let plain = Request::new("INVITE", 1)
        .without("Contact")
        .header("Contact: <sip:phone@192.0.2.10>")
        .header("Supported: siprec, timer")
        .sdp(&sdp(1, "sendrecv"));
    let seen = refused(&plain, 403, Counted::NotRecording);
    assert!(seen.header("Warning").unwrap().contains("RFC 7866"));
    let mut world = World::with(Config {
        accept_without_siprec: true,
        ..Config::default()
    });
    let (_, offer) = world.offered(&plain);
    assert_eq!(
        offer.quirks,
        [Quirk::SourceTagMissing, Quirk::MetadataMissing]
    );
}

#[test]
fn any_one_sign_of_a_recording_session_is_enough() {
    let base = Request::new("INVITE", 1).without("Contact");
    for (request, quirks) in [
        (
            base.clone()
                .header("Contact: <sip:a@192.0.2.10>")
                .header("Require: SIPREC")
                .sdp(&sdp(1, "sendonly")),
            vec![Quirk::SourceTagMissing, Quirk::MetadataMissing],
        ),
        (
            base.clone()
                .header("m: sip:a@192.0.2.10;+sip.src")
                .sdp(&sdp(1, "sendonly")),
            vec![Quirk::OptionTagMissing, Quirk::MetadataMissing],
        ),
        (
            base.clone()
                .header("Contact: \"x, y\" <sip:a@192.0.2.10;ob>;src")
                .sdp(&sdp(1, "sendonly")),
            vec![
                Quirk::OptionTagMissing,
                Quirk::SourceTagBare,
                Quirk::MetadataMissing,
            ],
        ),
        (
            base.header("Contact: <sip:a@192.0.2.10>")
                .both(&sdp(1, "sendonly"), METADATA),
            vec![Quirk::OptionTagMissing, Quirk::SourceTagMissing],
        ),
    ] {
        let (_, offer) = World::new().offered(&request);
        assert_eq!(offer.quirks, quirks);
    }
}

#[test]
fn an_unknown_extension_is_named_in_420() {
    let request = Request::invite().header("Require: timer, 100rel , foo, bar");
    let seen = refused(&request, 420, Counted::UnknownExtension);
    assert_eq!(seen.header("Unsupported"), Some("foo, bar"));
}

#[test]
fn unknown_methods_get_405_with_what_we_have() {
    for method in ["INFO", "MESSAGE", "SUBSCRIBE", "invite"] {
        let seen = refused(&Request::new(method, 1), 405, Counted::UnknownMethod);
        assert_eq!(
            seen.header("Allow"),
            Some("INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK")
        );
    }
}

#[test]
fn requests_of_unknown_calls_get_481() {
    for method in ["BYE", "UPDATE", "OPTIONS", "INVITE", "PRACK"] {
        refused(
            &Request::new(method, 1).to("nobody"),
            481,
            Counted::NoSuchCall,
        );
    }
    refused(&Request::new("BYE", 1), 481, Counted::NoSuchCall);
    refused(&Request::new("UPDATE", 1), 481, Counted::NoSuchCall);
    refused(&Request::new("PRACK", 1), 481, Counted::NoSuchCall);
    refused(&Request::new("CANCEL", 1), 481, Counted::NoSuchCall);
}

#[test]
fn our_tag_with_another_call_or_client_is_no_session() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let bye = Request::new("BYE", 2).to(&ok.to_tag());
    world.send(&bye.clone().call("other"));
    world.expect(481);
    world.send(&Request {
        from_tag: "other".into(),
        branch: "z9hG4bKx".into(),
        ..bye
    });
    world.expect(481);
    assert_eq!(world.endpoint.open_sessions(), 1);
}

#[test]
fn an_older_cseq_gets_500() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    world.send(&Request::new("UPDATE", 5).to(&ok.to_tag()));
    world.expect(200);
    world.send(&Request::new("UPDATE", 4).to(&ok.to_tag()));
    world.expect(500);
    assert_eq!(world.endpoint.counters().of(Counted::OutOfOrder), 1);
}

#[test]
fn other_schemes_and_broken_uris_are_refused() {
    let request = |uri: &str| Request {
        uri: uri.into(),
        ..Request::invite()
    };
    refused(
        &request("mailto:sales@shop.example"),
        416,
        Counted::UnknownScheme,
    );
    refused(&request("sip:"), 400, Counted::BadRequest);
}

#[test]
fn within_a_dialog_an_odd_request_uri_does_not_keep_a_call_from_ending() {
    for uri in ["<sip:sales@198.51.100.5>", "tel:+31201234567", "*"] {
        let mut world = World::new();
        let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
        world.send(&Request {
            uri: uri.into(),
            ..Request::new("BYE", 2).to(&ok.to_tag())
        });
        world.expect(200);
        assert!(world.endpoint.is_idle());
    }
}

#[test]
fn an_offer_of_nothing_that_can_be_recorded_is_refused() {
    let request = |text: &str| Request::invite().sdp(text);
    for text in [
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVP 8\r\n",
        "v=0\r\nm=audio 9 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n",
        "v=0\r\nm=audio 0 RTP/AVP 8\r\n",
        "v=0\r\ns=-\r\n",
    ] {
        refused(&request(text), 488, Counted::NoUsableStream);
    }
    for text in [
        "v=0\r\nm=audio nine RTP/AVP 8\r\n".to_owned(),
        format!("v=0\r\n{}", "m=audio 9 RTP/AVP 8\r\n".repeat(65)),
    ] {
        refused(&request(&text), 488, Counted::NoUsableStream);
    }
}

#[test]
fn bodies_that_we_cannot_read_get_415() {
    let seen = refused(
        &Request::invite().body("text/plain", "hello"),
        415,
        Counted::UnknownBody,
    );
    assert!(
        seen.header("Accept")
            .unwrap()
            .starts_with("application/sdp")
    );
    let zipped = Request::invite().header("Content-Encoding: gzip");
    let seen = refused(&zipped, 415, Counted::UnknownBody);
    assert_eq!(seen.header("Accept-Encoding"), Some("identity"));
}

#[test]
fn broken_messages_that_can_be_answered_get_400_413_or_505() {
    let text = Request::invite().sdp(&sdp(1, "sendonly")).text();
    let cases = [
        (
            text.replace("CSeq: 1 INVITE", "CSeq: one INVITE"),
            400,
            Counted::BadRequest,
        ),
        (
            text.replace("CSeq: 1 INVITE", "CSeq: 1 BYE"),
            400,
            Counted::BadRequest,
        ),
        (
            text.replace("CSeq: 1 INVITE", "CSeq: 4294967296 INVITE"),
            400,
            Counted::BadRequest,
        ),
        (
            text.replace("Content-Length: ", "Content-Length: \u{1}"),
            400,
            Counted::BadRequest,
        ),
        (
            text.replace("Content-Length: ", "Content-Length: 1"),
            400,
            Counted::BadRequest,
        ),
        (
            text.replace("Content-Length: ", "Content-Length: x"),
            400,
            Counted::BadRequest,
        ),
        (
            text.replace("Content-Length: ", "Content-Length: 99999"),
            413,
            Counted::TooLarge,
        ),
        (
            text.replacen("SIP/2.0", "SIP/7.0", 1),
            505,
            Counted::UnknownVersion,
        ),
    ];
    for (text, status, counted) in cases {
        let mut world = World::new();
        world.send_bytes(text.as_bytes());
        assert_eq!(world.next_sent().status(), status, "{text}");
        assert_eq!(world.endpoint.counters().of(counted), 1);
        assert!(world.endpoint.is_idle());
    }
}

#[test]
fn what_cannot_be_answered_is_counted() {
    let mut world = World::new();
    let text = Request::invite().text();
    for header in ["Via", "From", "To", "Call-ID", "CSeq"] {
        let without: String = text
            .split_inclusive("\r\n")
            .filter(|l| !l.starts_with(&format!("{header}: ")))
            .collect();
        world.send_bytes(without.as_bytes());
    }
    world.send_bytes(
        text.replace("INVITE", "ACK")
            .replace("CSeq: 1", "CSeq: x")
            .as_bytes(),
    );
    world.send_bytes(b"\x16\x03\x01\x02\x00\x01");
    world.send_bytes(b"\r\n\r\n");
    world.send(&Request::new("ACK", 1));
    world.expect_silence();
    let counters = world.endpoint.counters();
    assert_eq!(counters.of(Counted::Unanswerable), 6);
    assert_eq!(counters.of(Counted::NotSip), 1);
    assert_eq!(counters.of(Counted::KeepAlive), 1);
    assert_eq!(counters.of(Counted::StrayAck), 1);
}

#[test]
fn an_ack_of_another_number_does_not_count() {
    let mut world = World::new();
    let invite = Request::invite();
    let (key, _) = world.offered(&invite);
    world.command(key, crate::client::answer(LocalDirection::Receive));
    let ok = world.expect(200);
    world.send(&Request {
        cseq: 2,
        ..ack(&invite, &ok)
    });
    assert_eq!(world.events.len(), 0);
    assert_eq!(world.endpoint.counters().of(Counted::StrayAck), 1);
}

#[test]
fn every_counter_has_a_name_of_its_own() {
    let mut names: Vec<_> = Counted::ALL
        .iter()
        .map(|counted| counted.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Counted::ALL.len());
}

#[test]
fn a_telephone_number_names_a_line_where_our_own_address_is_known_otherwise() {
    let request = Request {
        uri: "tel:+31-20-1234567".into(),
        ..Request::invite()
    };
    let mut world = World::new();
    let (_, offer) = world.offered(&request);
    assert_eq!(offer.request_user.expose(), "+31201234567");
    assert_eq!(offer.quirks, [Quirk::RequestUriRepaired]);
    // Without it the client could not be told where its next request goes.
    let mut world = World::new();
    world.local = "0.0.0.0:5060".parse().unwrap();
    world.send(&request);
    let seen = world.expect(400);
    assert!(seen.header("Warning").unwrap().contains("our address"));
    assert!(world.endpoint.is_idle());
}
