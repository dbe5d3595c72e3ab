//! What the client changes during a session: hold, resume, more streams, fewer, metadata.

use crate::client::{
    METADATA, Request, SECOND, World, ack, answer, answer_streams, media_of, multipart, sdp,
};
use std::net::SocketAddr;
use voicelog_model::StreamNumber;
use voicelog_srs::{
    Activity, Command, Counted, EndCause, Event, LocalDirection, Quirk, Refusal, StreamActivity,
};

fn all(activities: &[Activity]) -> Event {
    Event::DirectionChanged {
        streams: activities
            .iter()
            .zip(1..)
            .map(|(activity, n)| StreamActivity {
                number: StreamNumber(n),
                activity: *activity,
                remote: media_of(n).filter(|_| *activity != Activity::Removed),
                key: None,
            })
            .collect(),
    }
}

fn version(body: &str) -> u64 {
    let origin = body.split("\r\n").nth(1).unwrap();
    origin.split(' ').nth(2).unwrap().parse().unwrap()
}

#[test]
fn hold_and_resume_by_reinvite_are_answered_and_told() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);

    let hold = Request::new("INVITE", 2)
        .to(&ok.to_tag())
        .sdp(&sdp(2, "inactive"));
    world.send(&hold);
    let held = world.expect(200);
    assert_eq!(held.body().matches("a=inactive").count(), 2);
    assert!(held.body().contains("m=audio 30000 ") && held.body().contains("a=label:2"));
    assert_eq!(version(held.body()), version(ok.body()) + 1);
    world.expect_event(&all(&[Activity::Inactive, Activity::Inactive]));
    world.send(&ack(&hold, &held));

    let resume = Request::new("INVITE", 3)
        .to(&ok.to_tag())
        .sdp(&sdp(3, "sendonly"));
    world.send(&resume);
    let resumed = world.expect(200);
    assert_eq!(resumed.body().matches("a=recvonly").count(), 2);
    world.expect_event(&all(&[Activity::Active, Activity::Active]));
    world.send(&ack(&resume, &resumed));
    world.pass(60 * SECOND);
    world.expect_silence();
}

#[test]
fn a_hold_by_the_zero_address_is_a_hold_too() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let text = sdp(2, "sendonly").replace("c=IN IP4 192.0.2.10", "c=IN IP4 0.0.0.0");
    world.send(&Request::new("UPDATE", 2).to(&ok.to_tag()).sdp(&text));
    world.expect(200);
    let Event::DirectionChanged { streams } = world.next_event() else {
        panic!()
    };
    let is_held =
        |stream: &StreamActivity| stream.activity == Activity::Inactive && stream.remote.is_none();
    assert!(streams.iter().all(is_held));
}

#[test]
fn a_client_that_only_moves_its_media_says_where_it_is_now() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let text = sdp(2, "sendonly").replace("c=IN IP4 192.0.2.10", "c=IN IP4 192.0.2.11");
    world.send(&Request::new("UPDATE", 2).to(&ok.to_tag()).sdp(&text));
    assert_eq!(world.expect(200).body(), ok.body());
    let Event::DirectionChanged { streams } = world.next_event() else {
        panic!()
    };
    let remotes = streams
        .iter()
        .map(|stream| *stream.remote.as_ref().unwrap().expose());
    let moved = [20_000, 20_002].map(|port| SocketAddr::from(([192, 0, 2, 11], port)));
    assert!(remotes.eq(moved));
}

#[test]
fn while_waiting_for_a_permit_a_resume_is_answered_inactive() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Inactive);
    world.send(
        &Request::new("UPDATE", 2)
            .to(&ok.to_tag())
            .sdp(&sdp(2, "sendrecv")),
    );
    assert_eq!(world.expect(200).body().matches("a=inactive").count(), 2);
    assert_eq!(world.events.len(), 0);
}

#[test]
fn an_offer_that_says_nothing_new_gets_the_same_version() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let again = Request::new("INVITE", 2)
        .to(&ok.to_tag())
        .sdp(&sdp(1, "sendonly"));
    world.send(&again);
    let second = world.expect(200);
    assert_eq!(second.body(), ok.body());
    assert_eq!(world.events.len(), 0);
}

#[test]
fn a_reinvite_without_offer_gets_our_description_never_a_bare_200() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let refresh = Request::new("INVITE", 2).to(&ok.to_tag());
    world.send(&refresh);
    let answer = world.expect(200);
    assert_eq!(answer.body(), ok.body());
    // Until the client has answered in its ACK, it may not offer anew.
    world.send(
        &Request::new("UPDATE", 3)
            .to(&ok.to_tag())
            .sdp(&sdp(2, "inactive")),
    );
    world.expect(491);
    world.send(&ack(&refresh, &answer).sdp(&sdp(2, "inactive")));
    world.expect_event(&all(&[Activity::Inactive, Activity::Inactive]));
    world.pass(60 * SECOND);
    world.expect_silence();
}

