//! Sound from packets: the derived copy that people listen to.
//!
//! **Invariant:** rendering never closes a gap up. The sound of a stream is exactly as long as the
//! call, and where there was no media there is silence of the true length.

mod g711;
mod render;
mod wav;

pub use g711::{decode_alaw, decode_ulaw};
pub use render::{StreamAudio, render};
pub use wav::{wav, wav_byte_len};

use voicelog_model::Kind;
use voicelog_model::limits::RECORDING_SECONDS_MAX;

/// Why sound cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudioError {
    /// Longer than a recording may run.
    #[error("a call of {0} seconds is longer than {RECORDING_SECONDS_MAX} seconds")]
    CallTooLong(u64),
    /// More than fits a WAV file with its 32-bit lengths, or no channel at all.
    #[error("a WAV file cannot hold {channels} channels of {samples} samples")]
    NoWav {
        /// Number of channels.
        channels: usize,
        /// Samples in each.
        samples: usize,
    },
}

impl AudioError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        Kind::Exhausted
    }
}
