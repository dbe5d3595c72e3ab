//! Brings what spools hold back into the objects' own files.
//!
//! Opening after a crash calls this, and so does the settling of a spool when syncing an object's
//! file failed: then the kernel may have dropped pages that it says are clean, and only writing
//! them again brings them to the disk. So bytes are written again even where the file seems to
//! have them already. Done twice, or cut off and done again, it gives the same files.

use super::disk::{Disk, Step};
use super::spool::{self, Piece};
use crate::StoreError;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// What opening found to recover. All zero and empty after an orderly shutdown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Spools that were there.
    pub spools: usize,
    /// Bytes that the spools held and the objects' files did not: what a power cut took.
    pub restored_bytes: u64,
    /// Bytes at the ends of spools that were never committed, and are gone.
    pub torn_bytes: u64,
    /// The objects that the spools held, by key.
    pub objects: Vec<RecoveredObject>,
}

/// One object that was being written, or had been shortly before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveredObject {
    /// Its key.
    pub key: String,
    /// Length up to which its bytes are what was committed.
    pub promised_len: u64,
    /// Length of its file before recovery. Beyond `promised_len`, after a power cut, bytes may
    /// be anything; after the death of the process alone they are what was written.
    pub found_len: u64,
    /// Bytes below the promised length that neither file nor spool has. Never more than zero
    /// unless the disk lost what it had said was safe.
    pub missing_bytes: u64,
}

/// Restores the objects that these spools hold, oldest spool first, and syncs them.
pub(super) fn restore(
    disk: &Disk,
    objects: &Path,
    spools: &[PathBuf],
) -> Result<Recovered, StoreError> {
    let mut recovered = Recovered {
        spools: spools.len(),
        ..Recovered::default()
    };
    let mut by_key: BTreeMap<String, Vec<(usize, Piece)>> = BTreeMap::new();
    let mut files = Vec::new();
    for (number, path) in spools.iter().enumerate() {
        let contents = spool::scan(path)?;
        recovered.torn_bytes = recovered.torn_bytes.saturating_add(contents.torn_bytes);
        for (key, piece) in contents.pieces {
            by_key.entry(key).or_default().push((number, piece));
        }
        files.push((
            File::open(path).map_err(StoreError::io("open", path.display()))?,
            path,
        ));
    }
    let mut folders = BTreeSet::new();
    for (key, pieces) in by_key {
        let path = objects.join(&key);
        let parts = pieces.iter().filter_map(|(number, piece)| {
            files
                .get(*number)
                .map(|(file, path)| (file, path.as_path(), *piece))
        });
        let object = restore_object(disk, key, &path, parts)?;
        recovered.restored_bytes = recovered
            .restored_bytes
            .saturating_add(object.promised_len.saturating_sub(object.found_len));
        recovered.objects.push(object);
        folders.extend(super::folders_of(objects, &path).map(Path::to_path_buf));
    }
    for folder in &folders {
        disk.sync_folder(folder)?;
    }
    Ok(recovered)
}

fn restore_object<'a>(
    disk: &Disk,
    key: String,
    path: &Path,
    pieces: impl Iterator<Item = (&'a File, &'a Path, Piece)>,
) -> Result<RecoveredObject, StoreError> {
    if let Some(folder) = path.parent() {
        disk.make_folders(folder)?;
    }
    let file = disk.open_or_create(path)?;
    let found_len = file
        .metadata()
        .map_err(StoreError::io("look at", path.display()))?
        .len();
    let mut object = RecoveredObject {
        key,
        promised_len: 0,
        found_len,
        missing_bytes: 0,
    };
    let mut have = found_len;
    let mut buffer = Vec::new();
    for (spool, spool_path, piece) in pieces {
        buffer.resize(usize::try_from(piece.len).unwrap_or(0), 0);
        spool
            .read_exact_at(&mut buffer, piece.at)
            .map_err(StoreError::io("read", spool_path.display()))?;
        object.missing_bytes = object
            .missing_bytes
            .saturating_add(piece.offset.saturating_sub(have));
        disk.write_at(Step::WriteObject, &file, path, &buffer, piece.offset)?;
        let end = piece.offset.saturating_add(piece.len);
        have = have.max(end);
        object.promised_len = object.promised_len.max(end);
    }
    disk.sync(Step::SyncObject, &file, path)?;
    Ok(object)
}
