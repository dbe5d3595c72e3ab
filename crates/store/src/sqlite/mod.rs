//! The index in one SQLite file.
//!
//! Write-ahead log, every commit synced, strict tables. One connection writes, for one thread after the
//! other; those that wait for each other share a commit (`group`). Readers have connections of their
//! own and see the last commit. Other processes may have the file open too: each group of writes is one
//! `BEGIN IMMEDIATE` transaction that waits its turn for up to [`BUSY_SECONDS`]. Not for network file systems, which do not lock as SQLite needs.

mod accounts;
mod conversations;
mod copies;
mod copy_links;
mod decisions;
mod destructions;
mod diary;
mod files;
mod group;
mod holds;
mod ledger;
mod log;
mod migrate;
mod outbox;
mod proposals;
mod recordings;
mod snapshot;
mod sql;
mod terms;
mod values;

use crate::{ArchiveId, Index, StoreError, durable};
pub use copies::adopt_copy;
use group::Group;
pub use migrate::migrate;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Savepoint};
pub use snapshot::{Snapshot, forget_snapshot};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use values::Fail;
use voicelog_model::Timestamp;

/// The schema that this program writes.
pub const SCHEMA_VERSION: i64 = 10;

/// How long a write waits for another process to finish its own.
const BUSY_SECONDS: u64 = 10;

/// How long emptying the write-ahead log waits for readers to finish.
const WIPE_SECONDS: u64 = 1;

/// Reading connections that are kept open when nobody uses them.
const IDLE_READERS_MAX: usize = 4;

/// Most rows that one call of a list with a limit gives.
const ROWS_MAX: usize = 10_000;

/// Name of the setting that holds the archive's id.
const ARCHIVE_SETTING: &str = "archive";

/// The index in a file. See the module's documentation.
pub struct SqliteIndex {
    path: PathBuf,
    archive: ArchiveId,
    writer: Group,
    /// Connections that nobody uses at the moment; held for one push or pop.
    readers: Mutex<Vec<Connection>>,
}

impl fmt::Debug for SqliteIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteIndex")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl SqliteIndex {
    /// Makes the index of a new archive: whole, or not there.
    ///
    /// Errors: there is one already.
    pub fn create_file(path: &Path, archive: ArchiveId, at: Timestamp) -> Result<(), StoreError> {
        if path.exists() {
            return Err(StoreError::Exists {
                noun: "index",
                id: path.display().to_string(),
            });
        }
        if let Some(folder) = path.parent() {
            durable::create_folder(folder)?;
        }
        let temporary = durable::temporary_name(path)?;
        // What an interrupted creation left behind, with its journals.
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut name = temporary.clone().into_os_string();
            name.push(suffix);
            durable::remove(Path::new(&name))?;
        }
        // Made empty first, for its mode: the journals beside it get the same.
        durable::create(&temporary, b"")?;
        fill(&temporary, archive, at).map_err(StoreError::sql("make the tables"))?;
        std::fs::rename(&temporary, path).map_err(StoreError::io("name", path.display()))?;
        durable::sync_folder(path.parent().unwrap_or_else(|| Path::new("")))
    }

    /// Opens an index.
    ///
    /// Errors: there is none; it is another program's; its schema is not the one that this
    /// program writes (migrating is an act of its own, never a side effect of opening).
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::NotFound {
                noun: "index",
                id: path.display().to_string(),
            });
        }
        let opened = StoreError::sql("open the file");
        let connection = connect(path).map_err(&opened)?;
        let foreign = |why: &str| StoreError::Foreign {
            place: path.display().to_string(),
            why: why.into(),
        };
        let application: i64 = connection
            .query_row(sql::APPLICATION_ID, [], |row| row.get(0))
            .map_err(&opened)?;
        let has_schema: i64 = connection
            .query_row(sql::HAS_SCHEMA, [], |row| row.get(0))
            .map_err(&opened)?;
        if application != sql::APPLICATION_ID_VALUE || has_schema == 0 {
            return Err(foreign("is not an index of voicelog"));
        }
        let found: i64 = connection
            .query_row(sql::SCHEMA_VERSION, [], |row| row.get(0))
            .map_err(&opened)?;
        if found > SCHEMA_VERSION {
            return Err(StoreError::NewerSchema {
                found,
                known: SCHEMA_VERSION,
            });
        }
        if found < SCHEMA_VERSION {
            return Err(foreign(
                "was made by an older voicelog: start the server once, which brings it up to date",
            ));
        }
        let archive = connection
            .query_row(sql::SETTING, [ARCHIVE_SETTING], |row| row.get(0))
            .optional()
            .map_err(&opened)?
            .ok_or_else(|| foreign("names no archive"))?;
        Ok(Self {
            path: path.to_path_buf(),
            archive: ArchiveId(archive),
            writer: Group::new(connection),
            readers: Mutex::new(Vec::new()),
        })
    }

    /// Runs one writing transaction. It is durable when this returns `Ok`, and nothing of it is
    /// there when this returns an error.
    fn write<T>(
        &self,
        doing: &'static str,
        act: impl FnOnce(&Savepoint<'_>) -> Result<T, Fail>,
    ) -> Result<T, StoreError> {
        self.writer.write(doing, act)
    }

    /// Reads from the last commit.
    fn read<T>(
        &self,
        doing: &'static str,
        act: impl FnOnce(&Connection) -> Result<T, Fail>,
    ) -> Result<T, StoreError> {
        let idle = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path)
                .and_then(|new| new.execute_batch(sql::READ_ONLY).map(|()| new))
                .map_err(StoreError::sql(doing))?,
        };
        let result = act(&connection).map_err(|fail| fail.into_error(doing));
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE_READERS_MAX {
            readers.push(connection);
        }
        result
    }

    /// Moves everything from the write-ahead log into the database and cuts the log to nothing,
    /// so that no page from before a wipe is left in it.
    fn empty_journal(&self) -> Result<(), StoreError> {
        let is_blocked = self.writer.alone(|connection| {
            // While it waits for readers no other write can begin: so not for long, for the sake of
            // the calls that want to.
            let patience = |seconds| connection.busy_timeout(Duration::from_secs(seconds));
            let is_blocked: rusqlite::Result<i64> = patience(WIPE_SECONDS)
                .and_then(|()| connection.query_row(sql::EMPTY_JOURNAL, [], |row| row.get(0)));
            patience(BUSY_SECONDS).and(is_blocked)
        });
        let is_blocked = is_blocked.map_err(StoreError::sql("wipe old pages"))?;
        if is_blocked == 0 {
            Ok(())
        } else {
            Err(StoreError::NotWiped)
        }
    }
}

