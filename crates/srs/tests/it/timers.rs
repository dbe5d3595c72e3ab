//! Session timers (RFC 4028): a session that nobody refreshes is over, and says so.

use crate::client::{METADATA, Request, SECOND, Seen, World, ack, sdp};
use voicelog_srs::{Command, Counted, EndCause, Event, LocalDirection, SessionKey};

fn invite(expires: &str) -> Request {
    Request::invite()
        .header("Supported: timer")
        .header(&format!("Session-Expires: {expires}"))
        .header("Allow: INVITE, ACK, BYE, UPDATE")
}

/// A session whose timer we have to serve, with the methods that the client allows.
fn ours_to_refresh(allow: &str) -> (World, SessionKey, Seen) {
    let mut world = World::new();
    let request = invite("600;refresher=uas")
        .without("Allow")
        .header(&format!("Allow: {allow}"));
    let (key, ok) = world.established(&request, LocalDirection::Receive);
    assert_eq!(ok.header("Session-Expires"), Some("600;refresher=uas"));
    (world, key, ok)
}

/// Lets the session die and says what was sent in between.
fn dies(world: &mut World, micros: i64) -> Vec<Seen> {
    world.pass(micros - 1);
    assert_eq!(world.events.len(), 0);
    let before = world.sent.drain(..).collect();
    world.pass(1);
    let bye = world.next_sent();
    assert_eq!(bye.method(), "BYE");
    assert!(bye.header("Reason").unwrap().contains("refreshed"));
    world.expect_event(&Event::Ended {
        cause: EndCause::NotRefreshed,
    });
    before
}

#[test]
fn the_interval_of_the_client_is_taken_and_it_is_the_one_to_refresh() {
    for (asked, agreed) in [
        ("1800", "1800;refresher=uac"),
        ("90 ; Refresher=UAC;x=y", "90;refresher=uac"),
        ("7200;refresher=uas", "7200;refresher=uas"),
        ("7200;refresher=nobody", "7200;refresher=uac"),
    ] {
        let (_, ok) = World::new().established(&invite(asked), LocalDirection::Receive);
        assert_eq!(ok.header("Session-Expires"), Some(agreed));
        assert_eq!(ok.header("Require"), Some("timer"));
        assert_eq!(
            ok.header("Supported"),
            Some("siprec, timer, replaces, 100rel")
        );
    }
}

#[test]
fn without_a_usable_interval_there_is_no_timer() {
    let base = Request::invite().header("Require: timer");
    for request in [
        base.clone(),
        base.clone().header("Session-Expires: soon"),
        base.header("x: ;refresher=uac"),
    ] {
        let mut world = World::new();
        let (_, ok) = world.established(&request, LocalDirection::Receive);
        assert_eq!(ok.header("Session-Expires"), None);
        world.pass(20 * 3_600 * SECOND);
        world.expect_silence();
    }
}

#[test]
fn an_interval_that_is_too_short_gets_422_with_the_least_we_take() {
    let mut world = World::new();
    world.send(&invite("89"));
    let refusal = world.expect(422);
    assert_eq!(refusal.header("Min-SE"), Some("90"));
    assert!(world.endpoint.is_idle());
    let (_, ok) = world.established(&invite("90").call("again"), LocalDirection::Receive);

    let update = Request::new("UPDATE", 2)
        .call("again")
        .to(&ok.to_tag())
        .header("Supported: timer")
        .header("x: 10");
    world.send(&update);
    assert_eq!(world.expect(422).header("Min-SE"), Some("90"));
    assert_eq!(world.endpoint.counters().of(Counted::TimerTooShort), 2);
    assert_eq!(world.endpoint.open_sessions(), 1);
}

#[test]
fn a_timer_that_a_proxy_put_there_is_served_by_us() {
    let mut world = World::new();
    let request = invite("30;refresher=uac").without("Supported");
    let (_, ok) = world.established(&request, LocalDirection::Receive);
    assert_eq!(ok.header("Session-Expires"), Some("90;refresher=uas"));
    assert_eq!(ok.header("Require"), None);
    world.pass(45 * SECOND);
    assert_eq!(world.next_sent().method(), "UPDATE");
}

