//! What happens when the archive is opened by the server: everything that was under way is taken
//! to its end, by the same functions that do so on an ordinary day.

use crate::error::Doing;
use crate::finish::Summary;
use crate::writer::segment_key;
use crate::{Archive, ArchiveError};
use std::collections::BTreeSet;
use voicelog_evidence::journal::{Cause, ChunkBuilder, JournalEvent};
use voicelog_evidence::key::{owner_of_key, sound_key_name};
use voicelog_evidence::segment::SegmentWriter;
use voicelog_model::{RecordingId, Timestamp};
use voicelog_store::index::{RecordingFilter, RecordingRow, State};

/// What recovery found and did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Recordings cut off by a crash, now closed with the gap declared.
    pub interrupted: Vec<RecordingId>,
    /// Recordings that had ended and only had to be closed.
    pub closed: Vec<RecordingId>,
    /// Calls that were waiting without a permit, and imports that a crash cut off: nothing is kept of either.
    pub waiting: Vec<RecordingId>,
    /// Destructions continued.
    pub destroyed: Vec<RecordingId>,
    /// Recordings that could not be closed because what is stored is damaged, those that the index
    /// lacks, and those whose destruction failed again. They stay as they are, key and all; `check`
    /// names what is wrong, and the next sweep goes on with a destruction.
    pub damaged: Vec<(RecordingId, String)>,
    /// Recordings cut off by a crash, which this process cannot open: it has only a public key. They stay as they are
    /// until a process with the master key finishes them.
    pub waiting_for_key: Vec<RecordingId>,
    /// Closed recordings whose data key, or the key of their sound, is missing: nobody can open them.
    pub without_key: Vec<RecordingId>,
}

/// How a recording was found that was being written or closed.
enum Found {
    /// A crash cut it off; it is closed with that gap.
    CutOff,
    /// It had ended, and was closed.
    Ended,
    /// An import that had not come to its end; it is undone.
    HalfImported,
}

/// Rows that are read from the index at once.
const ROWS_AT_ONCE: usize = 500;
/// How much of a call a crash can take: what was not committed yet.
const UNCOMMITTED_MICROS: i64 = 500_000;

/// The end of a call that a crash cut off, of which `latest` is the last thing known. What came
/// after it was lost at most until the next commit; how long the call went on while the server
/// was down, nobody knows.
fn interruption(latest: Timestamp, now: Timestamp) -> (Timestamp, JournalEvent) {
    let at = latest.max(now.min(latest.plus_micros(UNCOMMITTED_MICROS)));
    (at, JournalEvent::Interrupted { restarted_at: now })
}

impl Archive {
    /// Takes everything that was under way to its end. Only the process that holds the archive's
    /// server lock may call this.
    pub fn recover(&self, now: Timestamp) -> Result<Recovery, ArchiveError> {
        let mut recovery = Recovery::default();
        self.fill_tiles()?;
        for continued in self.continue_destructions(now)? {
            let id = continued.id;
            match continued.outcome {
                Ok(_destroyed) => recovery.destroyed.push(id),
                // The next sweep tries again; the server starts.
                Err(error) => {
                    let why = voicelog_model::error::chain(&error).to_string();
                    recovery.damaged.push((id, why));
                }
            }
        }
        let open = [State::Waiting, State::Recording, State::Finishing];
        for row in self
            .index
            .recordings_in_state(&open)
            .doing("looking for open recordings")?
        {
            let outcome = if row.state == State::Waiting {
                self.recover_waiting(row.id, row.started_at, now)
                    .map(|()| recovery.waiting.push(row.id))
            } else {
                self.recover_recording(&row, now).map(|found| {
                    let list = match found {
                        Found::CutOff => &mut recovery.interrupted,
                        Found::Ended => &mut recovery.closed,
                        Found::HalfImported => &mut recovery.waiting,
                    };
                    list.push(row.id);
                })
            };
            // One damaged recording must not keep the others, or the server, from going on.
            if let Err(error) = outcome {
                if error.is_public_only() {
                    recovery.waiting_for_key.push(row.id);
                    continue;
                }
                let why = voicelog_model::error::chain(&error).to_string();
                recovery.damaged.push((row.id, why));
            }
        }
        self.forget_stray_keys(&mut recovery)?;
        self.look_for_keys(&mut recovery)?;
        self.sequence()?;
        Ok(recovery)
    }

    /// Recordings that a crash cut off, and that wait for a process with the master key; none where this is one.
    pub fn waiting_for_key(&self) -> Result<Vec<RecordingId>, ArchiveError> {
        if self.can_open() {
            return Ok(Vec::new());
        }
        let rows = self
            .index
            .recordings_in_state(&[State::Recording, State::Finishing])
            .doing("looking for open recordings")?;
        let rows = rows.into_iter().map(|row| row.id);
        Ok(rows.filter(|id| self.call(*id).is_none()).collect())
    }

