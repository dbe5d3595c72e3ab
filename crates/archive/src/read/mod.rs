//! Reading: lists and details without personal data for everyone who may see that a recording
//! exists, and the recording itself for who holds a permit.

mod copy_links;
mod export;
mod foresee;
mod playing;

pub use copy_links::NewCopyLink;
pub use export::VconForm;
pub use playing::{Playable, WavReader};
pub use voicelog_evidence::audio::{AudioError, describe_span};

use crate::error::Doing;
use crate::keys::RecordingKeys;
use crate::records::Segments;
use crate::writer::{DETAILS_LABEL, SealedDetails, segment_prefix};
use crate::{Archive, ArchiveError, CallReport};
use voicelog_evidence::Digest;
use voicelog_evidence::canonical::from_canonical;
use voicelog_evidence::journal::{Record, RecordRef};
use voicelog_evidence::key::{DataKey, open_bytes, sound_key_name};
use voicelog_evidence::manifest::Manifest;
use voicelog_evidence::timeline::{Timeline, Verdict};
use voicelog_law::Decision;
use voicelog_model::{Action, DecisionId, Party, RecordingId, Timestamp};
use voicelog_store::index::{
    Cursor, DecisionRow, LeafRow, Part, RecordingFilter, RecordingRow, State, TermCursor,
};

/// A recording on one line, without personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingSummary {
    /// Which recording.
    pub id: RecordingId,
    /// The line it came in on.
    pub line: String,
    /// What has become of it.
    pub state: State,
    /// When the call began.
    pub started_at: Timestamp,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
    /// What the arithmetic of completeness says, once it is closed.
    pub verdict: Option<Verdict>,
    /// A part of the call was private, and is not kept.
    pub is_partly_private: bool,
    /// When its term ends, if it has one.
    pub retain_until: Option<Timestamp>,
    /// When it was destroyed, if it was.
    pub destroyed_at: Option<Timestamp>,
    /// When the term of its sound ends, where that is before the end of the whole.
    pub sound_until: Option<Timestamp>,
    /// When its sound was destroyed before the rest, if it was.
    pub sound_destroyed_at: Option<Timestamp>,
    /// The conversation that it is a part of, where that has more parts.
    pub part: Option<Part>,
}

/// A decision as it was kept.
#[derive(Debug, Clone)]
pub struct StoredDecision {
    /// Its id.
    pub id: DecisionId,
    /// When it was made.
    pub at: Timestamp,
    /// The act it is about.
    pub action: Action,
    /// The answer with its reasons.
    pub decision: Decision,
}

/// Everything about a recording that is not personal data.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The line in the list.
    pub summary: RecordingSummary,
    /// Every decision about it, oldest first.
    pub decisions: Vec<StoredDecision>,
    /// Its timeline, once it is closed.
    pub timeline: Option<Timeline>,
    /// Its manifest, once it is closed and as long as it exists.
    pub manifest: Option<Manifest>,
    /// Place of its leaf in the log.
    pub log_index: Option<u64>,
    /// The certificate of its destruction.
    pub certificate: Option<String>,
    /// The certificate of the destruction of its sound, where that went before the rest.
    pub sound_certificate: Option<String>,
    /// What was odd about the call, and whose voice is where.
    pub report: Option<CallReport>,
}

/// What storage holds of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// Segments, as files or objects.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Whether a data key exists.
    pub has_key: bool,
    /// Whether a key of its sound alone exists.
    pub has_sound_key: bool,
}

/// What is known of a closed recording before its records are read.
struct Known {
    keys: RecordingKeys,
    parties: Vec<Party>,
    manifest: Manifest,
    timeline: Timeline,
}

impl Known {
    /// Whether what was read is all that its manifest lists, byte for byte.
    fn are_whole(&self, segments: &Segments) -> Result<(), ArchiveError> {
        if segments.entries == self.manifest.segments && segments.torn.is_empty() {
            return Ok(());
        }
        let id = self.manifest.recording;
        let what = "its segments are not those that its manifest lists";
        Err(ArchiveError::NotWhole { id, what })
    }
}

/// All of a recording, to be copied.
#[derive(Debug)]
struct OpenRecording {
    timeline: Timeline,
    /// Every record of the journal, in the order of arrival.
    records: Vec<Record>,
}

impl Archive {
    pub(crate) fn row(&self, id: RecordingId) -> Result<RecordingRow, ArchiveError> {
        self.index
            .recording(id)
            .doing("reading the index")?
            .ok_or(ArchiveError::NotFound(id))
    }

    pub(crate) fn wrong_state(&self, id: RecordingId, wanted: &'static str) -> ArchiveError {
        match self.row(id) {
            Ok(row) if row.state == State::Destroyed => ArchiveError::Destroyed {
                id,
                at: row.destroyed_at,
            },
            Ok(row) if matches!(row.state, State::SoundDestroying | State::WithoutSound) => {
                ArchiveError::SoundDestroyed {
                    id,
                    at: row.sound_destroyed_at,
                }
            }
            Ok(row) => ArchiveError::State {
                id,
                state: row.state.as_str(),
                wanted,
            },
            Err(error) => error,
        }
    }

