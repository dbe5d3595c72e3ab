//! Making a backup, beside a running server.
//!
//! Order: the index as of one moment, sealed at once, since nothing can be destroyed while its plain copy is there; then
//! objects, keys, and at the end the destructions: whatever was destroyed meanwhile is on that list. The statement is put in
//! its place last; until then the folder is the backup that it was before.

use super::format::{DESTROYED_NAME, LIST_NAME, NOTE_NAME, OBJECTS, keys_head, record_head};
use super::sealed::{part_name, parts_of, piece, seal};
use super::verify::{Files, read_files};
use super::{BackupError, BackupKey, BackupStatement, Created};
use crate::error::Doing;
use crate::keys::KeysError;
use crate::{Archive, ArchiveError, random};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use voicelog_evidence::Digest;
use voicelog_model::{BackupId, RecordingId, Timestamp};
use voicelog_store::index::{RecordingFilter, Recordings as _, State};
use voicelog_store::{Snapshot, SqliteIndex, StoreError, durable};

/// Name of the setting that says when the archive was last backed up.
const LAST: &str = "backup/last";
/// Name of the setting with the folders that backups were made in, one on each line, the last one first.
const FOLDERS: &str = "backup/folders";
/// Folders that are remembered.
const FOLDERS_MAX: usize = 16;
/// What is needed besides the index and the objects: keys, lists, the tables of a file system.
const ROOM_BESIDES: u64 = 16 << 20;
/// What systems put into folders by themselves, besides hidden files.
const FOREIGN: [&str; 5] = [
    "$RECYCLE.BIN",
    "System Volume Information",
    "Thumbs.db",
    "desktop.ini",
    "lost+found",
];

fn failed(doing: &'static str, source: StoreError) -> BackupError {
    ArchiveError::Store { doing, source }.into()
}

/// Rows read from the copy of the index at a time.
const PAGE_ROWS: usize = 500;
/// How often the keys are read while somebody changes what wraps them.
const READ_AGAIN: usize = 20;

impl Archive {
    /// Makes a backup in a folder, or brings the one that is there up to date. A plain copy of the index
    /// lies beside the index meanwhile; it is gone afterwards.
    ///
    /// Objects that the folder has are not copied again, and what belongs to no living recording is
    /// taken away from it. What a backup of before wrote there is known by its length; reading it is what
    /// [`Backup::verify`](super::Backup::verify) is for.
    pub fn create_backup(
        &self,
        folder: &Path,
        key: &BackupKey,
        now: Timestamp,
    ) -> Result<Created, BackupError> {
        self.prepare_backup(folder)?.create(key, now)
    }

    /// The first half of it, which writes nothing into the folder: copies the index. Until the other half, or until it is
    /// dropped, nothing can be destroyed.
    ///
    /// Errors: the folder holds something else, or a newer backup; there is too little room.
    pub fn prepare_backup<'a>(&'a self, folder: &'a Path) -> Result<Prepared<'a>, BackupError> {
        let former = self.former(folder)?;
        self.sequence()?;
        let snapshot = self.index.snapshot().doing("copying the index")?;
        let copy = SqliteIndex::open(snapshot.path())?;
        let log_size = voicelog_store::index::LogRows::log_head(&copy)?.size;
        let living = Living::read(&copy, folder)?;
        drop(copy);
        must_fit(folder, snapshot.path(), &living)?;
        Ok(Prepared {
            archive: self,
            folder,
            former,
            snapshot,
            log_size,
            living,
        })
    }

