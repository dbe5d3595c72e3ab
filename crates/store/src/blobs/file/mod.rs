//! Objects as files, made durable together through one shared spool.
//!
//! ```text
//! meta                        which archive this is
//! objects/<key>               one file per object
//! spool/lock                  held by the one process that writes
//! spool/<generation>.spool    what was appended lately, to all objects
//! ```
//!
//! The design, and why a crash at any step is harmless: `design/store.md`.

mod disk;
mod names;
mod replay;
mod settle;
mod spool;
mod walk;
mod writer;

pub use disk::{Faults, Step};
pub use replay::{Recovered, RecoveredObject};

use super::{BlobEntry, BlobId, Blobs, OBJECT_BYTES_MAX, Unknown, check_key};
use crate::{ArchiveId, StoreError, folder};
use disk::Disk;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use writer::Writer;

/// What the folder's mark says it holds.
const PART: &str = "blobs";

/// How objects are written.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes after which a spool is closed and a new one begun.
    pub spool_bytes_max: u64,
    /// Objects in one spool after which a new one is begun. Each of them is an open file until
    /// the spool is gone.
    pub spool_objects_max: usize,
    /// Stands between the store and the disk; for tests.
    pub faults: Option<Arc<dyn Faults>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            spool_bytes_max: 256 << 20,
            spool_objects_max: 4_096,
            faults: None,
        }
    }
}

/// Objects in a folder. See the module's documentation.
///
/// Dropping it settles everything, as [`Blobs::settle`] does.
#[derive(Debug)]
pub struct FileBlobs {
    root: PathBuf,
    objects: PathBuf,
    archive: ArchiveId,
    disk: Disk,
    recovered: Recovered,
    /// None where the folder is open for reading only.
    writer: Option<Writer>,
}

impl FileBlobs {
    /// Makes the folder of a new archive.
    pub fn create_folder(root: &Path, archive: ArchiveId) -> Result<(), StoreError> {
        crate::durable::create_folder(&root.join("objects"))?;
        crate::durable::create_folder(&root.join("spool"))?;
        folder::mark(root, PART, archive)
    }

    /// The archive whose objects lie in a folder.
    pub fn archive_of(root: &Path) -> Result<ArchiveId, StoreError> {
        folder::read_mark(root, PART)
    }

    /// Opens the folder for writing and recovers what a crash left: see [`Self::recovered`].
    ///
    /// Errors: [`StoreError::Locked`] if another process writes here; no room to recover, and
    /// then the spools stay for the next try.
    pub fn open(root: &Path, options: Options) -> Result<Self, StoreError> {
        let mut blobs = Self::open_for_reading(root)?;
        blobs.disk.faults.clone_from(&options.faults);
        let (writer, recovered) = Writer::open(root, &blobs.disk, options)?;
        blobs.recovered = recovered;
        blobs.writer = Some(writer);
        Ok(blobs)
    }

    /// Opens the folder for reading, next to a process that writes. Nothing is recovered: after
    /// a crash, and until a process opens it for writing, objects may be shorter than was
    /// committed.
    pub fn open_for_reading(root: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            root: root.to_path_buf(),
            objects: root.join("objects"),
            archive: Self::archive_of(root)?,
            disk: Disk::default(),
            recovered: Recovered::default(),
            writer: None,
        })
    }

    /// The archive whose objects these are.
    #[must_use]
    pub const fn archive(&self) -> ArchiveId {
        self.archive
    }

    /// What opening found to recover.
    #[must_use]
    pub const fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        let writer = self.writer.as_ref().filter(|writer| !writer.is_abandoned());
        writer.ok_or_else(|| StoreError::ReadOnly {
            place: self.root.display().to_string(),
        })
    }

    /// Opens an object's file for reading and tells its length.
    fn open_object(&self, key: &str) -> Result<(File, u64), StoreError> {
        check_key(key)?;
        let failed = |error| StoreError::io("read", key)(error);
        match File::open(self.objects.join(key)) {
            Ok(file) => {
                let metadata = file.metadata().map_err(failed)?;
                if metadata.is_file() {
                    return Ok((file, metadata.len()));
                }
                Err(StoreError::NotFound {
                    noun: "object",
                    id: key.to_owned(),
                })
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Err(StoreError::NotFound {
                    noun: "object",
                    id: key.to_owned(),
                })
            }
            Err(error) => Err(failed(error)),
        }
    }
}

