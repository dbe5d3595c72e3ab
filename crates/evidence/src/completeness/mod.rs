//! The statement of completeness: what a judge wants to know of a recording, on one page and in one form
//! for machines.
//!
//! It says nothing new: everything in it follows from manifest, timeline, events and the place in the
//! log, by sums that anybody can do again. Format: `design/evidence-format.md`, "Statement of completeness".

mod page;
mod sheet;

use crate::canonical::{CanonicalError, canonical_json};
use crate::checkpoint::{Checkpoint, TlogProof};
use crate::digest::Digest;
use crate::journal::{Cause, Ground, JournalEvent, Pausing};
use crate::manifest::{Manifest, Provenance};
use crate::note::Note;
use crate::part::{Scope, Window, both_titles};
use crate::timeline::{ClockStep, Interval, IntervalKind, StreamTimeline, Timeline, Verdict};
use serde::Serialize;
use voicelog_model::{Codec, RecordingId, StreamNumber, Timestamp};

const VERSION: u32 = 1;

/// The certificate: canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Completeness {
    /// Version of the format: 1.
    pub version: u32,
    /// The recording.
    pub recording: RecordingId,
    /// How the original came to us.
    pub provenance: Provenance,
    /// What the arithmetic says of the whole.
    pub verdict: Verdict,
    /// What this copy shows; none where it shows all.
    pub part: Option<Part>,
    /// The call by our clock.
    pub ours: Ours,
    /// The call by the other side's clock, as its signalling told; a claim.
    pub client: Option<Client>,
    /// What our clock was held against last; none where it was not.
    pub clock: Option<ClockCheck>,
    /// Where our clock was set during the call.
    pub clock_steps: Vec<ClockStep>,
    /// The streams, by number.
    pub streams: Vec<Stream>,
    /// Where the archive committed to it.
    pub log: Place,
}

/// What a copy of a part shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Only this time.
    pub excerpt: Option<Window>,
    /// How many passages are left out.
    pub redactions: u64,
}

/// The call by our clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ours {
    /// Its start: the other side's request arrived.
    pub started: Timestamp,
    /// Its end.
    pub ended: Timestamp,
    /// How long it lasted, in microseconds.
    pub length_us: u64,
    /// Who or what ended it.
    pub end: Option<Cause>,
}

/// The call by the other side's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Client {
    /// Its start.
    pub started: Option<Timestamp>,
    /// Its end.
    pub ended: Option<Timestamp>,
}

/// How far our clock was from another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClockCheck {
    /// Which one.
    pub source: String,
    /// When.
    pub checked_at: Timestamp,
    /// By how many microseconds ours was behind.
    pub offset_us: i64,
    /// How far that may be wrong, in microseconds.
    pub uncertainty_us: u64,
}

/// One stream in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stream {
    /// Its number.
    pub number: StreamNumber,
    /// Its label.
    pub label: Option<String>,
    /// Pseudonym of the speaker.
    pub party: Option<String>,
    /// Codecs in which sound came.
    pub codecs: Vec<Codec>,
    /// Packets that were sent as far as their numbers tell: `received` + `late` + `lost`.
    pub expected: u64,
    /// Packets that came in time, each once.
    pub received: u64,
    /// Packets that came too late to have a place.
    pub late: u64,
    /// Packets that did not come.
    pub lost: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets that came after a later one.
    pub reordered: u64,
    /// Packets of another source, or from a time when recording was off.
    pub outside: u64,
    /// Time with media, in microseconds.
    pub media_us: u64,
    /// Time without, that is declared.
    pub declared_us: u64,
    /// Time that nothing explains.
    pub undeclared_us: u64,
    /// Every interval without media, in order.
    pub gaps: Vec<Gap>,
}

/// A time without media.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What it is.
    pub kind: IntervalKind,
    /// Start in microseconds from the start of the call.
    pub start_us: u64,
    /// End.
    pub end_us: u64,
    /// Who or what caused it.
    pub cause: Option<Cause>,
    /// Packets that are missing in it.
    pub lost: u64,
    /// Why somebody paused it, and who.
    pub pause: Option<Pausing>,
    /// The rules of law that caused it.
    pub rules: Vec<String>,
}

/// Where the archive committed to the recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Hash of the manifest.
    pub manifest_sha256: Digest,
    /// The log.
    pub origin: String,
    /// Place in the log, from 0.
    pub index: u64,
    /// How large the log was.
    pub size: u64,
}

/// What a certificate is made from.
#[derive(Debug, Clone, Copy)]
pub struct CompletenessInput<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// Its bytes.
    pub manifest_bytes: &'a [u8],
    /// The timeline of the whole.
    pub timeline: &'a Timeline,
    /// What a copy of a part says of itself.
    pub scope: Option<&'a Scope>,
    /// The proof that the recording is in the log.
    pub proof: &'a TlogProof,
}

