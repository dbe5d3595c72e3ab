//! The system calls of [`durable`](crate::durable) that fail on demand: those that touch a file below a folder.
//!
//! Known by the folder and not handed down, because whoever makes a file durable has only its path, and several threads
//! overwrite keys at once. Where no test asked for it, a step costs one look at a number.

use super::Schedule;
use crate::StoreError;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

/// How the names of these operations begin in [`Schedule::operations`].
pub const DISK: &str = "disk: ";

static FOLDERS: RwLock<Vec<(PathBuf, Schedule)>> = RwLock::new(Vec::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// As long as it is there, what is made durable below a folder fails as the schedule says.
#[derive(Debug)]
pub struct DiskFaults {
    root: PathBuf,
}

impl DiskFaults {
    /// One schedule for each folder.
    #[must_use]
    pub fn below(root: &Path, schedule: &Schedule) -> Self {
        let root = root.to_path_buf();
        let mut folders = FOLDERS.write().unwrap_or_else(PoisonError::into_inner);
        folders.push((root.clone(), schedule.clone()));
        COUNT.store(folders.len(), Ordering::Release);
        Self { root }
    }
}

impl Drop for DiskFaults {
    fn drop(&mut self) {
        let mut folders = FOLDERS.write().unwrap_or_else(PoisonError::into_inner);
        folders.retain(|(root, _)| *root != self.root);
        COUNT.store(folders.len(), Ordering::Release);
    }
}

/// Runs a step, under the schedule of the folder that its file lies in, if there is one.
pub(crate) fn step<T>(
    name: &'static str,
    path: &Path,
    act: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return act();
    }
    let schedule = {
        let folders = FOLDERS.read().unwrap_or_else(PoisonError::into_inner);
        let found = folders.iter().find(|(root, _)| path.starts_with(root));
        found.map(|(_, schedule)| schedule.clone())
    };
    match schedule {
        Some(schedule) => schedule.run(name, || (), act),
        None => act(),
    }
}
