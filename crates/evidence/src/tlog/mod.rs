//! The transparency log: a Merkle tree that only grows (RFC 6962 §2.1).
//!
//! **Invariant:** a leaf holds a salted commitment, an id and a type, and never personal data: it
//! can never be repaired.

mod compact;
mod leaf;
mod proof;
mod stored;
mod tiles;

pub use compact::CompactRange;
pub use leaf::{Leaf, LeafKind, commitment};
pub use proof::{
    consistency_proof, inclusion_proof, root_of, verify_consistency, verify_inclusion,
};
pub use stored::{
    Spans, StoredTree, TILE_HEIGHT, TILE_WIDTH, stored_consistency_proof, stored_inclusion_proof,
    stored_root,
};
pub use tiles::{Tile, TileKind, bundle_entries, last_moment, read_entries, tiles_of};

use crate::digest::sha256_of;
use crate::hashing::Hashing;
use voicelog_model::Kind;

/// Root of a tree without leaves: the hash of nothing (RFC 6962 §2.1).
pub const EMPTY_ROOT: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Hash of a leaf (RFC 6962 §2.1): SHA-256(0 ‖ content).
#[must_use]
pub fn leaf_hash(content: &[u8]) -> [u8; 32] {
    sha256_of(&[&[0], content])
}

/// Hash of a node (RFC 6962 §2.1): SHA-256(1 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    sha256_of(&[&[1], left, right])
}

/// The same, not finished yet.
fn node_hashing(left: &[u8; 32], right: &[u8; 32]) -> Hashing {
    Hashing::new().with(&[1]).with(left).with(right)
}

/// The whole subtrees that leaves `first` to `first + count` fall into, from left to right: the number
/// of leaves of each, as a power of two. Each starts at a multiple of its size.
pub(crate) fn whole_subtrees(first: u64, count: u64) -> impl Iterator<Item = u32> {
    let (mut at, mut rest) = (first, count);
    std::iter::from_fn(move || {
        let fits = rest.checked_ilog2()?;
        let level = at.trailing_zeros().min(fits);
        at = at.wrapping_add(1 << level);
        rest -= 1 << level;
        Some(level)
    })
}

/// Why a proof cannot be made, or does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlogError {
    /// The leaf or the size lies outside the tree.
    #[error("the tree has no such leaf or size")]
    OutOfRange,
    /// Too few or too many hashes for that place.
    #[error("the proof has the wrong number of hashes")]
    ProofLength,
    /// It leads to another root.
    #[error("the proof leads to another root")]
    RootMismatch,
    /// Bytes that are no compact range.
    #[error("these bytes are no tree state")]
    MalformedState,
    /// A leaf that is not in canonical form, or of an unknown kind or version.
    #[error("this is no log leaf that this program knows")]
    MalformedLeaf,
    /// A name or content that is no tile.
    #[error("this is no tile of a log")]
    MalformedTile,
}

impl TlogError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::OutOfRange => Kind::Invalid,
            Self::ProofLength | Self::RootMismatch | Self::MalformedState | Self::MalformedLeaf => {
                Kind::Corrupt
            }
            Self::MalformedTile => Kind::Invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;

    #[test]
    fn the_empty_root_is_the_hash_of_nothing() {
        assert_eq!(EMPTY_ROOT, sha256(b""));
    }
}
