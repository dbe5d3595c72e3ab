//! Minutes that people in a talk wrote here and signed: text, kept as an imported file is, with the same proof.
//!
//! Why like a file, and under which act: `design/decisions/0018-minutes-are-a-file.md`.

use super::ended;
use super::slices::{HEADER_BYTES, RATE, STREAM, Slices, moment};
use crate::error::Doing as _;
use crate::permit::{Answer, Permit, Verdict, act};
use crate::writer::Beginning;
use crate::{Archive, ArchiveError, CallReport, Finished, RecordingWriter, random};
use serde_json::{Map, Value, json};
use voicelog_evidence::Digest;
use voicelog_evidence::journal::{Cause, ChunkBuilder, JournalEvent, PacketKind};
use voicelog_model::{Codec, DecisionId, MediaStream, Pii, RecordingId, Timestamp};
use voicelog_store::index::{NewRecording, State};

/// The codec of minutes: a file of a kind of its own.
pub const CODEC_OF_MINUTES: &str = "file-minutes";
/// Bytes of minutes at most, with what stands above and below the text.
pub const MINUTES_BYTES_MAX: usize = 1 << 18;
/// Text has no length in time: each packet has 20 ms, so that packets lie side by side.
const PACKET_US: u64 = 20_000;
/// The least bytes that two packets can be made of.
const BYTES_MIN: usize = 16;

/// Minutes as they are kept.
#[derive(Debug)]
pub struct SignedMinutes {
    /// The recording that they become.
    pub id: RecordingId,
    /// Name of the kind of talk, under which they are listed.
    pub line: String,
    text: Vec<u8>,
    facts: Map<String, Value>,
    at: Timestamp,
    slices: Slices,
    length_us: u64,
}

impl SignedMinutes {
    /// `text` with everything that belongs to it; `facts` as the law knows the talk, `consents` a word for each who took
    /// part: `given` where they signed.
    ///
    /// # Errors
    /// It is too short or too long to be kept.
    pub fn new(
        line: &str,
        text: String,
        facts: &Map<String, Value>,
        consents: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Self, ArchiveError> {
        let text = text.into_bytes();
        if text.len() < BYTES_MIN || text.len() > MINUTES_BYTES_MAX {
            return Err(ArchiveError::BadImport(
                "minutes have to have some text, and 256 KiB at most",
            ));
        }
        let packets = (text.len() as u64).div_ceil(1_400).max(2);
        let length_us = packets * PACKET_US;
        // They are as old as their last signature: what they take in time lies before it.
        let at = now.plus_micros(-i64::try_from(length_us).unwrap_or(0));
        let all_signed = consents.values().all(|word| word == "given");
        let openness = match all_signed {
            true => "announced_and_agreed",
            false => "announced",
        };
        let mut facts = facts.clone();
        for (name, value) in [
            ("requested_action", json!("import_file")),
            ("origin_of_import", json!("participant")),
            ("participation", json!("participant")),
            ("media", json!(["transcript"])),
            ("minutes_made", json!(true)),
            ("openness", json!(openness)),
            ("consent_per_participant", Value::Object(consents)),
            ("recording_state", json!("exists")),
            ("recorded_at", json!(at)),
        ] {
            facts.insert(name.to_owned(), value);
        }
        Ok(Self {
            id: RecordingId::new(at, random::bytes()?),
            line: line.to_owned(),
            slices: Slices::new(text.len() as u64, length_us)?,
            text,
            facts,
            at,
            length_us,
        })
    }

    fn ended_at(&self) -> Timestamp {
        moment(self.at, i64::try_from(self.length_us).unwrap_or(0))
    }

    /// What is announced of them, as of any file.
    fn stream(&self) -> Option<MediaStream> {
        let sha256 = Digest::of(&self.text);
        let (size, hash) = (self.text.len(), sha256.to_hex());
        Some(MediaStream {
            number: STREAM,
            label: None,
            codec: Codec::read(&format!("{CODEC_OF_MINUTES}/{RATE}"))?,
            payload_type: 96,
            parameters: Some(format!(
                "type=text/plain;charset=utf-8;size={size};sha256={hash}"
            )),
            also: Vec::new(),
            party: None,
        })
    }
}

impl Archive {
    /// May these minutes be kept? The answer is durable; of a refusal there is nothing else, and nothing of the text.
    pub fn ask_to_keep_minutes(
        &self,
        minutes: &SignedMinutes,
        asker: &Pii<String>,
        now: Timestamp,
    ) -> Result<Answer<act::Import>, ArchiveError> {
        let answer = self.ask_about_import(minutes.id, minutes.facts.clone(), asker, now)?;
        if matches!(answer.verdict, Verdict::Refusal(_)) {
            let forgotten = self.index.forget_facts(minutes.id);
            forgotten.doing("forgetting what the law was asked about")?;
        }
        Ok(answer)
    }

