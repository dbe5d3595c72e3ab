//! Copies of the index, and the tombstones that an old one gets before it is used.

use super::destructions::{end_sound, entomb, of, set_leaf, wipe};
use super::recordings::{not_now, state_of};
use super::values::{Fail, first, run};
use super::{Snapshot, SqliteIndex, connect, holds, ledger, sql};
use crate::StoreError;
use crate::index::{Burial, Copies, DecisionRow, Ledger, NewDestruction, NewHold, State};
use rusqlite::Savepoint;
use std::path::Path;
use voicelog_model::{RecordingId, Scope, Timestamp};

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
                let is_new = match burial.destruction.scope {
                    Scope::Whole => bury_one(transaction, burial)?,
                    Scope::Sound => bury_sound(transaction, burial)?,
                };
                count += u64::from(is_new);
            }
            Ok(count)
        })?;
        self.empty_journal()?;
        Ok(count)
    }

    fn bury_named(&self, named: &[(RecordingId, Scope, Timestamp)]) -> Result<u64, StoreError> {
        let count = self.write("make tombstones", |transaction| {
            let mut count = 0;
            for (id, scope, at) in named {
                let state = state_of(transaction, *id)?;
                match (scope, state) {
                    (_, None | Some(State::Destroyed))
                    | (Scope::Sound, Some(State::WithoutSound | State::Destroying)) => continue,
                    (Scope::Sound, Some(State::Sealed | State::SoundDestroying)) => {
                        lift_holds(transaction, *id, *at)?;
                        let values = (id.as_bytes(), at.micros());
                        run(transaction, sql::SOUND_IS_GONE, values)?;
                    }
                    (_, Some(_alive)) => {
                        lift_holds(transaction, *id, *at)?;
                        wipe_at_once(transaction, *id, *at)?;
                    }
                }
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
    take_over_decision(transaction, decision)?;
    if state.is_none() {
        let values = (
            id.as_bytes(),
            burial.started_at.micros(),
            decision.id.as_bytes(),
        );
        run(transaction, sql::INSERT_UNKNOWN, values)?;
    }
    take_over_intent(transaction, destruction)?;
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

fn take_over_decision(transaction: &Savepoint<'_>, decision: &DecisionRow) -> Result<(), Fail> {
    let id = decision.id.as_bytes();
    if first(transaction, sql::DECISION, [id], |_row| Ok(()))?.is_some() {
        return Ok(());
    }
    let values = (
        id,
        decision.at.micros(),
        decision.action.as_str(),
        &decision.outcome,
        decision.recording.as_ref().map(RecordingId::as_bytes),
        &decision.document,
        None::<i64>,
        decision.leaf,
    );
    run(transaction, sql::INSERT_DECISION, values)?;
    Ok(())
}

/// Tells whether it was here already. Errors: there is another.
fn take_over_intent(transaction: &Savepoint<'_>, intent: &NewDestruction) -> Result<bool, Fail> {
    let id = intent.recording;
    match of(transaction, id, intent.scope)? {
        Some(present) if present.destruction == *intent => Ok(true),
        Some(_other) => {
            let act = "be destroyed under another intent";
            Err(not_now(id, State::Destroying, act).into())
        }
        None => {
            let values = (
                intent.id.as_bytes(),
                id.as_bytes(),
                intent.decision.as_bytes(),
                intent.begun_at.micros(),
                intent.scope.as_str(),
            );
            run(transaction, sql::INSERT_DESTRUCTION, values)?;
            Ok(false)
        }
    }
}

fn wipe_at_once(transaction: &Savepoint<'_>, id: RecordingId, at: Timestamp) -> Result<(), Fail> {
    run(
        transaction,
        sql::SET_STATE,
        (id.as_bytes(), State::Destroying),
    )?;
    wipe(transaction, id, at)
}

/// Takes the sound alone out of a copy. One that the copy does not know was made later: nothing of it came along.
/// Of one that was not complete in the copy nothing is left without the sound, so it becomes a tombstone; where its
/// sound was not gone yet either, at once, since there is no destruction of it that could still be completed.
fn bury_sound(transaction: &Savepoint<'_>, burial: &Burial) -> Result<bool, Fail> {
    let intent = &burial.destruction;
    let id = intent.recording;
    let Some(state) = state_of(transaction, id)? else {
        return Ok(false);
    };
    let present = of(transaction, id, Scope::Sound)?;
    if present.is_some_and(|row| row.destroyed_at.is_some()) {
        return Ok(false);
    }
    let is_ended = matches!(state, State::Destroying | State::Destroyed);
    let is_complete = matches!(
        state,
        State::Sealed | State::SoundDestroying | State::WithoutSound
    );
    let Some(done) = &burial.done else {
        if is_complete {
            take_over_sound(transaction, burial)?;
            run(transaction, sql::SOUND_GOES, [id.as_bytes()])?;
        } else if !is_ended {
            lift_holds(transaction, id, intent.begun_at)?;
            wipe_at_once(transaction, id, intent.begun_at)?;
            let values = (id.as_bytes(), intent.begun_at.micros());
            run(transaction, sql::SOUND_WAS_GONE, values)?;
        }
        return Ok(!is_ended);
    };
    take_over_sound(transaction, burial)?;
    let (name, value) = &done.statement;
    run(transaction, sql::SET_SETTING, (name, value))?;
    let at = done.destroyed_at;
    if is_complete {
        end_sound(transaction, id, at, &done.leaf)?;
        return Ok(true);
    }
    if !is_ended {
        wipe_at_once(transaction, id, at)?;
    }
    run(
        transaction,
        sql::SOUND_WAS_GONE,
        (id.as_bytes(), at.micros()),
    )?;
    set_leaf(transaction, (id, Scope::Sound), &done.leaf)?;
    Ok(true)
}

/// Takes over why the sound goes, and that it does.
fn take_over_sound(transaction: &Savepoint<'_>, burial: &Burial) -> Result<(), Fail> {
    let intent = &burial.destruction;
    take_over_decision(transaction, &burial.decision)?;
    if !take_over_intent(transaction, intent)? {
        // They were lifted before it began, after this copy was made.
        lift_holds(transaction, intent.recording, intent.begun_at)?;
    }
    Ok(())
}
