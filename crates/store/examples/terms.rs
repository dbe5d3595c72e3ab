//! How long it takes to count the terms of a million recordings: `cargo run --release -p voicelog-store
//! --example terms`. Prints milliseconds; the figure stands in `ref/performance.md`.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement by hand"
)]

use rusqlite::Connection;
use std::time::Instant;
use voicelog_model::Timestamp;
use voicelog_store::index::Terms as _;
use voicelog_store::{ArchiveId, Layout, LocalStore, SqliteIndex};

/// Recordings, and the ways in which lines are set up.
const ROWS: i64 = 1_000_000;
const GROUPS: i64 = 20;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::in_folder(folder.path());
    LocalStore::create(&layout, ArchiveId([7; 16]), Timestamp::from_micros(1)).unwrap();
    let connection = Connection::open(&layout.index).unwrap();
    connection
        .execute_batch(&format!(
            "BEGIN;
             INSERT INTO erasable (seq, bytes) VALUES (1, x'00');
             INSERT INTO decisions (id, at, action, outcome, document)
             VALUES (zeroblob(16), 1, 'record', 'permitted', x'7b7d');
             WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS} - 1)
             INSERT INTO recordings (id, state, started_at, ended_at, decision, manifest, retain_until, facts_key)
             SELECT randomblob(16), 'sealed', i, i, zeroblob(16), 1, i + 1000,
                    CAST(printf('%032d', i % {GROUPS}) AS BLOB) FROM n;
             COMMIT;"
        ))
        .unwrap();
    drop(connection);
    let index = SqliteIndex::open(&layout.index).unwrap();
    for round in 0..3 {
        let start = Instant::now();
        let until = Timestamp::from_micros(ROWS * 2);
        let groups = index.term_groups(until).unwrap();
        let mut all = 0;
        for group in &groups {
            let (from, to) = (group.first_started, group.last_started);
            all += index
                .terms_of_group(&group.facts_key, until, from, to)
                .unwrap()
                .all;
        }
        index.held_terms(until).unwrap();
        index.unsorted_terms(until).unwrap();
        index.next_term(until).unwrap();
        let took = start.elapsed().as_millis();
        println!(
            "round {round}: {} groups, {all} recordings, {took} ms",
            groups.len()
        );
    }
}
