//! The Merkle tree of RFC 6962 over SHA-256: hashes of leaves and nodes, and the root of a tree that grows.
//!
//! Owns: the two hash functions and `Frontier`, which keeps one hash a level and never the leaves. Paths
//! through the tree are `proof`; where hashes are stored is `tile`.

#[cfg(test)]
mod tests;

use ring::digest;

use crate::Digest;
use crate::digest::from_ring;

/// The hash of a leaf: SHA-256(00 ‖ data).
pub fn leaf_hash(data: &[u8]) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&[0]);
    context.update(data);
    from_ring(context.finish().as_ref())
}

/// The hash of a node: SHA-256(01 ‖ left ‖ right).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [1; 65];
    bytes.iter_mut().skip(1).zip(left.0.iter().chain(&right.0)).for_each(|(to, from)| *to = *from);
    from_ring(digest::digest(&digest::SHA256, &bytes).as_ref())
}

/// The root of a tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// A tree that only grows, known by the roots of its full subtrees: at most 64 hashes for any size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// INVARIANT: one for each bit that is set in `size`, largest subtree first.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// A tree without leaves.
    pub fn new() -> Frontier {
        Frontier::default()
    }

    /// A tree of this size with these full subtrees, largest first; none when their number does not fit.
    pub fn from_peaks(size: u64, peaks: Vec<Digest>) -> Option<Frontier> {
        (peaks.len() == size.count_ones() as usize).then_some(Frontier { size, peaks })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the full subtrees, largest first.
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// Adds a leaf by its hash ([`leaf_hash`]).
    pub fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else { return empty_root() };
        peaks.fold(*smallest, |right, left| node_hash(left, &right))
    }
}

/// The root over the hashes of these leaves, or of equally high subtrees.
pub fn root_of(hashes: &[Digest]) -> Digest {
    let mut frontier = Frontier::new();
    hashes.iter().for_each(|hash| frontier.push(*hash));
    frontier.root()
}
