//! The index: rows in domain verbs, no SQL outside its backends.
//!
//! Every verb that writes is one transaction, durable when it returns; several processes may
//! have the same index open. Every list is bounded by its `limit` or says what bounds it.

mod people;
mod rows;

pub use people::*;
pub use rows::*;

use crate::{Snapshot, StoreError};
use std::fmt::Debug;
use voicelog_model::{DecisionId, HoldId, RecordingId, Scope, Timestamp};

/// Recordings and the holds on them.
pub trait Recordings {
    /// Adds a recording at the start of its call. Errors: an id that is taken, a decision that is
    /// not in the index, a state in which no recording starts.
    fn insert_recording(&self, recording: &NewRecording) -> Result<(), StoreError>;

    /// Compare and set: moves to `to` if it is in one of `from`; tells whether it did.
    ///
    /// Only between waiting, recording and finishing: the other states have verbs of their own.
    fn set_state(&self, id: RecordingId, from: &[State], to: State) -> Result<bool, StoreError>;

    /// Replaces the sealed column and wipes the old one. Errors: [`StoreError::State`] once
    /// destruction has begun.
    fn update_sealed(&self, id: RecordingId, sealed: &[u8]) -> Result<(), StoreError>;

    /// Wipes the facts of every decision about a recording: of one that has no row, whose term nothing would end.
    fn forget_facts(&self, id: RecordingId) -> Result<(), StoreError>;

    /// What was odd about the call, as [`Conversations::note_call`] kept it.
    fn report(&self, id: RecordingId) -> Result<Option<Vec<u8>>, StoreError>;

    /// recording or finishing → sealed, and queues the leaf. False, and nothing changed, if it is
    /// in another state: so a second try after a crash adds no second leaf.
    fn finish_recording(
        &self,
        id: RecordingId,
        finished: &Finished,
        leaf: &PendingLeaf,
    ) -> Result<bool, StoreError>;

    /// waiting → not_recorded. False, and nothing changed, if it is in another state.
    fn end_unrecorded(
        &self,
        id: RecordingId,
        ended: &Unrecorded,
        leaf: Option<&PendingLeaf>,
    ) -> Result<bool, StoreError>;

    /// The recording, if there is one.
    fn recording(&self, id: RecordingId) -> Result<Option<RecordingRow>, StoreError>;

    /// The manifest of a sealed recording.
    fn manifest(&self, id: RecordingId) -> Result<Option<Vec<u8>>, StoreError>;

    /// The timeline of a recording that is closed, or of a call of which nothing was kept.
    fn timeline(&self, id: RecordingId) -> Result<Option<Vec<u8>>, StoreError>;

    /// One page of recordings, newest first.
    fn list_recordings(
        &self,
        filter: &RecordingFilter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError>;

    /// All recordings in one of these states, oldest first. For recovery and for `check`, which
    /// need them all.
    fn recordings_in_state(&self, states: &[State]) -> Result<Vec<RecordingRow>, StoreError>;

    /// Recordings whose term is over and that no hold protects, oldest term first: candidates
    /// for destruction, never a decision. One page: the next goes on after the last of this one.
    fn due(
        &self,
        now: Timestamp,
        after: Option<TermCursor>,
        limit: usize,
    ) -> Result<Vec<RecordingId>, StoreError>;

    /// The same of recordings whose sound has a term of its own, by that term: the cursor's `retain_until` is the
    /// end of it.
    fn due_sound(
        &self,
        now: Timestamp,
        after: Option<TermCursor>,
        limit: usize,
    ) -> Result<Vec<RecordingId>, StoreError>;

    /// Changes when a term ends. Errors: [`StoreError::State`] once destruction has begun.
    fn set_retain_until(
        &self,
        id: RecordingId,
        retain_until: Option<Timestamp>,
    ) -> Result<(), StoreError>;

    /// Places a hold and queues its leaf. Errors: [`StoreError::State`] once destruction has begun, and while that of
    /// the sound goes on.
    fn place_hold(&self, hold: &NewHold, leaf: &PendingLeaf) -> Result<(), StoreError>;

    /// Lifts a hold and queues the leaf; false, and nothing changed, if it was lifted before.
    fn lift_hold(&self, release: &Release, leaf: &PendingLeaf) -> Result<bool, StoreError>;

    /// The hold, if there is one.
    fn hold(&self, id: HoldId) -> Result<Option<HoldRow>, StoreError>;

    /// All holds ever placed on a recording, oldest first.
    fn holds_of(&self, recording: RecordingId) -> Result<Vec<HoldRow>, StoreError>;

    /// Holds that are active, the one to be reviewed first at the top. One page: the next goes on
    /// after the last of this one.
    fn open_holds(
        &self,
        after: Option<HoldCursor>,
        limit: usize,
    ) -> Result<Vec<HoldRow>, StoreError>;

    /// Active holds whose review has passed.
    fn overdue_holds(&self, now: Timestamp) -> Result<OverdueHolds, StoreError>;
}

/// What the law answered.
pub trait Decisions {
    /// Keeps a decision, with the leaf that says so if it is one that the log shows. The row's
    /// own `leaf` field is not looked at. Errors: [`StoreError::State`] if the recording is
    /// destroyed and there are sealed facts, which nothing would ever wipe.
    fn insert_decision(
        &self,
        decision: &DecisionRow,
        leaf: Option<&PendingLeaf>,
    ) -> Result<(), StoreError>;

