//! What we ask of the client: to send, to pause, to stop.

use crate::client::{Request, SECOND, Seen, T1, World, ack, answer, media_of, sdp};
use voicelog_model::StreamNumber;
use voicelog_srs::{
    Activity, Command, Counted, EndCause, Event, LocalDirection, SessionKey, StreamActivity,
};

fn agreed(direction: LocalDirection, activity: Activity) -> Event {
    Event::DirectionAgreed {
        direction,
        streams: (1..=2)
            .map(|n| StreamActivity {
                number: StreamNumber(n),
                activity,
                remote: media_of(n),
                key: None,
            })
            .collect(),
    }
}

fn waiting() -> (World, SessionKey, Seen) {
    let mut world = World::new();
    let (key, ok) = world.established(&Request::invite(), LocalDirection::Inactive);
    assert_eq!(ok.body().matches("a=inactive").count(), 2);
    (world, key, ok)
}

#[test]
fn a_permit_during_the_call_starts_the_media_by_reinvite() {
    let (mut world, key, ok) = waiting();
    world.pass(7 * SECOND);
    world.command(key, Command::Receive);
    let invite = world.next_sent();
    assert_eq!(invite.method(), "INVITE");
    assert!(
        invite
            .text
            .starts_with("INVITE sip:src@192.0.2.10:5060 SIP/2.0\r\n")
    );
    assert_eq!(invite.body().matches("a=recvonly").count(), 2);
    assert_eq!(invite.body().matches("m=audio").count(), 2);
    assert!(invite.body().contains("m=audio 30000 ") && invite.body().contains("a=label:1"));
    assert!(invite.header("Contact").unwrap().ends_with(">;+sip.srs"));
    assert_eq!(invite.header("From"), ok.header("To"));
    // We send no PRACK, so we must not say that we take what needs one.
    assert!(!invite.header("Supported").unwrap().contains("100rel"));

    world.respond(&invite, 100, None);
    world.respond(&invite, 200, Some(&sdp(2, "sendonly")));
    let ack = world.next_sent();
    assert_eq!((ack.method(), ack.header("CSeq")), ("ACK", Some("1 ACK")));
    assert_ne!(ack.header("Via"), invite.header("Via"));
    world.expect_event(&agreed(LocalDirection::Receive, Activity::Active));
    // The ACK was lost: the 200 comes again, and gets the same ACK.
    world.respond(&invite, 200, Some(&sdp(2, "sendonly")));
    assert_eq!(world.next_sent(), ack);
    assert_eq!(world.events.len(), 0);

    world.command(key, Command::Pause);
    let pause = world.next_sent();
    assert_eq!(pause.header("CSeq"), Some("2 INVITE"));
    assert_eq!(pause.body().matches("a=inactive").count(), 2);
    world.respond(&pause, 200, Some(&sdp(3, "inactive")));
    world.expect_event(&agreed(LocalDirection::Inactive, Activity::Inactive));
}

#[test]
fn a_reinvite_is_sent_again_over_udp_and_given_up_after_64_t1() {
    let (mut world, key, _) = waiting();
    world.command(key, Command::Receive);
    world.pass(64 * T1);
    assert_eq!(world.sent.len(), 7);
    assert!(world.sent.iter().all(|seen| *seen == world.sent[0]));
    world.expect_event(&Event::ReinviteRefused {
        status: 408,
        agreed: LocalDirection::Inactive,
    });
    assert_eq!(world.endpoint.open_sessions(), 1);
    world.sent.clear();
    world.pass(100 * SECOND);
    world.expect_silence();
}

#[test]
fn a_provisional_answer_stops_the_retransmission_but_not_for_ever() {
    let (mut world, key, _) = waiting();
    world.command(key, Command::Receive);
    let invite = world.next_sent();
    world.respond(&invite, 180, None);
    world.pass(170 * SECOND);
    world.respond(&invite, 180, None);
    world.expect_silence();
    world.pass(10 * SECOND);
    world.expect_event(&Event::ReinviteRefused {
        status: 408,
        agreed: LocalDirection::Inactive,
    });
}

