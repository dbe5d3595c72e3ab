//! Input that means harm, or that nobody meant at all. Other calls must not notice.

use crate::client::{METADATA, Request, SECOND, World, answer, multipart, sdp};
use proptest::prelude::*;
use voicelog_srs::fuzzing;
use voicelog_srs::{Counted, Event, LocalDirection, Quirk};

fn quirks_with(metadata: &str) -> Vec<Quirk> {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let (key, offer) = world.offered(
        &Request::invite()
            .call("hostile")
            .both(&sdp(1, "sendonly"), metadata),
    );
    // The hostile call is recorded like any other, and the one beside it is still there.
    world.command(key, answer(LocalDirection::Receive));
    world.expect(200);
    world.send(&Request::new("OPTIONS", 2).to(&ok.to_tag()));
    world.expect(200);
    offer.metadata.unwrap().quirks
}

#[test]
fn external_entities_and_billion_laughs_are_never_read() {
    let xxe = format!("<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>{METADATA}");
    let unread = [Quirk::MetadataDoctype, Quirk::ParticipantsUnknown];
    assert_eq!(quirks_with(&xxe), unread);
    let mut laughs = "<!DOCTYPE r [<!ENTITY a0 'ha'>".to_owned();
    for n in 1..10 {
        laughs.push_str(&format!(
            "<!ENTITY a{n} '{}'>",
            format!("&a{};", n - 1).repeat(10)
        ));
    }
    laughs.push_str("]><recording>&a9;</recording>");
    assert_eq!(quirks_with(&laughs), unread);
}

#[test]
fn deep_and_wide_documents_are_never_built() {
    let unread = [Quirk::MetadataTooComplex, Quirk::ParticipantsUnknown];
    assert_eq!(quirks_with(&"<a>".repeat(20_000)), unread);
    let wide = format!(
        "<recording {}/>",
        (0..6_000)
            .map(|n| format!("a{n}=''"))
            .collect::<Vec<_>>()
            .join(" ")
    );
    assert_eq!(quirks_with(&wide), unread);
}

#[test]
fn ten_megabytes_are_refused_before_they_are_read() {
    let body = "x".repeat(10 << 20);
    let text = Request::invite().body("application/sdp", &body).text();
    let mut world = World::new();
    world.send_bytes(text.as_bytes());
    world.expect(413);
    world.send_bytes(body.as_bytes());
    world.expect_silence();
    assert_eq!(world.endpoint.counters().of(Counted::NotSip), 1);
}

#[test]
fn the_hostile_bodies_that_do_arrive_do_not_stop_the_call() {
    for metadata in [
        "",
        "\0\0\0",
        "\u{feff}",
        "&&&&",
        "<recording>",
        "]]>",
        "<?xml?>",
        "<a b=\"",
        "<recording/><recording/>",
    ] {
        let mut invite = Request::invite();
        invite.body = Some(multipart(&sdp(1, "sendonly"), metadata));
        world_with(&invite);
    }
}

fn world_with(invite: &Request) {
    let mut world = World::new();
    let (key, _) = world.offered(invite);
    world.command(key, answer(LocalDirection::Receive));
    world.expect(200);
}

#[test]
fn a_flood_of_invites_stays_within_the_limits() {
    let mut world = World::with(voicelog_srs::Config {
        sessions_max: 10,
        ..voicelog_srs::Config::default()
    });
    for n in 0..3_000 {
        world.send(&Request::invite().call(&format!("flood-{n}")));
    }
    let counters = world.endpoint.counters().clone();
    assert_eq!(counters.of(Counted::Offered), 10);
    assert_eq!(counters.of(Counted::Full), 2_990);
    let debug = format!("{:?}", world.endpoint);
    assert!(debug.contains("transactions: 1064"), "{debug}");
    // And everything goes away again.
    world.pass(100 * SECOND);
    assert!(world.endpoint.is_idle());
    assert_eq!(world.endpoint.next_timeout(), None);
}

#[test]
fn every_prefix_of_a_good_message_is_harmless() {
    let text = Request::invite().text();
    let mut world = World::new();
    for end in 0..text.len() {
        world.send_bytes(&text.as_bytes()[..end]);
        world.sent.clear();
        world.events.clear();
    }
    assert!(world.endpoint.open_sessions() <= 1);
}

