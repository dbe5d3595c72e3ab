//! The disk under a simulated life. It knows what was synced, fails where it was told to, and loses at a
//! power cut whatever it may lose: names and bytes that were not synced go, bytes behind the last sync become
//! anything, files whose removal was not synced come back.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use tempfile::TempDir;
use voicelog_store::blobs::{Faults, Step};
use voicelog_store::faulty::{Dice, Schedule};

/// The thread that retires spools. Its steps are counted apart: when it takes them is a matter of luck.
const SETTLER: &str = "store-settler";
/// EIO and ENOSPC on Linux.
const BROKEN: i32 = 5;
const FULL: i32 = 28;

/// How a step goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// An error, and nothing was done.
    Before,
    /// An error, and it was done.
    After,
    /// The disk is full; of what was written something else than all arrived.
    Full,
    /// The power is cut, and nothing was done.
    PowerCut,
    /// The power is cut when it was done.
    PowerCutAfter,
}

/// Which steps go wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// Those of the thread that retires spools, or those of all others.
    pub(crate) is_of_settler: bool,
    /// The first, from 1.
    pub(crate) at: usize,
    /// How many in a row.
    pub(crate) count: usize,
    pub(crate) how: How,
}

#[derive(Debug, Default)]
struct State {
    /// Length of each file when its last sync began. Paths below the root.
    lens: BTreeMap<PathBuf, u64>,
    /// Files and folders that were there when the last sync of their folder began.
    names: BTreeSet<PathBuf>,
    /// Files whose removal is not durable: where their bytes are until then, and how many are safe.
    removed: Vec<(PathBuf, PathBuf, Option<u64>)>,
    /// What will be durable if a sync succeeds: a length, or names.
    begun: BTreeMap<(bool, PathBuf), (u64, Vec<PathBuf>)>,
    links: usize,
    fault: Option<Fault>,
    /// Steps so far, and what happens when the step under way ends: of the others, of the settler.
    lanes: [Lane; 2],
    is_cut: bool,
}

#[derive(Debug, Default)]
struct Lane {
    seen: usize,
    at_end: Option<How>,
}

fn is_settler() -> bool {
    std::thread::current().name() == Some(SETTLER)
}

/// A disk that holds the objects and spools of one archive.
#[derive(Debug)]
pub(crate) struct Disk {
    root: PathBuf,
    limbo: TempDir,
    state: Mutex<State>,
    schedule: Mutex<Schedule>,
}

impl Disk {
    /// Everything that is below `root` now is safe.
    pub(crate) fn new(root: &Path, limbo: TempDir) -> Self {
        let disk = Self {
            root: root.to_path_buf(),
            limbo,
            state: Mutex::default(),
            schedule: Mutex::default(),
        };
        disk.all_is_safe();
        disk
    }

    /// Another process: its steps are counted from here, and `schedule` dies with the power.
    pub(crate) fn arm(&self, fault: Option<Fault>, schedule: &Schedule) {
        let mut state = self.state();
        state.fault = fault;
        state.lanes = Default::default();
        state.is_cut = false;
        *self.schedule.lock().unwrap() = schedule.clone();
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.state().is_cut
    }

    /// The power is cut between two steps.
    pub(crate) fn cut_now(&self) {
        self.cut(&mut self.state());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn below(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap().to_path_buf()
    }

    fn all_is_safe(&self) {
        let mut state = self.state();
        let State { lens, names, .. } = &mut *state;
        lens.clear();
        names.clear();
        for path in all_below(&self.root) {
            let name = self.below(&path);
            if path.is_file() {
                lens.insert(name.clone(), path.metadata().unwrap().len());
            }
            names.insert(name);
        }
        state.removed.clear();
        state.is_cut = false;
    }

    /// The power is cut: what was not synced is lost or spoilt, by the throw of dice.
    pub(crate) fn cut_power(&self, dice: &mut Dice) {
        let removed = std::mem::take(&mut self.state().removed);
        for (name, kept, safe) in removed {
            let path = self.root.join(&name);
            if dice.below(2) == 0 && !path.exists() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::rename(kept, path).unwrap();
                let mut state = self.state();
                state.lens.extend(safe.map(|len| (name.clone(), len)));
                state.names.insert(name);
            }
        }
        for path in all_below(&self.root) {
            let name = self.below(&path);
            let is_ours =
                name.starts_with("objects") || name.extension().is_some_and(|end| end == "spool");
            if path.is_file() && is_ours {
                self.spoil(&path, &name, dice);
            }
        }
        self.all_is_safe();
    }

