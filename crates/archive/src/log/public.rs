//! The log as it is shown to anybody: proofs, tiles, checkpoints. None of it holds personal data.

use crate::error::Doing;
use crate::{Archive, ArchiveError};
use voicelog_evidence::checkpoint::TlogProof;
use voicelog_evidence::receipt::Receipt;
use voicelog_evidence::tlog::{
    self, Leaf, Spans, StoredTree, TILE_WIDTH, Tile, TileKind, TlogError, bundle_entries, root_of,
};
use voicelog_model::{RecordingId, Scope};
use voicelog_store::index::{LeafId, TileHash};

/// Tiles that are filled in at once in an index that has none yet.
const FILLED_AT_ONCE: u64 = 64;

/// The tree as the index holds it.
pub(crate) struct Tree<'a>(&'a Archive);

impl StoredTree for Tree<'_> {
    type Error = ArchiveError;

    fn hashes(&self, level: u32, from: u64, count: u64) -> Result<Vec<[u8; 32]>, ArchiveError> {
        let to = from.saturating_add(count);
        let index = &self.0.index;
        let Some(level @ 1..) = u8::try_from(level).ok() else {
            return index.leaf_hashes(from, to).doing("reading the log");
        };
        let kept = index
            .tile_hashes(level, from, to)
            .doing("reading the log")?;
        if u64::try_from(kept.len()) == Ok(count) {
            return Ok(kept);
        }
        // An index of an older program, of which the server has not filled in the tiles yet.
        (from..to)
            .map(|place| {
                let first = place.checked_mul(TILE_WIDTH).ok_or(TlogError::OutOfRange)?;
                let below = self.hashes(u32::from(level) - 1, first, TILE_WIDTH)?;
                if u64::try_from(below.len()) == Ok(TILE_WIDTH) {
                    Ok(root_of(&below))
                } else {
                    Err(TlogError::OutOfRange.into())
                }
            })
            .collect()
    }
}

impl Archive {
    /// A leaf, and the proof that it is in the log: under the newest checkpoint that witnesses signed,
    /// if that has it; else under the newest of all.
    pub(crate) fn proof_of(
        &self,
        leaf: LeafId,
        id: RecordingId,
    ) -> Result<(Vec<u8>, TlogProof), ArchiveError> {
        let mut one = self.proofs_of(&[(leaf, id)])?;
        one.pop().ok_or_else(|| missing_entry(id))
    }

    /// The same of several leaves, with the recordings that they are about: what their proofs share is read once.
    pub(crate) fn proofs_of(
        &self,
        leaves: &[(LeafId, RecordingId)],
    ) -> Result<Vec<(Vec<u8>, TlogProof)>, ArchiveError> {
        let place = |(leaf, id): &(LeafId, RecordingId)| {
            let found = self.index.leaf_index_of(*leaf);
            let found = found.doing("looking in the log")?;
            found.ok_or_else(|| missing_entry(*id))
        };
        let places: Result<Vec<u64>, ArchiveError> = leaves.iter().map(place).collect();
        let places = places?;
        // After the places, so that the newest checkpoint is over all of them.
        let cosigned = self.index.cosigned();
        let cosigned = cosigned.doing("reading the checkpoint with witnesses")?;
        let head = self.index.log_head().doing("reading the log's head")?;
        let mut known = Spans::new();
        let proof = |(index, (_, id)): (u64, &(LeafId, RecordingId))| {
            let missing = || missing_entry(*id);
            let leaf = self.index.leaf(index).doing("reading a leaf")?;
            let leaf = leaf.ok_or_else(missing)?;
            let (size, checkpoint) = match &cosigned {
                Some(row) if row.size > index => (row.size, &row.checkpoint),
                _ => (head.size, &head.checkpoint),
            };
            let hashes = tlog::stored_inclusion_proof(&Tree(self), index, size, &mut known)?;
            let checkpoint = String::from_utf8(checkpoint.clone());
            let proof = TlogProof {
                index,
                hashes,
                checkpoint: checkpoint.map_err(|_text| missing())?,
            };
            Ok((leaf.bytes, proof))
        };
        places.into_iter().zip(leaves).map(proof).collect()
    }

