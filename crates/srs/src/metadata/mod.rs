//! rs-metadata (RFC 7865): who takes part in the conversation, and whose voice is which stream.
//!
//! What clients send differs from the standard in every way that can be thought of, so reading is
//! as tolerant as it can be without guessing silently: each liberty taken is a [`Quirk`], and each
//! voice is marked with the rule by which it was found.
//!
//! **Invariant:** metadata ends no session. Times in it are claims: they are told, and nothing is
//! reckoned with them; our own clock is the truth.

mod attribution;
mod bridge;
mod header;
mod merge;
mod moments;
mod person;
mod read;
mod repair;
mod scan;

pub(crate) use bridge::is_side;
pub(crate) use merge::MetadataState;
pub(crate) use repair::is_metadata;

use crate::quirk::Quirk;
use serde::{Deserialize, Serialize};
use voicelog_model::{Pii, StreamNumber, Timestamp};

/// What the client has told of the conversation so far: the last complete document with the
/// partial ones since.
///
/// Ids are `Pii`: some clients put a telephone number or a Call-ID there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Communication sessions: the conversations that this recording session carries.
    pub communication_sessions: Vec<CommunicationSession>,
    /// Ids of the groups that link recordings of one conversation (RFC 7865 §6.2).
    pub groups: Vec<Pii<String>>,
    /// Everybody whom the client ever named in this recording session, in the order first seen:
    /// the n-th is `p{n}`. Who is no longer in a complete document has left, and so has whoever had
    /// an id that is somebody else's now.
    pub participants: Vec<Participant>,
    /// The streams that the metadata speaks of.
    pub streams: Vec<StreamClaim>,
    /// For each `m=` line that can be recorded: whose voice it is.
    pub voices: Vec<StreamVoices>,
    /// The last document, byte for byte as it came.
    pub raw: Pii<Vec<u8>>,
    /// What was unusual about the last document and about the voices.
    pub quirks: Vec<Quirk>,
}

impl Metadata {
    /// Whose voice a stream is; empty if the metadata does not tell.
    #[must_use]
    pub fn voices_of(&self, number: StreamNumber) -> &[Voice] {
        self.voices
            .iter()
            .find(|stream| stream.number == number)
            .map_or(&[], |stream| &stream.voices)
    }
}

/// One conversation (RFC 7865 §6.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommunicationSession {
    /// Its `session_id`.
    pub id: Pii<String>,
    /// Its `sipSessionID` (RFC 7989), or what the client puts there.
    pub sip_session_id: Option<Pii<String>>,
    /// The group that it belongs to.
    pub group: Option<Pii<String>>,
    /// When it began, by the client's clock; none where it does not say, or says it without a zone.
    pub started: Option<Timestamp>,
    /// When it ended, by the client's clock.
    pub ended: Option<Timestamp>,
}

/// One person or system in the conversation (RFC 7865 §6.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// `p1`, `p2` …: stays the same through all updates of this recording session.
    pub pseudonym: String,
    /// The client's `participant_id`.
    pub id: Pii<String>,
    /// Addresses of record as received, the first one first.
    pub addresses: Vec<Pii<String>>,
    /// Display name as received.
    pub name: Option<Pii<String>>,
    /// Ids of the streams that carry this participant's voice.
    pub sends: Vec<Pii<String>>,
    /// Whether this participant placed the call, where a vendor's extension tells
    /// (`callingParty`): the standard has no word for it.
    pub is_caller: Option<bool>,
    /// The client says that this participant has left, or no longer names it.
    pub has_left: bool,
}

/// One stream as the metadata describes it (RFC 7865 §6.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamClaim {
    /// Its `stream_id`.
    pub id: Pii<String>,
    /// The SDP label that it claims.
    pub label: Option<String>,
    /// The communication session that it belongs to.
    pub session: Option<Pii<String>>,
}

/// The voices in one `m=` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamVoices {
    /// Which stream.
    pub number: StreamNumber,
    /// None: unknown. One: this participant. More: a mix that cannot be separated.
    pub voices: Vec<Voice>,
}

/// One participant in one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// The participant's pseudonym.
    pub party: String,
    /// How we know.
    pub rule: AttributionRule,
}

/// How a stream was connected with a participant, from strong to weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributionRule {
    /// The `m=` line's label is that of a stream in the metadata, and a participant sends that
    /// stream: as RFC 7865 and RFC 7866 say.
    Label,
    /// No label fits, but a participant's `send` names the label itself, or there are as many
    /// streams in the metadata as `m=` lines and they were taken in their order.
    Send,
    /// The metadata has no `send` at all; participants were taken in the order of the `m=` lines.
    /// A guess.
    Order,
}

impl AttributionRule {
    /// Its word in snake case, the same that serde writes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Send => "send",
            Self::Order => "order",
        }
    }

    /// Whether the client said so itself, in the way of the standard.
    #[must_use]
    pub const fn is_verified(self) -> bool {
        matches!(self, Self::Label)
    }
}