#[test]
fn an_ack_that_forgets_the_answer_to_our_offer_leaves_the_session_as_it_was() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let refresh = Request::new("INVITE", 2).to(&ok.to_tag());
    world.send(&refresh);
    let offer = world.expect(200);
    world.send(&ack(&refresh, &offer));
    world.pass(60 * SECOND);
    world.expect_silence();
    assert_eq!(world.endpoint.open_sessions(), 1);
}

#[test]
fn a_reinvite_with_bare_metadata_is_an_offerless_one_and_the_metadata_counts() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let text = METADATA.replace("Ewa Fikcyjna", "Ewa Nieznana");
    world.send(
        &Request::new("INVITE", 2)
            .to(&ok.to_tag())
            .body("application/rs-metadata", &text),
    );
    assert_eq!(world.expect(200).body(), ok.body());
    let Event::MetadataChanged(metadata) = world.next_event() else {
        panic!()
    };
    assert_eq!(
        metadata.participants[0].name.as_ref().unwrap().expose(),
        "Ewa Nieznana"
    );
}

#[test]
fn metadata_alone_in_an_update_is_merged_and_told() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let partial = "<recording xmlns='urn:ietf:params:xml:ns:recording:1'><datamode>partial</datamode><participant participant_id='Ym9i'><nameID aor='tel:+31207654321'/></participant></recording>";
    world.send(
        &Request::new("UPDATE", 2)
            .to(&ok.to_tag())
            .body("application/rs-metadata+xml", partial),
    );
    let response = world.expect(200);
    assert_eq!(response.body(), "");
    let Event::MetadataChanged(metadata) = world.next_event() else {
        panic!()
    };
    // Another number under the id of one who was there is somebody else.
    let there: Vec<_> = metadata.participants.iter().map(|p| !p.has_left).collect();
    assert_eq!(there, [true, false, true]);
    assert_eq!(
        metadata.participants[2].addresses[0].expose(),
        "tel:+31207654321"
    );
    assert_eq!(metadata.voices_of(StreamNumber(1))[0].party, "p1");
    assert_eq!(metadata.raw.expose(), partial.as_bytes());
    // Nothing at all is a keepalive.
    world.send(&Request::new("UPDATE", 3).to(&ok.to_tag()));
    world.expect(200);
    assert_eq!(world.events.len(), 0);
}

#[test]
fn first_metadata_that_is_broken_says_that_nobody_is_known_and_refuses_nothing_by_itself() {
    let mut world = World::new();
    let mut invite = Request::invite();
    invite.body = Some(multipart(&sdp(1, "sendonly"), "<recording><participant"));
    let (_, offer) = world.offered(&invite);
    let metadata = offer.metadata.unwrap();
    assert_eq!(
        metadata.quirks,
        [Quirk::MetadataUnreadable, Quirk::ParticipantsUnknown]
    );
    assert_eq!(metadata.raw.expose(), b"<recording><participant");
    // What follows from it is the law's, and so the recorder's: see its own tests.
    assert_eq!(metadata.participants, []);
}

#[test]
fn an_update_that_is_broken_leaves_who_is_known_and_asks_the_client_for_all_of_it() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    world.send(
        &Request::new("UPDATE", 2)
            .to(&ok.to_tag())
            .body("application/rs-metadata+xml", "<recording><participant"),
    );
    world.expect(200);
    let Event::MetadataChanged(metadata) = world.next_event() else {
        panic!()
    };
    assert_eq!(
        metadata.quirks,
        [Quirk::MetadataUnreadable, Quirk::UpdateNotRead]
    );
    let there = metadata.participants.iter().filter(|who| !who.has_left);
    assert_eq!(there.count(), 2);
    assert_eq!(metadata.voices_of(StreamNumber(1))[0].party, "p1");
}

