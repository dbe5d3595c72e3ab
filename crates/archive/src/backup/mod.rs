//! Backups: a copy of the archive beside a running server, and an archive made again from one.
//!
//! A backup is a folder: ciphertext of the recordings as it is, index and wrapped keys sealed under a
//! key of the backup's own (its epoch), and a signed list of every file. What was destroyed does not
//! come back: the list of destructions is applied before anything else. Format and reasons:
//! `design/backup.md`.

mod catching_up;
mod create;
mod destroyed;
mod format;
#[doc(hidden)]
pub mod fuzzing;
mod objects;
mod opening;
mod restore;
mod sealed;
mod verify;
mod words;

pub use create::Prepared;
pub use destroyed::{DestroyedList, ListReport};
pub use format::{BackupError, BackupStatement};
pub use restore::{RestoreInput, Restored, Unpacked};
pub use verify::{Backup, Verified};

use voicelog_evidence::key::DataKey;

/// The key that index and keys of a backup are sealed under. It lies among the archive's secrets, and a
/// new one takes its place now and then: no copy of a backup from before can be opened then.
#[derive(Debug)]
pub struct BackupKey {
    /// Which one, from 1.
    pub epoch: u32,
    /// The key.
    pub key: DataKey,
}

/// What a backup came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// What it says of itself.
    pub statement: BackupStatement,
    /// Objects that were copied now.
    pub copied: u64,
    /// Objects that the folder had already, whole.
    pub kept: u64,
    /// Objects that the archive itself no longer has as their manifests say, each with what is wrong. The
    /// folder keeps its own copy of such a one, where that is whole.
    pub damaged: Vec<String>,
    /// Files of former backups that were taken away.
    pub removed: u64,
}
