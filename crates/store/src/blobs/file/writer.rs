//! Appending, group commit, rotation.
//!
//! Bytes go to the object's own file at once (where readers see them) and into a buffer. A commit
//! writes the buffer to the spool and syncs the spool: one sync for all objects. The order of
//! locks is spool before state.

use super::disk::{Disk, Step};
use super::settle::{self, Object, settle_objects};
use super::{Options, Recovered, replay, spool};
use crate::blobs::{BlobId, OBJECT_BYTES_MAX};
use crate::{StoreError, durable};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Name of the file that the one writing process locks.
pub(super) const LOCK_NAME: &str = "lock";

/// Most bytes that wait for a commit; more than that, and appending stops.
const PENDING_BYTES_MAX: usize = 64 << 20;

/// Largest buffer that is kept for the next commit.
const SPARE_BYTES_MAX: usize = 8 << 20;

/// An object that is being written.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) object: Arc<Object>,
    pub(super) len: u64,
    /// Whether a failed append could not be taken back, so that the file's end is unknown.
    pub(super) is_broken: bool,
}

/// What was appended since the last commit.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) bytes: Vec<u8>,
    pub(super) touched: BTreeMap<BlobId, Arc<Object>>,
}

/// What appending changes. Held for as long as one write to the page cache takes.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) next_id: u64,
    pub(super) live: BTreeMap<BlobId, Live>,
    pub(super) pending: Pending,
    /// By spool on disk: the objects whose bytes it holds.
    pub(super) protected: BTreeMap<u64, BTreeMap<BlobId, Arc<Object>>>,
    /// Spools that could not be retired.
    pub(super) failed: BTreeSet<u64>,
    /// Why, in words.
    pub(super) trouble: Option<String>,
}

/// The spool that is being written.
#[derive(Debug)]
struct Spool {
    generation: u64,
    path: PathBuf,
    file: File,
    /// Bytes committed.
    len: u64,
}

/// Held for as long as a commit takes.
#[derive(Debug)]
struct Spooling {
    current: Option<Spool>,
    next_generation: u64,
    /// An empty buffer with room, so that commits allocate nothing.
    spare: Vec<u8>,
}

/// What the writer shares with the thread that settles.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) objects: PathBuf,
    pub(super) spools: PathBuf,
    pub(super) disk: Disk,
    state: Mutex<State>,
    pub(super) settled: Condvar,
    /// Set by a test that plays dead.
    pub(super) is_abandoned: AtomicBool,
    /// Set when the thread that settles has ended, whyever.
    pub(super) is_settler_gone: AtomicBool,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock with a change half made.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writing half of a folder of objects.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    spooling: Mutex<Spooling>,
    /// Held while a name is made or removed, so that a folder is not removed under a new file.
    pub(super) names_lock: Mutex<()>,
    options: Options,
    generations: Option<Sender<u64>>,
    settler: Option<JoinHandle<()>>,
    /// The lock on the folder ends when this is closed.
    _lock: File,
}

impl Writer {
    /// Takes the lock, replays and removes the spools that are there, starts the thread.
    pub(super) fn open(
        root: &Path,
        disk: &Disk,
        options: Options,
    ) -> Result<(Self, Recovered), StoreError> {
        let (objects, spools) = (root.join("objects"), root.join("spool"));
        let lock = take_lock(root, &spools.join(LOCK_NAME))?;
        let found = find_spools(&spools)?;
        let paths: Vec<PathBuf> = found.values().cloned().collect();
        let recovered = replay::restore(disk, &objects, &paths)?;
        for path in &paths {
            disk.remove(Step::RemoveSpool, path)?;
        }
        if !paths.is_empty() {
            disk.sync_folder(&spools)?;
        }
        let shared = Arc::new(Shared {
            objects,
            spools,
            disk: disk.clone(),
            state: Mutex::default(),
            settled: Condvar::new(),
            is_abandoned: AtomicBool::new(false),
            is_settler_gone: AtomicBool::new(false),
        });
        let (generations, receiver) = mpsc::channel();
        let of_thread = Arc::clone(&shared);
        let settler = std::thread::Builder::new()
            .name("store-settler".to_owned())
            .spawn(move || settle::run(&of_thread, &receiver))
            .map_err(StoreError::io("start a thread for", root.display()))?;
        let writer = Self {
            shared,
            spooling: Mutex::new(Spooling {
                current: None,
                next_generation: found.last_key_value().map_or(1, |(last, _)| last + 1),
                spare: Vec::new(),
            }),
            names_lock: Mutex::new(()),
            options,
            generations: Some(generations),
            settler: Some(settler),
            _lock: lock,
        };
        Ok((writer, recovered))
    }

