//! Sealing chunks into a segment.

use super::{FRAME_HEADER_BYTES, HEADER_BYTES, Seal, SegmentError, header};
use crate::aead::TAG_BYTES;
use crate::hashing::Hashing;
use crate::key::DataKey;
use voicelog_model::RecordingId;
use voicelog_model::limits::CHUNK_BYTES_MAX;

/// Seals the chunks of one segment, in order.
///
/// A nonce is the number of the chunk, and a key belongs to one segment of one recording: so a
/// segment is written by one writer, once, and never continued. After a crash the next segment
/// starts.
#[derive(Debug)]
pub struct SegmentWriter {
    seal: Seal,
    byte_len: u64,
}

impl SegmentWriter {
    /// Starts a segment and gives the bytes of its header.
    ///
    /// Segments of a recording are numbered from 1; `previous_chain` is the chain of the one
    /// before, or [`super::CHAIN_START`].
    #[must_use]
    pub fn create(
        data_key: &DataKey,
        recording: RecordingId,
        segment: u32,
        previous_chain: [u8; 32],
    ) -> (Self, Vec<u8>) {
        let header = header(data_key, recording, segment, previous_chain);
        let seal = Seal::new(data_key, recording, segment, &header);
        (
            Self {
                seal,
                byte_len: HEADER_BYTES as u64,
            },
            header.to_vec(),
        )
    }

    /// Seals one chunk and appends its frame to `out`, encrypting it there.
    ///
    /// The frame is hashed with the next one, or before that with those of other segments
    /// ([`crate::tree::settle_all`]).
    ///
    /// Fails only where the chunk is longer than a chunk may be; `out` is then as it was.
    pub fn seal(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), SegmentError> {
        let too_long = SegmentError::ChunkTooLong(plaintext.len());
        let sealed_len = match u32::try_from(plaintext.len() + TAG_BYTES) {
            Ok(sealed_len) if plaintext.len() <= CHUNK_BYTES_MAX => sealed_len.to_be_bytes(),
            _ => return Err(too_long),
        };
        self.seal.catch_up();
        let start = out.len();
        out.reserve(FRAME_HEADER_BYTES + plaintext.len() + TAG_BYTES);
        out.extend_from_slice(&sealed_len);
        out.extend_from_slice(&self.seal.length_check(sealed_len));
        out.extend_from_slice(plaintext);
        let body = out
            .get_mut(start + FRAME_HEADER_BYTES..)
            .unwrap_or_default();
        let tag = self
            .seal
            .cipher
            .seal(self.seal.nonce(), &self.seal.aad(), body);
        out.extend_from_slice(&tag);
        let frame = out.get(start..).unwrap_or_default();
        self.byte_len += frame.len() as u64;
        self.seal.advance(frame);
        Ok(())
    }

    /// The chain over header and all frames so far.
    #[must_use]
    pub fn chain(&self) -> [u8; 32] {
        if self.seal.is_behind {
            self.seal.file.clone().finish()
        } else {
            self.seal.chain
        }
    }

    /// What waits to be hashed, to be done together with others.
    pub const fn hashing(&mut self) -> &mut Hashing {
        &mut self.seal.file
    }

    /// Bytes of the segment so far, header and all.
    #[must_use]
    pub const fn byte_len(&self) -> u64 {
        self.byte_len
    }

    /// Chunks sealed so far.
    #[must_use]
    pub const fn chunk_count(&self) -> u64 {
        self.seal.counter
    }
}
