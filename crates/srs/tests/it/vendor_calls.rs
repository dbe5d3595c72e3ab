//! Calls of products from beginning to end: how they hold, update and confer. Written anew from
//! descriptions; people and numbers are made up.

use crate::client::{Request, Seen, World, ack, answer, answer_streams, sdp};
use std::fmt::Write;
use voicelog_model::StreamNumber;
use voicelog_srs::metadata::{AttributionRule, Metadata};
use voicelog_srs::{Activity, Event, LocalDirection, Offer, Quirk, SessionKey};

/// A session of this INVITE that stands, with what it offered.
fn stands(invite: &Request) -> (World, SessionKey, Seen, Box<Offer>) {
    let mut world = World::new();
    let (key, offer) = world.offered(invite);
    let streams = u16::try_from(offer.streams.len()).unwrap();
    world.command(key, answer_streams(streams, LocalDirection::Receive));
    let ok = world.expect(200);
    world.send(&ack(invite, &ok));
    world.expect_event(&Event::Answered);
    (world, key, ok, offer)
}

/// Parties and rules of each line.
fn voices(metadata: &Metadata) -> Vec<Vec<(&str, AttributionRule)>> {
    let streams = metadata.voices.iter().map(|stream| stream.voices.iter());
    streams
        .map(|voices| voices.map(|voice| (&*voice.party, voice.rule)).collect())
        .collect()
}

fn activities(event: Event) -> Vec<Activity> {
    let Event::DirectionChanged { streams } = event else {
        panic!("{event:?}");
    };
    streams.iter().map(|stream| stream.activity).collect()
}

fn metadata_of(event: Event) -> Box<Metadata> {
    let Event::MetadataChanged(metadata) = event else {
        panic!("{event:?}");
    };
    metadata
}

