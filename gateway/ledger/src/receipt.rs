//! Receipts (C2SP tlog-proof): that one record is in the log, to keep and to check without the log.
//!
//! Owns: making one from tiles, its text, and checking it. The `extra` line carries the record itself: it is
//! not believed, but its hash must lead to the signed root, so a receipt can be checked alone.

#[cfg(test)]
mod tests;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::Digest;
use crate::checkpoint::{Checkpoint, decimal, hash_line, write_hash_lines};
use crate::note::{Note, NoteError};
use crate::proof::{ProofError, prove_inclusion, verify_inclusion};
use crate::source::{FileFault, Nodes, TileSource, read_entry};
use crate::tree::leaf_hash;
use crate::trust::{Trust, Trusted, Untrusted};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// The most hashes that a proof for a size of 64 bits has.
const MAX_HASHES: usize = 64;

/// A proof that a record is in the log, as of a signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The record, when the receipt carries it.
    pub record: Option<Vec<u8>>,
    /// Its place in the log, from 0.
    pub index: u64,
    /// Inclusion proof, from the leaf's sibling upwards.
    pub proof: Vec<Digest>,
    /// The signed checkpoint.
    pub note: Note,
}

/// A receipt that does not prove anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not a receipt.
    #[error("not a tlog-proof: {0}")]
    Malformed(&'static str),
    /// The checkpoint in it does not count.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The proof does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Neither the receipt nor the caller has the record.
    #[error("the receipt does not carry the record: give it beside the receipt")]
    NoRecord,
    /// A file of the log that the proof needs.
    #[error(transparent)]
    File(#[from] FileFault),
}

/// A record that is proven to be in a trusted log.
#[derive(Debug)]
pub struct Proven {
    record: Vec<u8>,
    index: u64,
    trusted: Trusted,
}

impl Proven {
    /// The record's bytes.
    pub fn record(&self) -> &[u8] {
        &self.record
    }

    /// Its place in the log.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The checkpoint that covers it, and who cosigned.
    pub fn trusted(&self) -> &Trusted {
        &self.trusted
    }
}

impl Receipt {
    /// Makes the receipt for one record of a published log; serves `log prove`.
    ///
    /// # Errors
    /// Which file is wrong. A receipt that would not hold is not made: the proof is checked against the
    /// checkpoint's root, whose signatures are left to the reader.
    pub fn make(source: &impl TileSource, index: u64) -> Result<Receipt, ReceiptError> {
        let path = || "checkpoint".to_owned();
        let bytes = source.read(&path()).map_err(|why| FileFault::Unreadable { path: path(), why })?;
        Receipt::make_at(source, Note::parse(&bytes).map_err(Untrusted::Note)?, index)
    }

    /// The same, as of another checkpoint than the published file has: one that witnesses have cosigned.
    ///
    /// # Errors
    /// As [`Receipt::make`].
    pub fn make_at(source: &impl TileSource, note: Note, index: u64) -> Result<Receipt, ReceiptError> {
        let checkpoint: Checkpoint = note.text().parse().map_err(|_| Untrusted::NotACheckpoint)?;
        let mut nodes = Nodes::new(source, checkpoint.size);
        let proof = prove_inclusion::<FileFault>(index, checkpoint.size, |level, at| nodes.node(level, at))?;
        let record = read_entry(source, index, checkpoint.size)?;
        verify_inclusion(&leaf_hash(&record), index, checkpoint.size, &proof, &checkpoint.root)?;
        Ok(Receipt { record: Some(record), index, proof, note })
    }

    /// Reads a receipt.
    ///
    /// # Errors
    /// [`ReceiptError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Receipt, ReceiptError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ReceiptError::Malformed("not UTF-8"))?;
        let (head, note) =
            text.split_once("\n\n").ok_or(ReceiptError::Malformed("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(ReceiptError::Malformed("the first line is not `c2sp.org/tlog-proof@v1`"));
        }
        let extra =
            lines.next_if(|line| line.starts_with("extra ")).and_then(|line| line.strip_prefix("extra "));
        let record = extra.map(|extra| BASE64.decode(extra)).transpose();
        let record = record.map_err(|_| ReceiptError::Malformed("the `extra` line is not base64"))?;
        let index = lines.next().and_then(|line| decimal(line.strip_prefix("index ")?));
        let index = index.ok_or(ReceiptError::Malformed("no `index` line"))?;
        let proof: Option<Vec<Digest>> = lines.map(hash_line).collect();
        let proof = proof.filter(|proof| proof.len() <= MAX_HASHES);
        let proof = proof
            .ok_or(ReceiptError::Malformed("a line of the proof is not a hash, or there are too many"))?;
        let malformed = |_: NoteError| ReceiptError::Malformed("what follows is not a signed checkpoint");
        Ok(Receipt { record, index, proof, note: Note::parse(note.as_bytes()).map_err(malformed)? })
    }

    /// Checks the receipt, offline; serves `log check-proof`. `record` goes before the one that it carries.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn check(self, trust: &Trust, record: Option<Vec<u8>>) -> Result<Proven, ReceiptError> {
        let trusted = trust.accept(&self.note)?;
        let record = record.or(self.record).ok_or(ReceiptError::NoRecord)?;
        let Checkpoint { size, root, .. } = trusted.checkpoint();
        verify_inclusion(&leaf_hash(&record), self.index, *size, &self.proof, root)?;
        Ok(Proven { record, index: self.index, trusted })
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(record) = &self.record {
            writeln!(f, "extra {}", BASE64.encode(record))?;
        }
        writeln!(f, "index {}", self.index)?;
        write_hash_lines(f, &self.proof)?;
        write!(f, "\n{}", self.note)
    }
}
