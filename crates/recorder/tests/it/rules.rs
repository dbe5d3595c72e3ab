//! Rules within a line, by what the exchange tells of a call.

use crate::raw::{DUTCH, RawCall, STAFF};
use crate::support::*;
use serde_json::json;
use voicelog_archive::Draw;
use voicelog_archive::timeline::Verdict;
use voicelog_recorder::CallState;
use voicelog_src_sim::place;

/// Metadata of a call between our agent and a customer in which that participant (from 1) called.
fn called_by(caller: Option<usize>) -> String {
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let Some(caller) = caller else {
        return metadata;
    };
    let open = format!("<participant participant_id=\"a{caller}\">");
    let told = format!(
        "{open}<extensiondata><v:callingParty xmlns:v=\"http://vendor.example/siprec\">true</v:callingParty></extensiondata>"
    );
    metadata.replace(&open, &told)
}

#[test]
fn the_direction_that_the_exchange_tells_chooses_the_rule_and_if_it_does_not_tell_the_strictest_counts()
 {
    for (caller, state) in [
        (Some(2), CallState::Recording),
        (Some(1), CallState::Waiting),
        (None, CallState::Waiting),
    ] {
        let server = server();
        let mut call = RawCall::place(&server, "ruled", 2, Some(&called_by(caller)));
        let id = server.call_in(state);
        // An exchange that tells it later: the law is asked again.
        if caller.is_none() {
            assert_eq!(call.update(&called_by(Some(2))), 200);
            assert_eq!(server.call_in(CallState::Recording), id);
        }
        call.bye();
        server.all_closed();
    }
}

#[test]
fn a_call_that_was_diverted_from_a_queue_falls_under_the_rule_of_that_queue() {
    for (headers, state) in [
        (
            "Diversion: <sip:2009@pbx.example>\r\n",
            CallState::Recording,
        ),
        (
            "Diversion: <sip:2009@pbx.example>, <tel:+31881234599>;reason=unconditional\r\n",
            CallState::Waiting,
        ),
        (
            "History-Info: <sip:0881234599@pbx.example>;index=1, <sip:2001@pbx.example>;index=1.1\r\n",
            CallState::Waiting,
        ),
    ] {
        let server = server();
        let mut call = RawCall::place_with(&server, "ruled", &called_by(Some(2)), headers);
        let id = server.call_in(state);
        // Metadata that comes later says nothing of it, and changes nothing.
        assert_eq!(call.update(&called_by(Some(2))), 200);
        pass(200);
        assert_eq!(server.call_in(state), id);
        call.bye();
        server.all_closed();
    }
}

#[test]
fn a_call_that_is_not_drawn_keeps_nothing_whatever_comes_and_tells_its_draw() {
    let server = server();
    let (mut drawn, mut left_out) = (0, 0);
    for seed in 0..40 {
        let mut plan = server.plan("sampled", seed);
        plan.honour_direction = false;
        let call = place(&plan).unwrap();
        wait_until("the call is there", || {
            !server.recorder.status().calls.is_empty()
        });
        let id = server.recorder.status().calls[0].id;
        let counts = || server.recorder.status().calls[0].media;
        if Draw::of(id).is_within(one_in_two()) {
            drawn += 1;
            assert_eq!(server.call_in(CallState::Recording), id);
            wait_until("media is kept", || counts().kept > 10);
        } else {
            left_out += 1;
            assert_eq!(server.call_in(CallState::Waiting), id);
            // The law is asked again when more is known; the draw stays what it is.
            server.say(
                id,
                &json!({ "consent_per_participant": { "p1": "given", "p2": "given" } }),
            );
            wait_until("media comes all the same", || counts().without_permit > 10);
            assert_eq!(counts().kept, 0);
            assert_eq!(server.call_in(CallState::Waiting), id);
        }
        call.hang_up().unwrap();
        server.all_closed();
        let (trace, timeline) = (server.archive.trace(id).unwrap(), server.timeline(id));
        if Draw::of(id).is_within(one_in_two()) {
            assert!(trace.has_key && timeline.verdict != Verdict::NotDrawn);
        } else {
            assert_eq!((trace.blobs, trace.bytes, trace.has_key), (0, 0, false));
            assert_eq!(timeline.verdict, Verdict::NotDrawn);
            let ground = &timeline.streams[0].intervals[0].grounds[0];
            let told = format!("not drawn: 1 in 2, draw {}", Draw::of(id));
            assert_eq!(
                (ground.rule.as_str(), &ground.text_en),
                ("line.sample", &told)
            );
        }
        if drawn > 0 && left_out > 0 {
            return;
        }
    }
    panic!("{drawn} drawn, {left_out} not");
}
