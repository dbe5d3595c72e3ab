//! Terms that end, counted where they lie: no row is read but those of holds.

use super::recordings::require_not_ending;
use super::values::{Columns as _, Fail, first, limit, rows, run};
use super::{SqliteIndex, sql};
use crate::StoreError;
use crate::index::{GroupCount, Hash, HeldTerms, SoundTerms, TermGroup, Terms};
use rusqlite::{Connection, Params};
use voicelog_model::{RecordingId, Scope, Timestamp};

impl Terms for SqliteIndex {
    fn ask_again(&self, id: RecordingId, scope: Scope, at: Timestamp) -> Result<(), StoreError> {
        self.write("put a question off", |transaction| {
            require_not_ending(transaction, id, "be asked about again")?;
            let ask = match scope {
                Scope::Whole => sql::ASK_AGAIN,
                Scope::Sound => sql::ASK_ABOUT_SOUND_AGAIN,
            };
            run(transaction, ask, (id.as_bytes(), at.micros()))?;
            Ok(())
        })
    }

    fn ask_all_again(&self) -> Result<(), StoreError> {
        self.write("ask everything again", |transaction| {
            run(transaction, sql::ASK_ALL_AGAIN, [])?;
            run(transaction, sql::ASK_ABOUT_ALL_SOUND_AGAIN, [])?;
            Ok(())
        })
    }

    fn sound_terms(&self, until: Timestamp) -> Result<SoundTerms, StoreError> {
        self.read("count terms of sound", |connection| {
            let next = first(connection, sql::NEXT_SOUND_TERM, [until.micros()], |row| {
                row.moment_or_none(0)
            })?;
            let counts = first(connection, sql::SOUND_TERMS, [until.micros()], |row| {
                Ok(SoundTerms {
                    all: row.count(0)?,
                    held: row.count(1)?,
                    put_off: row.count(2)?,
                    next: next.flatten(),
                })
            })?;
            Ok(counts.unwrap_or_default())
        })
    }

    fn without_facts_key(
        &self,
        skip: usize,
        rows_max: usize,
    ) -> Result<Vec<RecordingId>, StoreError> {
        self.read("list recordings", |connection| {
            let values = (limit(rows_max), i64::try_from(skip).unwrap_or(i64::MAX));
            Ok(rows(connection, sql::WITHOUT_FACTS_KEY, values, |row| {
                row.recording(0)
            })?)
        })
    }

    fn set_facts_keys(&self, keys: &[(RecordingId, Hash)]) -> Result<(), StoreError> {
        self.write("sort recordings", |transaction| {
            for (id, key) in keys {
                run(transaction, sql::SET_FACTS_KEY, (id.as_bytes(), key))?;
            }
            Ok(())
        })
    }

    fn term_groups(&self, until: Timestamp) -> Result<Vec<TermGroup>, StoreError> {
        self.read("count terms", |connection| {
            let values = [until.micros()];
            Ok(rows(connection, sql::TERM_GROUPS, values, |row| {
                Ok(TermGroup {
                    facts_key: row.get(0)?,
                    count: row.count(1)?,
                    first_started: row.moment(2)?,
                    last_started: row.moment(3)?,
                    first_term: row.moment(4)?,
                    sample: row.recording(5)?,
                })
            })?)
        })
    }

    fn terms_of_group(
        &self,
        group: &Hash,
        until: Timestamp,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<GroupCount, StoreError> {
        self.read("count terms", |connection| {
            let values = (group, until.micros(), from.micros(), to.micros());
            Ok(GroupCount {
                all: count(connection, sql::TERMS_OF_GROUP, values)?,
                held: count(connection, sql::HELD_OF_GROUP, values)?,
                put_off: count(connection, sql::PUT_OFF_OF_GROUP, values)?,
            })
        })
    }

    fn held_terms(&self, until: Timestamp) -> Result<Vec<HeldTerms>, StoreError> {
        self.read("count terms", |connection| {
            let values = [until.micros()];
            Ok(rows(connection, sql::HELD_TERMS, values, |row| {
                Ok(HeldTerms {
                    ground: row.get(0)?,
                    count: row.count(1)?,
                    first_review: row.moment(2)?,
                })
            })?)
        })
    }

    fn unsorted_terms(&self, until: Timestamp) -> Result<u64, StoreError> {
        self.read("count terms", |connection| {
            count(connection, sql::UNSORTED_TERMS, [until.micros()])
        })
    }

    fn next_term(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read("look for the next term", |connection| {
            let found = first(connection, sql::NEXT_TERM, [after.micros()], |row| {
                row.moment_or_none(0)
            })?;
            Ok(found.flatten())
        })
    }
}

fn count(connection: &Connection, statement: &str, values: impl Params) -> Result<u64, Fail> {
    Ok(first(connection, statement, values, |row| row.count(0))?.unwrap_or(0))
}
