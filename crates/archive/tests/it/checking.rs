//! `check` beside a server that goes on recording.

use crate::support::*;
use std::fmt;
use std::sync::Arc;
use voicelog_archive::Archive;
use voicelog_archive::check::Level;
use voicelog_model::RecordingId;
use voicelog_store::{Access, Keys, StoreError, Turn};

/// Keys beside which somebody does something whenever one is read.
struct Meanwhile<F>(Box<dyn Keys>, F);

impl<F> fmt::Debug for Meanwhile<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<F: Fn() + Send + Sync> Keys for Meanwhile<F> {
    fn put(&self, recording: RecordingId, wrapped: &[u8]) -> Result<(), StoreError> {
        self.0.put(recording, wrapped)
    }

    fn get(&self, recording: RecordingId) -> Result<Vec<u8>, StoreError> {
        (self.1)();
        self.0.get(recording)
    }

    fn destroy(&self, recording: RecordingId) -> Result<(), StoreError> {
        self.0.destroy(recording)
    }

    fn list(&self) -> Result<Vec<RecordingId>, StoreError> {
        self.0.list()
    }

    fn replace(&self, recording: RecordingId, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        self.0.replace(recording, old, new)
    }

    fn swap_record(&self, name: &str, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError> {
        self.0.swap_record(name, old, new)
    }

    fn record(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        self.0.record(name)
    }

    fn destroy_record(&self, name: &str) -> Result<(), StoreError> {
        self.0.destroy_record(name)
    }

    fn records(&self) -> Result<Vec<String>, StoreError> {
        self.0.records()
    }

    fn turn(&self, who: &str, may_wait: bool) -> Result<Turn, StoreError> {
        self.0.turn(who, may_wait)
    }
}

#[test]
fn a_recording_that_begins_while_the_check_runs_is_no_finding() {
    let fixture = fixture();
    let server = Arc::clone(&fixture.archive);
    let folder = fixture.folder.path();
    let call = open_call(&server, "covert");
    // The server has made the key, and not yet the row.
    let parts = parts_for(folder, Access::Read);
    parts.keys.put(call.id, b"wrapped").unwrap();
    let stays = Archive::open(parts).check(Level::Presence).unwrap();
    assert_eq!(stays.wrong.len(), 1, "a key that stays alone is one");

    let mut parts = parts_for(folder, Access::Read);
    let id = call.id;
    parts.keys = Box::new(Meanwhile(parts.keys, move || {
        server.ask_to_record(id, START).unwrap();
    }));
    let findings = Archive::open(parts).check(Level::Presence).unwrap();
    assert_eq!(findings.wrong, []);
}
