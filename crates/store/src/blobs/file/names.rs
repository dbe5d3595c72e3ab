//! Making, cutting and removing objects: what changes names or takes bytes away.

use super::disk::Step;
use super::folders_of;
use super::settle::Object;
use super::spool;
use super::writer::{Live, State, Writer};
use crate::StoreError;
use crate::blobs::{BlobId, check_key};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, MutexGuard, PoisonError};

impl Writer {
    fn names(&self) -> MutexGuard<'_, ()> {
        self.names_lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn create(&self, key: &str) -> Result<BlobId, StoreError> {
        check_key(key)?;
        let path = self.shared.objects.join(key);
        let file = {
            let _names = self.names();
            if let Some(folder) = path.parent() {
                self.shared.disk.make_folders(folder)?;
            }
            self.shared.disk.create(Step::CreateObject, &path)
        };
        let file = file.map_err(|error| match error {
            StoreError::Io { source, .. } if source.kind() == ErrorKind::AlreadyExists => {
                StoreError::Exists {
                    noun: "object",
                    id: key.to_owned(),
                }
            }
            other => other,
        })?;
        let object = Arc::new(Object {
            key: key.to_owned(),
            path,
            file,
            is_named: AtomicBool::new(false),
        });
        let mut state = self.shared.state();
        let id = BlobId(state.next_id);
        state.next_id += 1;
        // An empty record brings the file back, even if nothing more is ever appended.
        spool::encode(&mut state.pending.bytes, key, 0, &[]);
        state.pending.touched.insert(id, Arc::clone(&object));
        state.live.insert(
            id,
            Live {
                object,
                len: 0,
                is_broken: false,
            },
        );
        Ok(id)
    }

    pub(super) fn delete_all(&self, keys: &[String]) -> Result<(), StoreError> {
        keys.iter().try_for_each(|key| check_key(key))?;
        self.settle_keys(keys, "be deleted")?;
        let disk = &self.shared.disk;
        let mut changed = BTreeSet::new();
        if keys.is_empty() {
            changed = self.topmost_folders()?;
        }
        let paths: Vec<PathBuf> = keys
            .iter()
            .map(|key| self.shared.objects.join(key))
            .collect();
        disk.remove_all(Step::RemoveObject, &paths)?;
        for path in &paths {
            // For each by itself: a call that begins waits for one of them, not for all.
            let _names = self.names();
            for folder in folders_of(&self.shared.objects, path) {
                let is_gone = folder != self.shared.objects && remove_empty_folder(folder)?;
                if !is_gone {
                    changed.insert(folder.to_path_buf());
                    break;
                }
            }
        }
        let left: BTreeSet<_> = changed.iter().map(|at| nearest(at)).collect();
        left.into_iter().try_for_each(|at| self.sync_nearest(at))
    }

    /// Syncs a folder; where somebody else removes it at this very moment, the nearest one above it: that is where the
    /// removal is written down.
    fn sync_nearest(&self, folder: &Path) -> Result<(), StoreError> {
        let mut at = folder;
        loop {
            match self.shared.disk.sync_folder(at) {
                Err(_) if !at.is_dir() && nearest(at) != at => at = nearest(at),
                synced => return synced,
            }
        }
    }

    /// The folder of all objects, and those in it: where the folders of objects go from when they are empty.
    fn topmost_folders(&self) -> Result<BTreeSet<PathBuf>, StoreError> {
        let objects = &self.shared.objects;
        let listed = || StoreError::io("list", objects.display());
        let mut found = BTreeSet::from([objects.clone()]);
        for entry in std::fs::read_dir(objects).map_err(listed())? {
            found.insert(entry.map_err(listed())?.path());
        }
        Ok(found)
    }

    pub(super) fn truncate(&self, key: &str, len: u64) -> Result<(), StoreError> {
        check_key(key)?;
        self.settle_keys(&[key.to_owned()], "be cut")?;
        let path = self.shared.objects.join(key);
        let file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(StoreError::NotFound {
                    noun: "object",
                    id: key.to_owned(),
                });
            }
            Err(error) => return Err(StoreError::io("open", key)(error)),
        };
        let disk = &self.shared.disk;
        let present = file
            .metadata()
            .map_err(StoreError::io("look at", key))?
            .len();
        if len < present {
            disk.cut(Step::CutObject, &file, &path, len)?;
        }
        disk.sync(Step::SyncObject, &file, &path)?;
        // Of a process that was killed, not even the name may be on the disk yet.
        for folder in folders_of(&self.shared.objects, &path) {
            disk.sync_folder(folder)?;
        }
        Ok(())
    }

    /// Makes sure that no spool holds bytes of these objects, which recovery would bring back.
    fn settle_keys(&self, keys: &[String], act: &'static str) -> Result<(), StoreError> {
        let keys: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
        let is_one = |object: &Object| keys.contains(object.key.as_str());
        let is_spooled = |state: &State| {
            let protected = state.protected.values().chain([&state.pending.touched]);
            protected
                .flat_map(BTreeMap::values)
                .any(|object| is_one(object))
        };
        let state = self.shared.state();
        if let Some(live) = state.live.values().find(|live| is_one(&live.object)) {
            return Err(StoreError::State {
                noun: "object",
                id: live.object.key.clone(),
                state: "being written",
                act,
            });
        }
        if !is_spooled(&state) {
            return Ok(());
        }
        drop(state);
        let settled = self.settle();
        // A spool of other objects that cannot be settled is not in the way.
        if is_spooled(&self.shared.state()) {
            settled
        } else {
            Ok(())
        }
    }
}

/// The folder, or the nearest one above it that is there.
fn nearest(folder: &Path) -> &Path {
    let there = folder.ancestors().find(|at| at.is_dir());
    there.unwrap_or(folder)
}

/// Whether the folder is gone: it was empty, or not there.
fn remove_empty_folder(folder: &Path) -> Result<bool, StoreError> {
    match std::fs::remove_dir(folder) {
        Ok(()) => Ok(true),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Ok(true),
            ErrorKind::DirectoryNotEmpty => Ok(false),
            _ => Err(StoreError::io("remove", folder.display())(error)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_folder_that_vanished_the_nearest_above_it_is_synced() {
        let root = tempfile::tempdir().unwrap();
        let there = root.path().join("rec");
        std::fs::create_dir(&there).unwrap();
        assert_eq!(nearest(&there.join("a").join("b")), there);
        assert_eq!(nearest(&there), there);
    }
}
