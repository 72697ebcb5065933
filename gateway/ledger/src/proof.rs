//! Proofs about the tree: that a leaf is in it, and that it only grew (RFC 6962 2.1, RFC 9162 2.1.3 and 2.1.4).
//!
//! Owns: making them from the hashes of full subtrees, and checking them from nothing but hashes. Where the
//! subtrees' hashes come from is the caller's; tiles are read by `source`.

#[cfg(test)]
mod tests;

use crate::Digest;
use crate::tree::{empty_root, node_hash};

/// A proof that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf is past the end of the tree.
    #[error("leaf {index} is not in a log of {size} records")]
    NoSuchLeaf {
        /// Which leaf.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The newer tree is smaller than the older one.
    #[error("a log of {new} records cannot have grown from one of {old}")]
    Shrunk {
        /// The older size.
        old: u64,
        /// The newer size.
        new: u64,
    },
    /// Too many or too few hashes for these sizes.
    #[error("the proof has the wrong number of hashes for these sizes")]
    WrongLength,
    /// The hashes lead to another root.
    #[error("the proof leads to another root: the record or the log is not the one that was signed")]
    WrongRoot,
}

/// Proves that leaf `index` is in the tree of `size` leaves. `node(level, n)` gives the root of the `n`-th full
/// subtree of 2^level leaves.
///
/// # Errors
/// What `node` fails with; [`ProofError::NoSuchLeaf`].
pub fn prove_inclusion<E: From<ProofError>>(
    index: u64,
    size: u64,
    mut node: impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size }.into());
    }
    let (mut start, mut end, mut path) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range_root(middle, end, &mut node)?);
            end = middle;
        } else {
            path.push(range_root(start, middle, &mut node)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// Proves that the tree of `new` leaves begins with the tree of `old` leaves. Empty when there is nothing to
/// prove: `old` is 0 or equal to `new`.
///
/// # Errors
/// What `node` fails with; [`ProofError::Shrunk`].
pub fn prove_consistency<E: From<ProofError>>(
    old: u64,
    new: u64,
    mut node: impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    if old > new {
        return Err(ProofError::Shrunk { old, new }.into());
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut start, mut end, mut path) = (0, new, Vec::new());
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(range_root(middle, end, &mut node)?);
            end = middle;
        } else {
            path.push(range_root(start, middle, &mut node)?);
            start = middle;
        }
    }
    // A subtree that starts at 0 is the old tree itself: the verifier has its root already.
    if start != 0 {
        path.push(range_root(start, end, &mut node)?);
    }
    path.reverse();
    Ok(path)
}

/// The root of the tree of `size` leaves.
///
/// # Errors
/// What `node` fails with.
pub fn tree_root<E>(size: u64, mut node: impl FnMut(u32, u64) -> Result<Digest, E>) -> Result<Digest, E> {
    if size == 0 { Ok(empty_root()) } else { range_root(0, size, &mut node) }
}

/// The largest power of two below `count`, for `count` of 2 and more.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// The root over the leaves `start..end`, where `start` is a multiple of the smallest power of two that is at
/// least `end - start`, and the range is not empty.
fn range_root<E>(
    start: u64,
    end: u64,
    node: &mut impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Digest, E> {
    let mut lefts = Vec::new();
    let mut from = start;
    while !(end - from).is_power_of_two() {
        let count = split(end - from);
        lefts.push(node(count.ilog2(), from / count)?);
        from += count;
    }
    let count = end - from;
    let last = node(count.ilog2(), from / count)?;
    Ok(lefts.iter().rev().fold(last, |right, left| node_hash(left, &right)))
}

/// Checks that the leaf with this hash stands at `index` in the tree with this size and root.
///
/// # Errors
/// Why the proof does not hold.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    let (mut position, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if position & 1 == 1 || position == last {
            hash = node_hash(sibling, &hash);
            climb_to_odd(&mut position, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::WrongLength);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::WrongRoot) }
}

/// A node on the right edge without a sibling goes up until it is a right child.
fn climb_to_odd(position: &mut u64, last: &mut u64) {
    while *position & 1 == 0 && *position != 0 {
        *position >>= 1;
        *last >>= 1;
    }
}

/// Checks that the tree with the new size and root begins with the tree with the old size and root.
///
/// # Errors
/// Why the proof does not hold. From size 0 only the root of nothing is accepted.
pub fn verify_consistency(
    (old, old_root): (u64, &Digest),
    (new, new_root): (u64, &Digest),
    proof: &[Digest],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    if old == 0 || old == new {
        let expected = if old == new { *new_root } else { empty_root() };
        return match proof {
            [] if *old_root == expected && (new != 0 || expected == empty_root()) => Ok(()),
            [] => Err(ProofError::WrongRoot),
            _ => Err(ProofError::WrongLength),
        };
    }
    let (mut position, mut last) = (old - 1, new - 1);
    while position & 1 == 1 {
        position >>= 1;
        last >>= 1;
    }
    let (first, rest) = match proof.split_first() {
        _ if old.is_power_of_two() => (old_root, proof),
        Some(split) => split,
        None => return Err(ProofError::WrongLength),
    };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if position & 1 == 1 || position == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            climb_to_odd(&mut position, &mut last);
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::WrongLength);
    }
    if old_hash == *old_root && new_hash == *new_root { Ok(()) } else { Err(ProofError::WrongRoot) }
}
