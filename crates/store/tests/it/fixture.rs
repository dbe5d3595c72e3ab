//! A fresh archive folder, and shorthands.

use tempfile::TempDir;
use voicelog_model::{DecisionId, RecordingId, Timestamp};
use voicelog_store::blobs::Options;
pub(crate) use voicelog_store::faulty::Dice;
use voicelog_store::{Access, ArchiveId, FileBlobs, Layout, LocalStore};

pub(crate) const ARCHIVE: ArchiveId = ArchiveId([0xa7; 16]);

/// A folder with a new archive in it.
pub(crate) fn archive() -> (TempDir, Layout) {
    fill(tempfile::tempdir().unwrap())
}

/// The same in memory, where syncing is quick: for tests that play the disk's part themselves and
/// need little room.
pub(crate) fn archive_in_memory() -> (TempDir, Layout) {
    fill(memory_folder())
}

/// A folder in memory, on machines that have one.
pub(crate) fn memory_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

fn fill(folder: TempDir) -> (TempDir, Layout) {
    let layout = Layout::in_folder(folder.path());
    LocalStore::create(&layout, ARCHIVE, at(0)).unwrap();
    (folder, layout)
}

pub(crate) fn open(layout: &Layout) -> LocalStore {
    LocalStore::open(layout, Access::Write(Options::default())).unwrap()
}

pub(crate) fn open_blobs(layout: &Layout) -> FileBlobs {
    FileBlobs::open(&layout.blobs, Options::default()).unwrap()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000 + seconds * 1_000_000)
}

pub(crate) fn recording_id(number: u32) -> RecordingId {
    let mut random = [0; 10];
    random[6..].copy_from_slice(&number.to_be_bytes());
    RecordingId::new(at(i64::from(number)), random)
}

pub(crate) fn decision_id(number: u32) -> DecisionId {
    DecisionId::from_bytes(*recording_id(number).as_bytes())
}
