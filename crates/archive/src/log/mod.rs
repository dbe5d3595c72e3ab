//! The transparency log's writer: pending leaves get their place, and a checkpoint is signed.
//!
//! A leaf becomes pending in the same transaction as the row it speaks of, so nothing can happen
//! without its leaf. Giving it a place is a second step, which may be done by any process: it is a
//! compare-and-swap on the size of the log (INVARIANT 4).

mod papers;
mod public;
mod told;
mod vouching;

pub(crate) use papers::Stamping;
pub use papers::{BundlePapers, Stamper};
pub use voicelog_evidence::tlog::{Tile, TileKind};

use crate::error::Doing;
use crate::{Archive, ArchiveError, random};
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::tlog::{self, CompactRange, Leaf, LeafKind, TILE_HEIGHT};
use voicelog_model::Timestamp;
use voicelog_store::StoreError;
use voicelog_store::index::{PendingLeaf, SequencedLeaf, TileHash};

/// Leaves that get a place in one transaction at most.
const BATCH_MAX: usize = 1_000;
/// How often in a row a lost race for the log's head is run again before it is an error.
const RACES_MAX: usize = 20;

impl Archive {
    /// A leaf that says: this kind of thing happened to this object; the content behind it can be
    /// shown to match by whoever holds the salt.
    pub(crate) fn leaf(
        &self,
        kind: LeafKind,
        object: &str,
        salt: &[u8; 32],
        content_sha256: &[u8; 32],
        at: Timestamp,
    ) -> Result<PendingLeaf, ArchiveError> {
        let commitment = tlog::commitment(salt, content_sha256);
        let leaf = Leaf::new(kind, at, object.to_owned(), commitment);
        Ok(PendingLeaf {
            id: random::bytes()?,
            bytes: leaf.to_bytes()?,
        })
    }

    /// Gives every pending leaf its place and signs a checkpoint over the whole.
    pub fn sequence(&self) -> Result<(), ArchiveError> {
        let mut lost = 0;
        loop {
            match self.place() {
                Ok(true) => lost = 0,
                Ok(false) => return Ok(()),
                // Another process was faster; the next round starts from its head.
                Err(ArchiveError::Store {
                    source: StoreError::LogMoved { .. },
                    ..
                }) if lost < RACES_MAX => lost += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// One attempt: false if no leaf waits. Errors: [`StoreError::LogMoved`] if the race for the
    /// head was lost.
    fn place(&self) -> Result<bool, ArchiveError> {
        // The head first: leaves that another process places from here on move it, so whatever
        // is read after it, the race is lost and not half won.
        let head = self.index.log_head().doing("reading the log's head")?;
        let pending = self
            .index
            .pending_leaves(BATCH_MAX)
            .doing("reading pending leaves")?;
        if pending.is_empty() {
            return Ok(false);
        }
        let damaged = || ArchiveError::Corrupt {
            what: "the head of the log".to_owned(),
        };
        let mut range = if head.size == 0 {
            CompactRange::default()
        } else {
            CompactRange::from_bytes(&head.compact_range).map_err(|_range| damaged())?
        };
        if range.size() != head.size {
            return Err(damaged());
        }
        let (leaves, tiles) = placed(&mut range, pending);
        let signed = Checkpoint::sign(range.size(), range.root(), &self.secrets.signing_key)?;
        self.index
            .append_leaves(
                head.size,
                &leaves,
                &tiles,
                signed.as_bytes(),
                &range.to_bytes(),
            )
            .doing("appending to the log")?;
        Ok(true)
    }

    /// Leaves nothing to recover: pending leaves in the log, everything on disk in its final
    /// place. The last act of a clean stop (INVARIANT 7).
    pub fn settle(&self) -> Result<(), ArchiveError> {
        self.sequence()?;
        self.blobs.settle().doing("settling the blobs")
    }

    /// The current checkpoint, a C2SP signed note; `None` while the log is empty.
    pub fn checkpoint(&self) -> Result<Option<String>, ArchiveError> {
        let head = self.index.log_head().doing("reading the log's head")?;
        if head.size == 0 {
            return Ok(None);
        }
        String::from_utf8(head.checkpoint)
            .map(Some)
            .map_err(|_text| ArchiveError::Corrupt {
                what: "the checkpoint of the log".to_owned(),
            })
    }

    /// The key that checkpoints, bundles and certificates verify with (C2SP vkey text).
    #[must_use]
    pub fn verifier_key(&self) -> String {
        self.secrets.signing_key.verifier().to_string()
    }
}

/// Gives leaves their places in the tree, and tells the hashes of the tiles that they fill.
pub(crate) fn placed(
    range: &mut CompactRange,
    leaves: impl IntoIterator<Item = PendingLeaf>,
) -> (Vec<SequencedLeaf>, Vec<TileHash>) {
    let mut tiles = Vec::new();
    let mut place = |PendingLeaf { id, bytes }| {
        let hash = tlog::leaf_hash(&bytes);
        range.append_seen(hash, |height, place, hash| {
            if height % TILE_HEIGHT == 0
                && let Ok(level) = u8::try_from(height / TILE_HEIGHT)
            {
                tiles.push(TileHash { level, place, hash });
            }
        });
        SequencedLeaf { id, bytes, hash }
    };
    let leaves = leaves.into_iter().map(&mut place).collect();
    (leaves, tiles)
}
