//! Reading a recording's journal back, segment by segment, and checking the chain on the way.

use crate::error::Doing;
use crate::writer::segment_key;
use crate::{Archive, ArchiveError};
use voicelog_evidence::Digest;
use voicelog_evidence::journal::{ChunkReader, RecordRef};
use voicelog_evidence::key::DataKey;
use voicelog_evidence::manifest::SegmentEntry;
use voicelog_evidence::segment::{CHAIN_START, SegmentReader, Tail};
use voicelog_model::RecordingId;
use voicelog_store::StoreError;

/// What reading a whole recording found besides its records.
#[derive(Debug)]
pub(crate) struct Segments {
    /// One entry per segment, as the manifest lists them.
    pub(crate) entries: Vec<SegmentEntry>,
    /// Numbers of the segments that end in half a frame, as after a crash.
    pub(crate) torn: Vec<u32>,
    /// Chain value after the last whole frame.
    pub(crate) chain: [u8; 32],
}

impl Default for Segments {
    /// Those of a recording that has none yet.
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            torn: Vec::new(),
            chain: CHAIN_START,
        }
    }
}

impl Segments {
    /// Number of the segment that would come next.
    pub(crate) fn next_number(&self) -> u32 {
        self.entries.last().map_or(1, |last| last.number + 1)
    }
}

impl Archive {
    /// Whether a data key exists.
    pub(crate) fn has_key(&self, id: RecordingId) -> Result<bool, ArchiveError> {
        match self.keys.get(id) {
            Ok(_wrapped) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error).doing("looking for a key"),
        }
    }

    /// Reads every record of a recording in the order it was written. Any chunk that does not
    /// open is an error; a torn last frame is what a crash leaves and is reported.
    pub(crate) fn read_records(
        &self,
        id: RecordingId,
        data_key: &DataKey,
        mut each: impl FnMut(RecordRef<'_>),
    ) -> Result<Segments, ArchiveError> {
        let mut segments = Segments::default();
        let mut chunk = Vec::new();
        for number in 1.. {
            let bytes = match self.blobs.read(&segment_key(id, number)) {
                Ok(bytes) => bytes,
                Err(StoreError::NotFound { .. }) => break,
                Err(error) => return Err(error).doing("reading a segment"),
            };
            let broken = |source| ArchiveError::Segment { id, number, source };
            let no_journal = |source| ArchiveError::Journal { id, source };
            let mut reader = SegmentReader::start(data_key, id, number, segments.chain, &bytes)
                .map_err(broken)?;
            while reader.next_chunk(&mut chunk).map_err(broken)? {
                let mut records = ChunkReader::new(&chunk).map_err(no_journal)?;
                while let Some(record) = records.next_record().map_err(no_journal)? {
                    each(record);
                }
            }
            segments.chain = reader.chain();
            // Half a frame at the end is what a crash leaves. It cannot hide a cut: the next
            // segment opens only with the chain of the last whole frame.
            let kept_bytes = match reader.tail() {
                Tail::Clean => bytes.len(),
                Tail::Torn { kept_bytes } => kept_bytes,
            };
            if kept_bytes < bytes.len() {
                segments.torn.push(number);
            }
            // The chain is the hash of the file so far, unless not even its header is whole.
            let sha256 = match kept_bytes {
                0 => Digest::of(&[]),
                _ => Digest(segments.chain),
            };
            segments.entries.push(SegmentEntry {
                number,
                byte_len: kept_bytes as u64,
                sha256,
            });
        }
        Ok(segments)
    }
}
