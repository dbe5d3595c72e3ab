//! An index that an older program made.

use crate::fixture::archive;
use rusqlite::Connection;
use std::path::Path;
use voicelog_model::{RecordingId, Timestamp};
use voicelog_store::{Index as _, SCHEMA_VERSION, SqliteIndex, StoreError, migrate};

/// As it was released with schema 2.
const SCHEMA_2: &str = include_str!("schema_2.sql");

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000 + seconds * 1_000_000)
}

/// Puts an index of schema 2 in the place of the one that is there, with one call in it.
fn older(path: &Path, id: RecordingId) {
    std::fs::remove_file(path).unwrap();
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA application_id = 1449946983;")
        .unwrap();
    connection.execute_batch(SCHEMA_2).unwrap();
    let history = "INSERT INTO schema_history VALUES (2, 1, 'voicelog 0.1.0')";
    connection.execute(history, []).unwrap();
    let setting = "INSERT INTO settings VALUES ('archive', ?1)";
    connection.execute(setting, [[7_u8; 16]]).unwrap();
    let decision =
        "INSERT INTO decisions VALUES (?1, 1, 'record', 'permitted', ?2, x'7b7d', NULL, NULL)";
    connection
        .execute(decision, ([9_u8; 16], id.as_bytes()))
        .unwrap();
    let recording = "INSERT INTO recordings (id, state, started_at, decision) \
                     VALUES (?1, 'waiting', 5, ?2)";
    connection
        .execute(recording, (id.as_bytes(), [9_u8; 16]))
        .unwrap();
}

/// The columns of every table, and every index.
fn shape(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let query = "SELECT m.name || '.' || c.name || ' ' || c.type || c.\"notnull\" || c.pk
                 FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'
                 UNION ALL SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY 1";
    let mut statement = connection.prepare(query).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn an_index_of_schema_2_is_brought_up_to_date_by_an_act_of_its_own() {
    let (_folder, layout) = archive();
    let new = shape(&layout.index);
    let id = RecordingId::new(at(1), [1; 10]);
    older(&layout.index, id);
    // Opening it changes nothing.
    let refused = SqliteIndex::open(&layout.index);
    let is_told = matches!(&refused, Err(StoreError::Foreign { why, .. }) if why.contains("start the server"));
    assert!(is_told, "{refused:?}");

    assert_eq!(migrate(&layout.index, at(2)).unwrap(), Some(2));
    assert_eq!(shape(&layout.index), new);
    let index = SqliteIndex::open(&layout.index).unwrap();
    assert_eq!(index.check().unwrap(), [""; 0]);
    let recordings: &dyn voicelog_store::Index = &index;
    let row = recordings.recording(id).unwrap().unwrap();
    assert_eq!(row.started_at, Timestamp::from_micros(5));
    assert_eq!(row.part, None);
    assert_eq!(migrate(&layout.index, at(3)).unwrap(), None, "once");
    assert_eq!(SCHEMA_VERSION, 3);
}

#[test]
fn an_index_that_is_up_to_date_or_newer_is_left_alone() {
    let (_folder, layout) = archive();
    assert_eq!(migrate(&layout.index, at(2)).unwrap(), None);
    let connection = Connection::open(&layout.index).unwrap();
    let history = "INSERT INTO schema_history VALUES (99, 1, 'voicelog 9')";
    connection.execute(history, []).unwrap();
    drop(connection);
    assert_eq!(migrate(&layout.index, at(2)).unwrap(), None);
    let refused = SqliteIndex::open(&layout.index);
    assert!(
        matches!(refused, Err(StoreError::NewerSchema { .. })),
        "{refused:?}"
    );
}