/// An offer without a word on SIPREC: no labels, no direction.
fn plain_sdp(version: u32, ports: &[u16]) -> String {
    let mut text = format!(
        "v=0\r\no=Cisco 77 {version} IN IP4 192.0.2.10\r\ns=SIP Call\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    );
    for port in ports {
        write!(text, "m=audio {port} RTP/AVP 8 0\r\n").unwrap();
    }
    text
}

#[test]
fn cisco_network_based_recording_names_its_people_in_headers_only() {
    let near = "X-Cisco-Recording-Participant: sip:1001@10.0.0.1;media-index=\"0\"";
    let far = "X-Cisco-Recording-Participant: sip:0201230008@10.0.0.1;media-index=\"1\"";
    let invite = Request::new("INVITE", 1)
        .without("Contact")
        .header("Contact: <sip:192.0.2.10:5060>")
        .header("Supported: timer")
        .header("Session-Expires: 1800")
        .header(near)
        .header(far)
        .sdp(&plain_sdp(1, &[16_384, 16_386]));
    let (mut world, _, ok, offer) = stands(&invite);
    assert_eq!(
        offer.quirks,
        [
            Quirk::OptionTagMissing,
            Quirk::SourceTagMissing,
            Quirk::LabelMissing
        ]
    );
    let metadata = offer.metadata.unwrap();
    assert_eq!(metadata.quirks, [Quirk::ParticipantsInHeader]);
    assert_eq!(
        voices(&metadata),
        [
            [("p1", AttributionRule::Send)],
            [("p2", AttributionRule::Send)]
        ]
    );
    assert!(!ok.body().contains("a=label"));

    // The other side is transferred: a re-INVITE names somebody else.
    let third = far.replace("0201230008", "0201230009");
    let transfer = Request::new("INVITE", 2)
        .to(&ok.to_tag())
        .header(near)
        .header(&third)
        .sdp(&plain_sdp(1, &[16_384, 16_386]));
    world.send(&transfer);
    world.expect(200);
    let metadata = metadata_of(world.next_event());
    assert!(metadata.participants[1].has_left);
    assert_eq!(voices(&metadata)[1], [("p3", AttributionRule::Send)]);
}

#[test]
fn cisco_built_in_bridge_makes_two_calls_of_one_stream_each() {
    let mut world = World::with(voicelog_srs::Config {
        accept_without_siprec: true,
        ..voicelog_srs::Config::default()
    });
    for side in ["near", "far"] {
        let mut invite = Request::new("INVITE", 1)
            .without("Contact")
            .header("Contact: <sip:1001@192.0.2.10:5060;transport=udp>;isFocus")
            .sdp(&plain_sdp(1, &[24_576]))
            .call(side);
        invite.from_tag = format!("{side}-27298698");
        let (_, offer) = world.offered(&invite);
        assert_eq!(offer.streams.len(), 1);
        assert!(offer.streams[0].is_active() && offer.metadata.is_none());
        assert!(offer.quirks.contains(&Quirk::MetadataMissing));
    }
    assert_eq!(world.endpoint.open_sessions(), 2);
}

/// The dialect of BroadWorks with separate streams, its metadata before the SDP.
fn webex(people: &[&str], sdp: &str) -> (String, String) {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><recording_metadata xmlns=\"urn:ietf:params:xml:ns:siprec\"><dataMode>complete</dataMode><group id=\"urn:uuid:g\"/><session id=\"urn:uuid:s\"/>".to_owned();
    for (person, place) in people.iter().zip(1..) {
        // Who joins a conference is heard in the stream of the far side.
        let stream = place.min(2);
        write!(xml, "<participant id=\"urn:uuid:p{place}\" session=\"urn:uuid:s\"><aor>{person}</aor><send><id>urn:uuid:t{stream}</id></send></participant>").unwrap();
    }
    for stream in 1..=2 {
        write!(xml, "<stream id=\"urn:uuid:t{stream}\" session=\"urn:uuid:s\"><label>{stream}</label><mode>separate</mode></stream>").unwrap();
    }
    xml.push_str("</recording_metadata>");
    let mut body = format!(
        "--W\r\nContent-Type:application/rs-metadata+xml\r\nContent-Disposition:recording-session\r\n\r\n{xml}\r\n"
    );
    if !sdp.is_empty() {
        write!(body, "--W\r\nContent-Type:application/sdp\r\n\r\n{sdp}\r\n").unwrap();
    }
    body.push_str("--W--\r\n");
    ("multipart/mixed;boundary=W".to_owned(), body)
}

#[test]
fn webex_a_conference_is_a_hold_a_third_participant_and_an_update() {
    let two = ["sip:piet@group.example", "tel:+31201230010"];
    let three = [two[0], two[1], "tel:+31201230011"];
    let (kind, body) = webex(&two, &sdp(1, "sendonly"));
    let invite = Request::new("INVITE", 1)
        .header("Require: siprec")
        .body(&kind, &body);
    let (mut world, _, ok, offer) = stands(&invite);
    assert_eq!(offer.quirks, []);
    let metadata = offer.metadata.unwrap();
    assert_eq!(
        voices(&metadata),
        [
            [("p1", AttributionRule::Label)],
            [("p2", AttributionRule::Label)]
        ]
    );

    let hold = Request::new("INVITE", 2)
        .to(&ok.to_tag())
        .sdp(&sdp(2, "inactive"));
    world.send(&hold);
    let held = world.expect(200);
    world.send(&ack(&hold, &held));
    assert_eq!(activities(world.next_event()), [Activity::Inactive; 2]);

    let (kind, body) = webex(&three, &sdp(3, "sendonly"));
    let confer = Request::new("INVITE", 3)
        .to(&ok.to_tag())
        .body(&kind, &body);
    world.send(&confer);
    let conferred = world.expect(200);
    world.send(&ack(&confer, &conferred));
    let metadata = metadata_of(world.next_event());
    assert_eq!(metadata.participants.len(), 3);
    assert_eq!(metadata.quirks, [Quirk::NamespaceDraft, Quirk::ManySenders]);
    assert_eq!(voices(&metadata)[1].len(), 2);
    assert_eq!(activities(world.next_event()), [Activity::Active; 2]);

    // The third one leaves; the update is a multipart of one part.
    let (kind, body) = webex(&two, "");
    world.send(
        &Request::new("UPDATE", 4)
            .to(&ok.to_tag())
            .body(&kind, &body),
    );
    assert_eq!(world.expect(200).body(), "");
    let metadata = metadata_of(world.next_event());
    assert!(metadata.participants[2].has_left);
    assert_eq!(voices(&metadata)[1], [("p2", AttributionRule::Label)]);
}

#[test]
fn audiocodes_a_number_as_participant_id_and_a_call_that_starts_inactive() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<recording xmlns=\"urn:ietf:params:xml:ns:recording\" xmlns:ac=\"http://vendor.example\">\r\n<datamode>complete</datamode>\r\n<group id=\"00000000-0000-0019-d4ec-009033290000\"><associate-time>2026-11-21T10:00:00</associate-time></group>\r\n<session id=\"0000-0000-0019\"><group-ref>00000000-0000-0019-d4ec-009033290000</group-ref></session>\r\n<participant id=\"0201230012\" session=\"0000-0000-0019\"><nameID aor=\"0201230012@192.0.2.10\"/><associate-time>2026-11-21T10:00:00</associate-time><send>00000000-0000-0003</send><recv>00000000-0000-0004</recv></participant>\r\n<participant id=\"1099\" session=\"0000-0000-0019\"><nameID aor=\"1099@192.0.2.10\"/><send>00000000-0000-0004</send><recv>00000000-0000-0003</recv></participant>\r\n<stream id=\"00000000-0000-0003\" session=\"0000-0000-0019\"><label>1</label></stream>\r\n<stream id=\"00000000-0000-0004\" session=\"0000-0000-0019\"><label>2</label></stream>\r\n</recording>";
    let mut invite = Request::invite().both(&sdp(1, "inactive"), xml);
    let (_, body) = invite.body.as_mut().unwrap();
    *body = body.replace("application/rs-metadata+xml", "application/rs-metadata");
    let (mut world, _, ok, offer) = stands(&invite);
    assert_eq!(offer.quirks, []);
    assert!(offer.streams.iter().all(|stream| !stream.is_active()));
    assert_eq!(ok.body().matches("a=inactive").count(), 2);
    let metadata = offer.metadata.unwrap();
    assert_eq!(
        metadata.quirks,
        [Quirk::NamespaceDraft, Quirk::TimeWithoutZone]
    );
    assert_eq!(metadata.participants[0].id.expose(), "0201230012");
    assert_eq!(voices(&metadata)[1], [("p2", AttributionRule::Label)]);

    let start = Request::new("INVITE", 2)
        .to(&ok.to_tag())
        .sdp(&sdp(2, "sendonly"));
    world.send(&start);
    assert_eq!(world.expect(200).body().matches("a=recvonly").count(), 2);
    assert_eq!(activities(world.next_event()), [Activity::Active; 2]);
}