#[test]
fn without_a_refresh_the_session_ends_a_little_before_its_time() {
    let mut world = World::new();
    world.established(&invite("1800"), LocalDirection::Receive);
    assert_eq!(dies(&mut world, (1_800 - 32) * SECOND), []);
    let mut world = World::new();
    world.established(&invite("90"), LocalDirection::Receive);
    assert_eq!(dies(&mut world, 60 * SECOND), []);
}

#[test]
fn every_reinvite_and_update_of_the_client_refreshes() {
    let mut world = World::new();
    let (_, ok) = world.established(&invite("600"), LocalDirection::Receive);
    let request = |method, cseq| Request::new(method, cseq).to(&ok.to_tag());
    for refresh in [
        request("UPDATE", 2).header("Session-Expires: 600;refresher=uac"),
        request("INVITE", 3).sdp(&sdp(1, "sendonly")),
        request("UPDATE", 4).body("application/rs-metadata+xml", METADATA),
    ] {
        world.pass(500 * SECOND);
        world.send(&refresh);
        let seen = world.expect(200);
        assert_eq!(seen.header("Session-Expires"), Some("600;refresher=uac"));
        if refresh.method == "INVITE" {
            world.send(&ack(&refresh, &seen));
        }
        world.events.clear();
    }
    // An OPTIONS says that the client lives, but is no refresh (RFC 4028 §7.4).
    world.pass(500 * SECOND);
    world.send(&request("OPTIONS", 5));
    world.expect(200);
    dies(&mut world, 68 * SECOND);
}

#[test]
fn a_request_that_waits_for_the_caller_agrees_the_timer_with_its_200() {
    let mut world = World::new();
    let (key, ok) = world.established(&invite("600"), LocalDirection::Receive);
    let text = format!("{}m=audio 20004 RTP/AVP 8\r\n", sdp(2, "sendonly"));
    let more = Request::new("UPDATE", 2)
        .to(&ok.to_tag())
        .header("Session-Expires: 900;refresher=uas")
        .sdp(&text);
    world.send(&more);
    assert!(matches!(world.next_event(), Event::StreamsChanged(_)));
    world.pass(10 * SECOND);
    world.command(
        key,
        crate::client::answer_streams(3, LocalDirection::Receive),
    );
    let seen = world.expect(200);
    assert_eq!(seen.header("Session-Expires"), Some("900;refresher=uas"));
    world.pass(450 * SECOND);
    assert_eq!(world.next_sent().method(), "UPDATE");
}

#[test]
fn we_refresh_by_update_at_half_time_where_the_client_takes_it() {
    let (mut world, _, _) = ours_to_refresh("INVITE, UPDATE");
    for _ in 0..3 {
        world.pass(300 * SECOND - 1);
        world.expect_silence();
        world.pass(1);
        let update = world.next_sent();
        assert_eq!((update.method(), update.body()), ("UPDATE", ""));
        assert_eq!(update.header("Session-Expires"), Some("600;refresher=uac"));
        assert!(update.header("Contact").unwrap().ends_with(">;+sip.srs"));
        world.respond_with(&update, 200, "Session-Expires: 600;refresher=uac\r\n", None);
        world.expect_silence();
    }
}

#[test]
fn a_client_without_update_is_refreshed_by_a_reinvite_that_changes_nothing() {
    let (mut world, _, ok) = ours_to_refresh("INVITE, ACK, BYE");
    world.pass(300 * SECOND);
    let reinvite = world.next_sent();
    assert_eq!(reinvite.method(), "INVITE");
    assert_eq!(reinvite.body(), ok.body());
    world.respond_with(
        &reinvite,
        200,
        "Session-Expires: 600;refresher=uac\r\n",
        Some(&sdp(1, "sendonly")),
    );
    assert_eq!(world.next_sent().method(), "ACK");
    world.pass(300 * SECOND - 1);
    world.expect_silence();
    world.pass(1);
    // A client that refuses it has refused no direction.
    let reinvite = world.next_sent();
    world.respond(&reinvite, 488, None);
    assert_eq!(world.next_sent().method(), "ACK");
    world.expect_silence();
}

#[test]
fn a_refresh_by_reinvite_leaves_a_held_stream_held() {
    let (mut world, _, ok) = ours_to_refresh("INVITE, ACK, BYE");
    let hold = Request::new("INVITE", 2)
        .to(&ok.to_tag())
        .sdp(&sdp(2, "inactive"));
    world.send(&hold);
    let held = world.expect(200);
    world.send(&ack(&hold, &held));
    world.events.clear();
    world.pass(300 * SECOND);
    let reinvite = world.next_sent();
    assert_eq!(reinvite.body(), held.body());
    let terms = "Session-Expires: 600;refresher=uac\r\n";
    world.respond_with(&reinvite, 200, terms, Some(&sdp(2, "inactive")));
    assert_eq!(world.next_sent().method(), "ACK");
    world.expect_silence();
}

