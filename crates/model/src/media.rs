//! Media streams: what one direction of a conversation carries.

use serde::{Deserialize, Serialize};

/// Number of a media stream within its recording, from 1, in the order of the offer's `m=` lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamNumber(pub u16);

impl std::fmt::Display for StreamNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An audio codec that we can turn into samples (RFC 3551 §4.5.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Codec {
    /// G.711 A-law, 8 kHz, one byte a sample.
    Pcma,
    /// G.711 µ-law, 8 kHz, one byte a sample.
    Pcmu,
}

impl Codec {
    /// RTP clock rate and sample rate in Hz.
    #[must_use]
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Pcma | Self::Pcmu => 8_000,
        }
    }

    /// Static RTP payload type (RFC 3551 §6).
    #[must_use]
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcma => 8,
            Self::Pcmu => 0,
        }
    }

    /// Encoding name as SDP writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
        }
    }
}

/// One direction of media in a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaStream {
    /// Which stream.
    pub number: StreamNumber,
    /// The SDP label (RFC 4574) that rs-metadata refers to, if the other side gave one.
    pub label: Option<String>,
    /// Codec negotiated.
    pub codec: Codec,
    /// RTP payload type negotiated for it.
    pub payload_type: u8,
    /// Pseudonym (`p1`, `p2` …) of the party whose voice this is, if the metadata says so.
    pub party: Option<String>,
}
