//! Codecs: what an RTP payload type stands for (RFC 3551, RFC 4855).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Longest encoding name that is taken, in bytes. The longest registered ones have 20.
const NAME_BYTES_MAX: usize = 32;
/// Fastest RTP clock that is taken, in Hz.
const RATE_MAX: u32 = 384_000;
/// Most channels that are taken.
const CHANNELS_MAX: u8 = 8;
/// Fastest sampling that is made sound of, in Hz: that of Opus.
const PLAYABLE_RATE_MAX: u32 = 48_000;
/// The name of a codec that has none.
const UNNAMED: &str = "unnamed";
/// The clock rate that is not written: that of almost all telephony.
const RATE_USUAL: u32 = 8_000;

/// An encoding of RTP, by its name, clock rate and channels (RFC 4855 §3).
///
/// In text (and in JSON) it is what `a=rtpmap` says, `opus/48000/2`, without `/8000` where that is
/// the rate: `PCMA`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// G.711 A-law, 8 kHz, one byte a sample.
    Pcma,
    /// G.711 µ-law, 8 kHz, one byte a sample.
    Pcmu,
    /// G.722 at 64 kbit/s: sampled at 16 kHz, while its RTP clock says 8 kHz (RFC 3551 §4.5.2).
    G722,
    /// Linear samples of 16 bits, most significant byte first (RFC 3551 §4.5.11).
    L16 {
        /// Samples a second, which is the clock rate as well.
        rate: u32,
        /// Channels, interleaved.
        channels: u8,
    },
    /// GSM 06.10 full rate (RFC 3551 §4.5.8).
    Gsm,
    /// G.729, with or without annexes A and B (RFC 3551 §4.5.6).
    G729,
    /// iLBC (RFC 3952).
    Ilbc,
    /// AMR (RFC 4867).
    Amr,
    /// AMR wideband (RFC 4867).
    AmrWb,
    /// Opus (RFC 7587): always `48000/2`, whatever it carries.
    Opus,
    /// Comfort noise (RFC 3389): says that silence begins, and how it sounds.
    ComfortNoise {
        /// Clock rate, that of the audio beside it.
        rate: u32,
    },
    /// Key presses (RFC 4733).
    TelephoneEvent {
        /// Clock rate, that of the audio beside it.
        rate: u32,
    },
    /// Any other.
    Other(OtherCodec),
}

/// An encoding of which only its name and its clock are known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherCodec {
    name: String,
    rate: u32,
    channels: u8,
}

