//! The plain copy of the index that a backup is made from.
//!
//! It holds what a destruction would wipe, so there is one place for it, beside the index, and a lock on
//! it that ends with the process that made it. While it is held nothing is destroyed; one that a crash
//! left behind is overwritten before anything is.

use super::{SqliteIndex, connect, sql};
use crate::{StoreError, durable};
use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A copy of the index as of one moment. Dropped, it is overwritten and removed.
#[derive(Debug)]
pub struct Snapshot {
    path: PathBuf,
    // Held until the file is gone.
    _lock: File,
}

impl Snapshot {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // Where that fails, whoever destroys something next does it before.
        if let Err(_left) = durable::shred(&self.path) {}
    }
}

/// Where the copy of an index lies.
fn path_of(index: &Path) -> PathBuf {
    index.with_extension("snapshot")
}

/// Overwrites and removes the copy that a crash left beside an index. Errors:
/// [`StoreError::BeingCopied`] if somebody works with it.
pub fn forget_snapshot(index: &Path) -> Result<(), StoreError> {
    let path = path_of(index);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::io("open", path.display())(error)),
    };
    lock(&file, &path)?;
    durable::shred(&path)
}

fn lock(file: &File, path: &Path) -> Result<(), StoreError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StoreError::BeingCopied),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", path.display())(error)),
    }
}

impl SqliteIndex {
    /// Refuses while the index is copied; takes away a copy that nobody uses.
    pub(super) fn not_while_copied(&self) -> Result<(), StoreError> {
        forget_snapshot(&self.path)
    }

    pub(super) fn make_snapshot(&self) -> Result<Snapshot, StoreError> {
        let path = path_of(&self.path);
        let name = path.to_str().ok_or_else(|| StoreError::Invalid {
            what: "this path is not UTF-8",
            value: path.display().to_string(),
        })?;
        forget_snapshot(&self.path)?;
        // Made empty first, for its mode: SQLite takes an empty file for no file.
        durable::create(&path, b"")?;
        let file = File::open(&path).map_err(StoreError::io("open", path.display()))?;
        lock(&file, &path)?;
        let inode = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let held = file.metadata().map(inode);
        let named = std::fs::metadata(&path).map(inode);
        if held.ok() != named.ok() {
            // Whoever destroyed something took it for one that a crash had left.
            return Err(StoreError::BeingCopied);
        }
        let snapshot = Snapshot {
            path: path.clone(),
            _lock: file,
        };
        // A connection of its own: those that read may write nothing at all.
        let copied = connect(&self.path).and_then(|own| own.execute(sql::SNAPSHOT, [name]));
        copied.map_err(StoreError::sql("copy the tables"))?;
        File::open(&path)
            .and_then(|copy| copy.sync_all())
            .map_err(StoreError::io("sync", path.display()))?;
        Ok(snapshot)
    }
}
