//! `check`: is everything that the index promises really there, and is nothing else?
//!
//! Three costs: presence (names), size (names and lengths), hash (every byte is read, decrypted,
//! and the arithmetic done again, up to the log that the checkpoint signs).

mod rows;
mod told;

use crate::error::Doing;
use crate::finish::{Basis, Summary};
use crate::writer::segment_prefix;
use crate::{Archive, ArchiveError};
use std::collections::BTreeSet;
use told::{Told, is_restored};
use voicelog_evidence::canonical::{canonical_json, from_canonical};
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::key::{owner_of_key, sound_key_name};
use voicelog_evidence::manifest::Manifest;
use voicelog_evidence::tlog::{self, CompactRange, TILE_HEIGHT};
use voicelog_model::RecordingId;
use voicelog_store::StoreError;
use voicelog_store::index::{RecordingFilter, RecordingRow, State};

/// How much a check reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Are the files there?
    Presence,
    /// Are they as long as they should be?
    Size,
    /// Is every byte what it was?
    Hash,
}

impl std::str::FromStr for Level {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "presence" => Ok(Self::Presence),
            "size" => Ok(Self::Size),
            "hash" => Ok(Self::Hash),
            other => Err(format!("`{other}` is no level; say presence, size or hash")),
        }
    }
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which invariant of `design/archive.md` it breaks.
    pub invariant: u8,
    /// The recording it is about, if it is about one.
    pub recording: Option<RecordingId>,
    /// What is wrong, in one line.
    pub what: String,
}

/// What a check looked at and found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Findings {
    /// Recordings looked at: those that exist, or are being made or destroyed.
    pub recordings: usize,
    /// Calls looked at of which nothing was recorded.
    pub not_recorded: usize,
    /// Tombstones looked at: what stays of recordings that were destroyed.
    pub destroyed: usize,
    /// Segments looked at.
    pub segments: usize,
    /// Bytes read.
    pub bytes: u64,
    /// Leaves of the log looked at.
    pub leaves: u64,
    /// All that is wrong; empty if nothing is.
    pub wrong: Vec<Finding>,
    /// What is wrong unless the log says that the archive was restored. Empty once all was looked at.
    unless_restored: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, invariant: u8, recording: Option<RecordingId>, what: impl Into<String>) {
        self.wrong.push(Finding {
            invariant,
            recording,
            what: what.into(),
        });
    }

    fn add_unless_restored(&mut self, invariant: u8, recording: RecordingId, what: &str) {
        self.unless_restored.push(Finding {
            invariant,
            recording: Some(recording),
            what: what.to_owned(),
        });
    }
}

/// Whether a recording in this state is lost without its data key.
const fn needs_key(row: &RecordingRow) -> bool {
    needs_sound(row.state) || matches!(row.state, State::SoundDestroying | State::WithoutSound)
}

/// Whether a recording in this state has its sound.
const fn needs_sound(state: State) -> bool {
    matches!(state, State::Recording | State::Finishing | State::Sealed)
}

/// Whether its sound has a key of its own, without which nobody hears it.
const fn needs_sound_key(row: &RecordingRow) -> bool {
    row.has_sound_key && needs_sound(row.state)
}