    fn spoil(&self, path: &Path, name: &Path, dice: &mut Dice) {
        let state = self.state();
        let mut names = name
            .ancestors()
            .take_while(|name| name.components().count() > 1);
        if !names.all(|name| state.names.contains(name)) && dice.below(2) == 0 {
            std::fs::remove_file(path).unwrap();
            return;
        }
        let len = path.metadata().unwrap().len();
        let safe = state.lens.get(name).copied().unwrap_or(0).min(len);
        let unsafe_bytes = usize::try_from(len - safe).unwrap();
        let left = safe + dice.below(unsafe_bytes + 1) as u64;
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_len(left).unwrap();
        // A spool begins with its name, so zeros are all that an unsynced block of it can be.
        let junk = if name.starts_with("spool") { 0 } else { 0xa5 };
        if dice.below(3) == 0 {
            let junk = vec![junk; usize::try_from(left - safe).unwrap()];
            std::os::unix::fs::FileExt::write_all_at(&file, &junk, safe).unwrap();
        }
    }

    /// What the fault makes of this step, if it is one of those.
    fn strikes(state: &mut State) -> Option<How> {
        let lane = &mut state.lanes[usize::from(is_settler())];
        lane.seen += 1;
        let seen = lane.seen;
        let fault = state.fault?;
        let is_one = fault.is_of_settler == is_settler()
            && (fault.at..fault.at + fault.count).contains(&seen);
        is_one.then_some(fault.how)
    }

    fn cut(&self, state: &mut State) -> io::Error {
        state.is_cut = true;
        self.schedule.lock().unwrap().kill();
        io::Error::from_raw_os_error(BROKEN)
    }

    /// Notes what a step is about to make durable, or undurable.
    fn begin(&self, state: &mut State, step: Step, path: &Path) -> io::Result<()> {
        let key = (is_settler(), self.below(path));
        match step {
            Step::SyncObject | Step::SyncSpool => {
                let len = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
                state.begun.insert(key, (len, Vec::new()));
            }
            Step::SyncFolder => {
                let entries = std::fs::read_dir(path).into_iter().flatten();
                let names = entries.map(|entry| Ok(self.below(&entry?.path())));
                let names = names.collect::<io::Result<_>>()?;
                state.begun.insert(key, (0, names));
            }
            Step::RemoveObject | Step::RemoveSpool if path.exists() => {
                state.links += 1;
                let kept = self.limbo.path().join(state.links.to_string());
                std::fs::hard_link(path, &kept)?;
                let safe = state.lens.get(&key.1).copied();
                state.removed.push((key.1, kept, safe));
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&self, state: &mut State, step: Step, path: &Path) {
        let name = self.below(path);
        let begun = state.begun.remove(&(is_settler(), name.clone()));
        match (step, begun) {
            (Step::SyncObject | Step::SyncSpool, Some((len, _names))) => {
                state.lens.insert(name, len);
            }
            (Step::SyncFolder, Some((_len, names))) => {
                state.names.extend(names);
                state.removed.retain(|(removed, ..)| {
                    let folder = removed.parent().unwrap();
                    // With its folder a file is gone as well.
                    let went_along = folder.starts_with(&name) && !self.root.join(folder).exists();
                    folder != name && !went_along
                });
            }
            (Step::RemoveObject | Step::RemoveSpool, _) => {
                state.names.remove(&name);
                state.lens.remove(&name);
            }
            (Step::CutObject | Step::CutSpool, _) => {
                let len = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
                let safe = state.lens.entry(name);
                safe.and_modify(|safe| *safe = len.min(*safe));
            }
            _ => {}
        }
    }
}

impl Faults for Disk {
    fn before(&self, step: Step, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        if state.is_cut {
            return Err(io::Error::from_raw_os_error(BROKEN));
        }
        match Self::strikes(&mut state) {
            Some(How::Before) => return Err(io::Error::from_raw_os_error(BROKEN)),
            Some(How::Full) => {
                if matches!(step, Step::WriteObject | Step::WriteSpool) {
                    let mut file = std::fs::File::options().append(true).open(path)?;
                    io::Write::write_all(&mut file, &[0xa5; 13])?;
                }
                return Err(io::Error::from_raw_os_error(FULL));
            }
            Some(How::PowerCut) => return Err(self.cut(&mut state)),
            at_end => state.lanes[usize::from(is_settler())].at_end = at_end,
        }
        self.begin(&mut state, step, path)
    }

    fn after(&self, step: Step, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        self.end(&mut state, step, path);
        match state.lanes[usize::from(is_settler())].at_end.take() {
            Some(How::PowerCutAfter) => Err(self.cut(&mut state)),
            Some(_after) => Err(io::Error::from_raw_os_error(BROKEN)),
            None => Ok(()),
        }
    }
}

/// Files and folders below a folder, links not followed.
pub(crate) fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut all_below(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}
