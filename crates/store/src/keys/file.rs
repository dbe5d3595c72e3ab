//! Wrapped keys as files: `<recording>.key`, one per recording, in a folder of their own.
//!
//! One file each, so that destroying one key touches no other, and so that a backup of keys can
//! be left out, or kept shorter, file by file. Several processes may use the folder at once; what is
//! there is changed and destroyed by one at a time (`lock`).
//!
//! Beside them `records/<name>`: what is kept of the keys that wrap these.

use super::{Keys, RECORD_NAME_MAX, WRAPPED_KEY_BYTES_MAX};
use crate::{ArchiveId, StoreError, durable, folder};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use voicelog_model::RecordingId;

/// What the folder's mark says it holds.
const PART: &str = "keys";
/// How the name of a key's file ends.
const SUFFIX: &str = ".key";
/// The folder of the records.
const RECORDS: &str = "records";
/// The file that is locked while something is changed.
const LOCK: &str = "lock";

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

    fn record_path(&self, name: &str) -> Result<PathBuf, StoreError> {
        let is_name = name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if name.is_empty() || name.len() > RECORD_NAME_MAX || !is_name {
            return Err(StoreError::Invalid {
                what: "no name of a record",
                value: name.to_owned(),
            });
        }
        Ok(self.root.join(RECORDS).join(name))
    }

    /// Held by whoever changes or destroys what is there; let go with the file.
    fn lock(&self) -> Result<File, StoreError> {
        let path = self.root.join(LOCK);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(durable::FILE_MODE)
            .open(&path)
            .map_err(StoreError::io("open", path.display()))?;
        file.lock()
            .map_err(StoreError::io("lock", path.display()))?;
        Ok(file)
    }
}

/// Errors: only zeros, which is what something destroyed looks like, or too long.
fn check_bytes(bytes: &[u8]) -> Result<(), StoreError> {
    if bytes.iter().all(|byte| *byte == 0) || bytes.len() > WRAPPED_KEY_BYTES_MAX {
        return Err(StoreError::Invalid {
            what: "blank, or too long for a wrapped key, in bytes",
            value: bytes.len().to_string(),
        });
    }
    Ok(())
}

/// What a file holds; nothing where it is not there, or was being destroyed.
fn read_file(path: &Path, what: impl FnOnce() -> String) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("open", path.display())(error)),
    };
    let limit = u64::try_from(WRAPPED_KEY_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(StoreError::io("read", path.display()))?;
    if bytes.len() > WRAPPED_KEY_BYTES_MAX {
        return Err(StoreError::corrupt(what(), "it is too long"));
    }
    // A destruction that was cut off leaves zeros: the key is gone, its name not yet.
    Ok(Some(bytes).filter(|bytes| bytes.iter().any(|byte| *byte != 0)))
}

/// Puts other bytes in the place of a file, whole, and then overwrites those that were there.
fn replace_shredding(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let before = OpenOptions::new().write(true).open(path);
    durable::replace(path, bytes)?;
    match before {
        Ok(file) => durable::overwrite(&file, path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StoreError::io("open", path.display())(error)),
    }
}

impl Keys for FileKeys {
    fn put(&self, recording: RecordingId, wrapped: &[u8]) -> Result<(), StoreError> {
        check_bytes(wrapped)?;
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
        let found = read_file(&self.path(recording), || format!("key `{recording}`"))?;
        found.ok_or_else(|| StoreError::NotFound {
            noun: "key",
            id: recording.to_string(),
        })
    }

    fn destroy(&self, recording: RecordingId) -> Result<(), StoreError> {
        self.destroy_all(&[recording])
    }

    fn destroy_all(&self, recordings: &[RecordingId]) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        let mut paths = Vec::with_capacity(2 * recordings.len());
        for recording in recordings {
            let path = self.path(*recording);
            // A crash in the middle of `put` leaves the bytes under the temporary name.
            paths.push(durable::temporary_name(&path)?);
            paths.push(path);
        }
        durable::shred_all(&self.root, &paths)
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

    fn replace(&self, recording: RecordingId, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        check_bytes(new)?;
        // Otherwise a destruction between the look and the change would be undone.
        let _lock = self.lock()?;
        let path = self.path(recording);
        let present = read_file(&path, || format!("key `{recording}`"))?;
        if present.as_deref() != Some(old) {
            return Ok(false);
        }
        replace_shredding(&path, new).map(|()| true)
    }

    fn swap_record(&self, name: &str, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError> {
        check_bytes(new)?;
        let path = self.record_path(name)?;
        let _lock = self.lock()?;
        durable::create_folder(&self.root.join(RECORDS))?;
        let present = read_file(&path, || format!("record `{name}`"))?;
        if present.as_deref() != old {
            return Ok(false);
        }
        replace_shredding(&path, new).map(|()| true)
    }

    fn record(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let found = read_file(&self.record_path(name)?, || format!("record `{name}`"))?;
        found.ok_or_else(|| StoreError::NotFound {
            noun: "record",
            id: name.to_owned(),
        })
    }

    fn destroy_record(&self, name: &str) -> Result<(), StoreError> {
        let path = self.record_path(name)?;
        let _lock = self.lock()?;
        if !self.root.join(RECORDS).is_dir() {
            return Ok(());
        }
        durable::shred(&durable::temporary_name(&path)?)?;
        durable::shred(&path)?;
        durable::sync_folder(&self.root.join(RECORDS))
    }

    fn records(&self) -> Result<Vec<String>, StoreError> {
        let folder = self.root.join(RECORDS);
        let place = || folder.display().to_string();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::io("list", place())(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(StoreError::io("list", place()))?;
            let name = entry.file_name().into_string().unwrap_or_default();
            // One that is being destroyed, or was being written, is not there.
            if let Ok(path) = self.record_path(&name)
                && read_file(&path, || format!("record `{name}`"))?.is_some()
            {
                found.push(name);
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}
