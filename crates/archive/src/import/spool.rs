//! A file that is being sent: what came of it lies on the disk, sealed under a key that is in memory alone. So whoever
//! reads the disk finds noise, and after a crash so does everybody.

use super::FileBytes;
use crate::random;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use voicelog_evidence::key::{DataKey, open_bytes, seal_bytes};
use voicelog_model::{RecordingId, Timestamp};

/// Plaintext of one piece at most. A whole piece is opened to read a byte of it.
pub const SPOOL_PIECE_BYTES_MAX: usize = 1 << 18;
/// Pieces of one spool at most: where they lie is in memory.
const PIECES_MAX: usize = 1 << 16;
/// What a piece is sealed for.
const LABEL: &str = "upload";

/// Where a piece lies: its first byte in the file that is sent, and in the spool.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: u64,
    place: u64,
}

/// What came of a file so far. It is removed when it is dropped.
pub struct Spool {
    path: PathBuf,
    file: File,
    key: DataKey,
    /// Binds pieces to this spool; it names no recording.
    name: RecordingId,
    pieces: Vec<Piece>,
    byte_len: u64,
    stored: u64,
    /// The piece that was opened last.
    open: Mutex<Option<(usize, Vec<u8>)>>,
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("byte_len", &self.byte_len)
            .finish_non_exhaustive()
    }
}

impl Spool {
    /// A spool with nothing in it, at a path where there is no file yet.
    ///
    /// # Errors
    /// The file cannot be made, or there is no random.
    pub fn create(path: PathBuf, now: Timestamp) -> Result<Self> {
        let key = DataKey::from_random(random::bytes().map_err(Error::other)?);
        let name = RecordingId::new(now, random::bytes().map_err(Error::other)?);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            path,
            file,
            key,
            name,
            pieces: Vec::new(),
            byte_len: 0,
            stored: 0,
            open: Mutex::new(None),
        })
    }

    /// Removes what spools of an earlier run left in a folder: nobody can open it any more.
    ///
    /// # Errors
    /// The folder cannot be read, or something in it not be removed.
    pub fn sweep(folder: &Path) -> Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Adds bytes to the end. They are on the disk when this returns.
    ///
    /// # Errors
    /// They cannot be written, or came in too many pieces. What was there before is still there.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let mut pieces = Vec::new();
        let (mut start, mut place) = (self.byte_len, self.stored);
        for piece in bytes.chunks(SPOOL_PIECE_BYTES_MAX) {
            if self.pieces.len() + pieces.len() >= PIECES_MAX {
                let what = "the file was sent in too many small pieces";
                return Err(Error::new(ErrorKind::InvalidInput, what));
            }
            let nonce = random::bytes().map_err(Error::other)?;
            let sealed = seal_bytes(&self.key, LABEL, self.name, nonce, piece);
            self.file.write_all_at(&sealed, place)?;
            pieces.push(Piece { start, place });
            start += piece.len() as u64;
            place += sealed.len() as u64;
        }
        self.file.sync_data()?;
        self.pieces.append(&mut pieces);
        (self.byte_len, self.stored) = (start, place);
        Ok(())
    }

    /// Opens the piece in which a byte lies, and gives it with what is in it from that byte on to `take`.
    fn piece<T>(&self, at: u64, take: impl FnOnce(&[u8]) -> T) -> Result<T> {
        let number = self.pieces.partition_point(|piece| piece.start <= at);
        let number = number.saturating_sub(1);
        let Some(piece) = self.pieces.get(number).filter(|_| at < self.byte_len) else {
            return Ok(take(&[]));
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = match open.take() {
            Some((opened, bytes)) if opened == number => bytes,
            _other => self.unseal(number, *piece)?,
        };
        let skipped = usize::try_from(at - piece.start).unwrap_or(usize::MAX);
        let taken = take(bytes.get(skipped..).unwrap_or_default());
        *open = Some((number, bytes));
        Ok(taken)
    }

    fn unseal(&self, number: usize, piece: Piece) -> Result<Vec<u8>> {
        let next = self.pieces.get(number + 1);
        let end = next.map_or(self.stored, |next| next.place);
        let length = usize::try_from(end - piece.place).map_err(Error::other)?;
        let mut sealed = vec![0; length];
        self.file.read_exact_at(&mut sealed, piece.place)?;
        let opened = open_bytes(&self.key, LABEL, self.name, &sealed);
        opened.map_err(|error| Error::new(ErrorKind::InvalidData, error))
    }
}

impl FileBytes for Spool {
    fn byte_len(&self) -> Result<u64> {
        Ok(self.byte_len)
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> Result<usize> {
        self.piece(at, |here| {
            let count = here.len().min(bytes.len());
            for (place, byte) in bytes.iter_mut().zip(here) {
                *place = *byte;
            }
            count
        })
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "what was uploaded could not be removed; its key is gone, and the next start removes it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(folder: &Path) -> Spool {
        let path = folder.join("one");
        Spool::create(path, Timestamp::from_micros(1_000_000)).unwrap()
    }

    fn bytes(count: usize) -> Vec<u8> {
        let canary = b"<<a canary that was said in a file>>".iter();
        canary.copied().cycle().take(count).collect()
    }

    #[test]
    fn what_was_pushed_is_read_from_anywhere_and_lies_there_as_noise() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = spool(folder.path());
        let whole = bytes(700_001);
        let (first, rest) = whole.split_at(13);
        spool.push(first).unwrap();
        spool.push(&[]).unwrap();
        spool.push(rest).unwrap();
        assert_eq!(spool.byte_len().unwrap(), 700_001);
        for at in [0, 12, 13, 262_156, 262_157, 500_000, 700_000, 700_001] {
            let mut read = [0; 40];
            let count = spool.read_at(&mut read, at as u64).unwrap();
            assert_eq!(read[..count], whole[at..(at + count)], "{at}");
            assert_eq!(count == 0, at == whole.len(), "{at}");
        }
        let stored = std::fs::read(folder.path().join("one")).unwrap();
        assert!(stored.len() > whole.len());
        assert!(!stored.windows(12).any(|window| window == &whole[..12]));
        drop(spool);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_somebody_changed_on_the_disk_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = spool(folder.path());
        spool.push(&bytes(1_000)).unwrap();
        spool.file.write_all_at(b"x", 500).unwrap();
        let read = spool.read_at(&mut [0; 8], 0);
        assert_eq!(read.unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn what_an_earlier_run_left_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let mut left = spool(folder.path());
        left.push(&bytes(10)).unwrap();
        std::mem::forget(left);
        Spool::sweep(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
