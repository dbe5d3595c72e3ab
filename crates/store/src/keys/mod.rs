//! Wrapped data keys, one per recording, apart from everything else so that they can be destroyed.

mod file;

pub use file::FileKeys;

use crate::StoreError;
use std::fmt::Debug;
use voicelog_model::RecordingId;

/// Largest wrapped key in bytes.
pub const WRAPPED_KEY_BYTES_MAX: usize = 4_096;

/// The wrapped data keys of recordings. Storage never sees one unwrapped.
pub trait Keys: Send + Sync + Debug {
    /// Keeps a wrapped key, durably. The same bytes again are no error.
    ///
    /// Errors: [`StoreError::Exists`] if this recording has another one.
    fn put(&self, recording: RecordingId, wrapped: &[u8]) -> Result<(), StoreError>;

    /// The wrapped key. Errors: [`StoreError::NotFound`], which after a destruction is the proof.
    fn get(&self, recording: RecordingId) -> Result<Vec<u8>, StoreError>;

    /// Overwrites and removes a wrapped key, durably. What is not there is destroyed already.
    fn destroy(&self, recording: RecordingId) -> Result<(), StoreError>;

    /// The recordings that have a key, sorted.
    fn list(&self) -> Result<Vec<RecordingId>, StoreError>;
}
