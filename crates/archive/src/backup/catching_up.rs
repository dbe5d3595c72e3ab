//! The log of a backup, brought up to what lists of destructions have of it; and whether they are of one log at all.

use super::{BackupError, DestroyedList};
use crate::ArchiveError;
use crate::error::Doing;
use std::collections::BTreeSet;
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::tlog::CompactRange;
use voicelog_store::Index;
use voicelog_store::index::{PendingLeaf, SequencedLeaf, TileHash};

/// How messages call a list.
const LIST: &str = "a list of destructions";
/// Hashes of leaves read at a time.
const HASHES_MAX: u64 = 10_000;

/// What a list has behind the log that is here: it gives the tree that was signed.
pub(super) struct Continuation {
    /// Entries that are here.
    size: u64,
    new: Vec<SequencedLeaf>,
    tiles: Vec<TileHash>,
    range: CompactRange,
}

/// What a list has behind the log that is here; nothing where it begins later, or ends no later.
///
/// # Errors
/// [`BackupError::Fork`]: it is of another log.
pub(super) fn continuation(
    index: &dyn Index,
    list: &DestroyedList,
) -> Result<Option<Continuation>, BackupError> {
    let (from, leaves, checkpoint) = list.log();
    let head = index.log_head().doing("reading the log's head")?;
    let Some(checkpoint) = checkpoint.filter(|_| from <= head.size) else {
        return Ok(None);
    };
    if checkpoint.size <= head.size {
        must_agree(index, checkpoint, LIST)?;
        return Ok(None);
    }
    let damaged = || ArchiveError::Corrupt {
        what: "the head of the log".to_owned(),
    };
    let mut range = match head.size {
        0 => CompactRange::default(),
        _ => CompactRange::from_bytes(&head.compact_range).map_err(|_range| damaged())?,
    };
    let skip = usize::try_from(head.size - from).unwrap_or(usize::MAX);
    let (new, tiles) = crate::log::placed(&mut range, leaves.iter().skip(skip).cloned());
    if range.size() != checkpoint.size || range.root() != checkpoint.root {
        return Err(BackupError::Fork {
            what: LIST,
            size: checkpoint.size,
        });
    }
    Ok(Some(Continuation {
        size: head.size,
        new,
        tiles,
        range,
    }))
}

/// Adds the entries of a list behind those that are here.
pub(super) fn catch_up(index: &dyn Index, list: &DestroyedList) -> Result<(), BackupError> {
    let Some(more) = continuation(index, list)? else {
        return Ok(());
    };
    let waiting = index.pending_leaves(usize::MAX);
    let waiting = waiting.doing("reading pending leaves")?;
    let waiting: BTreeSet<_> = waiting.into_iter().map(|leaf| leaf.id).collect();
    for leaf in more.new.iter().filter(|leaf| !waiting.contains(&leaf.id)) {
        let leaf = PendingLeaf {
            id: leaf.id,
            bytes: leaf.bytes.clone(),
        };
        index.queue_leaf(&leaf).doing("taking over the log")?;
    }
    let signed = list.signed_checkpoint().as_bytes();
    let range = more.range.to_bytes();
    index
        .append_leaves(more.size, &more.new, &more.tiles, signed, &range)
        .doing("taking over the log")?;
    Ok(())
}

/// A checkpoint is of this log, as far as this log goes.
pub(super) fn must_agree(
    index: &dyn Index,
    checkpoint: &Checkpoint,
    what: &'static str,
) -> Result<(), BackupError> {
    let size = checkpoint.size;
    if size > index.log_head().doing("reading the log's head")?.size {
        return Ok(());
    }
    let mut range = CompactRange::default();
    while range.size() < size {
        let to = size.min(range.size() + HASHES_MAX);
        let hashes = index.leaf_hashes(range.size(), to);
        let hashes = hashes.doing("reading the log")?;
        if hashes.is_empty() {
            break;
        }
        for hash in hashes {
            range.append(hash);
        }
    }
    if range.size() == size && range.root() == checkpoint.root {
        Ok(())
    } else {
        Err(BackupError::Fork { what, size })
    }
}
