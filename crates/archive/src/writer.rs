//! Writing a recording: from a permit to sealed chunks on disk.
//!
//! Order: key, row, blob; at the end (`finish`) row, leaf, checkpoint. See `design/archive.md`.

use crate::error::Doing;
use crate::permit::{Permit, act};
use crate::{Archive, ArchiveError, Call, random};
use serde::{Deserialize, Serialize};
use std::fmt;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::key::{self, DataKey};
use voicelog_evidence::segment::{CHAIN_START, SegmentWriter};
use voicelog_model::{DecisionId, Party, RecordingId, limits};
use voicelog_store::BlobId;
use voicelog_store::index::{NewRecording, State};

/// Label under which the sealed column of a recording's row is sealed.
pub(crate) const DETAILS_LABEL: &str = "recording details";

/// What the row holds sealed: personal data, readable only with the recording's data key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealedDetails {
    pub(crate) parties: Vec<Party>,
}

/// What the keys of all segments of a recording begin with.
pub(crate) fn segment_prefix(id: RecordingId) -> String {
    format!("rec/{id}/")
}

/// The key of a blob that holds one segment.
pub(crate) fn segment_key(id: RecordingId, number: u32) -> String {
    format!("rec/{id}/{number:06}.seg")
}

/// A recording that is being written. Lives on the writer's thread; needs no lock.
pub struct RecordingWriter {
    id: RecordingId,
    data_key: DataKey,
    segment: SegmentWriter,
    segment_number: u32,
    blob: BlobId,
    frame: Vec<u8>,
}

impl RecordingWriter {
    /// Which recording.
    #[must_use]
    pub const fn id(&self) -> RecordingId {
        self.id
    }
}

impl fmt::Debug for RecordingWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordingWriter({}, segment {})", self.id, self.segment_number)
    }
}

impl Archive {
    /// Consumes the permit: makes the recording's data key, puts the parties sealed into the row,
    /// and opens the first segment.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used once")]
    pub fn begin(&self, permit: Permit<act::Record>) -> Result<RecordingWriter, ArchiveError> {
        let id = permit.recording;
        let call = self.calls.get(id).ok_or(ArchiveError::NotFound(id))?;
        let data_key = DataKey::from_random(random::bytes()?);
        let wrapped = key::wrap(&self.secrets.key_encryption_key, &data_key, id, random::bytes()?);
        self.keys.put(id, &wrapped).doing("keeping the data key")?;
        let details = canonical_json(&SealedDetails { parties: call.parties.clone() })?;
        let nonce = random::bytes()?;
        let sealed = key::seal_bytes(&data_key, DETAILS_LABEL, id, nonce, &details);
        self.begin_row(&call, permit.decision, sealed)?;
        let (segment, header) = SegmentWriter::create(&data_key, id, 1, CHAIN_START);
        let blob = self.blobs.create(&segment_key(id, 1)).doing("opening the first segment")?;
        self.blobs.append(blob, &header).doing("writing the segment's header")?;
        Ok(RecordingWriter {
            id,
            data_key,
            segment,
            segment_number: 1,
            blob,
            frame: Vec::new(),
        })
    }

    /// Seals one chunk of the journal and appends it. Durable once [`Archive::commit`] returns.
    ///
    /// After an error the recording keeps all that was committed; this chunk is lost, and the
    /// caller closes the writer.
    pub fn append(&self, writer: &mut RecordingWriter, chunk: &[u8]) -> Result<(), ArchiveError> {
        if writer.segment.byte_len() >= limits::SEGMENT_BYTES_MAX {
            self.next_segment(writer)?;
        }
        writer.frame.clear();
        let sealing = |source| ArchiveError::Sealing { id: writer.id, source };
        writer.segment.seal(chunk, &mut writer.frame).map_err(sealing)?;
        self.blobs.append(writer.blob, &writer.frame).doing("writing media")?;
        Ok(())
    }

    /// The row of a recording that begins: a new one, or that of a call that waited.
    fn begin_row(
        &self,
        call: &Call,
        decision: DecisionId,
        sealed: Vec<u8>,
    ) -> Result<(), ArchiveError> {
        let id = call.id;
        if self.index.recording(id).doing("reading the index")?.is_none() {
            let row = NewRecording {
                id,
                started_at: call.offered_at,
                state: State::Recording,
                line: call.line.name.clone(),
                decision,
                sealed,
            };
            return self.index.insert_recording(&row).doing("opening the recording");
        }
        self.index.update_sealed(id, &sealed).doing("opening the recording")?;
        let begun = self
            .index
            .set_state(id, &[State::Waiting], State::Recording)
            .doing("opening the recording")?;
        if begun { Ok(()) } else { Err(self.wrong_state(id, "begun")) }
    }

    fn next_segment(&self, writer: &mut RecordingWriter) -> Result<(), ArchiveError> {
        self.blobs.seal(writer.blob).doing("closing a full segment")?;
        let number = writer.segment_number + 1;
        let chain = writer.segment.chain();
        let (segment, header) = SegmentWriter::create(&writer.data_key, writer.id, number, chain);
        let blob = self.blobs.create(&segment_key(writer.id, number)).doing("opening a segment")?;
        self.blobs.append(blob, &header).doing("writing the segment's header")?;
        writer.segment = segment;
        writer.blob = blob;
        writer.segment_number = number;
        Ok(())
    }

    /// Makes everything appended so far durable, for all recordings at once.
    pub fn commit(&self) -> Result<(), ArchiveError> {
        self.blobs.commit().doing("committing media")
    }

    /// No more media for this recording. [`Archive::finish`] comes next.
    #[expect(clippy::needless_pass_by_value, reason = "a closed writer must not be used again")]
    pub fn close(&self, writer: RecordingWriter) -> Result<(), ArchiveError> {
        self.blobs.seal(writer.blob).doing("closing the last segment").map(|_len| ())
    }
}