    /// One page of recordings, newest first, and where the next page starts.
    pub fn list(
        &self,
        filter: &RecordingFilter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<RecordingSummary>, Option<Cursor>), ArchiveError> {
        let page = self
            .index
            .list_recordings(filter, after, limit)
            .doing("listing recordings")?;
        let rows = page.rows.iter().map(|row| self.summary_of(row));
        Ok((rows.collect::<Result<_, _>>()?, page.next))
    }

    /// One page of the recordings whose term has ended at `now` and that no hold keeps, soonest
    /// first. The next page goes on after the last of this one.
    pub fn due(
        &self,
        now: Timestamp,
        after: Option<TermCursor>,
        limit: usize,
    ) -> Result<Vec<RecordingSummary>, ArchiveError> {
        let due = self
            .index
            .due(now, after, limit)
            .doing("looking for terms that ended")?;
        due.into_iter().map(|id| self.summary(id)).collect()
    }

    /// The same of recordings whose sound has a term of its own that has ended, and that still have it; by that term.
    pub fn due_sound(
        &self,
        now: Timestamp,
        after: Option<TermCursor>,
        limit: usize,
    ) -> Result<Vec<RecordingSummary>, ArchiveError> {
        let due = self.index.due_sound(now, after, limit);
        let due = due.doing("looking for terms that ended")?;
        due.into_iter().map(|id| self.summary(id)).collect()
    }

    /// One recording on one line.
    pub fn summary(&self, id: RecordingId) -> Result<RecordingSummary, ArchiveError> {
        self.summary_of(&self.row(id)?)
    }

    /// A row on one line. Whether a part of the call was private stands in its timeline alone, so
    /// that one is read, where something is missing at all.
    pub(crate) fn summary_of(&self, row: &RecordingRow) -> Result<RecordingSummary, ArchiveError> {
        let verdict = row.verdict.as_deref().and_then(Verdict::from_word);
        let has_gaps = matches!(
            verdict,
            Some(Verdict::WholeWithDeclaredGaps | Verdict::UndeclaredGap)
        );
        let timeline = if has_gaps {
            self.index.timeline(row.id).doing("reading the timeline")?
        } else {
            None
        };
        // One that does not open is told of by whoever opens the recording, and by the check.
        let timeline = timeline.and_then(|bytes| Timeline::from_bytes(&bytes).ok());
        Ok(RecordingSummary {
            is_partly_private: timeline.is_some_and(|timeline| timeline.is_partly_private()),
            ..summary_of(row)
        })
    }

    /// Everything about one recording that is not personal data.
    pub fn detail(&self, id: RecordingId) -> Result<Detail, ArchiveError> {
        let row = self.row(id)?;
        let mut decisions = Vec::new();
        for kept in self.index.decisions_of(id).doing("reading decisions")? {
            let decision = self.parse_decision(&kept)?;
            decisions.push(StoredDecision {
                id: kept.id,
                at: kept.at,
                action: kept.action,
                decision,
            });
        }
        let damaged = |what: &str| ArchiveError::Corrupt {
            what: format!("the {what} of {id}"),
        };
        let timeline = self
            .index
            .timeline(id)
            .doing("reading the timeline")?
            .as_deref()
            .map(|bytes| from_canonical(bytes).map_err(|_text| damaged("timeline")))
            .transpose()?;
        let manifest = self
            .index
            .manifest(id)
            .doing("reading the manifest")?
            .as_deref()
            .map(|bytes| from_canonical(bytes).map_err(|_text| damaged("manifest")))
            .transpose()?;
        let log_index = match row.leaf {
            Some(leaf) => self.index.leaf_index_of(leaf).doing("looking in the log")?,
            None => None,
        };
        Ok(Detail {
            summary: RecordingSummary {
                is_partly_private: timeline.as_ref().is_some_and(Timeline::is_partly_private),
                ..summary_of(&row)
            },
            decisions,
            timeline,
            manifest,
            log_index,
            certificate: self.certificate(id)?,
            sound_certificate: self.sound_certificate(id)?,
            report: self.call_report(id)?,
        })
    }

    /// The fingerprint of a closed recording, `sha256:` and 64 hexadecimal digits: the hash of its manifest, to which the
    /// log commits. Nothing where nothing was recorded, or it is not closed.
    pub fn fingerprint(&self, id: RecordingId) -> Result<Option<String>, ArchiveError> {
        let manifest = self.index.manifest(id).doing("reading the manifest")?;
        Ok(manifest.map(|bytes| Digest::of(&bytes).to_string()))
    }

    pub(crate) fn parse_decision(&self, row: &DecisionRow) -> Result<Decision, ArchiveError> {
        serde_json::from_slice(&row.document).map_err(|_text| ArchiveError::Corrupt {
            what: format!("decision {}", row.id),
        })
    }

