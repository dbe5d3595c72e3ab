//! The end of a recording: do the arithmetic over all that was written, and close the row.
//!
//! On an ordinary day the records were summed up as they were written ([`crate::running`]); after a
//! crash they are read back. Sum and end are the same code either way, and `check` does it all again.

use crate::error::Doing;
use crate::import::is_imported;
use crate::line::is_in_a_room;
use crate::writer::{RecordingWriter, segment_key};
use crate::{Archive, ArchiveError};
use serde::Serialize;
use serde_json::{Map, Value};
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::inventory::InventoryBuilder;
use voicelog_evidence::journal::{JournalEvent, Record, RecordRef};
use voicelog_evidence::key::DataKey;
use voicelog_evidence::manifest::{self, Manifest, Provenance, SegmentEntry};
use voicelog_evidence::original::OriginalError;
use voicelog_evidence::timeline::{Timeline, TimelineBuilder, Verdict};
use voicelog_evidence::tlog::LeafKind;
use voicelog_evidence::tree::StreamTreeBuilder;
use voicelog_evidence::{Digest, SenderClaims};
use voicelog_model::{DecisionId, RecordingId, Timestamp};
use voicelog_store::index::{Finished as FinishedRow, RecordingRow, State, Unrecorded};

/// The program and version that manifests name.
const TOOL: &str = concat!("voicelog ", env!("CARGO_PKG_VERSION"));

/// A recording that is closed.
#[derive(Debug)]
pub struct Finished {
    /// Which recording.
    pub id: RecordingId,
    /// What the arithmetic of completeness says.
    pub verdict: Verdict,
    /// The timeline it rests on.
    pub timeline: Timeline,
}

/// What a manifest says besides what the journal itself shows.
pub(crate) struct Basis {
    pub(crate) decision_sha256: Digest,
    pub(crate) rulebook_hash: Digest,
    pub(crate) provenance: Provenance,
    pub(crate) tool: String,
}

/// From when the terms of a recording run.
fn term_runs_from(facts: &Map<String, Value>, started_at: Timestamp) -> Timestamp {
    facts
        .get("start_event")
        .and_then(Value::as_str)
        .and_then(|moment| moment.parse().ok())
        .unwrap_or(started_at)
}

/// What a leaf about a pause commits to.
#[derive(Serialize)]
struct Paused<'a> {
    at: Timestamp,
    event: &'a JournalEvent,
}

/// One pass over the journal: the inventory, and the few things that closing needs besides.
pub(crate) struct Summary {
    inventory: InventoryBuilder,
    /// What the senders said of themselves.
    senders: SenderClaims,
    /// The decision under which the recording began: the first that permitted it.
    pub(crate) decision: Option<DecisionId>,
    /// Whether the journal says that the call ended.
    pub(crate) ended: bool,
    /// Latest moment of any record.
    pub(crate) latest: Option<Timestamp>,
    /// When the recording was paused, with the hash of what was said of it.
    pub(crate) pauses: Vec<(Timestamp, [u8; 32])>,
    /// An event that cannot be written down again; only a damaged journal has one.
    unwritable: Option<OriginalError>,
}

impl Summary {
    pub(crate) fn new(id: RecordingId, data_key: &DataKey) -> Self {
        Self {
            inventory: InventoryBuilder::new(data_key.tree_salt(id)),
            senders: SenderClaims::default(),
            decision: None,
            ended: false,
            latest: None,
            pauses: Vec::new(),
            unwritable: None,
        }
    }

    /// How many things it keeps that grow with what happens in the call.
    pub(crate) fn kept(&self) -> usize {
        self.inventory.kept() + self.pauses.len()
    }

    /// The trees that are being built.
    pub(crate) fn trees(&mut self) -> impl Iterator<Item = &mut StreamTreeBuilder> {
        self.inventory.trees()
    }

