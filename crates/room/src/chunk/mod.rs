//! A chunk: what a device hands over at once. Pure; the form is in `design/room.md`, "Chunk".

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::fmt;
use voicelog_archive::journal::Cause;
use voicelog_model::limits::RTP_PACKET_BYTES_MAX;
use voicelog_model::rtp::RtpPacket;

/// Most bytes of a chunk.
pub const CHUNK_BYTES_MAX: usize = 262_144;
/// Most chunks of a track: twelve hours of a second each.
pub const CHUNKS_MAX: u32 = 43_200;
const MAGIC: &[u8; 4] = b"VLRC";
const VERSION: u8 = 1;
const PACKET: u8 = 1;
const MARK: u8 = 2;
/// Fewest bytes of a packet: its header, and something in it.
const PACKET_BYTES_MIN: usize = 13;
const MARK_BYTES_MAX: usize = 256;
/// No track lasts longer than this after it began, in microseconds: a day.
const CAPTURED_MAX: i64 = 24 * 3_600 * 1_000_000;

/// A SHA-256. Prints as hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(pair).ok()?;
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        }
        Some(Self(hash))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why bytes are no chunk. `at` counts bytes from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// More bytes than a chunk may have.
    #[error("a chunk has at most {CHUNK_BYTES_MAX} bytes, this has {0}")]
    TooLarge(usize),
    /// It does not begin as a chunk does.
    #[error("this does not begin as a chunk of version 1 does")]
    Head,
    /// It is another one than its address says.
    #[error("this is chunk {0}")]
    Number(u32),
    /// It does not follow the chunk before.
    #[error("the chain of the chunk before is another one")]
    Chain,
    /// The frame at this place is not in the form.
    #[error("byte {at}: {what}")]
    Frame {
        /// Where.
        at: usize,
        /// What is wrong.
        what: &'static str,
    },
}

/// Why a device recorded nothing for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A telephone call took the microphone.
    Call,
    /// The screen was locked, or another page was in front.
    Hidden,
    /// The microphone was muted.
    Muted,
    /// The microphone is gone.
    DeviceGone,
    /// The page was loaded again.
    Reloaded,
    /// The device has no room.
    StorageFull,
    /// Something else.
    Other,
}

impl From<Reason> for Cause {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Call => Self::DeviceCall,
            Reason::Hidden => Self::DeviceHidden,
            Reason::Muted => Self::DeviceMuted,
            Reason::DeviceGone => Self::DeviceGone,
            Reason::Reloaded => Self::DeviceReloaded,
            Reason::StorageFull => Self::DeviceFull,
            Reason::Other => Self::Device,
        }
    }
}

/// What a device says about its own track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "mark", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// From here on it records nothing.
    Interrupted {
        /// Why.
        reason: Reason,
    },
    /// It goes on.
    Resumed {},
}

/// One thing in a chunk, with the moment of its capture in microseconds since the track began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// An RTP packet; captured when its last sample was.
    Packet {
        /// When.
        captured: i64,
        /// The packet, header and all.
        bytes: &'a [u8],
    },
    /// A mark.
    Mark {
        /// When.
        captured: i64,
        /// What it says.
        mark: Mark,
    },
}

impl Frame<'_> {
    /// When it was captured.
    #[must_use]
    pub const fn captured(&self) -> i64 {
        match self {
            Self::Packet { captured, .. } | Self::Mark { captured, .. } => *captured,
        }
    }
}

/// A chunk that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Its frames, in order of capture.
    pub frames: Vec<Frame<'a>>,
}

impl<'a> Chunk<'a> {
    /// Reads chunk `number` of a track, which follows a chunk with the chain `before`. `payload_type` is that of the
    /// track's packets. Nothing is guessed: a chunk that is not wholly in the form is none.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where.
    pub fn read(
        bytes: &'a [u8],
        number: u32,
        before: Hash,
        payload_type: u8,
    ) -> Result<Self, ChunkError> {
        if bytes.len() > CHUNK_BYTES_MAX {
            return Err(ChunkError::TooLarge(bytes.len()));
        }
        let mut rest = Cursor { bytes, at: 0 };
        if rest.take::<4>() != Some(*MAGIC) || rest.take::<1>() != Some([VERSION]) {
            return Err(ChunkError::Head);
        }
        let found = rest.take().map(u32::from_be_bytes);
        let chain = rest.take().map(Hash);
        let (Some(found), Some(chain)) = (found, chain) else {
            return Err(ChunkError::Head);
        };
        if found != number {
            return Err(ChunkError::Number(found));
        }
        if chain != before {
            return Err(ChunkError::Chain);
        }
        let mut frames: Vec<Frame<'a>> = Vec::new();
        while rest.at < bytes.len() {
            let (at, latest) = (rest.at, frames.last().map_or(0, Frame::captured));
            let frame = rest
                .frame(payload_type)
                .map_err(|what| ChunkError::Frame { at, what })?;
            if frame.captured() < latest || frame.captured() > CAPTURED_MAX {
                let what = "captured before the frame in front of it, or later than a day";
                return Err(ChunkError::Frame { at, what });
            }
            frames.push(frame);
        }
        Ok(Self { frames })
    }
}

/// What is left to read.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = *self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(taken)
    }

    fn frame(&mut self, payload_type: u8) -> Result<Frame<'a>, &'static str> {
        let cut = "a frame is cut off";
        let [kind] = self.take().ok_or(cut)?;
        let captured = i64::from_be_bytes(self.take().ok_or(cut)?);
        let length = usize::from(u16::from_be_bytes(self.take().ok_or(cut)?));
        let content = self.bytes.get(self.at..self.at + length).ok_or(cut)?;
        self.at += length;
        match kind {
            PACKET => {
                if !(PACKET_BYTES_MIN..=RTP_PACKET_BYTES_MAX).contains(&length) {
                    return Err("a packet has 13 to 2,048 bytes");
                }
                let packet = RtpPacket::parse(content).map_err(|_| "this is no RTP packet")?;
                if packet.payload_type != payload_type || packet.payload.is_empty() {
                    return Err(
                        "a packet of another payload type than the track's, or without payload",
                    );
                }
                let bytes = content;
                Ok(Frame::Packet { captured, bytes })
            }
            MARK if length > MARK_BYTES_MAX => Err("a mark has at most 256 bytes"),
            MARK => match serde_json::from_slice(content) {
                Ok(mark) => Ok(Frame::Mark { captured, mark }),
                Err(_) => Err("this is no mark"),
            },
            _ => Err("the kind of a frame is 1 (packet) or 2 (mark)"),
        }
    }
}

#[cfg(test)]
mod tests;
