//! The rows under the transparency log.

use super::recordings::{not_now, require_not_ending, require_state};
use super::values::{Columns as _, Fail, first, integer, limit, rows, run};
use super::{SqliteIndex, sql};
use crate::StoreError;
use crate::folder::hex;
use crate::index::{
    CosignedRow, Hash, LeafId, LeafRow, LogHead, LogRows, PendingLeaf, SequencedLeaf, State,
    TileHash, TimestampRow,
};
use rusqlite::{Connection, Row, Savepoint};
use voicelog_model::RecordingId;

impl LogRows for SqliteIndex {
    fn queue_leaf(&self, leaf: &PendingLeaf) -> Result<(), StoreError> {
        self.write("queue a leaf", |transaction| queue(transaction, leaf))
    }

    fn queue_leaf_of(&self, recording: RecordingId, leaf: &PendingLeaf) -> Result<(), StoreError> {
        self.write("queue a leaf", |transaction| {
            require_not_ending(transaction, recording, "be opened")?;
            let state = require_state(transaction, recording)?;
            if matches!(state, State::SoundDestroying | State::WithoutSound) {
                return Err(not_now(recording, state, "be opened").into());
            }
            queue(transaction, leaf)
        })
    }

    fn queue_leaf_once(
        &self,
        name: &str,
        value: &[u8],
        leaf: &PendingLeaf,
    ) -> Result<bool, StoreError> {
        self.write("queue a leaf once", |transaction| {
            if mark(transaction, name)?.as_deref() == Some(value) {
                return Ok(false);
            }
            queue(transaction, leaf)?;
            run(transaction, sql::SET_LOG_MARK, (name, value))?;
            Ok(true)
        })
    }

    fn log_mark(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("read what the log was told", |connection| {
            mark(connection, name)
        })
    }

    fn pending_leaves(&self, rows_max: usize) -> Result<Vec<PendingLeaf>, StoreError> {
        self.read("read waiting leaves", |connection| {
            Ok(rows(
                connection,
                sql::PENDING_LEAVES,
                [limit(rows_max)],
                |row| {
                    Ok(PendingLeaf {
                        id: row.get(0)?,
                        bytes: row.get(1)?,
                    })
                },
            )?)
        })
    }

    fn append_leaves(
        &self,
        expected_size: u64,
        leaves: &[SequencedLeaf],
        tiles: &[TileHash],
        checkpoint: &[u8],
        compact_range: &[u8],
    ) -> Result<(), StoreError> {
        self.write("append to the log", |transaction| {
            let found = head(transaction)?.size;
            if found != expected_size {
                return Err(StoreError::LogMoved {
                    expected: expected_size,
                    found,
                }
                .into());
            }
            let mut size = expected_size;
            for leaf in leaves {
                // The bytes are compared too: what waited is what was hashed.
                if run(transaction, sql::TAKE_PENDING, (leaf.id, &leaf.bytes))? != 1 {
                    let what = format!("leaf for place {size}");
                    return Err(
                        StoreError::corrupt(what, "it does not wait with these bytes").into(),
                    );
                }
                let values = (integer(size), leaf.id, &leaf.bytes, leaf.hash);
                run(transaction, sql::INSERT_LEAF, values)?;
                size = size.saturating_add(1);
            }
            insert_tiles(transaction, tiles)?;
            run(
                transaction,
                sql::SET_LOG_HEAD,
                (integer(size), checkpoint, compact_range),
            )?;
            Ok(())
        })
    }

    fn log_head(&self) -> Result<LogHead, StoreError> {
        self.read("read the head of the log", head)
    }

    fn leaf(&self, index: u64) -> Result<Option<LeafRow>, StoreError> {
        self.read("read a leaf", |connection| {
            Ok(first(connection, sql::LEAF, [integer(index)], read_row)?)
        })
    }

    fn leaf_index_of(&self, id: LeafId) -> Result<Option<u64>, StoreError> {
        self.read("find a leaf", |connection| {
            Ok(first(connection, sql::LEAF_INDEX, [id], |row| {
                row.count(0)
            })?)
        })
    }

    fn leaf_hashes(&self, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
        self.read("read leaf hashes", |connection| {
            let values = (integer(from), integer(to));
            Ok(rows(connection, sql::LEAF_HASHES, values, |row| {
                row.get(0)
            })?)
        })
    }

