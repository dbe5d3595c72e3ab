//! Destructions: intent, tombstone, certificate.

use super::recordings::{not_now, require_state};
use super::values::{Columns as _, Fail, first, limit, rows, run};
use super::{SqliteIndex, holds, log, sql};
use crate::StoreError;
use crate::index::{DestructionRow, Destructions, NewDestruction, PendingLeaf, State};
use rusqlite::{Connection, Row, Savepoint};
use voicelog_model::{RecordingId, Scope, Timestamp};

impl Destructions for SqliteIndex {
    fn begin_destructions(&self, destructions: &[NewDestruction]) -> Result<(), StoreError> {
        self.not_while_copied()?;
        self.write("begin destructions", |transaction| {
            destructions
                .iter()
                .try_for_each(|destruction| begin(transaction, destruction))
        })
    }

    fn destructions_pending(&self) -> Result<Vec<DestructionRow>, StoreError> {
        self.read("list destructions", |connection| {
            Ok(rows(connection, sql::DESTRUCTIONS_PENDING, [], read_row)?)
        })
    }

    fn destruction_of(
        &self,
        recording: RecordingId,
        scope: Scope,
    ) -> Result<Option<DestructionRow>, StoreError> {
        self.read("read a destruction", |connection| {
            of(connection, recording, scope)
        })
    }

    fn complete_destructions(
        &self,
        destroyed: &[(RecordingId, Scope, PendingLeaf)],
        destroyed_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.not_while_copied()?;
        self.write("make tombstones", |transaction| {
            destroyed
                .iter()
                .try_for_each(|one| complete(transaction, one, destroyed_at))
        })?;
        // Outside the transaction, and again on a second call: the old pages are gone only now.
        self.empty_journal()
    }

    fn set_certificates(
        &self,
        certificates: &[(RecordingId, Scope, Vec<u8>)],
    ) -> Result<(), StoreError> {
        self.write("keep certificates", |transaction| {
            for (recording, scope, bytes) in certificates {
                keep_certificate(transaction, (*recording, *scope), bytes)?;
            }
            Ok(())
        })
    }

    fn certificate(
        &self,
        recording: RecordingId,
        scope: Scope,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("read a certificate", |connection| {
            certificate(connection, (recording, scope))
        })
    }

    fn sound_destroyed(
        &self,
        (from, to): (Timestamp, Timestamp),
        after: Option<RecordingId>,
        rows_max: usize,
    ) -> Result<Vec<RecordingId>, StoreError> {
        self.read("list recordings without their sound", |connection| {
            let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
            let values = (from.micros(), to.micros(), after, limit(rows_max));
            Ok(rows(connection, sql::SOUND_DESTROYED, values, |row| {
                row.recording(0)
            })?)
        })
    }

    fn destroyed_recordings(
        &self,
        after: Option<RecordingId>,
        rows_max: usize,
    ) -> Result<Vec<RecordingId>, StoreError> {
        self.read("list destroyed recordings", |connection| {
            // An empty blob sorts before every id.
            let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
            let values = (after, limit(rows_max));
            Ok(rows(
                connection,
                sql::DESTROYED_RECORDINGS,
                values,
                |row| row.recording(0),
            )?)
        })
    }
}

fn begin(transaction: &Savepoint<'_>, destruction: &NewDestruction) -> Result<(), Fail> {
    let id = destruction.recording;
    let state = require_state(transaction, id)?;
    if let Some(present) = of(transaction, id, destruction.scope)? {
        if present.destruction == *destruction {
            return Ok(());
        }
        return Err(not_now(id, state, "be destroyed under another intent").into());
    }
    match destruction.scope {
        Scope::Whole => {
            if !matches!(
                state,
                State::Sealed | State::WithoutSound | State::NotRecorded
            ) {
                return Err(not_now(id, state, "be destroyed").into());
            }
        }
        Scope::Sound => {
            // Without a key of its own the sound can't go alone.
            let sound: Option<String> =
                first(transaction, sql::SOUND_OF, [id.as_bytes()], |row| {
                    row.get(0)
                })?
                .flatten();
            if state != State::Sealed || sound.is_none() {
                return Err(not_now(id, state, "lose its sound alone").into());
            }
        }
    }
    if holds::is_held(transaction, id)? {
        let id = id.to_string();
        let (state, act) = ("held", "be destroyed");
        return Err(StoreError::State {
            noun: "recording",
            id,
            state,
            act,
        }
        .into());
    }
    let values = (
        destruction.id.as_bytes(),
        id.as_bytes(),
        destruction.decision.as_bytes(),
        destruction.begun_at.micros(),
        destruction.scope.as_str(),
    );
    run(transaction, sql::INSERT_DESTRUCTION, values)?;
    match destruction.scope {
        Scope::Whole => run(
            transaction,
            sql::SET_STATE,
            (id.as_bytes(), State::Destroying),
        )?,
        Scope::Sound => run(transaction, sql::SOUND_GOES, [id.as_bytes()])?,
    };
    Ok(())
}

