//! What was destroyed, what is held, and the log: all as of one moment, for a list that a restore applies.

use super::values::{Columns as _, Fail, first, integer, rows};
use super::{destructions, holds, sql};
use crate::StoreError;
use crate::index::{DestructionRow, Ledger, LedgerEntry, LogHead, PendingLeaf};
use rusqlite::Connection;

/// Read in one transaction: what is committed meanwhile is in none of it.
pub(super) fn read(connection: &Connection, log_from: u64) -> Result<Ledger, Fail> {
    let moment = connection.unchecked_transaction()?;
    let head: LogHead = super::log::head(&moment)?;
    let leaves = rows(&moment, sql::LEAVES_FROM, [integer(log_from)], |row| {
        Ok(PendingLeaf {
            id: row.get(0)?,
            bytes: row.get(1)?,
        })
    })?;
    let found = rows(
        &moment,
        sql::DESTRUCTIONS_SINCE,
        [integer(log_from)],
        destructions::read_row,
    )?;
    let mut entries = Vec::with_capacity(found.len());
    for row in found {
        entries.push(entry(&moment, row)?);
    }
    let standing = rows(&moment, sql::LEDGER_HOLDS, [], holds::read_row)?;
    let waiting: Option<u64> = first(&moment, sql::WAITING_LEAVES, [], |row| row.count(0))?;
    moment.finish()?;
    Ok(Ledger {
        head,
        leaves,
        destructions: entries,
        holds: standing.into_iter().map(|row| row.hold).collect(),
        is_settled: waiting == Some(0),
    })
}

fn entry(connection: &Connection, row: DestructionRow) -> Result<LedgerEntry, Fail> {
    let destruction = &row.destruction;
    let missing = |what: &str| {
        let of = format!("the destruction of {}", destruction.recording);
        StoreError::corrupt(of, what)
    };
    let started_at = first(
        connection,
        sql::STARTED_AT,
        [destruction.recording.as_bytes()],
        |found| found.moment(0),
    )?;
    let decision = super::decisions::one(connection, destruction.decision)?;
    let decision = decision.ok_or_else(|| missing("its decision is not there"))?;
    let name = format!("destruction/{}", destruction.id);
    let leaf = match row.leaf {
        None => None,
        Some(id) => first(connection, sql::LEAF_BYTES, [id], |found| {
            let bytes = found.get(0)?;
            Ok(PendingLeaf { id, bytes })
        })?,
    };
    Ok(LedgerEntry {
        started_at: started_at.ok_or_else(|| missing("its row is not there"))?,
        decision,
        statement: first(connection, sql::SETTING, [name], |found| found.get(0))?,
        leaf,
        row,
    })
}
