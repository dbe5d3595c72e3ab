//! Wrapped keys as files: `<recording>.key`, one per recording, in a folder of their own.
//!
//! One file each, so that destroying one key touches no other, and so that a backup of keys can
//! be left out, or kept shorter, file by file. Several processes may use the folder at once; what is
//! there is changed and destroyed by one at a time (`lock`).
//!
//! Beside them `records/<name>`: what is kept of the keys that wrap these.

use super::{Keys, RECORD_NAME_MAX, Turn, WRAPPED_KEY_BYTES_MAX};
use crate::{ArchiveId, StoreError, durable, folder};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
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
/// The file that is locked by whoever has its [`Turn`]; who that is, stands in it.
const TURN: &str = "keys.lock";
/// Bytes that are read of who that is.
const TURN_BYTES_MAX: u64 = 200;

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

    fn lock_file(&self, name: &str) -> Result<(File, PathBuf), StoreError> {
        let path = self.root.join(name);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(durable::FILE_MODE)
            .open(&path)
            .map_err(StoreError::io("open", path.display()))?;
        Ok((file, path))
    }

    /// Held by whoever keeps, changes or destroys what is there; let go with the file.
    fn lock(&self) -> Result<File, StoreError> {
        let (file, path) = self.lock_file(LOCK)?;
        file.lock()
            .map_err(StoreError::io("lock", path.display()))?;
        Ok(file)
    }

    /// Takes away what a crash left of keys and records that were being replaced: copies of them as they were before.
    pub fn sweep(&self) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        for folder in [self.root.clone(), self.root.join(RECORDS)] {
            let is_records = folder.ends_with(RECORDS);
            for name in names_in(&folder)? {
                if let Some(of) = durable::unhidden(&name)
                    && (is_records || of.ends_with(SUFFIX))
                {
                    durable::sweep(&folder.join(of))?;
                }
            }
        }
        Ok(())
    }
}

/// The names in a folder; none where it is not there.
fn names_in(folder: &Path) -> Result<Vec<String>, StoreError> {
    let io = |error| StoreError::io("list", folder.display())(error);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(error)),
    };
    let names = entries.map(|entry| Ok(entry.map_err(io)?.file_name()));
    let names: Result<Vec<_>, StoreError> = names.collect();
    Ok(names?
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .collect())
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

impl Keys for FileKeys {
    fn put(&self, recording: RecordingId, wrapped: &[u8]) -> Result<(), StoreError> {
        check_bytes(wrapped)?;
        // A sweep would take what is being written for what a crash left.
        let _lock = self.lock()?;
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
        let mut paths = Vec::with_capacity(3 * recordings.len());
        for recording in recordings {
            let path = self.path(*recording);
            // A crash in the middle of `put` or `replace` leaves bytes beside it.
            paths.push(durable::temporary_name(&path)?);
            paths.push(durable::former_name(&path)?);
            paths.push(path);
        }
        durable::shred_all(&self.root, &paths)
    }

    fn list(&self) -> Result<Vec<RecordingId>, StoreError> {
        let names = names_in(&self.root)?;
        let ids = names.iter().filter_map(|name| name.strip_suffix(SUFFIX));
        let mut found: Vec<RecordingId> = ids.filter_map(|id| id.parse().ok()).collect();
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
        durable::replace_secret(&path, new).map(|()| true)
    }

    fn swap_record(&self, name: &str, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError> {
        check_bytes(new)?;
        let path = self.record_path(name)?;
        let _lock = self.lock()?;
        durable::create_folder(&self.root.join(RECORDS))?;
        // The process before may have stopped between the folder and the one above it.
        durable::sync_folder(&self.root)?;
        let present = read_file(&path, || format!("record `{name}`"))?;
        if present.as_deref() != old {
            return Ok(false);
        }
        durable::replace_secret(&path, new).map(|()| true)
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
        durable::sweep(&path)?;
        durable::shred(&path)?;
        durable::sync_folder(&self.root.join(RECORDS))
    }

    fn records(&self) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        for name in names_in(&self.root.join(RECORDS))? {
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

    fn turn(&self, who: &str, may_wait: bool) -> Result<Turn, StoreError> {
        let (mut file, path) = self.lock_file(TURN)?;
        let locked = match may_wait {
            true => file.lock().map_err(TryLockError::Error),
            false => file.try_lock(),
        };
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut by = String::new();
                // Who it is, is a help; that it is somebody, is the answer.
                if let Err(_unread) = file.take(TURN_BYTES_MAX).read_to_string(&mut by) {}
                return Err(StoreError::KeysInUse { by });
            }
            Err(TryLockError::Error(error)) => {
                return Err(StoreError::io("lock", path.display())(error));
            }
        }
        let text = format!("`{who}` (process {})", std::process::id());
        file.set_len(0)
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(StoreError::io("write", path.display()))?;
        self.sweep()?;
        Ok(Turn { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blobs::Options;
    use crate::{Access, Layout, LocalStore};
    use voicelog_model::Timestamp;

    #[test]
    fn what_a_crash_left_of_a_former_wrapping_is_overwritten_when_the_archive_is_opened_or_the_key_destroyed()
     {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::in_folder(root.path());
        LocalStore::create(&layout, ArchiveId([7; 16]), Timestamp::from_micros(1)).unwrap();
        let keys = FileKeys::open(&layout.keys).unwrap();
        let id = RecordingId::from_bytes([5; 16]);
        keys.put(id, b"now").unwrap();
        keys.swap_record("epoch-0001", None, b"now").unwrap();
        // Cut off after the new file took the name, and before the former was overwritten; and while one was written.
        let left = |number: u32| {
            let places = [
                layout.keys.join(format!(".{id}.key.old")),
                layout.keys.join(format!(".{id}.key.new")),
                layout.keys.join("records/.epoch-0001.old"),
            ];
            let seen = |at: usize| root.path().join(format!("seen-{number}-{at}"));
            for (at, place) in places.iter().enumerate() {
                durable::create(place, b"before").unwrap();
                std::fs::hard_link(place, seen(at)).unwrap();
            }
            (places, [0, 1, 2].map(seen))
        };
        let all_gone = |(places, seen): ([PathBuf; 3], [PathBuf; 3]), count: usize| {
            for (place, seen) in places.iter().zip(&seen).take(count) {
                assert!(!place.exists(), "{}", place.display());
                assert_eq!(std::fs::read(seen).unwrap(), [0; 6]);
            }
        };
        let first = left(1);
        LocalStore::open(&layout, Access::Write(Options::default())).unwrap();
        all_gone(first, 3);
        assert_eq!(keys.get(id).unwrap(), b"now");
        assert_eq!(keys.record("epoch-0001").unwrap(), b"now");
        let second = left(2);
        drop(keys.turn("voicelog keys rewrap", false).unwrap());
        all_gone(second, 3);
        let third = left(3);
        keys.destroy(id).unwrap();
        all_gone(third, 2);
        assert_eq!(keys.list().unwrap(), []);
    }
}