fn complete(
    transaction: &Savepoint<'_>,
    (recording, scope, leaf): &(RecordingId, Scope, PendingLeaf),
    at: Timestamp,
) -> Result<(), Fail> {
    match (scope, require_state(transaction, *recording)?) {
        (Scope::Whole, State::Destroying) => entomb(transaction, *recording, at, leaf),
        (Scope::Sound, State::SoundDestroying) => end_sound(transaction, *recording, at, leaf),
        // Done before; of the sound, the rest may have followed.
        (Scope::Whole, State::Destroyed)
        | (Scope::Sound, State::WithoutSound | State::Destroying | State::Destroyed) => Ok(()),
        (Scope::Whole, state) => Err(not_now(*recording, state, "become a tombstone").into()),
        (Scope::Sound, state) => Err(not_now(*recording, state, "be without its sound").into()),
    }
}

/// The sound is gone, and what is known of the call stays.
pub(super) fn end_sound(
    transaction: &Savepoint<'_>,
    recording: RecordingId,
    at: Timestamp,
    leaf: &PendingLeaf,
) -> Result<(), Fail> {
    let id = recording.as_bytes();
    run(transaction, sql::SOUND_IS_GONE, (id, at.micros()))?;
    set_leaf(transaction, (recording, Scope::Sound), leaf)
}

/// The leaf that says that it was destroyed.
pub(super) fn set_leaf(
    transaction: &Savepoint<'_>,
    (recording, scope): (RecordingId, Scope),
    leaf: &PendingLeaf,
) -> Result<(), Fail> {
    let values = (recording.as_bytes(), scope.as_str(), leaf.id);
    run(transaction, sql::SET_DESTRUCTION_LEAF, values)?;
    // A log that was brought up to date has it already.
    match log::is_known(transaction, leaf)? {
        true => Ok(()),
        false => log::queue(transaction, leaf),
    }
}

fn keep_certificate(
    transaction: &Savepoint<'_>,
    (recording, scope): (RecordingId, Scope),
    bytes: &[u8],
) -> Result<(), Fail> {
    let row = of(transaction, recording, scope)?;
    if row.is_none_or(|row| row.destroyed_at.is_none()) {
        let state = require_state(transaction, recording)?;
        return Err(not_now(recording, state, "get a certificate").into());
    }
    match certificate(transaction, (recording, scope))? {
        Some(present) if present == bytes => Ok(()),
        Some(_) => {
            let id = recording.to_string();
            Err(StoreError::Exists {
                noun: "certificate",
                id,
            }
            .into())
        }
        None => {
            let values = (recording.as_bytes(), scope.as_str(), bytes);
            run(transaction, sql::SET_CERTIFICATE, values)?;
            Ok(())
        }
    }
}

pub(super) fn entomb(
    transaction: &Savepoint<'_>,
    recording: RecordingId,
    destroyed_at: Timestamp,
    leaf: &PendingLeaf,
) -> Result<(), Fail> {
    wipe(transaction, recording, destroyed_at)?;
    set_leaf(transaction, (recording, Scope::Whole), leaf)
}

/// Leaves ids, times and state of a recording that is being destroyed.
pub(super) fn wipe(
    transaction: &Savepoint<'_>,
    recording: RecordingId,
    destroyed_at: Timestamp,
) -> Result<(), Fail> {
    let id = recording.as_bytes();
    run(transaction, sql::WIPE_OF_RECORDING, [id])?;
    run(transaction, sql::TOMBSTONE, (id, destroyed_at.micros()))?;
    run(transaction, sql::FORGET_LINK_KEYS_OF, [id])?;
    run(transaction, sql::FORGET_FILE, [id])?;
    run(transaction, sql::FORGET_COPY_LINKS_OF, [id])?;
    run(transaction, sql::FORGET_FACTS, [id])?;
    run(transaction, sql::FORGET_HOLDS, [id])?;
    run(transaction, sql::FORGET_PROPOSALS_OF, [id])?;
    Ok(())
}

pub(super) fn of(
    connection: &Connection,
    recording: RecordingId,
    scope: Scope,
) -> Result<Option<DestructionRow>, Fail> {
    let values = (recording.as_bytes(), scope.as_str());
    Ok(first(connection, sql::DESTRUCTION_OF, values, read_row)?)
}

fn certificate(
    connection: &Connection,
    (recording, scope): (RecordingId, Scope),
) -> Result<Option<Vec<u8>>, Fail> {
    let values = (recording.as_bytes(), scope.as_str());
    let found = first(connection, sql::CERTIFICATE, values, |row| row.get(0))?;
    Ok(found.flatten())
}

pub(super) fn read_row(row: &Row<'_>) -> rusqlite::Result<DestructionRow> {
    Ok(DestructionRow {
        destruction: NewDestruction {
            id: row.destruction(0)?,
            recording: row.recording(1)?,
            scope: row.scope(7)?,
            decision: row.decision(2)?,
            begun_at: row.moment(3)?,
        },
        destroyed_at: row.moment_or_none(4)?,
        leaf: row.get(5)?,
        has_certificate: row.get(6)?,
    })
}
