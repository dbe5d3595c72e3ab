//! Import: a sound file that somebody already has becomes a recording. Design: `design/import.md`.
//!
//! The file is kept byte for byte, as the packets of one stream, after the law permitted it; of one that is refused nothing
//! is kept. An import that does not come to its end, for whatever reason, is undone.

mod file;
mod minutes;
mod slices;
mod sound;
mod spool;

pub use file::{FILE_BYTES_MAX, FileBytes, SoundFile, StopImport};
pub use minutes::{CODEC_OF_MINUTES, MINUTES_BYTES_MAX, SignedMinutes};
pub(crate) use slices::FileSaid;
pub(crate) use sound::{FilePlaces, FileSound};
pub use spool::{SPOOL_PIECE_BYTES_MAX, Spool};
pub use voicelog_soundfile::SoundFileError;

use crate::error::Doing as _;
use crate::permit::{Answer, Permit, Verdict, act};
use crate::writer::{Beginning, segment_prefix};
use crate::{Archive, ArchiveError, CallReport, Finished, RecordingWriter, random};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use slices::{HEADER_BYTES, STREAM, Slices};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{MutexGuard, PoisonError};
use voicelog_evidence::Digest;
use voicelog_evidence::digest::hmac_sha256;
use voicelog_evidence::journal::{Cause, ChunkBuilder, JournalEvent, PacketKind};
use voicelog_evidence::key;
use voicelog_evidence::manifest::{Manifest, Provenance};
use voicelog_model::{DecisionId, Pii, RecordingId, Timestamp};
use voicelog_store::index::{NewRecording, RecordingRow, State};

/// What an imported recording has for a line. No line of the configuration may have this name.
pub const LINE_OF_IMPORTS: &str = "import";
/// Plaintext of one chunk at least. A whole chunk is opened to hear a moment of it.
const CHUNK_BYTES: usize = 1 << 18;
/// So far may what is said of its moment lie from what stands in the file.
const AGREES_MICROS: u64 = 60_000_000;
/// Chunks after which what was written is made durable.
const CHUNKS_UNCOMMITTED: usize = 64;

/// A file that is offered, with what is known of it.
#[derive(Debug)]
pub struct Import {
    /// The recording that it becomes.
    pub id: RecordingId,
    /// The file.
    pub file: SoundFile,
    /// When its sound was recorded.
    pub recorded_at: Timestamp,
    facts: Map<String, Value>,
    slices: Slices,
}

/// What a manifest says of the file, where the recording was imported.
pub(crate) fn file_said(manifest: &Manifest) -> Option<FileSaid> {
    let [stream] = manifest.streams.as_slice() else {
        return None;
    };
    (manifest.provenance == Provenance::File).then_some(())?;
    FileSaid::of(&stream.codec, stream.parameters.as_deref())
}

/// Whether the facts of a decision are of an import.
pub(crate) fn is_imported(facts: &Map<String, Value>) -> bool {
    facts
        .get("requested_action")
        .is_some_and(|act| act == "import_file")
}

/// When it was recorded: whoever brings the file says so, or whoever made it wrote it into it.
fn recorded_at(
    facts: &Map<String, Value>,
    began: Option<Timestamp>,
) -> Result<Timestamp, ArchiveError> {
    let said = facts.get("recorded_at");
    let moment = said.and_then(Value::as_str).map(str::parse::<Timestamp>);
    match (moment, began) {
        (Some(Ok(moment)), Some(began))
            if moment.micros().abs_diff(began.micros()) > AGREES_MICROS =>
        {
            Err(ArchiveError::BadImport(
                "the file says that it was recorded at another moment than `recorded_at` in the facts: one of them is wrong; \
                 without `recorded_at` that of the file counts",
            ))
        }
        (Some(Ok(moment)), _) => Ok(moment),
        (None, Some(began)) if said.is_none() => Ok(began),
        _ => Err(ArchiveError::BadImport(
            "when it was recorded is not said: `recorded_at` has to be a moment, as 2026-11-21T10:00:00Z. The dates of the file \
             itself are not believed",
        )),
    }
}

