//! Writing a recording: from a permit to sealed chunks on disk.
//!
//! Order: key, row, blob; at the end (`finish`) row with its leaf, checkpoint. See
//! `design/archive.md`.

use crate::error::Doing;
use crate::finish::Summary;
use crate::permit::{Permit, act};
use crate::records::Segments;
use crate::running::Running;
use crate::{Archive, ArchiveError, Call, random};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{MutexGuard, PoisonError};
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::key::{self, DataKey};
use voicelog_evidence::manifest::SegmentEntry;
use voicelog_evidence::segment::{HEADER_BYTES, SegmentWriter};
use voicelog_evidence::tree;
use voicelog_model::{DecisionId, Party, RecordingId, limits};
use voicelog_store::BlobId;
use voicelog_store::index::{NewRecording, State};
use zeroize::Zeroize as _;

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

/// A recording that begins.
pub(crate) struct Beginning {
    pub(crate) id: RecordingId,
    pub(crate) parties: Vec<Party>,
    /// Whether its sound gets a key of its own.
    pub(crate) has_sound_key: bool,
}

/// A recording that is being written. Lives on the writer's thread; needs no lock.
pub struct RecordingWriter {
    id: RecordingId,
    /// The key that its segments are sealed under.
    segments_key: DataKey,
    segment: SegmentWriter,
    segment_number: u32,
    blob: BlobId,
    /// Sealed bytes that are not in the blob yet: none, or what storage refused.
    unwritten: Vec<u8>,
    /// So many of them are sealed for sure: a mistake in the midst of sealing leaves plaintext behind them.
    sealed_len: usize,
    /// What the manifest will say; where there is none, closing reads the recording back.
    running: Option<Box<Running>>,
}

impl RecordingWriter {
    /// Which recording.
    #[must_use]
    pub const fn id(&self) -> RecordingId {
        self.id
    }

    /// How much is sealed: the number of the segment, and the chunks in it.
    #[must_use]
    pub const fn sealed(&self) -> (u32, u64) {
        (self.segment_number, self.segment.chunk_count())
    }

    /// Whether something was sealed that waits for [`Archive::write_out`].
    #[must_use]
    pub const fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// What was summed up, and every segment.
    pub(crate) fn into_sum(self) -> Option<(Summary, Vec<SegmentEntry>)> {
        let running = self.running?;
        Some(running.finish(self.segment_number, &self.segment))
    }

    /// Hashes what was sealed in all of them, side by side. What is not settled here is hashed when it is
    /// needed, one recording at a time.
    pub fn settle_all<'a>(writers: impl IntoIterator<Item = &'a mut Self>) {
        let (mut trees, mut files) = (Vec::new(), Vec::new());
        for writer in writers {
            files.push(writer.segment.hashing());
            if let Some(running) = &mut writer.running {
                trees.extend(running.trees());
            }
        }
        tree::settle_all(&mut trees, files);
    }

    /// What was summed up cannot be trusted: the recording is read back when it ends.
    pub fn forget_sum(&mut self) {
        self.running = None;
    }

    /// Wipes what a mistake in the midst of sealing left.
    fn forget_unsealed(&mut self) {
        if let Some(left) = self.unwritten.get_mut(self.sealed_len..) {
            left.zeroize();
        }
        self.unwritten.truncate(self.sealed_len);
    }

    fn sum_up(&mut self, chunk: &[u8]) {
        let Some(running) = self.running.take() else {
            return;
        };
        match running.push(chunk) {
            Ok(running) => self.running = running,
            Err(error) => {
                tracing::error!(recording = %self.id, %error,
                    "a chunk of ours is no journal; the recording is read back when it ends");
            }
        }
    }
}

impl fmt::Debug for RecordingWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RecordingWriter({}, segment {})",
            self.id, self.segment_number
        )
    }
}

impl Archive {
    /// Consumes the permit: makes the recording's data key, puts the parties sealed into the row,
    /// and opens the first segment.
    ///
    /// After an error a further permit may try again, and takes over what the first attempt left;
    /// if there is none, [`Archive::finish_unrecorded`] removes it. Errors: a recording that has
    /// begun already.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used once")]
    pub fn begin(&self, permit: Permit<act::Record>) -> Result<RecordingWriter, ArchiveError> {
        let call = self.calls.take_writer(permit.recording)?;
        let writer = self.make_writer(&call, permit.decision);
        if writer.is_err() {
            self.calls.give_writer_back(permit.recording);
        }
        writer
    }

