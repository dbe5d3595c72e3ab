//! Recordings.

use super::values::{Columns as _, Fail, first, insert_erasable, integer, limit, rows, run};
use super::{SqliteIndex, holds, log, sql};
use crate::StoreError;
use crate::index::{
    Cursor, Finished, HoldCursor, HoldRow, NewHold, NewRecording, OverdueHolds, Page, Part,
    PendingLeaf, RecordingFilter, RecordingRow, Recordings, Release, State, TermCursor, Unrecorded,
};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, Savepoint};
use voicelog_model::{HoldId, RecordingId, Timestamp};

impl Recordings for SqliteIndex {
    fn insert_recording(&self, recording: &NewRecording) -> Result<(), StoreError> {
        if !matches!(recording.state, State::Waiting | State::Recording) {
            return Err(not_now(recording.id, recording.state, "begin"));
        }
        self.write("insert a recording", |transaction| {
            if state_of(transaction, recording.id)?.is_some() {
                let id = recording.id.to_string();
                return Err(StoreError::Exists {
                    noun: "recording",
                    id,
                }
                .into());
            }
            let line = insert_erasable(transaction, recording.line.as_bytes())?;
            let sealed = insert_erasable(transaction, &recording.sealed)?;
            let report = insert_erasable(transaction, &recording.report)?;
            let values = (
                recording.id.as_bytes(),
                recording.state,
                recording.started_at.micros(),
                recording.decision.as_bytes(),
                line,
                sealed,
                report,
                recording.has_sound_key,
            );
            run(transaction, sql::INSERT_RECORDING, values)?;
            Ok(())
        })
    }

    fn set_state(&self, id: RecordingId, from: &[State], to: State) -> Result<bool, StoreError> {
        let is_running =
            |state: &State| matches!(state, State::Waiting | State::Recording | State::Finishing);
        if let Some(other) = from.iter().chain([&to]).find(|state| !is_running(state)) {
            return Err(not_now(id, *other, "be changed by this verb"));
        }
        self.write("change the state of a recording", |transaction| {
            let present = require_state(transaction, id)?;
            if !from.contains(&present) {
                return Ok(false);
            }
            run(transaction, sql::SET_STATE, (id.as_bytes(), to))?;
            Ok(true)
        })
    }

    fn update_sealed(&self, id: RecordingId, sealed: &[u8]) -> Result<(), StoreError> {
        self.write("replace a sealed column", |transaction| {
            require_not_ending(transaction, id, "be changed")?;
            let old: Option<i64> = first(transaction, sql::SEALED_OF, [id.as_bytes()], |row| {
                row.get(0)
            })?
            .flatten();
            if let Some(old) = old {
                run(transaction, sql::WIPE, [old])?;
            }
            let new = insert_erasable(transaction, sealed)?;
            run(transaction, sql::SET_SEALED, (id.as_bytes(), new))?;
            Ok(())
        })
    }

    fn forget_facts(&self, id: RecordingId) -> Result<(), StoreError> {
        self.write("forget the facts of decisions", |transaction| {
            run(transaction, sql::WIPE_FACTS, [id.as_bytes()])?;
            run(transaction, sql::FORGET_FACTS, [id.as_bytes()])?;
            Ok(())
        })
    }

