//! Holds.

use super::recordings::require_not_ending;
use super::sql;
use super::values::{Columns as _, Fail, first, insert_erasable, rows, run};
use crate::StoreError;
use crate::folder::hex;
use crate::index::{HoldId, HoldRow, NewHold};
use rusqlite::{Connection, Savepoint};
use voicelog_model::{DecisionId, RecordingId, Timestamp};

pub(super) fn place(transaction: &Savepoint<'_>, hold: &NewHold) -> Result<(), Fail> {
    require_not_ending(transaction, hold.recording, "be held")?;
    let sealed = insert_erasable(transaction, &hold.sealed)?;
    let values = (
        hold.id,
        hold.recording.as_bytes(),
        hold.placed_at.micros(),
        hold.decision.as_ref().map(DecisionId::as_bytes),
        sealed,
    );
    run(transaction, sql::INSERT_HOLD, values)?;
    Ok(())
}

pub(super) fn lift(transaction: &Savepoint<'_>, id: HoldId, at: Timestamp) -> Result<bool, Fail> {
    if first(transaction, sql::HOLD_EXISTS, [id], |row| row.count(0))? == Some(0) {
        return Err(StoreError::NotFound {
            noun: "hold",
            id: hex(&id),
        }
        .into());
    }
    Ok(run(transaction, sql::LIFT_HOLD, (id, at.micros()))? > 0)
}

pub(super) fn of(connection: &Connection, recording: RecordingId) -> Result<Vec<HoldRow>, Fail> {
    let found = rows(connection, sql::HOLDS_OF, [recording.as_bytes()], |row| {
        Ok(HoldRow {
            hold: NewHold {
                id: row.get(0)?,
                recording: row.recording(1)?,
                placed_at: row.moment(2)?,
                decision: row
                    .get::<_, Option<[u8; 16]>>(3)?
                    .map(DecisionId::from_bytes),
                sealed: row.sealed(4)?,
            },
            lifted_at: row.moment_or_none(5)?,
        })
    })?;
    Ok(found)
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