/// A session's messages as the endpoint's fuzz body takes them.
fn seed() -> Vec<u8> {
    let tag = "%";
    let mut data = Vec::new();
    for (choice, text) in [
        (
            2,
            Request::invite()
                .header("Require: 100rel")
                .header("Allow: UPDATE")
                .header("Session-Expires: 90;refresher=uas")
                .text(),
        ),
        (
            2,
            Request::new("PRACK", 1)
                .to(tag)
                .header("RAck: 1 1 INVITE")
                .text(),
        ),
        (
            4,
            Request::new("UPDATE", 2)
                .to(tag)
                .body("application/rs-metadata", METADATA)
                .text(),
        ),
        (
            5,
            Request::new("INVITE", 3)
                .to(tag)
                .sdp(&sdp(2, "inactive"))
                .text(),
        ),
        (
            2,
            Request::new("UPDATE", 5)
                .to(tag)
                .body("application/rs-metadata", "<recording")
                .text(),
        ),
        (
            2,
            Request::invite()
                .call("second")
                .header(&format!(
                    "Replaces: call-1@pbx.example;from-tag=src1;to-tag={tag}"
                ))
                .text(),
        ),
        (0x81, Request::new("OPTIONS", 4).text()),
        (10, Request::new("BYE", 6).to(tag).text()),
    ] {
        data.push(choice);
        data.extend_from_slice(text.as_bytes());
        data.push(0);
    }
    data
}

#[test]
fn the_fuzz_bodies_take_what_they_are_meant_for() {
    fuzzing::endpoint(&seed());
    fuzzing::sip_message(Request::invite().text().as_bytes());
    fuzzing::sdp(sdp(1, "sendonly").as_bytes());
    fuzzing::metadata(METADATA.as_bytes());
    let (_, body) = multipart(&sdp(1, "sendonly"), METADATA);
    fuzzing::multipart(format!("edge\n{body}").as_bytes());
    fuzzing::framer(b"\x05abc");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn mutilated_sessions_never_panic_and_always_come_to_rest(
        changes in proptest::collection::vec((0usize..8_000, any::<u8>()), 0..40),
        cuts in proptest::collection::vec((0usize..8_000, 0usize..200), 0..4),
    ) {
        let mut data = seed();
        for (at, byte) in changes {
            if let Some(place) = data.get_mut(at) { *place = byte; }
        }
        for (at, length) in cuts {
            let end = (at + length).min(data.len());
            if at < end { data.drain(at..end); }
        }
        fuzzing::endpoint(&data);
        fuzzing::sip_message(&data);
        fuzzing::framer(&data);
        fuzzing::metadata(&data);
    }

    #[test]
    fn mutilated_bodies_never_panic(
        changes in proptest::collection::vec((0usize..2_600, any::<u8>()), 1..30),
    ) {
        let (_, body) = multipart(&sdp(1, "sendonly"), METADATA);
        let mut data = format!("edge\n{body}").into_bytes();
        for (at, byte) in changes {
            if let Some(place) = data.get_mut(at) { *place = byte; }
        }
        fuzzing::multipart(&data);
        fuzzing::sdp(&data[data.len().min(60)..]);
        let mut invite = Request::invite();
        invite.body = Some(("multipart/mixed;boundary=edge".into(), String::from_utf8_lossy(&data).into_owned()));
        let mut world = World::new();
        world.send(&invite);
        prop_assert!(world.sent.len() == 1);
    }
}

#[test]
fn a_partial_document_of_endless_strangers_is_bounded() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    for n in 0..100u32 {
        let xml = format!(
            "<recording xmlns='urn:ietf:params:xml:ns:recording:1'><datamode>partial</datamode><participant participant_id='{n}'/><stream stream_id='{n}'><label>{n}</label></stream><group group_id='{n}'/></recording>"
        );
        world.send(
            &Request::new("UPDATE", n + 2)
                .to(&ok.to_tag())
                .body("application/rs-metadata", &xml),
        );
    }
    let Some((_, Event::MetadataChanged(last))) = world.events.pop_back() else {
        panic!()
    };
    assert_eq!(last.participants.len(), voicelog_model::limits::PARTIES_MAX);
    assert_eq!(last.streams.len(), 2 * voicelog_model::limits::STREAMS_MAX);
    assert!(last.quirks.contains(&Quirk::MetadataCut));
}
