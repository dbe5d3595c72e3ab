//! The samples of any part of a file, decoded when they are asked for.

use crate::SoundFileError;
use crate::kind::Kind;
use crate::open::{Opened, RATE_MAX, guarded};
use crate::vcon::Enclosed;
use std::ops::Range;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::io::MediaSource;
use symphonia::core::packet::Packet;
use voicelog_evidence::audio::OpusDecoder;

/// Rate of Opus.
pub(crate) const OPUS_RATE: u32 = 48_000;
/// Lengths of Opus packets are multiples of so many samples.
const OPUS_STEP: i64 = 120;
/// Most channels that are heard.
pub(crate) const CHANNELS_MAX: usize = 8;
/// Where a packet begins elsewhere than the one before it ended, by more than this part of a second, there is a gap.
const GAP_PART: i64 = 50;

/// What is heard of a file. What [`look`](crate::look) found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Kind of file.
    pub kind: Kind,
    /// Samples of one channel in a second.
    pub rate: u32,
    /// How many channels.
    pub channels: usize,
    /// Samples of one channel in all.
    pub frames: u64,
    /// Where the sound begins, in ticks of its container.
    pub(crate) origin: i64,
    /// Samples behind that which only set the decoder going.
    pub(crate) delay: u32,
}

pub(crate) fn is_opus(codec: &AudioCodecParameters) -> bool {
    codec.codec == CODEC_ID_OPUS
}

/// What a decoder made of one packet.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub(crate) rate: u32,
    pub(crate) channels: usize,
    /// Those of a moment side by side.
    pub(crate) samples: Vec<i16>,
}

/// A decoder of whatever is in a track.
pub(crate) enum Decoder {
    Opus(Box<OpusDecoder>, usize),
    Other(Box<dyn AudioDecoder>),
}

impl Decoder {
    /// None where there is none for it.
    pub(crate) fn new(codec: &AudioCodecParameters) -> Option<Self> {
        if is_opus(codec) {
            let channels = codec.channels.as_ref().map_or(1, |all| all.count());
            // More than two are several Opus streams in one packet (RFC 7845 §5.1.1.2).
            let decoder = (1..=2).contains(&channels);
            let decoder = decoder.then(|| OpusDecoder::new(channels)).flatten()?;
            return Some(Self::Opus(Box::new(decoder), channels));
        }
        let found = symphonia::default::get_codecs()
            .make_audio_decoder(codec, &AudioDecoderOptions::default());
        found.ok().map(Self::Other)
    }

    /// The sound of a packet, without what was added before and behind it to encode it. None where it makes none.
    pub(crate) fn decode(&mut self, packet: &Packet) -> Option<Decoded> {
        let decoded = match self {
            Self::Opus(decoder, channels) => {
                let mut samples = Vec::new();
                decoder.decode(&packet.data, &mut samples).then_some(())?;
                let cut = |ticks: u64| usize::try_from(ticks).ok()?.checked_mul(*channels);
                let end = samples.len().saturating_sub(cut(packet.trim_end.get())?);
                let start = cut(packet.trim_start.get())?.min(end);
                Decoded {
                    rate: OPUS_RATE,
                    channels: *channels,
                    samples: samples.get(start..end).unwrap_or_default().to_vec(),
                }
            }
            Self::Other(decoder) => {
                let decoded = decoder.decode(packet).ok()?;
                let mut samples = Vec::new();
                decoded.copy_to_vec_interleaved(&mut samples);
                let spec = decoded.spec();
                Decoded {
                    rate: spec.rate(),
                    channels: spec.channels().count(),
                    samples,
                }
            }
        };
        let is_sound = (1..=RATE_MAX).contains(&decoded.rate)
            && (1..=CHANNELS_MAX).contains(&decoded.channels);
        is_sound.then_some(decoded)
    }
}

/// How many ticks a packet lasts; 0 where its container does not tell and it does not tell itself.
pub(crate) fn ticks_of(packet: &Packet, codec: &AudioCodecParameters, tick: (u32, u32)) -> u64 {
    let told = packet.dur.get();
    if told > 0 || !is_opus(codec) {
        return told;
    }
    let samples = u64::from(OpusDecoder::samples_in(&packet.data).unwrap_or(0));
    samples * u64::from(tick.1) / (u64::from(tick.0) * u64::from(OPUS_RATE))
}

