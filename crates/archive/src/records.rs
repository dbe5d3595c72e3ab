//! Reading a recording's journal back, segment by segment, and checking the chain on the way.

use crate::error::Doing;
use crate::writer::segment_key;
use crate::{Archive, ArchiveError};
use voicelog_evidence::Digest;
use voicelog_evidence::journal::{ChunkReader, RecordRef};
use voicelog_evidence::key::DataKey;
use voicelog_evidence::manifest::SegmentEntry;
use voicelog_evidence::segment::{CHAIN_START, FrameOpener, FramePlace, SegmentReader, Tail};
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

/// Where a chunk of the journal lies that was read once, so that it can be read again by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkPlace {
    /// Number of its segment.
    segment: u32,
    /// The chain before that segment.
    previous_chain: [u8; 32],
    frame: FramePlace,
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
        self.read_chunks(id, data_key, |_place, chunk| {
            records_of(id, chunk, &mut each)
        })
    }

    /// The same, chunk by chunk.
    pub(crate) fn read_chunks(
        &self,
        id: RecordingId,
        data_key: &DataKey,
        mut each: impl FnMut(ChunkPlace, &[u8]) -> Result<(), ArchiveError>,
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
            let previous_chain = segments.chain;
            let mut reader = SegmentReader::start(data_key, id, number, previous_chain, &bytes)
                .map_err(broken)?;
            while let Some(frame) = reader.next_frame(&mut chunk).map_err(broken)? {
                let place = ChunkPlace {
                    segment: number,
                    previous_chain,
                    frame,
                };
                each(place, &chunk)?;
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

/// Reads single chunks again, each authentic as the one that lay there, after all that came before it.
#[derive(Debug)]
pub(crate) struct ChunkOpener<'a> {
    archive: &'a Archive,
    id: RecordingId,
    data_key: DataKey,
    /// Of the segment of the last chunk, with its number.
    opener: Option<(u32, FrameOpener)>,
    chunk: Vec<u8>,
}

impl<'a> ChunkOpener<'a> {
    /// Of one recording.
    pub(crate) const fn new(archive: &'a Archive, id: RecordingId, data_key: DataKey) -> Self {
        Self {
            archive,
            id,
            data_key,
            opener: None,
            chunk: Vec::new(),
        }
    }

    /// A chunk.
    pub(crate) fn open(&mut self, place: &ChunkPlace) -> Result<&[u8], ArchiveError> {
        let (id, number, frame) = (self.id, place.segment, &place.frame);
        let blobs = &self.archive.blobs;
        let bytes = blobs
            .read_part(&segment_key(id, number), frame.at as u64, frame.len)
            .doing("reading a segment")?;
        let (_, mut opener) = match self.opener.take() {
            Some(kept) if kept.0 == number => kept,
            _ => {
                let chain = place.previous_chain;
                let opener = FrameOpener::new(&self.data_key, id, number, chain);
                (number, opener)
            }
        };
        let opened = opener.open(frame, &bytes, &mut self.chunk);
        self.opener = Some((number, opener));
        opened.map_err(|source| ArchiveError::Segment { id, number, source })?;
        Ok(&self.chunk)
    }
}

/// The records of a chunk, in order.
pub(crate) fn records_of(
    id: RecordingId,
    chunk: &[u8],
    each: &mut impl FnMut(RecordRef<'_>),
) -> Result<(), ArchiveError> {
    let no_journal = |source| ArchiveError::Journal { id, source };
    let mut records = ChunkReader::new(chunk).map_err(no_journal)?;
    while let Some(record) = records.next_record().map_err(no_journal)? {
        each(record);
    }
    Ok(())
}
