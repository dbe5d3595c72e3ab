//! What can go wrong in storage, in one type for all its parts.

use std::sync::Arc;
use std::{fmt, io};
use voicelog_model::Kind;

/// An operation on blobs, keys or the index failed.
///
/// Messages name files by their key inside the archive and rows by their id, so that no message
/// carries personal data.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system said no.
    #[error("cannot {doing} `{place}`")]
    Io {
        /// What was being done, as a verb phrase.
        doing: &'static str,
        /// The file or object.
        place: String,
        /// The file system's answer.
        #[source]
        source: io::Error,
    },
    /// The database said no.
    #[error("cannot {doing} in the index")]
    Sql {
        /// What was being done, as a verb phrase.
        doing: &'static str,
        /// The database's answer; the same to all whose writes were committed together.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// There is no such thing.
    #[error("there is no {noun} `{id}`")]
    NotFound {
        /// The kind of thing.
        noun: &'static str,
        /// Its id or key.
        id: String,
    },
    /// There is one already, and it is not the same.
    #[error("there is another {noun} `{id}` already")]
    Exists {
        /// The kind of thing.
        noun: &'static str,
        /// Its id or key.
        id: String,
    },
    /// The thing is not in a state that allows the act.
    #[error("{noun} `{id}` is {state}, so it cannot {act}")]
    State {
        /// The kind of thing.
        noun: &'static str,
        /// Its id or key.
        id: String,
        /// The state that it is in.
        state: &'static str,
        /// What was asked.
        act: &'static str,
    },
    /// Somebody else appended to the log since its head was read.
    #[error("the log has {found} leaves where {expected} were expected")]
    LogMoved {
        /// Size that the caller built on.
        expected: u64,
        /// Size found.
        found: u64,
    },
    /// A value breaks a rule of storage: a key, a size, a name.
    #[error("{what}: `{value}`")]
    Invalid {
        /// Which rule.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// A limit of ours is reached.
    #[error("{what} is full: at most {limit}")]
    Full {
        /// Which limit.
        what: &'static str,
        /// Its value.
        limit: u64,
    },
    /// What is stored is not what was stored.
    #[error("{what} is damaged: {why}")]
    Corrupt {
        /// What.
        what: String,
        /// How that shows.
        why: String,
    },
    /// Another process writes here.
    #[error("another process is writing in `{place}`")]
    Locked {
        /// The folder.
        place: String,
    },
    /// This handle only reads.
    #[error("`{place}` is open for reading only")]
    ReadOnly {
        /// The folder.
        place: String,
    },
    /// The folder or index belongs to another archive, or has another format.
    #[error("`{place}` {why}")]
    Foreign {
        /// The folder or file.
        place: String,
        /// What does not match.
        why: String,
    },
    /// The index was made by a newer program.
    #[error("the index has schema {found}, and this program knows schemas up to {known}")]
    NewerSchema {
        /// Schema found.
        found: i64,
        /// Newest schema known.
        known: i64,
    },
    /// Committed bytes are safe in a spool, and could not be brought to their final place.
    #[error("a spool could not be settled: {trouble}")]
    Unsettled {
        /// What went wrong, with its causes.
        trouble: String,
    },
    /// Bytes that must be gone may still be in the database's journal.
    #[error("old pages of the index could not be wiped: a reader is still using them")]
    NotWiped,
    /// The index is being copied, and what is destroyed now would stay in the copy.
    #[error("the index is being copied for a backup: nothing is destroyed meanwhile")]
    BeingCopied,
    /// Somebody else changes the keys above the data keys, or copies them.
    #[error("{} is at work on the keys; try again when it has ended", if by.is_empty() { "another command" } else { by })]
    KeysInUse {
        /// Who, as it says itself.
        by: String,
    },
    /// A fault that a test asked for.
    #[error("injected fault at operation {operation}")]
    Injected {
        /// Number of the operation, from 1.
        operation: u64,
    },
}

impl StoreError {
    /// The kind of trouble.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Io { source, .. } => kind_of_io(source),
            Self::Sql { source, .. } => kind_of_sql(source),
            Self::NotFound { .. } => Kind::NotFound,
            Self::Exists { .. }
            | Self::State { .. }
            | Self::LogMoved { .. }
            | Self::Locked { .. }
            | Self::ReadOnly { .. } => Kind::Conflict,
            Self::Invalid { .. } | Self::Foreign { .. } | Self::NewerSchema { .. } => Kind::Invalid,
            Self::Full { .. } => Kind::Exhausted,
            Self::Corrupt { .. } => Kind::Corrupt,
            Self::Unsettled { .. }
            | Self::NotWiped
            | Self::BeingCopied
            | Self::KeysInUse { .. }
            | Self::Injected { .. } => Kind::Unavailable,
        }
    }

    /// What a person can do about it; empty where nothing general can be said.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Locked { .. } => {
                "stop the other voicelog process, or ask that one to do it over its page or API"
            }
            Self::ReadOnly { .. } => "stop the server, or ask it to do this over its page or API",
            Self::NewerSchema { .. } => "start the newer voicelog that made this archive",
            Self::Foreign { .. } => {
                "check the paths: a disk may be swapped, or a backup of another archive restored here"
            }
            Self::Unsettled { .. } => {
                "look at the disk; nothing is lost, and a restart tries again"
            }
            Self::NotWiped => "try again when no other program has the index open",
            Self::BeingCopied => "ask again when the backup is made",
            Self::KeysInUse { .. } => "nothing was changed by this one",
            Self::Corrupt { .. } => "run `voicelog check --level hash`",
            Self::Io { .. } | Self::Sql { .. } if self.kind() == Kind::Exhausted => {
                "make room on the disk"
            }
            Self::Io { .. }
            | Self::Sql { .. }
            | Self::NotFound { .. }
            | Self::Exists { .. }
            | Self::State { .. }
            | Self::LogMoved { .. }
            | Self::Invalid { .. }
            | Self::Full { .. }
            | Self::Injected { .. } => "",
        }
    }

    /// Wraps the file system's answer; made for `map_err`. The place is only spelled out if
    /// there is an error.
    pub fn io<P: fmt::Display>(doing: &'static str, place: P) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            doing,
            place: place.to_string(),
            source,
        }
    }

    /// Wraps the database's answer; made for `map_err`.
    pub(crate) fn sql(doing: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |source| Self::Sql {
            doing,
            source: Arc::new(source),
        }
    }

    /// Stored bytes that do not decode.
    pub(crate) fn corrupt(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Corrupt {
            what: what.into(),
            why: why.into(),
        }
    }
}

