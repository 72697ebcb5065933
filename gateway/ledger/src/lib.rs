//! Record bytes, Merkle tree, notes, proofs and their verification.
