//! An archive made again from a backup, in an empty folder.
//!
//! The lists of destructions come first: no object and no key of what is on them is written at all, and
//! their rows become tombstones before anybody can open the archive.

use super::catching_up::{catch_up, continuation, must_agree};
use super::format::{OBJECTS, record_name};
use super::{Backup, BackupError, BackupKey, DestroyedList};
use crate::error::Doing;
use crate::{Archive, ArchiveError, random};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::key::owner_of_key;
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::{BackupId, RecordingId, Scope, Timestamp};
use voicelog_store::index::State;
use voicelog_store::{
    ArchiveId, Blobs, FileBlobs, FileKeys, Index as _, Keys, Layout, SqliteIndex, StoreError,
    adopt_copy, blobs, durable,
};

/// How messages call the checkpoint that somebody else kept.
const KNOWN: &str = "the checkpoint that was given";

/// What an archive is made again from.
#[derive(Debug)]
pub struct RestoreInput {
    /// The backup.
    pub backup: Backup,
    /// Lists of destructions that are newer than the backup.
    pub lists: Vec<DestroyedList>,
    /// A checkpoint of this archive that somebody else kept.
    pub known: Option<Checkpoint>,
    /// Go on although entries of the log that somebody has seen are lost.
    pub accept_lost_entries: bool,
}

/// What was written.
#[derive(Debug, Default)]
pub struct Unpacked {
    /// Objects.
    pub objects: u64,
    /// Wrapped keys.
    pub keys: u64,
    /// Objects and keys of destroyed recordings that the backup holds, and that were left where they are.
    pub left_out: u64,
    /// Objects that the backup does not hold as it says, and that were left where they are.
    pub damaged: Vec<BackupError>,
}

/// What the lists say was destroyed, and how much of it.
struct Gone(BTreeSet<(RecordingId, Scope)>);

impl Gone {
    /// Whether a key, by its name in the store, must not come back.
    fn is_key(&self, name: RecordingId) -> bool {
        match owner_of_key(name) {
            (id, true) => self.is_sound(id),
            (id, false) => self.0.contains(&(id, Scope::Whole)),
        }
    }

    /// Whether the objects of a recording, which hold its sound, must not come back.
    fn is_sound(&self, id: RecordingId) -> bool {
        [Scope::Whole, Scope::Sound]
            .into_iter()
            .any(|scope| self.0.contains(&(id, scope)))
    }
}

/// What the archive that was made again is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Recordings whose destruction had begun and could not be completed, each with why. The next start goes on with it.
    pub unfinished: Vec<(RecordingId, String)>,
    /// Recordings that the backup did not know as destroyed and that are tombstones now, and those that are without
    /// their sound.
    pub buried: u64,
    /// Holds that were placed after the backup, and stand again.
    pub holds: u64,
    /// Entries of the log that the lists brought and the backup did not have.
    pub caught_up: u64,
    /// Entries of the log, without the one that says that it was restored.
    pub log_size: u64,
    /// Entries that somebody has seen and that are lost.
    pub lost: u64,
}

/// What the leaf that says so commits to.
#[derive(Serialize)]
struct Statement {
    backup: BackupId,
    made_at: Timestamp,
    restored_at: Timestamp,
    log_size: u64,
    lost: u64,
}

impl RestoreInput {
    /// How far the lists bring the log, and how far somebody has seen it. Errors: that is further, and
    /// nobody accepted it.
    fn reach(&self, own: &DestroyedList) -> Result<(u64, u64), BackupError> {
        let mut ranges: Vec<_> = self
            .lists
            .iter()
            .chain([own])
            .map(DestroyedList::report)
            .collect();
        ranges.sort_by_key(|range| range.log_from);
        let mut have = self.backup.statement.log_size;
        for range in &ranges {
            if range.log_from <= have {
                have = have.max(range.log_size);
            }
        }
        let all = self.lists.iter().chain([own]);
        if let Some(from) = all
            .filter_map(DestroyedList::tells_from)
            .find(|from| *from > have)
        {
            return Err(BackupError::Gap { from, have });
        }
        let seen = ranges.iter().map(|range| range.log_size);
        let known = seen
            .chain(self.known.as_ref().map(|known| known.size))
            .max()
            .unwrap_or(0);
        if known > have && !self.accept_lost_entries {
            return Err(BackupError::Behind { known, have });
        }
        Ok((have, known.saturating_sub(have)))
    }

