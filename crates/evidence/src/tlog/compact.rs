//! The state of a growing tree: its size and the roots of its whole subtrees.

use super::{EMPTY_ROOT, TlogError, node_hash, node_hashing};
use crate::hashing::{Closed, settle};
use crate::wire::Reader;

const VERSION: u8 = 1;

/// A tree of which only the right edge is kept: enough to append and to know the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompactRange {
    size: u64,
    /// Roots of the whole subtrees, largest first: one for each set bit of `size`.
    peaks: Vec<[u8; 32]>,
}

impl CompactRange {
    /// An empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            peaks: Vec::new(),
        }
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf by its hash.
    pub fn append(&mut self, leaf_hash: [u8; 32]) {
        self.append_seen(leaf_hash, |_level, _place, _hash| ());
    }

    /// Appends a leaf by its hash, and shows every subtree that it fills: its height, its place among
    /// those of that height, its hash.
    pub fn append_seen(&mut self, leaf_hash: [u8; 32], mut filled: impl FnMut(u32, u64, [u8; 32])) {
        let mut hash = leaf_hash;
        // Each trailing set bit is a whole subtree that the new one joins to a larger one.
        for height in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
                filled(height + 1, self.size >> (height + 1), hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Appends a whole subtree of 2^`level` leaves by its root. False where none of that size can
    /// start here.
    pub(crate) fn append_subtree(&mut self, root: [u8; 32], level: u32) -> bool {
        let Some(leaves) = 1_u64.checked_shl(level) else {
            return false;
        };
        let Some(size) = self.size.checked_add(leaves) else {
            return false;
        };
        if !self.size.is_multiple_of(leaves) {
            return false;
        }
        let mut hash = root;
        for _ in 0..(self.size >> level).trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size = size;
        true
    }

    /// Appends leaves to many trees, in each in their order. The nodes that are due in different trees are
    /// hashed side by side.
    pub(crate) fn append_all<'a, L: Iterator<Item = [u8; 32]>>(
        trees: impl IntoIterator<Item = (&'a mut Self, L)>,
    ) {
        let growing = trees.into_iter().map(|(tree, leaves)| Growing {
            tree,
            leaves,
            newest: None,
        });
        let mut growing: Vec<Growing<'a, L>> = growing.collect();
        loop {
            growing.retain_mut(Growing::advance);
            let mut nodes: Vec<Closed> = growing.iter_mut().map(Growing::node).collect();
            if nodes.is_empty() {
                return;
            }
            settle(nodes.iter_mut().map(Closed::hashing));
            for (growing, node) in growing.iter_mut().zip(nodes) {
                growing.joined(node.digest());
            }
        }
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> [u8; 32] {
        let joined = self
            .peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right));
        joined.unwrap_or(EMPTY_ROOT)
    }

    /// Its bytes for storage: version (1) ‖ size (8, big-endian) ‖ peaks (32 each), largest first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [
            &[VERSION][..],
            &self.size.to_be_bytes(),
            self.peaks.as_flattened(),
        ]
        .concat()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TlogError> {
        let mut reader = Reader::new(bytes);
        if reader.u8() != Some(VERSION) {
            return Err(TlogError::MalformedState);
        }
        let size = reader.u64().ok_or(TlogError::MalformedState)?;
        let (peaks, rest) = reader.rest().as_chunks::<32>();
        if !rest.is_empty() || u32::try_from(peaks.len()) != Ok(size.count_ones()) {
            return Err(TlogError::MalformedState);
        }
        Ok(Self {
            size,
            peaks: peaks.to_vec(),
        })
    }
}

/// A tree to which leaves are being appended.
struct Growing<'a, L> {
    tree: &'a mut CompactRange,
    leaves: L,
    /// The newest whole subtree, and how often it is to be joined with the one before it.
    newest: Option<([u8; 32], u32)>,
}

impl<L: Iterator<Item = [u8; 32]>> Growing<'_, L> {
    /// Goes on until a node is to be hashed. False when there is no leaf any more.
    fn advance(&mut self) -> bool {
        loop {
            match self.newest.take() {
                Some((hash, 0)) => {
                    self.tree.peaks.push(hash);
                    self.tree.size += 1;
                }
                due @ Some(_) => {
                    self.newest = due;
                    return true;
                }
                None => {
                    let Some(leaf) = self.leaves.next() else {
                        return false;
                    };
                    // Each trailing set bit is a whole subtree that the new one joins to a larger one.
                    self.newest = Some((leaf, self.tree.size.trailing_ones()));
                }
            }
        }
    }

    /// The node over the newest subtree and the one before it.
    fn node(&mut self) -> Closed {
        let left = self.tree.peaks.pop().unwrap_or_default();
        let (right, _) = self.newest.unwrap_or_default();
        node_hashing(&left, &right).close()
    }

    fn joined(&mut self, node: [u8; 32]) {
        self.newest = self
            .newest
            .map(|(_, joins)| (node, joins.saturating_sub(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::leaf_hash;
    use super::*;

    #[test]
    fn the_state_survives_storage_at_every_size() {
        let mut tree = CompactRange::new();
        for size in 0..70_u64 {
            let mut stored = CompactRange::from_bytes(&tree.to_bytes()).unwrap();
            assert_eq!((&stored, stored.size()), (&tree, size));
            stored.append(leaf_hash(b"next"));
            tree.append(leaf_hash(b"next"));
            assert_eq!(stored.root(), tree.root());
        }
    }

    #[test]
    fn leaves_that_are_appended_to_many_trees_at_once_make_the_same_trees() {
        let leaf =
            |tree: usize, at: usize| leaf_hash(&[tree, at].map(|n| u8::try_from(n).unwrap()));
        let mut together = vec![CompactRange::new(); 50];
        let mut alone = together.clone();
        for round in 0..4 {
            let counts = (0..50).map(|tree| (tree * 7 + round * 3) % 23);
            let leaves: Vec<Vec<_>> = counts
                .enumerate()
                .map(|(tree, count)| (0..count).map(|at| leaf(tree, at)).collect())
                .collect();
            for (tree, leaves) in alone.iter_mut().zip(&leaves) {
                leaves.iter().for_each(|leaf| tree.append(*leaf));
            }
            let leaves = leaves.into_iter().map(Vec::into_iter);
            CompactRange::append_all(together.iter_mut().zip(leaves));
            assert_eq!(together, alone);
        }
    }

    #[test]
    fn bytes_that_are_no_state_are_refused() {
        let mut tree = CompactRange::new();
        tree.append([1; 32]);
        let bytes = tree.to_bytes();
        let mut other_version = bytes.clone();
        other_version[0] = 2;
        let mut other_size = bytes.clone();
        other_size[8] = 3;
        for wrong in [
            &bytes[..40],
            &[],
            &other_version,
            &other_size,
            &[bytes.clone(), vec![0]].concat(),
        ] {
            assert_eq!(
                CompactRange::from_bytes(wrong),
                Err(TlogError::MalformedState)
            );
        }
    }
}