/// What is said of a file, and when it was recorded, with sound of `length` microseconds.
fn said(
    facts: &Map<String, Value>,
    began: Option<Timestamp>,
    length: i64,
    now: Timestamp,
) -> Result<(Map<String, Value>, Timestamp), ArchiveError> {
    let mut facts = facts.clone();
    let act = facts.insert("requested_action".into(), json!("import_file"));
    if act.is_some_and(|act| act != "import_file") {
        return Err(ArchiveError::BadImport(
            "the facts are of another act: `requested_action` has to be `import_file`",
        ));
    }
    let recorded_at = recorded_at(&facts, began)?;
    if recorded_at.plus_micros(length) > now {
        return Err(ArchiveError::BadImport(
            "it would have been recorded in the future: `recorded_at` and the length of its sound end after now",
        ));
    }
    if recorded_at.micros() < 0 {
        return Err(ArchiveError::BadImport(
            "it would have been recorded before 1970: `recorded_at` cannot be before that",
        ));
    }
    facts.insert("recorded_at".into(), json!(recorded_at));
    facts.insert("recording_state".into(), json!("exists"));
    Ok((facts, recorded_at))
}

impl Import {
    /// Takes what is said of the file together and holds it against the file. `facts` has the names of a facts file;
    /// `recorded_at` in it says when the sound was recorded; of a vCon that stands in it. What the name and the dates of the file say
    /// is not believed.
    ///
    /// # Errors
    /// [`ArchiveError::BadImport`] where that does not fit: no moment, one to come, pictures that nobody told of, another act.
    pub fn new(
        file: SoundFile,
        facts: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Self, ArchiveError> {
        let length_us = file.contents.length_us;
        let length = i64::try_from(length_us).unwrap_or(i64::MAX);
        let (facts, recorded_at) = said(facts, file.contents.began, length, now)?;
        let told = facts.get("media").and_then(Value::as_array);
        let is_told =
            told.is_some_and(|media| media.iter().any(|word| word == "image" || word == "screen"));
        if file.contents.has_picture && !is_told {
            return Err(ArchiveError::BadImport(
                "there are pictures in the file, for which the law has questions of its own: say so with `media` in the \
                 facts, as [\"audio\", \"image\"], or import its sound alone",
            ));
        }
        Ok(Self {
            // An id says when what it names began.
            id: RecordingId::new(recorded_at, random::bytes()?),
            slices: Slices::new(file.byte_len, length_us)?,
            recorded_at,
            facts,
            file,
        })
    }

    /// When its sound ended.
    #[must_use]
    pub fn ended_at(&self) -> Timestamp {
        let length = i64::try_from(self.file.contents.length_us).unwrap_or(i64::MAX);
        self.recorded_at.plus_micros(length)
    }
}

impl Archive {
    /// Which recording is this very file, byte for byte, if there is one. One that was destroyed leaves nothing by which
    /// to find it.
    ///
    /// # Errors
    /// [`ArchiveError::State`] where it is not kept for sure: an import that did not come to its end and is not undone yet,
    /// or one that is being destroyed. Whoever has the file must not take it for kept.
    pub fn recording_of_file(&self, sha256: &Digest) -> Result<Option<RecordingId>, ArchiveError> {
        let key = self.file_key(sha256);
        let found = self.index.recording_of_file(&key);
        let found = found.doing("looking for a file")?;
        found.map(|id| self.must_be_kept(id)).transpose()
    }

    fn must_be_kept(&self, id: RecordingId) -> Result<RecordingId, ArchiveError> {
        match self.row(id)?.state {
            State::Sealed => Ok(id),
            _not_for_sure => Err(self.wrong_state(id, "taken for the recording of this file")),
        }
    }

    /// A keyed hash: from the index alone nobody can tell whether a file that they have was imported.
    pub(crate) fn file_key(&self, sha256: &Digest) -> [u8; 32] {
        let key = self.secrets.decision_key.derive("imported files", &[]);
        hmac_sha256(&key, &[&sha256.0])
    }

    /// May this file be imported? `asker` is the account that asks, and is kept sealed with the decision. A refusal is put
    /// on record like that of a call, without anything of the file.
    pub fn ask_to_import(
        &self,
        import: &Import,
        asker: &Pii<String>,
        now: Timestamp,
    ) -> Result<Answer<act::Import>, ArchiveError> {
        let answer = self.ask_about_import(import.id, import.facts.clone(), asker, now)?;
        let moments = (import.recorded_at, import.ended_at());
        self.put_refusal_on_record(&answer, import.id, moments, now)?;
        Ok(answer)
    }

