//! Retires spools: once every object that a spool holds is safe in its own file, the spool goes.
//!
//! This is the slow half of group commit, on a thread of its own: a spool costs one sync per
//! commit while it is written, and one sync per object when it is retired.

use super::disk::{Disk, Step};
use super::writer::Shared;
use super::{folders_of, replay, spool};
use crate::StoreError;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use voicelog_model::error::chain;

/// An object's file, open from its first byte until every spool that holds it is gone: so that a
/// sync reports every write that failed in between.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) key: String,
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// Whether the folders that lead to it are synced.
    pub(super) is_named: AtomicBool,
}

/// Syncs objects' files, and the folders that lead to them, where that was not done before.
pub(super) fn settle_objects<'a>(
    disk: &Disk,
    root: &Path,
    objects: impl Iterator<Item = &'a Arc<Object>>,
) -> Result<(), StoreError> {
    let mut folders = BTreeSet::new();
    let mut named = Vec::new();
    for object in objects {
        disk.sync(Step::SyncObject, &object.file, &object.path)?;
        if !object.is_named.load(Ordering::Relaxed) {
            folders.extend(folders_of(root, &object.path));
            named.push(object);
        }
    }
    for folder in folders {
        disk.sync_folder(folder)?;
    }
    for object in named {
        object.is_named.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// The thread: retires each generation it is told to, until the writer is gone.
pub(super) fn run(shared: &Shared, generations: &Receiver<u64>) {
    let _ending = Ending(shared);
    while let Ok(generation) = generations.recv() {
        if shared.is_abandoned.load(Ordering::SeqCst) {
            return;
        }
        let result = retire(shared, generation);
        let mut state = shared.state();
        match result {
            Ok(()) => {
                state.protected.remove(&generation);
                state.failed.remove(&generation);
                if state.failed.is_empty() {
                    state.trouble = None;
                }
            }
            Err(error) => {
                // The spool stays: it is now the only safe copy, and the next opening reads it.
                state.trouble = Some(chain(&error).to_string());
                state.failed.insert(generation);
            }
        }
        drop(state);
        shared.settled.notify_all();
    }
}

/// However the thread ends, nobody waits for it for ever.
struct Ending<'a>(&'a Shared);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        // Under the lock, so that nobody looks just before and waits just after.
        let _state = self.0.state();
        self.0.is_settler_gone.store(true, Ordering::SeqCst);
        self.0.settled.notify_all();
    }
}

fn retire(shared: &Shared, generation: u64) -> Result<(), StoreError> {
    let objects: Vec<Arc<Object>> = shared
        .state()
        .protected
        .get(&generation)
        .map(|objects| objects.values().cloned().collect())
        .unwrap_or_default();
    let path = shared.spools.join(spool::name(generation));
    let settled = settle_objects(&shared.disk, &shared.objects, objects.iter());
    if settled.is_err() {
        // A failed sync may have marked lost pages as clean: write them again, then sync.
        replay::restore(&shared.disk, &shared.objects, std::slice::from_ref(&path))?;
    }
    shared.disk.remove(Step::RemoveSpool, &path)?;
    shared.disk.sync_folder(&shared.spools)
}
