//! A file that is to be imported: opened once, looked at, hashed, and read again when it is stored.

use crate::ArchiveError;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use voicelog_evidence::Digest;
use voicelog_soundfile::{Contents, SoundFileError, Source, look};

/// Larger files are not taken: a copy of one is made in memory.
pub const FILE_BYTES_MAX: u64 = 1 << 30;
/// Read at once while hashing.
const BLOCK_BYTES: usize = 1 << 20;

/// Set by whoever wants reading to end: the server that stops. What was begun of a file is undone then.
pub type StopImport = Arc<AtomicBool>;

/// The bytes of a file that is offered, wherever they lie.
pub trait FileBytes: Send + Sync + fmt::Debug {
    /// How many there are.
    ///
    /// # Errors
    /// It cannot be told.
    fn byte_len(&self) -> std::io::Result<u64>;

    /// Reads some of them from a place on; none at the end. Gives how many.
    ///
    /// # Errors
    /// They cannot be read, or are not those that were written.
    fn read_at(&self, bytes: &mut [u8], at: u64) -> std::io::Result<usize>;
}

impl FileBytes for File {
    fn byte_len(&self) -> std::io::Result<u64> {
        let about = self.metadata()?;
        match about.is_file() {
            true => Ok(about.len()),
            false => Err(Error::new(ErrorKind::InvalidInput, "it is no file")),
        }
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> std::io::Result<usize> {
        FileExt::read_at(self, bytes, at)
    }
}

/// An open file, until somebody wants no more of it.
#[derive(Debug)]
struct Open {
    file: Arc<dyn FileBytes>,
    stop: StopImport,
}

impl Open {
    fn go_on(&self) -> Result<(), ArchiveError> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(ArchiveError::ImportStopped),
            false => Ok(()),
        }
    }

    fn byte_len(&self) -> std::io::Result<u64> {
        self.file.byte_len()
    }

    /// All of these bytes, from there on.
    fn read_whole(&self, mut bytes: &mut [u8], mut at: u64) -> std::io::Result<()> {
        while !bytes.is_empty() {
            match self.file.read_at(bytes, at)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => {
                    at += count as u64;
                    bytes = bytes.get_mut(count..).unwrap_or_default();
                }
            }
        }
        Ok(())
    }
}

/// A sound file that somebody has.
#[derive(Debug, Clone)]
pub struct SoundFile {
    file: Arc<Open>,
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
        Self::open_until(path, &StopImport::default())
    }

    /// The same, which ends when `stop` is set.
    ///
    /// Errors: as [`open`](Self::open), and [`ArchiveError::ImportStopped`].
    pub fn open_until(path: &Path, stop: &StopImport) -> Result<Self, ArchiveError> {
        let file = File::open(path).map_err(SoundFileError::Io)?;
        Self::of_bytes(Arc::new(file), stop)
    }

    /// The same of bytes that lie elsewhere.
    ///
    /// Errors: as [`open_until`](Self::open_until).
    pub fn of_bytes(file: Arc<dyn FileBytes>, stop: &StopImport) -> Result<Self, ArchiveError> {
        let stop = Arc::clone(stop);
        Self::read(Open { file, stop })
    }

    /// The same of a file that is open.
    pub fn of(file: File) -> Result<Self, ArchiveError> {
        Self::of_bytes(Arc::new(file), &StopImport::default())
    }

    fn read(open: Open) -> Result<Self, ArchiveError> {
        let open = Arc::new(open);
        let read = Self::read_all(&open);
        // Whatever its reader made of the interruption.
        open.go_on()?;
        read
    }

    fn read_all(file: &Arc<Open>) -> Result<Self, ArchiveError> {
        let byte_len = file.byte_len().map_err(SoundFileError::Io)?;
        if byte_len > FILE_BYTES_MAX {
            return Err(ArchiveError::FileTooLarge(byte_len));
        }
        let contents = look(&mut || Box::new(At::start_of(file)))?;
        let mut hasher = Sha256::new();
        let mut whole = At::start_of(file);
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
            file: Arc::clone(file),
        })
    }

    /// Its bytes in that range. Fewer where it became shorter since.
    pub(super) fn read_at(&self, at: u64, bytes: &mut [u8]) -> Result<(), ArchiveError> {
        self.file.go_on()?;
        self.file.read_whole(bytes, at).map_err(|error| {
            if error.kind() == ErrorKind::UnexpectedEof {
                return ArchiveError::FileChanged;
            }
            SoundFileError::Io(error).into()
        })
    }

    /// Holds its length against the one that was found: what was added behind its end is seen by this alone.
    pub(super) fn must_be_as_long(&self) -> Result<(), ArchiveError> {
        match self.file.byte_len().map_err(SoundFileError::Io)? == self.byte_len {
            true => Ok(()),
            false => Err(ArchiveError::FileChanged),
        }
    }
}

/// A place in a file of which several are open.
struct At {
    file: Arc<Open>,
    at: u64,
}

impl At {
    fn start_of(file: &Arc<Open>) -> Self {
        Self {
            file: Arc::clone(file),
            at: 0,
        }
    }
}

impl Read for At {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.file.go_on().map_err(Error::other)?;
        let count = self.file.file.read_at(bytes, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for At {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let len = self.file.byte_len()?;
        self.at = moved(self.at, len, to)?;
        Ok(self.at)
    }
}

impl Source for At {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        self.file.byte_len().ok()
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
