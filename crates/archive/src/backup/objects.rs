//! The objects of a backup.
//!
//! Objects of a sealed recording never change, so every backup in a folder shares them; each is held
//! against the recording's manifest, in the folder and in the archive. Those of a recording that is not
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
use voicelog_store::index::{RecordingFilter, RecordingRow, Recordings as _, State};
use voicelog_store::{SqliteIndex, StoreError, durable};

/// Rows read from the copy of the index at a time.
const PAGE_ROWS: usize = 500;

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
    /// Copies every object of a recording that the copy of the index knows and that still lives.
    pub(super) fn copy_objects(
        &self,
        (folder, backup): (&Path, BackupId),
        copy: &SqliteIndex,
        files: &mut Files,
    ) -> Result<Sums, BackupError> {
        let mut sums = Sums::default();
        let mut after = None;
        loop {
            let page = copy.list_recordings(&RecordingFilter::default(), after, PAGE_ROWS)?;
            for row in &page.rows {
                match row.state {
                    State::Destroying | State::Destroyed => {}
                    State::Sealed => self.copy_sealed(folder, copy, row, files, &mut sums)?,
                    State::Waiting | State::Recording | State::Finishing | State::NotRecorded => {
                        self.copy_growing((folder, backup), row.id, files, &mut sums)?;
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(sums);
            }
        }
    }

    fn copy_sealed(
        &self,
        folder: &Path,
        copy: &SqliteIndex,
        row: &RecordingRow,
        files: &mut Files,
        sums: &mut Sums,
    ) -> Result<(), BackupError> {
        let bytes = copy.manifest(row.id)?.unwrap_or_default();
        let Ok(manifest) = Manifest::from_bytes(&bytes) else {
            sums.damaged
                .push(format!("the manifest of {} cannot be read", row.id));
            return self.keep_all(folder, row.id, files, sums);
        };
        for entry in &manifest.segments {
            let key = segment_key(row.id, entry.number);
            let path = format!("{OBJECTS}/{key}");
            let target = folder.join(&path);
            let present = there(&target);
            if let Some(bytes) = present.as_ref().filter(|bytes| is_whole(bytes, entry)) {
                sums.add(files, path, bytes, false);
                continue;
            }
            let bytes = self.object(&key)?;
            match bytes {
                Some(bytes) => {
                    if !is_whole(&bytes, entry) {
                        self.damaged(row.id, &key, "is not what its manifest says", sums)?;
                    }
                    write(&target, &bytes)?;
                    sums.add(files, path, &bytes, true);
                }
                None => {
                    self.damaged(row.id, &key, "is missing", sums)?;
                    // Damaged as well, and all that there is.
                    if let Some(bytes) = present {
                        sums.add(files, path, &bytes, false);
                    }
                }
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

    /// Notes that the archive itself lacks an object, unless the recording was destroyed meanwhile: the list
    /// of destructions says so then.
    fn damaged(
        &self,
        id: RecordingId,
        key: &str,
        why: &str,
        sums: &mut Sums,
    ) -> Result<(), BackupError> {
        let row = self.index.recording(id).doing("reading the index")?;
        if row.is_some_and(|row| row.state == State::Sealed) {
            sums.damaged.push(format!("`{key}` {why}"));
        }
        Ok(())
    }
}