#[test]
fn a_refresh_that_fails_is_tried_again_until_the_session_is_dead() {
    let (mut world, _, _) = ours_to_refresh("UPDATE");
    let sent = dies(&mut world, 568 * SECOND);
    let mut tries: Vec<_> = sent.iter().filter_map(|seen| seen.header("CSeq")).collect();
    assert!(sent.iter().all(|seen| seen.method() == "UPDATE"));
    tries.dedup();
    assert!((3..=10).contains(&tries.len()), "{tries:?}");
}

#[test]
fn a_client_that_wants_a_longer_interval_gets_it() {
    for allow in ["INVITE, UPDATE", "INVITE"] {
        let (mut world, _, _) = ours_to_refresh(allow);
        world.pass(300 * SECOND);
        let first = world.next_sent();
        world.respond_with(&first, 422, "Min-SE: 1200\r\n", None);
        if first.method() == "INVITE" {
            assert_eq!(world.next_sent().method(), "ACK");
        }
        let second = world.next_sent();
        assert_eq!(second.header("Session-Expires"), Some("1200;refresher=uac"));
        assert_eq!(second.header("Min-SE"), Some("1200"));
        // A client that is never content is not asked for ever.
        world.respond_with(&second, 422, "Min-SE: 1200\r\n", None);
        assert!(world.sent.iter().all(|seen| seen.method() == "ACK"));
        assert_eq!(world.events.len(), 0);
    }
}

#[test]
fn an_answer_without_terms_ends_the_timer() {
    let (mut world, _, _) = ours_to_refresh("UPDATE");
    world.pass(300 * SECOND);
    let update = world.next_sent();
    world.respond(&update, 200, None);
    world.pass(20 * 3_600 * SECOND);
    world.expect_silence();
}

#[test]
fn a_client_that_no_longer_knows_the_session_has_ended_it() {
    let (mut world, _, _) = ours_to_refresh("UPDATE");
    world.pass(300 * SECOND);
    let update = world.next_sent();
    world.respond(&update, 481, None);
    world.expect_event(&Event::Ended {
        cause: EndCause::ByRecordingClient,
    });
    assert!(world.endpoint.is_idle());
}

#[test]
fn our_own_reinvite_restates_the_terms_and_refreshes() {
    let mut world = World::new();
    let (key, _) = world.established(&invite("600"), LocalDirection::Inactive);
    world.pass(500 * SECOND);
    world.command(key, Command::Receive);
    let reinvite = world.next_sent();
    assert_eq!(
        reinvite.header("Session-Expires"),
        Some("600;refresher=uas")
    );
    world.respond_with(
        &reinvite,
        200,
        "Require: timer\r\nSession-Expires: 600;refresher=uas\r\n",
        Some(&sdp(2, "sendonly")),
    );
    assert_eq!(world.next_sent().method(), "ACK");
    assert!(matches!(world.next_event(), Event::DirectionAgreed { .. }));
    assert_eq!(dies(&mut world, 568 * SECOND), []);
}

#[test]
fn a_request_within_the_dialog_and_a_timer_that_runs_are_signs_of_life() {
    let mut world = World::new();
    let (key, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    assert_eq!(world.endpoint.take_heard(), []);
    let without_news = [
        Request::new("OPTIONS", 2),
        Request::new("UPDATE", 3),
        Request::new("INVITE", 4).sdp(&sdp(1, "sendonly")),
    ];
    for request in without_news {
        world.send(&request.to(&ok.to_tag()));
        assert_eq!(world.next_sent().status(), 200);
        assert_eq!(world.events.len(), 0);
        assert_eq!(world.endpoint.take_heard(), [key]);
        assert_eq!(world.endpoint.take_heard(), []);
    }
    let timed = Request::new("UPDATE", 5).to(&ok.to_tag());
    world.send(
        &timed
            .header("Supported: timer")
            .header("Session-Expires: 7200"),
    );
    for _asked in 0..2 {
        assert_eq!(world.endpoint.take_heard(), [key]);
    }
}
