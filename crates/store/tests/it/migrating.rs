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

/// The steps by which older programs brought it further; they are written down for ever.
const STEPS: [(i64, &str); 4] = [
    (3, include_str!("../../src/sqlite/to_3.sql")),
    (4, include_str!("../../src/sqlite/to_4.sql")),
    (5, include_str!("../../src/sqlite/to_5.sql")),
    (6, include_str!("../../src/sqlite/to_6.sql")),
];

/// The same of a schema in between.
fn older_by(path: &Path, id: RecordingId, version: i64) {
    older(path, id);
    let connection = Connection::open(path).unwrap();
    for (number, step) in STEPS.iter().filter(|(number, _)| *number <= version) {
        connection.execute_batch(step).unwrap();
        let history = "INSERT INTO schema_history VALUES (?1, 1, 'voicelog 0.1.0')";
        connection.execute(history, [number]).unwrap();
    }
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
    assert_eq!(SCHEMA_VERSION, 10);
}

#[test]
fn an_index_of_each_schema_in_between_is_brought_up_to_date_with_what_is_in_it() {
    for (version, _step) in STEPS {
        let (_folder, layout) = archive();
        let new = shape(&layout.index);
        let id = RecordingId::new(at(1), [1; 10]);
        older_by(&layout.index, id, version);
        assert!(SqliteIndex::open(&layout.index).is_err());
        assert_eq!(migrate(&layout.index, at(2)).unwrap(), Some(version));
        assert_eq!(shape(&layout.index), new, "from schema {version}");
        let index = SqliteIndex::open(&layout.index).unwrap();
        assert_eq!(index.check().unwrap(), [""; 0]);
        let recordings: &dyn voicelog_store::Index = &index;
        assert!(recordings.recording(id).unwrap().is_some());
        assert_eq!(migrate(&layout.index, at(3)).unwrap(), None, "once");
    }
}

#[test]
fn a_tombstone_of_schema_5_loses_what_made_it_like_others_and_nobody_else_does() {
    let (_folder, layout) = archive();
    let id = RecordingId::new(at(1), [1; 10]);
    older_by(&layout.index, id, 5);
    let connection = Connection::open(&layout.index).unwrap();
    let both = "UPDATE recordings SET facts_key = zeroblob(32), ask_again_at = 9;
         INSERT INTO recordings (id, state, started_at, decision, destroyed_at, facts_key, ask_again_at)
         SELECT zeroblob(16), 'destroyed', 5, decision, 6, zeroblob(32), 9 FROM recordings";
    connection.execute_batch(both).unwrap();
    drop(connection);
    assert_eq!(migrate(&layout.index, at(2)).unwrap(), Some(5));
    let connection = Connection::open(&layout.index).unwrap();
    let query =
        "SELECT state, facts_key IS NULL, ask_again_at IS NULL FROM recordings ORDER BY state";
    let mut statement = connection.prepare(query).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let rows: Vec<(String, bool, bool)> = rows.unwrap().map(Result::unwrap).collect();
    assert_eq!(
        rows,
        [
            ("destroyed".to_owned(), true, true),
            ("waiting".to_owned(), false, false)
        ]
    );
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
