use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;

use super::*;
use crate::tree::{Frontier, leaf_hash, root_of};

/// `count` leaves, and a way to ask for the roots of full subtrees over them.
pub(crate) fn leaves(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("record {number}").into_bytes()).collect()
}

fn node_of(leaves: &[Vec<u8>]) -> impl FnMut(u32, u64) -> Result<Digest, ProofError> {
    let hashes: Vec<Digest> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    move |level, index| {
        let (from, count) = ((index << level) as usize, 1 << level);
        Ok(root_of(&hashes[from..from + count]))
    }
}

fn root(leaves: &[Vec<u8>]) -> Digest {
    let mut frontier = Frontier::new();
    leaves.iter().for_each(|leaf| frontier.push(leaf_hash(leaf)));
    frontier.root()
}

fn oracle(leaves: &[Vec<u8>]) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    leaves.iter().for_each(|leaf| tree.push(leaf.clone()));
    tree
}

fn flat(proof: &[Digest]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

proptest! {
    #[test]
    fn inclusion_proofs_are_those_of_another_maker(size in 1u64..600, at in any::<prop::sample::Index>()) {
        let (all, index) = (leaves(size), at.index(size as usize));
        let proof = prove_inclusion(index as u64, size, node_of(&all)).unwrap();
        let tree = oracle(&all);
        let (theirs, their_root) = (tree.prove_inclusion(index), tree.root());
        prop_assert_eq!(theirs.as_bytes(), flat(&proof));
        prop_assert_eq!(their_root.as_bytes().as_slice(), root(&all).0);
        prop_assert_eq!(verify_inclusion(&leaf_hash(&all[index]), index as u64, size, &proof, &root(&all)), Ok(()));
    }

    #[test]
    fn consistency_proofs_are_those_of_another_maker(old in 1u64..400, more in 1u64..400) {
        let all = leaves(old + more);
        let proof = prove_consistency(old, old + more, node_of(&all)).unwrap();
        let theirs = oracle(&all).prove_consistency(more as usize);
        prop_assert_eq!(theirs.as_bytes(), flat(&proof));
        let (before, after) = (root(&all[..old as usize]), root(&all));
        prop_assert_eq!(verify_consistency((old, &before), (old + more, &after), &proof), Ok(()));
        let theirs = ct_merkle::RootHash::<Sha256>::new(after.0.into(), old + more).verify_consistency(
            &ct_merkle::RootHash::<Sha256>::new(before.0.into(), old),
            &ct_merkle::ConsistencyProof::try_from_bytes(flat(&proof)).unwrap(),
        );
        prop_assert!(theirs.is_ok());
    }

    #[test]
    fn a_proof_with_any_bit_changed_does_not_hold(
        size in 2u64..300, at in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>(),
    ) {
        let (all, index) = (leaves(size), at.index(size as usize));
        let mut proof = prove_inclusion(index as u64, size, node_of(&all)).unwrap();
        let bit = bit.index(proof.len() * 256);
        proof[bit / 256].0[bit / 8 % 32] ^= 1 << (bit % 8);
        let leaf = leaf_hash(&all[index]);
        prop_assert_eq!(
            verify_inclusion(&leaf, index as u64, size, &proof, &root(&all)),
            Err(ProofError::WrongRoot)
        );
    }

    #[test]
    fn a_proof_for_one_place_proves_no_other(size in 2u64..300, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let (all, a, b) = (leaves(size), a.index(size as usize), b.index(size as usize));
        let proof = prove_inclusion(a as u64, size, node_of(&all)).unwrap();
        let holds = verify_inclusion(&leaf_hash(&all[a]), b as u64, size, &proof, &root(&all)).is_ok();
        prop_assert_eq!(holds, a == b);
    }
}

#[test]
fn a_log_that_shrank_or_was_rewritten_is_not_consistent() {
    let all = leaves(20);
    let mut other = all.clone();
    other[3] = b"rewritten".to_vec();
    let proof = prove_consistency(7, 20, node_of(&other)).unwrap();
    let (old, new) = (root(&all[..7]), root(&other));
    assert_eq!(verify_consistency((7, &old), (20, &new), &proof), Err(ProofError::WrongRoot));
    assert_eq!(verify_consistency((20, &new), (7, &old), &[]), Err(ProofError::Shrunk { old: 20, new: 7 }));
    assert_eq!(verify_consistency((7, &old), (7, &new), &[]), Err(ProofError::WrongRoot));
}

#[test]
fn from_nothing_every_log_grows_but_only_from_the_root_of_nothing() {
    let new = root(&leaves(5));
    assert_eq!(verify_consistency((0, &empty_root()), (5, &new), &[]), Ok(()));
    assert_eq!(verify_consistency((0, &new), (5, &new), &[]), Err(ProofError::WrongRoot));
    assert_eq!(verify_consistency((0, &empty_root()), (5, &new), &[new]), Err(ProofError::WrongLength));
    assert_eq!(verify_consistency((0, &new), (0, &new), &[]), Err(ProofError::WrongRoot));
}

#[test]
fn proofs_that_are_too_long_or_too_short_are_told_so() {
    let all = leaves(6);
    let mut proof = prove_inclusion(2, 6, node_of(&all)).unwrap();
    let leaf = leaf_hash(&all[2]);
    assert_eq!(verify_inclusion(&leaf, 2, 6, &proof[1..], &root(&all)), Err(ProofError::WrongLength));
    proof.push(leaf);
    assert_eq!(verify_inclusion(&leaf, 2, 6, &proof, &root(&all)), Err(ProofError::WrongLength));
    assert_eq!(
        verify_inclusion(&leaf, 6, 6, &proof, &root(&all)),
        Err(ProofError::NoSuchLeaf { index: 6, size: 6 })
    );
}
