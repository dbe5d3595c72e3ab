//! Decoders: payloads of one format in, samples out.
//!
//! Nobody here is trusted: what comes out of a decoder is counted by who asked for it.

use super::Lack;
use super::g711::{ALAW, ULAW};
use super::opus::Opus;
use audio_codec::Decoder as _;
use audio_codec::g722::G722Decoder;
use voicelog_model::{Codec, Format};

/// A decoder could make nothing of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undecodable;

/// Turns the payloads of one format of one stream into samples, in their order.
pub(crate) trait Decode: Send {
    /// Channels that it puts out.
    fn channels(&self) -> usize {
        1
    }

    /// Appends the samples of a payload, the channels of each moment side by side.
    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), Undecodable>;

    /// Appends what a payload repeats of the packet before it, which was lost: `moments` of it.
    /// Nothing, where it repeats nothing; never an invention.
    fn recover(
        &mut self,
        _payload: &[u8],
        _moments: usize,
        _out: &mut Vec<i16>,
    ) -> Result<(), Undecodable> {
        Err(Undecodable)
    }
}

/// What a decoder puts out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Samples a second.
    pub(crate) rate: u32,
    /// Channels, 1 or 2.
    pub(crate) channels: usize,
}

/// What comes out of a payload of that format; `None` where nobody here decodes it.
pub(crate) fn shape(format: &Format, payload: &[u8]) -> Option<Shape> {
    let (rate, channels) = match &format.codec {
        Codec::Pcma | Codec::Pcmu => (8_000, 1),
        Codec::G722 => (16_000, 1),
        codec if !codec.is_playable() => return None,
        Codec::L16 { rate, channels } => (*rate, usize::from(*channels)),
        Codec::Opus => (48_000, super::opus::channels(payload)),
        _ => return None,
    };
    Some(Shape { rate, channels })
}

/// What is seen of a payload without decoding it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glance {
    bytes: u16,
    first: Option<u8>,
    /// As Opus: its frames are where its head says.
    is_whole_opus: bool,
    /// As Opus: it repeats the packet before it.
    repeats: bool,
}

impl Glance {
    /// `may_be_opus`: whether to look further than at its length.
    pub(crate) fn at(payload: &[u8], may_be_opus: bool) -> Self {
        Self {
            // LIMIT: no datagram is longer.
            bytes: u16::try_from(payload.len()).unwrap_or(u16::MAX),
            first: payload.first().copied(),
            is_whole_opus: may_be_opus && super::opus::is_whole(payload),
            repeats: may_be_opus && super::opus::repeats(payload),
        }
    }

    pub(crate) fn shape(&self, format: &Format) -> Option<Shape> {
        shape(format, self.first.as_slice())
    }

    /// Whether the decoder of that format gives so many samples of each channel, or what is the matter.
    pub(crate) fn gives(&self, format: &Format, need: usize) -> Result<(), Lack> {
        let bytes = usize::from(self.bytes);
        let given = match &format.codec {
            codec if !codec.is_playable() => return Err(Lack::Codec),
            Codec::Pcma | Codec::Pcmu => bytes,
            Codec::G722 => 2 * bytes,
            Codec::L16 { .. } if bytes % 2 == 1 => return Err(Lack::Damaged),
            Codec::L16 { channels, .. } => {
                let channels = usize::from(*channels).max(1);
                if (bytes / 2) % channels != 0 {
                    return Err(Lack::Length);
                }
                bytes / 2 / channels
            }
            // As long as its head says, which is what the timeline goes by.
            Codec::Opus if self.is_whole_opus => need,
            Codec::Opus => return Err(Lack::Damaged),
            _ => return Err(Lack::Codec),
        };
        if given == need {
            Ok(())
        } else {
            Err(Lack::Length)
        }
    }

    /// Whether it brings back the packet before it, which was lost.
    pub(crate) fn recovers(&self, format: &Format) -> bool {
        format.codec == Codec::Opus && self.repeats
    }
}