    /// The files of the backup that is there. Errors: the folder holds something else than a backup of this archive.
    fn former(&self, folder: &Path) -> Result<Option<Files>, BackupError> {
        let place = folder.display().to_string();
        let note = folder.join(NOTE_NAME);
        if note.exists() {
            let bytes = std::fs::read(&note).map_err(StoreError::io("read", NOTE_NAME))?;
            let there = BackupStatement::verify(&bytes, &self.secrets.signing_key.verifier())?;
            let archive = self.log_size()?;
            let backup = there.log_size;
            return match backup > archive {
                true => Err(BackupError::Newer {
                    place,
                    backup,
                    archive,
                }),
                // Without its list, each file is read.
                false => Ok(read_files(folder, &there).ok()),
            };
        }
        let is_ours =
            |name: &str| name == OBJECTS || name.parse::<BackupId>().is_ok() || is_foreign(name);
        match std::fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io("list", &place)(error).into()),
            // A first backup that was cut off leaves its parts without the statement.
            Ok(entries) => {
                for entry in entries {
                    let entry = entry.map_err(StoreError::io("list", &place))?;
                    if !entry.file_name().to_str().is_some_and(is_ours) {
                        return Err(BackupError::NotABackup(place));
                    }
                }
            }
        }
        Ok(None)
    }

    fn fill(
        &self,
        mut draft: Draft<'_>,
        (index_parts, log_size): (u32, u64),
        (living, former): (&Living, Option<&Files>),
        now: Timestamp,
    ) -> Result<Created, BackupError> {
        let (folder, id) = (draft.folder, draft.id);
        let sums = self.copy_objects((folder, id), &living.ids, former, &mut draft.files)?;
        let keys = self.all_keys()?;
        let key_parts = parts_of(keys.len() as u64);
        draft.write_parts(&mut keys.as_slice(), "keys", key_parts)?;
        let (list, _report) = self.destroyed_list(log_size, now)?;
        draft.write_file(DESTROYED_NAME, &list)?;
        let Draft {
            own, key, files, ..
        } = draft;
        let listed = files.to_text();
        // A backup that was cut off may have made folders there, and not have come to sync their names.
        let recordings = folder.join(OBJECTS).join("rec");
        for made in [recordings.as_path(), &folder.join(OBJECTS), folder] {
            if made.is_dir() {
                durable::sync_folder(made)?;
            }
        }
        durable::create(&own.join(LIST_NAME), listed.as_bytes())?;
        let statement = BackupStatement {
            version: BackupStatement::VERSION,
            archive: self.origin.clone(),
            store: self.index.archive().to_string(),
            backup: id,
            made_at: now,
            epoch: key.epoch,
            log_size,
            objects: sums.copied + sums.kept,
            object_bytes: sums.bytes,
            index_parts,
            key_parts,
            list_sha256: Digest::of(listed.as_bytes()),
        };
        let signed = statement.sign(&self.secrets.signing_key)?;
        durable::replace(&folder.join(NOTE_NAME), signed.as_bytes())?;
        let removed = tidy(folder, id, &files)?;
        self.note_backup(folder, now)?;
        Ok(Created {
            statement,
            copied: sums.copied,
            kept: sums.kept,
            damaged: sums.damaged,
            removed,
        })
    }

    /// Every wrapped key: id (16 bytes), length (2 bytes, big-endian), the wrapped key. Then every record about the keys
    /// that wrap them, with its name, filled up with zeros, in the place of the id.
    ///
    /// Whoever changes the epochs meanwhile moves keys from one to another: then they are read again, so that none is
    /// there without what opens it.
    fn all_keys(&self) -> Result<Vec<u8>, BackupError> {
        let _turn = self.keys.turn("voicelog backup create", true)?;
        for _try in 0..READ_AGAIN {
            let before = self.key_records()?;
            let data_keys = self.data_keys()?;
            if self.key_records()? == before {
                return Ok([keys_head(), data_keys, before].concat());
            }
        }
        Err(ArchiveError::from(KeysError::Busy).into())
    }

    fn data_keys(&self) -> Result<Vec<u8>, BackupError> {
        let mut all = Vec::new();
        for id in self.keys.list().doing("listing keys")? {
            let wrapped = match self.keys.get(id) {
                Ok(wrapped) => wrapped,
                Err(StoreError::NotFound { .. }) => continue,
                Err(error) => return Err(failed("reading a key", error)),
            };
            let Ok(len) = u16::try_from(wrapped.len()) else {
                let what = format!("the key of {id}");
                return Err(ArchiveError::Corrupt { what }.into());
            };
            all.extend_from_slice(id.as_bytes());
            all.extend_from_slice(&len.to_be_bytes());
            all.extend_from_slice(&wrapped);
        }
        Ok(all)
    }

    fn key_records(&self) -> Result<Vec<u8>, BackupError> {
        let mut all = Vec::new();
        for name in self.keys.records().doing("listing the keys of epochs")? {
            let record = match self.keys.record(&name) {
                Err(StoreError::NotFound { .. }) => continue,
                other => other.doing("reading the key of an epoch")?,
            };
            let (Some(head), Ok(len)) = (record_head(&name), u16::try_from(record.len())) else {
                return Err(ArchiveError::Corrupt { what: name }.into());
            };
            all.extend_from_slice(&head);
            all.extend_from_slice(&len.to_be_bytes());
            all.extend_from_slice(&record);
        }
        Ok(all)
    }

    /// Notes that a backup was made: of the moment at which it was begun.
    fn note_backup(&self, folder: &Path, now: Timestamp) -> Result<(), ArchiveError> {
        let here = absolute(folder);
        let mut folders = self.backup_folders()?;
        folders.retain(|known| *known != here);
        folders.insert(0, here);
        folders.truncate(FOLDERS_MAX);
        self.index
            .set_settings(&[
                (LAST.to_owned(), now.to_string().into_bytes()),
                (FOLDERS.to_owned(), folders.join("\n").into_bytes()),
            ])
            .doing("noting the backup")
    }

    fn backup_folders(&self) -> Result<Vec<String>, ArchiveError> {
        let kept = self.index.setting(FOLDERS).doing("reading a setting")?;
        let text = kept.and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.unwrap_or_default();
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Whether a backup was made in this folder, and there is none any more: as where a disk is not mounted.
    pub fn backup_vanished(&self, folder: &Path) -> Result<bool, ArchiveError> {
        let is_known = self.backup_folders()?.contains(&absolute(folder));
        Ok(is_known && !folder.join(NOTE_NAME).exists())
    }

    /// When the newest backup was begun, as far as the archive knows.
    pub fn last_backup(&self) -> Result<Option<Timestamp>, ArchiveError> {
        let kept = self.index.setting(LAST).doing("reading a setting")?;
        let text = kept.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(text.and_then(|text| text.parse().ok()))
    }
}