impl Heard {
    /// Which sample a moment of the container falls on.
    fn place(&self, ticks: i64, tick: (u32, u32), is_opus: bool) -> i64 {
        let since = i128::from(ticks) - i128::from(self.origin);
        let samples = since * i128::from(self.rate) * i128::from(tick.0);
        let denominator = i128::from(tick.1);
        let place = (2 * samples + denominator).div_euclid(2 * denominator);
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        // Matroska tells its times in milliseconds.
        let place = match is_opus && self.kind == Kind::Matroska {
            true => (place + OPUS_STEP / 2).div_euclid(OPUS_STEP) * OPUS_STEP,
            false => place,
        };
        place.saturating_sub(i64::from(self.delay))
    }

    fn ticks(&self, place: i64, tick: (u32, u32)) -> i64 {
        let of_rate = i128::from(self.rate.max(1)) * i128::from(tick.0);
        let place = i128::from(place) + i128::from(self.delay);
        let ticks = place * i128::from(tick.1) / of_rate;
        i64::try_from(ticks + i128::from(self.origin)).unwrap_or(i64::MAX)
    }
}

/// Those samples of a file, those of a moment side by side; silence where there is no sound. `open` gives its bytes from
/// the start, and is called again where a file cannot be entered in its midst.
///
/// From its start a file gives what a decoder makes of it in one go. From elsewhere a decoder that remembers begins a
/// second before, and has then forgotten what differed as far as anybody hears.
pub fn samples<'s>(
    open: &mut dyn FnMut() -> Box<dyn MediaSource + 's>,
    heard: &Heard,
    frames: Range<u64>,
) -> Result<Vec<i16>, SoundFileError> {
    if heard.kind == Kind::Vcon {
        return Enclosed::read(open())?.samples(frames);
    }
    let place = |frame: u64| i64::try_from(frame.min(heard.frames)).unwrap_or(i64::MAX);
    let frames = place(frames.start)..place(frames.end);
    guarded(heard.kind, || between(open, heard, frames))
}

fn between<'s>(
    open: &mut dyn FnMut() -> Box<dyn MediaSource + 's>,
    heard: &Heard,
    frames: Range<i64>,
) -> Result<Vec<i16>, SoundFileError> {
    let from = frames.start.saturating_sub(i64::from(heard.rate)).max(0);
    let mut file = Opened::new(heard.kind, open())?;
    if from > 0 && !file.seek(heard.ticks(from, file.tick)) {
        file = Opened::new(heard.kind, open())?;
    }
    let codec = file.codec.clone();
    let mut decoder =
        Decoder::new(&codec).ok_or_else(|| SoundFileError::NotHeard(codec.codec.to_string()))?;
    let mut sound = Sound::new(heard.channels, frames);
    // Where the next packet begins, if it goes on from the last.
    let mut next = None;
    let is_opus = is_opus(&codec);
    while let Some(packet) = file.next()? {
        let start = packet
            .pts
            .get()
            .saturating_add(ticks(packet.trim_start.get()));
        let end = start.saturating_add(ticks(ticks_of(&packet, &codec, file.tick)));
        if end > start && heard.place(end, file.tick, false) < from {
            continue;
        }
        let said = heard.place(start, file.tick, is_opus);
        if said >= sound.frames.end {
            break;
        }
        let Some(decoded) = decoder.decode(&packet) else {
            next = None;
            continue;
        };
        if (decoded.rate, decoded.channels) != (heard.rate, heard.channels) {
            next = None;
            continue;
        }
        let gap = i64::from(heard.rate) / GAP_PART;
        let at = next.filter(|next: &i64| (next - said).abs() <= gap);
        let at = at.unwrap_or(said);
        next = Some(at.saturating_add(sound.lay(at, &decoded.samples)));
    }
    Ok(sound.samples)
}

fn ticks(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A part of the sound of a file, filled packet by packet.
struct Sound {
    channels: usize,
    frames: Range<i64>,
    samples: Vec<i16>,
}

impl Sound {
    fn new(channels: usize, frames: Range<i64>) -> Self {
        let count = usize::try_from(frames.end.saturating_sub(frames.start)).unwrap_or(0);
        Self {
            channels,
            samples: vec![0; count * channels],
            frames,
        }
    }

    /// Lays what falls into the part; says how many frames they were.
    fn lay(&mut self, at: i64, decoded: &[i16]) -> i64 {
        let count = i64::try_from(decoded.len() / self.channels).unwrap_or(i64::MAX);
        let index = |frames: i64| usize::try_from(frames.max(0)).unwrap_or(0) * self.channels;
        let (skipped, place) = (index(self.frames.start - at), index(at - self.frames.start));
        let from = decoded.get(skipped..).unwrap_or_default();
        let into = self.samples.get_mut(place..).unwrap_or_default();
        for (place, sample) in into.iter_mut().zip(from) {
            *place = *sample;
        }
        count
    }
}