    /// The same for many with their leaves: all, or none.
    fn insert_decisions(&self, decisions: &[(DecisionRow, PendingLeaf)]) -> Result<(), StoreError>;

    /// The decision, if there is one.
    fn decision(&self, id: DecisionId) -> Result<Option<DecisionRow>, StoreError>;

    /// All decisions about a recording, oldest first.
    fn decisions_of(&self, recording: RecordingId) -> Result<Vec<DecisionRow>, StoreError>;
}

/// The rows under the transparency log.
pub trait LogRows {
    /// Queues a leaf that belongs to no other verb.
    fn queue_leaf(&self, leaf: &PendingLeaf) -> Result<(), StoreError>;

    /// Queues a leaf that says that a recording was opened. Errors: [`StoreError::State`] where its destruction has begun,
    /// which accounts for everybody who opened it.
    fn queue_leaf_of(&self, recording: RecordingId, leaf: &PendingLeaf) -> Result<(), StoreError>;

    /// Queues a leaf that tells that the thing of this name now has this value, and notes it in the same
    /// transaction. False, and nothing done, if that is what the log was told last.
    fn queue_leaf_once(
        &self,
        name: &str,
        value: &[u8],
        leaf: &PendingLeaf,
    ) -> Result<bool, StoreError>;

    /// What the log was last told of the thing of this name.
    fn log_mark(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Leaves that wait, in the order in which they were queued.
    fn pending_leaves(&self, limit: usize) -> Result<Vec<PendingLeaf>, StoreError>;

    /// Moves waiting leaves into the log and replaces its head, all or nothing.
    ///
    /// `expected_size` is the size that the caller's checkpoint builds on. Errors:
    /// [`StoreError::LogMoved`] if the log has another size; [`StoreError::Corrupt`] if a leaf
    /// does not wait, or waits with other bytes. `tiles` are those that the new leaves fill. No leaves
    /// at all is allowed: the first checkpoint of an empty log.
    fn append_leaves(
        &self,
        expected_size: u64,
        leaves: &[SequencedLeaf],
        tiles: &[TileHash],
        checkpoint: &[u8],
        compact_range: &[u8],
    ) -> Result<(), StoreError>;

    /// The newest state of the log.
    fn log_head(&self) -> Result<LogHead, StoreError>;

    /// The leaf at a place.
    fn leaf(&self, index: u64) -> Result<Option<LeafRow>, StoreError>;

    /// The place of a leaf that once waited under this id; none if it still waits.
    fn leaf_index_of(&self, id: LeafId) -> Result<Option<u64>, StoreError>;

    /// Hashes of the leaves `from..to`.
    fn leaf_hashes(&self, from: u64, to: u64) -> Result<Vec<Hash>, StoreError>;

    /// Hashes of the tiles `from..to` at a level above the leaves, those that are there.
    fn tile_hashes(&self, level: u8, from: u64, to: u64) -> Result<Vec<Hash>, StoreError>;

    /// Adds hashes of tiles that are not there. What is there stays.
    fn add_tiles(&self, tiles: &[TileHash]) -> Result<(), StoreError>;

    /// Leaves from a place on.
    fn leaves(&self, from: u64, limit: usize) -> Result<Vec<LeafRow>, StoreError>;

    /// Keeps a checkpoint that witnesses signed, in the place of one of the same size or a smaller one.
    fn set_cosigned(&self, cosigned: &CosignedRow) -> Result<(), StoreError>;

    /// The newest checkpoint that witnesses signed.
    fn cosigned(&self) -> Result<Option<CosignedRow>, StoreError>;

    /// Keeps a timestamp of a checkpoint.
    fn add_timestamp(&self, timestamp: &TimestampRow) -> Result<(), StoreError>;

    /// Timestamps, the newest first.
    fn timestamps(&self, limit: usize) -> Result<Vec<TimestampRow>, StoreError>;

    /// The first timestamp that was kept of a checkpoint that holds the leaf at this place.
    fn timestamp_over(&self, place: u64) -> Result<Option<TimestampRow>, StoreError>;
}

/// The end of recordings.
pub trait Destructions {
    /// sealed, without_sound or not_recorded → destroying, or sealed → sound_destroying, and the intents: all of
    /// them, or none. The same intent again is no error.
    ///
    /// Errors: [`StoreError::State`] if one is held, still running, or being destroyed under
    /// another intent; if the sound is meant, and it has no key of its own.
    fn begin_destructions(&self, destructions: &[NewDestruction]) -> Result<(), StoreError>;