    /// Adds the next record of the journal.
    pub(crate) fn push(&mut self, record: RecordRef<'_>) {
        if let Err(error) = self.inventory.push(record) {
            self.unwritable = Some(error);
        }
        self.senders.push(record);
        self.latest = self.latest.max(Some(record.time()));
        let RecordRef::Event { at, event } = record else {
            return;
        };
        match event {
            JournalEvent::RecordingPaused { .. } => {
                if let Ok(told) = canonical_json(&Paused { at, event }) {
                    self.pauses.push((at, sha256(&told)));
                }
            }
            JournalEvent::Permitted { decision } => {
                self.decision.get_or_insert(*decision);
            }
            JournalEvent::CallEnded { .. } | JournalEvent::Interrupted { .. } => self.ended = true,
            JournalEvent::CallStarted {}
            | JournalEvent::StreamAdded { .. }
            | JournalEvent::StreamRefused { .. }
            | JournalEvent::NotPermitted { .. }
            | JournalEvent::PermitEnded { .. }
            | JournalEvent::StreamPaused { .. }
            | JournalEvent::StreamResumed { .. }
            | JournalEvent::RecordingResumed { .. }
            | JournalEvent::PrivateBegan { .. }
            | JournalEvent::PrivateEnded { .. }
            | JournalEvent::MediaDropped { .. }
            | JournalEvent::KeyLeftOut { .. }
            | JournalEvent::SourceChanged { .. }
            | JournalEvent::StreamVoice { .. }
            | JournalEvent::PartyJoined { .. }
            | JournalEvent::PartyLeft { .. }
            | JournalEvent::ClockStepped { .. }
            | JournalEvent::NoticeHeard { .. }
            | JournalEvent::NoticeMissed {}
            | JournalEvent::RefusalSaid { .. }
            | JournalEvent::ClientTimes { .. }
            | JournalEvent::ClockChecked { .. }
            | JournalEvent::KeepRequested { .. }
            | JournalEvent::LookBackCut { .. } => {}
        }
    }

    /// The manifest and the timeline of all records pushed.
    pub(crate) fn finish(
        self,
        id: RecordingId,
        segments: Vec<SegmentEntry>,
        basis: Basis,
    ) -> Result<(Manifest, Timeline), ArchiveError> {
        if self.unwritable.is_some() {
            return Err(ArchiveError::Corrupt {
                what: format!("the journal of {id}"),
            });
        }
        let inventory = self.inventory.finish();
        let streams = inventory.stream_entries();
        let timeline = inventory.timeline;
        let manifest = Manifest {
            version: manifest::VERSION,
            recording: id,
            provenance: basis.provenance,
            call_started: timeline.call_started,
            call_ended: timeline.call_ended,
            streams,
            segments,
            record_count: inventory.record_count,
            events_sha256: inventory.events_sha256,
            timeline_sha256: Digest::of(&canonical_json(&timeline)?),
            decision_sha256: basis.decision_sha256,
            rulebook_hash: basis.rulebook_hash,
            verdict: timeline.verdict,
            tool: basis.tool,
        };
        Ok((manifest, timeline))
    }
}

impl Archive {
    /// Closes a recording whose media is written ([`Archive::close`]): row and leaf in one
    /// transaction, from what was summed up while it was written. After an error,
    /// [`Archive::finish_from_disk`] tries again.
    pub fn finish(
        &self,
        writer: RecordingWriter,
        now: Timestamp,
    ) -> Result<Finished, ArchiveError> {
        let id = writer.id();
        let Some((summary, segments)) = writer.into_sum() else {
            return self.finish_from_disk(id, now);
        };
        self.write_down_last(id, now);
        self.finish_with(id, summary, segments, now)
    }

    /// Closes a recording of which nothing is known but what is stored: reads back every segment,
    /// builds timeline and trees, writes row and leaf in one transaction.
    pub fn finish_from_disk(
        &self,
        id: RecordingId,
        now: Timestamp,
    ) -> Result<Finished, ArchiveError> {
        // Of what could not be closed the first time, the last may wait for its commit.
        self.blobs.commit().doing("committing media")?;
        self.enter_finishing(id, now)?;
        let keys = self.recording_keys(id)?;
        let mut summary = Summary::new(id, &keys.data);
        let segments = self.read_records(id, keys.of_segments(), |record| summary.push(record))?;
        // What a crash left of a frame goes: the file is then what the manifest says.
        for entry in &segments.entries {
            if segments.torn.contains(&entry.number) {
                self.blobs
                    .truncate(&segment_key(id, entry.number), entry.byte_len)
                    .doing("taking away half a frame")?;
            }
        }
        self.finish_with(id, summary, segments.entries, now)
    }

