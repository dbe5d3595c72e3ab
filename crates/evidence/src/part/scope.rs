//! What is asked to be left out (a plan), and what a copy says of itself (its scope).

use super::PartError;
use serde::{Deserialize, Deserializer, Serialize};
use voicelog_model::StreamNumber;

const VERSION: u32 = 1;
/// Most redactions of one copy.
const REDACTIONS_MAX: usize = 1_000;
/// Longest text of a redaction.
pub const PART_TEXT_CHARACTERS_MAX: usize = 500;

/// A time, in microseconds from the start of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Where it starts.
    pub start_us: u64,
    /// Where it ends.
    pub end_us: u64,
}

/// What is heard in the place of a passage that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoundInstead {
    /// A tone of 1,000 Hz: nobody can miss it.
    Tone,
    /// Nothing.
    Silence,
}

/// A passage that is left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redaction {
    /// The streams that it is about, in order, each once.
    pub streams: Vec<StreamNumber>,
    /// Where it starts, in microseconds from the start of the call.
    pub start_us: u64,
    /// Where it ends.
    pub end_us: u64,
    /// Why, in words for whoever gets the copy.
    pub reason: String,
    /// On which legal ground.
    pub legal_ground: String,
    /// Who decided it.
    pub decided_by: String,
    /// What is heard instead.
    pub sound: SoundInstead,
}

/// What a copy is to show of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Only this time; the whole call if there is none.
    pub excerpt: Option<Window>,
    /// Without these passages.
    pub redactions: Vec<Redaction>,
}

/// What a copy of a part says of itself: canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Version of the format: 1.
    #[serde(deserialize_with = "version")]
    pub version: u32,
    /// Only this time, as it was asked for.
    pub excerpt: Option<Window>,
    /// Without these passages, as they were asked for.
    pub redactions: Vec<Redaction>,
    /// What that makes of each stream, by number.
    pub streams: Vec<StreamScope>,
}

/// What a copy shows of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamScope {
    /// The stream.
    pub number: StreamNumber,
    /// What is left out, in order.
    pub left_out: Vec<LeftOut>,
    /// Where in time the packets are that are shown, in order.
    pub placed: Vec<Placing>,
}

/// Leaves that are left out, side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The first of them, from 0.
    pub first_leaf: u64,
    /// How many.
    pub leaf_count: u64,
    /// Where their sound starts, in microseconds from the start of the call.
    pub start_us: u64,
    /// Where it ends.
    pub end_us: u64,
    /// Left out because they lie outside the excerpt.
    pub is_outside: bool,
    /// Left out by these redactions: their places in the list, from 0.
    pub redactions: Vec<u32>,
}

/// Packets that are shown and follow each other in the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placing {
    /// The interval of media that they are in: its place among those of the stream, from 0.
    pub interval: u32,
    /// Where in it the first of them starts, in units of the packets' clock.
    pub tick: u64,
    /// Their format: 0, 1 and 2 are the unannounced PCMA, PCMU and comfort noise, then the stream's
    /// codec, then those of `also`.
    pub format: u32,
    /// How long each of them lasts, in units of the packets' clock.
    pub ticks: u32,
    /// The first of them: its place among the records of the stream's file in the copy, from 0.
    pub first: u64,
    /// How many.
    pub count: u64,
}

impl Scope {
    /// A scope of the present version.
    #[must_use]
    pub(crate) fn new(plan: &Plan, streams: Vec<StreamScope>) -> Self {
        Self {
            version: VERSION,
            excerpt: plan.excerpt,
            redactions: plan.redactions.clone(),
            streams,
        }
    }

    /// What was asked for.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan {
            excerpt: self.excerpt,
            redactions: self.redactions.clone(),
        }
    }
}

impl Plan {
    /// Whether it fits a call of that length and those streams.
    pub fn check(&self, length_us: u64, streams: &[StreamNumber]) -> Result<(), PartError> {
        if self.excerpt.is_none() && self.redactions.is_empty() {
            return Err(PartError::NothingAsked);
        }
        if self.redactions.len() > REDACTIONS_MAX {
            return Err(PartError::TooMany(self.redactions.len()));
        }
        let window = |what: &str, start_us: u64, end_us: u64| {
            let fits = start_us < end_us && end_us <= length_us;
            fits.then_some(()).ok_or_else(|| PartError::Window {
                what: what.to_owned(),
                start_us,
                end_us,
                length_us,
            })
        };
        if let Some(excerpt) = self.excerpt {
            window("the excerpt", excerpt.start_us, excerpt.end_us)?;
        }
        for (number, redaction) in self.redactions.iter().enumerate() {
            let what = redaction_name(number);
            window(&what, redaction.start_us, redaction.end_us)?;
            redaction.check(what, streams)?;
        }
        Ok(())
    }
}

impl Redaction {
    fn check(&self, what: String, streams: &[StreamNumber]) -> Result<(), PartError> {
        if let Some(stream) = self.streams.iter().find(|stream| !streams.contains(stream)) {
            let stream = *stream;
            return Err(PartError::NoSuchStream { what, stream });
        }
        let in_order = self.streams.is_sorted_by(|one, next| one < next);
        if self.streams.is_empty() || !in_order {
            return Err(PartError::CoversNothing(what));
        }
        for (field, text) in [
            ("reason", &self.reason),
            ("legal_ground", &self.legal_ground),
            ("decided_by", &self.decided_by),
        ] {
            let length = text.chars().count();
            let is_text = !text.trim().is_empty() && !text.chars().any(char::is_control);
            if length > PART_TEXT_CHARACTERS_MAX || !is_text {
                return Err(PartError::Text { what, field });
            }
        }
        Ok(())
    }
}

/// What a message calls a redaction: counted from 1, as people do.
pub(super) fn redaction_name(place: usize) -> String {
    format!("redaction {}", place + 1)
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    crate::manifest::known_version(deserializer, VERSION)
}