    pub(crate) fn decision_document(&self, id: DecisionId) -> Result<Vec<u8>, ArchiveError> {
        self.index
            .decision(id)
            .doing("reading a decision")?
            .map(|row| row.document)
            .ok_or_else(|| ArchiveError::Corrupt {
                what: format!("decision {id}"),
            })
    }

    /// One decision.
    pub fn decision(&self, id: DecisionId) -> Result<Option<StoredDecision>, ArchiveError> {
        let Some(row) = self.index.decision(id).doing("reading a decision")? else {
            return Ok(None);
        };
        let decision = self.parse_decision(&row)?;
        Ok(Some(StoredDecision {
            id: row.id,
            at: row.at,
            action: row.action,
            decision,
        }))
    }

    fn opened(&self, id: RecordingId) -> Result<OpenRecording, ArchiveError> {
        let known = self.known_of(id)?;
        let mut records = Vec::new();
        let each = |record: RecordRef<'_>| records.push(record.to_record());
        let segments = self.read_records(id, known.keys.of_segments(), each)?;
        known.are_whole(&segments)?;
        Ok(OpenRecording {
            timeline: known.timeline,
            records,
        })
    }

    /// What is known of a closed recording before its records are read: its timeline is the one that its manifest
    /// names.
    fn known_of(&self, id: RecordingId) -> Result<Known, ArchiveError> {
        let row = self.row(id)?;
        if row.state != State::Sealed {
            return Err(self.wrong_state(id, "opened"));
        }
        let damaged = |what: &str| ArchiveError::Corrupt {
            what: format!("the {what} of {id}"),
        };
        let keys = self.recording_keys(id)?;
        let parties = self.details(&row, &keys.data)?.parties;
        let manifest =
            Manifest::from_bytes(&self.manifest_bytes(id)?).map_err(|_text| damaged("manifest"))?;
        let timeline = self.index.timeline(id).doing("reading the timeline")?;
        let timeline = timeline.unwrap_or_default();
        if Digest::of(&timeline) != manifest.timeline_sha256 {
            let what = "its timeline is not the one that its manifest names";
            return Err(ArchiveError::NotWhole { id, what });
        }
        let timeline = from_canonical(&timeline).map_err(|_text| damaged("timeline"))?;
        Ok(Known {
            keys,
            parties,
            manifest,
            timeline,
        })
    }

    /// What the row holds sealed.
    pub(crate) fn details(
        &self,
        row: &RecordingRow,
        data_key: &DataKey,
    ) -> Result<SealedDetails, ArchiveError> {
        let damaged = || ArchiveError::Corrupt {
            what: format!("the sealed details of {}", row.id),
        };
        let opened = open_bytes(data_key, DETAILS_LABEL, row.id, &row.sealed)
            .map_err(|_sealed| damaged())?;
        serde_json::from_slice(&opened).map_err(|_text| damaged())
    }

    /// The decision that a manifest names: the one under which the recording began.
    pub(crate) fn named_decision(&self, manifest: &Manifest) -> Result<DecisionRow, ArchiveError> {
        let id = manifest.recording;
        let rows = self.index.decisions_of(id).doing("reading decisions")?;
        rows.into_iter()
            .find(|row| Digest::of(&row.document) == manifest.decision_sha256)
            .ok_or_else(|| ArchiveError::Corrupt {
                what: format!("the decision that permitted {id}"),
            })
    }

    /// What storage holds of a recording: nothing of a refused or a destroyed one.
    pub fn trace(&self, id: RecordingId) -> Result<Trace, ArchiveError> {
        let entries = self
            .blobs
            .list(&segment_prefix(id))
            .doing("listing segments")?;
        Ok(Trace {
            blobs: entries.len(),
            bytes: entries.iter().map(|entry| entry.len).sum(),
            has_key: self.has_key(id)?,
            has_sound_key: self.has_key(sound_key_name(id))?,
        })
    }

    /// Leaves of the log from a place on.
    pub fn leaves(&self, from: u64, limit: usize) -> Result<Vec<LeafRow>, ArchiveError> {
        self.index.leaves(from, limit).doing("reading the log")
    }

    /// Number of leaves in the log.
    pub fn log_size(&self) -> Result<u64, ArchiveError> {
        Ok(self.index.log_head().doing("reading the log's head")?.size)
    }
}

/// A row on one line, without what its timeline tells.
pub(crate) fn summary_of(row: &RecordingRow) -> RecordingSummary {
    RecordingSummary {
        is_partly_private: false,
        id: row.id,
        line: row.line.clone(),
        state: row.state,
        started_at: row.started_at,
        ended_at: row.ended_at,
        verdict: row.verdict.as_deref().and_then(Verdict::from_word),
        retain_until: row.retain_until,
        destroyed_at: row.destroyed_at,
        sound_until: row.sound_until,
        sound_destroyed_at: row.sound_destroyed_at,
        part: row.part.clone(),
    }
}