    /// The receipt of a recording, as text: its leaf, and the proof that the log has it. None as long as the
    /// log does not.
    pub fn receipt(&self, id: RecordingId) -> Result<Option<String>, ArchiveError> {
        let Some(leaf) = self.row(id)?.leaf else {
            return Ok(None);
        };
        let index = self.index.leaf_index_of(leaf);
        let damaged = || missing_entry(id);
        if index.doing("looking in the log")?.is_none() {
            return Ok(None);
        }
        let (leaf, proof) = self.proof_of(leaf, id)?;
        let receipt = Receipt {
            leaf: Leaf::from_bytes(&leaf).map_err(|_leaf| damaged())?,
            key: self.secrets.signing_key.verifier(),
            proof,
        };
        receipt.text().map(Some).map_err(|_text| damaged())
    }

    /// The tree as it is stored.
    pub(crate) const fn tree(&self) -> Tree<'_> {
        Tree(self)
    }

    /// The proof that a recording is in the log. Errors: [`ArchiveError::NotFound`] if nothing of it
    /// is in the log yet.
    pub fn prove(&self, id: RecordingId) -> Result<(Vec<u8>, TlogProof), ArchiveError> {
        self.sequence()?;
        let row = self.row(id)?;
        let leaf = match self.destruction_leaf(id, Scope::Whole) {
            Ok(leaf) => leaf,
            Err(_not_destroyed) => row.leaf.ok_or(ArchiveError::NotFound(id))?,
        };
        self.proof_of(leaf, id)
    }

    /// Hashes that show that the log of `old` leaves is the beginning of the log of `new` leaves.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<[u8; 32]>, ArchiveError> {
        if new > self.log_size()? {
            return Err(TlogError::OutOfRange.into());
        }
        tlog::stored_consistency_proof(&Tree(self), old, new)
    }

    /// Root of the tree over the first leaves of the log.
    pub fn root_at(&self, size: u64) -> Result<[u8; 32], ArchiveError> {
        if size > self.log_size()? {
            return Err(TlogError::OutOfRange.into());
        }
        tlog::stored_root(&Tree(self), size)
    }

    /// A tile of the log as anybody may fetch it; `None` where the log is not that long.
    pub fn tile(&self, tile: &Tile) -> Result<Option<Vec<u8>>, ArchiveError> {
        if !tile.is_in(self.log_size()?) {
            return Ok(None);
        }
        let first = tile.first()?;
        match tile.kind {
            TileKind::Hashes(level) => {
                let hashes = Tree(self).hashes(level, first, tile.width)?;
                Ok(Some(hashes.concat()))
            }
            TileKind::Entries => {
                let width = usize::try_from(tile.width).unwrap_or(0);
                let leaves = self.leaves(first, width)?;
                let bytes = leaves.iter().map(|leaf| &leaf.bytes[..]);
                Ok(Some(bundle_entries(bytes)?))
            }
        }
    }

    /// The checkpoint that anybody may fetch: the newest that witnesses signed where there is one, so
    /// that everybody sees a log that others watch; else the newest.
    pub fn published_checkpoint(&self) -> Result<Option<String>, ArchiveError> {
        let cosigned = self.index.cosigned();
        match cosigned.doing("reading the checkpoint with witnesses")? {
            Some(row) => text_of(row.checkpoint).map(Some),
            None => self.checkpoint(),
        }
    }

    /// Fills in the tiles of an index that an older program made. Only for the process that holds the
    /// server lock.
    pub(crate) fn fill_tiles(&self) -> Result<(), ArchiveError> {
        let size = self.log_size()?;
        for level in 1..=7_u8 {
            let whole = size >> (8 * u32::from(level));
            let Some(last) = whole.checked_sub(1) else {
                return Ok(());
            };
            let there = self.index.tile_hashes(level, last, whole);
            if !there.doing("reading the log")?.is_empty() {
                continue;
            }
            for from in (0..whole).step_by(usize::try_from(FILLED_AT_ONCE).unwrap_or(1)) {
                let count = FILLED_AT_ONCE.min(whole - from);
                let hashes = Tree(self).hashes(u32::from(level), from, count)?;
                let tiles: Vec<_> = (from..)
                    .zip(hashes)
                    .map(|(place, hash)| TileHash { level, place, hash })
                    .collect();
                self.index.add_tiles(&tiles).doing("filling in the log")?;
            }
        }
        Ok(())
    }
}

fn missing_entry(id: RecordingId) -> ArchiveError {
    ArchiveError::Corrupt {
        what: format!("the log entry of {id}"),
    }
}

fn damaged_head() -> ArchiveError {
    ArchiveError::Corrupt {
        what: "the checkpoint of the log".to_owned(),
    }
}

fn text_of(note: Vec<u8>) -> Result<String, ArchiveError> {
    String::from_utf8(note).map_err(|_text| damaged_head())
}
