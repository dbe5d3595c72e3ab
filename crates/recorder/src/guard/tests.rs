//! A mistake in one call ends that call, says what it cost, and costs no other call a packet: the
//! whole recorder over real sockets, with a panic in the midst of what is done for one of two calls.

#[path = "../../tests/it/support.rs"]
#[expect(dead_code, reason = "the tests over real sockets share it")]
mod support;

use super::mishaps::plan;
use super::*;
use std::sync::Arc;
use std::sync::mpsc::channel;
use support::*;
use voicelog_archive::check::Level;
use voicelog_archive::journal::{Cause, PauseReason};
use voicelog_archive::timeline::{Interval, IntervalKind, Timeline, Verdict};
use voicelog_recorder::{PauseError, Recorder};
use voicelog_src_sim::{CallReport, Outcome, RunningCall, Side, place};

#[test]
fn a_panic_stays_where_it_is() {
    assert_eq!(contained("counting", || 1 + 1), Some(2));
    let lost: Option<()> = contained("failing on purpose", || panic!("on purpose"));
    assert!(lost.is_none());
    let id = RecordingId::from_bytes([1; 16]);
    let lost: Option<()> = contained_in(id, "failing on purpose", || panic!("on purpose"));
    assert!(lost.is_none());
    assert!(ran_to_its_end("test", || {}));
    assert!(!ran_to_its_end("test", || panic!("on purpose")));
}

fn mistake() {
    panic!("on purpose");
}

fn kept(server: &Server, id: RecordingId) -> u64 {
    let calls = server.recorder.status().calls;
    let call = calls.iter().find(|call| call.id == id);
    call.map_or(0, |call| call.media.kept)
}

/// A call that is being recorded, with media on the disk.
fn running(server: &Server, seed: u64) -> (RecordingId, RunningCall) {
    let before: Vec<_> = server.recorder.status().calls;
    let call = place(&server.plan("announced", seed)).unwrap();
    let mut found = None;
    wait_until("the call is recorded", || {
        let calls = server.recorder.status().calls;
        let is_new = |id| before.iter().all(|known| known.id != id);
        let mut running = calls.iter().filter(|call| call.media.kept > 60);
        found = running.find(|call| is_new(call.id)).map(|call| call.id);
        found.is_some()
    });
    (found.unwrap(), call)
}

/// What the call says in which the mistake was: all that came before is kept, and what is not there after
/// it is told as dropped by us.
#[track_caller]
fn says_what_is_missing(server: &Server, id: RecordingId, report: &CallReport) -> Timeline {
    let timeline = server.timeline(id);
    let opened = server.open(id);
    for (number, sent) in (1..).zip(sent(report)) {
        let kept = payloads(&opened, number);
        assert!(!kept.is_empty(), "what was kept before stays");
        assert!(sent.starts_with(&kept), "one end, and no hole before it");
        let stream = &timeline.streams[usize::from(number) - 1];
        let packets = |bytes: &[u8]| bytes.len() as u64 / 160;
        let told: u64 = stream.intervals.iter().map(|interval| interval.lost).sum();
        assert!(packets(&kept) + told <= packets(&sent), "{timeline:#?}");
        let is_told = |interval: &Interval| match interval.kind {
            IntervalKind::Dropped => interval.cause == Some(Cause::Overload),
            // Nothing is missing behind the last packet of all.
            IntervalKind::AfterLastPacket => kept == sent,
            other => [IntervalKind::AwaitingFirstPacket, IntervalKind::Media].contains(&other),
        };
        assert!(stream.intervals.iter().all(is_told), "{timeline:#?}");
    }
    timeline
}

/// How much is told as dropped.
fn dropped_us(timeline: &Timeline) -> u64 {
    let intervals = timeline.streams.iter().flat_map(|stream| &stream.intervals);
    let dropped = intervals.filter(|interval| interval.kind == IntervalKind::Dropped);
    dropped.map(Interval::length_us).sum()
}

