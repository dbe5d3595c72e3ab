//! What people in a talk see of it: JSON, in `design/room.md`, "State".

use crate::chunk::Hash;
use crate::words;
use serde::{Deserialize, Serialize};
use voicelog_archive::journal::Cause;
use voicelog_model::{DecisionId, RecordingId, Timestamp};

/// What somebody chose about being recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// They agree.
    Agreed,
    /// They would rather not.
    RatherNot,
    /// They agree, and record with their own device too.
    RecordsToo,
}

impl Choice {
    /// Whether it is a yes.
    #[must_use]
    pub const fn agrees(self) -> bool {
        !matches!(self, Self::RatherNot)
    }
}

/// Where a talk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// For somebody to come, or to choose.
    Waiting,
    /// The law permits it; the host can start.
    Ready,
    /// It is being recorded.
    Recording,
    /// Somebody paused it.
    Paused,
    /// The law does not permit it (any more).
    Refused,
    /// It is over.
    Ended,
}

/// What ended a talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The host ended it, or fewer than two were left.
    People,
    /// No device was heard of for too long.
    Nobody,
    /// It lasted as long as a talk may.
    Length,
    /// The server was stopped.
    Stop,
    /// It could not be kept any more, or a mistake of ours: what is on the disk the next start of the server closes.
    Failure,
}

impl EndedBy {
    /// What the timeline says.
    pub(crate) const fn cause(self) -> Cause {
        match self {
            Self::People => Cause::RecordingClient,
            Self::Nobody => Cause::TimeOut,
            Self::Stop => Cause::Shutdown,
            // More than is taken, so it was cut short.
            Self::Length | Self::Failure => Cause::Overload,
        }
    }
}

/// A talk as one participant sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct State {
    /// Goes up with each change.
    pub version: u64,
    /// Its id, which is that of its recording.
    pub id: RecordingId,
    /// Name of the kind of talk.
    pub kind: String,
    /// What people read instead of it.
    pub title: String,
    /// Where it is.
    pub phase: Phase,
    /// Pseudonym of whoever asks.
    pub me: String,
    /// Whether they are the host.
    pub is_host: bool,
    /// The code, for the host, while it can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Who takes or took part.
    pub parties: Vec<PartyState>,
    /// When recording was started.
    pub started_at: Option<Timestamp>,
    /// How long it has been recorded, in microseconds, until this answer.
    pub recorded_us: u64,
    /// Who paused it.
    pub paused_by: Option<String>,
    /// What the law said last.
    pub decision: Option<Decision>,
    /// When it ends by itself, once it was started.
    pub ends_at: Option<Timestamp>,
    /// What ended it.
    pub ended_by: Option<EndedBy>,
    /// How it stands with the minutes, once somebody wrote some.
    pub minutes: Option<MinutesState>,
    /// What came of looking for the notice, where there is one and recording has begun.
    pub notice: Option<NoticeState>,
    /// Of the recording, once it is closed.
    pub fingerprint: Option<Fingerprint>,
}

/// What came of looking for the notice that the host's device plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It was not heard yet.
    Awaited,
    /// It was heard in what a device recorded.
    Heard,
    /// It was not, in its time.
    Missed,
}

/// Minutes, as everybody sees that there are some; their text is elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MinutesState {
    /// Goes up with each text.
    pub version: u32,
    /// Who wrote it.
    pub written_by: String,
    /// Who signed it.
    pub signed: Vec<String>,
    /// How many remarks there are on it.
    pub remarks: usize,
    /// They are a record of their own, and change no more.
    pub is_kept: bool,
}

/// A participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartyState {
    /// Pseudonym.
    pub id: String,
    /// The name that they said, if any.
    pub name: Option<String>,
    /// What they chose.
    pub choice: Option<Choice>,
    /// That they record too, where an official answers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// Whether they are in the talk.
    pub is_there: bool,
    /// What their devices record.
    pub tracks: Vec<TrackState>,
}

/// What came of it that somebody wants to record too, in the talk of an official.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Request {
    /// The host has not answered.
    Asked,
    /// They may.
    Allowed,
    /// They may not.
    Refused {
        /// The law's decision on the refusal.
        decision: DecisionId,
        /// Why.
        reason: String,
        /// What is offered instead.
        alternative: String,
    },
}

/// A track, as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrackState {
    /// Its number.
    pub track: u16,
    /// Whether more can come.
    pub is_open: bool,
    /// Its device said so, or nothing came for 90 seconds.
    pub is_interrupted: bool,
    /// For how many seconds nothing came.
    pub silent_for_s: u64,
}

/// What the law said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Its outcome, as decisions spell it.
    pub outcome: String,
    /// Why.
    pub grounds: Vec<Reason>,
}

/// A reason of the law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// In Dutch.
    pub text_nl: String,
    /// In English.
    pub text_en: String,
    /// Articles that it rests on.
    pub articles: Vec<String>,
}

/// Of a closed recording: the hash that the log commits to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fingerprint {
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// Its first 64 bits in four words that can be read out.
    pub words: String,
}

impl Fingerprint {
    /// That of a digest, `sha256:` and 64 hexadecimal digits; nothing of anything else.
    #[must_use]
    pub fn of(digest: String) -> Option<Self> {
        let hash = Hash::from_hex(digest.strip_prefix("sha256:")?)?;
        Some(Self {
            words: words::words(&hash.0),
            digest,
        })
    }
}
