//! Between Rust values and SQLite's.

use super::{ROWS_MAX, sql};
use crate::StoreError;
use crate::index::State;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type, ValueRef};
use rusqlite::{Connection, Params, Row, Savepoint};
use std::sync::Arc;
use voicelog_model::{DecisionId, DestructionId, RecordingId, Scope, Timestamp};

/// Why a transaction stops: the database's reason or ours. [`Self::into_error`] names the act.
#[derive(Debug)]
pub(super) enum Fail {
    Sql(Arc<rusqlite::Error>),
    Store(StoreError),
}

impl Fail {
    pub(super) fn into_error(self, doing: &'static str) -> StoreError {
        match self {
            Self::Sql(source) => StoreError::Sql { doing, source },
            Self::Store(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Fail {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(Arc::new(error))
    }
}

impl From<StoreError> for Fail {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Runs a statement; gives the number of rows it changed.
pub(super) fn run(
    transaction: &Savepoint<'_>,
    statement: &str,
    params: impl Params,
) -> rusqlite::Result<usize> {
    transaction.prepare_cached(statement)?.execute(params)
}

/// The first row, if there is one.
pub(super) fn first<T>(
    connection: &Connection,
    statement: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// Every row.
pub(super) fn rows<T>(
    connection: &Connection,
    statement: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection
        .prepare_cached(statement)?
        .query_map(params, read)?
        .collect()
}

/// A limit as SQLite takes it.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows.min(ROWS_MAX)).unwrap_or(i64::MAX)
}

/// A place, size or count as SQLite takes it. Places beyond what it can hold hold nothing.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Adds a value that can be wiped; gives the number that refers to it. An empty one needs none.
pub(super) fn insert_erasable(
    transaction: &Savepoint<'_>,
    bytes: &[u8],
) -> rusqlite::Result<Option<i64>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    run(transaction, sql::INSERT_ERASABLE, [bytes])?;
    Ok(Some(transaction.last_insert_rowid()))
}

/// Columns by place, as the types of the house.
pub(super) trait Columns {
    fn recording(&self, column: usize) -> rusqlite::Result<RecordingId>;
    fn decision(&self, column: usize) -> rusqlite::Result<DecisionId>;
    fn destruction(&self, column: usize) -> rusqlite::Result<DestructionId>;
    fn scope(&self, column: usize) -> rusqlite::Result<Scope>;
    fn moment(&self, column: usize) -> rusqlite::Result<Timestamp>;
    fn moment_or_none(&self, column: usize) -> rusqlite::Result<Option<Timestamp>>;
    fn count(&self, column: usize) -> rusqlite::Result<u64>;
    /// A sealed value; empty once it is wiped.
    fn sealed(&self, column: usize) -> rusqlite::Result<Vec<u8>>;
}

impl Columns for Row<'_> {
    fn recording(&self, column: usize) -> rusqlite::Result<RecordingId> {
        self.get(column).map(RecordingId::from_bytes)
    }

    fn decision(&self, column: usize) -> rusqlite::Result<DecisionId> {
        self.get(column).map(DecisionId::from_bytes)
    }

    fn destruction(&self, column: usize) -> rusqlite::Result<DestructionId> {
        self.get(column).map(DestructionId::from_bytes)
    }

    fn scope(&self, column: usize) -> rusqlite::Result<Scope> {
        let word: String = self.get(column)?;
        let found = Scope::from_word(&word).ok_or(FromSqlError::InvalidType);
        found.map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
        })
    }

    fn moment(&self, column: usize) -> rusqlite::Result<Timestamp> {
        self.get(column).map(Timestamp::from_micros)
    }

    fn moment_or_none(&self, column: usize) -> rusqlite::Result<Option<Timestamp>> {
        self.get::<_, Option<i64>>(column)
            .map(|micros| micros.map(Timestamp::from_micros))
    }

    fn count(&self, column: usize) -> rusqlite::Result<u64> {
        let value: i64 = self.get(column)?;
        u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
    }

    fn sealed(&self, column: usize) -> rusqlite::Result<Vec<u8>> {
        self.get::<_, Option<Vec<u8>>>(column)
            .map(Option::unwrap_or_default)
    }
}

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_word(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}
