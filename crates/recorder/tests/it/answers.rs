//! Answers of the law that take their time, and what happens to a call meanwhile.

use crate::raw::RawCall;
use crate::support::*;
use serde_json::json;
use std::sync::{Arc, Condvar, Mutex};
use voicelog_archive::timeline::{IntervalKind, Verdict};
use voicelog_model::{Clock, Timestamp};
use voicelog_recorder::CallState;

/// How often the deciders have looked at the clock, and how often they may.
#[derive(Debug)]
struct Looks {
    done: u64,
    allowed: u64,
}

/// The machine's clock, at which the deciders look only as often as they may: an answer comes when the
/// test says so.
#[derive(Debug)]
struct SlowLaw {
    looks: Mutex<Looks>,
    more: Condvar,
}

/// A decider looks when it opens a call, before it asks, when it has the answer, and when it writes down
/// what was told.
const LOOKS_TO_OPEN: u64 = 4;

impl SlowLaw {
    fn new() -> Arc<Self> {
        let (done, allowed) = (0, u64::MAX);
        Arc::new(Self {
            looks: Mutex::new(Looks { done, allowed }),
            more: Condvar::new(),
        })
    }

    fn looks(&self) -> u64 {
        self.looks.lock().unwrap().done
    }

    fn allow(&self, looks: u64) {
        self.looks.lock().unwrap().allowed = looks;
        self.more.notify_all();
    }
}

impl Clock for SlowLaw {
    fn now(&self) -> Timestamp {
        if std::thread::current().name() == Some("voicelog-law") {
            let mut looks = self.looks.lock().unwrap();
            looks.done += 1;
            let is_too_early = |looks: &mut Looks| looks.done > looks.allowed;
            drop(
                self.more
                    .wait_timeout_while(looks, LONG, is_too_early)
                    .unwrap(),
            );
        }
        now()
    }
}

#[test]
fn a_call_that_ends_while_its_facts_change_faster_than_the_law_answers_is_kept_to_its_end() {
    let clock = SlowLaw::new();
    let server = server_by(&config(), Arc::clone(&clock) as Arc<dyn Clock>);
    let mut call = RawCall::dutch(&server, 1);
    let id = server.call_in(CallState::Recording);
    let kept = || server.recorder.status().calls[0].media.kept;
    for packet in 0..2 {
        call.speak(0);
        wait_until("a packet is kept", || kept() > packet);
    }
    wait_until("the question is done with", || {
        clock.looks() == LOOKS_TO_OPEN
    });
    clock.allow(LOOKS_TO_OPEN + 1);
    let agrees = |who: &str| json!({ "consent_per_participant": { who: "given" } });
    server.say(id, &agrees("p1"));
    wait_until("the law has an answer, and does not give it", || {
        clock.looks() == LOOKS_TO_OPEN + 2
    });
    server.say(id, &agrees("p2"));
    // What was said before them is known to call control when these are answered.
    for _turn in 0..2 {
        assert_eq!(call.ask("OPTIONS"), 200);
    }
    for _packet in 0..3 {
        call.speak(0);
    }
    call.bye();
    clock.allow(u64::MAX);
    server.all_closed();
    assert_eq!(server.detail(id).decisions.len(), 3);
    assert_eq!(payloads(&server.open(id), 1).len(), 5 * 160);
    let timeline = server.timeline(id);
    assert_eq!(timeline.verdict, Verdict::Whole, "{timeline:#?}");
    assert!(!kinds(&timeline).contains(&IntervalKind::Dropped));
}
