//! What the rows of the index hold.

use voicelog_model::{Action, DecisionId, DestructionId, HoldId, RecordingId, Scope, Timestamp};

/// Names one leaf from the moment it waits for the log; chosen by the archive, 16 random bytes.
pub type LeafId = [u8; 16];

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// Where a recording is in its life.
///
/// waiting → recording → finishing → sealed → destroying → destroyed, or
/// waiting → not_recorded → destroying → destroyed. Where the sound has a term of its own:
/// sealed → sound_destroying → without_sound → destroying → destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The call runs and nothing is kept yet.
    Waiting,
    /// The call runs and is kept.
    Recording,
    /// The call is over; the manifest is not made yet.
    Finishing,
    /// Complete, with manifest and leaf.
    Sealed,
    /// The call is over and nothing was kept.
    NotRecorded,
    /// The destruction of its sound has begun; it can't be heard any more.
    SoundDestroying,
    /// Its sound was destroyed; what is known of the call is complete.
    WithoutSound,
    /// Its destruction has begun; it can't be read any more.
    Destroying,
    /// Only the tombstone is left.
    Destroyed,
}

impl State {
    /// Every state, in the order of life.
    pub const ALL: [Self; 9] = [
        Self::Waiting,
        Self::Recording,
        Self::Finishing,
        Self::Sealed,
        Self::NotRecorded,
        Self::SoundDestroying,
        Self::WithoutSound,
        Self::Destroying,
        Self::Destroyed,
    ];

    /// The word in the database and in lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Recording => "recording",
            Self::Finishing => "finishing",
            Self::Sealed => "sealed",
            Self::NotRecorded => "not_recorded",
            Self::SoundDestroying => "sound_destroying",
            Self::WithoutSound => "without_sound",
            Self::Destroying => "destroying",
            Self::Destroyed => "destroyed",
        }
    }

    /// The state with that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A recording when its call begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecording {
    /// Its id.
    pub id: RecordingId,
    /// When the call began.
    pub started_at: Timestamp,
    /// [`State::Waiting`] or [`State::Recording`].
    pub state: State,
    /// The line that the call came in on, as configured. Not personal data; wiped all the same.
    pub line: String,
    /// The decision under which it began. It must be in the index already.
    pub decision: DecisionId,
    /// Ciphertext of everything personal: parties, names, addresses.
    pub sealed: Vec<u8>,
    /// What was odd about the call so far; empty where nothing was told.
    pub report: Vec<u8>,
    /// Whether its sound gets a key of its own, so that it can end before the rest.
    pub has_sound_key: bool,
}

/// A recording as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingRow {
    /// Its id.
    pub id: RecordingId,
    /// Where it is in its life.
    pub state: State,
    /// When the call began.
    pub started_at: Timestamp,
    /// When the call ended.
    pub ended_at: Option<Timestamp>,
    /// The line; empty after destruction.
    pub line: String,
    /// The decision under which it began.
    pub decision: DecisionId,
    /// Ciphertext of everything personal; empty after destruction.
    pub sealed: Vec<u8>,
    /// The timeline's verdict, once sealed.
    pub verdict: Option<String>,
    /// Bytes of ciphertext in the blob store, once sealed.
    pub byte_count: Option<u64>,
    /// When its term ends. No value: no term is set, and nothing destroys it by itself.
    pub retain_until: Option<Timestamp>,
    /// The leaf that says it was recorded.
    pub leaf: Option<LeafId>,
    /// When it was destroyed.
    pub destroyed_at: Option<Timestamp>,
    /// The conversation that it is a part of, where it has more parts than this one.
    pub part: Option<Part>,
    /// Whether its sound has, or had, a key of its own.
    pub has_sound_key: bool,
    /// When the term of its sound ends, where that is before the end of the whole.
    pub sound_until: Option<Timestamp>,
    /// When its sound was destroyed before the rest, if it was.
    pub sound_destroyed_at: Option<Timestamp>,
}