    fn report(&self, id: RecordingId) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("read what was odd about a call", |connection| {
            Ok(first(connection, sql::REPORT, [id.as_bytes()], |row| {
                row.get(0)
            })?)
        })
    }

    fn finish_recording(
        &self,
        id: RecordingId,
        finished: &Finished,
        leaf: &PendingLeaf,
    ) -> Result<bool, StoreError> {
        if finished.manifest.is_empty() {
            return Err(StoreError::Invalid {
                what: "no manifest of recording",
                value: id.to_string(),
            });
        }
        self.write("finish a recording", |transaction| {
            if !matches!(
                require_state(transaction, id)?,
                State::Recording | State::Finishing
            ) {
                return Ok(false);
            }
            let manifest = insert_erasable(transaction, &finished.manifest)?;
            let timeline = insert_erasable(transaction, &finished.timeline)?;
            let values = (
                id.as_bytes(),
                finished.ended_at.micros(),
                &finished.verdict,
                manifest,
                timeline,
                integer(finished.byte_count),
                finished.retain_until.map(Timestamp::micros),
                leaf.id,
                finished.sound_until.map(Timestamp::micros),
            );
            run(transaction, sql::FINISH_RECORDING, values)?;
            for leaf in &finished.also {
                log::queue(transaction, leaf)?;
            }
            log::queue(transaction, leaf)?;
            Ok(true)
        })
    }

    fn end_unrecorded(
        &self,
        id: RecordingId,
        ended: &Unrecorded,
        leaf: Option<&PendingLeaf>,
    ) -> Result<bool, StoreError> {
        self.write("end a call that was not recorded", |transaction| {
            if require_state(transaction, id)? != State::Waiting {
                return Ok(false);
            }
            let timeline = insert_erasable(transaction, &ended.timeline)?;
            let values = (
                id.as_bytes(),
                ended.ended_at.micros(),
                &ended.verdict,
                timeline,
                ended.retain_until.map(Timestamp::micros),
                leaf.map(|leaf| leaf.id),
            );
            run(transaction, sql::END_UNRECORDED, values)?;
            if let Some(leaf) = leaf {
                log::queue(transaction, leaf)?;
            }
            Ok(true)
        })
    }

    fn recording(&self, id: RecordingId) -> Result<Option<RecordingRow>, StoreError> {
        self.read("read a recording", |connection| {
            Ok(first(
                connection,
                sql::RECORDING,
                [id.as_bytes()],
                read_row,
            )?)
        })
    }

    fn manifest(&self, id: RecordingId) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("read a manifest", |connection| {
            Ok(first(connection, sql::MANIFEST, [id.as_bytes()], |row| {
                row.get(0)
            })?)
        })
    }

    fn timeline(&self, id: RecordingId) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("read a timeline", |connection| {
            Ok(first(connection, sql::TIMELINE, [id.as_bytes()], |row| {
                row.get(0)
            })?)
        })
    }

    fn list_recordings(
        &self,
        filter: &RecordingFilter,
        after: Option<Cursor>,
        rows_max: usize,
    ) -> Result<Page, StoreError> {
        let (before, id) = after.map_or((i64::MAX, [0xff; 16]), |cursor| {
            (cursor.started_at.micros(), *cursor.id.as_bytes())
        });
        let from = filter.from.map_or(i64::MIN, Timestamp::micros);
        let to = filter.to.map_or(i64::MAX, Timestamp::micros);
        let rows_max = limit(rows_max);
        let rows = self.read("list recordings", |connection| {
            Ok(match filter.state {
                None => {
                    let values = (before, id, from, to, rows_max);
                    rows(connection, sql::LIST_RECORDINGS, values, read_row)?
                }
                Some(state) => {
                    let values = (before, id, from, to, rows_max, in_row(state), state);
                    rows(connection, sql::LIST_RECORDINGS_IN_STATE, values, read_row)?
                }
            })
        })?;
        let is_full = i64::try_from(rows.len()) == Ok(rows_max);
        let next = rows.last().filter(|_| is_full).map(|last| Cursor {
            started_at: last.started_at,
            id: last.id,
        });
        Ok(Page { rows, next })
    }

    fn recordings_in_state(&self, states: &[State]) -> Result<Vec<RecordingRow>, StoreError> {
        self.read("list recordings", |connection| {
            let wanted = State::ALL.map(|state| states.contains(&state).then_some(in_row(state)));
            let mut found = rows(connection, sql::RECORDINGS_IN_STATE, wanted, read_row)?;
            found.retain(|row| states.contains(&row.state));
            Ok(found)
        })
    }

    fn due(
        &self,
        now: Timestamp,
        after: Option<TermCursor>,
        rows_max: usize,
    ) -> Result<Vec<RecordingId>, StoreError> {
        self.read("list recordings whose term is over", |connection| {
            let term = after.map_or(i64::MIN, |after| after.retain_until.micros());
            // An empty blob sorts before every id.
            let id = after.as_ref().map_or(&[][..], |after| after.id.as_bytes());
            let values = (now.micros(), limit(rows_max), term, id);
            Ok(rows(connection, sql::DUE, values, |row| row.recording(0))?)
        })
    }

    fn due_sound(
        &self,
        now: Timestamp,
        after: Option<TermCursor>,
        rows_max: usize,
    ) -> Result<Vec<RecordingId>, StoreError> {
        self.read("list recordings whose sound has to go", |connection| {
            let term = after.map_or(i64::MIN, |after| after.retain_until.micros());
            let id = after.as_ref().map_or(&[][..], |after| after.id.as_bytes());
            let values = (now.micros(), limit(rows_max), term, id);
            Ok(rows(connection, sql::DUE_SOUND, values, |row| {
                row.recording(0)
            })?)
        })
    }

    fn set_retain_until(
        &self,
        id: RecordingId,
        retain_until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.write("change a term", |transaction| {
            require_not_ending(transaction, id, "get another term")?;
            let values = (id.as_bytes(), retain_until.map(Timestamp::micros));
            run(transaction, sql::SET_RETAIN_UNTIL, values)?;
            Ok(())
        })
    }

    fn place_hold(&self, hold: &NewHold, leaf: &PendingLeaf) -> Result<(), StoreError> {
        self.write("place a hold", |transaction| {
            holds::place(transaction, hold, leaf)
        })
    }

    fn lift_hold(&self, release: &Release, leaf: &PendingLeaf) -> Result<bool, StoreError> {
        self.write("lift a hold", |transaction| {
            holds::lift(transaction, release, leaf)
        })
    }

    fn hold(&self, id: HoldId) -> Result<Option<HoldRow>, StoreError> {
        self.read("read a hold", |connection| holds::one(connection, id))
    }

    fn holds_of(&self, recording: RecordingId) -> Result<Vec<HoldRow>, StoreError> {
        self.read("list holds", |connection| holds::of(connection, recording))
    }

    fn open_holds(
        &self,
        after: Option<HoldCursor>,
        rows_max: usize,
    ) -> Result<Vec<HoldRow>, StoreError> {
        self.read("list holds", |connection| {
            holds::open(connection, after, rows_max)
        })
    }

    fn overdue_holds(&self, now: Timestamp) -> Result<OverdueHolds, StoreError> {
        self.read("count holds", |connection| holds::overdue(connection, now))
    }
}

