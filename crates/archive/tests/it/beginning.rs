//! A recording that cannot begin at the first attempt: the next one succeeds, or nothing is left.

use crate::support::*;
use voicelog_archive::check::Level;
use voicelog_archive::journal::{Cause, JournalEvent};
use voicelog_archive::timeline::Verdict as Completeness;
use voicelog_archive::{Archive, ArchiveError, Call, State};
use voicelog_model::Kind;
use voicelog_store::faulty::{Schedule, Then, When};

/// Runs a call up to the point where it begins, with each single storage operation of `begin`
/// failing once, and gives what is left to `go_on`.
fn with_each_fault(go_on: impl Fn(&Archive, &Call, &str)) {
    for line in ["announced", "covert"] {
        let counting = Schedule::counting();
        let folder = tempfile::tempdir().unwrap();
        let (before, began, _) = begin(&faulty(folder.path(), &counting), line, &counting);
        began.unwrap();
        let operations = counting.operations();
        assert!(operations.len() >= before + 5, "{operations:?}");
        for (number, name) in operations.iter().enumerate().skip(before) {
            for when in [When::Before, When::After] {
                if *name == "create" && when == When::After {
                    // Storage does not make an object and then lose its handle.
                    continue;
                }
                let folder = tempfile::tempdir().unwrap();
                let schedule = Schedule::failing(number + 1, when, Then::GoOn);
                let archive = faulty(folder.path(), &schedule);
                let (_, began, call) = begin(&archive, line, &schedule);
                let place = format!("{line}: operation {number} ({name}), {when:?}");
                assert!(began.is_err(), "{place}");
                go_on(&archive, &call, &place);
                assert_eq!(archive.check(Level::Hash).unwrap().wrong, [], "{place}");
            }
        }
    }
}

/// One attempt. A call on the covert line waits first and is then permitted.
fn begin(
    archive: &Archive,
    line: &str,
    schedule: &Schedule,
) -> (usize, Result<(), ArchiveError>, Call) {
    let call = open_call(archive, line);
    if line == "covert" {
        archive.ask_to_record(call.id, START).unwrap();
        let told = serde_json::json!({ "openness": "announced" });
        archive
            .say(call.id, told.as_object().unwrap().clone(), START)
            .unwrap();
    }
    let answer = archive.ask_to_record(call.id, START).unwrap();
    let before = schedule.operations().len();
    let began = archive.begin(permit(answer)).map(|_writer| ());
    (before, began, call)
}

#[test]
fn after_a_failed_beginning_the_next_permit_begins_it() {
    with_each_fault(|archive, call, place| {
        let answer = archive.ask_to_record(call.id, START).unwrap();
        let decision = answer.id;
        let mut writer = archive.begin(permit(answer)).unwrap_or_else(|error| {
            panic!("{place}: {error:?}");
        });
        write_to(archive, &mut writer, call, decision, 60);
        let finished = end(archive, writer, 60).unwrap();
        assert_eq!(finished.verdict, Completeness::Whole, "{place}");
        assert_eq!(finished.timeline.streams[0].packets, 60, "{place}");
    });
}

#[test]
fn a_call_that_never_began_leaves_no_key_and_no_segment() {
    with_each_fault(|archive, call, place| {
        let cause = Cause::Overload;
        let events = [
            (START, JournalEvent::CallStarted {}),
            (seconds(1), JournalEvent::CallEnded { cause }),
        ];
        let closed = archive.finish_unrecorded(call.id, &events, seconds(1));
        match archive.summary(call.id) {
            Ok(summary) => assert_eq!(summary.state, State::NotRecorded, "{place}"),
            Err(_no_row) => assert_eq!(closed.unwrap_err().kind(), Kind::NotFound, "{place}"),
        }
        let trace = archive.trace(call.id).unwrap();
        assert_eq!((trace.blobs, trace.has_key), (0, false), "{place}");
    });
}

#[test]
fn a_recording_has_one_writer() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let call = open_call(archive, "announced");
    let ask = || permit(archive.ask_to_record(call.id, START).unwrap());
    let (first, second) = (ask(), ask());
    let _writer = archive.begin(first).unwrap();
    assert_eq!(archive.begin(second).unwrap_err().kind(), Kind::Conflict);
}