#[test]
fn a_new_stream_waits_for_the_caller_and_the_old_ones_go_on() {
    let mut world = World::new();
    let (key, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let text = format!(
        "{}m=audio 20004 RTP/AVP 0\r\na=label:3\r\na=sendonly\r\n",
        sdp(2, "sendonly")
    );
    let more = Request::new("INVITE", 2).to(&ok.to_tag()).sdp(&text);
    world.send(&more);
    world.expect(100);
    let Event::StreamsChanged(offer) = world.next_event() else {
        panic!()
    };
    assert_eq!(
        offer.streams.iter().map(|s| s.rtp_port).collect::<Vec<_>>(),
        [Some(30_000), Some(30_002), None]
    );
    assert_eq!(offer.metadata.unwrap().participants.len(), 2);
    // A second offer must wait, a keepalive need not.
    world.send(&Request::new("UPDATE", 3).to(&ok.to_tag()).sdp(&text));
    assert!(
        world
            .expect(500)
            .header("Retry-After")
            .unwrap()
            .parse::<u8>()
            .unwrap()
            <= 10
    );
    world.send(&Request::new("UPDATE", 4).to(&ok.to_tag()));
    world.expect(200);

    world.command(key, answer_streams(3, LocalDirection::Receive));
    let changed = world.expect(200);
    assert!(
        changed
            .body()
            .contains("m=audio 30004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=label:3\r\na=recvonly")
    );
    assert_eq!(changed.header("CSeq"), Some("2 INVITE"));
    world.send(&ack(&more, &changed));
    world.pass(60 * SECOND);
    world.expect_silence();
}

#[test]
fn metadata_that_comes_with_a_new_stream_is_told_before_the_stream() {
    for method in ["INVITE", "UPDATE"] {
        let mut world = World::new();
        let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
        let text = format!(
            "{}m=audio 20004 RTP/AVP 0\r\na=label:3\r\na=sendonly\r\n",
            sdp(2, "sendonly")
        );
        let joined = METADATA.replace(
            "</recording>",
            "<participant participant_id='Yw=='><nameID aor='tel:+4930901820'/></participant><stream stream_id='czM=' session_id='Y3M='><label>3</label></stream><participantstreamassoc participant_id='Yw=='><send>czM=</send></participantstreamassoc></recording>",
        );
        world.send(
            &Request::new(method, 2)
                .to(&ok.to_tag())
                .both(&text, &joined),
        );
        let Event::MetadataChanged(metadata) = world.next_event() else {
            panic!("{method}")
        };
        assert_eq!(metadata.participants.len(), 3);
        assert_eq!(metadata.voices_of(StreamNumber(3))[0].party, "p3");
        assert!(matches!(world.next_event(), Event::StreamsChanged(_)));
    }
}

#[test]
fn a_new_stream_that_is_refused_leaves_the_session_as_it_was() {
    let mut world = World::new();
    let (key, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let text = format!("{}m=audio 20004 RTP/AVP 0\r\n", sdp(2, "sendonly"));
    world.send(&Request::new("UPDATE", 2).to(&ok.to_tag()).sdp(&text));
    assert!(matches!(world.next_event(), Event::StreamsChanged(_)));
    world.command(
        key,
        Command::Reject {
            status: 488,
            reason: "no".into(),
            retry_after: None,
        },
    );
    world.expect(488);
    assert_eq!(world.endpoint.open_sessions(), 1);
    world.send(
        &Request::new("UPDATE", 3)
            .to(&ok.to_tag())
            .sdp(&sdp(3, "sendonly")),
    );
    assert_eq!(world.expect(200).body(), ok.body());
}

#[test]
fn an_offer_of_new_streams_can_be_taken_back_or_time_out() {
    let mut world = World::new();
    let (key, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let text = format!("{}m=audio 20004 RTP/AVP 0\r\n", sdp(2, "sendonly"));
    let more = Request::new("INVITE", 2).to(&ok.to_tag()).sdp(&text);
    world.send(&more);
    world.expect(100);
    assert!(matches!(world.next_event(), Event::StreamsChanged(_)));
    world.send(&Request {
        method: "CANCEL",
        body: None,
        ..more
    });
    assert_eq!(world.next_sent().status(), 487);
    world.expect(200);
    world.expect_event(&Event::OfferWithdrawn);
    world.command(key, answer_streams(3, LocalDirection::Receive));
    assert_eq!(world.endpoint.counters().of(Counted::LateCommand), 1);

    world.send(&Request::new("UPDATE", 3).to(&ok.to_tag()).sdp(&text));
    assert!(matches!(world.next_event(), Event::StreamsChanged(_)));
    world.sent.clear();
    world.pass(20 * SECOND);
    assert!(
        world
            .sent
            .iter()
            .any(|seen| seen.status() == 500 && seen.header("CSeq") == Some("3 UPDATE"))
    );
    world.expect_event(&Event::OfferWithdrawn);
}

#[test]
fn a_stream_with_port_0_is_removed_and_can_come_back() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let gone = sdp(2, "sendonly").replace("m=audio 20002", "m=audio 0");
    world.send(&Request::new("UPDATE", 2).to(&ok.to_tag()).sdp(&gone));
    assert!(
        world
            .expect(200)
            .body()
            .contains("m=audio 0 RTP/AVP 0 8 101\r\na=label:2")
    );
    world.expect_event(&all(&[Activity::Active, Activity::Removed]));
    world.send(
        &Request::new("UPDATE", 3)
            .to(&ok.to_tag())
            .sdp(&sdp(3, "sendonly")),
    );
    assert!(matches!(world.next_event(), Event::StreamsChanged(_)));
}

#[test]
fn a_line_that_a_later_offer_makes_one_that_we_refuse_is_told_once_with_the_reason() {
    let mut world = World::new();
    let (session, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let offer = |version, cseq| {
        let plain = sdp(version, "sendonly");
        let dtls = plain.replace("m=audio 20002 RTP/AVP", "m=audio 20002 UDP/TLS/RTP/SAVP");
        assert_ne!(plain, dtls);
        Request::new("UPDATE", cseq).to(&ok.to_tag()).sdp(&dtls)
    };
    world.send(&offer(2, 2));
    let Event::StreamsChanged(changed) = world.next_event() else {
        panic!("a side is lost and nobody is told")
    };
    let why: Vec<_> = changed
        .streams
        .iter()
        .map(|stream| stream.refused.as_ref().map(|refused| refused.why))
        .collect();
    assert_eq!(why, [None, Some(Refusal::Protection)]);
    assert_eq!(changed.quirks, [Quirk::StreamRefused]);
    world.command(session, answer(LocalDirection::Receive));
    let refused = "m=audio 0 UDP/TLS/RTP/SAVP 0 8 101\r\na=label:2";
    assert!(world.expect(200).body().contains(refused));
    // The same again, as a client refreshes its session, is no news.
    world.send(&offer(2, 3));
    assert!(world.expect(200).body().contains(refused));
    let plain = sdp(3, "sendonly");
    world.send(&Request::new("UPDATE", 4).to(&ok.to_tag()).sdp(&plain));
    assert!(matches!(world.next_event(), Event::StreamsChanged(_)));
}

#[test]
fn m_lines_that_vanish_count_as_removed() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let one = sdp(2, "sendonly")
        .split("m=audio 20002")
        .next()
        .unwrap()
        .to_owned();
    world.send(&Request::new("UPDATE", 2).to(&ok.to_tag()).sdp(&one));
    assert_eq!(world.expect(200).body().matches("m=").count(), 1);
    world.expect_event(&all(&[Activity::Active, Activity::Removed]));
}

#[test]
fn a_broken_offer_changes_nothing() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    world.send(
        &Request::new("UPDATE", 2)
            .to(&ok.to_tag())
            .sdp("v=0\r\nm=audio x\r\n"),
    );
    world.expect(400);
    world.send(
        &Request::new("UPDATE", 3)
            .to(&ok.to_tag())
            .body("text/plain", "hello"),
    );
    assert!(world.expect(415).header("Accept").is_some());
    assert_eq!(world.events.len(), 0);
    assert_eq!(world.endpoint.open_sessions(), 1);
}

#[test]
fn a_new_offer_before_the_ack_stands_for_the_ack() {
    let mut world = World::new();
    let (key, _) = world.offered(&Request::invite());
    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    world.send(
        &Request::new("UPDATE", 2)
            .to(&ok.to_tag())
            .sdp(&sdp(2, "inactive")),
    );
    world.expect(200);
    assert_eq!(world.next_event(), Event::Answered);
    world.expect_event(&all(&[Activity::Inactive, Activity::Inactive]));
    world.pass(60 * SECOND);
    world.expect_silence();
}

#[test]
fn bye_ends_a_session_whose_offer_still_waits() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    let text = format!("{}m=audio 20004 RTP/AVP 0\r\n", sdp(2, "sendonly"));
    world.send(&Request::new("INVITE", 2).to(&ok.to_tag()).sdp(&text));
    world.expect(100);
    world.events.clear();
    world.send(&Request::new("BYE", 3).to(&ok.to_tag()));
    assert_eq!(world.next_sent().status(), 487);
    world.expect(200);
    world.expect_event(&Event::Ended {
        cause: EndCause::ByRecordingClient,
    });
}

#[test]
fn the_ends_of_the_conversation_are_those_of_session_id() {
    let (one, other) = ("1".repeat(32), "2".repeat(32));
    let mut world = World::new();
    let header = format!("Session-ID: {other};remote={one}");
    let (_, offer) = world.offered(&Request::invite().header(&header));
    let ids: Vec<_> = offer.session_ids.iter().map(|id| id.expose()).collect();
    assert_eq!(ids, [&one, &other]);
    let mut world = World::new();
    let (_, offer) = world.offered(&Request::invite().header("Session-ID: nonsense"));
    assert_eq!(offer.session_ids, []);
}
