//! Wrapped keys as files: `<recording>.key`, one per recording, in a folder of their own.
//!
//! One file each, so that destroying one key touches no other, and so that a backup of keys can
//! be left out, or kept shorter, file by file. Several processes may use the folder at once.

use super::{Keys, WRAPPED_KEY_BYTES_MAX};
use crate::{ArchiveId, StoreError, durable, folder};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use voicelog_model::RecordingId;

/// What the folder's mark says it holds.
const PART: &str = "keys";
/// How the name of a key's file ends.
const SUFFIX: &str = ".key";

/// Keys in a folder.
#[derive(Debug)]
pub struct FileKeys {
    root: PathBuf,
    archive: ArchiveId,
}

impl FileKeys {
    /// Makes the folder of a new archive.
    pub fn create_folder(root: &Path, archive: ArchiveId) -> Result<(), StoreError> {
        folder::mark(root, PART, archive)
    }

    /// Opens the folder. Errors: it is not a folder of keys.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            root: root.to_path_buf(),
            archive: folder::read_mark(root, PART)?,
        })
    }

    /// The archive whose keys these are.
    #[must_use]
    pub const fn archive(&self) -> ArchiveId {
        self.archive
    }

    fn path(&self, recording: RecordingId) -> PathBuf {
        self.root.join(format!("{recording}{SUFFIX}"))
    }
}

impl Keys for FileKeys {
    fn put(&self, recording: RecordingId, wrapped: &[u8]) -> Result<(), StoreError> {
        // Only zeros is what a destroyed key looks like.
        let blank = wrapped.iter().all(|byte| *byte == 0);
        if blank || wrapped.len() > WRAPPED_KEY_BYTES_MAX {
            return Err(StoreError::Invalid {
                what: "blank, or too long for a wrapped key, in bytes",
                value: wrapped.len().to_string(),
            });
        }
        match self.get(recording) {
            Ok(present) if present == wrapped => {
                // The process before may have stopped between the file and its folder.
                return durable::sync_folder(&self.root);
            }
            Ok(_) => {
                return Err(StoreError::Exists {
                    noun: "key",
                    id: recording.to_string(),
                });
            }
            Err(StoreError::NotFound { .. }) => {}
            Err(other) => return Err(other),
        }
        // Whole or not there; ids are never reused, so nobody else writes this file meanwhile.
        durable::replace(&self.path(recording), wrapped)
    }

    fn get(&self, recording: RecordingId) -> Result<Vec<u8>, StoreError> {
        let path = self.path(recording);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(StoreError::NotFound {
                    noun: "key",
                    id: recording.to_string(),
                });
            }
            Err(error) => return Err(StoreError::io("open", path.display())(error)),
        };
        let limit = u64::try_from(WRAPPED_KEY_BYTES_MAX).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(StoreError::io("read", path.display()))?;
        if bytes.len() > WRAPPED_KEY_BYTES_MAX {
            return Err(StoreError::corrupt(
                format!("key `{recording}`"),
                "it is too long",
            ));
        }
        // A destruction that was cut off leaves zeros: the key is gone, its name not yet.
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(StoreError::NotFound {
                noun: "key",
                id: recording.to_string(),
            });
        }
        Ok(bytes)
    }

    fn destroy(&self, recording: RecordingId) -> Result<(), StoreError> {
        let path = self.path(recording);
        // A crash in the middle of `put` leaves the bytes under the temporary name.
        shred(&durable::temporary_name(&path)?)?;
        shred(&path)?;
        // The process before may have stopped between the unlink and the folder.
        durable::sync_folder(&self.root)
    }

    fn list(&self) -> Result<Vec<RecordingId>, StoreError> {
        let place = || self.root.display().to_string();
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.root).map_err(StoreError::io("list", place()))? {
            let entry = entry.map_err(StoreError::io("list", place()))?;
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            if let Some(Ok(id)) = id.map(str::parse) {
                found.push(id);
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// Overwrites a file's bytes, then unlinks it. The name goes last: a crash in between leaves
/// zeros under a name that the next try finds.
fn shred(path: &Path) -> Result<(), StoreError> {
    let place = || path.display().to_string();
    let file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::io("open", place())(error)),
    };
    let len = file
        .metadata()
        .map_err(StoreError::io("look at", place()))?
        .len();
    let zeros = vec![0; usize::try_from(len).unwrap_or(0).min(WRAPPED_KEY_BYTES_MAX)];
    file.write_all_at(&zeros, 0)
        .map_err(StoreError::io("overwrite", place()))?;
    file.sync_all().map_err(StoreError::io("sync", place()))?;
    durable::remove(path)
}
