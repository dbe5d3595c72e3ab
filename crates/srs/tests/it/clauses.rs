//! What the standards demand of a recording server, clause by clause, where no other test shows
//! it. The whole list with the test of each line is in `design/srs.md`.

use crate::client::{
    METADATA, Request, SECOND, Seen, World, ack, answer, answer_streams, multipart, sdp,
};
use proptest::prelude::*;
use std::fmt::Write;
use voicelog_srs::metadata::Metadata;
use voicelog_srs::{Command, Config, Counted, Event, LocalDirection, Quirk};

fn says_it_is_a_recording_server(seen: &Seen) {
    let contact = seen.header("Contact").unwrap_or_default();
    assert!(contact.ends_with(">;+sip.srs"), "{}", seen.text);
}

#[test]
fn rfc7866_section_6_2_every_message_that_makes_or_renews_the_dialog_says_sip_srs() {
    let mut world = World::new();
    let invite = Request::invite()
        .header("Require: 100rel, timer")
        .header("Allow: UPDATE")
        .header("Session-Expires: 90;refresher=uas");
    let (key, _) = world.offered(&invite);
    world.pass(SECOND);
    says_it_is_a_recording_server(&world.expect(183));
    world.command(key, answer(LocalDirection::Inactive));
    let ok = world.expect(200);
    says_it_is_a_recording_server(&ok);
    world.send(&ack(&invite, &ok));
    for (method, cseq) in [("INVITE", 2), ("UPDATE", 3)] {
        let later = Request::new(method, cseq)
            .to(&ok.to_tag())
            .sdp(&sdp(2, "sendonly"));
        world.send(&later);
        let seen = world.expect(200);
        says_it_is_a_recording_server(&seen);
        world.send(&ack(&later, &seen));
    }
    world.pass(45 * SECOND);
    let update = world.next_sent();
    assert_eq!(update.method(), "UPDATE");
    says_it_is_a_recording_server(&update);
    world.command(key, Command::Receive);
    let reinvite = world.next_sent();
    assert_eq!(reinvite.method(), "INVITE");
    says_it_is_a_recording_server(&reinvite);
}

/// A line as a client may offer it: media, transport, format, label, direction.
fn line() -> impl Strategy<Value = String> {
    let media = prop::sample::select(vec!["audio", "audio", "video", "image", "x-new"]);
    let transport = prop::sample::select(vec!["RTP/AVP", "RTP/AVPF", "udptl", "RTP/NEW"]);
    let format = prop::sample::select(vec!["8", "0 8", "96", "t38"]);
    let direction = prop::sample::select(vec!["sendonly", "inactive", "sendrecv"]);
    let port = prop::sample::select(vec![0u16, 9, 20_000]);
    (media, transport, format, direction, port).prop_map(
        |(media, transport, format, direction, port)| {
            format!("m={media} {port} {transport} {format}\r\na={direction}\r\n")
        },
    )
}

fn description(lines: &[String]) -> String {
    let mut text = "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n\
                    m=audio 20000 RTP/AVP 8\r\na=label:0\r\na=sendonly\r\n"
        .to_owned();
    for (line, label) in lines.iter().zip(1..) {
        write!(text, "{line}a=label:{label}\r\n").unwrap();
    }
    text
}

