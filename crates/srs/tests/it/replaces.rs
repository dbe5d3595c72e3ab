//! A session that takes the place of another one (RFC 3891).

use crate::client::{Request, Seen, World, ack, answer};
use voicelog_srs::{Command, EndCause, Event, LocalDirection, SessionKey};

fn first() -> (World, SessionKey, Seen) {
    let mut world = World::new();
    let (key, ok) = world.established(&Request::invite(), LocalDirection::Receive);
    (world, key, ok)
}

fn replacing(header: &str) -> Request {
    Request::invite()
        .call("second")
        .header("Require: replaces")
        .header(&format!("Replaces: {header}"))
}

fn named(ok: &Seen) -> String {
    format!("call-1@pbx.example ; from-tag=src1;to-tag={}", ok.to_tag())
}

#[test]
fn the_new_session_takes_the_place_of_the_old_one_when_it_is_answered() {
    let (mut world, old, ok) = first();
    let invite = replacing(&named(&ok));
    let (new, offer) = world.offered(&invite);
    assert_eq!(offer.replaces, Some(old));
    assert_eq!(world.endpoint.open_sessions(), 2);

    world.command(new, answer(LocalDirection::Receive));
    let accepted = world.next_sent();
    assert_eq!(accepted.status(), 200);
    let bye = world.next_sent();
    assert_eq!(bye.method(), "BYE");
    assert_eq!(bye.header("Call-ID"), Some("call-1@pbx.example"));
    assert_eq!(
        world.events.pop_front(),
        Some((
            old,
            Event::Ended {
                cause: EndCause::Replaced
            }
        ))
    );
    world.send(&ack(&invite, &accepted));
    world.expect_event(&Event::Answered);
    assert_eq!(world.endpoint.open_sessions(), 1);
}

#[test]
fn a_new_session_that_is_refused_leaves_the_old_one_as_it_was() {
    let (mut world, _, ok) = first();
    let (new, _) = world.offered(&replacing(&named(&ok)));
    let reject = Command::Reject {
        status: 480,
        reason: "no".into(),
        retry_after: None,
    };
    world.command(new, reject);
    world.expect(480);
    world.expect_event(&Event::Ended {
        cause: EndCause::ByUs,
    });
    world.send(&Request::new("UPDATE", 2).to(&ok.to_tag()));
    world.expect(200);
}

#[test]
fn an_old_session_that_ends_before_the_answer_ends_once() {
    let (mut world, _, ok) = first();
    let (new, _) = world.offered(&replacing(&named(&ok)));
    world.send(&Request::new("BYE", 2).to(&ok.to_tag()));
    world.expect(200);
    world.expect_event(&Event::Ended {
        cause: EndCause::ByRecordingClient,
    });
    world.command(new, answer(LocalDirection::Receive));
    world.expect(200);
    assert_eq!(world.events.len(), 0);
}

#[test]
fn a_session_that_is_not_known_by_all_three_names_cannot_be_replaced() {
    let (mut world, _, ok) = first();
    let tag = ok.to_tag();
    for (place, header) in [
        format!("other;from-tag=src1;to-tag={tag}"),
        format!("call-1@pbx.example;from-tag=other;to-tag={tag}"),
        "call-1@pbx.example;from-tag=src1;to-tag=other".to_owned(),
        format!("call-1@pbx.example;from-tag={tag};to-tag=src1"),
    ]
    .iter()
    .enumerate()
    {
        world.send(&replacing(header).call(&format!("stranger-{place}")));
        world.expect(481);
    }
    assert_eq!(world.endpoint.open_sessions(), 1);
    assert_eq!(world.events.len(), 0);
}

#[test]
fn a_client_without_a_tag_is_named_by_the_tag_0() {
    let mut world = World::new();
    let mut invite = Request::invite();
    invite.from_tag = String::new();
    let text = invite.text().replace(";tag=\r\n", "\r\n");
    world.send_bytes(text.as_bytes());
    world.expect(100);
    let (old, _) = world.events.pop_front().unwrap();
    world.command(old, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    let header = format!("call-1@pbx.example;from-tag=0;to-tag={}", ok.to_tag());
    let (_, offer) = world.offered(&replacing(&header));
    assert_eq!(offer.replaces, Some(old));
}

#[test]
fn a_session_that_is_not_answered_or_already_over_cannot_be_replaced() {
    let mut world = World::new();
    let (key, _) = world.offered(&Request::invite().header("Require: 100rel"));
    world.pass(crate::client::SECOND);
    let early = world.expect(183);
    world.send(&replacing(&named(&early)));
    world.expect(481);

    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    world.send(&replacing(&format!("{};early-only", named(&ok))).call("third"));
    world.expect(486);
    let end = Command::End {
        reason: String::new(),
    };
    world.command(key, end);
    world.send(&replacing(&named(&ok)).call("fourth"));
    world.expect(603);
}

#[test]
fn a_header_that_is_no_dialog_or_two_of_them_are_refused() {
    let (mut world, _, ok) = first();
    let good = named(&ok);
    for (place, request) in [
        replacing("call-1@pbx.example"),
        replacing("call-1@pbx.example;to-tag=x"),
        replacing("call-1@pbx.example;to-tag=x;from-tag"),
        replacing(&good).header(&format!("Replaces: {good}")),
    ]
    .into_iter()
    .enumerate()
    {
        world.send(&request.call(&format!("bad-{place}")));
        world.expect(400);
    }
    assert_eq!(world.endpoint.open_sessions(), 1);
}