/// That a recording is a part of a conversation with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which conversation: the id of one of its recordings.
    pub conversation: RecordingId,
    /// What linked it to the others, one word.
    pub linked_by: String,
    /// Whether it is the same talk once more, from another client.
    pub is_copy: bool,
}

/// How a recording was linked to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedBy {
    /// By what, one word.
    pub word: String,
    /// Whether it is the same talk once more.
    pub is_copy: bool,
}

/// A keyed hash of an id by which a client says what belongs together.
pub type LinkKey = [u8; 32];

/// A recording that has a link key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedRow {
    /// The key.
    pub key: LinkKey,
    /// What kind of id it is the hash of, one word.
    pub kind: String,
    /// The recording.
    pub recording: RecordingRow,
}

/// What is known when a recording is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// When the call ended.
    pub ended_at: Timestamp,
    /// The timeline's verdict, one word.
    pub verdict: String,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// The timeline's bytes.
    pub timeline: Vec<u8>,
    /// Bytes of ciphertext in the blob store.
    pub byte_count: u64,
    /// When its term ends.
    pub retain_until: Option<Timestamp>,
    /// When the term of its sound ends, where that is before.
    pub sound_until: Option<Timestamp>,
    /// Leaves of what happened in it, queued before its own.
    pub also: Vec<PendingLeaf>,
}

/// What is known when a call is over of which nothing was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecorded {
    /// When the call ended.
    pub ended_at: Timestamp,
    /// The timeline's verdict, one word.
    pub verdict: String,
    /// The timeline's bytes: why nothing was kept, and when.
    pub timeline: Vec<u8>,
    /// When the term of what is known ends.
    pub retain_until: Option<Timestamp>,
}

/// Which recordings to list. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    /// Only in this state.
    pub state: Option<State>,
    /// Only calls that began at or after this moment.
    pub from: Option<Timestamp>,
    /// Only calls that began before this moment.
    pub to: Option<Timestamp>,
}

/// Where a list goes on: after the recording with this start and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Start of the last recording on the page before.
    pub started_at: Timestamp,
    /// Its id.
    pub id: RecordingId,
}

/// Where a list by the end of terms goes on: after the recording with this term and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermCursor {
    /// End of the term of the last recording on the page before.
    pub retain_until: Timestamp,
    /// Its id.
    pub id: RecordingId,
}

/// One page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<RecordingRow>,
    /// Where the next page starts; none if this is the last.
    pub next: Option<Cursor>,
}

/// One line of the recorder's diary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiaryEntry {
    /// The moment at which the minute begins.
    pub minute: Timestamp,
    /// What happened, one word in snake case.
    pub what: String,
    /// How often.
    pub count: u64,
}

/// Something to be told to another system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Its id, the same at each attempt.
    pub id: [u8; 16],
    /// Name of the endpoint that it is for.
    pub endpoint: String,
    /// What it tells, one word.
    pub kind: String,
    /// When that happened.
    pub created_at: Timestamp,
    /// The bytes to be sent: ids, words and moments, no personal data.
    pub body: Vec<u8>,
}

/// A message as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// What is to be told.
    pub message: NewMessage,
    /// How often it was tried.
    pub attempts: u64,
    /// When it is tried next; none once it is given up.
    pub next_at: Option<Timestamp>,
    /// Why the last attempt failed, one word.
    pub fault: Option<String>,
}

/// What waits for one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxCount {
    /// Its name.
    pub endpoint: String,
    /// Messages to be tried.
    pub waiting: u64,
    /// Messages given up.
    pub dead: u64,
    /// Why one of them failed last, one word.
    pub fault: Option<String>,
}

/// A reason to keep a recording beyond its term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    /// Its id, chosen by the archive.
    pub id: HoldId,
    /// What is held.
    pub recording: RecordingId,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The decision that allowed it, if one was asked.
    pub decision: Option<DecisionId>,
    /// Why, one word. It says nothing about anybody.
    pub ground: String,
    /// When somebody has to look whether it is still needed. It goes on after that moment.
    pub review_at: Timestamp,
    /// Ciphertext of whose it is, of what was noted, and of who placed it.
    pub sealed: Vec<u8>,
}

