//! The objects of a backup.
//!
//! Objects of a sealed recording never change, so every backup in a folder shares them. What one of them wrote is known
//! again by its length; any other is held against the recording's manifest. Those of a recording that is not
//! sealed still grow: they go under the backup's own name, or a backup that is cut off would change the
//! one before it.

use super::BackupError;
use super::format::OBJECTS;
use super::verify::Files;
use crate::error::Doing;
use crate::writer::{segment_key, segment_prefix};
use crate::{Archive, ArchiveError};
use std::collections::BTreeSet;
use std::path::Path;
use voicelog_evidence::Digest;
use voicelog_evidence::manifest::{Manifest, SegmentEntry};
use voicelog_model::{BackupId, RecordingId};
use voicelog_store::index::State;
use voicelog_store::{StoreError, durable};

/// What is said of an object that its manifest does not know so.
const NOT_WHOLE: &str = "is not what its manifest says";

/// What became of the objects.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) copied: u64,
    pub(super) kept: u64,
    pub(super) bytes: u64,
    pub(super) damaged: Vec<String>,
}

impl Sums {
    fn add(&mut self, files: &mut Files, path: String, bytes: &[u8], is_new: bool) {
        files.add(path, Digest::of(bytes));
        self.bytes += bytes.len() as u64;
        match is_new {
            true => self.copied += 1,
            false => self.kept += 1,
        }
    }
}

/// Whether an object is what its manifest says. What follows the last whole frame is not its business.
fn is_whole(bytes: &[u8], entry: &SegmentEntry) -> bool {
    let len = usize::try_from(entry.byte_len).unwrap_or(usize::MAX);
    let frames = bytes.get(..len);
    frames.is_some_and(|frames| Digest::of(frames) == entry.sha256)
}

/// The hash and length of a file that a backup of before wrote and listed, if nothing about it says that it became another
/// since. It is not read.
fn trusted(
    target: &Path,
    listed: Digest,
    entry: &SegmentEntry,
    here: Option<u64>,
) -> Option<(Digest, u64)> {
    let len = std::fs::metadata(target).ok()?.len();
    let is_the_length = here.is_none_or(|here| here == len) && len >= entry.byte_len;
    let is_the_hash = len != entry.byte_len || listed == entry.sha256;
    (is_the_length && is_the_hash).then_some((listed, len))
}

/// The file in the folder, if there is one that can be read.
fn there(target: &Path) -> Option<Vec<u8>> {
    std::fs::read(target).ok()
}

fn write(target: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    if let Some(parent) = target.parent() {
        durable::create_folder(parent)?;
    }
    Ok(durable::replace(target, bytes)?)
}

impl Archive {
    /// Copies every object of these recordings, as far as they still live. `former` are the files that a backup of before
    /// wrote there.
    pub(super) fn copy_objects(
        &self,
        (folder, backup): (&Path, BackupId),
        living: &[RecordingId],
        former: Option<&Files>,
        files: &mut Files,
    ) -> Result<Sums, BackupError> {
        let mut sums = Sums::default();
        for id in living {
            let row = self.index.recording(*id).doing("reading the index")?;
            match row.map(|row| row.state) {
                None
                | Some(
                    State::SoundDestroying
                    | State::WithoutSound
                    | State::Destroying
                    | State::Destroyed,
                ) => {}
                Some(State::Sealed) => {
                    self.copy_sealed((folder, former), *id, files, &mut sums)?;
                }
                Some(State::Waiting | State::Recording | State::Finishing | State::NotRecorded) => {
                    self.copy_growing((folder, backup), *id, files, &mut sums)?;
                }
            }
        }
        Ok(sums)
    }