impl Codec {
    /// The codec with that encoding name, clock rate in Hz and number of channels. `None` if that
    /// is no encoding at all: a name that is no token, or numbers out of bounds.
    #[must_use]
    pub fn new(name: &str, rate: u32, channels: u8) -> Option<Self> {
        let is_name = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_token);
        if !is_name || !(1..=RATE_MAX).contains(&rate) || !(1..=CHANNELS_MAX).contains(&channels) {
            return None;
        }
        let known = match (name.to_ascii_uppercase().as_str(), rate, channels) {
            ("L16", rate, channels) => Self::L16 { rate, channels },
            ("CN", rate, 1) => Self::ComfortNoise { rate },
            ("TELEPHONE-EVENT", rate, 1) => Self::TelephoneEvent { rate },
            ("PCMA", 8_000, 1) => Self::Pcma,
            ("PCMU", 8_000, 1) => Self::Pcmu,
            ("G722", 8_000, 1) => Self::G722,
            ("GSM", 8_000, 1) => Self::Gsm,
            ("G729", 8_000, 1) => Self::G729,
            ("ILBC", 8_000, 1) => Self::Ilbc,
            ("AMR", 8_000, 1) => Self::Amr,
            ("AMR-WB", 16_000, 1) => Self::AmrWb,
            ("OPUS", 48_000, 2) => Self::Opus,
            _ => Self::Other(OtherCodec {
                name: name.to_owned(),
                rate,
                channels,
            }),
        };
        Some(known)
    }

    /// The codec that a static payload type stands for (RFC 3551 §6, table 4).
    #[must_use]
    pub fn of_static(payload_type: u8) -> Option<Self> {
        let (name, rate, channels) = match payload_type {
            0 => ("PCMU", 8_000, 1),
            3 => ("GSM", 8_000, 1),
            4 => ("G723", 8_000, 1),
            5 => ("DVI4", 8_000, 1),
            6 => ("DVI4", 16_000, 1),
            7 => ("LPC", 8_000, 1),
            8 => ("PCMA", 8_000, 1),
            9 => ("G722", 8_000, 1),
            10 => ("L16", 44_100, 2),
            11 => ("L16", 44_100, 1),
            12 => ("QCELP", 8_000, 1),
            13 => ("CN", 8_000, 1),
            14 => ("MPA", 90_000, 1),
            15 => ("G728", 8_000, 1),
            16 => ("DVI4", 11_025, 1),
            17 => ("DVI4", 22_050, 1),
            18 => ("G729", 8_000, 1),
            _ => return None,
        };
        Self::new(name, rate, channels)
    }

    /// Reads what `a=rtpmap` says behind the payload type: `name/rate` or `name/rate/channels`.
    /// A missing rate counts as 8,000, as some clients write it.
    #[must_use]
    pub fn read(encoding: &str) -> Option<Self> {
        let mut fields = encoding.split('/').map(str::trim);
        let name = fields.next()?;
        let rate = match fields.next() {
            Some(rate) => rate.parse().ok()?,
            None => RATE_USUAL,
        };
        let channels = match fields.next() {
            Some(channels) => channels.parse().ok()?,
            None => 1,
        };
        Self::new(name, rate, channels).filter(|_| fields.next().is_none())
    }

    /// Sound of which nobody says what it is, by a clock of 8,000 Hz for want of a better one.
    #[must_use]
    pub fn unnamed() -> Self {
        Self::Other(OtherCodec {
            name: UNNAMED.to_owned(),
            rate: RATE_USUAL,
            channels: 1,
        })
    }

    /// Whether it is [`Self::unnamed`].
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        *self == Self::unnamed()
    }

    /// Encoding name as SDP writes it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
            Self::L16 { .. } => "L16",
            Self::Gsm => "GSM",
            Self::G729 => "G729",
            Self::Ilbc => "iLBC",
            Self::Amr => "AMR",
            Self::AmrWb => "AMR-WB",
            Self::Opus => "opus",
            Self::ComfortNoise { .. } => "CN",
            Self::TelephoneEvent { .. } => "telephone-event",
            Self::Other(other) => &other.name,
        }
    }

    /// RTP clock rate in Hz, never 0. Not always the sample rate: see [`Self::G722`].
    #[must_use]
    pub const fn clock_rate(&self) -> u32 {
        match self {
            Self::Pcma
            | Self::Pcmu
            | Self::G722
            | Self::Gsm
            | Self::G729
            | Self::Ilbc
            | Self::Amr => 8_000,
            Self::AmrWb => 16_000,
            Self::Opus => 48_000,
            Self::L16 { rate, .. }
            | Self::ComfortNoise { rate }
            | Self::TelephoneEvent { rate } => *rate,
            Self::Other(other) => other.rate,
        }
    }

    /// Channels as SDP states them.
    #[must_use]
    pub const fn channels(&self) -> u8 {
        match self {
            Self::Opus => 2,
            Self::L16 { channels, .. } => *channels,
            Self::Other(other) => other.channels,
            _ => 1,
        }
    }

    /// Whether it carries sound, and not marks beside it.
    #[must_use]
    pub const fn is_audio(&self) -> bool {
        !matches!(
            self,
            Self::ComfortNoise { .. } | Self::TelephoneEvent { .. }
        )
    }

    /// Whether voicelog can make sound of it. Of the others the packets are kept all the same.
    #[must_use]
    pub const fn is_playable(&self) -> bool {
        match self {
            Self::Pcma | Self::Pcmu | Self::G722 | Self::Opus => true,
            Self::L16 { rate, channels } => *channels <= 2 && *rate <= PLAYABLE_RATE_MAX,
            _ => false,
        }
    }

    /// What `a=rtpmap` says of it: `PCMA/8000`, `opus/48000/2`.
    #[must_use]
    pub fn rtpmap(&self) -> String {
        let (name, rate) = (self.name(), self.clock_rate());
        match self.channels() {
            1 => format!("{name}/{rate}"),
            channels => format!("{name}/{rate}/{channels}"),
        }
    }
}