/// A hold as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRow {
    /// What was placed.
    pub hold: NewHold,
    /// When it was lifted; it is active until then.
    pub lifted_at: Option<Timestamp>,
    /// Ciphertext of why it was lifted, and by whom; empty until then.
    pub release: Vec<u8>,
}

/// The end of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Which hold.
    pub hold: HoldId,
    /// When.
    pub at: Timestamp,
    /// Ciphertext of why, and by whom.
    pub sealed: Vec<u8>,
}

/// Where a list of holds goes on: after the one with this review and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldCursor {
    /// Review of the last hold on the page before.
    pub review_at: Timestamp,
    /// Its id.
    pub id: HoldId,
}

/// Recordings whose term is over and about which the law is told the same, but for their moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermGroup {
    /// The keyed hash of what the law is told.
    pub facts_key: Hash,
    /// How many, held ones as well.
    pub count: u64,
    /// When the first of their calls began.
    pub first_started: Timestamp,
    /// When the last of them began.
    pub last_started: Timestamp,
    /// The end of the term that ended first.
    pub first_term: Timestamp,
    /// One of them.
    pub sample: RecordingId,
}

/// Recordings whose term is over and that are held on one ground.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTerms {
    /// The ground, one word.
    pub ground: String,
    /// How many. One that is held on two grounds counts for both.
    pub count: u64,
    /// The first review.
    pub first_review: Timestamp,
}

/// Holds whose review has passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OverdueHolds {
    /// How many.
    pub count: u64,
    /// When the first review was due; none if there are none.
    pub since: Option<Timestamp>,
}

/// One answer of the law, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRow {
    /// Its id.
    pub id: DecisionId,
    /// The moment decided about.
    pub at: Timestamp,
    /// The act.
    pub action: Action,
    /// The outcome, one word.
    pub outcome: String,
    /// The recording that it is about, if any. That row may come later.
    pub recording: Option<RecordingId>,
    /// The decision as JSON. It carries reasons and hashes, no personal data.
    pub document: Vec<u8>,
    /// Ciphertext of the facts; empty after destruction.
    pub sealed_facts: Vec<u8>,
    /// The leaf that says so, if one was queued with it.
    pub leaf: Option<LeafId>,
}

/// A leaf that waits for its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLeaf {
    /// Its id, chosen by the archive.
    pub id: LeafId,
    /// Its bytes, which never change any more.
    pub bytes: Vec<u8>,
}

/// A leaf with the place that the sequencer gives it: the next free one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequencedLeaf {
    /// Id of the pending leaf that it was.
    pub id: LeafId,
    /// Its bytes: the same as those that waited.
    pub bytes: Vec<u8>,
    /// RFC 6962 leaf hash of the bytes.
    pub hash: Hash,
}

/// A leaf in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafRow {
    /// Its place, from 0.
    pub index: u64,
    /// Id that it had while it waited.
    pub id: LeafId,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// RFC 6962 leaf hash of the bytes.
    pub hash: Hash,
}

/// The hash over 256 hashes of the level below, at a level of the log's tree above the leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileHash {
    /// 1 over leaves, 2 over those of level 1, and so on.
    pub level: u8,
    /// Its place at that level, from 0.
    pub place: u64,
    /// RFC 6962 hash of the subtree.
    pub hash: Hash,
}

/// A checkpoint that witnesses signed too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedRow {
    /// Number of leaves that it is over.
    pub size: u64,
    /// The note with all its signature lines.
    pub checkpoint: Vec<u8>,
}

/// What an authority says of the moment at which it saw a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampRow {
    /// Number of leaves that the checkpoint is over.
    pub size: u64,
    /// The moment that the token gives.
    pub at: Timestamp,
    /// The checkpoint, a note.
    pub checkpoint: Vec<u8>,
    /// The token, DER.
    pub token: Vec<u8>,
}

