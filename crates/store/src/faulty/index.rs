//! An index that fails on demand.

use super::{Schedule, forward};
use crate::index::*;
use crate::{ArchiveId, Snapshot, StoreError};
use voicelog_model::{DecisionId, HoldId, InvitationId, ProposalId, RecordingId, Scope, Timestamp};

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
    fn forget_facts(&self, id: RecordingId) -> ();
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
    fn due_sound(&self, now: Timestamp, after: Option<TermCursor>, limit: usize) -> Vec<RecordingId>;
    fn set_retain_until(&self, id: RecordingId, retain_until: Option<Timestamp>) -> ();
    fn place_hold(&self, hold: &NewHold, leaf: &PendingLeaf) -> ();
    fn lift_hold(&self, release: &Release, leaf: &PendingLeaf) -> bool;
    fn hold(&self, id: HoldId) -> Option<HoldRow>;
    fn holds_of(&self, recording: RecordingId) -> Vec<HoldRow>;
    fn open_holds(&self, after: Option<HoldCursor>, limit: usize) -> Vec<HoldRow>;
    fn overdue_holds(&self, now: Timestamp) -> OverdueHolds;
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
    fn insert_decisions(&self, decisions: &[(DecisionRow, PendingLeaf)]) -> ();
    fn decision(&self, id: DecisionId) -> Option<DecisionRow>;
    fn decisions_of(&self, recording: RecordingId) -> Vec<DecisionRow>;
}

forward! { LogRows, FaultyIndex,
    fn queue_leaf(&self, leaf: &PendingLeaf) -> ();
    fn queue_leaf_of(&self, recording: RecordingId, leaf: &PendingLeaf) -> ();
    fn queue_leaf_once(&self, name: &str, value: &[u8], leaf: &PendingLeaf) -> bool;
    fn log_mark(&self, name: &str) -> Option<Vec<u8>>;
    fn pending_leaves(&self, limit: usize) -> Vec<PendingLeaf>;
    fn append_leaves(
        &self,
        expected_size: u64,
        leaves: &[SequencedLeaf],
        tiles: &[TileHash],
        checkpoint: &[u8],
        compact_range: &[u8],
    ) -> ();
    fn log_head(&self) -> LogHead;
    fn leaf(&self, index: u64) -> Option<LeafRow>;
    fn leaf_index_of(&self, id: LeafId) -> Option<u64>;
    fn leaf_hashes(&self, from: u64, to: u64) -> Vec<Hash>;
    fn tile_hashes(&self, level: u8, from: u64, to: u64) -> Vec<Hash>;
    fn add_tiles(&self, tiles: &[TileHash]) -> ();
    fn set_cosigned(&self, cosigned: &CosignedRow) -> ();
    fn cosigned(&self) -> Option<CosignedRow>;
    fn add_timestamp(&self, timestamp: &TimestampRow) -> ();
    fn timestamps(&self, limit: usize) -> Vec<TimestampRow>;
    fn timestamp_over(&self, place: u64) -> Option<TimestampRow>;
    fn leaves(&self, from: u64, limit: usize) -> Vec<LeafRow>;
}

forward! { Destructions, FaultyIndex,
    fn begin_destructions(&self, destructions: &[NewDestruction]) -> ();
    fn destructions_pending(&self) -> Vec<DestructionRow>;
    fn destruction_of(&self, recording: RecordingId, scope: Scope) -> Option<DestructionRow>;
    fn complete_destructions(
        &self,
        destroyed: &[(RecordingId, Scope, PendingLeaf)],
        destroyed_at: Timestamp,
    ) -> ();
    fn set_certificates(&self, certificates: &[(RecordingId, Scope, Vec<u8>)]) -> ();
    fn certificate(&self, recording: RecordingId, scope: Scope) -> Option<Vec<u8>>;
    fn sound_destroyed(
        &self,
        within: (Timestamp, Timestamp),
        after: Option<RecordingId>,
        limit: usize,
    ) -> Vec<RecordingId>;
    fn destroyed_recordings(&self, after: Option<RecordingId>, limit: usize) -> Vec<RecordingId>;
}