/// A backup that can be made: the folder is one for it, and there is room.
#[derive(Debug)]
pub struct Prepared<'a> {
    archive: &'a Archive,
    folder: &'a Path,
    former: Option<Files>,
    snapshot: Snapshot,
    log_size: u64,
    living: Living,
}

impl Prepared<'_> {
    /// Makes it.
    pub fn create(self, key: &BackupKey, now: Timestamp) -> Result<Created, BackupError> {
        let folder = self.folder;
        let id = BackupId::new(now, random::bytes().map_err(ArchiveError::from)?);
        let mut draft = Draft {
            folder,
            own: folder.join(id.to_string()),
            id,
            key,
            files: Files::default(),
        };
        durable::create_folder(&draft.own)?;
        let index_parts = draft.write_index(self.snapshot.path())?;
        // From here on recordings can be destroyed again.
        drop(self.snapshot);
        self.archive.fill(
            draft,
            (index_parts, self.log_size),
            (&self.living, self.former.as_ref()),
            now,
        )
    }
}

/// What lives in the copy of the index.
#[derive(Debug)]
pub(super) struct Living {
    ids: Vec<RecordingId>,
    /// Bytes of sealed recordings of which the folder has nothing.
    new_bytes: u64,
}

impl Living {
    fn read(copy: &SqliteIndex, folder: &Path) -> Result<Self, BackupError> {
        let mut living = Self {
            ids: Vec::new(),
            new_bytes: 0,
        };
        let recordings = folder.join(OBJECTS).join("rec");
        let mut after = None;
        loop {
            let page = copy.list_recordings(&RecordingFilter::default(), after, PAGE_ROWS)?;
            for row in &page.rows {
                if matches!(row.state, State::Destroying | State::Destroyed) {
                    continue;
                }
                living.ids.push(row.id);
                if !recordings.join(row.id.to_string()).exists() {
                    living.new_bytes += row.byte_count.unwrap_or(0);
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(living);
            }
        }
    }
}

/// Errors: there is less room than the backup will need. Calls in progress are not counted.
fn must_fit(folder: &Path, snapshot: &Path, living: &Living) -> Result<(), BackupError> {
    let index = std::fs::metadata(snapshot).map_err(StoreError::io("look at", "the copy"))?;
    let needed = index.len() + living.new_bytes + ROOM_BESIDES;
    let free = durable::free_bytes(folder)?;
    if free < needed {
        let place = folder.display().to_string();
        return Err(BackupError::NoRoom {
            place,
            needed,
            free,
        });
    }
    Ok(())
}

fn absolute(folder: &Path) -> String {
    let path = std::path::absolute(folder).unwrap_or_else(|_error| folder.to_owned());
    path.to_string_lossy().into_owned()
}

/// Whether a name is none of ours, and of what systems put there by themselves.
fn is_foreign(name: &str) -> bool {
    name.starts_with('.') || FOREIGN.contains(&name)
}

/// A backup that is being made.
struct Draft<'a> {
    folder: &'a Path,
    /// The folder of its own files.
    own: PathBuf,
    id: BackupId,
    key: &'a BackupKey,
    files: Files,
}