/// The newest state of the log. All zero and empty before the first leaf.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogHead {
    /// Number of leaves.
    pub size: u64,
    /// The signed checkpoint of that size.
    pub checkpoint: Vec<u8>,
    /// The compact range of that size.
    pub compact_range: Vec<u8>,
}

/// The intent to destroy a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDestruction {
    /// Its id.
    pub id: DestructionId,
    /// What is destroyed.
    pub recording: RecordingId,
    /// How much of it.
    pub scope: Scope,
    /// The decision that allows it. It must be in the index already.
    pub decision: DecisionId,
    /// When it began.
    pub begun_at: Timestamp,
}

/// How many recordings of a group there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GroupCount {
    /// All of them.
    pub all: u64,
    /// Those that are held.
    pub held: u64,
    /// Those that are not held, and that the law refused to destroy: it is asked again later.
    pub put_off: u64,
}

/// What a restore needs of the index: as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The head of the log.
    pub head: LogHead,
    /// The leaves from the place that was asked on.
    pub leaves: Vec<PendingLeaf>,
    /// Every destruction, complete or begun, that the log did not tell of before that place.
    pub destructions: Vec<LedgerEntry>,
    /// Every hold that stands.
    pub holds: Vec<NewHold>,
    /// Whether every leaf had its place.
    pub is_settled: bool,
}

/// Recordings whose sound has a term of its own that is over, and that still have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SoundTerms {
    /// How many.
    pub all: u64,
    /// Those that are held.
    pub held: u64,
    /// Those that are not held, and that the law refused to destroy: it is asked again later.
    pub put_off: u64,
    /// The first such term that ends after the moment that was asked about.
    pub next: Option<Timestamp>,
}

/// A destruction with all that there is of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The destruction.
    pub row: DestructionRow,
    /// When the call began.
    pub started_at: Timestamp,
    /// The decision that allowed it, without its facts.
    pub decision: DecisionRow,
    /// The statement about it, once it is complete.
    pub statement: Option<Vec<u8>>,
    /// The leaf that says so.
    pub leaf: Option<PendingLeaf>,
}

/// A destruction that an older copy of the index knows nothing of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burial {
    /// When the call began.
    pub started_at: Timestamp,
    /// The intent.
    pub destruction: NewDestruction,
    /// The decision that allowed it, without its sealed facts.
    pub decision: DecisionRow,
    /// What came of it; none while it was not complete.
    pub done: Option<Buried>,
}

/// The end of a destruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buried {
    /// When the row became a tombstone.
    pub destroyed_at: Timestamp,
    /// Name and value of the setting that says what was destroyed.
    pub statement: (String, Vec<u8>),
    /// The leaf that says so. It is queued where the log does not have it.
    pub leaf: PendingLeaf,
}

/// A destruction as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestructionRow {
    /// The intent.
    pub destruction: NewDestruction,
    /// When the row said that it was done; none while key, blobs or row are still to do.
    pub destroyed_at: Option<Timestamp>,
    /// The leaf that says it was destroyed.
    pub leaf: Option<LeafId>,
    /// Whether the certificate is stored.
    pub has_certificate: bool,
}

/// A link by which somebody who took part fetches a copy.
#[derive(Clone, PartialEq, Eq)]
pub struct CopyLink {
    /// Keyed hash of what is in it; that itself is never stored.
    pub key: Hash,
    /// Which recording.
    pub recording: RecordingId,
    /// Pseudonym of whose it is.
    pub party: String,
    /// From when on they were there, in microseconds from its beginning; nothing where from the beginning.
    pub from_us: Option<u64>,
    /// Until when; nothing where to its end.
    pub to_us: Option<u64>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How often it can be used.
    pub uses_left: u64,
}

impl std::fmt::Debug for CopyLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyLink")
            .field("recording", &self.recording)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
