//! Rules within a line, by what the exchange tells of a call.

use crate::raw::{DUTCH, RawCall, STAFF};
use crate::support::*;
use voicelog_recorder::CallState;

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
