//! What a manifest will say, summed up while the recording is written.
//!
//! Each chunk is summed up as it is sealed, by the same [`Summary`] that reads a recording back
//! after a crash or for `check`. So closing a recording costs no second pass over it. Where this sum
//! is not there (too much happened in the call, or a chunk did not make sense) closing reads the
//! recording back.

use crate::finish::Summary;
use crate::records::Segments;
use voicelog_evidence::Digest;
use voicelog_evidence::journal::{ChunkReader, JournalError};
use voicelog_evidence::key::DataKey;
use voicelog_evidence::manifest::SegmentEntry;
use voicelog_evidence::segment::SegmentWriter;
use voicelog_evidence::tree::StreamTreeBuilder;
use voicelog_model::RecordingId;

/// Intervals, states and key presses that are kept for one recording while it is written. One of
/// which more is to be told is read back: memory is for calls, not for the oddest of them.
const KEPT_MAX: usize = 200;

/// The sum over what was written so far.
pub(crate) struct Running {
    summary: Summary,
    /// The segments that are full.
    full: Vec<SegmentEntry>,
}

impl Running {
    /// Of a recording that starts behind these segments, which hold no record. `None` if it cannot
    /// be known by its writer alone.
    pub(crate) fn new(id: RecordingId, data_key: &DataKey, before: Segments) -> Option<Box<Self>> {
        before.torn.is_empty().then(|| {
            Box::new(Self {
                summary: Summary::new(id, data_key),
                full: before.entries,
            })
        })
    }

    /// Adds what a chunk holds. Gives up, once and for all, where more is to be kept than one
    /// recording may take.
    pub(crate) fn push(
        mut self: Box<Self>,
        chunk: &[u8],
    ) -> Result<Option<Box<Self>>, JournalError> {
        let mut records = ChunkReader::new(chunk)?;
        while let Some(record) = records.next_record()? {
            self.summary.push(record);
        }
        Ok((self.summary.kept() <= KEPT_MAX).then_some(self))
    }

    /// The trees that are being built.
    pub(crate) fn trees(&mut self) -> impl Iterator<Item = &mut StreamTreeBuilder> {
        self.summary.trees()
    }

    /// A segment is full.
    pub(crate) fn turn_over(&mut self, number: u32, full: &SegmentWriter) {
        self.full.push(entry(number, full));
    }

    /// The sum, and all segments, of which this is the last.
    pub(crate) fn finish(
        mut self,
        number: u32,
        last: &SegmentWriter,
    ) -> (Summary, Vec<SegmentEntry>) {
        self.full.push(entry(number, last));
        (self.summary, self.full)
    }
}

fn entry(number: u32, segment: &SegmentWriter) -> SegmentEntry {
    SegmentEntry {
        number,
        byte_len: segment.byte_len(),
        // The chain is the hash of the file so far.
        sha256: Digest(segment.chain()),
    }
}