/// The word of a state in its column. That the sound goes, or is gone, stands in one of its own.
const fn in_row(state: State) -> State {
    match state {
        State::SoundDestroying | State::WithoutSound => State::Sealed,
        other => other,
    }
}

/// The state of a recording, if there is one.
pub(super) fn state_of(connection: &Connection, id: RecordingId) -> Result<Option<State>, Fail> {
    Ok(first(connection, sql::STATE_OF, [id.as_bytes()], |row| {
        row.get(0)
    })?)
}

/// The state of a recording that must be there.
pub(super) fn require_state(transaction: &Savepoint<'_>, id: RecordingId) -> Result<State, Fail> {
    state_of(transaction, id)?.ok_or_else(|| {
        StoreError::NotFound {
            noun: "recording",
            id: id.to_string(),
        }
        .into()
    })
}

/// Refuses what would give a recording new content after its destruction has begun.
pub(super) fn require_not_ending(
    transaction: &Savepoint<'_>,
    id: RecordingId,
    act: &'static str,
) -> Result<(), Fail> {
    match require_state(transaction, id)? {
        state @ (State::Destroying | State::Destroyed) => Err(not_now(id, state, act).into()),
        State::Waiting
        | State::Recording
        | State::Finishing
        | State::Sealed
        | State::SoundDestroying
        | State::WithoutSound
        | State::NotRecorded => Ok(()),
    }
}

pub(super) fn not_now(id: RecordingId, state: State, act: &'static str) -> StoreError {
    StoreError::State {
        noun: "recording",
        id: id.to_string(),
        state: state.as_str(),
        act,
    }
}

pub(super) fn read_row(row: &Row<'_>) -> rusqlite::Result<RecordingRow> {
    let byte_count = match row.get::<_, Option<i64>>(8)? {
        None => None,
        Some(_) => Some(row.count(8)?),
    };
    let line = String::from_utf8(row.sealed(4)?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(4, Type::Blob, Box::new(error))
    })?;
    Ok(RecordingRow {
        id: row.recording(0)?,
        state: row.get(1)?,
        started_at: row.moment(2)?,
        ended_at: row.moment_or_none(3)?,
        line,
        decision: row.decision(5)?,
        sealed: row.sealed(6)?,
        verdict: row.get(7)?,
        byte_count,
        retain_until: row.moment_or_none(9)?,
        leaf: row.get(10)?,
        destroyed_at: row.moment_or_none(11)?,
        part: read_part(row)?,
        has_sound_key: row.get(15)?,
        sound_until: row.moment_or_none(16)?,
        sound_destroyed_at: row.moment_or_none(17)?,
    })
}

fn read_part(row: &Row<'_>) -> rusqlite::Result<Option<Part>> {
    let Some(conversation) = row.get(12)? else {
        return Ok(None);
    };
    Ok(Some(Part {
        conversation: RecordingId::from_bytes(conversation),
        linked_by: row.get(13)?,
        is_copy: row.get(14)?,
    }))
}