forward! { CopyLinks, FaultyIndex,
    fn add_copy_links(&self, links: &[CopyLink]) -> ();
    fn copy_link(&self, key: &Hash, now: Timestamp) -> Option<CopyLink>;
    fn use_copy_link(&self, key: &Hash, now: Timestamp) -> Option<CopyLink>;
    fn forget_copy_links(&self, before: Timestamp) -> ();
}

forward! { Files, FaultyIndex,
    fn recording_of_file(&self, key: &Hash) -> Option<RecordingId>;
    fn claim_file(&self, key: &Hash, id: RecordingId) -> Option<RecordingId>;
    fn forget_file(&self, id: RecordingId) -> ();
}

forward! { Terms, FaultyIndex,
    fn ask_again(&self, id: RecordingId, scope: Scope, at: Timestamp) -> ();
    fn sound_terms(&self, until: Timestamp) -> SoundTerms;
    fn ask_all_again(&self) -> ();
    fn without_facts_key(&self, skip: usize, limit: usize) -> Vec<RecordingId>;
    fn set_facts_keys(&self, keys: &[(RecordingId, Hash)]) -> ();
    fn term_groups(&self, until: Timestamp) -> Vec<TermGroup>;
    fn terms_of_group(
        &self,
        group: &Hash,
        until: Timestamp,
        from: Timestamp,
        to: Timestamp,
    ) -> GroupCount;
    fn held_terms(&self, until: Timestamp) -> Vec<HeldTerms>;
    fn unsorted_terms(&self, until: Timestamp) -> u64;
    fn next_term(&self, after: Timestamp) -> Option<Timestamp>;
}

forward! { Copies, FaultyIndex,
    fn snapshot(&self) -> Snapshot;
    fn ledger(&self, log_from: u64) -> Ledger;
    fn bury(&self, burials: &[Burial]) -> u64;
    fn bury_named(&self, named: &[(RecordingId, Scope, Timestamp)]) -> u64;
    fn hold_again(&self, holds: &[NewHold]) -> u64;
    fn end_what_ran(&self) -> ();
}

forward! { Accounts, FaultyIndex,
    fn account(&self, name: &str) -> Option<Account>;
    fn list_accounts(&self) -> Vec<Account>;
    fn account_count(&self) -> u64;
    fn tell_accounts(&self, told: &[(String, Hash, PendingLeaf)]) -> ();
    fn end_account(&self, name: &str, ended: &Ended, leaf: &PendingLeaf) -> EndedAccount;
    fn set_password(&self, name: &str, password_hash: &str, login: &Hash) -> bool;
    fn insert_login(&self, login: &Login, now: Timestamp) -> bool;
    fn login(&self, token_hash: &Hash, now: Timestamp) -> Option<Login>;
    fn delete_login(&self, token_hash: &Hash) -> ();
    fn set_setup_token(&self, hash: &Hash, expires_at: Timestamp) -> ();
    fn setup_token_works(&self, hash: &Hash, now: Timestamp) -> bool;
    fn claim_first_account(
        &self,
        hash: &Hash,
        account: &NewAccount,
        leaf: &PendingLeaf,
        now: Timestamp,
    ) -> bool;
    fn invite(&self, invitation: &Invitation) -> bool;
    fn invitations(&self, now: Timestamp) -> Vec<Invitation>;
    fn invitation(&self, hash: &Hash, now: Timestamp) -> Option<Invitation>;
    fn withdraw_invitation(&self, id: InvitationId) -> bool;
    fn claim_invitation(
        &self,
        hash: &Hash,
        account: &NewAccount,
        leaf: &PendingLeaf,
        now: Timestamp,
    ) -> bool;
}

forward! { Proposals, FaultyIndex,
    fn propose(&self, proposal: &NewProposal, by: &str, leaf: &PendingLeaf) -> ();
    fn answer_proposal(&self, answer: &NewAnswer, by: &str, leaf: &PendingLeaf) -> bool;
    fn proposal(&self, id: ProposalId) -> Option<ProposalRow>;
    fn proposals_of(&self, recording: RecordingId) -> Vec<ProposalRow>;
    fn proposals_standing(&self, now: Timestamp, limit: usize) -> Vec<ProposalRow>;
    fn confirmed_proposals(&self, now: Timestamp, limit: usize) -> Vec<RecordingId>;
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
    fn set_settings(&self, settings: &[(String, Vec<u8>)]) -> ();
}