    fn make_writer(
        &self,
        call: &Call,
        decision: DecisionId,
    ) -> Result<RecordingWriter, ArchiveError> {
        let beginning = Beginning {
            id: call.id,
            parties: call.parties.clone(),
            has_sound_key: call.line.names_sound_term(),
        };
        self.open_writer(beginning, |sealed| self.begin_row(call, decision, sealed))
    }

    /// Key, row, blob. `make_row` gets what the row is to hold sealed.
    pub(crate) fn open_writer(
        &self,
        beginning: Beginning,
        make_row: impl FnOnce(Vec<u8>) -> Result<(), ArchiveError>,
    ) -> Result<RecordingWriter, ArchiveError> {
        let id = beginning.id;
        let (keys, is_new) = self.new_keys(id, beginning.has_sound_key)?;
        // What an attempt to begin left holds nothing, and the next one goes on from it.
        let last = match is_new {
            true => Segments::default(),
            false => self.read_records(id, keys.of_segments(), |_record| ())?,
        };
        let details = canonical_json(&SealedDetails {
            parties: beginning.parties,
        })?;
        let nonce = random::bytes()?;
        let sealed = key::seal_bytes(&keys.data, DETAILS_LABEL, id, nonce, &details);
        make_row(sealed)?;
        let number = last.next_number();
        let (segment, header) = SegmentWriter::create(keys.of_segments(), id, number, last.chain);
        let blob = self
            .blobs
            .create(&segment_key(id, number))
            .doing("opening the first segment")?;
        if let Err(error) = self.blobs.append(blob, &header) {
            // Nobody has its handle any more.
            self.close_as_it_is(id, blob);
            return Err(error).doing("writing the segment's header");
        }
        Ok(RecordingWriter {
            id,
            running: Running::new(id, &keys.data, last),
            segments_key: keys.of_segments().clone(),
            segment,
            segment_number: number,
            blob,
            unwritten: Vec::new(),
            sealed_len: 0,
        })
    }

    /// A second permit for a recording that is being written: it was refused on the way, and may
    /// go on. Consumed here, so that it cannot serve another recording.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used once")]
    pub fn resume(&self, permit: Permit<act::Record>) -> Result<RecordingId, ArchiveError> {
        let row = self.row(permit.recording)?;
        if row.state == State::Recording {
            Ok(permit.recording)
        } else {
            Err(self.wrong_state(permit.recording, "resumed"))
        }
    }

    /// Seals one chunk of the journal and appends it. Durable once [`Archive::commit`] returns.
    ///
    /// Where chunks of many recordings come at once, the three steps of this are taken with all of
    /// them: [`Archive::seal`], [`RecordingWriter::settle_all`], [`Archive::write_out`].
    pub fn append(&self, writer: &mut RecordingWriter, chunk: &[u8]) -> Result<(), ArchiveError> {
        self.seal(writer, chunk)?;
        RecordingWriter::settle_all([&mut *writer]);
        self.write_out(writer)
    }

    /// Seals one chunk of the journal. It waits for [`Archive::write_out`].
    pub fn seal(&self, writer: &mut RecordingWriter, chunk: &[u8]) -> Result<(), ArchiveError> {
        let is_full = writer.segment.byte_len() >= limits::SEGMENT_BYTES_MAX;
        if is_full
            && writer.unwritten.is_empty()
            && let Err(error) = self.next_segment(writer)
        {
            // The full segment goes on for now; the next chunk tries again.
            let error = voicelog_model::error::chain(&error);
            tracing::warn!(recording = %writer.id, %error, "no new segment");
        }
        writer.forget_unsealed();
        let sealing = |source| ArchiveError::Sealing {
            id: writer.id,
            source,
        };
        writer
            .segment
            .seal(chunk, &mut writer.unwritten)
            .map_err(sealing)?;
        writer.sealed_len = writer.unwritten.len();
        writer.sum_up(chunk);
        Ok(())
    }

    /// Appends what was sealed. Durable once [`Archive::commit`] returns.
    ///
    /// What storage refuses (a full disk) is kept, sealed, and written first at the next attempt:
    /// each frame carries on the chain of the one before, so none may be left out.
    pub fn write_out(&self, writer: &mut RecordingWriter) -> Result<(), ArchiveError> {
        writer.forget_unsealed();
        if writer.unwritten.is_empty() {
            return Ok(());
        }
        self.blobs
            .append(writer.blob, &writer.unwritten)
            .doing("writing media")?;
        // Its room as well: it would be held once for each call.
        writer.unwritten = Vec::new();
        writer.sealed_len = 0;
        Ok(())
    }

