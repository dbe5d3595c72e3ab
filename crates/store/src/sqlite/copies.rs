//! Copies of the index, and the tombstones that an old one gets before it is used.

use super::destructions::{entomb, of, wipe};
use super::recordings::{not_now, state_of};
use super::values::{Fail, first, run};
use super::{Snapshot, SqliteIndex, connect, holds, ledger, sql};
use crate::StoreError;
use crate::index::{Burial, Copies, Ledger, NewHold, State};
use rusqlite::Savepoint;
use std::path::Path;
use voicelog_model::{RecordingId, Timestamp};

impl Copies for SqliteIndex {
    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.make_snapshot()
    }

    fn ledger(&self, log_from: u64) -> Result<Ledger, StoreError> {
        self.read("read what was destroyed", |connection| {
            ledger::read(connection, log_from)
        })
    }

    fn bury(&self, burials: &[Burial]) -> Result<u64, StoreError> {
        let count = self.write("make tombstones", |transaction| {
            let mut count = 0;
            for burial in burials {
                count += u64::from(bury_one(transaction, burial)?);
            }
            Ok(count)
        })?;
        self.empty_journal()?;
        Ok(count)
    }

    fn bury_named(&self, named: &[(RecordingId, Timestamp)]) -> Result<u64, StoreError> {
        let count = self.write("make tombstones", |transaction| {
            let mut count = 0;
            for (id, at) in named {
                match state_of(transaction, *id)? {
                    None | Some(State::Destroyed) => continue,
                    Some(_alive) => {}
                }
                lift_holds(transaction, *id, *at)?;
                run(
                    transaction,
                    sql::SET_STATE,
                    (id.as_bytes(), State::Destroying),
                )?;
                wipe(transaction, *id, *at)?;
                count += 1;
            }
            Ok(count)
        })?;
        self.empty_journal()?;
        Ok(count)
    }

    fn hold_again(&self, holds: &[NewHold]) -> Result<u64, StoreError> {
        self.write("place holds again", |transaction| {
            let mut count = 0;
            for hold in holds {
                let is_here = holds::one(transaction, hold.id)?.is_some();
                match state_of(transaction, hold.recording)? {
                    None | Some(State::Destroying | State::Destroyed) => continue,
                    Some(_kept) if is_here => continue,
                    Some(_kept) => {}
                }
                holds::insert(transaction, hold)?;
                count += 1;
            }
            Ok(count)
        })
    }

    fn end_what_ran(&self) -> Result<(), StoreError> {
        self.write("end what ran", |transaction| {
            run(transaction, sql::DELETE_LOGINS, [])?;
            run(transaction, sql::DELETE_SETUP_TOKEN, [])?;
            run(transaction, sql::DELETE_INVITATIONS, [])?;
            run(transaction, sql::WIPE_PROPOSALS, [])?;
            run(transaction, sql::DELETE_PROPOSALS, [])?;
            run(transaction, sql::PARK_MESSAGES, [])?;
            Ok(())
        })
    }
}

/// Makes a copy that [`Copies::snapshot`] wrote the index of an archive again: it gets a write-ahead
/// log, which a copy does not have.
pub fn adopt_copy(path: &Path) -> Result<(), StoreError> {
    connect(path)
        .and_then(|connection| connection.query_row(sql::JOURNAL, [], |_mode| Ok(())))
        .map_err(StoreError::sql("give the copy its journal"))
}

fn lift_holds(transaction: &Savepoint<'_>, id: RecordingId, at: Timestamp) -> Result<(), Fail> {
    let values = (id.as_bytes(), at.micros());
    run(transaction, sql::LIFT_HOLDS_OF, values)?;
    Ok(())
}

fn bury_one(transaction: &Savepoint<'_>, burial: &Burial) -> Result<bool, Fail> {
    let destruction = &burial.destruction;
    let id = destruction.recording;
    let state = state_of(transaction, id)?;
    if state == Some(State::Destroyed) {
        return Ok(false);
    }
    let decision = &burial.decision;
    let is_known = first(
        transaction,
        sql::DECISION,
        [decision.id.as_bytes()],
        |_row| Ok(()),
    )?;
    if is_known.is_none() {
        let values = (
            decision.id.as_bytes(),
            decision.at.micros(),
            decision.action.as_str(),
            &decision.outcome,
            decision.recording.as_ref().map(RecordingId::as_bytes),
            &decision.document,
            None::<i64>,
            decision.leaf,
        );
        run(transaction, sql::INSERT_DECISION, values)?;
    }
    if state.is_none() {
        let values = (
            id.as_bytes(),
            burial.started_at.micros(),
            decision.id.as_bytes(),
        );
        run(transaction, sql::INSERT_UNKNOWN, values)?;
    }
    match of(transaction, id)? {
        Some(present) if present.destruction == *destruction => {}
        Some(_other) => {
            let act = "be destroyed under another intent";
            return Err(not_now(id, State::Destroying, act).into());
        }
        None => {
            let values = (
                destruction.id.as_bytes(),
                id.as_bytes(),
                destruction.decision.as_bytes(),
                destruction.begun_at.micros(),
            );
            run(transaction, sql::INSERT_DESTRUCTION, values)?;
        }
    }
    // They were lifted before it was destroyed, after this copy was made.
    lift_holds(transaction, id, destruction.begun_at)?;
    run(
        transaction,
        sql::SET_STATE,
        (id.as_bytes(), State::Destroying),
    )?;
    if let Some(done) = &burial.done {
        let (name, value) = &done.statement;
        run(transaction, sql::SET_SETTING, (name, value))?;
        entomb(transaction, id, done.destroyed_at, &done.leaf)?;
    }
    Ok(true)
}