    fn spooling(&self) -> MutexGuard<'_, Spooling> {
        self.spooling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn append(&self, blob: BlobId, bytes: &[u8]) -> Result<u64, StoreError> {
        let mut guard = self.shared.state();
        let state = &mut *guard;
        let live = state.live.get_mut(&blob).ok_or_else(|| no_handle(blob))?;
        if live.is_broken {
            return Err(StoreError::State {
                noun: "object",
                id: live.object.key.clone(),
                state: "broken by a write that failed",
                act: "grow",
            });
        }
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let end = live.len.saturating_add(count);
        if end > OBJECT_BYTES_MAX {
            return Err(StoreError::Full {
                what: "the object",
                limit: OBJECT_BYTES_MAX,
            });
        }
        if state.pending.bytes.len().saturating_add(bytes.len()) > PENDING_BYTES_MAX {
            let limit = u64::try_from(PENDING_BYTES_MAX).unwrap_or(u64::MAX);
            return Err(StoreError::Full {
                what: "the buffer before a commit",
                limit,
            });
        }
        let Object {
            key, path, file, ..
        } = &*live.object;
        let disk = &self.shared.disk;
        if let Err(error) = disk.write_at(Step::WriteObject, file, path, bytes, live.len) {
            // Part of it may be there: back to the length that is known to be good.
            live.is_broken = disk.cut(Step::CutObject, file, path, live.len).is_err();
            return Err(error);
        }
        spool::encode(&mut state.pending.bytes, key, live.len, bytes);
        let touched = &mut state.pending.touched;
        touched
            .entry(blob)
            .or_insert_with(|| Arc::clone(&live.object));
        live.len = end;
        Ok(end)
    }

    pub(super) fn commit(&self) -> Result<(), StoreError> {
        let mut spooling = self.spooling();
        let spare = std::mem::take(&mut spooling.spare);
        let mut pending = {
            let mut state = self.shared.state();
            let fresh = Pending {
                bytes: spare,
                touched: BTreeMap::new(),
            };
            std::mem::replace(&mut state.pending, fresh)
        };
        if pending.touched.is_empty() {
            spooling.spare = pending.bytes;
            return Ok(());
        }
        if let Err(error) = self.write_spool(&mut spooling, &pending.bytes) {
            // The spool cannot take it: what is appended is in the objects' own files, so sync
            // those. It costs one sync per object, and works on a disk that is full.
            let disk = &self.shared.disk;
            if settle_objects(disk, &self.shared.objects, pending.touched.values()).is_err() {
                self.give_back(pending);
                return Err(error);
            }
        } else if let Some(spool) = &spooling.current {
            let mut state = self.shared.state();
            let protected = state.protected.entry(spool.generation).or_default();
            protected.append(&mut pending.touched);
            let is_full = spool.len >= self.options.spool_bytes_max
                || protected.len() >= self.options.spool_objects_max;
            drop(state);
            if is_full {
                self.retire(&mut spooling);
            }
        }
        pending.bytes.clear();
        if pending.bytes.capacity() <= SPARE_BYTES_MAX {
            spooling.spare = pending.bytes;
        }
        Ok(())
    }

    /// Writes and syncs the spool, making one if there is none. On an error the spool holds what
    /// it held before, perhaps with a torn tail, and is not used again.
    fn write_spool(&self, spooling: &mut Spooling, bytes: &[u8]) -> Result<(), StoreError> {
        let result = self.try_write_spool(spooling, bytes);
        if result.is_err() {
            // After a failed sync the kernel may have dropped what it was given: a second sync
            // of the same file would say yes without meaning it. So the next one is a new file.
            if let Some(spool) = &spooling.current {
                let disk = &self.shared.disk;
                // Not needed for correctness, since a torn tail is ignored; it frees the room.
                if let Err(_torn) = disk.cut(Step::CutSpool, &spool.file, &spool.path, spool.len) {}
            }
            self.retire(spooling);
        }
        result
    }