    /// A crash between the key and the row of a recording leaves a key that nothing was sealed
    /// with. Where there are segments the key is not stray: it is the index that lacks something,
    /// as after restoring an older copy of it, and without its key that recording is lost.
    fn forget_stray_keys(&self, recovery: &mut Recovery) -> Result<(), ArchiveError> {
        for name in self.keys.list().doing("listing keys")? {
            let (id, _is_sound) = owner_of_key(name);
            let row = self.index.recording(id).doing("reading the index")?;
            if row.is_some() {
                continue;
            }
            if self.trace(id)?.blobs == 0 {
                self.keys
                    .destroy(name)
                    .doing("removing a key that is not needed")?;
            } else {
                let why = ArchiveError::IndexBehind(id).to_string();
                recovery.damaged.push((id, why));
            }
        }
        Ok(())
    }

    /// A folder of keys that is gone, or is an older copy, must not go unnoticed until somebody
    /// wants to listen.
    fn look_for_keys(&self, recovery: &mut Recovery) -> Result<(), ArchiveError> {
        let keys = self.keys.list().doing("listing keys")?;
        let keys: BTreeSet<RecordingId> = keys.into_iter().collect();
        for state in [State::Sealed, State::WithoutSound] {
            let filter = RecordingFilter {
                state: Some(state),
                ..RecordingFilter::default()
            };
            let mut after = None;
            loop {
                let page = self.index.list_recordings(&filter, after, ROWS_AT_ONCE);
                let page = page.doing("listing recordings")?;
                let is_lost = |row: &&RecordingRow| {
                    let needs_sound = row.has_sound_key && state == State::Sealed;
                    !keys.contains(&row.id)
                        || (needs_sound && !keys.contains(&sound_key_name(row.id)))
                };
                let lost = page.rows.iter().filter(is_lost);
                recovery.without_key.extend(lost.map(|row| row.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// A call that waited for a permit when the server stopped: nothing was kept of it.
    fn recover_waiting(
        &self,
        id: RecordingId,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        // A key may exist if the crash came between key and row; nothing was sealed with it.
        self.forget_beginning(id)?;
        let mut events = vec![(started_at, JournalEvent::CallStarted {})];
        let mut latest = started_at;
        for row in self.index.decisions_of(id).doing("reading decisions")? {
            let decision = self.parse_decision(&row)?;
            if let Some(event) = self.refusal_event(&row, &decision)? {
                events.push((row.at, event));
                latest = latest.max(row.at);
            }
        }
        events.push(interruption(latest, now));
        self.finish_unrecorded(id, &events, now).map(|_finished| ())
    }

    /// A recording that was being written or closed.
    fn recover_recording(&self, row: &RecordingRow, now: Timestamp) -> Result<Found, ArchiveError> {
        let id = row.id;
        let is_import = self.is_import(row)?;
        // An import that was being undone.
        if is_import && !self.has_key(id)? {
            self.undo_import(row, Cause::Restart, now)?;
            return Ok(Found::HalfImported);
        }
        let keys = self.recording_keys(id)?;
        self.cut_unpromised_tail(id, keys.of_segments())?;
        let mut summary = Summary::new(id, &keys.data);
        let segments = self.read_records(id, keys.of_segments(), |record| summary.push(record))?;
        // What a killed process appended and never committed is read from memory: a manifest must not
        // name it before it is on the disk. Half a frame goes.
        for entry in &segments.entries {
            self.blobs
                .truncate(&segment_key(id, entry.number), entry.byte_len)
                .doing("keeping what a crash left")?;
        }
        let interrupted = !summary.ended;
        if interrupted && is_import {
            self.undo_import(row, Cause::Restart, now)?;
            return Ok(Found::HalfImported);
        }
        if interrupted {
            let mut chunk = ChunkBuilder::new();
            let mut push = |at, event: JournalEvent| {
                chunk
                    .push_event(at, &event)
                    .map_err(|source| ArchiveError::Journal { id, source })
            };
            let mut latest = summary.latest;
            if summary.decision.is_none() {
                // The crash came between the permission and the first chunk on disk: the journal
                // has not even a beginning.
                let row = self.row(id)?;
                latest = latest.max(Some(row.started_at));
                let decision = self.governing_decision(&row)?;
                push(row.started_at, JournalEvent::CallStarted {})?;
                push(row.started_at, JournalEvent::Permitted { decision })?;
            }
            let (at, event) = interruption(latest.unwrap_or(now), now);
            push(at, event)?;
            let number = segments.next_number();
            let (mut segment, mut bytes) =
                SegmentWriter::create(keys.of_segments(), id, number, segments.chain);
            segment
                .seal(chunk.plaintext(), &mut bytes)
                .map_err(|source| ArchiveError::Sealing { id, source })?;
            // The new segment goes on from the last whole frame.
            let blob = self
                .blobs
                .create(&segment_key(id, number))
                .doing("closing a cut recording")?;
            self.blobs
                .append(blob, &bytes)
                .doing("closing a cut recording")?;
            self.blobs.seal(blob).doing("closing a cut recording")?;
        }
        self.finish_from_disk(id, now)?;
        Ok(match interrupted {
            true => Found::CutOff,
            false => Found::Ended,
        })
    }
}
