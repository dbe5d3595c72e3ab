//! Wrapped data keys, one per recording, apart from everything else so that they can be destroyed.

mod file;

pub use file::FileKeys;

use crate::StoreError;
use std::fmt::Debug;
use voicelog_model::RecordingId;

/// Largest wrapped key, and largest record, in bytes.
pub const WRAPPED_KEY_BYTES_MAX: usize = 4_096;
/// Longest name of a record.
pub const RECORD_NAME_MAX: usize = 16;

/// Whoever has it changes the keys above the data keys, alone; it is over when this is dropped, and when the process ends.
#[derive(Debug)]
pub struct Turn {
    /// Locked as long as it is open.
    _file: std::fs::File,
}

/// The wrapped data keys of recordings, and records about the keys that wrap them. Storage never sees one unwrapped.
pub trait Keys: Send + Sync + Debug {
    /// Keeps a wrapped key, durably. The same bytes again are no error.
    ///
    /// Errors: [`StoreError::Exists`] if this recording has another one.
    fn put(&self, recording: RecordingId, wrapped: &[u8]) -> Result<(), StoreError>;

    /// The wrapped key. Errors: [`StoreError::NotFound`], which after a destruction is the proof.
    fn get(&self, recording: RecordingId) -> Result<Vec<u8>, StoreError>;

    /// Overwrites and removes a wrapped key, durably. What is not there is destroyed already.
    fn destroy(&self, recording: RecordingId) -> Result<(), StoreError>;

    /// The same for many at once. On an error any of them may be destroyed already.
    fn destroy_all(&self, recordings: &[RecordingId]) -> Result<(), StoreError> {
        recordings.iter().try_for_each(|id| self.destroy(*id))
    }

    /// The recordings that have a key, sorted.
    fn list(&self) -> Result<Vec<RecordingId>, StoreError>;

    /// Puts a key that was wrapped again in the place of `old`, durably. False, and nothing is done, where
    /// `old` is not there any more: a key that was destroyed meanwhile never comes back.
    fn replace(&self, recording: RecordingId, old: &[u8], new: &[u8]) -> Result<bool, StoreError>;

    /// Keeps a record by its name (lower-case letters, digits, hyphens) in the place of `old`, durably; what was
    /// there is overwritten. False, and nothing is done, where something else than `old` is there.
    fn swap_record(&self, name: &str, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError>;

    /// A record. Errors: [`StoreError::NotFound`].
    fn record(&self, name: &str) -> Result<Vec<u8>, StoreError>;

    /// Overwrites and removes a record, durably. What is not there is destroyed already.
    fn destroy_record(&self, name: &str) -> Result<(), StoreError>;

    /// The names of the records, sorted.
    fn records(&self) -> Result<Vec<String>, StoreError>;

    /// The turn of `who` to change the records, or to copy them as of one moment. Recordings keep, change and destroy
    /// their data keys meanwhile.
    ///
    /// Errors: [`StoreError::KeysInUse`] where it is somebody else's, unless one `may_wait`.
    fn turn(&self, who: &str, may_wait: bool) -> Result<Turn, StoreError>;
}
