//! The codecs that a call can be sent in. What is said is A-law at 8 kHz; the others are made of
//! it, packet by packet.

use crate::g711;
use audio_codec::Encoder as _;
use audio_codec::g722::G722Encoder;
use ropus::{Application, Channels, Encoder};
use std::fmt;
use voicelog_model::{Codec, Format};

/// Largest packet that the Opus encoder may make, in bytes.
const OPUS_BYTES_MAX: usize = 1_500;

/// What a call offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Offered {
    /// G.711: A-law, and µ-law for a server that wants that.
    #[default]
    G711,
    /// G.722 alone.
    G722,
    /// Opus alone, as a dynamic payload type.
    Opus,
    /// Linear samples at 16 kHz alone, as a dynamic payload type.
    L16,
    /// G.729 alone: frames of the right length and pace that say nothing, since nobody here plays them.
    /// For a server that keeps what it cannot play.
    G729,
}

impl Offered {
    /// Its formats, in the order of the offer.
    pub(crate) fn formats(self) -> Vec<Format> {
        let (codecs, first): (&[Codec], u8) = match self {
            Self::G711 => return [8, 0].into_iter().filter_map(of_static).collect(),
            Self::G722 => return of_static(9).into_iter().collect(),
            Self::G729 => return of_static(18).into_iter().collect(),
            Self::Opus => (&[Codec::Opus], 96),
            Self::L16 => (
                &[Codec::L16 {
                    rate: 16_000,
                    channels: 1,
                }],
                97,
            ),
        };
        let format = |(codec, payload_type): (&Codec, u8)| Format {
            codec: codec.clone(),
            payload_type,
            parameters: None,
        };
        codecs.iter().zip(first..).map(format).collect()
    }

    /// Whether it can be sent in packets of so many milliseconds, each in one datagram.
    pub(crate) const fn takes(self, packet_ms: u32) -> bool {
        match self {
            Self::G711 | Self::G722 => true,
            Self::Opus => matches!(packet_ms, 10 | 20 | 40 | 60 | 80 | 100),
            Self::L16 => packet_ms <= 60,
            // A frame is 10 ms long (RFC 3551 §4.5.6).
            Self::G729 => packet_ms.is_multiple_of(10),
        }
    }
}

fn of_static(payload_type: u8) -> Option<Format> {
    Some(Format {
        codec: Codec::of_static(payload_type)?,
        payload_type,
        parameters: None,
    })
}

/// Makes the payloads of one stream.
pub(crate) enum Coder {
    Alaw,
    Mulaw,
    L16(Doubled),
    G722(Doubled, Box<G722Encoder>),
    Opus(Box<Encoder>),
    /// One byte of eight, which is as many as G.729 has.
    OneOfEight,
}

impl fmt::Debug for Coder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alaw => "Alaw",
            Self::Mulaw => "Mulaw",
            Self::L16(_) => "L16",
            Self::G722(..) => "G722",
            Self::Opus(_) => "Opus",
            Self::OneOfEight => "OneOfEight",
        })
    }
}

impl Coder {
    /// A coder for a codec of [`Offered`]; A-law for any other.
    pub(crate) fn of(codec: &Codec) -> Self {
        match codec {
            Codec::Pcmu => Self::Mulaw,
            Codec::L16 { .. } => Self::L16(Doubled::default()),
            Codec::G729 => Self::OneOfEight,
            Codec::G722 => Self::G722(Doubled::default(), Box::default()),
            Codec::Opus => Encoder::builder(8_000, Channels::Mono, Application::Voip)
                .build()
                .map_or(Self::Alaw, |encoder| Self::Opus(Box::new(encoder))),
            _ => Self::Alaw,
        }
    }

    /// The payload that says what these A-law bytes say. An encoder that fails sends nothing: its
    /// packet is then empty, which whoever checks the recording finds out.
    pub(crate) fn encode(&mut self, said: &[u8], out: &mut Vec<u8>) {
        out.clear();
        match self {
            Self::Alaw => out.extend_from_slice(said),
            Self::Mulaw => out.extend(said.iter().map(|byte| g711::a_to_mu(*byte))),
            Self::L16(doubled) => {
                let samples = doubled.double(said);
                out.extend(samples.iter().flat_map(|sample| sample.to_be_bytes()));
            }
            Self::G722(doubled, encoder) => out.extend(encoder.encode(&doubled.double(said))),
            Self::Opus(encoder) => {
                let samples: Vec<i16> = said.iter().map(|byte| linear(*byte)).collect();
                out.resize(OPUS_BYTES_MAX, 0);
                let length = encoder.encode(&samples, out).unwrap_or(0);
                out.truncate(length);
            }
            Self::OneOfEight => out.extend(said.iter().step_by(8)),
        }
    }
}

fn linear(byte: u8) -> i16 {
    i16::try_from(g711::decode_a(byte)).unwrap_or(0)
}

/// Twice as many samples a second, on straight lines between those there are.
#[derive(Debug, Default)]
pub(crate) struct Doubled {
    last: i16,
}

impl Doubled {
    fn double(&mut self, said: &[u8]) -> Vec<i16> {
        let mut samples = Vec::with_capacity(said.len() * 2);
        for byte in said {
            let next = linear(*byte);
            samples.push(self.last.midpoint(next));
            samples.push(next);
            self.last = next;
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_codec_makes_packets_of_the_length_that_its_clock_says() {
        let said = [0x55; 160];
        for (offered, bytes) in [
            (Offered::G711, 160..161),
            (Offered::G722, 160..161),
            (Offered::L16, 640..641),
            (Offered::Opus, 3..200),
            (Offered::G729, 20..21),
        ] {
            let format = offered.formats().remove(0);
            let mut coder = Coder::of(&format.codec);
            let mut payload = Vec::new();
            for _ in 0..3 {
                coder.encode(&said, &mut payload);
                assert!(
                    bytes.contains(&payload.len()),
                    "{offered:?}: {}",
                    payload.len()
                );
            }
        }
    }

    #[test]
    fn samples_between_two_lie_between_them() {
        let mut doubled = Doubled::default();
        let samples = doubled.double(&[0xd5, 0x55]);
        assert_eq!(samples, [4, 8, 0, -8]);
    }
}