    /// Destructions that have no certificate yet, oldest first: what recovery goes on with.
    fn destructions_pending(&self) -> Result<Vec<DestructionRow>, StoreError>;

    /// The destruction of a recording, or of its sound, if one was begun.
    fn destruction_of(
        &self,
        recording: RecordingId,
        scope: Scope,
    ) -> Result<Option<DestructionRow>, StoreError>;

    /// sound_destroying → without_sound: nothing of the row is wiped. destroying → destroyed: wipes line, sealed columns, manifest, verdict and size of the row,
    /// and the sealed facts of its decisions and holds; keeps ids, times and state; queues the
    /// leaf. All of them, or none. Then takes old pages out of the database's journal.
    ///
    /// Done again after a crash it only does what is left, and queues no second leaf. Errors:
    /// [`StoreError::NotWiped`]: the tombstones are there, and old pages still have to go; call it
    /// again.
    fn complete_destructions(
        &self,
        destroyed: &[(RecordingId, Scope, PendingLeaf)],
        destroyed_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Keeps certificates: all, or none. The same bytes again are no error.
    fn set_certificates(
        &self,
        certificates: &[(RecordingId, Scope, Vec<u8>)],
    ) -> Result<(), StoreError>;

    /// The certificate of a destroyed recording, or of its sound.
    fn certificate(
        &self,
        recording: RecordingId,
        scope: Scope,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// Recordings whose sound was destroyed before the rest, from one moment to before another, by id, after the
    /// one given.
    fn sound_destroyed(
        &self,
        within: (Timestamp, Timestamp),
        after: Option<RecordingId>,
        limit: usize,
    ) -> Result<Vec<RecordingId>, StoreError>;

    /// Recordings destroyed, by id, after the one given: the list that a restored backup must
    /// apply before it is used.
    fn destroyed_recordings(
        &self,
        after: Option<RecordingId>,
        limit: usize,
    ) -> Result<Vec<RecordingId>, StoreError>;
}

/// Files that were imported, by keyed hashes of all their bytes. The keys go with their recordings.
pub trait Files {
    /// Which recording is this file.
    fn recording_of_file(&self, key: &Hash) -> Result<Option<RecordingId>, StoreError>;

    /// Compare and set: the file is this recording from now on, unless it is another one; tells which.
    fn claim_file(&self, key: &Hash, id: RecordingId) -> Result<Option<RecordingId>, StoreError>;

    /// The recording is no file any more. Its mark is in no page and no journal when this returns `Ok`; otherwise it has to be
    /// called again.
    fn forget_file(&self, id: RecordingId) -> Result<(), StoreError>;
}

/// Links by which whoever took part fetches a copy later, by keyed hashes of what is in them. They go when they end, and
/// with their recordings.
pub trait CopyLinks {
    /// Keeps links, all or none. Errors: [`StoreError::State`] once destruction has begun.
    fn add_copy_links(&self, links: &[CopyLink]) -> Result<(), StoreError>;

    /// The link with that key, if it can still be used: it has not ended, nor the term of its recording, and it was not
    /// used up. Uses nothing up.
    fn copy_link(&self, key: &Hash, now: Timestamp) -> Result<Option<CopyLink>, StoreError>;

    /// The same, and it can be used once less.
    fn use_copy_link(&self, key: &Hash, now: Timestamp) -> Result<Option<CopyLink>, StoreError>;

    /// Forgets links that have ended by then.
    fn forget_copy_links(&self, before: Timestamp) -> Result<(), StoreError>;
}

/// Terms that end, counted.
pub trait Terms {
    /// The law refused to destroy it, or its sound: it is no candidate until this moment, or until its term
    /// changes or a hold on it is lifted.
    fn ask_again(&self, id: RecordingId, scope: Scope, at: Timestamp) -> Result<(), StoreError>;

    /// Recordings whose sound has a term of its own that is over by `until`.
    fn sound_terms(&self, until: Timestamp) -> Result<SoundTerms, StoreError>;

    /// Asks about everything that was put off: the rules are others now.
    fn ask_all_again(&self) -> Result<(), StoreError>;

    /// Sealed recordings with a term that have no key of their facts yet, without the first `skip`.
    fn without_facts_key(&self, skip: usize, limit: usize) -> Result<Vec<RecordingId>, StoreError>;

    /// Sets such keys, all in one act.
    fn set_facts_keys(&self, keys: &[(RecordingId, Hash)]) -> Result<(), StoreError>;

    /// Sealed recordings whose term is over by `until`, by the key of their facts. There are as many
    /// groups as ways in which lines are set up.
    fn term_groups(&self, until: Timestamp) -> Result<Vec<TermGroup>, StoreError>;

    /// Of one group, those whose calls began in `from..=to`.
    fn terms_of_group(
        &self,
        group: &Hash,
        until: Timestamp,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<GroupCount, StoreError>;

    /// Sealed recordings whose term is over by `until` and that are held, by ground.
    fn held_terms(&self, until: Timestamp) -> Result<Vec<HeldTerms>, StoreError>;

    /// How many have a term that is over by `until` and no key of their facts.
    fn unsorted_terms(&self, until: Timestamp) -> Result<u64, StoreError>;

    /// The first term that ends after a moment.
    fn next_term(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError>;
}

/// Copies of the index, and what must be done to an old one before it is used.
pub trait Copies {
    /// Writes the index as it is at one moment into a file beside it, without keeping anybody from
    /// writing. The copy is an index of its own. While it is there nothing is destroyed
    /// ([`StoreError::BeingCopied`]).
    fn snapshot(&self) -> Result<Snapshot, StoreError>;

    /// Everything that was destroyed, what is held, and the log from a place on: as of one moment.
    fn ledger(&self, log_from: u64) -> Result<Ledger, StoreError>;

    /// Makes tombstones of recordings that were destroyed after this copy was made, whatever state
    /// they have in it, also of those that are not in it, and takes old pages out of the journal.
    /// Tells how many; what is a tombstone counts for nothing.
    fn bury(&self, burials: &[Burial]) -> Result<u64, StoreError>;

    /// The same of recordings of which only the log says that they were destroyed, and when: there
    /// is no decision and no certificate. Those that are not in it count for nothing.
    fn bury_named(&self, named: &[(RecordingId, Scope, Timestamp)]) -> Result<u64, StoreError>;

    /// Places holds that stood when this copy was old already. Their leaves are in the log. Tells how
    /// many: those that are in it, and those of recordings that are not or are tombstones, count for
    /// nothing.
    fn hold_again(&self, holds: &[NewHold]) -> Result<u64, StoreError>;

    /// Ends what ran when this copy was made: logins, the set-up token, invitations, proposals, and messages that
    /// may have been sent since.
    fn end_what_ran(&self) -> Result<(), StoreError>;
}

/// What the recorder did, minute by minute: that it ran, what it was offered and turned away.
/// Nothing about a person or a call.
pub trait Diary {
    /// Adds counts to minutes, on top of what is there.
    fn add_to_diary(&self, entries: &[DiaryEntry]) -> Result<(), StoreError>;

    /// Entries of the minutes that begin in `from..to`, oldest first.
    fn diary(
        &self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<DiaryEntry>, StoreError>;

    /// The first minute that is still known; none if nothing is.
    fn diary_begins(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Forgets the minutes that began before.
    fn forget_diary(&self, before: Timestamp) -> Result<(), StoreError>;
}

/// A small table of names and values: format versions, public keys, what the archive must know
/// of itself.
pub trait Settings {
    /// The value of a name.
    fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Sets a value.
    fn set_setting(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.set_settings(&[(name.to_owned(), value.to_vec())])
    }

    /// Sets values, each with its name: all, or none.
    fn set_settings(&self, settings: &[(String, Vec<u8>)]) -> Result<(), StoreError>;
}

/// Which recordings are parts of one conversation, and the keys by which that is found out.
pub trait Conversations {
    /// Notes the link keys of a recording, each with its kind, besides those that it has; and what was odd
    /// about the call, in place of what was kept before. Errors: [`StoreError::State`] once destruction
    /// has begun.
    fn note_call(
        &self,
        id: RecordingId,
        keys: &[(LinkKey, String)],
        report: Option<&[u8]>,
    ) -> Result<(), StoreError>;

    /// Recordings that have one of these keys, newest first, at most `limit` for each key.
    fn linked(&self, keys: &[LinkKey], limit: usize) -> Result<Vec<LinkedRow>, StoreError>;

    /// Makes two recordings, and all that are linked to either, parts of one conversation. `part` says
    /// how the first was linked; the second keeps what it had, or gets the same word.
    fn join(&self, id: RecordingId, other: RecordingId, part: &JoinedBy) -> Result<(), StoreError>;

    /// The parts of a conversation, oldest first, at most `limit`.
    fn parts(
        &self,
        conversation: RecordingId,
        limit: usize,
    ) -> Result<Vec<RecordingRow>, StoreError>;

    /// Forgets the keys of recordings that ended before.
    fn forget_link_keys(&self, before: Timestamp) -> Result<(), StoreError>;

    /// Notes keys that were seen in calls that have nothing to do with each other.
    fn distrust(&self, keys: &[LinkKey], at: Timestamp) -> Result<(), StoreError>;

    /// Those of these keys that were noted so. Notes of before `since` are forgotten.
    fn distrusted(&self, keys: &[LinkKey], since: Timestamp) -> Result<Vec<LinkKey>, StoreError>;
}

/// What is to be told to other systems.
pub trait Outbox {
    /// Queues messages, due at once; not those of an endpoint that has `most` waiting. Tells how many were
    /// left out. A message that waits already under this id stays as it is; one that was given up is tried
    /// again.
    fn queue_messages(&self, messages: &[NewMessage], most: usize) -> Result<usize, StoreError>;

    /// Messages of an endpoint that are due, those that waited longest first.
    fn due_messages(
        &self,
        endpoint: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<MessageRow>, StoreError>;

    /// A message was delivered: nothing of it is kept.
    fn message_delivered(&self, id: &[u8; 16]) -> Result<(), StoreError>;

    /// An attempt failed. Without a next moment the message is given up.
    fn message_failed(
        &self,
        id: &[u8; 16],
        next_at: Option<Timestamp>,
        fault: &str,
    ) -> Result<(), StoreError>;

    /// What waits and what was given up, by endpoint.
    fn outbox(&self) -> Result<Vec<OutboxCount>, StoreError>;

    /// Makes every message that was given up due at once; tells how many.
    fn revive_messages(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Forgets messages that were given up and are from before, and those of endpoints that are not among
    /// these.
    fn forget_messages(&self, before: Timestamp, endpoints: &[String]) -> Result<(), StoreError>;
}

/// The whole index.
pub trait Index:
    Recordings
    + Conversations
    + Outbox
    + Decisions
    + LogRows
    + Destructions
    + Copies
    + Terms
    + Files
    + CopyLinks
    + Accounts
    + Proposals
    + Diary
    + Settings
    + Send
    + Sync
    + Debug
{
    /// The archive that this index belongs to.
    fn archive(&self) -> crate::ArchiveId;

    /// Holds the index against itself (page structure, references, counts); gives one line per
    /// finding, none if all is well.
    fn check(&self) -> Result<Vec<String>, StoreError>;
}