#[test]
fn a_refused_reinvite_is_an_event_and_the_session_goes_on() {
    let (mut world, key, _) = waiting();
    world.command(key, Command::Receive);
    let invite = world.next_sent();
    world.respond(&invite, 488, None);
    let ack = world.next_sent();
    assert_eq!(ack.method(), "ACK");
    // The ACK of a refusal belongs to the transaction of the INVITE.
    assert_eq!(ack.header("Via"), invite.header("Via"));
    world.expect_event(&Event::ReinviteRefused {
        status: 488,
        agreed: LocalDirection::Inactive,
    });
    world.respond(&invite, 488, None);
    assert_eq!(world.next_sent(), ack);
    world.expect_silence();
    world.pass(100 * SECOND);
    world.expect_silence();
    // It can be asked again.
    world.command(key, Command::Receive);
    assert_eq!(world.next_sent().header("CSeq"), Some("2 INVITE"));
}

#[test]
fn glare_is_tried_again_within_two_seconds_and_not_for_ever() {
    let (mut world, key, _) = waiting();
    world.command(key, Command::Receive);
    let mut tries = 0;
    while let Some(invite) = world.sent.pop_front() {
        assert_eq!(invite.method(), "INVITE");
        tries += 1;
        world.respond(&invite, 491, None);
        assert_eq!(world.next_sent().method(), "ACK");
        if world.events.is_empty() {
            let next = world.endpoint.next_timeout().unwrap();
            let wait = next.micros_since(world.now);
            assert!((0..=2 * SECOND).contains(&wait) && wait % 10_000 == 0);
            world.pass(wait);
        }
    }
    assert_eq!(tries, 7);
    world.expect_event(&Event::ReinviteRefused {
        status: 491,
        agreed: LocalDirection::Inactive,
    });
}

#[test]
fn an_offer_that_crosses_ours_is_told_to_wait() {
    let (mut world, key, ok) = waiting();
    world.command(key, Command::Receive);
    let ours = world.next_sent();
    let theirs = Request::new("INVITE", 2)
        .to(&ok.to_tag())
        .sdp(&sdp(2, "sendonly"));
    world.send(&theirs);
    let refusal = world.expect(491);
    assert_eq!(world.endpoint.counters().of(Counted::Glare), 1);
    let mut ack_of_refusal = ack(&theirs, &refusal);
    ack_of_refusal.branch = theirs.branch;
    world.send(&ack_of_refusal);
    // Metadata alone does not cross.
    world.send(&Request::new("UPDATE", 3).to(&ok.to_tag()));
    world.expect(200);
    world.respond(&ours, 200, Some(&sdp(3, "sendonly")));
    assert_eq!(world.next_sent().method(), "ACK");
    world.expect_event(&agreed(LocalDirection::Receive, Activity::Active));
}

#[test]
fn while_we_back_off_an_offer_of_the_client_settles_it() {
    let (mut world, key, ok) = waiting();
    world.command(key, Command::Receive);
    let ours = world.next_sent();
    world.respond(&ours, 491, None);
    world.sent.clear();
    let theirs = Request::new("INVITE", 2)
        .to(&ok.to_tag())
        .sdp(&sdp(2, "sendonly"));
    world.send(&theirs);
    let answered = world.expect(200);
    assert_eq!(answered.body().matches("a=recvonly").count(), 2);
    world.send(&ack(&theirs, &answered));
    world.pass(3 * SECOND);
    assert_eq!(world.sent.len(), 0);
    world.expect_event(&agreed(LocalDirection::Receive, Activity::Active));
}

#[test]
fn a_command_before_the_ack_waits_for_it() {
    let mut world = World::new();
    let invite = Request::invite();
    let (key, _) = world.offered(&invite);
    world.command(key, answer(LocalDirection::Inactive));
    let ok = world.expect(200);
    world.command(key, Command::Receive);
    world.expect_silence();
    world.send(&ack(&invite, &ok));
    assert_eq!(world.next_sent().method(), "INVITE");
    world.expect_event(&Event::Answered);
}

#[test]
fn the_last_of_several_commands_wins() {
    let (mut world, key, _) = waiting();
    world.command(key, Command::Receive);
    let invite = world.next_sent();
    world.command(key, Command::Pause);
    world.expect_silence();
    world.respond(&invite, 200, Some(&sdp(2, "sendonly")));
    assert_eq!(world.next_sent().method(), "ACK");
    let pause = world.next_sent();
    assert_eq!(pause.body().matches("a=inactive").count(), 2);
    world.respond(&pause, 200, Some(&sdp(2, "inactive")));
    world.expect_event(&agreed(LocalDirection::Inactive, Activity::Inactive));
}