#[test]
fn pjsip_offers_of_its_users_may_have_neither_label_nor_metadata() {
    let offer = sdp(1, "sendonly")
        .replace("a=label:1\r\n", "")
        .replace("a=label:2\r\n", "");
    let invite = Request::new("INVITE", 1)
        .header("Require: siprec")
        .sdp(&offer);
    let (_, _, ok, offer) = stands(&invite);
    assert_eq!(offer.quirks, [Quirk::LabelMissing, Quirk::MetadataMissing]);
    assert_eq!(ok.body().matches("a=recvonly").count(), 2);
}

#[test]
fn broadworks_pauses_with_the_zero_address_and_no_direction_at_all() {
    let line = "m=audio 20000 RTP/AVP 0\r\na=label:1\r\n";
    let offer = |version: u8, address: &str| {
        format!(
            "v=0\r\no=BroadWorks 7 {version} IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n{line}"
        )
    };
    let (mut world, _, ok, _) = stands(&Request::invite().sdp(&offer(1, "192.0.2.10")));
    for (version, address, activity) in [
        (2, "0.0.0.0", Activity::Inactive),
        (3, "192.0.2.10", Activity::Active),
    ] {
        let pause = Request::new("INVITE", version.into())
            .to(&ok.to_tag())
            .sdp(&offer(version, address));
        world.send(&pause);
        let seen = world.expect(200);
        // We stay willing: nothing is lost if it sends all the same.
        assert!(seen.body().contains("a=recvonly"));
        world.send(&ack(&pause, &seen));
        assert_eq!(activities(world.next_event()), [activity]);
    }
}