    fn enter_finishing(&self, id: RecordingId, now: Timestamp) -> Result<(), ArchiveError> {
        self.write_down_last(id, now);
        let entered = self
            .index
            .set_state(id, &[State::Recording, State::Finishing], State::Finishing)
            .doing("closing the recording")?;
        if entered {
            Ok(())
        } else {
            Err(self.wrong_state(id, "closed"))
        }
    }

    fn finish_with(
        &self,
        id: RecordingId,
        mut summary: Summary,
        segments: Vec<SegmentEntry>,
        now: Timestamp,
    ) -> Result<Finished, ArchiveError> {
        let decision = summary.decision.ok_or_else(|| ArchiveError::Corrupt {
            what: format!("the journal of {id}"),
        })?;
        let basis = self.basis(decision)?;
        let senders = std::mem::take(&mut summary.senders);
        let pauses = std::mem::take(&mut summary.pauses);
        let (manifest, timeline) = summary.finish(id, segments, basis)?;
        self.report_senders(id, senders.finish(timeline.call_started))?;
        let byte_count = manifest
            .segments
            .iter()
            .map(|segment| segment.byte_len)
            .sum();
        let document = canonical_json(&manifest)?;
        let salt = self.data_key(id)?.commitment_salt(id);
        let leaf = self.leaf(
            LeafKind::Recorded,
            &id.to_string(),
            &salt,
            &sha256(&document),
            now,
        )?;
        let also = pauses
            .into_iter()
            .map(|(at, hash)| self.leaf(LeafKind::Paused, &id.to_string(), &salt, &hash, at));
        let retain_until = self.retain_until(id, timeline.call_started)?;
        let row = FinishedRow {
            also: also.collect::<Result<_, _>>()?,
            ended_at: timeline.call_ended,
            verdict: timeline.verdict.as_str().to_owned(),
            manifest: document,
            timeline: canonical_json(&timeline)?,
            byte_count,
            retain_until,
            sound_until: self.sound_until(id, timeline.call_started, retain_until)?,
        };
        if !self
            .index
            .finish_recording(id, &row, &leaf)
            .doing("closing the recording")?
        {
            return Err(self.wrong_state(id, "closed"));
        }
        self.calls.remove(id);
        self.secrets.epoch_keys.forget(id);
        Ok(Finished {
            id,
            verdict: timeline.verdict,
            timeline,
        })
    }

    /// Closes a call that was never permitted: a timeline without media, and the leaf. Nothing of
    /// what was said, and nobody's address, was kept.
    pub fn finish_unrecorded(
        &self,
        id: RecordingId,
        events: &[(Timestamp, JournalEvent)],
        now: Timestamp,
    ) -> Result<Finished, ArchiveError> {
        let mut builder = TimelineBuilder::default();
        for (at, event) in events {
            builder.push(&Record::Event {
                at: *at,
                event: event.clone(),
            });
        }
        let timeline = builder.finish();
        let document = canonical_json(&timeline)?;
        let salt = self.unrecorded_salt(id);
        let leaf = self.leaf(
            LeafKind::Refused,
            &id.to_string(),
            &salt,
            &sha256(&document),
            now,
        )?;
        self.write_down_last(id, now);
        let present = self.index.recording(id).doing("reading the index")?;
        // Permitted, perhaps, and then it could not begin: what that left is taken away.
        let failed = self.calls.has_no_writer(id);
        match present.map(|row| row.state) {
            Some(State::Recording) if failed => {
                self.index
                    .set_state(id, &[State::Recording], State::Waiting)
                    .doing("closing an unrecorded call")?;
                self.forget_beginning(id)?;
            }
            Some(State::Waiting) => self.forget_beginning(id)?,
            Some(_) => {}
            None => {
                // The law could not even be asked: an error, which was reported when it happened. Or it permitted a
                // talk that nobody started: of that nothing has a term, so nothing may stay that needs one.
                if failed {
                    self.forget_beginning(id)?;
                }
                let asked = self.index.decisions_of(id).doing("reading decisions")?;
                if !asked.is_empty() {
                    let forgotten = self.index.forget_facts(id);
                    forgotten.doing("forgetting what the law was asked about")?;
                }
                self.calls.remove(id);
                return Err(ArchiveError::NotFound(id));
            }
        }
        let row = Unrecorded {
            ended_at: timeline.call_ended,
            verdict: timeline.verdict.as_str().to_owned(),
            timeline: document,
            retain_until: None,
        };
        if !self
            .index
            .end_unrecorded(id, &row, Some(&leaf))
            .doing("closing an unrecorded call")?
        {
            return Err(self.wrong_state(id, "closed"));
        }
        self.calls.remove(id);
        Ok(Finished {
            id,
            verdict: timeline.verdict,
            timeline,
        })
    }

