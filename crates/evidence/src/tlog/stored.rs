//! Proofs from a tree that is stored by tiles: a proof reads a few tiles and never the whole log.

use super::{TlogError, node_hash, root_of};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Levels of a binary tree that one tile spans.
pub const TILE_HEIGHT: u32 = 8;
/// Hashes in a full tile.
pub const TILE_WIDTH: u64 = 256;

/// Where the hashes of a tree are kept.
pub trait StoredTree {
    /// What can go wrong.
    type Error: From<TlogError>;

    /// Hashes at one level of tiles, in order: at level 0 of leaves, at level L of subtrees of 256^L
    /// leaves. Exactly `count` of them from place `from`, at most 256. Only whole subtrees are asked for.
    fn hashes(&self, level: u32, from: u64, count: u64) -> Result<Vec<[u8; 32]>, Self::Error>;
}

/// Root of the tree over the first `size` leaves.
pub fn stored_root<T: StoredTree + ?Sized>(tree: &T, size: u64) -> Result<[u8; 32], T::Error> {
    if size == 0 {
        return Ok(super::EMPTY_ROOT);
    }
    span(tree, 0, size)
}

/// Hashes over leaves `start..end` that are known, by start and end. Of a log that only grows they stay.
pub type Spans = BTreeMap<(u64, u64), [u8; 32]>;

