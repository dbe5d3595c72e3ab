//! The recorder's diary.

use super::values::{Columns as _, first, integer, limit, rows, run};
use super::{SqliteIndex, sql};
use crate::StoreError;
use crate::index::{Diary, DiaryEntry};
use voicelog_model::Timestamp;

impl Diary for SqliteIndex {
    fn add_to_diary(&self, entries: &[DiaryEntry]) -> Result<(), StoreError> {
        self.write("write the diary", |transaction| {
            for entry in entries.iter().filter(|entry| entry.count > 0) {
                let values = (entry.minute.micros(), &entry.what, integer(entry.count));
                run(transaction, sql::ADD_TO_DIARY, values)?;
            }
            Ok(())
        })
    }

    fn diary(
        &self,
        from: Timestamp,
        to: Timestamp,
        most: usize,
    ) -> Result<Vec<DiaryEntry>, StoreError> {
        self.read("read the diary", |connection| {
            let values = (from.micros(), to.micros(), limit(most));
            Ok(rows(connection, sql::DIARY, values, |row| {
                Ok(DiaryEntry {
                    minute: row.moment(0)?,
                    what: row.get(1)?,
                    count: row.count(2)?,
                })
            })?)
        })
    }

    fn diary_begins(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read("read the diary", |connection| {
            let begins = first(connection, sql::DIARY_BEGINS, [], |row| {
                row.moment_or_none(0)
            })?;
            Ok(begins.flatten())
        })
    }

    fn forget_diary(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write("shorten the diary", |transaction| {
            run(transaction, sql::FORGET_DIARY, [before.micros()])?;
            Ok(())
        })
    }
}
