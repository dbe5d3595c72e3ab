//! The clock that terms are held against.

use crate::support::*;
use std::time::Duration;
use voicelog_archive::ArchiveError;
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
    archive.look_at_clock(seconds(60), None).unwrap();
    let years = seconds(5 * 365 * DAY);
    assert!(jumped(archive.look_at_clock(years, None)));
    // What is logged by the wrong clock does not make it right.
    archive.introduce(years).unwrap();
    archive.sequence().unwrap();
    assert!(jumped(archive.look_at_clock(years, None)));
    assert!(jumped(archive.must_believe_clock(years)));
    let made = made.reopen();
    let archive = &made.archive;
    assert!(jumped(archive.must_believe_clock(years)), "after a restart");
    archive.must_believe_clock(seconds(120)).unwrap();

    assert_eq!(archive.confirm_clock(years).unwrap(), Some(seconds(60)));
    archive.must_believe_clock(years).unwrap();
    assert!(!jumped(archive.look_at_clock(years, None)));
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
    assert!(jumped(made.archive.look_at_clock(seconds(8 * DAY), None)));
    let empty = fixture();
    let any = Timestamp::from_micros(1);
    empty.archive.must_believe_clock(any).unwrap();
}

#[test]
fn a_clock_that_is_watched_may_run_ahead_by_an_hour_and_back_by_five_minutes_and_no_more() {
    let made = fixture();
    let look = |at: i64, watched: Option<u64>| {
        let watched = watched.map(Duration::from_secs);
        !jumped(made.archive.look_at_clock(seconds(at), watched))
    };
    assert!(look(0, None));
    assert!(look(300, Some(300)));
    assert!(
        !look(300 + 3_600 + 301, Some(300)),
        "more than an hour ahead"
    );
    assert!(look(300 + 3_600 + 300, Some(300)));
    let seen = 4_200;
    assert!(look(seen - 300, Some(300)));
    assert!(!look(seen - 301, Some(300)));
    assert!(look(seen - 300, Some(300)), "small steps back lead nowhere");
    assert!(!look(seen - 301, Some(300)));
    // A day on which nobody looked, and the clock went on as it should.
    assert!(look(seen + DAY, Some(86_400)));
    assert!(look(seen + 8 * DAY, None));
}
