//! What a backup says of itself, and what can be wrong with one.

use super::restore::next_key;
use crate::ArchiveError;
use serde::{Deserialize, Serialize};
use voicelog_evidence::Digest;
use voicelog_evidence::canonical::{CanonicalError, canonical_json, from_canonical};
use voicelog_evidence::note::{Note, NoteError, SigningKey, VerifierKey};
use voicelog_model::{BackupId, Kind, Timestamp};
use voicelog_store::StoreError;

/// What the first line of the signed statement begins with: what it is. Its version follows.
const LINE_START: &str = "voicelog-backup/v";
/// The version that is written. In version 1, objects of calls in progress lay among the others.
const VERSION: u32 = 2;

/// Name of the signed statement.
pub(super) const NOTE_NAME: &str = "backup.note";
/// Folder of the objects, which backups in one folder share.
pub(super) const OBJECTS: &str = "objects";
/// Name of the list of files, in the folder of one backup.
pub(super) const LIST_NAME: &str = "files";
/// Name of the list of destructions, in the folder of one backup.
pub(super) const DESTROYED_NAME: &str = "destroyed";

/// What a backup is of, and what belongs to it. No personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupStatement {
    /// Version of the format: 2; 1 is read as well.
    pub version: u32,
    /// The archive, as the name of its log.
    pub archive: String,
    /// The same as storage marks its parts: 32 hexadecimal digits.
    pub store: String,
    /// Which backup; also the name of the folder of its own files.
    pub backup: BackupId,
    /// The moment that the index is of.
    pub made_at: Timestamp,
    /// The key that index and keys are sealed under.
    pub epoch: u32,
    /// Entries of the log.
    pub log_size: u64,
    /// Objects, and their bytes.
    pub objects: u64,
    /// Bytes of the objects.
    pub object_bytes: u64,
    /// Files of the sealed index.
    pub index_parts: u32,
    /// Files of the sealed keys.
    pub key_parts: u32,
    /// SHA-256 of the list of files.
    pub list_sha256: Digest,
}

/// The name of a record about keys, in the place of a recording's id.
pub(super) fn record_head(name: &str) -> Option<[u8; 16]> {
    let mut head = [0; 16];
    let place = head.get_mut(..name.len())?;
    place.copy_from_slice(name.as_bytes());
    Some(head).filter(|head| record_name(head).as_deref() == Some(name))
}

/// The name that stands in the place of a recording's id, if one does. It begins with a letter, and so would an id of
/// the year 5000 at the earliest.
pub(super) fn record_name(head: &[u8; 16]) -> Option<String> {
    let (first, _rest) = head.split_first()?;
    if !first.is_ascii_lowercase() {
        return None;
    }
    let text = std::str::from_utf8(head).ok()?;
    Some(text.trim_end_matches('\0').to_owned())
}

/// What the keys of a backup begin with: their version, in the form of a record. In version 1, which had no records at
/// first, it is not there.
const KEYS_VERSION: (&str, u32) = ("keys-version", 2);

pub(super) fn keys_head() -> Vec<u8> {
    let (name, version) = KEYS_VERSION;
    let version = version.to_string();
    let len = u16::try_from(version.len()).unwrap_or_default();
    let head = record_head(name).unwrap_or_default();
    [head.as_slice(), &len.to_be_bytes(), version.as_bytes()].concat()
}

/// The keys behind that. Errors: of a version that is not known here.
pub(super) fn behind_head(mut all: Vec<u8>) -> Result<Vec<u8>, BackupError> {
    let (name, newest) = KEYS_VERSION;
    let behind = match next_key(&all) {
        Some((id, version, rest)) if record_name(id.as_bytes()).as_deref() == Some(name) => {
            let found = String::from_utf8_lossy(version);
            if found.parse() != Ok(newest) {
                return Err(BackupError::KeysVersion(found.chars().take(16).collect()));
            }
            all.len() - rest.len()
        }
        _ => 0,
    };
    Ok(all.split_off(behind))
}

impl BackupStatement {
    /// The version that is written.
    pub const VERSION: u32 = VERSION;

    pub(super) fn sign(&self, key: &SigningKey) -> Result<String, BackupError> {
        let json = canonical_json(self)?;
        let json = String::from_utf8_lossy(&json);
        Ok(key.sign(&format!("{LINE_START}{}\n{json}\n", self.version))?)
    }

    /// Reads a statement that the archive signed.
    pub(super) fn verify(signed: &[u8], key: &VerifierKey) -> Result<Self, BackupError> {
        let damaged = |why: &str| BackupError::Damaged {
            file: NOTE_NAME.to_owned(),
            why: why.to_owned(),
        };
        let note = Note::parse(signed).map_err(|error| damaged(&error.to_string()))?;
        let first = note.unverified_text().lines().next().unwrap_or_default();
        let found = first
            .strip_prefix(LINE_START)
            .ok_or_else(|| damaged("it is not the statement of a backup"))?;
        let version = known_version(found, VERSION)?;
        if !note.signatures().iter().any(|one| one.name == key.name()) {
            return Err(BackupError::Foreign {
                part: NOTE_NAME.to_owned(),
                expected: key.name().to_owned(),
            });
        }
        let text = key
            .verify_alone(&note)
            .map_err(|error| damaged(&error.to_string()))?;
        let json = text
            .strip_prefix(first)
            .and_then(|rest| rest.strip_prefix('\n'))
            .and_then(|rest| rest.strip_suffix('\n'))
            .ok_or_else(|| damaged("its text is not as it is written"))?;
        let statement: Self =
            from_canonical(json.as_bytes()).map_err(|error| damaged(&error.to_string()))?;
        if statement.version != version {
            return Err(damaged("it names two versions"));
        }
        if statement.archive != key.name() {
            return Err(BackupError::Foreign {
                part: NOTE_NAME.to_owned(),
                expected: key.name().to_owned(),
            });
        }
        Ok(statement)
    }
}