    fn next_segment(&self, writer: &mut RecordingWriter) -> Result<(), ArchiveError> {
        let number = writer.segment_number + 1;
        let blob = self
            .blobs
            .create(&segment_key(writer.id, number))
            .doing("opening a segment")?;
        let full = std::mem::replace(&mut writer.blob, blob);
        let chain = writer.segment.chain();
        if let Some(running) = &mut writer.running {
            running.turn_over(writer.segment_number, &writer.segment);
        }
        let (segment, header) =
            SegmentWriter::create(&writer.segments_key, writer.id, number, chain);
        writer.segment = segment;
        writer.sealed_len = header.len();
        writer.unwritten = header;
        writer.segment_number = number;
        self.blobs
            .seal(full)
            .doing("closing a full segment")
            .map(|_len| ())
    }

    /// Makes everything appended so far durable, for all recordings at once.
    pub fn commit(&self) -> Result<(), ArchiveError> {
        self.blobs.commit().doing("committing media")
    }

    /// No more media for this recording: writes what still waits and closes the last segment. On
    /// an error it can be tried again. [`Archive::finish`] comes next.
    pub fn close(&self, writer: &mut RecordingWriter) -> Result<(), ArchiveError> {
        self.write_out(writer)?;
        self.blobs
            .seal(writer.blob)
            .doing("closing the last segment")
            .map(|_len| ())
    }

    /// Closes the last segment as it is, of a recording that is undone: what is open could not be deleted.
    pub(crate) fn abandon(&self, writer: &RecordingWriter) {
        self.close_as_it_is(writer.id, writer.blob);
    }

    /// Where that fails it stays open until somebody closes what was left open, or until the next start.
    fn close_as_it_is(&self, id: RecordingId, blob: BlobId) {
        if let Err(error) = self.blobs.seal(blob) {
            tracing::warn!(recording = %id, %error, "a segment stays open for now");
            self.left_open().insert(id, blob);
        }
    }

    /// Tries once more. Whether it is closed, whoever deletes it is told.
    pub(crate) fn close_what_was_left_open(&self, id: RecordingId) {
        // Not in one expression: the lock has to be free again.
        let left = self.left_open().remove(&id);
        if let Some(blob) = left {
            self.close_as_it_is(id, blob);
        }
    }

    fn left_open(&self) -> MutexGuard<'_, BTreeMap<RecordingId, BlobId>> {
        let open = self.left_open.lock();
        open.unwrap_or_else(PoisonError::into_inner)
    }

    /// The row of a recording that begins: a new one, that of a call that waited, or the one that
    /// an attempt to begin left.
    fn begin_row(
        &self,
        call: &Call,
        decision: DecisionId,
        sealed: Vec<u8>,
    ) -> Result<(), ArchiveError> {
        let id = call.id;
        let present = self.index.recording(id).doing("reading the index")?;
        if present.is_none() {
            let row = NewRecording {
                id,
                started_at: call.offered_at,
                state: State::Recording,
                line: call.line.name.clone(),
                decision,
                sealed,
                report: call.about.report.to_bytes()?,
                has_sound_key: call.line.names_sound_term(),
            };
            return self
                .index
                .insert_recording(&row)
                .doing("opening the recording");
        }
        self.index
            .update_sealed(id, &sealed)
            .doing("opening the recording")?;
        let begun = self
            .index
            .set_state(id, &[State::Waiting, State::Recording], State::Recording)
            .doing("opening the recording")?;
        if begun {
            Ok(())
        } else {
            Err(self.wrong_state(id, "begun"))
        }
    }

    /// Removes what an attempt to begin a recording left: a key, and segments with nothing in
    /// them. Errors: [`ArchiveError::IndexBehind`] where there is media, and then nothing is
    /// touched.
    pub(crate) fn forget_beginning(&self, id: RecordingId) -> Result<(), ArchiveError> {
        let segments = self
            .blobs
            .list(&segment_prefix(id))
            .doing("listing segments")?;
        if segments.iter().any(|blob| blob.len > HEADER_BYTES as u64) {
            return Err(ArchiveError::IndexBehind(id));
        }
        for segment in segments {
            self.blobs
                .delete(&segment.key)
                .doing("removing a segment that is not needed")?;
        }
        self.secrets.epoch_keys.forget(id);
        self.keys
            .destroy_all(&[id, key::sound_key_name(id)])
            .doing("removing a key that is not needed")
    }
}