fn kind_of_io(error: &io::Error) -> Kind {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Kind::Exhausted
        }
        io::ErrorKind::NotFound => Kind::NotFound,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => Kind::Corrupt,
        io::ErrorKind::InvalidInput => Kind::Internal,
        _ if error.raw_os_error() == Some(TOO_MANY_OPEN_FILES) => Kind::Exhausted,
        _ => Kind::Unavailable,
    }
}

/// `EMFILE`: this process has as many files open as it may.
const TOO_MANY_OPEN_FILES: i32 = 24;

fn kind_of_sql(error: &rusqlite::Error) -> Kind {
    use rusqlite::ErrorCode;
    if matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
    ) {
        return Kind::Corrupt;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Kind::Exhausted,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Kind::Corrupt,
        // A reference to a row that is not there, or a second row for one id: the caller's order
        // of writing is wrong or somebody was first.
        Some(ErrorCode::ConstraintViolation) => Kind::Conflict,
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied,
        ) => Kind::Unavailable,
        _ => Kind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_exhausted_wherever_it_is_noticed() {
        let file = StoreError::io("write", "rec/1")(io::Error::from_raw_os_error(28));
        assert_eq!(file.kind(), Kind::Exhausted);
        assert_eq!(file.help(), "make room on the disk");
        let index = StoreError::sql("insert")(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL),
            None,
        ));
        assert_eq!(index.kind(), Kind::Exhausted);
    }

    #[test]
    fn messages_name_the_act_and_the_place_on_one_line() {
        let error = StoreError::io("append to", "rec/1/000001.seg")(io::Error::other("boom"));
        assert_eq!(
            voicelog_model::error::chain(&error).to_string(),
            "cannot append to `rec/1/000001.seg`: boom"
        );
    }
}
