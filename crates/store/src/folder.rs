//! The data folder of one archive, and the mark that each of its parts carries.
//!
//! Blobs, keys and index may lie on different disks. Each part names the archive that it belongs
//! to, so that a swapped disk, a crossed mount or a backup restored into the wrong place is
//! noticed before anything is written.

use crate::blobs::{FileBlobs, Options};
use crate::keys::FileKeys;
use crate::sqlite::SqliteIndex;
use crate::{StoreError, durable};
use std::fmt;
use std::path::{Path, PathBuf};
use voicelog_model::Timestamp;

/// Names one archive, for ever. Its blobs, keys and index each carry it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchiveId(pub [u8; 16]);

impl ArchiveId {
    /// An id from its 32 hexadecimal digits, as [`fmt::Display`] writes it.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        parse_hex(text)
    }
}

impl fmt::Display for ArchiveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Debug for ArchiveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArchiveId({self})")
    }
}

/// Name of the file that marks a folder.
pub(crate) const META_NAME: &str = "meta";

/// First line of that file: what the folder holds, and the format's version.
const META_FORMAT: &str = "voicelog store 1";

/// Marks an empty folder as a part of an archive. Marking it again for the same archive is no
/// error, so that a creation that was interrupted can be done again.
pub(crate) fn mark(folder: &Path, part: &str, archive: ArchiveId) -> Result<(), StoreError> {
    durable::create_folder(folder)?;
    let path = folder.join(META_NAME);
    if path.exists() {
        return match read_mark(folder, part)? {
            found if found == archive => Ok(()),
            found => Err(foreign(
                folder,
                format!("belongs to archive {found}, not to {archive}"),
            )),
        };
    }
    durable::replace(&path, meta_text(part, archive).as_bytes())
}

/// Which archive a folder belongs to. Errors: it is not such a part, or of a format that this
/// program does not know.
pub(crate) fn read_mark(folder: &Path, part: &str) -> Result<ArchiveId, StoreError> {
    let path = folder.join(META_NAME);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(foreign(
                folder,
                format!("is not the folder of an archive's {part}"),
            ));
        }
        Err(error) => return Err(StoreError::io("read", path.display())(error)),
    };
    let archive = text
        .lines()
        .nth(2)
        .and_then(|line| line.strip_prefix("archive "))
        .and_then(parse_hex)
        .ok_or_else(|| {
            foreign(
                folder,
                format!("is no {part} folder that this program knows"),
            )
        })?;
    // Read strictly: what would not have been written like this is not understood.
    if text == meta_text(part, archive) {
        Ok(archive)
    } else {
        Err(foreign(
            folder,
            format!("is no {part} folder that this program knows"),
        ))
    }
}

fn meta_text(part: &str, archive: ArchiveId) -> String {
    format!("{META_FORMAT}\npart {part}\narchive {archive}\n")
}

fn parse_hex(text: &str) -> Option<ArchiveId> {
    let mut bytes = [0; 16];
    if text.len() != 32 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..32).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(ArchiveId(bytes))
}

fn foreign(folder: &Path, why: String) -> StoreError {
    StoreError::Foreign {
        place: folder.display().to_string(),
        why,
    }
}

/// Where the parts of an archive lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Folder of the objects.
    pub blobs: PathBuf,
    /// Folder of the wrapped keys.
    pub keys: PathBuf,
    /// The database file.
    pub index: PathBuf,
}

impl Layout {
    /// Everything in one data folder.
    #[must_use]
    pub fn in_folder(root: &Path) -> Self {
        Self {
            blobs: root.join("blobs"),
            keys: root.join("keys"),
            index: root.join("index.db"),
        }
    }

    /// Whether an archive was made here: its index exists. The index is made last.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.index.exists()
    }
}

/// What a program wants to do with the objects.
#[derive(Debug, Clone)]
pub enum Access {
    /// Write and read. One process at a time; recovers what a crash left.
    Write(Options),
    /// Read only, next to a process that writes. Keys and index can be written all the same:
    /// they allow several writers.
    Read,
}

/// The three parts of an archive on this machine.
#[derive(Debug)]
pub struct LocalStore {
    /// Rows.
    pub index: SqliteIndex,
    /// Objects.
    pub blobs: FileBlobs,
    /// Wrapped keys.
    pub keys: FileKeys,
}

impl LocalStore {
    /// Makes the parts of a new archive. Interrupted, it can be done again with the same id.
    ///
    /// Errors: there is an archive already.
    pub fn create(layout: &Layout, archive: ArchiveId, at: Timestamp) -> Result<(), StoreError> {
        FileBlobs::create_folder(&layout.blobs, archive)?;
        FileKeys::create_folder(&layout.keys, archive)?;
        SqliteIndex::create_file(&layout.index, archive, at)
    }

    /// Opens the parts, and refuses parts of different archives.
    pub fn open(layout: &Layout, access: Access) -> Result<Self, StoreError> {
        let index = SqliteIndex::open(&layout.index)?;
        let archive = crate::Index::archive(&index);
        let keys = FileKeys::open(&layout.keys)?;
        same_archive(&layout.keys, keys.archive(), archive)?;
        // Told apart before the objects are opened, because opening them for writing recovers.
        same_archive(
            &layout.blobs,
            FileBlobs::archive_of(&layout.blobs)?,
            archive,
        )?;
        let blobs = match access {
            Access::Write(options) => {
                keys.sweep()?;
                FileBlobs::open(&layout.blobs, options)?
            }
            Access::Read => FileBlobs::open_for_reading(&layout.blobs)?,
        };
        Ok(Self { index, blobs, keys })
    }
}

fn same_archive(folder: &Path, found: ArchiveId, expected: ArchiveId) -> Result<(), StoreError> {
    if found == expected {
        Ok(())
    } else {
        Err(foreign(
            folder,
            format!("belongs to archive {found}, and the index belongs to {expected}"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_nothing_else_is() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (ArchiveId([0xa7; 16]), ArchiveId([0x01; 16]));
        let folder = root.path().join("keys");
        mark(&folder, "keys", one).unwrap();
        mark(&folder, "keys", one).unwrap();
        assert_eq!(read_mark(&folder, "keys").unwrap(), one);
        assert!(read_mark(&folder, "blobs").is_err());
        assert!(mark(&folder, "keys", two).is_err());
        let meta = folder.join(META_NAME);
        let text = std::fs::read_to_string(&meta).unwrap();
        for wrong in [
            text.replace("store 1", "store 2"),
            format!("{text}\n"),
            text.replace('a', "A"),
            String::new(),
        ] {
            durable::replace(&meta, wrong.as_bytes()).unwrap();
            assert!(read_mark(&folder, "keys").is_err(), "{wrong:?}");
        }
    }
}
