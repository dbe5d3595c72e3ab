//! Looking at a backup: is every file what the signed list says?

use super::format::{DESTROYED_NAME, LIST_NAME, NOTE_NAME};
use super::{BackupError, BackupStatement, DestroyedList};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};
use voicelog_evidence::Digest;
use voicelog_evidence::note::{NOTE_BYTES_MAX, VerifierKey};
use voicelog_store::StoreError;

/// Bytes of one file that are read at most: an object of the store is no longer.
const FILE_BYTES_MAX: u64 = 128 << 20;

/// Bytes of a list of destructions that are read at most.
const LIST_BYTES_MAX: u64 = 4 << 30;

/// The files of a backup, by name; in text as `sha256sum` writes and checks them.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<String, Digest>);

impl Files {
    pub(super) fn add(&mut self, name: String, sha256: Digest) {
        self.0.insert(name, sha256);
    }

    pub(super) fn get(&self, name: &str) -> Option<Digest> {
        self.0.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, sha256) in &self.0 {
            // Writing to a `String` can't fail.
            let _written = writeln!(text, "{}  {name}", sha256.to_hex());
        }
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut files = Self::default();
        for line in text.lines() {
            let (sha256, name) = line.split_once("  ")?;
            let mut steps = Path::new(name).components();
            // A list that was signed names no file outside; it is not believed all the same.
            if name.is_empty() || !steps.all(|step| matches!(step, Component::Normal(_))) {
                return None;
            }
            files.add(name.to_owned(), Digest::from_hex(sha256).ok()?);
        }
        Some(files)
    }
}

fn damaged(file: &str, why: &str) -> BackupError {
    BackupError::Damaged {
        file: file.to_owned(),
        why: why.to_owned(),
    }
}

/// Reads a file of a backup, no more of it than may be.
pub(super) fn read(folder: &Path, name: &str, limit: u64) -> Result<Vec<u8>, BackupError> {
    let file = match std::fs::File::open(folder.join(name)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(damaged(name, "it is missing"));
        }
        Err(error) => return Err(StoreError::io("open", name)(error).into()),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(StoreError::io("read", name))?;
    if bytes.len() as u64 > limit {
        return Err(damaged(name, "it is longer than it may be"));
    }
    Ok(bytes)
}

/// Reads the list of files, and holds it against the statement.
pub(super) fn read_files(folder: &Path, statement: &BackupStatement) -> Result<Files, BackupError> {
    let name = format!("{}/{LIST_NAME}", statement.backup);
    let bytes = read(folder, &name, LIST_BYTES_MAX)?;
    if Digest::of(&bytes) != statement.list_sha256 {
        return Err(damaged(
            &name,
            "it has another hash than the statement says",
        ));
    }
    let text = String::from_utf8(bytes).map_err(|_text| damaged(&name, "it is no text"))?;
    Files::parse(&text).ok_or_else(|| damaged(&name, "a line of it cannot be read"))
}

/// A backup that is signed by the archive and whose list is whole. Its files are looked at as they are
/// read.
#[derive(Debug)]
pub struct Backup {
    pub(super) folder: PathBuf,
    pub(super) statement: BackupStatement,
    pub(super) files: Files,
    pub(super) key: VerifierKey,
}

/// What a backup was found to be.
#[derive(Debug)]
pub struct Verified {
    /// Files that are what the list says.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Every file that is not, and why.
    pub wrong: Vec<BackupError>,
}

impl Backup {
    /// Opens a backup. Errors: it is none, of a version that is not known here, of another archive, or its
    /// statement or list was changed.
    pub fn open(folder: &Path, key: &VerifierKey) -> Result<Self, BackupError> {
        let limit = NOTE_BYTES_MAX as u64;
        if !folder.join(NOTE_NAME).exists() {
            return Err(damaged(
                NOTE_NAME,
                "it is missing: this folder holds no backup",
            ));
        }
        let statement = BackupStatement::verify(&read(folder, NOTE_NAME, limit)?, key)?;
        let files = read_files(folder, &statement)?;
        Ok(Self {
            folder: folder.to_owned(),
            statement,
            files,
            key: key.clone(),
        })
    }

    /// What it says of itself.
    #[must_use]
    pub const fn statement(&self) -> &BackupStatement {
        &self.statement
    }

    /// The name of one of its own files.
    pub(super) fn own(&self, name: &str) -> String {
        format!("{}/{name}", self.statement.backup)
    }

    /// A file, whole and unchanged.
    pub(super) fn file(&self, name: &str) -> Result<Vec<u8>, BackupError> {
        let listed = self.files.get(name);
        let listed = listed.ok_or_else(|| damaged(name, "the list does not have it"))?;
        let limit = if name == self.own(DESTROYED_NAME) {
            LIST_BYTES_MAX
        } else {
            FILE_BYTES_MAX
        };
        let bytes = read(&self.folder, name, limit)?;
        if Digest::of(&bytes) != listed {
            return Err(damaged(name, "it has another hash than the list says"));
        }
        Ok(bytes)
    }

    /// The list of destructions that came with it.
    pub(super) fn destroyed(&self) -> Result<DestroyedList, BackupError> {
        let name = self.own(DESTROYED_NAME);
        DestroyedList::read(&self.file(&name)?, &self.key, Some(&name))
    }

    /// Reads every file. What is wrong is told, each file by its name.
    pub fn verify(&self) -> Verified {
        let mut found = Verified {
            files: 0,
            bytes: 0,
            wrong: Vec::new(),
        };
        for name in self.files.names() {
            match self.file(name) {
                Ok(whole) => {
                    found.files += 1;
                    found.bytes += whole.len() as u64;
                }
                Err(error) => found.wrong.push(error),
            }
        }
        if let Err(error) = self.destroyed()
            && found.wrong.is_empty()
        {
            found.wrong.push(error);
        }
        found
    }
}
