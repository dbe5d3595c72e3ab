//! How calls end that nobody hangs up.

use crate::raw::{GERMAN, RawCall, STAFF};
use crate::support::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use voicelog_archive::journal::Cause;
use voicelog_archive::timeline::Verdict;
use voicelog_model::{Clock, Timestamp};
use voicelog_recorder::{CallState, RecorderConfig, WhyNot};
use voicelog_src_sim::{Outcome, Side, place};

#[test]
fn draining_ends_calls_in_progress_and_closes_them() {
    let server = server();
    let call = place(&server.plan("announced", 1)).unwrap();
    let id = server.call_in(CallState::Recording);
    wait_until("media is kept", || {
        server.recorder.status().calls[0].media.kept > 20
    });
    assert!(server.recorder.drain(Some(Duration::from_millis(100))));
    let report = call.finish().unwrap();
    let Outcome::Ended { by, .. } = report.outcome else {
        panic!("{:?}", report.outcome)
    };
    assert_eq!(by, Side::Server);
    let timeline = server.timeline(id);
    assert_eq!(timeline.end, Some(Cause::Shutdown));
    // The conversation may have gone on without us.
    assert_eq!(timeline.verdict, Verdict::CutShort, "{timeline:#?}");
    let status = server.recorder.status();
    assert!(status.calls.is_empty() && !status.accepting);
}

#[test]
fn draining_waits_for_a_call_that_ends_by_itself() {
    let server = server();
    let mut plan = server.plan("announced", 1);
    plan.duration = Some(Duration::from_millis(600));
    let call = place(&plan).unwrap();
    let id = server.call_in(CallState::Recording);
    assert!(server.recorder.drain(Some(LONG)));
    let report = call.finish().unwrap();
    assert_eq!(server.timeline(id).end, Some(Cause::RecordingClient));
    assert_eq!(payloads(&server.open(id), 1), sent(&report)[0]);
}

#[test]
fn after_a_quick_stop_recovery_closes_the_recording_with_the_gap_declared() {
    let server = server();
    let call = place(&server.plan("announced", 1)).unwrap();
    let id = server.call_in(CallState::Recording);
    wait_until("media is kept", || {
        server.recorder.status().calls[0].media.kept > 40
    });
    let folder = server.stop();
    let archive = open_archive(folder.path());
    let recovery = archive.recover(now()).unwrap();
    assert_eq!(recovery.interrupted, [id], "{recovery:?}");
    let timeline = archive.detail(id).unwrap().timeline.unwrap();
    assert!(timeline.streams[0].packets > 20);
    drop(call);
}

#[test]
fn a_call_from_which_nothing_is_heard_is_ended_by_us() {
    let silent_call = Duration::from_millis(1_200);
    let server = server_with(&RecorderConfig {
        silent_call,
        ..config()
    });
    let call = place(&server.plan("announced", 1)).unwrap();
    let id = server.call_in(CallState::Recording);
    wait_until("media is kept", || {
        server.recorder.status().calls[0].media.kept > 10
    });
    assert_eq!(call.pause().unwrap(), 200);
    let report = call.finish().unwrap();
    assert!(matches!(
        report.outcome,
        Outcome::Ended {
            by: Side::Server,
            ..
        }
    ));
    server.all_closed();
    assert_eq!(server.timeline(id).end, Some(Cause::TimeOut));
}

#[test]
fn a_call_that_is_silent_and_refreshed_by_its_client_goes_on() {
    let server = server_with(&RecorderConfig {
        silent_call: Duration::from_secs(3),
        ..config()
    });
    let metadata = RawCall::metadata(&[STAFF, GERMAN]);
    let mut call = RawCall::place(&server, "announced", 2, Some(&metadata));
    // It waits for consent; nothing that the client sends changes anything.
    let id = server.call_in(CallState::Waiting);
    for _refresh in 0..10 {
        for method in ["UPDATE", "OPTIONS"] {
            pass(300);
            assert_eq!(call.ask(method), 200);
        }
    }
    assert_eq!(server.call_in(CallState::Waiting), id);
    call.bye();
    server.all_closed();
    assert_eq!(server.timeline(id).end, Some(Cause::RecordingClient));
}

/// The machine's clock, which the media thread cannot read once told.
#[derive(Debug, Default)]
struct FailingClock(AtomicBool);

impl Clock for FailingClock {
    fn now(&self) -> Timestamp {
        let is_media = std::thread::current().name() == Some("voicelog-media");
        assert!(!is_media || !self.0.load(Ordering::SeqCst), "on purpose");
        now()
    }
}

#[test]
fn a_thread_that_fails_makes_the_whole_recorder_say_so() {
    let clock = Arc::new(FailingClock::default());
    let shared = Arc::clone(&clock);
    let server = server_by(&config(), shared);
    let call = place(&server.plan("announced", 1)).unwrap();
    server.call_in(CallState::Recording);
    assert!(server.recorder.status().accepting);
    clock.0.store(true, Ordering::SeqCst);
    wait_until("it is seen", || {
        server.recorder.status().why_not == Some(WhyNot::Broken)
    });
    assert!(!server.recorder.status().accepting);
    wait_until("no call is taken", || {
        place(&server.plan("announced", 2)).is_err()
    });
    // Nothing can be closed, so nobody waits for it.
    assert!(!server.recorder.drain(Some(LONG)));
    drop(call);
}
