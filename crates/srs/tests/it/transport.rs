//! How messages travel: datagrams, byte streams, routes.

use crate::client::{METADATA, Request, SECOND, World, ack, answer, sdp, tcp, tls, udp};
use voicelog_srs::{
    Command, Config, Counted, EndCause, Event, Frame, FramingError, LocalDirection, PONG,
    StreamFramer, Transport,
};

/// All the ways of telephony practice to break a message over a byte stream.
fn segmentations(text: &str) -> Vec<Vec<Vec<u8>>> {
    let bytes = text.as_bytes();
    let at = |needle: &str| text.find(needle).unwrap();
    let cut = |places: &[usize]| {
        let mut pieces = Vec::new();
        let mut from = 0;
        for place in places {
            pieces.push(bytes[from..*place].to_vec());
            from = *place;
        }
        pieces.push(bytes[from..].to_vec());
        pieces
    };
    let head = at("\r\n\r\n") + 4;
    vec![
        cut(&[]),
        cut(&[head + 40]),
        cut(&[at("Content-Length")]),
        cut(&[at("Content-Length") + 17]),
        cut(&[at("Call-ID"), at("Contact")]),
        bytes.iter().map(|byte| vec![*byte]).collect(),
        vec![[bytes, b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n"].concat()],
        vec![[b"\r\n\r\n\r\n", bytes].concat()],
        cut(&[head - 2]),
    ]
}

#[test]
fn every_segmentation_gives_the_whole_message() {
    // Content-Length in front of most headers, where a naive reader loses the body.
    let text = Request::invite().text();
    let length = text
        .split("\r\n")
        .find(|l| l.starts_with("Content-Length"))
        .unwrap();
    let early = text.replacen(&format!("{length}\r\n"), "", 1).replacen(
        "Max-Forwards",
        &format!("{length}\r\nMax-Forwards"),
        1,
    );
    for text in [text, early] {
        for pieces in segmentations(&text) {
            let mut framer = StreamFramer::new();
            let mut messages = Vec::new();
            for piece in &pieces {
                framer.push(piece);
                while let Some(frame) = framer.next_frame().unwrap() {
                    if let Frame::Message(bytes) = frame {
                        messages.push(bytes);
                    }
                }
            }
            assert_eq!(String::from_utf8_lossy(&messages[0]), text);
            let mut world = World::new();
            world.peer = tcp(1);
            world.send_bytes(&messages[0]);
            world.expect(100);
            let Event::Offered(offer) = world.next_event() else {
                panic!()
            };
            assert_eq!(offer.metadata.unwrap().raw.expose(), METADATA.as_bytes());
        }
    }
}

#[test]
fn a_keepalive_is_known_as_one_and_its_answer_is_one_line_end() {
    let mut framer = StreamFramer::new();
    framer.push(b"\r\n\r");
    assert_eq!(framer.next_frame(), Ok(None));
    framer.push(b"\n");
    assert_eq!(framer.next_frame(), Ok(Some(Frame::KeepAlive)));
    assert_eq!(PONG, b"\r\n");
}

#[test]
fn a_message_too_large_for_us_is_answered_before_the_connection_closes() {
    let mut framer = StreamFramer::new();
    let mut invite = Request::invite();
    invite.body = Some(("application/sdp".into(), "a=b\r\n".repeat(20_000)));
    framer.push(invite.text().as_bytes());
    let Ok(Some(Frame::Message(head))) = framer.next_frame() else {
        panic!()
    };
    let mut world = World::new();
    world.peer = tcp(1);
    world.send_bytes(&head);
    world.expect(413);
    let error = framer.next_frame().unwrap_err();
    assert_eq!(error, FramingError::TooLarge);
    world.endpoint.framing_failed(error);
    assert_eq!(world.endpoint.counters().of(Counted::Unframeable), 1);
}

#[test]
fn over_tcp_the_connection_is_used_for_everything() {
    let mut world = World::new();
    world.peer = tcp(3);
    let invite = Request::invite();
    let (key, ok) = world.established(&invite, LocalDirection::Inactive);
    assert_eq!(ok.to, tcp(3));
    assert_eq!(
        ok.header("Contact"),
        Some("<sip:198.51.100.5:5060;transport=tcp>;+sip.srs")
    );
    world.command(key, Command::Receive);
    let reinvite = world.next_sent();
    assert_eq!(reinvite.to, tcp(3));
    assert!(
        reinvite
            .header("Via")
            .unwrap()
            .starts_with("SIP/2.0/TCP 198.51.100.5:5060;")
    );
    // TCP carries it; only the deadline remains.
    world.pass(31 * SECOND);
    assert_eq!(world.sent.len(), 0);
    world.pass(SECOND);
    world.expect_event(&Event::ReinviteRefused {
        status: 408,
        agreed: LocalDirection::Inactive,
    });
}

#[test]
fn over_tls_our_contact_and_our_requests_say_so() {
    let mut world = World::new();
    world.peer = tls(3);
    world.local.set_port(5_061);
    let (key, ok) = world.established(&Request::invite(), LocalDirection::Inactive);
    assert_eq!(ok.to, tls(3));
    assert_eq!(
        ok.header("Contact"),
        Some("<sip:198.51.100.5:5061;transport=tls>;+sip.srs")
    );
    world.command(key, Command::Receive);
    let reinvite = world.next_sent();
    assert_eq!(reinvite.to, tls(3));
    let via = reinvite.header("Via").unwrap();
    assert!(via.starts_with("SIP/2.0/TLS 198.51.100.5:5061;"), "{via}");
    // As over TCP: nothing is sent twice.
    world.pass(31 * SECOND);
    assert_eq!(world.sent.len(), 0);
}

#[test]
fn rfc3261_section_12_1_1_who_calls_by_sips_gets_a_contact_by_sips() {
    let mut by_uri = Request::invite();
    by_uri.uri = "sips:sales@198.51.100.5".to_owned();
    let by_contact = Request::invite()
        .without("Contact")
        .header("Contact: <sips:src@192.0.2.10>;+sip.src");
    let by_route = Request::invite().header("Record-Route: <sips:192.0.2.20;lr>");
    let secure = Some("<sips:198.51.100.5:5060>;+sip.srs");
    for invite in [by_uri, by_contact, by_route] {
        let mut world = World::new();
        world.peer = tls(3);
        let (_, ok) = world.established(&invite, LocalDirection::Receive);
        assert_eq!(ok.header("Contact"), secure);
    }
    let mut world = World::new();
    world.peer = tls(3);
    // The route comes before the client's own address.
    let mixed = Request::invite()
        .without("Contact")
        .header("Contact: <sips:src@192.0.2.10>;+sip.src")
        .header("Record-Route: <sip:192.0.2.20;lr>");
    let (_, ok) = world.established(&mixed, LocalDirection::Receive);
    assert_ne!(ok.header("Contact"), secure);
}

#[test]
fn a_lost_connection_does_not_cost_the_call_and_a_new_one_takes_over() {
    let mut world = World::new();
    world.peer = tcp(3);
    let (key, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    world.close(2);
    world.expect_silence();
    world.close(3);
    world.expect_event(&Event::ConnectionLost);
    world.peer = tcp(4);
    world.send(&Request::new("UPDATE", 2).to(&ok.to_tag()));
    assert_eq!(world.expect(200).to, tcp(4));
    world.command(
        key,
        Command::End {
            reason: String::new(),
        },
    );
    assert_eq!(world.next_sent().to, tcp(4));
}

#[test]
fn without_a_connection_the_caller_is_asked_to_open_one() {
    let mut world = World::new();
    world.peer = tcp(3);
    let (key, _) = world.established(&Request::invite(), LocalDirection::Receive);
    world.close(3);
    world.command(
        key,
        Command::End {
            reason: String::new(),
        },
    );
    let bye = world.next_sent();
    assert_eq!(
        (bye.to.transport, bye.to.connection),
        (Transport::Tcp, None)
    );
    assert_eq!(bye.to.address.to_string(), "192.0.2.10:5060");
}

#[test]
fn a_connection_lost_before_the_answer_ends_the_offer() {
    let mut world = World::new();
    world.peer = tcp(3);
    let (key, _) = world.offered(&Request::invite());
    world.close(3);
    world.expect_event(&Event::Ended {
        cause: EndCause::Transport,
    });
    world.command(key, answer(LocalDirection::Receive));
    world.expect_silence();
    assert!(world.endpoint.is_idle());
    assert_eq!(world.endpoint.next_timeout(), None);
}

#[test]
fn an_invite_of_9_kilobytes_over_udp_keeps_every_byte_of_its_metadata() {
    let extension = format!(
        "<x xmlns='http://vendor.example/'>{}</x></recording>",
        "data ".repeat(1_700)
    );
    let metadata = METADATA.replace("</recording>", &extension);
    let invite = Request::invite().both(&sdp(1, "sendonly"), &metadata);
    assert!(invite.text().len() > 9_000);
    let (_, offer) = World::new().offered(&invite);
    let found = offer.metadata.unwrap();
    assert_eq!(found.raw.expose(), metadata.as_bytes());
    assert_eq!(found.participants.len(), 2);
}

#[test]
fn over_udp_a_missing_length_means_the_rest_of_the_datagram() {
    let text = Request::invite().text();
    let length = text
        .split("\r\n")
        .find(|l| l.starts_with("Content-Length"))
        .unwrap()
        .to_owned();
    let mut world = World::new();
    world.send_bytes(text.replace(&format!("{length}\r\n"), "").as_bytes());
    world.expect(100);
    let Event::Offered(offer) = world.next_event() else {
        panic!()
    };
    assert_eq!(offer.metadata.unwrap().participants.len(), 2);
}

#[test]
fn compact_folded_and_oddly_cased_headers_are_read() {
    let body = sdp(1, "sendonly");
    let text = format!(
        "INVITE sip:x@198.51.100.5 SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKc\r\nf:sip:a@b\r\n ;tag=f1\r\nt  : sip:x@y\r\nI: c\r\ncSEQ: 7\tINVITE\r\nM:\r\n <sip:a@192.0.2.10:5062>\r\n\t;+sip.src\r\nREQUIRE: siprec\r\nK: x\r\nC: application/sdp\r\nL: {}\r\n\r\n{body}",
        body.len()
    );
    let mut world = World::new();
    world.send_bytes(text.as_bytes());
    let trying = world.expect(100);
    assert_eq!(trying.header("From"), Some("sip:a@b ;tag=f1"));
    assert_eq!(trying.header("CSeq"), Some("7\tINVITE"));
    assert_eq!(trying.to.address.to_string(), "192.0.2.10:5060");
    assert!(matches!(world.next_event(), Event::Offered(_)));
}

#[test]
fn several_vias_and_record_routes_come_back_and_requests_follow_the_route() {
    let mut world = World::new();
    let mut invite = Request::invite()
        .header("Record-Route: <sip:192.0.2.20:5070;lr>, <sip:core.example;lr>")
        .header("Record-Route: <sip:edge.example;lr>");
    invite.via = Some("SIP/2.0/UDP 192.0.2.20:5070;branch=z9hG4bKp;rport, SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKq\r\nVia: SIP/2.0/UDP 10.0.0.2".into());
    let mut peer = udp();
    peer.address = "192.0.2.20:60000".parse().unwrap();
    world.peer = peer;
    let (key, _) = world.offered(&invite);
    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    assert_eq!(ok.to.address.port(), 60_000);
    let head: Vec<_> = ok.text.split("\r\n").collect();
    assert_eq!(
        &head[1..6],
        [
            "Via: SIP/2.0/UDP 192.0.2.20:5070;branch=z9hG4bKp;received=192.0.2.20;rport=60000",
            "Via: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKq",
            "Via: SIP/2.0/UDP 10.0.0.2",
            "Record-Route: <sip:192.0.2.20:5070;lr>, <sip:core.example;lr>",
            "Record-Route: <sip:edge.example;lr>",
        ]
    );
    let mut ack = ack(&invite, &ok);
    ack.via = None;
    world.send(&ack);
    world.events.clear();
    world.command(
        key,
        Command::End {
            reason: String::new(),
        },
    );
    let bye = world.next_sent();
    assert!(
        bye.text
            .starts_with("BYE sip:src@192.0.2.10:5060 SIP/2.0\r\n")
    );
    let routes: Vec<_> = bye
        .text
        .split("\r\n")
        .filter(|l| l.starts_with("Route"))
        .collect();
    assert_eq!(
        routes,
        [
            "Route: <sip:192.0.2.20:5070;lr>",
            "Route: <sip:core.example;lr>",
            "Route: <sip:edge.example;lr>"
        ]
    );
    assert_eq!(bye.to.address.to_string(), "192.0.2.20:5070");
}

#[test]
fn a_strict_router_gets_itself_in_the_request_line() {
    let mut world = World::new();
    let invite = Request::invite().header("Record-Route: <sip:192.0.2.20>, <sip:192.0.2.21;lr>");
    let (key, _) = world.established(&invite, LocalDirection::Receive);
    world.command(
        key,
        Command::End {
            reason: String::new(),
        },
    );
    let bye = world.next_sent();
    assert!(bye.text.starts_with("BYE sip:192.0.2.20 SIP/2.0\r\n"));
    let routes: Vec<_> = bye
        .text
        .split("\r\n")
        .filter(|l| l.starts_with("Route"))
        .collect();
    assert_eq!(
        routes,
        [
            "Route: <sip:192.0.2.21;lr>",
            "Route: <sip:src@192.0.2.10:5060>"
        ]
    );
}

#[test]
fn a_new_contact_is_where_requests_go_from_then_on() {
    let mut world = World::new();
    let (key, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let update = Request::new("UPDATE", 2)
        .without("Contact")
        .header("Contact: <sip:moved@[2001:db8::9]:5066>")
        .to(&ok.to_tag());
    world.send(&update);
    world.expect(200);
    world.command(
        key,
        Command::End {
            reason: String::new(),
        },
    );
    let bye = world.next_sent();
    assert!(
        bye.text
            .starts_with("BYE sip:moved@[2001:db8::9]:5066 SIP/2.0\r\n")
    );
    assert_eq!(bye.to.address.to_string(), "[2001:db8::9]:5066");
}

#[test]
fn a_contact_by_name_is_answered_where_the_client_is() {
    let mut world = World::new();
    let invite = Request::invite()
        .without("Contact")
        .header("Contact: <sip:pbx.example>;+sip.src");
    let (key, _) = world.established(&invite, LocalDirection::Receive);
    world.command(
        key,
        Command::End {
            reason: String::new(),
        },
    );
    assert_eq!(world.next_sent().to, udp());
}

#[test]
fn our_contact_is_the_configured_host_or_what_the_client_asked_for() {
    let contact = |config: Config, local: &str| {
        let mut world = World::with(config);
        world.local = local.parse().unwrap();
        let (key, _) = world.offered(&Request::invite());
        world.command(key, answer(LocalDirection::Receive));
        world.expect(200).header("Contact").unwrap().to_owned()
    };
    let named = Config {
        contact_host: Some("recorder.example\r\nX: y".into()),
        ..Config::default()
    };
    assert_eq!(
        contact(named, "0.0.0.0:5060"),
        "<sip:recorder.exampleX:y:5060>;+sip.srs"
    );
    assert_eq!(
        contact(Config::default(), "0.0.0.0:5080"),
        "<sip:198.51.100.5:5080>;+sip.srs"
    );
    assert_eq!(
        contact(Config::default(), "[2001:db8::5]:5060"),
        "<sip:[2001:db8::5]:5060>;+sip.srs"
    );
}

#[test]
fn the_same_input_gives_the_same_output_byte_for_byte() {
    let run = || {
        let mut world = World::new();
        let (key, ok) = world.established(&Request::invite(), LocalDirection::Inactive);
        world.command(key, Command::Receive);
        (ok, world.next_sent())
    };
    assert_eq!(run(), run());
}
