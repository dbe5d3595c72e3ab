//! Bringing the index of an older program up to the schema of this one.
//!
//! Each step is one transaction with its line in `schema_history`: a crash leaves the schema before it
//! or the one after it. A step adds, and takes away only what should not have been kept.

use super::{SCHEMA_VERSION, connect, sql};
use crate::StoreError;
use rusqlite::TransactionBehavior;
use std::path::Path;
use voicelog_model::Timestamp;

/// The oldest schema that there is a way from.
const OLDEST: i64 = 2;

/// The statements from one schema to the next, by the schema that they lead to.
const STEPS: &[(i64, &str)] = &[
    (3, include_str!("to_3.sql")),
    (4, include_str!("to_4.sql")),
    (5, include_str!("to_5.sql")),
    (6, include_str!("to_6.sql")),
    (7, include_str!("to_7.sql")),
    (8, include_str!("to_8.sql")),
    (9, include_str!("to_9.sql")),
    (10, include_str!("to_10.sql")),
];

/// Brings an index up to the schema of this program; tells from which one, if it was another.
///
/// Only the process that holds the archive's server lock may call this: another one that has the index
/// open would go on with the old schema. Errors: there is none, it is newer, or too old.
pub fn migrate(path: &Path, at: Timestamp) -> Result<Option<i64>, StoreError> {
    if !path.exists() {
        return Err(StoreError::NotFound {
            noun: "index",
            id: path.display().to_string(),
        });
    }
    let failed = StoreError::sql("bring the tables up to date");
    let mut connection = connect(path).map_err(&failed)?;
    let has_schema: i64 = connection
        .query_row(sql::HAS_SCHEMA, [], |row| row.get(0))
        .map_err(&failed)?;
    if has_schema == 0 {
        // Not ours; opening it says so.
        return Ok(None);
    }
    let found: i64 = connection
        .query_row(sql::SCHEMA_VERSION, [], |row| row.get(0))
        .map_err(&failed)?;
    if !(OLDEST..SCHEMA_VERSION).contains(&found) {
        return Ok(None);
    }
    let program = concat!("voicelog ", env!("CARGO_PKG_VERSION"));
    for (version, statements) in STEPS.iter().filter(|(version, _)| *version > found) {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(&failed)?;
        transaction.execute_batch(statements).map_err(&failed)?;
        let values = (version, at.micros(), program);
        transaction
            .execute(sql::INSERT_SCHEMA, values)
            .map_err(&failed)?;
        transaction.commit().map_err(&failed)?;
    }
    Ok(Some(found))
}
