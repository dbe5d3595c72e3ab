//! The timeline: where in the call there is media, where there is none, and why.
//!
//! Pure arithmetic over the records of the journal. The normal end of a call, recovery after a
//! crash, and a stranger's verifier all run this same function, so a timeline can be stated and
//! computed again. Every stream gets intervals that adjoin and together cover the call, from its
//! start to its end; what the arithmetic cannot explain is an *undeclared gap* and says so.
//! Rules and numbers: `design/evidence-format.md`, "Timeline".
//!
//! **Invariant:** the same records in the same order give the same timeline, byte for byte.

mod assemble;
mod clock;
mod content;
mod describe;
mod ending;
mod keeping;
mod layout;
mod line;
mod refusal;
mod sequence;
mod states;
#[cfg(test)]
mod tests;
mod voices;

pub use describe::{
    Edge, between, clock_text, comings, describe, edge_text, from_to, notice_text, pause_text,
    remarks, unplayable,
};
pub use ending::{CutShort, ending_text};
pub use keeping::{KeepMark, keep_text};
pub use refusal::refusal_text;
pub use voices::{Stretch, VoiceMark};

pub(crate) use assemble::{Assembly, Placed};
pub(crate) use content::{Content, content, known_formats, opus_ticks};

use crate::canonical::{CanonicalError, canonical_json, from_canonical};
use crate::journal::{Cause, Ground, PauseReason, Pausing, Record, RecordRef, SaidBy};
use serde::{Deserialize, Deserializer, Serialize};
use voicelog_model::{Codec, MediaStream, StreamNumber, Timestamp};

/// Version of the timeline format that is written.
pub const VERSION: u32 = 1;
/// Longest silence at the start of a stream that counts as waiting for its first packet, and
/// longest silence at its end that counts as its end where the other side said so: 2 s.
pub const HEAD_MICROS_MAX: u64 = 2_000_000;
/// Longest silence at the end of a stream that needs no reason: 200 ms.
pub const TAIL_MICROS_MAX: u64 = 200_000;

/// What an interval of a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalKind {
    /// Media was received.
    Media,
    /// Packets were sent, as their numbers say, and did not arrive.
    Loss,
    /// The sender's clock went on without packets: it sent nothing (RFC 3551 §4.1).
    SilenceSuppressed,
    /// Recording had not started.
    NotStarted,
    /// Recording was paused.
    Paused,
    /// The client offered the stream in a way in which the recorder cannot record it.
    Refused,
    /// The conversation was on hold. No event of version 1 makes this kind.
    Hold,
    /// Recording was on and the first packet not there yet.
    AwaitingFirstPacket,
    /// Between the last packet of one source and the first of another: packets may be missing, and
    /// no number says so.
    SourceChange,
    /// The recorder itself lost packets.
    Dropped,
    /// The recorder had stopped and was started again.
    Restart,
    /// Between the last packet and the end that followed it.
    AfterLastPacket,
    /// Nothing explains why there is no media.
    UndeclaredGap,
}

/// A part of a stream's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// What it is.
    pub kind: IntervalKind,
    /// Start in microseconds from the start of the call.
    pub start_us: u64,
    /// End in microseconds from the start of the call: the start of the next interval.
    pub end_us: u64,
    /// Who or what caused it, where that is known.
    pub cause: Option<Cause>,
    /// Media packets that are placed in it.
    pub packets: u64,
    /// Samples that those packets hold and that fall within it, in units of their RTP clock. Where
    /// that is not exactly the length of the interval, the difference is clock drift, and
    /// rendering stretches.
    pub samples: u64,
    /// Packets that are missing in it.
    pub lost: u64,
    /// Reasons of the law, where it is the law that caused it.
    pub grounds: Vec<Ground>,
    /// Why somebody on our side paused it, and who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pausing>,
}

impl Interval {
    /// Its length in microseconds.
    #[must_use]
    pub const fn length_us(&self) -> u64 {
        self.end_us.saturating_sub(self.start_us)
    }

    /// The kind under which people read of it: what a device or a client left out was lost nowhere.
    #[must_use]
    pub const fn kind_in_words(&self) -> IntervalKind {
        match (self.kind, self.cause) {
            (IntervalKind::Dropped, Some(cause)) if cause.is_of_client() => IntervalKind::Paused,
            (kind, _) => kind,
        }
    }