/// Kind, transport and label of each line, and whether it is refused.
fn lines_of(sdp: &str) -> Vec<(String, String, String, bool)> {
    sdp.split("m=")
        .skip(1)
        .map(|section| {
            let words: Vec<_> = section.split([' ', '\r']).collect();
            let label = section.split("a=label:").nth(1).unwrap_or_default();
            let label = label.split('\r').next().unwrap_or_default();
            let is_refused = words[1] == "0";
            (words[0].into(), words[2].into(), label.into(), is_refused)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// RFC 3264 §6, RFC 7866 §7.1.1 and §7.2.
    #[test]
    fn rfc7866_section_7_2_our_answers_and_offers_keep_every_line_in_its_place_and_add_none(
        lines in prop::collection::vec(line(), 0..6),
    ) {
        let offer = description(&lines);
        let mut world = World::new();
        let invite = Request::invite().sdp(&offer);
        let (key, offered) = world.offered(&invite);
        let count = u16::try_from(offered.streams.len()).unwrap();
        world.command(key, answer_streams(count, LocalDirection::Inactive));
        let ok = world.expect(200);
        let wanted: Vec<_> = lines_of(&offer)
            .into_iter()
            .zip(&offered.streams)
            .map(|((kind, transport, label, _), stream)| {
                (kind, transport, label, stream.formats.is_empty())
            })
            .collect();
        prop_assert_eq!(&lines_of(ok.body()), &wanted);
        world.send(&ack(&invite, &ok));
        world.command(key, Command::Receive);
        let reinvite = world.next_sent();
        prop_assert_eq!(&lines_of(reinvite.body()), &wanted);
        prop_assert!(!reinvite.body().contains("send"));
    }
}

#[test]
fn rfc7866_section_9_1_metadata_counts_wherever_a_message_of_the_client_can_carry_it() {
    let text = |name: &str| METADATA.replace("Ewa", name);
    let name_of = |event: Event| {
        let Event::MetadataChanged(metadata) = event else {
            panic!("{event:?}");
        };
        let name = metadata.participants[0].name.clone().unwrap();
        name.expose().split(' ').next().unwrap().to_owned()
    };
    let mut world = World::new();
    let invite = Request::invite().header("Allow: UPDATE");
    let (key, ok) = world.established(&invite, LocalDirection::Inactive);
    for (method, cseq) in [("INVITE", 2), ("UPDATE", 3)] {
        let later = Request::new(method, cseq)
            .to(&ok.to_tag())
            .both(&sdp(1, "sendonly"), &text(method));
        world.send(&later);
        let seen = world.expect(200);
        world.send(&ack(&later, &seen));
        assert_eq!(name_of(world.next_event()), method);
    }
    // In the answer to a re-INVITE of ours, and to an UPDATE that asks for it.
    world.command(key, Command::Receive);
    let reinvite = world.next_sent();
    let (kind, body) = multipart(&sdp(2, "sendonly"), &text("Answer"));
    world.respond_typed(&reinvite, 200, "", Some((&kind, &body)));
    assert_eq!(name_of(world.next_event()), "Answer");
    assert!(matches!(world.next_event(), Event::DirectionAgreed { .. }));
    world.sent.clear();

    let broken = Request::new("UPDATE", 4)
        .to(&ok.to_tag())
        .body("application/rs-metadata+xml", "<recording");
    world.send(&broken);
    assert_eq!(world.next_sent().status(), 200);
    world.events.clear();
    let request = world.next_sent();
    let whole = text("Snapshot");
    let body = Some(("application/rs-metadata+xml", &*whole));
    world.respond_typed(&request, 200, "", body);
    assert_eq!(name_of(world.next_event()), "Snapshot");
}

#[test]
fn rfc7866_section_9_1_the_disposition_of_the_metadata_is_not_what_it_is_known_by() {
    let (kind, body) = multipart(&sdp(1, "sendonly"), METADATA);
    let line = "Content-Disposition: recording-session\r\n";
    for disposition in [
        line,
        "",
        "Content-Disposition: recording-session;handling=optional\r\n",
        "content-disposition: Recording-Session\r\n",
        "Content-Disposition: session\r\n",
    ] {
        let body = body.replace(line, disposition);
        let (_, offer) = World::new().offered(&Request::invite().body(&kind, &body));
        assert_eq!(offer.metadata.unwrap().participants.len(), 2);
    }
}

#[test]
fn rfc3261_section_11_options_says_what_we_take_inside_a_dialog_and_outside() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    for request in [
        Request::new("OPTIONS", 7).call("ping"),
        Request::new("OPTIONS", 2).to(&ok.to_tag()),
    ] {
        world.send(&request);
        let seen = world.expect(200);
        let accept = seen.header("Accept").unwrap();
        for kind in [
            "application/sdp",
            "multipart/mixed",
            "application/rs-metadata+xml",
            "application/rs-metadata",
        ] {
            assert!(accept.split(", ").any(|found| found == kind), "{kind}");
        }
        let supported = seen.header("Supported").unwrap();
        assert!(supported.split(", ").any(|tag| tag == "siprec"));
        for method in [
            "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "UPDATE", "PRACK",
        ] {
            let allow = seen.header("Allow").unwrap();
            assert!(allow.split(", ").any(|found| found == method), "{method}");
        }
    }
}

#[test]
fn rfc7866_section_6_3_indications_for_callers_do_not_disturb_a_recording() {
    // `a=record` and `a=recordpref` belong to the conversation; an SBC may copy them.
    let text = sdp(1, "sendonly")
        .replace("s=-\r\n", "s=-\r\na=record:paused\r\na=recordpref:off\r\n")
        .replace(
            "a=label:1",
            "a=record:on\r\na=recordpref:nopreference\r\na=label:1",
        );
    let mut world = World::new();
    let invite = Request::invite()
        .header("Supported: record-aware")
        .both(&text, METADATA);
    let (key, offer) = world.offered(&invite);
    assert_eq!(offer.quirks, []);
    assert!(
        offer
            .streams
            .iter()
            .all(|stream| !stream.formats.is_empty())
    );
    world.command(key, answer(LocalDirection::Receive));
    assert!(!world.expect(200).body().contains("record"));
}

fn told(metadata: &str) -> Metadata {
    let invite = Request::invite().both(&sdp(1, "sendonly"), metadata);
    let (_, mut offer) = World::new().offered(&invite);
    offer.metadata.take().unwrap()
}

#[test]
fn rfc7865_section_6_1_a_missing_data_mode_means_complete_and_ids_are_any_text() {
    let wanted = told(METADATA);
    let mode = "<datamode>complete</datamode>";
    for (variant, quirks) in [
        ("", vec![]),
        ("<datamode/>", vec![]),
        ("<dataMode> Complete </dataMode>", vec![]),
        ("<datamode>whole</datamode>", vec![Quirk::UnknownDataMode]),
    ] {
        let found = told(&METADATA.replace(mode, variant));
        assert_eq!(found.quirks, quirks);
        assert_eq!(found.participants, wanted.participants);
    }
    let partial = told(&METADATA.replace(mode, "<datamode>PARTIAL</datamode>"));
    assert_eq!(partial.quirks, [Quirk::PartialWithoutBase]);
    // Not base64, not a UUID, not even one word.
    let ids = METADATA
        .replace("ZXdh", "urn:uuid:not one")
        .replace("czE=", "{1}");
    assert_eq!(told(&ids).voices, wanted.voices);
}

#[test]
fn rfc7865_section_6_what_is_unknown_in_a_document_is_passed_over_and_kept() {
    let wanted = told(METADATA);
    let extended = METADATA
        .replace("<group ", "<x:new xmlns:x='urn:x'><x:deep/></x:new><group ")
        .replace("</nameID>", "<extra a='b'>&amp;</extra></nameID>")
        .replace("<label>1</label>", "<label>1</label><mode>separate</mode>");
    let found = told(&extended);
    assert_eq!(found.quirks, []);
    assert_eq!(found.participants, wanted.participants);
    assert_eq!(found.voices, wanted.voices);
    assert_eq!(found.raw.expose(), extended.as_bytes());
}

/// Requests that begin no session, each with the status that it gets.
fn refusals() -> Vec<(Request, u16)> {
    let plain = Request::new("INVITE", 1);
    let with_uri = |uri: &str| Request {
        uri: uri.to_owned(),
        ..Request::invite()
    };
    vec![
        (Request::invite().header("Replaces: x"), 400),
        (Request::invite().sdp("v=0\r\nm=audio x\r\n"), 488),
        (
            plain
                .without("Contact")
                .header("Contact: <sip:a@192.0.2.10>")
                .sdp(&sdp(1, "sendonly")),
            403,
        ),
        (Request::new("NOTIFY", 1), 405),
        (Request::invite().body("text/html", "<p>"), 415),
        (with_uri("urn:service:sos"), 416),
        (Request::invite().header("Require: foo"), 420),
        (
            Request::invite()
                .header("Supported: timer")
                .header("Session-Expires: 1"),
            422,
        ),
        (
            Request::invite().header("Replaces: a;to-tag=b;from-tag=c"),
            481,
        ),
        (Request::invite().to("nobody"), 481),
        (
            Request::invite().sdp("v=0\r\nm=video 9 RTP/AVP 97\r\n"),
            488,
        ),
    ]
}

#[test]
fn vcon_section_4_3_every_refusal_is_counted_once_under_a_name_of_its_own() {
    for (request, status) in refusals() {
        let mut world = World::with(Config::default());
        world.send(&request);
        world.expect(status);
        let counters = world.endpoint.counters();
        let refused: Vec<_> = counters
            .iter()
            .filter(|(counted, count)| counted.as_str().starts_with("refused_") && *count > 0)
            .collect();
        let [(counted, 1)] = refused[..] else {
            panic!("{status}: {refused:?}");
        };
        assert_ne!(counted, Counted::Rejected);
        assert_eq!(counters.of(Counted::Offered), 0);
        assert!(world.endpoint.is_idle() && world.events.is_empty());
    }
}
