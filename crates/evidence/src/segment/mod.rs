//! A segment: one file of sealed chunks, each bound to everything before it.
//!
//! Written while the call goes on, so it has no trailer: after a crash the file ends somewhere in
//! its last frame, and every frame before that still opens. Format and reasons:
//! `design/evidence-format.md`, "Segment", and `design/decisions/0003-own-segment-format.md`.
//!
//! **Invariant:** a frame opens only with the key of this recording, as this frame of this
//! segment, after exactly these frames.

mod read;
mod write;

pub use read::{FrameOpener, FramePlace, Segment, SegmentReader, Tail};
pub use write::SegmentWriter;

use crate::aead::{Cipher, NONCE_BYTES, TAG_BYTES};
use crate::digest::sha256_of;
use crate::hashing::{Hashing, settle};
use crate::key::DataKey;
use voicelog_model::limits::CHUNK_BYTES_MAX;
use voicelog_model::{Kind, RecordingId};
use zeroize::Zeroizing;

/// What a segment file starts with.
pub const MAGIC: [u8; 8] = *b"VLOG-SEG";
/// Version of the segment format that is written.
pub const VERSION: u16 = 1;
/// Bytes of the file header.
pub const HEADER_BYTES: usize = 8 + 2 + 2 + 16 + 4 + 32 + 32;
/// Bytes of a frame besides its plaintext: length, check of the length, tag.
pub const FRAME_OVERHEAD_BYTES: usize = FRAME_HEADER_BYTES + TAG_BYTES;
/// The chain before the first segment of a recording.
pub const CHAIN_START: [u8; 32] = [0; 32];

/// Length and check of the length.
const FRAME_HEADER_BYTES: usize = 4 + 4;
/// Most bytes of ciphertext and tag in one frame.
const SEALED_BYTES_MAX: usize = CHUNK_BYTES_MAX + TAG_BYTES;

/// Why a segment cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// Longer than [`CHUNK_BYTES_MAX`].
    #[error("a chunk of {0} bytes is longer than a segment takes")]
    ChunkTooLong(usize),
    /// Another kind of file.
    #[error("segment {segment} is no segment file")]
    NotASegment {
        /// Number of the segment that was asked for.
        segment: u32,
    },
    /// Written by a newer voicelog.
    #[error("segment {segment} has format version {version}, which this program does not know")]
    Version {
        /// Number of the segment that was asked for.
        segment: u32,
        /// What its header says.
        version: u16,
    },
    /// It is of another recording, has another number, follows another segment, or was sealed
    /// with another key.
    #[error("segment {segment} has a header that is not its own: {what}")]
    Header {
        /// Number of the segment that was asked for.
        segment: u32,
        /// Which field.
        what: &'static str,
    },
    /// A whole frame that was changed, moved or sealed with another key.
    #[error("chunk {chunk} of segment {segment} is not what was sealed (frame at byte {at})")]
    NotAuthentic {
        /// Number of the segment.
        segment: u32,
        /// Which chunk, from 0.
        chunk: u64,
        /// Where its frame starts.
        at: usize,
    },
}

impl SegmentError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::ChunkTooLong(_) => Kind::Invalid,
            Self::NotASegment { .. }
            | Self::Version { .. }
            | Self::Header { .. }
            | Self::NotAuthentic { .. } => Kind::Corrupt,
        }
    }
}

/// Everything that writer and reader of one segment share.
struct Seal {
    cipher: Cipher,
    header_hash: [u8; 32],
    /// Over the file so far; what it gives at the end of a frame is the chain.
    file: Hashing,
    chain: [u8; 32],
    /// Whether a frame was added of which the chain does not know yet.
    is_behind: bool,
    /// Number of the next chunk.
    counter: u64,
}

impl Seal {
    fn new(
        data_key: &DataKey,
        recording: RecordingId,
        segment: u32,
        header: &[u8; HEADER_BYTES],
    ) -> Self {
        let key = Zeroizing::new(data_key.derive("segment-key", &context(recording, segment)));
        let file = Hashing::new().with(header);
        let header_hash = file.clone().finish();
        Self {
            cipher: Cipher::new(&key),
            header_hash,
            file,
            chain: header_hash,
            is_behind: false,
            counter: 0,
        }
    }

    fn nonce(&self) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        if let Some(low) = nonce.last_chunk_mut::<8>() {
            *low = self.counter.to_be_bytes();
        }
        nonce
    }

    /// Header hash ‖ counter ‖ chain so far.
    fn aad(&self) -> [u8; 72] {
        let mut aad = [0; 72];
        let parts = [
            &self.header_hash[..],
            &self.counter.to_be_bytes(),
            &self.chain,
        ];
        for (place, byte) in aad.iter_mut().zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        aad
    }

    /// Four bytes that tell a damaged length from a torn frame.
    fn length_check(&self, length: [u8; 4]) -> [u8; 4] {
        let [a, b, c, d, ..] = sha256_of(&[&[2], &self.chain, &length]);
        [a, b, c, d]
    }

    /// A frame follows. Before the next one comes [`Self::catch_up`].
    fn advance(&mut self, frame: &[u8]) {
        self.file.put(frame);
        self.is_behind = true;
        self.counter += 1;
    }

    /// Brings the chain up to the last frame.
    fn catch_up(&mut self) {
        if std::mem::take(&mut self.is_behind) {
            settle([&mut self.file]);
            self.chain = self.file.clone().finish();
        }
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seal(chunk {}, secret)", self.counter)
    }
}

fn header(
    data_key: &DataKey,
    recording: RecordingId,
    segment: u32,
    previous_chain: [u8; 32],
) -> [u8; HEADER_BYTES] {
    let commitment = data_key.derive("segment-commitment", &context(recording, segment));
    let parts = [
        &MAGIC[..],
        &VERSION.to_be_bytes(),
        &[0, 0],
        recording.as_bytes(),
        &segment.to_be_bytes(),
        &previous_chain,
        &commitment,
    ];
    let mut header = [0; HEADER_BYTES];
    for (place, byte) in header.iter_mut().zip(parts.into_iter().flatten()) {
        *place = *byte;
    }
    header
}

/// What the keys of a segment are drawn for: recording id ‖ segment number ‖ format version.
fn context(recording: RecordingId, segment: u32) -> [u8; 22] {
    let mut context = [0; 22];
    let parts = [
        &recording.as_bytes()[..],
        &segment.to_be_bytes(),
        &VERSION.to_be_bytes(),
    ];
    for (place, byte) in context.iter_mut().zip(parts.into_iter().flatten()) {
        *place = *byte;
    }
    context
}
