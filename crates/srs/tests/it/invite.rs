//! Beginning and ending a session.

use crate::client::{LOCAL, Request, SECOND, T1, World, ack, answer, sdp};
use voicelog_model::{Codec, StreamNumber};
use voicelog_srs::{
    Command, Config, Counted, Direction, EndCause, Event, LocalDirection, Quirk, StreamAnswer,
};

fn ended(cause: EndCause) -> Event {
    Event::Ended { cause }
}

#[test]
fn a_call_is_offered_answered_acknowledged_and_ended() {
    let mut world = World::new();
    let invite = Request::invite();
    let (key, offer) = world.offered(&invite);
    assert_eq!(offer.call_id.expose(), "call-1@pbx.example");
    assert_eq!(offer.request_user.expose(), "sales");
    assert_eq!(offer.quirks, []);
    assert_eq!(offer.streams.len(), 2);
    let stream = &offer.streams[1];
    assert_eq!(stream.number, StreamNumber(2));
    assert_eq!(stream.label.as_deref(), Some("2"));
    assert_eq!(
        stream
            .formats
            .first()
            .map(|f| (f.codec.clone(), f.payload_type)),
        Some((Codec::Pcmu, 0))
    );
    assert_eq!(stream.direction, Direction::SendOnly);
    assert_eq!(
        stream
            .remote
            .as_ref()
            .map(|r| r.expose().to_string())
            .as_deref(),
        Some("192.0.2.10:20002")
    );
    let metadata = offer.metadata.unwrap();
    assert_eq!(metadata.voices_of(StreamNumber(2))[0].party, "p2");
    assert_eq!(
        metadata.participants[1].addresses[0].expose(),
        "tel:+31201234567"
    );
    assert_eq!(metadata.quirks, []);

    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    assert_eq!(
        ok.header("Contact"),
        Some(&*format!("<sip:{LOCAL}>;+sip.srs"))
    );
    assert_eq!(ok.header("Content-Type"), Some("application/sdp"));
    assert_eq!(ok.header("Require"), None);
    let lines: Vec<_> = ok.body().split("\r\n").skip(5).collect();
    let line = |port: &str, label: &str| {
        [
            &format!("m=audio {port} RTP/AVP 0 8 101"),
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:101 telephone-event/8000",
            &format!("a=label:{label}"),
            "a=recvonly",
        ]
        .map(str::to_owned)
    };
    let expected = [line("30000", "1"), line("30002", "2")].concat();
    assert_eq!(lines[..12], expected);

    world.send(&ack(&invite, &ok));
    world.expect_event(&Event::Answered);
    world.pass(60 * SECOND);
    world.expect_silence();

    let bye = Request::new("BYE", 2).to(&ok.to_tag());
    world.send(&bye);
    world.expect(200);
    world.expect_event(&ended(EndCause::ByRecordingClient));
    assert!(world.endpoint.is_idle());
    // The 200 was lost: the BYE comes again, and gets the same answer.
    world.send(&bye);
    world.expect(200);
    world.pass(64 * T1);
    assert_eq!(world.endpoint.next_timeout(), None);
    world.send(&bye);
    world.expect(481);
}

#[test]
fn a_lost_200_is_sent_again_with_growing_intervals_until_the_ack() {
    let mut world = World::new();
    let invite = Request::invite();
    let (key, _) = world.offered(&invite);
    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    let start = world.now;
    let mut times = Vec::new();
    for _ in 0..5 {
        let next = world.endpoint.next_timeout().unwrap();
        world.pass(next.micros_since(world.now));
        assert_eq!(world.expect(200), ok);
        times.push(world.now.micros_since(start) / (SECOND / 10));
    }
    assert_eq!(times, [5, 15, 35, 75, 115]);
    world.send(&ack(&invite, &ok));
    world.expect_event(&Event::Answered);
    world.pass(100 * SECOND);
    world.expect_silence();
}

#[test]
fn a_lost_ack_ends_the_session_with_bye_after_64_t1() {
    let mut world = World::new();
    let (key, _) = world.offered(&Request::invite());
    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    world.pass(64 * T1 - 1);
    assert!(world.sent.iter().all(|seen| *seen == ok));
    assert_eq!(world.sent.len(), 10);
    world.sent.clear();
    world.pass(1);
    let bye = world.next_sent();
    assert_eq!(bye.method(), "BYE");
    assert_eq!(bye.header("CSeq"), Some("1 BYE"));
    assert_eq!(
        bye.header("To"),
        Some("\"Anna Verzonnen\" <sip:+31612345678@pbx.example>;tag=src1")
    );
    assert_eq!(bye.header("From"), ok.header("To"));
    world.expect_event(&ended(EndCause::NoAck));
    world.respond(&bye, 200, None);
    assert!(world.endpoint.is_idle());
}

