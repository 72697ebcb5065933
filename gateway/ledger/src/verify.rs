//! Verifying a whole published log, offline, from its files and a trust file; serves `log verify`.
//!
//! Owns: the verdict, and the names of what is wrong: file, offset, record. Every record is hashed again, every
//! tile compared, every level built up to the signed root, in one pass with memory that does not grow with the
//! log. `Verified` has no other constructor.

#[cfg(test)]
pub(crate) mod tests;
mod walk;

use std::fmt;

use crate::Digest;
use crate::checkpoint::Checkpoint;
use crate::leaf::{Leaf, LeafError};
use crate::note::Note;
use crate::proof::{prove_consistency, verify_consistency};
use crate::source::{FileFault, Nodes, TileSource};
use crate::trust::{Trust, Trusted, Untrusted};

/// How many damages are named before the rest is only said to exist.
const MOST_NAMED: usize = 16;

/// A log of which every file agrees with a checkpoint that is signed as the trust file wants.
#[derive(Debug)]
pub struct Verified {
    trusted: Trusted,
    files: u64,
}

impl Verified {
    /// The checkpoint: origin, size and root.
    pub fn checkpoint(&self) -> &Checkpoint {
        self.trusted.checkpoint()
    }

    /// The checkpoint with who cosigned it.
    pub fn trusted(&self) -> &Trusted {
        &self.trusted
    }

    /// How many files were read.
    pub fn files(&self) -> u64 {
        self.files
    }
}

/// One thing that is wrong in a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The checkpoint does not count.
    #[error("checkpoint: {0}")]
    Untrusted(#[from] Untrusted),
    /// A file is missing, unreadable or of another length.
    #[error(transparent)]
    File(#[from] FileFault),
    /// A record is not the one that was logged.
    #[error("{path}, byte {offset}: record {index} is not the one that was logged")]
    Record {
        /// The entry bundle.
        path: String,
        /// Where the record's length stands in it.
        offset: u64,
        /// The record's place in the log.
        index: u64,
    },
    /// Not one record of a bundle is the one that was logged.
    #[error(
        "{path}: not one of records {first} to {last} is the one that was logged: another file stands in its place"
    )]
    Bundle {
        /// The entry bundle.
        path: String,
        /// The first record that should be in it.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// A stored hash is not that of what it covers.
    #[error("{path}, byte {offset}: the hash of records {first} to {last} is wrong")]
    Hash {
        /// The tile.
        path: String,
        /// Where the hash stands in it.
        offset: u64,
        /// The first record it covers.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// Every hash of a tile is wrong.
    #[error("{path}: every hash is wrong: another file stands in its place")]
    Tile {
        /// The tile.
        path: String,
    },
    /// An entry that is in the log rightly, and that this reader cannot read.
    #[error("record {index}: {why}")]
    Unreadable {
        /// The record's place in the log.
        index: u64,
        /// Why.
        why: LeafError,
    },
    /// All files agree with each other, and not with what was signed.
    #[error(
        "the records lead to root {computed}, and {signed} was signed: the log was rewritten, or the checkpoint is of another history"
    )]
    Root {
        /// What the records lead to.
        computed: Digest,
        /// What was signed.
        signed: Digest,
    },
}

/// A log that does not verify, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
pub struct Damaged {
    /// What is wrong, in the order in which it was found; never empty.
    pub damage: Vec<Damage>,
    /// Whether there is more than is named here.
    pub more: bool,
}

impl Damaged {
    fn by(damage: impl Into<Damage>) -> Damaged {
        Damaged { damage: vec![damage.into()], more: false }
    }

    fn push(&mut self, damage: impl Into<Damage>) {
        if self.damage.len() < MOST_NAMED { self.damage.push(damage.into()) } else { self.more = true }
    }
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the log does not verify")?;
        self.damage.iter().try_for_each(|damage| write!(f, "\n  {damage}"))?;
        if self.more { f.write_str("\n  and more") } else { Ok(()) }
    }
}

/// Verifies a log. `visit` sees every record in order, as bytes; what it saw counts only if the answer is `Ok`.
///
/// # Errors
/// What is wrong, by file, offset and record.
pub fn verify(
    source: &impl TileSource,
    trust: &Trust,
    visit: &mut dyn FnMut(u64, &[u8]),
) -> Result<Verified, Damaged> {
    let trusted = read_checkpoint(source, trust)?;
    let Checkpoint { size, root, .. } = trusted.checkpoint();
    let files = 1 + walk::walk(source, *size, root, visit)?;
    Ok(Verified { trusted, files })
}

/// Verifies a log and reads its records; what every export, list and count of a published log begins with. What
/// `visit` saw counts only if the answer is `Ok`.
///
/// # Errors
/// What is wrong, as for [`verify`]; also entries that are no records of a version that this reader knows.
pub fn verify_records(
    source: &impl TileSource,
    trust: &Trust,
    visit: &mut dyn FnMut(u64, Leaf),
) -> Result<Verified, Damaged> {
    let mut unread = Damaged::default();
    let verified = verify(source, trust, &mut |index, bytes| match Leaf::from_bytes(bytes) {
        Ok(leaf) => visit(index, leaf),
        Err(why) => unread.push(Damage::Unreadable { index, why }),
    })?;
    if unread.damage.is_empty() { Ok(verified) } else { Err(unread) }
}

/// Reads the checkpoint and accepts it, without looking at the records.
///
/// # Errors
/// The one damage that there is.
pub fn read_checkpoint(source: &impl TileSource, trust: &Trust) -> Result<Trusted, Damaged> {
    let path = "checkpoint";
    let bytes = source.read(path).map_err(|why| FileFault::Unreadable { path: path.to_owned(), why });
    let note =
        Note::parse(&bytes.map_err(Damaged::by)?).map_err(|error| Damaged::by(Untrusted::Note(error)))?;
    trust.accept(&note).map_err(Damaged::by)
}

/// Checks that the log at `new` begins with the log at `old`: for who kept a checkpoint from an earlier day. Both
/// have to be trusted already; the proof is made from the log's tiles.
///
/// # Errors
/// What is wrong: a file that the proof needs, or a history that is not the one of `old`.
pub fn verify_growth(source: &impl TileSource, old: &Checkpoint, new: &Checkpoint) -> Result<(), Damaged> {
    if old.origin != new.origin {
        return Err(Damaged::by(Untrusted::OtherLog { origin: old.origin.clone() }));
    }
    let mut nodes = Nodes::new(source, new.size);
    let proof = prove_consistency::<FileFault>(old.size, new.size, |level, index| nodes.node(level, index));
    let proof = proof.map_err(Damaged::by)?;
    verify_consistency((old.size, &old.root), (new.size, &new.root), &proof)
        .map_err(|error| Damaged::by(FileFault::Proof(error)))
}
