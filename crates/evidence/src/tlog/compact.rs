//! The state of a growing tree: its size and the roots of its whole subtrees.

use super::{EMPTY_ROOT, TlogError, node_hash};
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
        let mut hash = leaf_hash;
        // Each trailing set bit is a whole subtree that the new one joins to a larger one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
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
