//! Making a backup, beside a running server.
//!
//! Order: the index as of one moment, objects, keys, and at the end the destructions: whatever was
//! destroyed meanwhile is on that list. The statement is put in its place last; until then the folder is
//! the backup that it was before.

use super::format::{DESTROYED_NAME, LIST_NAME, NOTE_NAME, OBJECTS, keys_head, record_head};
use super::sealed::{part_name, parts_of, piece, seal};
use super::verify::Files;
use super::{BackupError, BackupKey, BackupStatement, Created};
use crate::error::Doing;
use crate::keys::KeysError;
use crate::{Archive, ArchiveError, random};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use voicelog_evidence::Digest;
use voicelog_model::{BackupId, Timestamp};
use voicelog_store::{SqliteIndex, StoreError, durable};

/// Name of the setting that says when the archive was last backed up.
const LAST: &str = "backup/last";

fn failed(doing: &'static str, source: StoreError) -> BackupError {
    ArchiveError::Store { doing, source }.into()
}

/// How often the keys are read while somebody changes what wraps them.
const READ_AGAIN: usize = 20;

impl Archive {
    /// Makes a backup in a folder, or brings the one that is there up to date. A plain copy of the index
    /// lies beside the index meanwhile; it is gone afterwards.
    ///
    /// Objects that the folder has whole are not copied again, and what belongs to no living recording is
    /// taken away from it.
    pub fn create_backup(
        &self,
        folder: &Path,
        key: &BackupKey,
        now: Timestamp,
    ) -> Result<Created, BackupError> {
        self.must_be_ours(folder)?;
        self.sequence()?;
        let snapshot = self.index.snapshot().doing("copying the index")?;
        self.fill(folder, snapshot.path(), key, now)
    }

    /// Errors: the folder holds something else than a backup of this archive.
    fn must_be_ours(&self, folder: &Path) -> Result<(), BackupError> {
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
                false => Ok(()),
            };
        }
        let is_ours = |name: &str| name == OBJECTS || name.parse::<BackupId>().is_ok();
        match std::fs::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
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
        Ok(())
    }

    fn fill(
        &self,
        folder: &Path,
        snapshot: &Path,
        key: &BackupKey,
        now: Timestamp,
    ) -> Result<Created, BackupError> {
        let id = BackupId::new(now, random::bytes().map_err(ArchiveError::from)?);
        let own = folder.join(id.to_string());
        durable::create_folder(&own)?;
        let copy = SqliteIndex::open(snapshot)?;
        let log_size = voicelog_store::index::LogRows::log_head(&copy)?.size;
        let mut files = Files::default();
        let sums = self.copy_objects((folder, id), &copy, &mut files)?;
        drop(copy);

        let mut index = File::open(snapshot).map_err(StoreError::io("read", "the copy"))?;
        let index_bytes = index
            .metadata()
            .map_err(StoreError::io("look at", "the copy"))?
            .len();
        let index_parts = parts_of(index_bytes);
        write_parts(
            &mut index,
            (&own, "index", index_parts),
            (key, id),
            &mut files,
        )?;
        let keys = self.all_keys()?;
        let key_parts = parts_of(keys.len() as u64);
        write_parts(
            &mut keys.as_slice(),
            (&own, "keys", key_parts),
            (key, id),
            &mut files,
        )?;
        let (list, _report) = self.destroyed_list(log_size, now)?;
        write_file(&own, id, DESTROYED_NAME, &list, &mut files)?;

        let listed = files.to_text();
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
        self.index
            .set_setting(LAST, now.to_string().as_bytes())
            .doing("noting the backup")?;
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

    /// When the archive was last backed up, as far as it knows.
    pub fn last_backup(&self) -> Result<Option<Timestamp>, ArchiveError> {
        let kept = self.index.setting(LAST).doing("reading a setting")?;
        let text = kept.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(text.and_then(|text| text.parse().ok()))
    }
}

fn write_parts(
    plain: &mut impl Read,
    (own, part, count): (&Path, &str, u32),
    (key, id): (&BackupKey, BackupId),
    files: &mut Files,
) -> Result<(), BackupError> {
    for number in 1..=count {
        let bytes = piece(plain).map_err(StoreError::io("read", part))?;
        let sealed = seal(key, id, part, (number, count), &bytes)?;
        write_file(own, id, &part_name(part, number), &sealed, files)?;
    }
    Ok(())
}

fn write_file(
    own: &Path,
    id: BackupId,
    name: &str,
    bytes: &[u8],
    files: &mut Files,
) -> Result<(), BackupError> {
    durable::create(&own.join(name), bytes)?;
    files.add(format!("{id}/{name}"), Digest::of(bytes));
    Ok(())
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
            std::fs::remove_dir_all(entry.path())
                .map_err(StoreError::io("remove", place(&entry.path())))?;
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
        let is_living = entry
            .file_name()
            .to_str()
            .is_some_and(|id| living.contains(id));
        for file in list(&entry.path())? {
            let name = format!(
                "{OBJECTS}/rec/{}/{}",
                entry.file_name().to_string_lossy(),
                file.file_name().to_string_lossy()
            );
            if files.get(&name).is_none() {
                durable::remove(&file.path())?;
                removed += 1;
            }
        }
        if !is_living {
            std::fs::remove_dir(entry.path())
                .map_err(StoreError::io("remove", place(&entry.path())))?;
        }
    }
    durable::sync_folder(&recordings)?;
    durable::sync_folder(folder)?;
    Ok(removed)
}