#[test]
fn a_retransmitted_invite_gets_the_same_answer_and_no_second_session() {
    let mut world = World::new();
    let invite = Request::invite();
    let (key, _) = world.offered(&invite);
    world.send(&invite);
    world.expect(100);
    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    world.send(&invite);
    assert_eq!(world.expect(200), ok);
    assert_eq!(world.events.len(), 0);
    assert_eq!(world.endpoint.counters().of(Counted::Offered), 1);
    assert_eq!(world.endpoint.counters().of(Counted::Retransmitted), 2);
}

#[test]
fn the_same_invite_by_another_way_is_not_recorded_twice() {
    let mut world = World::new();
    let mut invite = Request::invite();
    world.offered(&invite);
    invite.branch.push_str("-fork");
    world.send(&invite);
    world.expect(482);
    assert_eq!(world.events.len(), 0);
}

#[test]
fn cancel_before_the_answer_gives_487_and_ends_the_session() {
    let mut world = World::new();
    let invite = Request::invite();
    let (key, _) = world.offered(&invite);
    let cancel = Request {
        method: "CANCEL",
        body: None,
        ..invite.clone()
    };
    world.send(&cancel);
    let (terminated, ok) = (world.next_sent(), world.next_sent());
    assert_eq!((terminated.status(), ok.status()), (487, 200));
    assert_eq!(terminated.header("CSeq"), Some("1 INVITE"));
    assert_eq!(ok.header("CSeq"), Some("1 CANCEL"));
    world.expect_event(&ended(EndCause::ByRecordingClient));
    world.command(key, answer(LocalDirection::Receive));
    world.expect_silence();
    assert_eq!(world.endpoint.counters().of(Counted::LateCommand), 1);
}

#[test]
fn cancel_after_the_answer_changes_nothing_and_of_nothing_is_481() {
    let mut world = World::new();
    let invite = Request::invite();
    let (_, ok) = world.established(&invite, LocalDirection::Receive);
    let cancel = Request {
        method: "CANCEL",
        body: None,
        ..invite
    };
    world.send(&cancel);
    world.expect(200);
    world.expect_silence();
    world.send(&Request {
        branch: "z9hG4bKother".into(),
        ..cancel
    });
    world.expect(481);
    assert_eq!(world.endpoint.open_sessions(), 1);
    drop(ok);
}

#[test]
fn a_refusal_is_sent_again_until_its_ack() {
    let mut world = World::new();
    let invite = Request::invite();
    let (key, _) = world.offered(&invite);
    world.command(
        key,
        Command::Reject {
            status: 480,
            reason: "no \"notice\"\r\nX: y".into(),
            retry_after: Some(7),
        },
    );
    let refusal = world.expect(480);
    assert_eq!(
        refusal.header("Warning"),
        Some("399 voicelog \"no 'notice'  X: y\"")
    );
    assert_eq!(refusal.header("Retry-After"), Some("7"));
    assert_eq!(refusal.header("X"), None);
    world.expect_event(&ended(EndCause::ByUs));
    world.pass(T1);
    assert_eq!(world.expect(480), refusal);
    world.pass(2 * T1);
    world.expect(480);
    let mut ack = ack(&invite, &refusal);
    ack.branch = invite.branch.clone();
    world.send(&ack);
    world.pass(100 * SECOND);
    world.expect_silence();
    assert_eq!(world.endpoint.next_timeout(), None);
}

#[test]
fn a_refusal_without_ack_is_given_up_after_64_t1() {
    let mut world = World::new();
    let (key, _) = world.offered(&Request::invite());
    world.command(
        key,
        Command::Reject {
            status: 99,
            reason: String::new(),
            retry_after: None,
        },
    );
    world.expect(500);
    world.pass(64 * T1);
    assert_eq!(world.sent.len(), 10);
    assert_eq!(world.endpoint.next_timeout(), None);
}

#[test]
fn streams_that_are_not_taken_keep_their_place_with_port_0() {
    let mut world = World::new();
    let text = format!(
        "{}m=video 9 RTP/AVP 96\r\na=label:3\r\nm=audio 9 RTP/SAVP 8\r\n",
        sdp(1, "sendonly")
    );
    let (key, offer) = world.offered(&Request::invite().sdp(&text));
    let usable: Vec<_> = offer
        .streams
        .iter()
        .map(|s| !s.formats.is_empty())
        .collect();
    assert_eq!(usable, [true, true, false, false]);
    let quirks = [Quirk::ProtectedStreamRefused, Quirk::MetadataMissing];
    assert_eq!(offer.quirks, quirks);
    world.command(
        key,
        Command::Answer {
            media_address: [198, 51, 100, 6].into(),
            streams: vec![
                StreamAnswer {
                    number: StreamNumber(2),
                    rtp_port: Some(30_002),
                    key: None,
                },
                StreamAnswer {
                    number: StreamNumber(1),
                    rtp_port: None,
                    key: None,
                },
                StreamAnswer {
                    number: StreamNumber(3),
                    rtp_port: Some(30_004),
                    key: None,
                },
            ],
            direction: LocalDirection::Inactive,
        },
    );
    let ok = world.expect(200);
    let lines: Vec<_> = ok
        .body()
        .split("\r\n")
        .filter(|l| l.starts_with("m="))
        .collect();
    assert_eq!(
        lines,
        [
            "m=audio 0 RTP/AVP 0 8 101",
            "m=audio 30002 RTP/AVP 0 8 101",
            "m=video 0 RTP/AVP 96",
            "m=audio 0 RTP/SAVP 8",
        ]
    );
    assert!(!ok.body().contains("recvonly"));
    assert!(ok.body().contains("a=label:3"));
}