    /// Whether media is missing here that a listener might miss.
    #[must_use]
    pub const fn is_gap(&self) -> bool {
        match self.kind {
            IntervalKind::Media
            | IntervalKind::AwaitingFirstPacket
            | IntervalKind::AfterLastPacket => false,
            // A stream that the other side added later is not missing before that.
            IntervalKind::NotStarted => !matches!(self.cause, Some(Cause::RecordingClient)),
            IntervalKind::Loss
            | IntervalKind::SilenceSuppressed
            | IntervalKind::Paused
            | IntervalKind::Refused
            | IntervalKind::SourceChange
            | IntervalKind::Hold
            | IntervalKind::Dropped
            | IntervalKind::Restart
            | IntervalKind::UndeclaredGap => true,
        }
    }
}

/// A key that was pressed (RFC 4733). It lies beside the intervals: sound can go on meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyPress {
    /// Start in microseconds from the start of the call.
    pub start_us: u64,
    /// How long it was held down, in microseconds.
    pub length_us: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands the field over by reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The timeline of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamTimeline {
    /// The stream.
    pub stream: MediaStream,
    /// RTP packets in the original, whatever became of them.
    pub packets: u64,
    /// RTCP packets in the original.
    pub rtcp_packets: u64,
    /// Packets missing by their sequence numbers.
    pub lost: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets that came after a later one and were put in their place.
    pub reordered: u64,
    /// Packets that came after their place was given up as lost.
    pub late: u64,
    /// Packets of another source, or that came while the stream was paused or not permitted.
    pub outside: u64,
    /// Packets about keys that were pressed, which the journal left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
    /// Datagrams that are no RTP packets.
    pub malformed: u64,
    /// Bytes of payload of all RTP packets.
    pub payload_bytes: u64,
    /// Sequence number of the first packet.
    pub first_sequence: Option<u16>,
    /// Sequence number of the packet that came last.
    pub last_sequence: Option<u16>,
    /// How much longer the media took by our clock than by the sender's, in microseconds.
    pub drift_us: i64,
    /// Codecs in which sound came, in the order of their first packets; left out where that is
    /// the negotiated one alone, or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<Codec>,
    /// Keys that were pressed, in order; never which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyPress>,
    /// Its intervals: adjoining, from 0 to the length of the call.
    pub intervals: Vec<Interval>,
}

impl StreamTimeline {
    /// The codecs in which sound came.
    #[must_use]
    pub fn codecs(&self) -> &[Codec] {
        match self.heard.as_slice() {
            [] => std::slice::from_ref(&self.stream.codec),
            heard => heard,
        }
    }
}

/// What the arithmetic says of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All media of the whole call is there.
    Whole,
    /// What is missing is declared, with its cause.
    WholeWithDeclaredGaps,
    /// The recorder itself stopped before the conversation did, or may have; [`Timeline::end`] says why.
    /// Up to there all that is missing is declared.
    CutShort,
    /// Something is missing that nothing declares, or the end of the call is unknown.
    UndeclaredGap,
    /// Recording was never permitted, and nothing is recorded.
    NotRecorded,
    /// The call was not drawn for a sample, whatever the law permits: nothing is recorded.
    NotDrawn,
    /// Nobody asked to keep the call, on a line that keeps what it is asked to keep: nothing is recorded.
    NotRequested,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 7] = [
        Self::Whole,
        Self::WholeWithDeclaredGaps,
        Self::CutShort,
        Self::UndeclaredGap,
        Self::NotRecorded,
        Self::NotDrawn,
        Self::NotRequested,
    ];

    /// The word in manifests, timelines and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::WholeWithDeclaredGaps => "whole_with_declared_gaps",
            Self::CutShort => "cut_short",
            Self::UndeclaredGap => "undeclared_gap",
            Self::NotRecorded => "not_recorded",
            Self::NotDrawn => "not_drawn",
            Self::NotRequested => "not_requested",
        }
    }

    /// The verdict with that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|verdict| verdict.as_str() == word)
    }
}

