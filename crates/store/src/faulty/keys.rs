//! Keys that fail on demand.

use super::{Schedule, forward};
use crate::keys::Turn;
use crate::{Keys, StoreError};
use voicelog_model::RecordingId;

/// Keys that fail on demand.
#[derive(Debug)]
pub struct FaultyKeys {
    inner: Box<dyn Keys>,
    schedule: Schedule,
}

impl FaultyKeys {
    /// Wraps a backend.
    #[must_use]
    pub fn new(inner: Box<dyn Keys>, schedule: Schedule) -> Self {
        Self { inner, schedule }
    }

    /// A key is durable or not there: nothing is left to abandon.
    #[expect(clippy::unused_self, reason = "the macro calls it on every wrapper")]
    const fn die(&self) {}
}

forward! { Keys, FaultyKeys,
    fn put(&self, recording: RecordingId, wrapped: &[u8]) -> ();
    fn get(&self, recording: RecordingId) -> Vec<u8>;
    fn destroy(&self, recording: RecordingId) -> ();
    fn destroy_all(&self, recordings: &[RecordingId]) -> ();
    fn list(&self) -> Vec<RecordingId>;
    fn replace(&self, recording: RecordingId, old: &[u8], new: &[u8]) -> bool;
    fn swap_record(&self, name: &str, old: Option<&[u8]>, new: &[u8]) -> bool;
    fn record(&self, name: &str) -> Vec<u8>;
    fn destroy_record(&self, name: &str) -> ();
    fn records(&self) -> Vec<String>;
    fn turn(&self, who: &str, may_wait: bool) -> Turn;
}
