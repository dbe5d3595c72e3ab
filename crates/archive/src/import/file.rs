//! A file that is to be imported: opened once, looked at, hashed, and read again when it is stored.

use crate::ArchiveError;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use voicelog_evidence::Digest;
use voicelog_soundfile::{Contents, SoundFileError, Source, look};

/// Larger files are not taken: a copy of one is made in memory.
pub const FILE_BYTES_MAX: u64 = 1 << 30;
/// Read at once while hashing.
const BLOCK_BYTES: usize = 1 << 20;

/// A sound file that somebody has.
#[derive(Debug, Clone)]
pub struct SoundFile {
    file: Arc<File>,
    /// How large it is.
    pub byte_len: u64,
    /// The hash of all of it.
    pub sha256: Digest,
    /// What is in it.
    pub contents: Contents,
}

impl SoundFile {
    /// Opens a file and reads all of it: what it is, how long its sound lasts, and its hash. Nothing is kept of it.
    ///
    /// Errors: [`ArchiveError::SoundFile`] where it is no sound file, or not whole; [`ArchiveError::FileTooLarge`].
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        Self::of(File::open(path).map_err(SoundFileError::Io)?)
    }

    /// The same of a file that is open.
    pub fn of(file: File) -> Result<Self, ArchiveError> {
        let about = file.metadata().map_err(SoundFileError::Io)?;
        if !about.is_file() {
            let what = Error::new(ErrorKind::InvalidInput, "it is no file");
            return Err(SoundFileError::Io(what).into());
        }
        let byte_len = about.len();
        if byte_len > FILE_BYTES_MAX {
            return Err(ArchiveError::FileTooLarge(byte_len));
        }
        let file = Arc::new(file);
        let contents = look(&mut || Box::new(At::start_of(&file)))?;
        let mut hasher = Sha256::new();
        let mut whole = At::start_of(&file);
        let mut block = vec![0; BLOCK_BYTES];
        let mut read = 0;
        loop {
            let count = whole.read(&mut block).map_err(SoundFileError::Io)?;
            let Some(some @ [_, ..]) = block.get(..count) else {
                break;
            };
            hasher.update(some);
            read += count as u64;
        }
        if read != byte_len {
            return Err(ArchiveError::FileChanged);
        }
        Ok(Self {
            byte_len,
            sha256: Digest(hasher.finalize().into()),
            contents,
            file,
        })
    }

    /// Its bytes in that range. Fewer where it became shorter since.
    pub(super) fn read_at(&self, at: u64, bytes: &mut [u8]) -> Result<(), ArchiveError> {
        self.file.read_exact_at(bytes, at).map_err(|error| {
            if error.kind() == ErrorKind::UnexpectedEof {
                return ArchiveError::FileChanged;
            }
            SoundFileError::Io(error).into()
        })
    }
}

/// A place in a file of which several are open.
struct At {
    file: Arc<File>,
    at: u64,
}

impl At {
    fn start_of(file: &Arc<File>) -> Self {
        Self {
            file: Arc::clone(file),
            at: 0,
        }
    }
}

impl Read for At {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read_at(bytes, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for At {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let len = self.file.metadata()?.len();
        self.at = moved(self.at, len, to)?;
        Ok(self.at)
    }
}

impl Source for At {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        self.file.metadata().ok().map(|about| about.len())
    }
}

/// Where a place goes in something of `len` bytes.
pub(super) fn moved(at: u64, len: u64, to: SeekFrom) -> std::io::Result<u64> {
    let place = match to {
        SeekFrom::Start(place) => Some(place),
        SeekFrom::End(by) => len.checked_add_signed(by),
        SeekFrom::Current(by) => at.checked_add_signed(by),
    };
    place.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "a place before the start"))
}