    fn copy_sealed(
        &self,
        (folder, former): (&Path, Option<&Files>),
        id: RecordingId,
        files: &mut Files,
        sums: &mut Sums,
    ) -> Result<(), BackupError> {
        let bytes = self.index.manifest(id).doing("reading a manifest")?;
        let Ok(manifest) = Manifest::from_bytes(&bytes.unwrap_or_default()) else {
            if self.is_sealed(id)? {
                let what = format!("the manifest of {id} cannot be read");
                sums.damaged.push(what);
                self.keep_all(folder, id, files, sums)?;
            }
            return Ok(());
        };
        for entry in &manifest.segments {
            let key = segment_key(id, entry.number);
            let path = format!("{OBJECTS}/{key}");
            let target = folder.join(&path);
            let here = self.object_len(&key)?;
            if here.is_none() {
                self.damaged(id, &key, "is missing in the archive", sums)?;
            }
            let listed = former.and_then(|former| former.get(&path));
            if let Some((sha256, len)) =
                listed.and_then(|sha256| trusted(&target, sha256, entry, here))
            {
                files.add(path, sha256);
                sums.bytes += len;
                sums.kept += 1;
                continue;
            }
            let (present, bytes) = (there(&target), self.object(&key)?);
            match (present, bytes) {
                (Some(present), _) if is_whole(&present, entry) => {
                    sums.add(files, path, &present, false);
                }
                (_, Some(bytes)) if is_whole(&bytes, entry) => {
                    write(&target, &bytes)?;
                    sums.add(files, path, &bytes, true);
                }
                // Damaged in both: what the folder has is not replaced by what is no better.
                (Some(present), bytes) => {
                    if bytes.is_some() {
                        self.damaged(id, &key, NOT_WHOLE, sums)?;
                    }
                    sums.add(files, path, &present, false);
                }
                (None, Some(bytes)) => {
                    self.damaged(id, &key, NOT_WHOLE, sums)?;
                    write(&target, &bytes)?;
                    sums.add(files, path, &bytes, true);
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// Of a recording that nobody can tell what it consists of, the folder keeps what it has, and gets what it
    /// has not.
    fn keep_all(
        &self,
        folder: &Path,
        id: RecordingId,
        files: &mut Files,
        sums: &mut Sums,
    ) -> Result<(), BackupError> {
        let prefix = segment_prefix(id);
        let here = self.blobs.list(&prefix).doing("listing segments")?;
        let mut keys: BTreeSet<String> = here.into_iter().map(|entry| entry.key).collect();
        if let Ok(entries) = std::fs::read_dir(folder.join(OBJECTS).join(&prefix)) {
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            // What was cut off while it was written lies under a hidden name.
            let names = names.filter(|name| durable::unhidden(name).is_none());
            keys.extend(names.map(|name| format!("{prefix}{name}")));
        }
        for key in keys {
            let path = format!("{OBJECTS}/{key}");
            let target = folder.join(&path);
            if let Some(bytes) = there(&target) {
                sums.add(files, path, &bytes, false);
            } else if let Some(bytes) = self.object(&key)? {
                write(&target, &bytes)?;
                sums.add(files, path, &bytes, true);
            }
        }
        Ok(())
    }

    fn copy_growing(
        &self,
        (folder, backup): (&Path, BackupId),
        id: RecordingId,
        files: &mut Files,
        sums: &mut Sums,
    ) -> Result<(), BackupError> {
        let prefix = segment_prefix(id);
        for entry in self.blobs.list(&prefix).doing("listing segments")? {
            let Some(bytes) = self.object(&entry.key)? else {
                continue;
            };
            let path = format!("{backup}/{OBJECTS}/{}", entry.key);
            write(&folder.join(&path), &bytes)?;
            sums.add(files, path, &bytes, true);
        }
        Ok(())
    }

    fn object(&self, key: &str) -> Result<Option<Vec<u8>>, BackupError> {
        match self.blobs.read(key) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(source) => {
                let doing = "reading a segment";
                Err(ArchiveError::Store { doing, source }.into())
            }
        }
    }

    fn object_len(&self, key: &str) -> Result<Option<u64>, BackupError> {
        match self.blobs.len(key) {
            Ok(len) => Ok(Some(len)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(source) => {
                let doing = "looking at a segment";
                Err(ArchiveError::Store { doing, source }.into())
            }
        }
    }

    /// Notes what is wrong with an object in the archive itself, unless the recording was destroyed meanwhile: the list
    /// of destructions says so then.
    fn damaged(
        &self,
        id: RecordingId,
        key: &str,
        why: &str,
        sums: &mut Sums,
    ) -> Result<(), BackupError> {
        if self.is_sealed(id)? {
            sums.damaged.push(format!("`{key}` {why}"));
        }
        Ok(())
    }

    fn is_sealed(&self, id: RecordingId) -> Result<bool, BackupError> {
        let row = self.index.recording(id).doing("reading the index")?;
        Ok(row.is_some_and(|row| row.state == State::Sealed))
    }
}