    /// Writes objects, keys and index of the living into a folder that is empty. The index gets its name
    /// in `layout` last; nothing there is an archive before. An object that the backup does not hold as it
    /// says is left out, and named.
    pub fn unpack(&self, layout: &Layout, key: &BackupKey) -> Result<Unpacked, BackupError> {
        self.unpack_through(layout, key, |keys| Box::new(keys), |blobs| Box::new(blobs))
    }

    /// The same through what wraps keys and objects, for tests of what fails.
    #[doc(hidden)]
    pub fn unpack_through(
        &self,
        layout: &Layout,
        key: &BackupKey,
        keys: impl FnOnce(FileKeys) -> Box<dyn Keys>,
        blobs: impl FnOnce(FileBlobs) -> Box<dyn Blobs>,
    ) -> Result<Unpacked, BackupError> {
        let statement = self.backup.statement();
        if statement.epoch != key.epoch {
            return Err(BackupError::Epoch {
                backup: statement.epoch,
                secrets: key.epoch,
            });
        }
        let own = self.backup.destroyed()?;
        self.reach(&own)?;
        let lists = self.lists.iter().chain([&own]);
        let gone = Gone(lists.flat_map(DestroyedList::gone).collect());
        let archive = ArchiveId::from_hex(&statement.store).ok_or_else(|| self.foreign("index"))?;
        let mut unpacked = Unpacked::default();
        // What can be refused comes before what takes long.
        let all_keys = self.backup.all_keys(key)?;
        self.unpack_index(&layout.index, key)?;
        // The backup may be of an older program than this one.
        voicelog_store::migrate(&layout.index, statement.made_at)?;
        let index = SqliteIndex::open(&layout.index)?;
        if index.archive() != archive {
            return Err(self.foreign("index"));
        }
        self.must_be_one_log(&index, &own)?;
        drop(index);
        FileKeys::create_folder(&layout.keys, archive)?;
        let keys = keys(FileKeys::open(&layout.keys)?);
        self.unpack_keys(&*keys, &all_keys, &gone, &mut unpacked)?;
        FileBlobs::create_folder(&layout.blobs, archive)?;
        let blobs = blobs(FileBlobs::open(&layout.blobs, blobs::Options::default())?);
        self.unpack_objects(&*blobs, &gone, &mut unpacked)?;
        drop(blobs);
        Ok(unpacked)
    }

    /// Nothing that was given is of another log than the backup's, as far as that can be told before it is brought up.
    fn must_be_one_log(&self, index: &SqliteIndex, own: &DestroyedList) -> Result<(), BackupError> {
        for list in self.lists.iter().chain([own]) {
            continuation(index, list)?;
        }
        let known = self.known.as_ref();
        known.map_or(Ok(()), |known| must_agree(index, known, KNOWN))
    }

    fn foreign(&self, part: &str) -> BackupError {
        BackupError::Foreign {
            part: self.backup.own(part),
            expected: self.backup.statement.archive.clone(),
        }
    }

    fn unpack_keys(
        &self,
        keys: &dyn Keys,
        mut rest: &[u8],
        gone: &Gone,
        unpacked: &mut Unpacked,
    ) -> Result<(), BackupError> {
        while !rest.is_empty() {
            let (id, wrapped, after) = next_key(rest).ok_or_else(|| self.backup.cut_key())?;
            rest = after;
            if let Some(name) = record_name(id.as_bytes()) {
                keys.swap_record(&name, None, wrapped)?;
                continue;
            }
            if gone.is_key(id) {
                unpacked.left_out += 1;
                continue;
            }
            keys.put(id, wrapped)?;
            unpacked.keys += 1;
        }
        Ok(())
    }

    fn unpack_objects(
        &self,
        blobs: &dyn Blobs,
        gone: &Gone,
        unpacked: &mut Unpacked,
    ) -> Result<(), BackupError> {
        let grown = format!("{}/{OBJECTS}/", self.backup.statement.backup);
        let shared = format!("{OBJECTS}/");
        for name in self.backup.files.names() {
            let object = name.strip_prefix(&shared);
            let Some(object) = object.or_else(|| name.strip_prefix(&grown)) else {
                continue;
            };
            let id = object.split('/').nth(1).and_then(|id| id.parse().ok());
            if id.is_some_and(|id| gone.is_sound(id)) {
                unpacked.left_out += 1;
                continue;
            }
            let bytes = match self.backup.file(name) {
                Ok(bytes) => bytes,
                // The others come back; `check` says that this one is not whole.
                Err(error) => {
                    unpacked.damaged.push(error);
                    continue;
                }
            };
            let blob = blobs.create(object)?;
            blobs.append(blob, &bytes)?;
            blobs.seal(blob)?;
            unpacked.objects += 1;
        }
        blobs.settle()?;
        Ok(())
    }

