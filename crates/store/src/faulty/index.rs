//! An index that fails on demand.

use super::{Schedule, forward};
use crate::index::*;
use crate::{ArchiveId, StoreError};
use voicelog_model::{DecisionId, RecordingId, Timestamp};

/// An index that fails on demand.
#[derive(Debug)]
pub struct FaultyIndex {
    inner: Box<dyn Index>,
    schedule: Schedule,
}

impl FaultyIndex {
    /// Wraps a backend.
    #[must_use]
    pub fn new(inner: Box<dyn Index>, schedule: Schedule) -> Self {
        Self { inner, schedule }
    }

    /// A transaction is durable or not there: nothing is left to abandon.
    #[expect(clippy::unused_self, reason = "the macro calls it on every wrapper")]
    const fn die(&self) {}
}

impl Index for FaultyIndex {
    fn archive(&self) -> ArchiveId {
        self.inner.archive()
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        self.schedule
            .run("check", || self.die(), || self.inner.check())
    }
}

forward! { Recordings, FaultyIndex,
    fn insert_recording(&self, recording: &NewRecording) -> ();
    fn set_state(&self, id: RecordingId, from: &[State], to: State) -> bool;
    fn update_sealed(&self, id: RecordingId, sealed: &[u8]) -> ();
    fn report(&self, id: RecordingId) -> Option<Vec<u8>>;
    fn finish_recording(&self, id: RecordingId, finished: &Finished, leaf: &PendingLeaf) -> bool;
    fn end_unrecorded(
        &self,
        id: RecordingId,
        ended: &Unrecorded,
        leaf: Option<&PendingLeaf>,
    ) -> bool;
    fn recording(&self, id: RecordingId) -> Option<RecordingRow>;
    fn manifest(&self, id: RecordingId) -> Option<Vec<u8>>;
    fn timeline(&self, id: RecordingId) -> Option<Vec<u8>>;
    fn list_recordings(
        &self,
        filter: &RecordingFilter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Page;
    fn recordings_in_state(&self, states: &[State]) -> Vec<RecordingRow>;
    fn due(&self, now: Timestamp, after: Option<TermCursor>, limit: usize) -> Vec<RecordingId>;
    fn set_retain_until(&self, id: RecordingId, retain_until: Option<Timestamp>) -> ();
    fn place_hold(&self, hold: &NewHold) -> ();
    fn lift_hold(&self, id: HoldId, at: Timestamp) -> bool;
    fn holds_of(&self, recording: RecordingId) -> Vec<HoldRow>;
}

forward! { Conversations, FaultyIndex,
    fn note_call(
        &self,
        id: RecordingId,
        keys: &[(LinkKey, String)],
        report: Option<&[u8]>,
    ) -> ();
    fn linked(&self, keys: &[LinkKey], limit: usize) -> Vec<LinkedRow>;
    fn join(&self, id: RecordingId, other: RecordingId, part: &JoinedBy) -> ();
    fn parts(&self, conversation: RecordingId, limit: usize) -> Vec<RecordingRow>;
    fn forget_link_keys(&self, before: Timestamp) -> ();
    fn distrust(&self, keys: &[LinkKey], at: Timestamp) -> ();
    fn distrusted(&self, keys: &[LinkKey], since: Timestamp) -> Vec<LinkKey>;
}

forward! { Decisions, FaultyIndex,
    fn insert_decision(&self, decision: &DecisionRow, leaf: Option<&PendingLeaf>) -> ();
    fn decision(&self, id: DecisionId) -> Option<DecisionRow>;
    fn decisions_of(&self, recording: RecordingId) -> Vec<DecisionRow>;
}

forward! { LogRows, FaultyIndex,
    fn queue_leaf(&self, leaf: &PendingLeaf) -> ();
    fn pending_leaves(&self, limit: usize) -> Vec<PendingLeaf>;
    fn append_leaves(
        &self,
        expected_size: u64,
        leaves: &[SequencedLeaf],
        checkpoint: &[u8],
        compact_range: &[u8],
    ) -> ();
    fn log_head(&self) -> LogHead;
    fn leaf(&self, index: u64) -> Option<LeafRow>;
    fn leaf_index_of(&self, id: LeafId) -> Option<u64>;
    fn leaf_hashes(&self, from: u64, to: u64) -> Vec<Hash>;
    fn leaves(&self, from: u64, limit: usize) -> Vec<LeafRow>;
}

forward! { Destructions, FaultyIndex,
    fn begin_destruction(&self, destruction: &NewDestruction) -> ();
    fn destructions_pending(&self) -> Vec<DestructionRow>;
    fn destruction_of(&self, recording: RecordingId) -> Option<DestructionRow>;
    fn complete_destruction(
        &self,
        recording: RecordingId,
        destroyed_at: Timestamp,
        leaf: &PendingLeaf,
    ) -> ();
    fn set_certificate(&self, recording: RecordingId, bytes: &[u8]) -> ();
    fn certificate(&self, recording: RecordingId) -> Option<Vec<u8>>;
    fn destroyed_recordings(&self, after: Option<RecordingId>, limit: usize) -> Vec<RecordingId>;
}

forward! { Accounts, FaultyIndex,
    fn insert_account(&self, account: &Account) -> ();
    fn account(&self, name: &str) -> Option<Account>;
    fn account_count(&self) -> u64;
    fn insert_login(&self, login: &Login, now: Timestamp) -> ();
    fn login(&self, token_hash: &Hash, now: Timestamp) -> Option<Login>;
    fn delete_login(&self, token_hash: &Hash) -> ();
    fn set_setup_token(&self, hash: &Hash, expires_at: Timestamp) -> ();
    fn setup_token_works(&self, hash: &Hash, now: Timestamp) -> bool;
    fn claim_first_account(&self, hash: &Hash, account: &Account, now: Timestamp) -> bool;
}

forward! { Diary, FaultyIndex,
    fn add_to_diary(&self, entries: &[DiaryEntry]) -> ();
    fn diary(&self, from: Timestamp, to: Timestamp, limit: usize) -> Vec<DiaryEntry>;
    fn diary_begins(&self) -> Option<Timestamp>;
    fn forget_diary(&self, before: Timestamp) -> ();
}

forward! { Outbox, FaultyIndex,
    fn queue_messages(&self, messages: &[NewMessage], most: usize) -> usize;
    fn due_messages(&self, endpoint: &str, now: Timestamp, limit: usize) -> Vec<MessageRow>;
    fn message_delivered(&self, id: &[u8; 16]) -> ();
    fn message_failed(&self, id: &[u8; 16], next_at: Option<Timestamp>, fault: &str) -> ();
    fn outbox(&self) -> Vec<OutboxCount>;
    fn revive_messages(&self, now: Timestamp) -> u64;
    fn forget_messages(&self, before: Timestamp, endpoints: &[String]) -> ();
}

forward! { Settings, FaultyIndex,
    fn setting(&self, name: &str) -> Option<Vec<u8>>;
    fn set_setting(&self, name: &str, value: &[u8]) -> ();
}