    fn try_write_spool(&self, spooling: &mut Spooling, bytes: &[u8]) -> Result<(), StoreError> {
        let disk = &self.shared.disk;
        let spool = match &mut spooling.current {
            Some(spool) => spool,
            none => {
                let generation = spooling.next_generation;
                spooling.next_generation += 1;
                let path = self.shared.spools.join(spool::name(generation));
                let file = disk.create(Step::CreateSpool, &path)?;
                let spool = none.insert(Spool {
                    generation,
                    path,
                    file,
                    len: 0,
                });
                disk.write_at(Step::WriteSpool, &spool.file, &spool.path, spool::HEADER, 0)?;
                disk.sync_folder(&self.shared.spools)?;
                spool.len = u64::try_from(spool::HEADER.len()).unwrap_or(0);
                spool
            }
        };
        disk.write_at(Step::WriteSpool, &spool.file, &spool.path, bytes, spool.len)?;
        disk.sync(Step::SyncSpool, &spool.file, &spool.path)?;
        spool.len = spool
            .len
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
        Ok(())
    }

    /// Puts back what could not be committed, before what was appended meanwhile.
    fn give_back(&self, mut failed: Pending) {
        let mut state = self.shared.state();
        failed.bytes.append(&mut state.pending.bytes);
        failed.touched.append(&mut state.pending.touched);
        state.pending = failed;
    }

    /// Ends the current spool: the thread settles its objects and removes it. Spools that could
    /// not be settled before get another try.
    fn retire(&self, spooling: &mut Spooling) {
        let mut state = self.shared.state();
        let mut generations = std::mem::take(&mut state.failed);
        if let Some(spool) = spooling.current.take() {
            state.protected.entry(spool.generation).or_default();
            generations.insert(spool.generation);
        }
        drop(state);
        for generation in generations {
            self.tell_settler(generation);
        }
    }

    fn tell_settler(&self, generation: u64) {
        // The thread ends only when this sender is dropped, so there is somebody to hear it; if
        // there were not, the spool would stay, and the next opening would read it.
        if let Some(Err(_gone)) = self
            .generations
            .as_ref()
            .map(|sender| sender.send(generation))
        {}
    }

    pub(super) fn seal(&self, blob: BlobId) -> Result<u64, StoreError> {
        let (len, is_quiet) = loop {
            self.commit()?;
            let mut state = self.shared.state();
            if state.pending.touched.contains_key(&blob) {
                continue; // Another thread appended to it since the commit.
            }
            let live = state.live.remove(&blob).ok_or_else(|| no_handle(blob))?;
            break (
                live.len,
                state.live.is_empty() && state.pending.touched.is_empty(),
            );
        };
        if is_quiet {
            // Nobody is writing: a good moment to leave nothing for recovery to do.
            self.retire(&mut self.spooling());
        }
        Ok(len)
    }

    /// Retires every spool there is now, and waits until each is gone or has failed.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        self.commit()?;
        let mut spooling = self.spooling();
        self.retire(&mut spooling);
        let state = self.shared.state();
        let awaited: BTreeSet<u64> = state.protected.keys().copied().collect();
        // Only now may other threads begin a new spool, which is not ours to wait for.
        drop(spooling);
        let state = self
            .shared
            .settled
            .wait_while(state, |state| {
                let mut left = state.protected.keys().filter(|left| awaited.contains(left));
                left.any(|left| !state.failed.contains(left))
                    && !self.shared.is_settler_gone.load(Ordering::SeqCst)
            })
            .unwrap_or_else(PoisonError::into_inner);
        if state.protected.keys().any(|left| awaited.contains(left)) {
            let gone = "the thread that settles has ended";
            let trouble = state.trouble.clone().unwrap_or_else(|| gone.to_owned());
            return Err(StoreError::Unsettled { trouble });
        }
        Ok(())
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.shared.state().trouble.clone()
    }

    pub(super) fn abandon(&self) {
        self.shared.is_abandoned.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.shared.is_abandoned.load(Ordering::SeqCst)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_abandoned() {
            // What cannot be settled now is in the spool, and settled by the next opening.
            if let Err(_left_for_recovery) = self.settle() {}
        }
        self.generations = None;
        if let Some(Err(_panicked)) = self.settler.take().map(JoinHandle::join) {}
    }
}

fn no_handle(blob: BlobId) -> StoreError {
    StoreError::NotFound {
        noun: "open object",
        id: blob.0.to_string(),
    }
}

/// The lock ends with the process, however it ends.
fn take_lock(root: &Path, path: &Path) -> Result<File, StoreError> {
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(durable::FILE_MODE)
        .open(path)
        .map_err(StoreError::io("open", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
            place: root.display().to_string(),
        }),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", path.display())(error)),
    }
}

pub(super) fn find_spools(folder: &Path) -> Result<BTreeMap<u64, PathBuf>, StoreError> {
    let failed = |error| StoreError::io("list", folder.display())(error);
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Some(generation) = entry.file_name().to_str().and_then(spool::generation) {
            found.insert(generation, entry.path());
        }
    }
    Ok(found)
}
