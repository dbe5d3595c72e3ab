//! A copy of a part: an excerpt, or a copy from which passages were left out, that proves where it
//! comes from.
//!
//! What is left out goes leaf by leaf of a stream's tree. The copy has the leaves that it shows, each
//! with its salt, and of the others only hashes, so that it leads to the same root as the whole, and
//! to the same place in the log. It says which time is missing, on which ground and by whose decision;
//! the timeline is that of the whole. Format: `design/evidence-format.md`, "Copy of a part".
//!
//! **Invariant:** nothing in the copy is made from a packet that is left out, but its leaf's salted
//! hash: not the sound, no decoder's memory, no salt.

mod check;
mod cut;
mod extent;
mod lane;
mod scope;
mod shown;
mod times;
mod words;

pub(crate) use check::check;
pub(crate) use cut::{Cut, cut};
pub use scope::{
    LeftOut, PART_TEXT_CHARACTERS_MAX, Placing, Plan, Redaction, Scope, SoundInstead, StreamScope,
    Window,
};
pub(crate) use shown::{Shown, ShownRun};
pub(crate) use times::Times;
pub(crate) use words::both_titles;
pub use words::{left_out_texts, redaction_text, scope_title};

use crate::original::OriginalError;
use crate::timeline::clock_text;
use voicelog_model::{Kind, StreamNumber};

/// Why a part cannot be cut out as planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// Neither an excerpt nor a redaction.
    #[error("the plan leaves nothing out; a whole copy needs no plan")]
    NothingAsked,
    /// A window that ends before it starts, or lies outside the call.
    #[error(
        "{what} runs from {} to {}, and the call lasts {}; give a start before its end, within the call",
        moment(*start_us),
        moment(*end_us),
        moment(*length_us)
    )]
    Window {
        /// Which one.
        what: String,
        /// Its start.
        start_us: u64,
        /// Its end.
        end_us: u64,
        /// Length of the call.
        length_us: u64,
    },
    /// A stream that the recording does not have.
    #[error("{what} names stream {stream}, which this recording does not have")]
    NoSuchStream {
        /// Which redaction.
        what: String,
        /// The stream.
        stream: StreamNumber,
    },
    /// A redaction under which there is no sound.
    #[error("{0} covers no packet of its streams: look at its times")]
    CoversNothing(String),
    /// An excerpt in which there is no packet at all.
    #[error("nothing would be left to show: choose a longer excerpt or fewer redactions")]
    NothingShown,
    /// A text that is empty or too long.
    #[error(
        "{what}: `{field}` must have 1 to {PART_TEXT_CHARACTERS_MAX} characters, without control characters"
    )]
    Text {
        /// Which redaction.
        what: String,
        /// Which text of it.
        field: &'static str,
    },
    /// More than anybody reads.
    #[error("{0} redactions are more than a copy can have")]
    TooMany(usize),
    /// A record cannot be framed.
    #[error("cannot write the original")]
    Original(#[source] OriginalError),
}

/// A moment of a call to the millisecond: `03:40.500`.
fn moment(micros: u64) -> String {
    format!("{}.{:03}", clock_text(micros), micros / 1_000 % 1_000)
}

impl PartError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Original(error) => error.kind(),
            Self::TooMany(_) => Kind::Exhausted,
            _ => Kind::Invalid,
        }
    }
}
