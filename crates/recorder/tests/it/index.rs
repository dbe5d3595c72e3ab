//! An index (the database) that takes and gives nothing for a while.

use crate::support::*;
use std::sync::Arc;
use voicelog_archive::check::Level;
use voicelog_archive::timeline::Verdict;
use voicelog_archive::{Archive, Parts};
use voicelog_model::RecordingId;
use voicelog_recorder::{CallState, Recorder};
use voicelog_src_sim::{RunningCall, SimError, place};
use voicelog_store::faulty::{FaultyIndex, Schedule};

/// A server, and what takes its index away.
fn server_with_index() -> (Server, Schedule) {
    let folder = tempfile::tempdir().unwrap();
    let index = Schedule::counting();
    let parts = parts(folder.path());
    let archive = Arc::new(Archive::open(Parts {
        index: Box::new(FaultyIndex::new(parts.index, index.clone())),
        ..parts
    }));
    let recorder = Recorder::start(&config(), Arc::clone(&archive), Arc::new(MachineClock));
    let server = Server {
        recorder: recorder.unwrap(),
        archive,
        folder,
    };
    (server, index)
}

impl Server {
    fn kept_of(&self, id: RecordingId) -> u64 {
        let calls = self.recorder.status().calls;
        let call = calls.iter().find(|call| call.id == id);
        call.map_or(0, |call| call.media.kept)
    }

    /// Places one more call, and waits until it is recorded and media flows.
    fn one_more(&self, seed: u64) -> (RecordingId, RunningCall) {
        let before = self.recorder.status().calls;
        let call = place(&self.plan("announced", seed)).unwrap();
        let mut id = None;
        wait_until("the call is recorded", || {
            let calls = self.recorder.status().calls;
            let is_new = |id| before.iter().all(|known| known.id != id);
            let found = calls.iter().find(|call| is_new(call.id));
            id = found
                .filter(|call| call.state == CallState::Recording && call.media.kept > 20)
                .map(|call| call.id);
            id.is_some()
        });
        (id.unwrap(), call)
    }

    fn counted(&self, what: &str) -> u64 {
        let counts = self.recorder.status().counts;
        counts.get(what).copied().unwrap_or(0)
    }
}

#[test]
fn with_the_index_down_no_call_loses_a_packet_new_ones_get_503_and_all_is_closed_when_it_is_back() {
    let (server, index) = server_with_index();
    let (first, going_on) = server.one_more(1);
    let (second, ending) = server.one_more(2);

    index.set_down(true);
    let ended = ending.hang_up().unwrap();
    wait_until("the one that ended is not closed", || {
        server.counted("not_closed") > 0
    });
    assert!(server.archive.detail(second).is_err(), "the index is down");
    let refused = place(&server.plan("announced", 3)).map(|_call| ());
    assert!(
        matches!(refused, Err(SimError::Refused { status: 503, .. })),
        "{refused:?}"
    );
    assert_eq!(server.counted("refused_no_answer"), 1);
    wait_until("the alarm says why", || {
        let alarms = server.recorder.status().alarms;
        let mut reasons = alarms.iter().map(|alarm| alarm.key.reason);
        reasons.any(|reason| reason == Some("refused_no_answer"))
    });
    let kept = server.kept_of(first);
    wait_until("the one in progress goes on", || {
        server.kept_of(first) > kept + 40
    });
    let calls = server.recorder.status().calls;
    assert!(calls.iter().all(|call| call.id == first), "{calls:?}");

    index.set_down(false);
    wait_until("the one that ended is closed", || {
        let detail = server.archive.detail(second);
        detail.is_ok_and(|detail| detail.timeline.is_some())
    });
    let (next, recorded) = server.one_more(4);
    let reports = [
        (second, ended),
        (first, going_on.hang_up().unwrap()),
        (next, recorded.hang_up().unwrap()),
    ];
    server.all_closed();
    for (id, report) in &reports {
        let timeline = server.timeline(*id);
        assert_eq!(timeline.verdict, Verdict::Whole, "{timeline:#?}");
        let opened = server.open(*id);
        for (stream, sent) in (1..).zip(sent(report)) {
            assert_eq!(payloads(&opened, stream), sent);
        }
    }
    assert_eq!(server.archive.check(Level::Hash).unwrap().wrong, []);
}