impl Blobs for FileBlobs {
    fn create(&self, key: &str) -> Result<BlobId, StoreError> {
        self.writer()?.create(key)
    }

    fn append(&self, blob: BlobId, bytes: &[u8]) -> Result<u64, StoreError> {
        self.writer()?.append(blob, bytes)
    }

    fn commit(&self) -> Result<(), StoreError> {
        self.writer()?.commit()
    }

    fn seal(&self, blob: BlobId) -> Result<u64, StoreError> {
        self.writer()?.seal(blob)
    }

    fn read(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let (file, len) = self.open_object(key)?;
        if len > OBJECT_BYTES_MAX {
            return Err(StoreError::corrupt(
                format!("object `{key}`"),
                "it is too long",
            ));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
        file.take(OBJECT_BYTES_MAX)
            .read_to_end(&mut bytes)
            .map_err(StoreError::io("read", key))?;
        Ok(bytes)
    }

    fn read_part(&self, key: &str, at: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        let (mut file, whole) = self.open_object(key)?;
        let failed = |error| StoreError::io("read", key)(error);
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        let left = usize::try_from(whole.saturating_sub(at)).unwrap_or(usize::MAX);
        let len = len.min(left);
        let mut bytes = Vec::with_capacity(len);
        file.take(len as u64)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        Ok(bytes)
    }

    fn len(&self, key: &str) -> Result<u64, StoreError> {
        self.open_object(key).map(|(_, len)| len)
    }

    fn list(&self, prefix: &str) -> Result<Vec<BlobEntry>, StoreError> {
        walk::list(&self.objects, prefix)
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.writer()?.delete_all(&[key.to_owned()])
    }

    fn delete_all(&self, keys: &[String]) -> Result<(), StoreError> {
        self.writer()?.delete_all(keys)
    }

    fn truncate(&self, key: &str, len: u64) -> Result<(), StoreError> {
        self.writer()?.truncate(key, len)
    }

    fn promised_len(&self, key: &str) -> Option<u64> {
        let objects = &self.recovered.objects;
        let found = objects.iter().find(|object| object.key == key);
        found.map(|object| object.promised_len)
    }

    fn free_bytes(&self) -> Result<u64, StoreError> {
        crate::durable::free_bytes(&self.root)
    }

    fn list_unknown(&self, is_known: &dyn Fn(&str) -> bool) -> Result<Vec<Unknown>, StoreError> {
        walk::list_unknown(&self.root, is_known)
    }

    fn settle(&self) -> Result<(), StoreError> {
        match &self.writer {
            None => Ok(()),
            Some(_) => self.writer()?.settle(),
        }
    }

    fn trouble(&self) -> Option<String> {
        self.writer.as_ref().and_then(Writer::trouble)
    }

    fn abandon(&self) {
        if let Some(writer) = &self.writer {
            writer.abandon();
        }
    }
}

/// For tests: takes from every object that a spool holds what a power cut may take, which is
/// anything that was not synced in its own file before the spool began. `keep` is given key and
/// length and answers how many bytes are left; none removes the file, if it was new.
#[doc(hidden)]
pub fn cut_power(
    root: &Path,
    keep: &mut dyn FnMut(&str, u64) -> Option<u64>,
) -> Result<(), StoreError> {
    let mut safe_lens = BTreeMap::new();
    for path in writer::find_spools(&root.join("spool"))?.values() {
        for (key, piece) in spool::scan(path)?.pieces {
            let safe_len = safe_lens.entry(key).or_insert(piece.offset);
            *safe_len = piece.offset.min(*safe_len);
        }
    }
    for (key, safe_len) in safe_lens {
        let path = root.join("objects").join(&key);
        let failed = |error| StoreError::io("cut", path.display())(error);
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        match keep(&key, metadata.len()) {
            None if safe_len == 0 => std::fs::remove_file(&path).map_err(failed)?,
            left => File::options()
                .write(true)
                .open(&path)
                .and_then(|file| file.set_len(left.unwrap_or(0).max(safe_len)))
                .map_err(failed)?,
        }
    }
    Ok(())
}

/// The folders whose names lead to an object, from its own up to `objects`.
fn folders_of<'a>(objects: &'a Path, path: &'a Path) -> impl Iterator<Item = &'a Path> {
    path.ancestors()
        .skip(1)
        .take_while(move |folder| folder.starts_with(objects))
}
