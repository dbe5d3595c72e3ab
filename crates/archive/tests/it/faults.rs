//! The fault matrix: every storage operation of a recording's whole life fails once, before or
//! after it took effect; then the process is dead, the archive is opened again, and what is on
//! disk is looked at from outside.

use crate::support::*;
use std::sync::Arc;
use voicelog_archive::check::Level;
use voicelog_archive::{Archive, ArchiveError, HoldAsked, HoldGround, State, Verdict};
use voicelog_model::{RecordingId, Timestamp};
use voicelog_store::faulty::{DiskFaults, Schedule, Then, When};

fn after_the_term() -> Timestamp {
    START.plus_micros(366 * 86_400 * 1_000_000)
}

/// How far a life came before the fault.
#[derive(Debug, Default)]
struct Progress {
    id: Option<RecordingId>,
    committed: bool,
    finished: bool,
    held: bool,
    release_asked: bool,
    released: bool,
    destroyed: bool,
}

/// A whole life: recorded, closed, logged, held, released, destroyed.
fn live(archive: &Archive, progress: &mut Progress) -> Result<(), ArchiveError> {
    let call = open_call(archive, "announced");
    progress.id = Some(call.id);
    let answer = archive.ask_to_record(call.id, START)?;
    let decision = answer.id;
    let mut writer = archive.begin(permit(answer))?;
    let chunk = first_chunk(&call, decision, 50);
    archive.append(&mut writer, &chunk)?;
    archive.commit()?;
    progress.committed = true;
    end(archive, writer, 50)?;
    progress.finished = true;
    archive.sequence()?;
    hold_and_release(archive, call.id, progress)?;
    let Verdict::Permit(permit) = archive.ask_to_destroy(call.id, after_the_term())?.verdict else {
        panic!("refused")
    };
    archive.destroy(permit, after_the_term())?;
    progress.destroyed = true;
    Ok(())
}

fn hold_and_release(
    archive: &Archive,
    id: RecordingId,
    progress: &mut Progress,
) -> Result<(), ArchiveError> {
    let asked = HoldAsked {
        ground: HoldGround::Claim,
        owner: asker(),
        review_at: seconds(86_400),
        note: None,
        by: asker(),
    };
    let hold = archive.place_hold(id, &asked, seconds(60))?;
    progress.held = true;
    let refused = archive.ask_to_destroy(id, after_the_term())?;
    assert!(matches!(refused.verdict, Verdict::Refusal(_)));
    progress.release_asked = true;
    archive.release(hold.id, &asker(), &asker(), seconds(90))?;
    progress.released = true;
    Ok(())
}

#[test]
fn after_any_single_fault_the_archive_recovers_by_itself_and_passes_the_check() {
    let counting = Schedule::counting();
    let folder = tempfile::tempdir().unwrap();
    let archive = faulty(folder.path(), &counting);
    let disk = DiskFaults::below(folder.path(), &counting);
    live(&archive, &mut Progress::default()).unwrap();
    drop(disk);
    let operations = counting.operations();
    assert!(operations.len() > 20, "{operations:?}");

    for (number, name) in operations.iter().enumerate() {
        for when in [When::Before, When::After] {
            let place = format!("operation {} ({name}), {when:?}", number + 1);
            let folder = tempfile::tempdir().unwrap();
            let schedule = Schedule::failing(number + 1, when, Then::Dead);
            let mut progress = Progress::default();
            let archive = faulty(folder.path(), &schedule);
            let disk = DiskFaults::below(folder.path(), &schedule);
            let ended = live(&archive, &mut progress);
            drop(disk);
            // A look for what is not there fails by itself, before the fault can strike.
            assert_eq!(
                ended.is_err(),
                schedule.is_dead(),
                "{place} should have been noticed"
            );
            drop(archive);
            check_after(
                &Arc::new(Archive::open(parts(folder.path()))),
                &progress,
                &place,
            );
        }
    }
}

/// What must hold whatever failed: recovery succeeds, the check holds, and nothing that was
/// committed is lost unless it was destroyed on purpose.
fn check_after(archive: &Archive, progress: &Progress, place: &str) {
    let now = after_the_term().plus_micros(60_000_000);
    let recovery = archive
        .recover(now)
        .unwrap_or_else(|error| panic!("{place}: {error:?}"));
    assert_eq!(recovery.damaged, [], "{place}");
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, [], "{place}");
    let id = progress.id.unwrap();
    let Ok(summary) = archive.summary(id) else {
        assert!(
            !progress.committed,
            "{place}: a committed recording has no row"
        );
        return;
    };
    match summary.state {
        State::Sealed => {
            let detail = archive.detail(id).unwrap();
            let timeline = detail.timeline.unwrap();
            let kept = timeline.streams.first().map_or(0, |stream| stream.packets);
            assert!(
                !progress.committed || kept == 50,
                "{place}: {kept} packets kept"
            );
            assert!(!progress.destroyed, "{place}");
            // What was told to be held is, until somebody asks to release it.
            let open = archive.open_holds(None, 9).unwrap().len();
            assert!(
                !progress.held || progress.release_asked || open == 1,
                "{place}"
            );
            assert!(!progress.released || open == 0, "{place}");
            assert_eq!(
                archive.holds_opened(id).unwrap().len(),
                archive.holds(id).unwrap().len()
            );
            assert!(
                detail.log_index.is_some(),
                "{place}: a closed recording is in the log"
            );
        }
        State::Destroyed => {
            assert!(
                progress.finished,
                "{place}: only what was closed is destroyed"
            );
            assert!(archive.detail(id).unwrap().certificate.is_some(), "{place}");
        }
        State::NotRecorded => assert!(!progress.committed, "{place}"),
        other => panic!("{place}: still {other}"),
    }
}
