//! Sound from packets: the derived copy that people listen to.
//!
//! **Invariant:** rendering never closes a gap up. The sound of a stream is exactly as long as the
//! call, and where there was no media, or none that could be decoded, there is silence of the true
//! length. What could not be decoded is listed; a stream of which nothing could has no sound at
//! all, since silence would say that nobody spoke.

mod bands;
mod decode;
mod g711;
mod listen;
mod notice;
mod ogg;
mod opus;
mod render;
#[cfg(test)]
mod tests;
mod wav;

pub(crate) use decode::decoder;
pub use g711::{decode_alaw, decode_ulaw};
pub use listen::{Found, StreamListener};
pub use notice::{
    Heard, NOTICE_SECONDS_MAX, NOTICE_SECONDS_MIN, NOTICE_SIMILARITY_MIN, Notice, NoticeError,
    NoticeListener,
};
pub(crate) use ogg::CHANNELS_AT as OGG_CHANNELS_AT;
pub use opus::OpusDecoder;
pub use render::{PacketPlace, WavLayout, WavLayoutBuilder, WavReader, render};
pub(crate) use render::{Plan, Rendering, Sounds, datagram};
pub(crate) use wav::is_wav_of;
pub use wav::{wav, wav_byte_len, wav_head};

use crate::timeline::between;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use voicelog_model::limits::RECORDING_SECONDS_MAX;
use voicelog_model::{Codec, Kind, Language, StreamNumber};

/// Most spans of one stream that are told apart.
const SPANS_MAX: usize = 10_000;

/// The sound of one stream, as long as the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamAudio {
    /// The stream.
    pub stream: StreamNumber,
    /// Samples a second.
    pub rate: u32,
    /// The samples of one or two channels; none where the stream had media and none of it could
    /// be decoded.
    pub channels: Vec<Vec<i16>>,
    /// Where the sound is not simply what was sent.
    pub spans: Vec<Span>,
}

/// A part of a stream's time whose sound is not simply what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Start in microseconds from the start of the call.
    pub start_us: u64,
    /// End in microseconds from the start of the call.
    pub end_us: u64,
    /// Codec of the packets.
    pub codec: Codec,
    /// What is the matter.
    pub lack: Lack,
}

/// Why the sound of a span is not what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// There is no decoder here for the codec: silence. The packets are in the original.
    Codec,
    /// The decoder could make nothing of the packets: silence.
    Damaged,
    /// The decoder made more or fewer samples than the timestamps have room for: silence.
    Length,
    /// A packet was lost, and the one behind it repeats it in lower quality.
    Recovered,
}

/// A span in words, as a person says it: `from 00:10 to 00:12: damaged packets (opus), silence`.
#[must_use]
pub fn describe_span(span: &Span, language: Language) -> String {
    let when = between((span.start_us, span.end_us), language);
    let (nl, en) = match span.lack {
        Lack::Codec => (
            "hiervoor is geen decoder; de pakketten zijn bewaard",
            "there is no decoder for it; the packets are kept",
        ),
        Lack::Damaged => (
            "beschadigde pakketten, hier stilte",
            "damaged packets, silence here",
        ),
        Lack::Length => (
            "de decoder gaf een ander aantal samples dan er tijd voor is, hier stilte",
            "the decoder made another number of samples than there is time for, silence here",
        ),
        Lack::Recovered => (
            "een verloren pakket, uit de herhaling in het volgende",
            "a lost packet, from what the next one repeats of it",
        ),
    };
    format!("{when}, {}: {}", span.codec, language.pick(nl, en))
}

/// The sound of several streams side by side, all channels of the first, then of the next: at the
/// highest of their rates. `None` where there is none.
#[must_use]
pub fn side_by_side(streams: &[StreamAudio]) -> Option<(u32, Vec<Cow<'_, [i16]>>)> {
    let sounding = || streams.iter().filter(|stream| !stream.channels.is_empty());
    let rate = sounding().map(|stream| stream.rate).max()?;
    let mut channels = Vec::new();
    for stream in sounding() {
        for channel in &stream.channels {
            let longest = sounding().filter(|other| other.rate == rate);
            let need = longest.map(|other| other.channels.iter().map(Vec::len).max());
            let need = need.flatten().max().unwrap_or(channel.len());
            if channel.len() == need {
                channels.push(Cow::Borrowed(channel.as_slice()));
                continue;
            }
            let mut out = Vec::with_capacity(need);
            render::stretch(channel, need, &mut out);
            channels.push(Cow::Owned(out));
        }
    }
    Some((rate, channels))
}

/// Most channels that every player plays.
pub(crate) const CHANNELS_PLAYED: usize = 2;

/// All channels heard at once, in one: their sum, as far as a sample holds it. What is too loud is cut off.
#[must_use]
pub(crate) fn mixed(channels: &[&[i16]]) -> Vec<i16> {
    let length = channels
        .iter()
        .map(|channel| channel.len())
        .max()
        .unwrap_or(0);
    let sum = |at: usize| {
        let all = channels.iter().filter_map(|channel| channel.get(at));
        let sum: i32 = all.map(|sample| i32::from(*sample)).sum();
        let held = sum.clamp(i16::MIN.into(), i16::MAX.into());
        i16::try_from(held).unwrap_or(0)
    };
    (0..length).map(sum).collect()
}

/// Why sound cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudioError {
    /// Longer than a recording may run.
    #[error("a call of {0} seconds is longer than {RECORDING_SECONDS_MAX} seconds")]
    CallTooLong(u64),
    /// There is media, and none of it can be decoded.
    #[error("none of it can be made sound of ({0}); the packets are kept as they came")]
    NothingDecodable(String),
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
        match self {
            Self::NothingDecodable(_) => Kind::NotFound,
            Self::CallTooLong(_) | Self::NoWav { .. } => Kind::Exhausted,
        }
    }
}