/// Two calls; in what is done for one of them, here something goes wrong.
fn a_mistake_in_one_of_two(places: &[&'static str], then: impl Fn(&Server, RecordingId)) {
    for place in places {
        let server = server();
        let (hurt, hurt_call) = running(&server, 1);
        let (other, other_call) = running(&server, 2);
        plan(hurt, place, mistake);
        then(&server, hurt);
        let report = hurt_call.finish().unwrap();
        let ended = Outcome::Ended {
            by: Side::Server,
            status: None,
        };
        assert_eq!(report.outcome, ended, "{place}");
        let before = kept(&server, other);
        wait_until("the other one goes on", || {
            kept(&server, other) > before + 40
        });
        let other_report = other_call.hang_up().unwrap();
        server.all_closed();

        let timeline = says_what_is_missing(&server, hurt, &report);
        assert_eq!(timeline.end, Some(Cause::Overload), "{place}");
        assert_eq!(timeline.verdict, Verdict::CutShort, "{place}");
        if ["reading", "handing over", "sealing"].contains(place) {
            assert!(dropped_us(&timeline) > 0, "{place}: {timeline:#?}");
        }
        let timeline = server.timeline(other);
        assert_eq!(timeline.verdict, Verdict::Whole, "{place}: {timeline:#?}");
        let opened = server.open(other);
        for (stream, sent) in (1..).zip(sent(&other_report)) {
            assert_eq!(payloads(&opened, stream), sent, "{place}");
        }
        assert_eq!(server.archive.check(Level::Hash).unwrap().wrong, []);
        // The recorder is as good as before.
        let (next, call) = running(&server, 3);
        call.hang_up().unwrap();
        server.all_closed();
        assert_eq!(server.timeline(next).verdict, Verdict::Whole, "{place}");
    }
}

#[test]
fn a_mistake_while_media_is_read_ends_that_call_with_a_declared_gap_and_no_other() {
    a_mistake_in_one_of_two(&["reading", "handing over"], |_server, _id| {});
}

#[test]
fn a_mistake_while_media_is_sealed_or_written_ends_that_call_with_a_declared_gap_and_no_other() {
    a_mistake_in_one_of_two(&["sealing", "sealed", "writing"], |_server, _id| {});
}

#[test]
fn a_mistake_while_media_of_many_calls_is_hashed_is_declared_in_each_of_them() {
    let server = server();
    // Journals are handed over in three groups: the first and the last of these are hashed together.
    let calls: Vec<_> = (1..=4).map(|seed| running(&server, seed)).collect();
    plan(calls[0].0, "hashing", mistake);
    wait_until("both are ended", || {
        server.recorder.status().calls.len() == 2
    });
    let mut reports = Vec::new();
    for (id, call) in calls {
        let is_running = kept(&server, id) > 0;
        let report = if is_running {
            call.hang_up()
        } else {
            call.finish()
        };
        reports.push((id, report.unwrap()));
    }
    server.all_closed();
    let mut verdicts = Vec::new();
    for (id, report) in &reports {
        verdicts.push(says_what_is_missing(&server, *id, report).verdict);
    }
    let (hit, spared) = (Verdict::CutShort, Verdict::Whole);
    assert_eq!(verdicts, [hit, spared, spared, hit]);
    assert_eq!(server.archive.check(Level::Hash).unwrap().wrong, []);
}

#[test]
fn a_mistake_while_a_pause_is_made_ends_that_call_and_is_never_told_as_a_pause() {
    a_mistake_in_one_of_two(&["obeying"], |server, id| {
        let paused = server.recorder.pause(id, PauseReason::CardData, None);
        assert_eq!(paused, Err(PauseError::NoSuchCall));
    });
}

#[test]
fn a_mistake_while_a_call_is_ended_says_what_is_missing_and_how_it_ended() {
    let server = server();
    // Where all had just been handed to the writer there was nothing to lose.
    let took_something = (1..=5).any(|seed| {
        let (id, call) = running(&server, seed);
        let (handing, is_handed) = channel();
        plan(id, "handing over", move || handing.send(()).unwrap());
        is_handed.recv_timeout(LONG).unwrap();
        pass(100);
        plan(id, "ending", mistake);
        let report = call.hang_up().unwrap();
        server.all_closed();
        let timeline = says_what_is_missing(&server, id, &report);
        assert_eq!(timeline.end, Some(Cause::RecordingClient));
        let is_whole = dropped_us(&timeline) == 0;
        let declared = Verdict::WholeWithDeclaredGaps;
        let verdict = if is_whole { Verdict::Whole } else { declared };
        assert_eq!(timeline.verdict, verdict);
        !is_whole
    });
    assert!(took_something);
}

#[test]
fn a_recording_that_a_mistake_keeps_open_is_closed_at_the_next_start_with_all_that_was_written() {
    let server = server();
    let (id, call) = running(&server, 1);
    plan(id, "closing", mistake);
    let report = call.hang_up().unwrap();
    server.all_closed();
    assert!(server.detail(id).timeline.is_none());
    // The recorder is as good as before.
    let (next, next_call) = running(&server, 2);
    next_call.hang_up().unwrap();
    server.all_closed();
    assert_eq!(server.timeline(next).verdict, Verdict::Whole);
    let folder = server.stop();
    let archive = open_archive(folder.path());
    archive.recover(now()).unwrap();
    let recorder = Recorder::start(&config(), Arc::clone(&archive), Arc::new(MachineClock));
    let server = Server {
        recorder: recorder.unwrap(),
        archive,
        folder,
    };
    assert_eq!(server.timeline(id).verdict, Verdict::Whole);
    let opened = server.open(id);
    for (stream, sent) in (1..).zip(sent(&report)) {
        assert_eq!(payloads(&opened, stream), sent);
    }
}

#[test]
fn a_pause_is_told_only_once_the_media_thread_has_made_it_and_what_is_not_heard_in_time_is_an_error()
 {
    let server = server();
    let (id, call) = running(&server, 1);
    let shown = || server.recorder.status().calls[0].pause;
    let (busy, is_busy) = channel();
    let (go_on, waits) = channel::<()>();
    plan(id, "obeying", move || {
        busy.send(()).unwrap();
        // Until the other end says so, or is gone.
        if waits.recv().is_err() {}
    });
    let paused = std::thread::scope(|scope| {
        let asking = scope.spawn(|| server.recorder.pause(id, PauseReason::CardData, None));
        is_busy.recv_timeout(LONG).unwrap();
        assert_eq!(
            shown(),
            None,
            "the thread that reads the media has not paused"
        );
        let paused = asking.join().unwrap();
        assert_eq!(shown(), None);
        go_on.send(()).unwrap();
        paused
    });
    assert_eq!(paused, Err(PauseError::NoAnswer));
    // Nobody knew; it came all the same, and whoever asks again is told so.
    let again = server.recorder.pause(id, PauseReason::CardData, None);
    assert_eq!(shown(), Some(again.unwrap()));
    let before = kept(&server, id);
    pass(300);
    assert_eq!(
        kept(&server, id),
        before,
        "nothing is kept once it was told"
    );
    server.recorder.resume(id).unwrap();
    call.hang_up().unwrap();
    server.all_closed();
    assert!(kinds(&server.timeline(id)).contains(&IntervalKind::Paused));
}
