//! The system calls that objects and spools are made with, in one place.
//!
//! Each is a named step, so that a test can make exactly that one fail, before or after it took
//! effect, or look at the folder as a crash would leave it there.

use crate::{StoreError, durable};
use std::fmt::Debug;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One kind of system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Making the folders of an object.
    MakeFolder,
    /// Making an object's file.
    CreateObject,
    /// Writing at the end of an object's file.
    WriteObject,
    /// Cutting an object's file.
    CutObject,
    /// Syncing an object's file.
    SyncObject,
    /// Removing an object's file.
    RemoveObject,
    /// Syncing a folder.
    SyncFolder,
    /// Making a spool.
    CreateSpool,
    /// Writing at the end of a spool.
    WriteSpool,
    /// Cutting a spool back after a failed write.
    CutSpool,
    /// Syncing a spool.
    SyncSpool,
    /// Removing a spool.
    RemoveSpool,
}

/// Stands between the store and the disk in tests.
pub trait Faults: Send + Sync + Debug {
    /// Called before a step; an error makes it fail without effect.
    fn before(&self, step: Step, path: &Path) -> io::Result<()>;
    /// Called after a step succeeded; an error makes it look failed though it took effect.
    fn after(&self, step: Step, path: &Path) -> io::Result<()>;
}

/// The disk, with or without faults.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    pub(super) faults: Option<Arc<dyn Faults>>,
}

impl Disk {
    fn step<T>(
        &self,
        step: Step,
        path: &Path,
        doing: &'static str,
        act: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, StoreError> {
        let result = match &self.faults {
            None => act(),
            Some(faults) => faults
                .before(step, path)
                .and_then(|()| act())
                .and_then(|done| faults.after(step, path).map(|()| done)),
        };
        result.map_err(StoreError::io(doing, path.display()))
    }

    /// Makes folders without syncing them: the spool, and later the settling, does that.
    pub(super) fn make_folders(&self, path: &Path) -> Result<(), StoreError> {
        if path.is_dir() {
            return Ok(());
        }
        self.step(Step::MakeFolder, path, "make folder", || {
            DirBuilder::new()
                .recursive(true)
                .mode(durable::FOLDER_MODE)
                .create(path)
        })
    }

    pub(super) fn create(&self, step: Step, path: &Path) -> Result<File, StoreError> {
        self.step(step, path, "make", || {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(durable::FILE_MODE)
                .open(path)
        })
    }

    /// Opens an object's file for repair; makes it if it is missing.
    pub(super) fn open_or_create(&self, path: &Path) -> Result<File, StoreError> {
        self.step(Step::CreateObject, path, "open", || {
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(durable::FILE_MODE)
                .open(path)
        })
    }

    pub(super) fn write_at(
        &self,
        step: Step,
        file: &File,
        path: &Path,
        bytes: &[u8],
        offset: u64,
    ) -> Result<(), StoreError> {
        self.step(step, path, "write", || file.write_all_at(bytes, offset))
    }

    pub(super) fn cut(
        &self,
        step: Step,
        file: &File,
        path: &Path,
        len: u64,
    ) -> Result<(), StoreError> {
        self.step(step, path, "cut", || file.set_len(len))
    }

    /// Syncs bytes and what is needed to find them.
    pub(super) fn sync(&self, step: Step, file: &File, path: &Path) -> Result<(), StoreError> {
        self.step(step, path, "sync", || file.sync_data())
    }

    pub(super) fn sync_folder(&self, path: &Path) -> Result<(), StoreError> {
        self.step(Step::SyncFolder, path, "sync folder", || {
            File::open(path)?.sync_all()
        })
    }

    /// Removes a file; one that is not there is removed already.
    pub(super) fn remove(&self, step: Step, path: &Path) -> Result<(), StoreError> {
        self.step(step, path, "remove", || match std::fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        })
    }

    /// The same for several, side by side; one after the other where a test counts the steps.
    pub(super) fn remove_all(&self, step: Step, paths: &[PathBuf]) -> Result<(), StoreError> {
        match &self.faults {
            None => durable::side_by_side(paths, |path| self.remove(step, path)),
            Some(_) => paths.iter().try_for_each(|path| self.remove(step, path)),
        }
    }
}
