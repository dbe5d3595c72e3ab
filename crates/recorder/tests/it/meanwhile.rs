//! What is said while the law is being asked: the answer that is under way does not know of it, and
//! another one is asked for.

use crate::raw::{DUTCH, RawCall, STAFF};
use crate::support::*;
use serde_json::json;
use voicelog_archive::KeepRequest;
use voicelog_archive::journal::{AskedBy, KeepReason};
use voicelog_archive::timeline::Verdict;
use voicelog_model::Pii;
use voicelog_recorder::{CallState, KeepAnswer};

#[test]
fn a_hold_that_is_said_between_the_offer_and_its_answer_keeps_the_call_from_being_recorded() {
    let server = server();
    for _call in 0..5 {
        let mut call = RawCall::idle(&server, "announced");
        let metadata = RawCall::metadata(&[STAFF, DUTCH]);
        let archive = &server.archive;
        let id = std::thread::scope(|scope| {
            let said = scope.spawn(move || {
                // Whoever asks for the calls in progress is told of it before the law has answered.
                let id = loop {
                    if let Some(call) = archive.calls().first() {
                        break call.id;
                    }
                    std::thread::yield_now();
                };
                let facts = json!({ "on_hold": true });
                archive
                    .say(id, facts.as_object().unwrap().clone(), now())
                    .unwrap();
                id
            });
            assert_eq!(call.offer("INVITE", 2, Some(&metadata)), 200);
            said.join().unwrap()
        });
        wait_until("nothing is recorded", || {
            let calls = server.recorder.status().calls;
            let states = calls.iter().map(|call| call.state);
            states.eq([CallState::Stopped]) || states_are_waiting(&server)
        });
        call.speak(0);
        wait_until("a packet is not kept", || {
            server.recorder.status().calls[0].media.without_permit > 0
        });
        call.bye();
        server.all_closed();
        let timeline = server.timeline(id);
        assert_eq!(timeline.streams[0].packets, 0);
        assert_ne!(timeline.verdict, Verdict::Whole);
    }
}

fn states_are_waiting(server: &Server) -> bool {
    let calls = server.recorder.status().calls;
    calls.iter().map(|call| call.state).eq([CallState::Waiting])
}

#[test]
fn a_request_to_keep_that_comes_with_another_fact_is_not_lost() {
    let server = server();
    for _call in 0..8 {
        let metadata = RawCall::metadata(&[STAFF, DUTCH]);
        let mut call = RawCall::place(&server, "asked", 2, Some(&metadata));
        let id = server.call_in(CallState::Waiting);
        // The law takes longer than a moment to answer to this.
        server.say(id, &json!({ "content_nature": "business" }));
        let request = KeepRequest {
            reason: KeepReason::Complaint,
            by: AskedBy::Program,
            asked_by: Some(Pii::new("agent 2001".to_owned())),
            at: now(),
        };
        let asked = server.recorder.request_keep(id, request);
        assert!(matches!(asked, Ok(KeepAnswer::Kept { .. })), "{asked:?}");
        call.speak(0);
        wait_until("a packet is kept", || {
            server.recorder.status().calls[0].media.kept > 0
        });
        call.bye();
        server.all_closed();
    }
}
