//! The clock that terms are held against.

use crate::support::*;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use voicelog_archive::{Archive, ArchiveError, Uptime};
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::{Kind, Timestamp};

const DAY: i64 = 86_400;

fn jumped<T: std::fmt::Debug>(found: Result<T, ArchiveError>) -> bool {
    match found {
        Err(error @ ArchiveError::ClockJumped { .. }) => {
            assert_eq!(error.kind(), Kind::Unavailable);
            assert!(error.help().contains("confirm-clock"));
            true
        }
        Ok(_) => false,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_clock_that_is_years_ahead_is_not_believed_whatever_is_logged_by_it_until_somebody_confirms_it()
{
    let made = fixture();
    let archive = &made.archive;
    archive.sequence().unwrap();
    archive.look_at_clock(seconds(60)).unwrap();
    let years = seconds(5 * 365 * DAY);
    assert!(jumped(archive.look_at_clock(years)));
    // What is logged by the wrong clock does not make it right.
    archive.introduce(years).unwrap();
    archive.sequence().unwrap();
    assert!(jumped(archive.look_at_clock(years)));
    assert!(jumped(archive.must_believe_clock(years)));
    let made = made.reopen();
    let archive = &made.archive;
    assert!(jumped(archive.must_believe_clock(years)), "after a restart");

    assert_eq!(archive.confirm_clock(years).unwrap(), Some(seconds(60)));
    archive.must_believe_clock(years).unwrap();
    assert!(!jumped(archive.look_at_clock(years)));
    let leaves = archive.leaves(0, 100).unwrap();
    let last = Leaf::from_bytes(&leaves.last().unwrap().bytes).unwrap();
    assert_eq!(
        (last.kind, last.object.as_str(), last.at),
        (LeafKind::ClockConfirmed, "clock", years)
    );
    // It was wrong to confirm it: back is a jump as well.
    assert!(jumped(archive.must_believe_clock(seconds(120))));
}

#[test]
fn an_archive_that_never_looked_begins_with_the_newest_entry_of_its_log() {
    let made = fixture();
    made.archive.introduce(START).unwrap();
    made.archive.sequence().unwrap();
    assert!(jumped(made.archive.must_believe_clock(seconds(8 * DAY))));
    made.archive.must_believe_clock(seconds(6 * DAY)).unwrap();
    made.archive.begin_to_watch_clock(seconds(8 * DAY)).unwrap();
    assert!(jumped(made.archive.look_at_clock(seconds(8 * DAY))));
    let empty = fixture();
    let any = Timestamp::from_micros(1);
    empty.archive.must_believe_clock(any).unwrap();
}

/// An archive on a machine that was started at moment zero, and how long it has been running: seconds.
fn watched() -> (Fixture, Arc<Mutex<(String, i64)>>) {
    let Fixture { archive, folder } = fixture();
    drop(archive);
    let machine = Arc::new(Mutex::new(("first".to_owned(), 0)));
    (on_machine(folder, &machine), machine)
}

fn on_machine(folder: TempDir, machine: &Arc<Mutex<(String, i64)>>) -> Fixture {
    let machine = Arc::clone(machine);
    let clock = move || {
        let (boot, running) = machine.lock().unwrap().clone();
        let running = Duration::from_secs(u64::try_from(running).unwrap());
        Some(Uptime::new(boot, running))
    };
    let archive = Archive::open(parts(folder.path())).with_uptime_clock(Box::new(clock));
    Fixture {
        archive: Arc::new(archive),
        folder,
    }
}

#[test]
fn a_clock_may_come_apart_from_one_that_nobody_sets_by_an_hour_in_all_which_slowly_comes_back() {
    let (made, machine) = watched();
    let look = |at: i64, running: i64| {
        machine.lock().unwrap().1 = running;
        !jumped(made.archive.look_at_clock(seconds(at)))
    };
    assert!(look(0, 0));
    assert!(look(300, 300));
    assert!(look(600 + 2_400, 600), "40 minutes ahead");
    let ahead = 2_400;
    assert!(look(900 + ahead, 900));
    // Each look by itself would be within an hour.
    assert!(!look(1_200 + ahead + 1_500, 1_200));
    assert!(look(1_200 + ahead, 1_200), "back in its place");
    assert!(
        !look(1_500 + ahead - 301, 1_500),
        "five minutes back at most"
    );
    // Asleep for three days: the other clock went on, and half of the hour is there again.
    let later = 1_500 + 3 * DAY;
    assert!(look(later + ahead, later));
    assert!(look(later + ahead + 2_700, later), "45 minutes more");
    assert!(!look(later + ahead + 2_700 + 1_200, later));
}

#[test]
fn a_jump_is_kept_over_a_restart_and_nobody_destroys_by_it_until_somebody_confirms_it() {
    let (made, machine) = watched();
    made.archive.look_at_clock(seconds(0)).unwrap();
    // Three days ahead after five minutes: less than the week that is believed after a start of the machine.
    machine.lock().unwrap().1 = 300;
    let ahead = seconds(3 * DAY);
    assert!(
        jumped(made.archive.must_believe_clock(ahead)),
        "before any look"
    );
    assert!(jumped(made.archive.look_at_clock(ahead)));
    let Fixture { archive, folder } = made;
    drop(archive);
    *machine.lock().unwrap() = ("second".to_owned(), 5);
    let made = on_machine(folder, &machine);
    made.archive.begin_to_watch_clock(ahead).unwrap();
    assert!(jumped(made.archive.look_at_clock(ahead)));
    assert!(jumped(made.archive.must_believe_clock(ahead)));
    // Also where the clock seems right again: nobody watched it.
    assert!(jumped(made.archive.look_at_clock(seconds(600))));
    made.archive.confirm_clock(ahead).unwrap();
    made.archive.must_believe_clock(ahead).unwrap();
    made.archive.look_at_clock(ahead).unwrap();
    let made = made.reopen();
    made.archive.must_believe_clock(ahead).unwrap();
}

#[test]
fn a_process_that_is_started_again_on_a_machine_that_ran_on_watches_as_if_it_had_not_been() {
    let (made, machine) = watched();
    made.archive.look_at_clock(seconds(0)).unwrap();
    let Fixture { archive, folder } = made;
    drop(archive);
    machine.lock().unwrap().1 = 60;
    let made = on_machine(folder, &machine);
    assert!(jumped(made.archive.look_at_clock(seconds(2 * DAY))));
    assert!(!jumped(made.archive.look_at_clock(seconds(60))));
}

#[test]
fn what_a_time_server_says_is_a_jump_that_does_not_end_by_itself() {
    let (made, machine) = watched();
    made.archive.look_at_clock(seconds(0)).unwrap();
    made.archive.distrust_clock().unwrap();
    machine.lock().unwrap().1 = 300;
    assert!(jumped(made.archive.look_at_clock(seconds(300))));
    assert!(jumped(made.archive.must_believe_clock(seconds(300))));
    made.archive.confirm_clock(seconds(300)).unwrap();
    made.archive.look_at_clock(seconds(300)).unwrap();
}

#[test]
fn where_nobody_watched_a_week_is_believed() {
    let made = fixture();
    made.archive.look_at_clock(seconds(0)).unwrap();
    assert!(!jumped(made.archive.must_believe_clock(seconds(7 * DAY))));
    assert!(jumped(
        made.archive.must_believe_clock(seconds(7 * DAY + 1))
    ));
    // Small steps back lead nowhere.
    assert!(!jumped(made.archive.look_at_clock(seconds(-300))));
    assert!(jumped(made.archive.look_at_clock(seconds(-301))));
}