#[test]
fn oracle_a_third_stream_mixes_the_other_two() {
    let offer = format!(
        "{}m=audio 20004 RTP/AVP 8\r\na=label:3\r\na=sendonly\r\n",
        sdp(1, "sendonly")
    );
    let xml = crate::client::METADATA.replace(
        "</recording>",
        "<stream stream_id=\"bWl4\" session_id=\"Y3M=\"><label>3</label></stream></recording>",
    );
    let (_, _, ok, offer) = stands(&Request::invite().both(&offer, &xml));
    assert_eq!(ok.body().matches("a=recvonly").count(), 3);
    let metadata = offer.metadata.unwrap();
    assert_eq!(metadata.quirks, [Quirk::NoSender]);
    let found = voices(&metadata);
    assert_eq!(found[0], [("p1", AttributionRule::Label)]);
    assert_eq!(found[1], [("p2", AttributionRule::Label)]);
    assert_eq!(found[2], []);
    assert!(metadata.voices_of(StreamNumber(3)).is_empty());
}

#[test]
fn an_update_may_bring_either_body_bare_and_neither_is_taken_for_the_other() {
    let (mut world, _, ok, _) = stands(&Request::invite());
    let request = |cseq, kind: &str, body: &str| {
        Request::new("UPDATE", cseq)
            .to(&ok.to_tag())
            .body(kind, body)
    };
    for (cseq, kind) in [
        (2, "application/rs-metadata"),
        (3, "application/rs-metadata+xml;charset=utf-8"),
        (4, "Application/RS-Metadata+XML"),
    ] {
        let xml = crate::client::METADATA.replace("Ewa", &format!("Ewa{cseq}"));
        world.send(&request(cseq, kind, &xml));
        assert_eq!(world.expect(200).header("Content-Type"), None);
        let metadata = metadata_of(world.next_event());
        let name = metadata.participants[0].name.as_ref().unwrap();
        assert_eq!(name.expose(), &format!("Ewa{cseq} Fikcyjna"));
        assert_eq!(world.events.len(), 0);
    }
    world.send(&request(5, "application/sdp", &sdp(2, "inactive")));
    assert_eq!(
        world.expect(200).header("Content-Type"),
        Some("application/sdp")
    );
    assert_eq!(activities(world.next_event()), [Activity::Inactive; 2]);
}

#[test]
fn a_reinvite_that_repeats_the_sdp_to_bring_metadata_changes_no_stream() {
    let (mut world, _, ok, _) = stands(&Request::invite());
    let again = "sip:0201234567@x.example;user=phone";
    let xml = crate::client::METADATA.replace("tel:+31201234567", again);
    let reinvite = Request::new("INVITE", 2)
        .to(&ok.to_tag())
        .both(&sdp(1, "sendonly"), &xml);
    world.send(&reinvite);
    let seen = world.expect(200);
    assert_eq!(seen.body(), ok.body());
    let metadata = metadata_of(world.next_event());
    assert_eq!(metadata.participants[1].addresses[0].expose(), again);
    assert_eq!(metadata.participants.len(), 2);
    assert_eq!(world.events.len(), 0);
}

#[test]
fn the_same_talk_from_two_clients_is_two_sessions_that_can_be_told_apart_and_linked() {
    let mut world = World::new();
    let mut found = Vec::new();
    for client in ["edge-a", "edge-b"] {
        let mut invite = Request::invite().call(client);
        invite.from_tag = client.to_owned();
        let (key, offer) = world.offered(&invite);
        world.command(key, answer(LocalDirection::Receive));
        world.expect(200);
        let metadata = offer.metadata.unwrap();
        found.push((key, metadata.communication_sessions));
    }
    assert_ne!(found[0].0, found[1].0);
    assert_eq!(found[0].1, found[1].1);
}