/// The version in a first line. Errors: one that is not known here.
pub(super) fn known_version(found: &str, newest: u32) -> Result<u32, BackupError> {
    let is_known = |version: &u32| (1..=newest).contains(version) && version.to_string() == found;
    let version = found.parse().ok().filter(is_known);
    version.ok_or_else(|| BackupError::Version(found.chars().take(16).collect()))
}

/// A backup cannot be made, or cannot be used. Files are named as they lie in the backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The place that is written to, or read from.
    #[error("the backup cannot be read or written")]
    Store(#[from] StoreError),
    /// Something has no canonical JSON: our own mistake.
    #[error("cannot write a document of the backup")]
    Document(#[from] CanonicalError),
    /// The archive's own key cannot sign.
    #[error("cannot sign the backup")]
    Signing(#[from] NoteError),
    /// A folder that holds something else.
    #[error("`{0}` is not empty, and not a backup of this archive; name another folder")]
    NotABackup(String),
    /// The archive went back to a state from before the backup: to bring that up to date would take away from it
    /// what the archive no longer knows.
    #[error(
        "the backup in `{place}` is of a log of {backup} entries, and the archive has {archive}: it went back to an \
         older state, and the backup is newer. Nothing was changed; restore from it, or give another folder"
    )]
    Newer {
        /// The folder.
        place: String,
        /// Entries that the backup knows.
        backup: u64,
        /// Entries that there are.
        archive: u64,
    },
    /// There is something where an archive is to be made again.
    #[error("`{place}` is not empty{why}; an archive is restored into an empty folder")]
    NotEmpty {
        /// The folder.
        place: String,
        /// What is there, if that can be told.
        why: String,
    },
    /// A version that this program does not know.
    #[error("this is a backup of version {0}, which this program does not know")]
    Version(String),
    /// The same, of its keys.
    #[error("the keys of this backup are of version {0}, which this program does not know")]
    KeysVersion(String),
    /// A part belongs to another archive.
    #[error("`{part}` does not belong to the archive {expected}")]
    Foreign {
        /// Which part.
        part: String,
        /// The archive.
        expected: String,
    },
    /// A file is not what the backup says.
    #[error("`{file}` is not what the backup says: {why}")]
    Damaged {
        /// Which file.
        file: String,
        /// How that shows.
        why: String,
    },
    /// Something in it does not open with the secrets that were given.
    #[error("{what} does not open with these secrets")]
    DoesNotOpen {
        /// What.
        what: String,
    },
    /// The secrets are from another time than the backup.
    #[error(
        "the backup is sealed under key {backup}, and these secrets hold key {secrets}: \
         it is from before or after a change of that key, and these secrets do not open it"
    )]
    Epoch {
        /// Key of the backup.
        backup: u32,
        /// Key of the secrets.
        secrets: u32,
    },
    /// Somebody has seen more of the log than the backup and the lists have.
    #[error(
        "a checkpoint with {known} entries was given out, and this backup with its lists has {have}: \
         what came between would be lost. A newer list of destructions (`voicelog backup destroyed`) \
         has those entries; without one, say --accept-lost-entries, and the log says so"
    )]
    Behind {
        /// Entries that somebody has seen.
        known: u64,
        /// Entries that are here.
        have: u64,
    },
    /// A list does not tell of everything that was destroyed since the backup.
    #[error(
        "a list of destructions begins at place {from} of the log, and the backup with the other lists has {have}: what \
         was destroyed in between would come back. Give a list that begins no later (`voicelog backup destroyed \
         --since {have}`)"
    )]
    Gap {
        /// Where the list begins.
        from: u64,
        /// Entries that are here without it.
        have: u64,
    },
    /// The place is too small.
    #[error(
        "`{place}` has room for {free} bytes, and the backup needs some {needed} more; nothing was written"
    )]
    NoRoom {
        /// The folder.
        place: String,
        /// Bytes that are needed, about.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// A checkpoint, or a list, is of another tree.
    #[error("{what} is of another log than the backup: at entry {size} they differ")]
    Fork {
        /// What was given.
        what: &'static str,
        /// Its size.
        size: u64,
    },
}

impl BackupError {
    /// What kind of trouble it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Archive(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::NoRoom { .. } => Kind::Exhausted,
            Self::Document(_) | Self::Signing(_) => Kind::Internal,
            Self::NotABackup(_) | Self::Version(_) | Self::KeysVersion(_) => Kind::Invalid,
            Self::NotEmpty { .. }
            | Self::Newer { .. }
            | Self::Behind { .. }
            | Self::Gap { .. }
            | Self::Epoch { .. } => Kind::Conflict,
            Self::Foreign { .. }
            | Self::Damaged { .. }
            | Self::DoesNotOpen { .. }
            | Self::Fork { .. } => Kind::Corrupt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_version_that_is_not_known_are_refused_and_those_from_before_it_was_written_are_read()
     {
        let key = [[7; 16].as_slice(), &[0, 2], b"ab"].concat();
        assert_eq!(behind_head(key.clone()).unwrap(), key);
        let all = [keys_head(), key.clone()].concat();
        assert_eq!(behind_head(all.clone()).unwrap(), key);
        let mut newer = all;
        *newer.get_mut(18).unwrap() = b'3';
        let refused = behind_head(newer).unwrap_err();
        assert!(
            matches!(&refused, BackupError::KeysVersion(found) if found == "3"),
            "{refused}"
        );
    }
}
