//! Holds.

use super::recordings::{not_now, require_not_ending, require_state};
use super::values::{Columns as _, Fail, first, insert_erasable, limit, rows, run};
use super::{log, sql};
use crate::StoreError;
use crate::index::{HoldCursor, HoldRow, NewHold, OverdueHolds, PendingLeaf, Release, State};
use rusqlite::{Connection, Row, Savepoint};
use voicelog_model::{DecisionId, HoldId, RecordingId, Timestamp};

pub(super) fn place(
    transaction: &Savepoint<'_>,
    hold: &NewHold,
    leaf: &PendingLeaf,
) -> Result<(), Fail> {
    require_not_ending(transaction, hold.recording, "be held")?;
    // From when a hold is placed nothing is destroyed; what was begun goes on.
    let state = require_state(transaction, hold.recording)?;
    if state == State::SoundDestroying {
        return Err(not_now(hold.recording, state, "be held").into());
    }
    insert(transaction, hold)?;
    log::queue(transaction, leaf)
}

pub(super) fn insert(transaction: &Savepoint<'_>, hold: &NewHold) -> Result<(), Fail> {
    let sealed = insert_erasable(transaction, &hold.sealed)?;
    let values = (
        hold.id.as_bytes(),
        hold.recording.as_bytes(),
        hold.placed_at.micros(),
        hold.decision.as_ref().map(DecisionId::as_bytes),
        sealed,
        &hold.ground,
        hold.review_at.micros(),
    );
    run(transaction, sql::INSERT_HOLD, values)?;
    Ok(())
}

pub(super) fn lift(
    transaction: &Savepoint<'_>,
    release: &Release,
    leaf: &PendingLeaf,
) -> Result<bool, Fail> {
    let Some(present) = one(transaction, release.hold)? else {
        return Err(StoreError::NotFound {
            noun: "hold",
            id: release.hold.to_string(),
        }
        .into());
    };
    if present.lifted_at.is_some() {
        return Ok(false);
    }
    require_not_ending(transaction, present.hold.recording, "be released")?;
    let sealed = insert_erasable(transaction, &release.sealed)?;
    let values = (release.hold.as_bytes(), release.at.micros(), sealed);
    run(transaction, sql::LIFT_HOLD, values)?;
    // What was refused because of it is asked again.
    let id = present.hold.recording;
    run(transaction, sql::ASK_AT_ONCE, [id.as_bytes()])?;
    log::queue(transaction, leaf)?;
    Ok(true)
}

pub(super) fn one(connection: &Connection, id: HoldId) -> Result<Option<HoldRow>, Fail> {
    Ok(first(connection, sql::HOLD, [id.as_bytes()], read_row)?)
}

pub(super) fn of(connection: &Connection, recording: RecordingId) -> Result<Vec<HoldRow>, Fail> {
    let id = recording.as_bytes();
    Ok(rows(connection, sql::HOLDS_OF, [id], read_row)?)
}

pub(super) fn open(
    connection: &Connection,
    after: Option<HoldCursor>,
    rows_max: usize,
) -> Result<Vec<HoldRow>, Fail> {
    // An empty blob sorts before every id.
    let at = after.map_or(i64::MIN, |after| after.review_at.micros());
    let id = after.as_ref().map_or(&[][..], |after| after.id.as_bytes());
    let values = (at, id, limit(rows_max));
    Ok(rows(connection, sql::OPEN_HOLDS, values, read_row)?)
}

pub(super) fn overdue(connection: &Connection, now: Timestamp) -> Result<OverdueHolds, Fail> {
    let found = first(connection, sql::OVERDUE_HOLDS, [now.micros()], |row| {
        Ok(OverdueHolds {
            count: row.count(0)?,
            since: row.moment_or_none(1)?,
        })
    })?;
    Ok(found.unwrap_or_default())
}

pub(super) fn read_row(row: &Row<'_>) -> rusqlite::Result<HoldRow> {
    Ok(HoldRow {
        hold: NewHold {
            id: row.get(0).map(HoldId::from_bytes)?,
            recording: row.recording(1)?,
            placed_at: row.moment(2)?,
            decision: row
                .get::<_, Option<[u8; 16]>>(3)?
                .map(DecisionId::from_bytes),
            ground: row.get(4)?,
            review_at: row.moment(5)?,
            sealed: row.sealed(6)?,
        },
        lifted_at: row.moment_or_none(7)?,
        release: row.sealed(8)?,
    })
}

/// Whether a hold protects the recording now.
pub(super) fn is_held(transaction: &Savepoint<'_>, recording: RecordingId) -> Result<bool, Fail> {
    let active = first(
        transaction,
        sql::ACTIVE_HOLDS,
        [recording.as_bytes()],
        |row| row.count(0),
    )?;
    Ok(active.is_some_and(|active| active > 0))
}