    fn tile_hashes(&self, level: u8, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
        self.read("read tiles of the log", |connection| {
            let values = (level, integer(from), integer(to));
            Ok(rows(connection, sql::TILE_HASHES, values, |row| {
                row.get(0)
            })?)
        })
    }

    fn add_tiles(&self, tiles: &[TileHash]) -> Result<(), StoreError> {
        self.write("add tiles of the log", |transaction| {
            insert_tiles(transaction, tiles)
        })
    }

    fn set_cosigned(&self, cosigned: &CosignedRow) -> Result<(), StoreError> {
        self.write("keep a checkpoint with witnesses", |transaction| {
            let values = (integer(cosigned.size), &cosigned.checkpoint);
            run(transaction, sql::SET_COSIGNED, values)?;
            Ok(())
        })
    }

    fn cosigned(&self) -> Result<Option<CosignedRow>, StoreError> {
        self.read("read the checkpoint with witnesses", |connection| {
            Ok(first(connection, sql::COSIGNED, [], |row| {
                Ok(CosignedRow {
                    size: row.count(0)?,
                    checkpoint: row.get(1)?,
                })
            })?)
        })
    }

    fn add_timestamp(&self, timestamp: &TimestampRow) -> Result<(), StoreError> {
        self.write("keep a timestamp", |transaction| {
            let values = (
                integer(timestamp.size),
                timestamp.at.micros(),
                &timestamp.checkpoint,
                &timestamp.token,
            );
            run(transaction, sql::INSERT_TIMESTAMP, values)?;
            Ok(())
        })
    }

    fn timestamps(&self, rows_max: usize) -> Result<Vec<TimestampRow>, StoreError> {
        self.read("read timestamps", |connection| {
            let values = [limit(rows_max)];
            Ok(rows(connection, sql::TIMESTAMPS, values, read_timestamp)?)
        })
    }

    fn timestamp_over(&self, place: u64) -> Result<Option<TimestampRow>, StoreError> {
        self.read("read a timestamp", |connection| {
            let values = [integer(place)];
            Ok(first(
                connection,
                sql::TIMESTAMP_OVER,
                values,
                read_timestamp,
            )?)
        })
    }

    fn leaves(&self, from: u64, rows_max: usize) -> Result<Vec<LeafRow>, StoreError> {
        self.read("read leaves", |connection| {
            Ok(rows(
                connection,
                sql::LEAVES,
                (integer(from), limit(rows_max)),
                read_row,
            )?)
        })
    }
}

/// Queues a leaf inside the transaction that it tells of.
/// Whether the log has the leaf.
pub(super) fn is_known(transaction: &Savepoint<'_>, leaf: &PendingLeaf) -> Result<bool, Fail> {
    let count = first(transaction, sql::LEAF_IS_KNOWN, [leaf.id], |row| {
        row.count(0)
    })?;
    Ok(count != Some(0))
}

pub(super) fn queue(transaction: &Savepoint<'_>, leaf: &PendingLeaf) -> Result<(), Fail> {
    if is_known(transaction, leaf)? {
        let id = hex(&leaf.id);
        return Err(StoreError::Exists { noun: "leaf", id }.into());
    }
    run(transaction, sql::INSERT_PENDING, (leaf.id, &leaf.bytes))?;
    Ok(())
}

fn mark(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, Fail> {
    Ok(first(connection, sql::LOG_MARK, [name], |row| row.get(0))?)
}

fn insert_tiles(transaction: &Savepoint<'_>, tiles: &[TileHash]) -> Result<(), Fail> {
    for tile in tiles {
        let values = (tile.level, integer(tile.place), tile.hash);
        run(transaction, sql::INSERT_TILE, values)?;
    }
    Ok(())
}

fn read_timestamp(row: &Row<'_>) -> rusqlite::Result<TimestampRow> {
    Ok(TimestampRow {
        size: row.count(0)?,
        at: row.moment(1)?,
        checkpoint: row.get(2)?,
        token: row.get(3)?,
    })
}

pub(super) fn head(connection: &Connection) -> Result<LogHead, Fail> {
    let found = first(connection, sql::LOG_HEAD, [], |row| {
        Ok(LogHead {
            size: row.count(0)?,
            checkpoint: row.get(1)?,
            compact_range: row.get(2)?,
        })
    })?;
    found.ok_or_else(|| StoreError::corrupt("the log", "it has no head").into())
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<LeafRow> {
    Ok(LeafRow {
        index: row.count(0)?,
        id: row.get(1)?,
        bytes: row.get(2)?,
        hash: row.get(3)?,
    })
}