impl Completeness {
    /// Works it out; `events` are those of the whole, in order. None where the proof's checkpoint is none.
    pub fn new<'e>(
        input: &CompletenessInput<'_>,
        events: impl IntoIterator<Item = &'e JournalEvent>,
    ) -> Option<Self> {
        let checkpoint = Note::parse(input.proof.checkpoint.as_bytes()).ok()?;
        let checkpoint = Checkpoint::parse(checkpoint.unverified_text()).ok()?;
        let (manifest, timeline) = (input.manifest, input.timeline);
        let (mut client, mut clock) = (None, None);
        for event in events {
            match event {
                JournalEvent::ClientTimes { started, ended } => {
                    client = Some(Client {
                        started: *started,
                        ended: *ended,
                    });
                }
                JournalEvent::ClockChecked {
                    source,
                    checked_at,
                    offset_us,
                    uncertainty_us,
                } => {
                    clock = Some(ClockCheck {
                        source: source.clone(),
                        checked_at: *checked_at,
                        offset_us: *offset_us,
                        uncertainty_us: *uncertainty_us,
                    });
                }
                _ => {}
            }
        }
        Some(Self {
            version: VERSION,
            recording: manifest.recording,
            provenance: manifest.provenance,
            verdict: timeline.verdict,
            part: input.scope.map(|scope| Part {
                excerpt: scope.excerpt,
                redactions: scope.redactions.len() as u64,
            }),
            ours: Ours {
                started: timeline.call_started,
                ended: timeline.call_ended,
                length_us: timeline.length_us(),
                end: timeline.end,
            },
            client,
            clock,
            clock_steps: timeline.clock_steps.clone(),
            streams: timeline.streams.iter().map(Stream::of).collect(),
            log: Place {
                manifest_sha256: Digest::of(input.manifest_bytes),
                origin: checkpoint.origin,
                index: input.proof.index,
                size: checkpoint.size,
            },
        })
    }

    /// The bytes that a bundle has.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical_json(self)
    }

    /// The title of page and paper: which recording, and of a copy of a part of what, in both languages.
    #[must_use]
    pub fn title(&self, scope: Option<&Scope>) -> String {
        let recording = self.recording;
        scope.map_or_else(
            || format!("voicelog {recording}"),
            |scope| {
                let part = both_titles(scope, self.ours.length_us);
                format!("voicelog {recording} \u{2013} {part}")
            },
        )
    }

    /// The page, in Dutch and in English. `scope` is what a copy of a part says of itself.
    #[must_use]
    pub fn page(&self, timeline: &Timeline, scope: Option<&Scope>) -> String {
        page::page(self, timeline, scope)
    }
}

impl Stream {
    fn of(stream: &StreamTimeline) -> Self {
        let aside = stream.duplicates.saturating_add(stream.late);
        let aside = aside.saturating_add(stream.outside);
        let received = stream.packets.saturating_sub(aside);
        // What came late had been given up as lost before.
        let lost = stream.lost.saturating_sub(stream.late);
        let gaps: Vec<&Interval> = stream
            .intervals
            .iter()
            .filter(|interval| interval.kind != IntervalKind::Media)
            .collect();
        let time = |is: &dyn Fn(IntervalKind) -> bool| {
            let intervals = stream.intervals.iter().filter(|interval| is(interval.kind));
            let lengths = intervals.map(Interval::length_us);
            lengths.fold(0, u64::saturating_add)
        };
        let is_undeclared = |kind| kind == IntervalKind::UndeclaredGap;
        Self {
            number: stream.stream.number,
            label: stream.stream.label.clone(),
            party: stream.stream.party.clone(),
            codecs: stream.codecs().to_vec(),
            expected: received.saturating_add(stream.late).saturating_add(lost),
            received,
            late: stream.late,
            lost,
            duplicates: stream.duplicates,
            reordered: stream.reordered,
            outside: stream.outside,
            media_us: time(&|kind| kind == IntervalKind::Media),
            declared_us: time(&|kind| kind != IntervalKind::Media && !is_undeclared(kind)),
            undeclared_us: time(&is_undeclared),
            gaps: gaps.into_iter().map(Gap::of).collect(),
        }
    }
}

impl Gap {
    fn of(interval: &Interval) -> Self {
        let rule = |ground: &Ground| ground.rule.clone();
        Self {
            kind: interval.kind,
            start_us: interval.start_us,
            end_us: interval.end_us,
            cause: interval.cause,
            lost: interval.lost,
            pause: interval.pause.clone(),
            rules: interval.grounds.iter().map(rule).collect(),
        }
    }
}