    /// Keeps them: sealed, closed and in the log before this returns. Where it fails nothing of them is kept, also after a
    /// crash.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used once")]
    pub fn keep_minutes(
        &self,
        permit: Permit<act::Import>,
        minutes: &SignedMinutes,
        now: Timestamp,
    ) -> Result<Finished, ArchiveError> {
        if permit.recording != minutes.id {
            return Err(ArchiveError::NotFound(minutes.id));
        }
        self.taken_or_undone(minutes.id, now, || {
            self.take_in_minutes(permit.decision, minutes, now)
        })
    }

    fn take_in_minutes(
        &self,
        decision: DecisionId,
        minutes: &SignedMinutes,
        now: Timestamp,
    ) -> Result<Finished, ArchiveError> {
        let beginning = Beginning {
            id: minutes.id,
            parties: Vec::new(),
            has_sound_key: false,
        };
        let mut writer = self.open_writer(beginning, |sealed| {
            let row = NewRecording {
                id: minutes.id,
                started_at: minutes.at,
                state: State::Recording,
                line: minutes.line.clone(),
                decision,
                sealed,
                report: CallReport::default().to_bytes()?,
                has_sound_key: false,
            };
            let inserted = self.index.insert_recording(&row);
            inserted.doing("opening the recording")
        })?;
        let written = self.write_minutes(&mut writer, decision, minutes);
        let closed = self.close(&mut writer);
        if closed.is_err() {
            self.abandon(&writer);
        }
        written?;
        closed?;
        self.finish(writer, now)
    }

    fn write_minutes(
        &self,
        writer: &mut RecordingWriter,
        decision: DecisionId,
        minutes: &SignedMinutes,
    ) -> Result<(), ArchiveError> {
        let id = minutes.id;
        let journal = |source| ArchiveError::Journal { id, source };
        let stream = minutes.stream().ok_or(ArchiveError::FileChanged)?;
        let mut chunk = ChunkBuilder::new();
        for event in [
            JournalEvent::CallStarted {},
            JournalEvent::StreamAdded { stream },
            JournalEvent::Permitted { decision },
        ] {
            chunk.push_event(minutes.at, &event).map_err(journal)?;
        }
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        for slice in minutes.slices.iter() {
            let mut packet = Vec::with_capacity(HEADER_BYTES + 1_400);
            packet.extend(slice.header);
            let bytes = minutes.text.get(place(slice.start)..place(slice.end));
            packet.extend(bytes.ok_or(ArchiveError::FileChanged)?);
            let at = moment(minutes.at, slice.arrived_us);
            chunk
                .push_packet(STREAM, at, PacketKind::Rtp, &packet)
                .map_err(journal)?;
        }
        chunk
            .push_event(minutes.ended_at(), &ended(Cause::RecordingClient))
            .map_err(journal)?;
        self.append(writer, chunk.plaintext())?;
        self.commit()
    }
}