impl Draft<'_> {
    /// Seals the copy of the index. Tells in how many parts.
    fn write_index(&mut self, snapshot: &Path) -> Result<u32, BackupError> {
        let mut index = File::open(snapshot).map_err(StoreError::io("read", "the copy"))?;
        let metadata = index.metadata();
        let metadata = metadata.map_err(StoreError::io("look at", "the copy"))?;
        let parts = parts_of(metadata.len());
        self.write_parts(&mut index, "index", parts)?;
        Ok(parts)
    }

    fn write_parts(
        &mut self,
        plain: &mut impl Read,
        part: &str,
        count: u32,
    ) -> Result<(), BackupError> {
        for number in 1..=count {
            let bytes = piece(plain).map_err(StoreError::io("read", part))?;
            let sealed = seal(self.key, self.id, part, (number, count), &bytes)?;
            self.write_file(&part_name(part, number), &sealed)?;
        }
        Ok(())
    }

    fn write_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
        durable::create(&self.own.join(name), bytes)?;
        let path = format!("{}/{name}", self.id);
        self.files.add(path, Digest::of(bytes));
        Ok(())
    }
}

/// How many files there are in a folder and those below it.
fn files_in(folder: &Path) -> Result<u64, BackupError> {
    let mut count = 0;
    let io = |error| StoreError::io("list", folder.display())(error);
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        count += match entry.file_type().map_err(io)?.is_dir() {
            true => files_in(&entry.path())?,
            false => 1,
        };
    }
    Ok(count)
}

/// Takes away what belongs to former backups and to recordings that are gone. Tells how many files.
fn tidy(folder: &Path, own: BackupId, files: &Files) -> Result<u64, BackupError> {
    let mut removed = 0;
    let place = |path: &Path| path.display().to_string();
    let list = |path: &Path| -> Result<Vec<_>, BackupError> {
        let entries = std::fs::read_dir(path).map_err(StoreError::io("list", place(path)))?;
        let entries: Result<Vec<_>, _> = entries.collect();
        Ok(entries.map_err(StoreError::io("list", place(path)))?)
    };
    for entry in list(folder)? {
        let name = entry.file_name();
        let former = name.to_str().and_then(|name| name.parse::<BackupId>().ok());
        if former.is_some_and(|former| former != own) {
            removed += files_in(&entry.path())?;
            durable::remove_folder(&entry.path())?;
        }
    }
    let recordings = folder.join(OBJECTS).join("rec");
    if !recordings.exists() {
        return Ok(removed);
    }
    let living: BTreeSet<&str> = files
        .names()
        .filter_map(|name| name.split('/').nth(2))
        .collect();
    for entry in list(&recordings)? {
        // Whatever has another name is not ours to take away.
        let name = entry.file_name();
        let Some(id) = name.to_str().filter(|id| id.parse::<RecordingId>().is_ok()) else {
            continue;
        };
        for file in list(&entry.path())? {
            let name = file.file_name();
            let name = name.to_string_lossy();
            let is_listed = files.get(&format!("{OBJECTS}/rec/{id}/{name}")).is_some();
            // One that was cut off while it was written lies under a hidden name.
            let of = durable::unhidden(&name).unwrap_or(&name);
            if !is_listed && of.ends_with(".seg") {
                durable::remove(&file.path())?;
                removed += 1;
            }
        }
        // One in which something foreign lies stays.
        if !living.contains(id) {
            durable::remove_empty_folder(&entry.path())?;
        }
    }
    durable::sync_folder(&recordings)?;
    durable::sync_folder(folder)?;
    Ok(removed)
}
