//! The end of a recording that a power cut interrupted.
//!
//! Bytes that were appended and not yet committed may be anything then: missing, zeros, or zeros
//! with real data behind them. Read as they are, they would look like damage.

use crate::error::Doing;
use crate::writer::segment_key;
use crate::{Archive, ArchiveError};
use voicelog_evidence::key::DataKey;
use voicelog_evidence::segment::{CHAIN_START, SegmentReader, Tail};
use voicelog_model::{RecordingId, limits};
use voicelog_store::StoreError;
use voicelog_store::index::State;

/// Bytes at the end of a segment that storage knows no promise about and that may be a tear: one
/// commit takes a chunk with its frame, and the first one the segment's header too.
const TEAR_BYTES_MAX: u64 = limits::CHUNK_BYTES_MAX as u64 + 1_024;

impl Archive {
    /// Cuts what does not open from the end of a recording that was being written, if it was
    /// never promised. Whole frames stay, promised or not. Anything else that does not open is
    /// damage: then nothing is cut, and whoever reads the recording next says so.
    pub(crate) fn cut_unpromised_tail(
        &self,
        id: RecordingId,
        data_key: &DataKey,
    ) -> Result<(), ArchiveError> {
        if self.row(id)?.state != State::Recording {
            return Ok(());
        }
        let mut cuts = Vec::new();
        let mut chain = CHAIN_START;
        for number in 1.. {
            let key = segment_key(id, number);
            let bytes = match self.blobs.read(&key) {
                Ok(bytes) => bytes,
                Err(StoreError::NotFound { .. }) => break,
                Err(error) => return Err(error).doing("reading a segment"),
            };
            let (opened_bytes, after) = opened(data_key, id, number, chain, &bytes);
            if let Some(opened_bytes) = opened_bytes {
                let promised = self
                    .blobs
                    .promised_len(&key)
                    .unwrap_or_else(|| (bytes.len() as u64).saturating_sub(TEAR_BYTES_MAX));
                if opened_bytes < promised {
                    return Ok(());
                }
                cuts.push((key, opened_bytes));
            }
            chain = after;
        }
        for (key, len) in cuts {
            tracing::warn!(object = %key, len, "cut bytes that were never committed");
            self.blobs
                .truncate(&key, len)
                .doing("cutting what was never committed")?;
        }
        Ok(())
    }
}

/// Where a segment stops opening, `None` if it opens to its end or to an ordinary tear, and the
/// chain after what opens.
fn opened(
    data_key: &DataKey,
    id: RecordingId,
    number: u32,
    chain: [u8; 32],
    bytes: &[u8],
) -> (Option<u64>, [u8; 32]) {
    let Ok(mut reader) = SegmentReader::start(data_key, id, number, chain, bytes) else {
        return (Some(0), chain);
    };
    let mut chunk = Vec::new();
    loop {
        match reader.next_chunk(&mut chunk) {
            Ok(true) => {}
            Ok(false) => return (None, reader.chain()),
            Err(_not_authentic) => {
                let at = match reader.tail() {
                    Tail::Torn { kept_bytes } => kept_bytes,
                    Tail::Clean => bytes.len(),
                };
                return (Some(at as u64), reader.chain());
            }
        }
    }
}