    fn unpack_index(&self, path: &Path, key: &BackupKey) -> Result<(), BackupError> {
        let io = |error| StoreError::io("write", path.display())(error);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(durable::FILE_MODE)
            .open(path)
            .map_err(io)?;
        let count = self.backup.statement.index_parts;
        for number in 1..=count {
            let plain = self.backup.part(key, "index", (number, count))?;
            file.write_all(&plain).map_err(io)?;
        }
        file.sync_all().map_err(io)?;
        drop(file);
        adopt_copy(path)?;
        if let Some(folder) = path.parent() {
            durable::sync_folder(folder)?;
        }
        Ok(())
    }
}

pub(super) fn next_key(bytes: &[u8]) -> Option<(RecordingId, &[u8], &[u8])> {
    let (id, rest) = bytes.split_first_chunk::<16>()?;
    let (len, rest) = rest.split_first_chunk::<2>()?;
    let (wrapped, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    Some((RecordingId::from_bytes(*id), wrapped, rest))
}

impl Archive {
    /// Makes an archive that was just unpacked fit to be used: brings its log up to what the lists have,
    /// makes the tombstones with their certificates, and puts into the log that it was restored.
    pub fn settle_in(&self, input: &RestoreInput, now: Timestamp) -> Result<Restored, BackupError> {
        let own = input.backup.destroyed()?;
        let mut lists: Vec<&DestroyedList> = input.lists.iter().chain([&own]).collect();
        lists.sort_by_key(|list| list.report().log_from);
        let (_have, lost) = input.reach(&own)?;
        let before = self.log_size()?;
        for list in &lists {
            catch_up(&*self.index, list)?;
        }
        self.check_clock(now)?;
        for list in &lists {
            self.note_lost_accesses(list.log().1)?;
            let leaves = list.log().1.iter();
            let leaves = leaves.filter_map(|leaf| Leaf::from_bytes(&leaf.bytes).ok());
            self.raise_epoch_floor(leaves)?;
        }
        let log_size = self.log_size()?;
        if let Some(known) = &input.known {
            must_agree(&*self.index, known, KNOWN)?;
        }
        let mut buried = 0;
        for list in &lists {
            let burials = list.burials();
            buried += self.index.bury(&burials).doing("making tombstones")?;
        }
        // After those with their papers: what is left is told by the log alone.
        let mut holds = 0;
        for list in &lists {
            let named = list.destroyed_leaves();
            buried += self.index.bury_named(&named).doing("making tombstones")?;
            let again = self.index.hold_again(&list.holds());
            holds += again.doing("placing holds again")?;
        }
        self.forget_what_is_left(&lists)?;
        self.index.end_what_ran().doing("ending what ran")?;
        let statement = canonical_json(&Statement {
            backup: input.backup.statement.backup,
            made_at: input.backup.statement.made_at,
            restored_at: now,
            log_size,
            lost,
        })?;
        let salt = random::bytes().map_err(ArchiveError::from)?;
        let object = input.backup.statement.backup.to_string();
        let leaf = self.leaf(LeafKind::Restored, &object, &salt, &sha256(&statement), now)?;
        self.index
            .queue_leaf(&leaf)
            .doing("logging the restoring")?;
        self.sequence()?;
        let mut unfinished = Vec::new();
        for continued in self.continue_destructions(now)? {
            if let Err(error) = continued.outcome {
                let why = voicelog_model::error::chain(&error).to_string();
                unfinished.push((continued.id, why));
            }
        }
        // Where nothing works any more it was not the one recording.
        self.sequence()?;
        Ok(Restored {
            unfinished,
            buried,
            holds,
            caught_up: log_size.saturating_sub(before),
            log_size,
            lost,
        })
    }

    /// Of a call that ran when the backup was made, and whose sound went since, nothing is left but a tombstone: its
    /// data key goes as well.
    fn forget_what_is_left(&self, lists: &[&DestroyedList]) -> Result<(), ArchiveError> {
        let gone = lists.iter().flat_map(|list| list.gone());
        for (id, _sound) in gone.filter(|(_id, scope)| *scope == Scope::Sound) {
            let row = self.index.recording(id).doing("reading the index")?;
            if row.is_some_and(|row| row.state == State::Destroyed) {
                self.keys.destroy(id).doing("destroying the keys")?;
            }
        }
        Ok(())
    }
}