/// The timeline of a recording: canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeline {
    /// Version of the format: 1.
    #[serde(deserialize_with = "version")]
    pub version: u32,
    /// When the call started.
    pub call_started: Timestamp,
    /// When it ended, or when its last record is from.
    pub call_ended: Timestamp,
    /// Why it ended; nothing where no record says so.
    pub end: Option<Cause>,
    /// What the arithmetic says.
    pub verdict: Verdict,
    /// Packets of streams that no event announced, or behind the end of the call.
    pub stray_packets: u64,
    /// The streams, by number.
    pub streams: Vec<StreamTimeline>,
    /// Who joined or left while the call went on, in order. Whoever is not in it was there all the time,
    /// as far as the client says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub presence: Vec<Presence>,
    /// Whose voice each stream was from when on, as the other side said it, in order. A stream that is not
    /// in it, nobody spoke of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voices: Vec<VoiceMark>,
    /// When the recorder's clock was set, and by how much, in order. The times of the timeline are those
    /// of a clock that was not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clock_steps: Vec<ClockStep>,
    /// Where the notice of the line or the kind of talk was heard, or that it was not; empty where none was looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<NoticeMark>,
    /// Who said not to agree to being recorded, and when, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<RefusalMark>,
    /// What was asked of keeping the call, on a line that keeps what it is asked to keep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keeps: Vec<KeepMark>,
    /// Where a stream came to the address that the client had named, after something was kept of it that
    /// came from another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceMark>,
}

/// A participant who said not to agree to being recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalMark {
    /// The pseudonym.
    pub party: String,
    /// How it was said.
    pub by: SaidBy,
    /// When, in microseconds from the start of the call.
    pub at_us: u64,
}

/// A moment at which a stream began to come from where the client said that it would. What was kept of it
/// before may be somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceMark {
    /// Which stream.
    pub stream: StreamNumber,
    /// When, in microseconds from the start of the call.
    pub at_us: u64,
}

/// What came of looking for the notice of the line or the kind of talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeMark {
    /// Where it began, or when it was given up, in microseconds from the start of the call.
    pub at_us: u64,
    /// Where and how like; left out where it was not heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<NoticeHearing>,
}

/// A notice that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeHearing {
    /// In which stream.
    pub stream: StreamNumber,
    /// How long it took, in microseconds.
    pub length_us: u64,
    /// How like the notice it is, in thousandths.
    pub similarity_permille: u16,
}

/// A participant who joined or left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// The pseudonym.
    pub party: String,
    /// Whether they are there from then on, or not.
    pub is_there: bool,
    /// When, in microseconds from the start of the call.
    pub at_us: u64,
}

/// A moment at which the recorder's clock was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockStep {
    /// When, in microseconds from the start of the call.
    pub at_us: u64,
    /// By how much, in microseconds; below zero it was set back.
    pub by_us: i64,
}

impl Timeline {
    /// Length of the call in microseconds.
    #[must_use]
    pub fn length_us(&self) -> u64 {
        u64::try_from(self.call_ended.micros_since(self.call_started)).unwrap_or(0)
    }

    /// Whether a part of the call was private, and is not kept.
    #[must_use]
    pub fn is_partly_private(&self) -> bool {
        let mut intervals = self.streams.iter().flat_map(|stream| &stream.intervals);
        intervals.any(|interval| {
            let pause = interval.pause.as_ref();
            pause.is_some_and(|pause| pause.reason == PauseReason::PrivateCall)
        })
    }

    /// The bytes that are stored and hashed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical_json(self)
    }

    /// Reads a timeline; another version is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CanonicalError> {
        from_canonical(bytes)
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    crate::manifest::known_version(deserializer, VERSION)
}

/// Builds a timeline record by record, in the order of the journal.
#[derive(Debug, Default)]
pub struct TimelineBuilder(Assembly<()>);

impl TimelineBuilder {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next record.
    pub fn push(&mut self, record: &Record) {
        self.push_view(record.as_view());
    }

    /// Adds the next record.
    pub fn push_view(&mut self, record: RecordRef<'_>) {
        self.0.push(record, (), &mut |_| {});
    }

    /// The timeline of the records so far.
    #[must_use]
    pub fn finish(self) -> Timeline {
        self.0.finish(&mut |_| {})
    }
}

/// Builds the timeline of a journal.
#[must_use]
pub fn build(records: impl IntoIterator<Item = Record>) -> Timeline {
    let mut builder = TimelineBuilder::new();
    for record in records {
        builder.push(&record);
    }
    builder.finish()
}