#[test]
fn an_answer_that_takes_nothing_is_a_refusal() {
    let mut world = World::new();
    let (key, _) = world.offered(&Request::invite());
    world.command(
        key,
        Command::Answer {
            media_address: [198, 51, 100, 6].into(),
            streams: vec![],
            direction: LocalDirection::Receive,
        },
    );
    world.expect(488);
    world.expect_event(&ended(EndCause::ByUs));
}

#[test]
fn a_first_offer_that_is_inactive_is_answered_inactive() {
    let mut world = World::new();
    let (key, offer) = world.offered(&Request::invite().sdp(&sdp(1, "inactive")));
    assert!(!offer.streams[0].is_active());
    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    assert_eq!(ok.body().matches("a=inactive").count(), 2);
}

#[test]
fn an_offer_without_answer_of_the_caller_is_refused_in_time() {
    let mut world = World::new();
    world.offered(&Request::invite());
    world.pass(20 * SECOND - 1);
    world.expect_silence();
    world.pass(1);
    world.expect(500);
    world.expect_event(&ended(EndCause::Timeout));
}

#[test]
fn a_session_that_never_ends_is_ended() {
    let mut world = World::with(Config {
        session_micros_max: 3_600 * SECOND,
        ..Config::default()
    });
    world.established(&Request::invite(), LocalDirection::Receive);
    world.pass(3_600 * SECOND);
    assert_eq!(world.next_sent().method(), "BYE");
    world.expect_event(&ended(EndCause::Timeout));
}

#[test]
fn when_not_accepting_new_calls_get_503_and_old_ones_go_on() {
    let mut world = World::new();
    let (_, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    world.endpoint.set_accepting(false, 120);
    world.send(&Request::invite().call("other"));
    assert_eq!(world.expect(503).header("Retry-After"), Some("120"));
    world.send(&Request::new("OPTIONS", 9).call("ping"));
    assert_eq!(world.expect(503).header("Retry-After"), Some("120"));
    world.send(&Request::new("OPTIONS", 2).to(&ok.to_tag()));
    world.expect(200);
    world.endpoint.set_accepting(true, 0);
    world.send(&Request::new("OPTIONS", 10).call("ping"));
    let options = world.expect(200);
    assert_eq!(
        options.header("Supported"),
        Some("siprec, timer, replaces, 100rel")
    );
    assert!(
        options
            .header("Accept")
            .unwrap()
            .contains("application/rs-metadata+xml")
    );
    assert!(options.header("Allow").unwrap().contains("UPDATE"));
    assert_eq!(world.endpoint.counters().of(Counted::NotAccepting), 2);
}

#[test]
fn more_calls_than_we_hold_get_503() {
    let mut world = World::with(Config {
        sessions_max: 1,
        retry_after_seconds: 9,
        ..Config::default()
    });
    world.offered(&Request::invite());
    world.send(&Request::invite().call("second"));
    assert_eq!(world.expect(503).header("Retry-After"), Some("9"));
    assert_eq!(world.endpoint.counters().of(Counted::Full), 1);
}

#[test]
fn ending_all_sessions_ends_each_once() {
    let mut world = World::new();
    world.established(&Request::invite(), LocalDirection::Receive);
    world.offered(&Request::invite().call("second"));
    let now = world.now;
    world.endpoint.end_all(now, "shutdown");
    world.pass(0);
    world.send_bytes(b"\r\n\r\n");
    let seen = [world.next_sent(), world.next_sent()];
    assert_eq!(
        seen[0].header("Reason"),
        Some("SIP;cause=200;text=\"shutdown\"")
    );
    assert_eq!(seen[1].status(), 480);
    assert_eq!(world.next_event(), ended(EndCause::ByUs));
    assert_eq!(world.next_event(), ended(EndCause::ByUs));
    assert!(!world.endpoint.is_idle());
    assert_eq!(world.endpoint.open_sessions(), 0);
    world.respond(&seen[0], 200, None);
    assert!(world.endpoint.is_idle());
}
