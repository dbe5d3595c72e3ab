//! Proofs that a leaf is in a tree, and that one tree is the start of another (RFC 6962 §2.1.1,
//! §2.1.2; the checks follow RFC 9162 §2.1.3.2 and §2.1.4.2).

use super::{EMPTY_ROOT, TlogError, node_hash};

/// Root of a tree over leaf hashes.
#[must_use]
pub fn root_of(leaf_hashes: &[[u8; 32]]) -> [u8; 32] {
    match leaf_hashes {
        [] => EMPTY_ROOT,
        [only] => *only,
        _ => {
            let (left, right) = split(leaf_hashes);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// Hashes that lead from a leaf to the root of the tree over the first `size` leaves, from the
/// leaf's sibling upwards.
pub fn inclusion_proof(
    leaf_hashes: &[[u8; 32]],
    index: u64,
    size: u64,
) -> Result<Vec<[u8; 32]>, TlogError> {
    let tree = first(leaf_hashes, size)?;
    let index = usize::try_from(index).map_err(|_| TlogError::OutOfRange)?;
    if index >= tree.len() {
        return Err(TlogError::OutOfRange);
    }
    let mut proof = Vec::new();
    let (mut rest, mut at) = (tree, index);
    // Downwards, so the root's child comes first; turned round at the end.
    while rest.len() > 1 {
        let (left, right) = split(rest);
        if at < left.len() {
            proof.push(root_of(right));
            rest = left;
        } else {
            proof.push(root_of(left));
            at -= left.len();
            rest = right;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that a leaf hash stands at `index` of the tree of `size` leaves with this root.
pub fn verify_inclusion(
    leaf_hash: &[u8; 32],
    index: u64,
    size: u64,
    proof: &[[u8; 32]],
    root: &[u8; 32],
) -> Result<(), TlogError> {
    if index >= size {
        return Err(TlogError::OutOfRange);
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = *leaf_hash;
    for sibling in proof {
        if last == 0 {
            return Err(TlogError::ProofLength);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(TlogError::ProofLength);
    }
    if hash == *root {
        Ok(())
    } else {
        Err(TlogError::RootMismatch)
    }
}

/// Hashes that show that the tree over the first `old` leaves is the start of the tree over the
/// first `new` leaves. Empty where `old` is 0 or equals `new`.
pub fn consistency_proof(
    leaf_hashes: &[[u8; 32]],
    old: u64,
    new: u64,
) -> Result<Vec<[u8; 32]>, TlogError> {
    let tree = first(leaf_hashes, new)?;
    let kept = usize::try_from(old).map_err(|_| TlogError::OutOfRange)?;
    if kept > tree.len() {
        return Err(TlogError::OutOfRange);
    }
    let mut proof = Vec::new();
    if kept == 0 || kept == tree.len() {
        return Ok(proof);
    }
    let (mut rest, mut kept, mut known) = (tree, kept, true);
    // SUBPROOF of RFC 6962 §2.1.2, downwards.
    while kept != rest.len() {
        let (left, right) = split(rest);
        if kept <= left.len() {
            proof.push(root_of(right));
            rest = left;
        } else {
            proof.push(root_of(left));
            (rest, kept, known) = (right, kept - left.len(), false);
        }
    }
    if !known {
        proof.push(root_of(rest));
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that the tree of `old` leaves is the start of the tree of `new` leaves.
pub fn verify_consistency(
    old: u64,
    old_root: &[u8; 32],
    new: u64,
    new_root: &[u8; 32],
    proof: &[[u8; 32]],
) -> Result<(), TlogError> {
    if old > new {
        return Err(TlogError::OutOfRange);
    }
    if old == 0 || old == new {
        let same = if old == 0 {
            *old_root == EMPTY_ROOT
        } else {
            old_root == new_root
        };
        return match (proof.is_empty(), same) {
            (false, _) => Err(TlogError::ProofLength),
            (true, false) => Err(TlogError::RootMismatch),
            (true, true) => Ok(()),
        };
    }
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let mut siblings = proof.iter();
    // Where `old` is a power of two, its root is itself the first hash.
    let start = if old.is_power_of_two() {
        old_root
    } else {
        siblings.next().ok_or(TlogError::ProofLength)?
    };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in siblings {
        if last == 0 {
            return Err(TlogError::ProofLength);
        }
        if at & 1 == 1 || at == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(TlogError::ProofLength);
    }
    if old_hash == *old_root && new_hash == *new_root {
        Ok(())
    } else {
        Err(TlogError::RootMismatch)
    }
}

fn first(leaf_hashes: &[[u8; 32]], size: u64) -> Result<&[[u8; 32]], TlogError> {
    usize::try_from(size)
        .ok()
        .and_then(|size| leaf_hashes.get(..size))
        .ok_or(TlogError::OutOfRange)
}

/// Splits two or more leaves before the largest power of two that is smaller than their number.
fn split(leaf_hashes: &[[u8; 32]]) -> (&[[u8; 32]], &[[u8; 32]]) {
    let left = leaf_hashes.len().next_power_of_two() / 2;
    leaf_hashes
        .split_at_checked(left)
        .unwrap_or((leaf_hashes, &[]))
}

#[cfg(test)]
mod tests {
    use super::super::{CompactRange, leaf_hash};
    use super::*;
    use crate::digest::sha256;

    /// RFC 6962 §2.1, word for word: MTH, PATH, PROOF.
    mod reference {
        use crate::digest::sha256;

        fn split(n: usize) -> usize {
            let mut k = 1;
            while k * 2 < n {
                k *= 2;
            }
            k
        }

        pub(super) fn mth(d: &[Vec<u8>]) -> [u8; 32] {
            match d.len() {
                0 => sha256(b""),
                1 => sha256(&[&[0], d[0].as_slice()].concat()),
                n => {
                    let k = split(n);
                    sha256(&[&[1], &mth(&d[..k])[..], &mth(&d[k..])[..]].concat())
                }
            }
        }

        pub(super) fn path(m: usize, d: &[Vec<u8>]) -> Vec<[u8; 32]> {
            let n = d.len();
            if n == 1 {
                return vec![];
            }
            let k = split(n);
            if m < k {
                [path(m, &d[..k]), vec![mth(&d[k..])]].concat()
            } else {
                [path(m - k, &d[k..]), vec![mth(&d[..k])]].concat()
            }
        }

        pub(super) fn proof(m: usize, d: &[Vec<u8>], b: bool) -> Vec<[u8; 32]> {
            let n = d.len();
            if m == n {
                return if b { vec![] } else { vec![mth(d)] };
            }
            let k = split(n);
            if m <= k {
                [proof(m, &d[..k], b), vec![mth(&d[k..])]].concat()
            } else {
                [proof(m - k, &d[k..], false), vec![mth(&d[..k])]].concat()
            }
        }
    }

    fn tree(size: usize) -> (Vec<Vec<u8>>, Vec<[u8; 32]>) {
        let leaves: Vec<_> = (0..size)
            .map(|i| i.to_be_bytes()[..i % 5].to_vec())
            .collect();
        let hashes = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        (leaves, hashes)
    }

    #[test]
    fn every_root_and_proof_is_that_of_the_recursion() {
        let (leaves, hashes) = tree(40);
        let mut compact = CompactRange::new();
        for new in 0..=40 {
            let root = reference::mth(&leaves[..new]);
            assert_eq!(root_of(&hashes[..new]), root);
            assert_eq!(compact.root(), root);
            for index in 0..new {
                let proof = inclusion_proof(&hashes, index as u64, new as u64).unwrap();
                assert_eq!(
                    proof,
                    reference::path(index, &leaves[..new]),
                    "{index} of {new}"
                );
                verify_inclusion(&hashes[index], index as u64, new as u64, &proof, &root).unwrap();
            }
            for old in 1..=new {
                let proof = consistency_proof(&hashes, old as u64, new as u64).unwrap();
                assert_eq!(
                    proof,
                    reference::proof(old, &leaves[..new], true),
                    "{old} of {new}"
                );
                let old_root = root_of(&hashes[..old]);
                verify_consistency(old as u64, &old_root, new as u64, &root, &proof).unwrap();
            }
            compact.append(*hashes.get(new).unwrap_or(&[0; 32]));
        }
    }

    #[test]
    fn a_proof_holds_for_nothing_else() {
        let (_, hashes) = tree(23);
        let root = root_of(&hashes);
        for index in 0..23 {
            let proof = inclusion_proof(&hashes, index, 23).unwrap();
            let leaf = hashes[usize::try_from(index).unwrap()];
            for (other, size) in (0..30).flat_map(|other| [(other, 23), (index, other)]) {
                let right = other == index && size == 23;
                let holds = verify_inclusion(&leaf, other, size, &proof, &root).is_ok();
                // Another size can have the same path; the root of a checkpoint binds its size.
                assert!(
                    holds == right || (other == index && size != 23),
                    "{index} {other} {size}"
                );
            }
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at][0] ^= 1;
                assert!(verify_inclusion(&leaf, index, 23, &changed, &root).is_err());
                let shorter = &proof[..at];
                assert!(verify_inclusion(&leaf, index, 23, shorter, &root).is_err());
            }
            let longer = [proof.clone(), vec![[0; 32]]].concat();
            assert!(verify_inclusion(&leaf, index, 23, &longer, &root).is_err());
        }
    }

    #[test]
    fn a_tree_that_was_rewritten_is_not_consistent() {
        let (_, hashes) = tree(20);
        let new_root = root_of(&hashes);
        for old in 1..20_u64 {
            let kept = usize::try_from(old).unwrap();
            let proof = consistency_proof(&hashes, old, 20).unwrap();
            let mut rewritten = hashes[..kept].to_vec();
            rewritten[kept / 2] = sha256(b"another leaf");
            let old_root = root_of(&rewritten);
            assert!(
                verify_consistency(old, &old_root, 20, &new_root, &proof).is_err(),
                "{old}"
            );
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at][5] ^= 1;
                let root = root_of(&hashes[..kept]);
                assert!(verify_consistency(old, &root, 20, &new_root, &changed).is_err());
                assert!(verify_consistency(old, &root, 20, &new_root, &proof[..at]).is_err());
            }
        }
    }

    #[test]
    fn outside_the_tree_there_is_nothing_to_prove() {
        let (_, hashes) = tree(3);
        assert_eq!(inclusion_proof(&hashes, 3, 3), Err(TlogError::OutOfRange));
        assert_eq!(inclusion_proof(&hashes, 0, 4), Err(TlogError::OutOfRange));
        assert_eq!(consistency_proof(&hashes, 3, 2), Err(TlogError::OutOfRange));
        assert_eq!(consistency_proof(&hashes, 0, 3), Ok(vec![]));
        assert_eq!(
            verify_consistency(0, &EMPTY_ROOT, 3, &root_of(&hashes), &[]),
            Ok(())
        );
        assert!(verify_consistency(0, &[0; 32], 3, &root_of(&hashes), &[]).is_err());
        assert!(verify_inclusion(&[0; 32], 0, 0, &[], &EMPTY_ROOT).is_err());
    }
}