    /// Before anybody sends a file: what the law has against taking in one of which that is said. A refusal is put on
    /// record like that of a file that is here; where there is none, nothing is on record, and the law is asked when the
    /// file is here.
    ///
    /// # Errors
    /// [`ArchiveError::BadImport`] where what is said cannot be: `recorded_at` has to be there.
    pub fn refuse_before_upload(
        &self,
        facts: &Map<String, Value>,
        asker: &Pii<String>,
        now: Timestamp,
    ) -> Result<Option<Answer<act::Import>>, ArchiveError> {
        let (facts, recorded_at) = said(facts, None, 0, now)?;
        let id = RecordingId::new(recorded_at, random::bytes()?);
        let answer = self.ask_before_import(id, facts, asker, now)?;
        if let Some(answer) = &answer {
            self.put_refusal_on_record(answer, id, (recorded_at, recorded_at), now)?;
        }
        Ok(answer)
    }

    /// A refusal gets a row without a recording.
    fn put_refusal_on_record(
        &self,
        answer: &Answer<act::Import>,
        id: RecordingId,
        (began, end): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let Verdict::Refusal(refusal) = &answer.verdict else {
            return Ok(());
        };
        self.import_row(id, began, answer.id, State::Waiting, Vec::new())?;
        let refused = JournalEvent::NotPermitted {
            decision: answer.id,
            outcome: answer.decision.outcome().as_str().to_owned(),
            reasons: refusal.grounds.clone(),
        };
        let events = [
            (began, JournalEvent::CallStarted {}),
            (began, refused),
            (end, ended(Cause::RecordingClient)),
        ];
        self.finish_unrecorded(id, &events, now).map(|_finished| ())
    }

    /// Takes the file in. Where that fails, nothing of it is kept.
    ///
    /// # Errors
    /// [`ArchiveError::FileKnown`] where it was imported meanwhile; [`ArchiveError::FileChanged`] where it was written to.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used once")]
    pub fn import(
        &self,
        permit: Permit<act::Import>,
        import: &Import,
        now: Timestamp,
    ) -> Result<Finished, ArchiveError> {
        if permit.recording != import.id {
            return Err(ArchiveError::NotFound(import.id));
        }
        self.taken_or_undone(import.id, now, || self.take_in(&permit, import, now))
    }

    /// Where it fails, by a mistake of ours too, nothing of it stays.
    fn taken_or_undone<T>(
        &self,
        id: RecordingId,
        now: Timestamp,
        take: impl FnOnce() -> Result<T, ArchiveError>,
    ) -> Result<T, ArchiveError> {
        let taken = catch_unwind(AssertUnwindSafe(take));
        let taken = taken.unwrap_or_else(|_panic| Err(ArchiveError::ImportBroke));
        if let Err(error) = &taken {
            self.undo_failed(id, error, now);
        }
        taken
    }

    /// What did not come to its end goes: now, or when it can be undone.
    fn undo_failed(&self, id: RecordingId, error: &ArchiveError, now: Timestamp) {
        let cause = match error.kind() {
            voicelog_model::Kind::Exhausted => Cause::DiskFull,
            _ => Cause::Form,
        };
        self.half_imports().insert(id, cause);
        self.undo_imports(now);
    }

    /// Undoes what is left of imports that failed and could not be undone then: whoever imports files calls this from time to
    /// time. The next start of the server does so too.
    pub fn undo_imports(&self, now: Timestamp) {
        // Nobody else undoes the same meanwhile.
        let mut left = self.half_imports();
        left.retain(|id, cause| {
            self.close_what_was_left_open(*id);
            let undone = match self.index.recording(*id) {
                Ok(Some(row)) => self.undo_import(&row, *cause, now),
                // Without a row nothing was written.
                Ok(None) => self.forget_beginning(*id),
                Err(error) => Err(error).doing("reading the index"),
            };
            if let Err(error) = &undone {
                let error = voicelog_model::error::chain(error);
                tracing::error!(recording = %id, %error, "an import could not be undone yet");
            }
            undone.is_err()
        });
    }

    fn half_imports(&self) -> MutexGuard<'_, BTreeMap<RecordingId, Cause>> {
        let left = self.half_imports.lock();
        left.unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(
        &self,
        permit: &Permit<act::Import>,
        import: &Import,
        now: Timestamp,
    ) -> Result<Finished, ArchiveError> {
        let beginning = Beginning {
            id: import.id,
            parties: Vec::new(),
            has_sound_key: false,
        };
        let mut writer = self.open_writer(beginning, |sealed| {
            let (id, began) = (import.id, import.recorded_at);
            self.import_row(id, began, permit.decision, State::Recording, sealed)?;
            let key = self.file_key(&import.file.sha256);
            let known = self.index.claim_file(&key, import.id);
            match known.doing("marking a file")? {
                Some(other) => Err(ArchiveError::FileKnown(self.must_be_kept(other)?)),
                None => Ok(()),
            }
        })?;
        let written = self.write_file(&mut writer, permit.decision, import);
        let closed = self.close(&mut writer);
        if closed.is_err() {
            self.abandon(&writer);
        }
        written?;
        closed?;
        self.finish(writer, now)
    }

