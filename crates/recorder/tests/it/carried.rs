//! A session that takes the place of another one (`Replaces`, RFC 3891) is the same call for those in
//! it: what keeps it from being recorded goes on, and so does what somebody asked for.

use crate::raw::{DUTCH, RawCall, STAFF};
use crate::support::*;
use voicelog_archive::journal::{AskedBy, KeepReason, PauseReason, PrivateEnd, Record};
use voicelog_archive::timeline::{KeepMark, Verdict};
use voicelog_archive::{KeepRequest, KeepState};
use voicelog_model::{Pii, RecordingId};
use voicelog_recorder::{CallState, CallStatus, KeepAnswer, PrivateAnswer};

const KEYS: &str = "8 101\r\na=rtpmap:101 telephone-event/8000";

fn agent() -> Pii<String> {
    Pii::new("agent 2001".to_owned())
}

/// The only call there is, which is not that one, once its media thread shows this of it.
fn after(server: &Server, id: RecordingId, shows: fn(&CallStatus) -> bool) -> CallStatus {
    let mut found = None;
    wait_until("the other session has taken its place", || {
        let calls = server.recorder.status().calls;
        found = calls
            .first()
            .filter(|call| call.id != id && shows(call))
            .cloned();
        calls.len() == 1 && found.is_some()
    });
    found.unwrap()
}

/// Speaks once, and gives how many packets were kept so far once that was dealt with.
fn kept_after(server: &Server, call: &mut RawCall) -> u64 {
    let seen = || {
        let counts = server.recorder.status().calls[0].media;
        (
            counts.kept + counts.paused + counts.without_permit + counts.waiting,
            counts.kept,
        )
    };
    let (before, _) = seen();
    call.speak(0);
    wait_until("the packet is dealt with", || seen().0 > before);
    seen().1
}

fn packets(server: &Server, id: RecordingId) -> usize {
    let opened = server.open(id);
    let packets = opened.records.iter();
    packets
        .filter(|record| matches!(record, Record::Packet { .. }))
        .count()
}

#[test]
fn a_pause_goes_on_in_the_session_that_takes_the_place_of_the_paused_one_until_its_limit() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::dutch(&server, 2);
    let id = server.call_in(CallState::Recording);
    kept_after(&server, &mut call);
    let paused = server
        .recorder
        .pause(id, PauseReason::CardData, None)
        .unwrap();
    let mut next = RawCall::replacing(&server, &call, &metadata);
    let status = after(&server, id, |call| call.pause.is_some());
    let pause = status.pause.unwrap();
    let (reason, by) = (PauseReason::CardData, AskedBy::Program);
    assert_eq!((pause.reason, pause.by), (reason, by));
    // Not another two minutes: but for the time that a busy machine takes, it ends when it was to.
    let later = pause.until.micros_since(paused.until);
    assert!((0..20_000_000).contains(&later), "{later}");
    assert_eq!(kept_after(&server, &mut next), 0);
    server.recorder.resume(status.id).unwrap();
    assert_eq!(kept_after(&server, &mut next), 1);
    next.bye();
    server.all_closed();
    assert_eq!((packets(&server, id), packets(&server, status.id)), (1, 1));
    let timeline = server.timeline(status.id);
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn a_private_call_stays_private_in_the_session_that_takes_its_place_until_the_same_person_ends_it()
{
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::dutch(&server, 2);
    let id = server.call_in(CallState::Recording);
    kept_after(&server, &mut call);
    server.recorder.begin_private(id, agent()).unwrap();
    let mut next = RawCall::replacing(&server, &call, &metadata);
    let status = after(&server, id, |call| call.private.is_some());
    assert_eq!(kept_after(&server, &mut next), 0);
    // The law was asked with that fact from the first.
    let first = server.detail(status.id).decisions[0].id;
    let facts = server.archive.decide_again(first).unwrap().facts;
    assert_eq!(facts["content_nature"], "private");
    let end = |who: &str| {
        let who = Pii::new(who.to_owned());
        let reason = PrivateEnd::BusinessAgain;
        server.recorder.end_private(status.id, who, reason)
    };
    assert_eq!(end("agent 2002"), Ok(PrivateAnswer::AnotherPerson));
    assert_eq!(end("agent 2001"), Ok(PrivateAnswer::Over));
    wait_until("it is recorded again", || {
        kept_after(&server, &mut next) > 0
    });
    next.bye();
    server.all_closed();
}

#[test]
fn who_said_with_a_key_that_it_is_private_is_known_by_address_in_the_next_session() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place_as(&server, "keyed", 2, Some(&metadata), KEYS);
    let id = server.call_in(CallState::Recording);
    call.press(0, "*5");
    wait_until("it is private", || {
        server.recorder.status().calls[0].private.is_some()
    });
    // The people are named the other way round: who was `p1` is `p2`.
    let turned = RawCall::metadata(&[DUTCH, STAFF]);
    let mut next = RawCall::replacing(&server, &call, &turned);
    after(&server, id, |call| call.private.is_some());
    // The other side's keys are not for that, and ours are on the other stream now.
    next.press(0, "*9");
    assert_eq!(kept_after(&server, &mut next), 0);
    next.press(1, "*9");
    wait_until("it is private no longer", || {
        server.recorder.status().calls[0].private.is_none()
    });
    next.bye();
    server.all_closed();
}

#[test]
fn what_somebody_asked_to_keep_is_kept_in_the_session_that_takes_its_place() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let call = RawCall::place(&server, "asked", 2, Some(&metadata));
    let id = server.call_in(CallState::Waiting);
    let request = KeepRequest {
        reason: KeepReason::Complaint,
        by: AskedBy::Program,
        asked_by: Some(agent()),
        at: now(),
    };
    let asked = server.recorder.request_keep(id, request);
    assert!(matches!(asked, Ok(KeepAnswer::Kept { .. })), "{asked:?}");
    let mut next = RawCall::replacing(&server, &call, &metadata);
    let status = after(&server, id, |_call| true);
    assert_eq!(kept_after(&server, &mut next), 1);
    next.bye();
    server.all_closed();
    let timeline = server.timeline(status.id);
    assert!(
        matches!(
            timeline.keeps[..],
            [KeepMark::Requested {
                at_us: 0,
                reason: KeepReason::Complaint,
                ..
            }]
        ),
        "{:?}",
        timeline.keeps
    );
    let first = server.detail(status.id).decisions[0].id;
    let keep = server.archive.decide_again(first).unwrap().keep;
    assert!(matches!(keep, Some(KeepState::Requested(_))), "{keep:?}");
}
