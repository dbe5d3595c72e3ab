//! Reliable provisional responses (RFC 3262), for clients that require them.

use crate::client::{Request, SECOND, Seen, T1, World, ack, answer, sdp, tcp};
use voicelog_srs::{Counted, EndCause, Event, LocalDirection, SessionKey};

fn invite() -> Request {
    Request::invite()
        .header("Require: 100rel")
        .header("Record-Route: <sip:192.0.2.20;lr>")
}

/// An INVITE whose answer takes so long that the client is told to wait.
fn thinking() -> (World, SessionKey, Seen) {
    let mut world = World::new();
    let (key, _) = world.offered(&invite());
    world.pass(SECOND - 1);
    world.expect_silence();
    world.pass(1);
    let progress = world.expect(183);
    (world, key, progress)
}

/// An INVITE that is answered before anybody waits, and its 200.
fn answered_at_once() -> (World, Seen) {
    let mut world = World::new();
    let (key, _) = world.offered(&invite());
    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    world.send(&ack(&invite(), &ok));
    world.events.clear();
    (world, ok)
}

fn prack(progress: &Seen, cseq: u32) -> Request {
    Request::new("PRACK", cseq)
        .to(&progress.to_tag())
        .header(&format!(
            "RAck: {} 1 INVITE",
            progress.header("RSeq").unwrap()
        ))
}

#[test]
fn a_client_that_requires_it_is_told_reliably_that_we_are_thinking() {
    let (mut world, key, progress) = thinking();
    assert_eq!(progress.header("Require"), Some("100rel"));
    assert!(progress.header("RSeq").unwrap().parse::<u32>().unwrap() > 0);
    assert!(progress.header("Contact").unwrap().ends_with(">;+sip.srs"));
    assert_eq!(progress.header("Record-Route"), Some("<sip:192.0.2.20;lr>"));
    assert_eq!(progress.body(), "");
    world.send(&prack(&progress, 2));
    assert_eq!(world.expect(200).header("CSeq"), Some("2 PRACK"));
    world.pass(10 * SECOND);
    world.expect_silence();

    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    assert_eq!(ok.to_tag(), progress.to_tag());
    world.send(&ack(&invite(), &ok));
    world.expect_event(&Event::Answered);
}

#[test]
fn an_answer_in_time_needs_no_provisional_response() {
    let (mut world, _ok) = answered_at_once();
    world.pass(60 * SECOND);
    world.expect_silence();
    // Who does not require it is not told either.
    world.offered(&Request::invite().call("other").header("Supported: 100rel"));
    world.pass(10 * SECOND);
    world.expect_silence();
}

#[test]
fn a_later_offer_that_waits_needs_none_either() {
    let (mut world, ok) = answered_at_once();
    let text = format!("{}m=audio 20004 RTP/AVP 8\r\n", sdp(2, "sendonly"));
    world.send(&Request::new("INVITE", 2).to(&ok.to_tag()).sdp(&text));
    world.expect(100);
    assert!(matches!(world.next_event(), Event::StreamsChanged(_)));
    world.pass(10 * SECOND);
    world.expect_silence();
}

#[test]
fn it_is_sent_again_over_any_transport_until_its_prack() {
    for peer in [crate::client::udp(), tcp(1)] {
        let mut world = World::new();
        world.peer = peer;
        world.offered(&invite());
        world.pass(SECOND + 7 * T1);
        assert_eq!(world.sent.len(), 4);
        let progress = world.sent[0].clone();
        assert!(world.sent.drain(..).all(|seen| seen == progress));
        world.send(&prack(&progress, 2));
        world.expect(200);
        // The 200 was lost: the PRACK comes again over UDP with the same branch, or anew.
        world.send(&prack(&progress, 3));
        world.expect(200);
        world.pass(8 * SECOND);
        world.expect_silence();
    }
}

#[test]
fn the_answer_does_not_wait_for_the_prack_and_a_late_one_is_still_answered() {
    let (mut world, key, progress) = thinking();
    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    world.send(&prack(&progress, 2));
    assert_eq!(world.expect(200).header("CSeq"), Some("2 PRACK"));
    world.send(&ack(&invite(), &ok));
    world.expect_event(&Event::Answered);
    world.pass(60 * SECOND);
    world.expect_silence();
}

#[test]
fn a_prack_of_something_else_gets_481() {
    let (mut world, _, progress) = thinking();
    let rseq: u32 = progress.header("RSeq").unwrap().parse().unwrap();
    let racks = [
        format!("{} 1 INVITE", rseq.wrapping_add(1)),
        format!("{rseq} 2 INVITE"),
        format!("{rseq} 1 UPDATE"),
        format!("{rseq}"),
        "x y z".to_owned(),
    ];
    for (rack, cseq) in racks.iter().zip(2..) {
        let prack = Request::new("PRACK", cseq).to(&progress.to_tag());
        world.send(&prack.header(&format!("RAck: {rack}")));
        world.expect(481);
    }
    world.send(&Request::new("PRACK", 9).to(&progress.to_tag()));
    world.expect(481);
    assert_eq!(world.endpoint.counters().of(Counted::NoSuchCall), 6);
    assert_eq!(world.endpoint.open_sessions(), 1);
}

#[test]
fn without_any_answer_the_invite_is_refused_and_nothing_is_sent_again() {
    let (mut world, _, _) = thinking();
    world.pass(19 * SECOND);
    let refusal = world.sent.pop_back().unwrap();
    assert_eq!(refusal.status(), 500);
    assert!(world.sent.drain(..).all(|seen| seen.status() == 183));
    world.expect_event(&Event::Ended {
        cause: EndCause::Timeout,
    });
    world.pass(60 * SECOND);
    assert!(world.sent.iter().all(|seen| seen.status() == 500));
}

#[test]
fn a_cancel_ends_it() {
    let (mut world, _, progress) = thinking();
    world.send(&Request {
        method: "CANCEL",
        body: None,
        ..invite()
    });
    let refusal = world.next_sent();
    assert_eq!(refusal.status(), 487);
    assert_eq!(refusal.to_tag(), progress.to_tag());
    world.expect(200);
    world.pass(5 * SECOND);
    assert!(world.sent.iter().all(|seen| seen.status() == 487));
}