    fn write_file(
        &self,
        writer: &mut RecordingWriter,
        decision: DecisionId,
        import: &Import,
    ) -> Result<(), ArchiveError> {
        let id = import.id;
        let journal = |source| ArchiveError::Journal { id, source };
        let start = import.recorded_at;
        let file = &import.file;
        let stream = slices::stream(file.contents.kind, file.byte_len, file.sha256);
        let stream = stream.ok_or(ArchiveError::FileChanged)?;
        let mut chunk = ChunkBuilder::new();
        for event in [
            JournalEvent::CallStarted {},
            JournalEvent::StreamAdded { stream },
            JournalEvent::Permitted { decision },
        ] {
            chunk.push_event(start, &event).map_err(journal)?;
        }
        let (mut hasher, mut chunks) = (Sha256::new(), 0);
        let mut packet = Vec::new();
        for slice in import.slices.iter() {
            let payload = usize::try_from(slice.end - slice.start).unwrap_or(usize::MAX);
            packet.clear();
            packet.extend(slice.header);
            packet.resize(HEADER_BYTES + payload, 0);
            let bytes = packet.get_mut(HEADER_BYTES..).unwrap_or_default();
            file.read_at(slice.start, bytes)?;
            hasher.update(&*bytes);
            let at = slices::moment(start, slice.arrived_us);
            chunk
                .push_packet(STREAM, at, PacketKind::Rtp, &packet)
                .map_err(journal)?;
            if chunk.byte_len() >= CHUNK_BYTES {
                self.append(writer, chunk.plaintext())?;
                chunk.clear();
                chunks += 1;
                if chunks % CHUNKS_UNCOMMITTED == 0 {
                    self.commit()?;
                }
            }
        }
        if Digest(hasher.finalize().into()) != file.sha256 {
            return Err(ArchiveError::FileChanged);
        }
        file.must_be_as_long()?;
        chunk
            .push_event(import.ended_at(), &ended(Cause::RecordingClient))
            .map_err(journal)?;
        self.append(writer, chunk.plaintext())?;
        self.commit()
    }

    fn import_row(
        &self,
        id: RecordingId,
        started_at: Timestamp,
        decision: DecisionId,
        state: State,
        sealed: Vec<u8>,
    ) -> Result<(), ArchiveError> {
        let row = NewRecording {
            id,
            started_at,
            state,
            line: LINE_OF_IMPORTS.to_owned(),
            decision,
            sealed,
            report: CallReport::default().to_bytes()?,
            has_sound_key: false,
        };
        let inserted = self.index.insert_recording(&row);
        inserted.doing("opening the recording")
    }

    /// Whether a recording is an import, by the decision under which it began.
    pub(crate) fn is_import(&self, row: &RecordingRow) -> Result<bool, ArchiveError> {
        let decision = self.index.decision(row.decision);
        let decision = decision.doing("reading a decision")?;
        Ok(decision.is_some_and(|row| row.action == voicelog_model::Action::ImportFile))
    }

    /// Undoes an import that did not come to its end: nobody was told that the file is here, and who has it still has it.
    /// Key first, then what it sealed; the row says that nothing was kept.
    pub(crate) fn undo_import(
        &self,
        row: &RecordingRow,
        cause: Cause,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let id = row.id;
        let open = [State::Waiting, State::Recording, State::Finishing];
        if !open.contains(&row.state) {
            return Ok(());
        }
        self.secrets.epoch_keys.forget(id);
        self.keys
            .destroy_all(&[id, key::sound_key_name(id)])
            .doing("removing a key that is not needed")?;
        let segments = self.blobs.list(&segment_prefix(id));
        for segment in segments.doing("listing segments")? {
            self.blobs
                .delete(&segment.key)
                .doing("removing what was not imported")?;
        }
        self.index.forget_file(id).doing("forgetting a file")?;
        self.index
            .set_state(id, &open, State::Waiting)
            .doing("undoing an import")?;
        let events = [
            (row.started_at, JournalEvent::CallStarted {}),
            (row.started_at, ended(cause)),
        ];
        self.finish_unrecorded(id, &events, now).map(|_finished| ())
    }
}

const fn ended(cause: Cause) -> JournalEvent {
    JournalEvent::CallEnded { cause }
}
