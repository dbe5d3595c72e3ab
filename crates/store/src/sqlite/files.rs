//! Files that were imported.

use super::recordings::require_not_ending;
use super::values::{Columns as _, first, run};
use super::{SqliteIndex, sql};
use crate::StoreError;
use crate::index::{Files, Hash};
use voicelog_model::RecordingId;

impl Files for SqliteIndex {
    fn recording_of_file(&self, key: &Hash) -> Result<Option<RecordingId>, StoreError> {
        self.read("look for a file", |connection| {
            Ok(first(connection, sql::RECORDING_OF_FILE, [key], |row| {
                row.recording(0)
            })?)
        })
    }

    fn claim_file(&self, key: &Hash, id: RecordingId) -> Result<Option<RecordingId>, StoreError> {
        self.write("mark a file", |transaction| {
            require_not_ending(transaction, id, "be a file")?;
            let known = first(transaction, sql::RECORDING_OF_FILE, [key], |row| {
                row.recording(0)
            })?;
            if known.is_none() {
                run(transaction, sql::CLAIM_FILE, (key, id.as_bytes()))?;
            }
            Ok(known.filter(|known| *known != id))
        })
    }

    fn forget_file(&self, id: RecordingId) -> Result<(), StoreError> {
        self.write("forget a file", |transaction| {
            run(transaction, sql::FORGET_FILE, [id.as_bytes()])?;
            Ok(())
        })?;
        // Also where there is no mark any more: an earlier try may have ended here.
        self.empty_journal()
    }
}