#[test]
fn a_command_that_is_already_so_is_agreed_at_once() {
    let mut world = World::new();
    let (key, _) = world.established(&Request::invite(), LocalDirection::Receive);
    world.command(key, Command::Receive);
    assert_eq!(world.sent.len(), 0);
    world.expect_event(&agreed(LocalDirection::Receive, Activity::Active));
}

#[test]
fn a_client_that_forgot_the_session_has_ended_it() {
    let (mut world, key, _) = waiting();
    world.command(key, Command::Receive);
    let invite = world.next_sent();
    world.respond(&invite, 481, None);
    assert_eq!(world.next_sent().method(), "ACK");
    world.expect_event(&Event::Ended {
        cause: EndCause::ByRecordingClient,
    });
    assert!(world.endpoint.is_idle());
}

#[test]
fn our_bye_is_sent_until_it_is_answered() {
    let (mut world, key, _) = waiting();
    world.command(
        key,
        Command::End {
            reason: "no consent".into(),
        },
    );
    let bye = world.next_sent();
    assert_eq!(bye.method(), "BYE");
    assert_eq!(
        bye.header("Reason"),
        Some("SIP;cause=200;text=\"no consent\"")
    );
    world.expect_event(&Event::Ended {
        cause: EndCause::ByUs,
    });
    world.pass(3 * T1);
    assert_eq!(
        (world.next_sent(), world.next_sent()),
        (bye.clone(), bye.clone())
    );
    world.respond(&bye, 200, None);
    assert!(world.endpoint.is_idle());
    world.pass(100 * SECOND);
    world.expect_silence();
}

#[test]
fn our_bye_without_answer_is_given_up() {
    let (mut world, key, _) = waiting();
    world.command(
        key,
        Command::End {
            reason: String::new(),
        },
    );
    world.pass(64 * T1);
    assert_eq!(world.sent.len(), 11);
    assert!(world.endpoint.is_idle());
    assert_eq!(world.endpoint.next_timeout(), None);
}

#[test]
fn an_end_before_the_ack_sends_its_bye_behind_the_ack() {
    let mut world = World::new();
    let invite = Request::invite();
    let (key, _) = world.offered(&invite);
    world.command(key, answer(LocalDirection::Receive));
    let ok = world.expect(200);
    world.command(
        key,
        Command::End {
            reason: "stop".into(),
        },
    );
    world.expect_event(&Event::Ended {
        cause: EndCause::ByUs,
    });
    assert_eq!(world.sent.len(), 0);
    world.send(&ack(&invite, &ok));
    assert_eq!(world.next_sent().method(), "BYE");
    assert_eq!(world.events.len(), 0);
}

#[test]
fn two_byes_that_cross_end_it_once() {
    let (mut world, key, ok) = waiting();
    world.command(
        key,
        Command::End {
            reason: String::new(),
        },
    );
    world.sent.clear();
    world.events.clear();
    world.send(&Request::new("UPDATE", 2).to(&ok.to_tag()));
    world.expect(481);
    world.send(&Request::new("BYE", 3).to(&ok.to_tag()));
    world.expect(200);
    world.expect_silence();
    assert!(world.endpoint.is_idle());
}

#[test]
fn responses_to_nothing_are_counted_and_ignored() {
    let (mut world, key, _) = waiting();
    world.command(key, Command::Receive);
    let invite = world.next_sent();
    let branch = invite
        .header("Via")
        .unwrap()
        .split("branch=")
        .nth(1)
        .unwrap();
    for text in [
        invite.text.replace(branch, "z9hG4bKother.1"),
        invite.text.replace(branch, "z9hG4bKother"),
        invite.text.replace("1 INVITE", "1 BYE"),
        invite
            .text
            .replacen("Via:", "Via: SIP/2.0/UDP other.example\r\nVia:", 1),
    ] {
        world.respond(
            &Seen {
                to: invite.to,
                text,
            },
            200,
            None,
        );
        world.expect_silence();
    }
    assert_eq!(world.endpoint.counters().of(Counted::StrayResponse), 4);
    world.respond(&invite, 200, Some(&sdp(2, "sendonly")));
    assert_eq!(world.next_sent().method(), "ACK");
}
