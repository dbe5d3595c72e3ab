//! Index and keys in a backup: sealed, in files of a size that fits in memory.
//!
//! Each file has a key of its own, derived from the backup's key with the id of the backup, the name of
//! the part, the number of the file and how many there are: none can be swapped for another, left out or
//! taken from another backup.

use super::{BackupError, BackupKey};
use crate::ArchiveError;
use crate::random;
use std::io::Read;
use voicelog_evidence::key::{open_bytes, seal_bytes};
use voicelog_model::{BackupId, RecordingId};

/// Plaintext in one file at most.
pub(super) const PART_BYTES: u64 = 32 << 20;

/// The name of a file of a part, in the folder of its backup: `index.000001`.
pub(super) fn part_name(part: &str, number: u32) -> String {
    format!("{part}.{number:06}")
}

fn label(part: &str, number: u32, count: u32) -> String {
    format!("backup {part} {number} of {count}")
}

/// What is sealed is bound to the backup by its id, in the place of a recording's.
const fn of_backup(id: BackupId) -> RecordingId {
    RecordingId::from_bytes(*id.as_bytes())
}

/// How many files so many bytes take. Nothing takes one as well.
pub(super) fn parts_of(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(PART_BYTES).max(1)).unwrap_or(u32::MAX)
}

/// Reads the next piece of plaintext, as long as a part is.
pub(super) fn piece(source: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    source.take(PART_BYTES).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Seals one file.
pub(super) fn seal(
    key: &BackupKey,
    id: BackupId,
    part: &str,
    (number, count): (u32, u32),
    plain: &[u8],
) -> Result<Vec<u8>, BackupError> {
    let nonce = random::bytes().map_err(ArchiveError::from)?;
    let label = label(part, number, count);
    Ok(seal_bytes(&key.key, &label, of_backup(id), nonce, plain))
}

/// Opens one file.
pub(super) fn open(
    key: &BackupKey,
    id: BackupId,
    part: &str,
    (number, count): (u32, u32),
    sealed: &[u8],
) -> Result<Vec<u8>, BackupError> {
    let label = label(part, number, count);
    open_bytes(&key.key, &label, of_backup(id), sealed).map_err(|error| BackupError::Damaged {
        file: part_name(part, number),
        why: error.to_string(),
    })
}