/// A decoder for a format that has a [`shape`], of so many channels.
pub(crate) fn decoder(format: &Format, channels: usize) -> Option<Box<dyn Decode>> {
    match &format.codec {
        codec if !codec.is_playable() => None,
        Codec::Pcma => Some(Box::new(PerByte(&ALAW))),
        Codec::Pcmu => Some(Box::new(PerByte(&ULAW))),
        Codec::G722 => Some(Box::new(G722(G722Decoder::new()))),
        Codec::L16 { channels, .. } => Some(Box::new(L16(usize::from(*channels)))),
        Codec::Opus => Some(Box::new(Opus::new(channels)?)),
        _ => None,
    }
}

/// The sample of each byte.
struct PerByte(&'static [i16; 256]);

impl Decode for PerByte {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), Undecodable> {
        let sample = |byte: &u8| self.0.get(usize::from(*byte)).copied().unwrap_or(0);
        out.extend(payload.iter().map(sample));
        Ok(())
    }
}

/// Linear samples of so many channels.
struct L16(usize);

impl Decode for L16 {
    fn channels(&self) -> usize {
        self.0
    }

    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), Undecodable> {
        let (samples, rest) = payload.as_chunks::<2>();
        out.extend(samples.iter().map(|bytes| i16::from_be_bytes(*bytes)));
        if rest.is_empty() {
            Ok(())
        } else {
            Err(Undecodable)
        }
    }
}

struct G722(G722Decoder);

impl Decode for G722 {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), Undecodable> {
        out.extend(self.0.decode(payload));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::tests::{sine, snr_db};
    use audio_codec::Encoder as _;
    use audio_codec::g722::G722Encoder;

    fn format(encoding: &str) -> Format {
        Format {
            codec: Codec::read(encoding).unwrap(),
            payload_type: 96,
            parameters: None,
        }
    }

    #[test]
    fn what_the_model_calls_playable_has_a_decoder_and_nothing_else_has() {
        for encoding in [
            "PCMA",
            "PCMU",
            "G722",
            "L16/16000",
            "L16/44100/2",
            "L16/8000/4",
            "L16/96000",
            "opus/48000/2",
            "GSM",
            "G729",
            "iLBC",
            "AMR",
            "AMR-WB/16000",
            "CN",
            "telephone-event",
            "EVS/16000",
        ] {
            let format = format(encoding);
            let playable = format.codec.is_playable();
            assert_eq!(shape(&format, &[0x98]).is_some(), playable, "{encoding}");
            assert_eq!(decoder(&format, 1).is_some(), playable, "{encoding}");
        }
    }

    #[test]
    fn linear_samples_come_out_as_they_are() {
        let mut out = Vec::new();
        let mut decoder = decoder(&format("L16/16000"), 1).unwrap();
        assert_eq!(decoder.decode(&[0x12, 0x34, 0xff, 0xfe], &mut out), Ok(()));
        assert_eq!(out, [0x1234, -2]);
        assert_eq!(decoder.decode(&[0x12], &mut out), Err(Undecodable));
    }

    #[test]
    fn a_tone_through_g722_comes_out_as_that_tone() {
        let tone = sine(1_000, 16_000, 16_000, 1);
        let bytes = G722Encoder::new().encode(&tone);
        assert_eq!(bytes.len(), 8_000, "64 kbit a second");
        let mut decoder = decoder(&format("G722"), 1).unwrap();
        let mut heard = Vec::new();
        for packet in bytes.chunks(160) {
            decoder.decode(packet, &mut heard).unwrap();
        }
        assert_eq!(heard.len(), tone.len());
        // The two filter banks delay by 22 samples (ITU-T G.722).
        let snr = snr_db(&tone[1_000..15_000], &heard[1_022..15_022]);
        assert!(snr > 20.0, "{snr} dB");
    }
}
