//! The tree held against two implementations by others, over random trees.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof};
use proptest::prelude::*;
use sha2::Sha256;
use sha2::digest::Output;
use tlog_tiles::tlog::{self, Hash, HashReader};
use voicelog_evidence::tlog::{
    CompactRange, consistency_proof, inclusion_proof, leaf_hash, root_of, verify_consistency,
    verify_inclusion,
};

/// The hashes that `tlog_tiles` keeps of a tree, in its own order.
#[derive(Default)]
struct Kept(Vec<Hash>);

impl HashReader for Kept {
    fn read_hashes(&self, places: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
        let read = |place: &u64| self.0[usize::try_from(*place).unwrap()];
        Ok(places.iter().map(read).collect())
    }
}

fn output(hash: &[u8; 32]) -> Output<Sha256> {
    (*hash).into()
}

/// One tree three times.
struct Trees {
    leaves: Vec<Vec<u8>>,
    hashes: Vec<[u8; 32]>,
    tiles: Kept,
    memory: MemoryBackedTree<Sha256, Vec<u8>>,
}

fn trees(leaves: Vec<Vec<u8>>) -> Trees {
    let mut tiles = Kept::default();
    let mut memory = MemoryBackedTree::new();
    for (n, leaf) in (0..).zip(&leaves) {
        let more = tlog::stored_hashes(n, leaf, &tiles).unwrap();
        tiles.0.extend(more);
        memory.push(leaf.clone());
    }
    Trees {
        hashes: leaves.iter().map(|leaf| leaf_hash(leaf)).collect(),
        leaves,
        tiles,
        memory,
    }
}

fn hashes(proof: &[Hash]) -> Vec<[u8; 32]> {
    proof.iter().map(|hash| hash.0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn roots_and_proofs_are_those_of_others_and_each_accepts_the_other(
        leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..80),
        (at, old) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        (flip, bit) in (any::<prop::sample::Index>(), 0..8_u32),
    ) {
        let all = trees(leaves);
        let size = all.hashes.len();
        let (at, old) = (at.index(size), old.index(size) + 1);
        let (n, index, kept) = (size as u64, at as u64, old as u64);

        let root = root_of(&all.hashes);
        let mut range = CompactRange::new();
        all.hashes.iter().for_each(|hash| range.append(*hash));
        prop_assert_eq!(range.root(), root);
        prop_assert_eq!(tlog::tree_hash(n, &all.tiles).unwrap().0, root);
        let theirs = all.memory.root();
        prop_assert_eq!(theirs.as_bytes(), &output(&root));

        let proof = inclusion_proof(&all.hashes, index, n).unwrap();
        let theirs = tlog::prove_record(n, index, &all.tiles).unwrap();
        prop_assert_eq!(&proof, &hashes(&theirs));
        let theirs = all.memory.prove_inclusion(at);
        prop_assert_eq!(theirs.as_bytes(), proof.concat());
        let outputs: Vec<_> = proof.iter().map(output).collect();
        let given = InclusionProof::<Sha256>::from_digests(&outputs);
        all.memory.root().verify_inclusion(&all.leaves[at], index, &given).unwrap();

        let old_root = root_of(&all.hashes[..old]);
        let growth = consistency_proof(&all.hashes, kept, n).unwrap();
        let theirs = tlog::prove_tree(n, kept, &all.tiles).unwrap();
        prop_assert_eq!(&growth, &hashes(&theirs));
        if old < size {
            let ours = all.memory.prove_consistency(size - old);
            prop_assert_eq!(ours.as_bytes(), growth.concat());
            let before = ct_merkle::RootHash::<Sha256>::new(output(&old_root), kept);
            let outputs: Vec<_> = growth.iter().map(output).collect();
            let given = ConsistencyProof::<Sha256>::from_digests(&outputs);
            all.memory.root().verify_consistency(&before, &given).unwrap();
        }

        // What one refuses the other refuses.
        let mut wrong = proof;
        if !wrong.is_empty() {
            let place = flip.index(wrong.len());
            wrong[place][flip.index(32)] ^= 1 << bit;
            prop_assert!(verify_inclusion(&all.hashes[at], index, n, &wrong, &root).is_err());
            let theirs: Vec<_> = wrong.iter().map(|hash| Hash(*hash)).collect();
            let leaf = Hash(all.hashes[at]);
            prop_assert!(tlog::check_record(&theirs, n, Hash(root), index, leaf).is_err());
        }
        let mut wrong = growth;
        if !wrong.is_empty() {
            let place = flip.index(wrong.len());
            wrong[place][flip.index(32)] ^= 1 << bit;
            prop_assert!(verify_consistency(kept, &old_root, n, &root, &wrong).is_err());
            let theirs: Vec<_> = wrong.iter().map(|hash| Hash(*hash)).collect();
            prop_assert!(tlog::check_tree(&theirs, n, Hash(root), kept, Hash(old_root)).is_err());
        }
    }
}