impl Archive {
    /// Checks the archive against its invariants.
    pub fn check(&self, level: Level) -> Result<Findings, ArchiveError> {
        let mut findings = Findings::default();
        let stray_keys = self.keys_without_row(self.keys.list().doing("listing keys")?)?;
        let entries = self.blobs.list("").doing("listing blobs")?;
        let mut blobs: BTreeSet<String> = entries.into_iter().map(|entry| entry.key).collect();
        let known = blobs.clone();
        let mut told = (level == Level::Hash).then(Told::default);
        let mut after = None;
        loop {
            let filter = RecordingFilter::default();
            let page = self
                .index
                .list_recordings(&filter, after, 500)
                .doing("listing recordings")?;
            for row in page.rows {
                self.check_recording(&row, level, &mut blobs, &mut findings)?;
                if let Some(told) = &mut told {
                    self.note_sealed(&row, told, &mut findings)?;
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if let Some(told) = &mut told {
            self.note_accounts(told)?;
        }
        for blob in blobs {
            findings.add(2, None, format!("`{blob}` belongs to no recording"));
        }
        // The same of a segment that was begun meanwhile; its row came first.
        let is_known = |key: &str| known.contains(key) || self.has_row(key);
        let strange = self.blobs.list_unknown(&is_known);
        for unknown in strange.doing("looking for strange files")? {
            findings.add(
                2,
                None,
                format!("`{}` is not a file of the archive", unknown.path),
            );
        }
        for line in self.index.check().doing("checking the index")? {
            findings.add(1, None, line);
        }
        self.check_log(told.as_mut(), &mut findings)?;
        if let Some(told) = told {
            self.check_all_told(told, &mut findings)?;
            self.check_vouched(&mut findings)?;
        }
        // Looked at again at the end: a server that begins a recording makes the key before the
        // row, so a key that had no row at first may be of a call that came in meanwhile.
        let mut still_there = Vec::new();
        for id in stray_keys {
            if self.has_key(id)? {
                still_there.push(id);
            }
        }
        for name in self.keys_without_row(still_there)? {
            let what = "there is a key of a recording that the index lacks";
            findings.add(2, Some(owner_of_key(name).0), what);
        }
        Ok(findings)
    }

    /// Whether an object's key is that of a recording in the index.
    fn has_row(&self, key: &str) -> bool {
        key.strip_prefix("rec/")
            .and_then(|rest| rest.split('/').next())
            .and_then(|id| id.parse().ok())
            .is_some_and(|id| matches!(self.index.recording(id), Ok(Some(_row))))
    }

    fn keys_without_row(&self, names: Vec<RecordingId>) -> Result<Vec<RecordingId>, ArchiveError> {
        let mut without = Vec::new();
        for name in names {
            let (id, is_sound) = owner_of_key(name);
            let row = self.index.recording(id).doing("reading the index")?;
            if row.is_none_or(|row| is_sound && !row.has_sound_key) {
                without.push(name);
            }
        }
        Ok(without)
    }

    fn check_recording(
        &self,
        row: &RecordingRow,
        level: Level,
        blobs: &mut BTreeSet<String>,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let id = row.id;
        match row.state {
            State::Waiting | State::NotRecorded => findings.not_recorded += 1,
            State::Destroyed => findings.destroyed += 1,
            State::Recording
            | State::Finishing
            | State::Sealed
            | State::SoundDestroying
            | State::WithoutSound
            | State::Destroying => findings.recordings += 1,
        }
        let prefix = segment_prefix(id);
        let mine: Vec<String> = blobs
            .range(prefix.clone()..)
            .take_while(|blob| blob.starts_with(&prefix))
            .cloned()
            .collect();
        for blob in &mine {
            blobs.remove(blob);
        }
        let has_key = self.has_key(id)?;
        let has_sound_key = self.has_key(sound_key_name(id))?;
        if level == Level::Hash {
            self.check_row(row, findings)?;
        }
        // Read before the state is looked at again: a server destroys the key first.
        let still = |needs: fn(&RecordingRow) -> bool| {
            needs(row) && self.row(id).is_ok_and(|row| needs(&row))
        };
        if !has_key && still(needs_key) {
            let what = "its data key is missing, so nobody can open it";
            findings.add(1, Some(id), what);
        }
        if !has_sound_key && still(needs_sound_key) {
            let what = "the key of its sound is missing, so nobody can hear it";
            findings.add(1, Some(id), what);
        }
        let opens = has_key && (has_sound_key || !row.has_sound_key);
        let left = match row.state {
            State::Sealed => {
                self.check_sealed(row, level, (mine.len(), opens), findings)?;
                false
            }
            State::Destroyed | State::NotRecorded => has_key || has_sound_key || !mine.is_empty(),
            State::WithoutSound => has_sound_key || !mine.is_empty(),
            State::Waiting
            | State::Recording
            | State::Finishing
            | State::SoundDestroying
            | State::Destroying => false,
        };
        if left {
            findings.add(5, Some(id), "something is left of what must not exist");
        }
        let decision = self.index.decision(row.decision);
        let decision = decision.doing("looking for a decision")?;
        if row.state != State::Waiting
            && decision.is_none_or(|decision| decision.recording != Some(id))
        {
            findings.add(3, Some(id), "its decision is not there");
        }
        Ok(())
    }

    pub(crate) fn manifest_bytes(&self, id: RecordingId) -> Result<Vec<u8>, ArchiveError> {
        Ok(self
            .index
            .manifest(id)
            .doing("reading the manifest")?
            .unwrap_or_default())
    }

    fn check_sealed(
        &self,
        row: &RecordingRow,
        level: Level,
        (blob_count, has_key): (usize, bool),
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let id = row.id;
        let Ok(manifest) = from_canonical::<Manifest>(&self.manifest_bytes(id)?) else {
            findings.add(1, Some(id), "its manifest cannot be read");
            return Ok(());
        };
        if blob_count != manifest.segments.len() {
            let told = manifest.segments.len();
            findings.add(
                1,
                Some(id),
                format!("{blob_count} segments are there, {told} belong"),
            );
        }
        for segment in &manifest.segments {
            findings.segments += 1;
            let name = crate::writer::segment_key(id, segment.number);
            let len = match self.blobs.len(&name) {
                Ok(len) => len,
                Err(StoreError::NotFound { .. }) => {
                    findings.add(1, Some(id), format!("`{name}` is missing"));
                    continue;
                }
                Err(error) => return Err(error).doing("measuring a segment"),
            };
            if level >= Level::Size && len != segment.byte_len {
                let told = segment.byte_len;
                findings.add(
                    1,
                    Some(id),
                    format!("`{name}` has {len} bytes instead of {told}"),
                );
            }
        }
        if level == Level::Hash && has_key {
            self.check_bytes(row, &manifest, findings);
        }
        Ok(())
    }

    /// Reads every byte and does the whole arithmetic again. What cannot be read is a finding,
    /// not a failure of the check.
    fn check_bytes(&self, row: &RecordingRow, manifest: &Manifest, findings: &mut Findings) {
        let id = row.id;
        let again = || -> Result<(Manifest, Vec<u8>), ArchiveError> {
            let keys = self.recording_keys(id)?;
            let mut summary = Summary::new(id, &keys.data);
            let segments =
                self.read_records(id, keys.of_segments(), |record| summary.push(record))?;
            // The decision that the manifest names is looked at with the others; where it is gone, so says that.
            let provenance = match summary.decision {
                Some(decision) => self.provenance(decision)?,
                None => manifest.provenance,
            };
            let basis = Basis {
                decision_sha256: manifest.decision_sha256,
                rulebook_hash: manifest.rulebook_hash,
                provenance,
                tool: manifest.tool.clone(),
            };
            let (again, timeline) = summary.finish(id, segments.entries, basis)?;
            Ok((again, canonical_json(&timeline)?))
        };
        match again() {
            Err(error) => {
                findings.add(
                    1,
                    Some(id),
                    voicelog_model::error::chain(&error).to_string(),
                );
            }
            Ok((again, timeline)) => {
                findings.bytes += again
                    .segments
                    .iter()
                    .map(|segment| segment.byte_len)
                    .sum::<u64>();
                if again != *manifest {
                    findings.add(
                        1,
                        Some(id),
                        "the segments say something else than the manifest",
                    );
                }
                if self.index.timeline(id).ok().flatten() != Some(timeline) {
                    findings.add(
                        1,
                        Some(id),
                        "the segments say something else than the timeline",
                    );
                }
            }
        }
    }

    /// The tiles over leaves that were just hashed are those that the index keeps.
    fn check_tiles(
        &self,
        tiles: &mut Vec<(u32, u64, [u8; 32])>,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        for (level, place, hash) in tiles.drain(..) {
            let kept = u8::try_from(level).unwrap_or(u8::MAX);
            let kept = self.index.tile_hashes(kept, place, place.saturating_add(1));
            let kept = kept.doing("reading the log")?;
            // One that is not there yet is computed from the leaves whenever it is asked for.
            if kept.first().is_some_and(|kept| *kept != hash) {
                let what = format!(
                    "tile {} at level {level} of the log is not of its leaves",
                    place + 1
                );
                findings.add(4, None, what);
            }
        }
        Ok(())
    }

    /// The log: every leaf hashes to what the tree holds, and the signed checkpoint is its root.
    fn check_log(
        &self,
        mut told: Option<&mut Told>,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let head = self.index.log_head().doing("reading the log's head")?;
        let mut range = CompactRange::default();
        let mut tiles = Vec::new();
        while range.size() < head.size {
            // No further than the head that was read: a server may be adding leaves meanwhile.
            let left = usize::try_from(head.size - range.size()).unwrap_or(usize::MAX);
            let leaves = self
                .index
                .leaves(range.size(), left.min(1_000))
                .doing("reading leaves")?;
            if leaves.is_empty() {
                break;
            }
            for leaf in leaves {
                let hash = tlog::leaf_hash(&leaf.bytes);
                if hash != leaf.hash {
                    findings.add(
                        4,
                        None,
                        format!(
                            "place {} of the log is not what was logged",
                            range.size() + 1
                        ),
                    );
                }
                if !findings.unless_restored.is_empty() && is_restored(&leaf.bytes) {
                    findings.unless_restored.clear();
                }
                if let Some(told) = told.as_deref_mut() {
                    self.check_told(leaf.id, &leaf.bytes, told)?;
                }
                range.append_seen(hash, |height, place, hash| {
                    if height % TILE_HEIGHT == 0 {
                        tiles.push((height / TILE_HEIGHT, place, hash));
                    }
                });
            }
            self.check_tiles(&mut tiles, findings)?;
        }
        findings.leaves = range.size();
        let unexcused = std::mem::take(&mut findings.unless_restored);
        findings.wrong.extend(unexcused);
        if head.size == 0 {
            return Ok(());
        }
        // What the next entry goes on from.
        if head.compact_range != range.to_bytes() {
            findings.add(4, None, "the head of the log is not of its leaves");
        }
        match Checkpoint::verify(&head.checkpoint, &self.secrets.signing_key.verifier()) {
            Ok(checkpoint)
                if checkpoint.size == range.size() && checkpoint.root == range.root() => {}
            Ok(_other) => {
                findings.add(4, None, "the checkpoint is of another tree than the leaves")
            }
            Err(error) => findings.add(4, None, format!("the checkpoint does not verify: {error}")),
        }
        Ok(())
    }
}