impl Index for SqliteIndex {
    fn archive(&self) -> ArchiveId {
        self.archive
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        self.read("check", |connection| {
            let mut findings: Vec<String> = values::rows(connection, sql::INTEGRITY, [], |row| {
                row.get(0)
            })?;
            findings.retain(|line| line != "ok");
            let dangling = values::rows(connection, sql::FOREIGN_KEYS, [], |row| {
                let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
                Ok(format!("a row of {table} refers to a row of {parent} that is not there"))
            })?;
            findings.extend(dangling);
            let (size, count, next): (i64, i64, i64) = connection.query_row(
                sql::LOG_COUNTS,
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
            if size != count || size != next {
                findings.push(format!(
                    "the log's head says {size} leaves, there are {count}, and the next would be {next}"
                ));
            }
            let stray: i64 = connection.query_row(sql::STRAY_ERASABLES, [], |row| row.get(0))?;
            if stray > 0 {
                findings.push(format!("{stray} sealed values belong to no row"));
            }
            Ok(findings)
        })
    }
}

impl crate::index::Settings for SqliteIndex {
    fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("read a setting", |connection| {
            Ok(values::first(connection, sql::SETTING, [name], |row| {
                row.get(0)
            })?)
        })
    }

    fn set_settings(&self, settings: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        if let Some((name, _)) = settings.iter().find(|(name, _)| name == ARCHIVE_SETTING) {
            return Err(StoreError::Invalid {
                what: "this setting never changes",
                value: name.clone(),
            });
        }
        self.write("change a setting", |transaction| {
            for setting in settings {
                values::run(transaction, sql::SET_SETTING, (&setting.0, &setting.1))?;
            }
            Ok(())
        })
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(BUSY_SECONDS))?;
    connection.execute_batch(sql::CONNECTION)?;
    // Without this, SQLite prepares a statement again for each new value that it is bound to.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn fill(path: &Path, archive: ArchiveId, at: Timestamp) -> rusqlite::Result<()> {
    let mut connection = connect(path)?;
    connection.query_row(sql::JOURNAL, [], |_| Ok(()))?;
    connection.execute_batch(sql::SET_APPLICATION_ID)?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(sql::SCHEMA)?;
    let program = concat!("voicelog ", env!("CARGO_PKG_VERSION"));
    transaction.execute(sql::INSERT_SCHEMA, (SCHEMA_VERSION, at.micros(), program))?;
    transaction.execute(sql::SET_SETTING, (ARCHIVE_SETTING, archive.0))?;
    transaction.commit()?;
    // Closing the last connection brings the log into the file and removes it.
    connection.close().map_err(|(_, error)| error)
}