/// As [`inclusion_proof`](super::inclusion_proof), of a stored tree. What is `known` is not read again, and what was
/// read is known.
pub fn stored_inclusion_proof<T: StoredTree + ?Sized>(
    tree: &T,
    index: u64,
    size: u64,
    known: &mut Spans,
) -> Result<Vec<[u8; 32]>, T::Error> {
    if index >= size {
        return Err(TlogError::OutOfRange.into());
    }
    let mut beside = |start, end| match known.entry((start, end)) {
        Entry::Occupied(entry) => Ok(*entry.get()),
        Entry::Vacant(entry) => span(tree, start, end).map(|hash| *entry.insert(hash)),
    };
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    // Downwards, so the root's child comes first; turned round at the end.
    while end - start > 1 {
        let middle = start + left_part(end - start);
        if index < middle {
            proof.push(beside(middle, end)?);
            end = middle;
        } else {
            proof.push(beside(start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// As [`consistency_proof`](super::consistency_proof), of a stored tree.
pub fn stored_consistency_proof<T: StoredTree + ?Sized>(
    tree: &T,
    old: u64,
    new: u64,
) -> Result<Vec<[u8; 32]>, T::Error> {
    if old > new {
        return Err(TlogError::OutOfRange.into());
    }
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    let (mut start, mut end, mut known) = (0, new, true);
    // SUBPROOF of RFC 6962 §2.1.2, downwards.
    while old != end {
        let middle = start + left_part(end - start);
        if old <= middle {
            proof.push(span(tree, middle, end)?);
            end = middle;
        } else {
            proof.push(span(tree, start, middle)?);
            (start, known) = (middle, false);
        }
    }
    if !known {
        proof.push(span(tree, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The largest power of two below `count`, which is two or more.
const fn left_part(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

/// Hash over the leaves `start..end`, not none, where `start` is the edge of a subtree as large as theirs.
fn span<T: StoredTree + ?Sized>(tree: &T, start: u64, end: u64) -> Result<[u8; 32], T::Error> {
    let mut parts = Vec::new();
    let mut at = start;
    while at < end {
        let height = (end - at).ilog2();
        parts.push(subtree(tree, height, at >> height)?);
        at += 1 << height;
    }
    let joined = parts
        .into_iter()
        .rev()
        .reduce(|right, left| node_hash(&left, &right));
    joined.ok_or_else(|| TlogError::OutOfRange.into())
}

/// Hash of a whole subtree, from the tile that it lies in.
fn subtree<T: StoredTree + ?Sized>(
    tree: &T,
    height: u32,
    place: u64,
) -> Result<[u8; 32], T::Error> {
    let within = height % TILE_HEIGHT;
    let count = 1 << within;
    let hashes = tree.hashes(height / TILE_HEIGHT, place << within, count)?;
    if u64::try_from(hashes.len()) == Ok(count) {
        Ok(root_of(&hashes))
    } else {
        Err(TlogError::OutOfRange.into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CompactRange, consistency_proof, inclusion_proof, leaf_hash};
    use super::*;
    use std::cell::Cell;
    use std::collections::BTreeMap;

    /// Leaves and the tiles over them, and how many hashes were read.
    struct Tiles {
        hashes: BTreeMap<(u32, u64), [u8; 32]>,
        leaves: Vec<[u8; 32]>,
        read: Cell<u64>,
    }

    impl Tiles {
        fn of(count: u64) -> Self {
            let mut range = CompactRange::new();
            let (mut hashes, mut leaves) = (BTreeMap::new(), Vec::new());
            for place in 0..count {
                let leaf = leaf_hash(&place.to_be_bytes());
                leaves.push(leaf);
                hashes.insert((0, place), leaf);
                range.append_seen(leaf, |height, place, hash| {
                    if height % TILE_HEIGHT == 0 {
                        hashes.insert((height / TILE_HEIGHT, place), hash);
                    }
                });
            }
            Self {
                hashes,
                leaves,
                read: Cell::new(0),
            }
        }
    }

    impl StoredTree for Tiles {
        type Error = TlogError;
        fn hashes(&self, level: u32, from: u64, count: u64) -> Result<Vec<[u8; 32]>, TlogError> {
            assert!(count <= TILE_WIDTH);
            self.read.set(self.read.get() + count);
            let kept = |place| self.hashes.get(&(level, place)).copied();
            (from..from + count)
                .map(|place| kept(place).ok_or(TlogError::OutOfRange))
                .collect()
        }
    }

    #[test]
    fn proofs_from_tiles_are_those_from_all_leaves() {
        let tree = Tiles::of(1_100);
        for size in (0..30).chain([255, 256, 257, 511, 512, 513, 1_023, 1_024, 1_100]) {
            let leaves = &tree.leaves[..usize::try_from(size).unwrap()];
            assert_eq!(stored_root(&tree, size), Ok(root_of(leaves)));
            let mut known = Spans::new();
            for index in (0..size).step_by(7) {
                assert_eq!(
                    stored_inclusion_proof(&tree, index, size, &mut known),
                    inclusion_proof(&tree.leaves, index, size)
                );
            }
            for old in (0..=size).step_by(5) {
                assert_eq!(
                    stored_consistency_proof(&tree, old, size),
                    consistency_proof(&tree.leaves, old, size),
                    "{old} in {size}"
                );
            }
        }
    }

    #[test]
    fn what_lies_outside_the_tree_has_no_proof() {
        let tree = Tiles::of(3);
        let none = Err(TlogError::OutOfRange);
        let proof = |index, size| stored_inclusion_proof(&tree, index, size, &mut Spans::new());
        assert_eq!(proof(3, 3), none);
        assert_eq!(proof(0, 0), none);
        assert_eq!(stored_consistency_proof(&tree, 4, 3), none);
        assert_eq!(proof(1, 4), none, "a leaf that is not there");
    }

    #[test]
    fn a_proof_in_a_large_tree_reads_little_of_it() {
        let tree = Tiles::of(70_000);
        let mut known = Spans::new();
        let proof = stored_inclusion_proof(&tree, 12_345, 70_000, &mut known).unwrap();
        let read = tree.read.get();
        assert!(read < 1_000, "{read}");
        // The next leaf has one hash in its proof that this one has not.
        stored_inclusion_proof(&tree, 12_344, 70_000, &mut known).unwrap();
        assert_eq!(tree.read.get(), read + 1);
        let root = stored_root(&tree, 70_000).unwrap();
        let leaf = leaf_hash(&12_345_u64.to_be_bytes());
        super::super::verify_inclusion(&leaf, 12_345, 70_000, &proof, &root).unwrap();
    }
}