/// Characters of a token (RFC 8866 §9).
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | b'~'
        )
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.clock_rate(), self.channels()) {
            (RATE_USUAL, 1) => f.write_str(self.name()),
            _ => f.write_str(&self.rtpmap()),
        }
    }
}

impl Serialize for Codec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Codec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| serde::de::Error::custom("not an encoding of RTP"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_codec_is_written_as_rtpmap_writes_it_and_without_the_usual_rate() {
        for (text, codec) in [
            ("PCMA", Codec::Pcma),
            ("G722", Codec::G722),
            ("iLBC", Codec::Ilbc),
            ("AMR-WB/16000", Codec::AmrWb),
            ("opus/48000/2", Codec::Opus),
            ("CN", Codec::ComfortNoise { rate: 8_000 }),
            (
                "telephone-event/48000",
                Codec::TelephoneEvent { rate: 48_000 },
            ),
        ] {
            assert_eq!(codec.to_string(), text);
            assert_eq!(Codec::read(text), Some(codec));
        }
        assert_eq!(Codec::Opus.rtpmap(), "opus/48000/2");
        assert_eq!(Codec::Pcmu.rtpmap(), "PCMU/8000");
    }

    #[test]
    fn a_name_is_read_in_any_case_and_a_rate_that_does_not_fit_makes_another_codec() {
        assert_eq!(Codec::read("pcmu/8000/1"), Some(Codec::Pcmu));
        assert_eq!(Codec::read("OPUS/48000/2"), Some(Codec::Opus));
        let odd = Codec::read("PCMA/16000").unwrap();
        assert!(matches!(odd, Codec::Other(_)));
        assert!(odd.is_audio() && !odd.is_playable());
        assert_eq!((odd.name(), odd.clock_rate()), ("PCMA", 16_000));
    }

    #[test]
    fn what_is_no_encoding_is_none() {
        for text in [
            "",
            "/8000",
            "PCMA/0",
            "PCMA/x",
            "PCMA/8000/0",
            "a b/8000",
            "a/1/1/1",
            "ä/8000",
        ] {
            assert_eq!(Codec::read(text), None, "{text}");
        }
        assert_eq!(Codec::read(&"n".repeat(33)), None);
        assert_eq!(Codec::read("PCMA/4000000000"), None);
    }

    #[test]
    fn static_payload_types_are_those_of_rfc_3551() {
        assert_eq!(Codec::of_static(9), Some(Codec::G722));
        assert_eq!(Codec::of_static(10).unwrap().to_string(), "L16/44100/2");
        assert_eq!(
            Codec::of_static(13),
            Some(Codec::ComfortNoise { rate: 8_000 })
        );
        assert_eq!(Codec::of_static(96), None);
        assert_eq!((0..=127).filter_map(Codec::of_static).count(), 17);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(name in "[A-Za-z0-9-]{1,32}", rate in 1..384_000_u32, channels in 1..9_u8) {
            let codec = Codec::new(&name, rate, channels).unwrap();
            prop_assert_eq!(Codec::read(&codec.to_string()), Some(codec.clone()));
            prop_assert_eq!(Codec::read(&codec.rtpmap()), Some(codec));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ignored = Codec::read(&text);
        }
    }
}