    /// What was told of a call since it was last written down. Without it the recording is as whole.
    fn write_down_last(&self, id: RecordingId, now: Timestamp) {
        if let Err(error) = self.write_down(id, now)
            && error.kind() != voicelog_model::Kind::NotFound
        {
            let error = voicelog_model::error::chain(&error);
            tracing::warn!(recording = %id, %error, "not all that was told of a call is kept");
        }
    }

    /// What a recording rests on: the decision under which it began, and the rulebook that
    /// decided then, which need not be the one in force now.
    fn basis(&self, decision: DecisionId) -> Result<Basis, ArchiveError> {
        let damaged = || ArchiveError::Corrupt {
            what: format!("decision {decision}"),
        };
        let row = self
            .index
            .decision(decision)
            .doing("reading a decision")?
            .ok_or_else(damaged)?;
        let rulebook = self.parse_decision(&row)?.rulebook.hash;
        Ok(Basis {
            decision_sha256: Digest::of(&row.document),
            rulebook_hash: rulebook.parse().map_err(|_hash| damaged())?,
            provenance: self.provenance(decision)?,
            tool: TOOL.to_owned(),
        })
    }

    /// How a recording came to us, by the facts that it was permitted on. They are durable before the first sample, so a
    /// crash changes nothing about it.
    pub(crate) fn provenance(&self, decision: DecisionId) -> Result<Provenance, ArchiveError> {
        let facts = self.facts_of(decision)?.facts;
        // A file may be of a talk in a room; it is a file all the same.
        Ok(match (is_imported(&facts), is_in_a_room(&facts)) {
            (true, _) => Provenance::File,
            (false, true) => Provenance::Room,
            (false, false) => Provenance::Phone,
        })
    }

    /// Salt of the leaf of a call that was not recorded: it has no data key to draw one from.
    pub(crate) fn unrecorded_salt(&self, id: RecordingId) -> [u8; 32] {
        self.secrets
            .decision_key
            .derive("unrecorded salt", id.as_bytes())
    }

    /// When the term that was chosen for the recording ends; `None` if no term was chosen or it
    /// has no end. The end of the term is a candidate for destruction, never a decision.
    pub(crate) fn retain_until(
        &self,
        id: RecordingId,
        started_at: Timestamp,
    ) -> Result<Option<Timestamp>, ArchiveError> {
        let facts = self.recorded_facts(&self.row(id)?)?;
        let Some(term) = facts.get("retention_term").and_then(|term| term.as_str()) else {
            return Ok(None);
        };
        Ok(voicelog_law::end_of_term(
            term_runs_from(&facts, started_at),
            term,
        ))
    }

    /// When the term of the sound ends, where that is before `retain_until`; `None` where the sound ends with the
    /// whole. It is the term under which the recording was last permitted.
    pub(crate) fn sound_until(
        &self,
        id: RecordingId,
        started_at: Timestamp,
        retain_until: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, ArchiveError> {
        let row = self.row(id)?;
        let Some(term) = self.sound_term(&row)? else {
            return Ok(None);
        };
        let from = term_runs_from(&self.recorded_facts(&row)?, started_at);
        let until = voicelog_law::end_of_term(from, &term);
        Ok(until.filter(|until| retain_until.is_none_or(|whole| *until < whole)))
    }

    /// The term of the sound, where it has a key of its own and a term.
    pub(crate) fn sound_term(&self, row: &RecordingRow) -> Result<Option<String>, ArchiveError> {
        if !row.has_sound_key {
            return Ok(None);
        }
        let governing = self.governing_decision(row)?;
        Ok(self.facts_of(governing)?.sound_term)
    }
}
