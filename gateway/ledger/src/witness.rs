//! Witnesses (C2SP tlog-witness): what a log asks of them, and by which rule they answer.
//!
//! Owns: request and answer as bytes, and the rule over the state that the witness remembers. Remembering is
//! the caller's: it must compare and swap `Grown::before` to `Grown::after` durably, and only then cosign.
//! HTTP, clock and keys are the caller's too.

#[cfg(test)]
mod tests;

use std::fmt;

use model::Timestamp;

use crate::Digest;
use crate::checkpoint::{Checkpoint, decimal, hash_line, write_hash_lines};
use crate::note::{KeyName, Note, NoteError, NoteSigner, Signature, VerifierKey};
use crate::proof::{prove_consistency, verify_consistency};
use crate::source::{FileFault, Nodes, TileSource};
use crate::tree::empty_root;

/// The most lines of proof that a request may have.
pub const MAX_PROOF_LINES: usize = 63;

/// `POST <prefix>/add-checkpoint`: the log has grown, please look and cosign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the log thinks the witness saw last.
    pub old: u64,
    /// Consistency proof from there to the checkpoint.
    pub proof: Vec<Digest>,
    /// The signed checkpoint.
    pub note: Note,
}

impl AddCheckpoint {
    /// The request to a witness that saw `old` records last, proven from the log's tiles.
    ///
    /// # Errors
    /// Which file is wrong; [`crate::ProofError::Shrunk`] when the witness has seen more than the log has.
    pub fn make(source: &impl TileSource, old: u64, note: Note) -> Result<AddCheckpoint, RequestError> {
        let checkpoint: Checkpoint = note.text().parse().map_err(|_| RequestError::NotACheckpoint)?;
        let mut nodes = Nodes::new(source, checkpoint.size);
        let node = |level, index| nodes.node(level, index);
        let proof = prove_consistency::<FileFault>(old, checkpoint.size, node)?;
        Ok(AddCheckpoint { old, proof, note })
    }

    /// Reads a request body.
    ///
    /// # Errors
    /// [`Answer::BadRequest`].
    pub fn parse(body: &[u8]) -> Result<AddCheckpoint, Answer> {
        let text = std::str::from_utf8(body).map_err(|_| Answer::BadRequest)?;
        let (head, note) = text.split_once("\n\n").ok_or(Answer::BadRequest)?;
        let mut lines = head.split('\n');
        let old =
            lines.next().and_then(|line| decimal(line.strip_prefix("old ")?)).ok_or(Answer::BadRequest)?;
        let proof: Option<Vec<Digest>> = lines.map(hash_line).collect();
        let proof = proof.filter(|proof| proof.len() <= MAX_PROOF_LINES).ok_or(Answer::BadRequest)?;
        let note = Note::parse(note.as_bytes()).map_err(|_| Answer::BadRequest)?;
        Ok(AddCheckpoint { old, proof, note })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        write_hash_lines(f, &self.proof)?;
        write!(f, "\n{}", self.note)
    }
}

/// Why no request can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A file of the log, or a size that it does not have.
    #[error(transparent)]
    File(#[from] FileFault),
    /// The note is signed, but not a checkpoint.
    #[error("the note is not a checkpoint")]
    NotACheckpoint,
}

/// What a witness remembers of one log: the last state it cosigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Digest,
}

impl Seen {
    /// What a witness knows of a log before it has seen anything of it.
    pub fn nothing() -> Seen {
        Seen { size: 0, root: empty_root() }
    }
}

/// A log that verifiably grew: what the witness has to remember before it cosigns.
#[derive(Debug)]
pub struct Grown {
    origin: KeyName,
    before: Seen,
    after: Seen,
    text: String,
}

impl Grown {
    /// Which log.
    pub fn origin(&self) -> &KeyName {
        &self.origin
    }

    /// The state on which the decision was taken: when another is remembered by now, start again.
    pub fn before(&self) -> Seen {
        self.before
    }

    /// The state to remember.
    pub fn after(&self) -> Seen {
        self.after
    }

    /// Cosigns. To be called once [`Grown::after`] is remembered durably: a crash before this line costs the log
    /// one more request, a crash after a cosignature that is not remembered would let it fork.
    pub fn cosign(self, signer: &NoteSigner<'_>, now: Timestamp) -> Answer {
        Answer::Cosigned(vec![signer.cosign(&self.text, now)])
    }
}

/// What a witness answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 200: here are the cosignatures.
    Cosigned(Vec<Signature>),
    /// 400: not a request, or the old size is past the new one.
    BadRequest,
    /// 403: none of the trusted keys of this log has signed, or one is forged.
    Forbidden,
    /// 404: not a log that this witness watches.
    UnknownLog,
    /// 409: another size was seen last; the log starts again from it.
    Stale(u64),
    /// 422: the proof does not hold, or the same size has another root. Worth an alarm.
    Inconsistent,
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Answer::Cosigned(_) => 200,
            Answer::BadRequest => 400,
            Answer::Forbidden => 403,
            Answer::UnknownLog => 404,
            Answer::Stale(_) => 409,
            Answer::Inconsistent => 422,
        }
    }

    /// The media type of the body.
    pub fn content_type(&self) -> &'static str {
        match self {
            Answer::Stale(_) => "text/x.tlog.size",
            _ => "text/plain; charset=utf-8",
        }
    }

    /// The body.
    pub fn body(&self) -> String {
        match self {
            Answer::Cosigned(lines) => lines.iter().map(|line| format!("{line}\n")).collect(),
            Answer::Stale(size) => format!("{size}\n"),
            Answer::BadRequest => "not an add-checkpoint request\n".into(),
            Answer::Forbidden => "no valid signature of a trusted key of this log\n".into(),
            Answer::UnknownLog => "this witness does not watch a log of this origin\n".into(),
            Answer::Inconsistent => "the log is not consistent with what was cosigned before\n".into(),
        }
    }
}

/// Decides on a request: `logs` are those the witness watches, `seen` what it remembers of one.
///
/// # Errors
/// The answer to give at once, when it is no.
pub fn consider(
    body: &[u8],
    logs: &[VerifierKey],
    seen: impl FnOnce(&KeyName) -> Option<Seen>,
) -> Result<Grown, Answer> {
    let request = AddCheckpoint::parse(body)?;
    let checkpoint: Checkpoint = request.note.text().parse().map_err(|_| Answer::BadRequest)?;
    let keys: Vec<&VerifierKey> = logs.iter().filter(|key| *key.name() == checkpoint.origin).collect();
    if keys.is_empty() {
        return Err(Answer::UnknownLog);
    }
    request.note.verify(keys).map_err(|_| Answer::Forbidden)?;
    if request.old > checkpoint.size {
        return Err(Answer::BadRequest);
    }
    let before = seen(&checkpoint.origin).unwrap_or_else(Seen::nothing);
    if request.old != before.size {
        return Err(Answer::Stale(before.size));
    }
    let after = Seen { size: checkpoint.size, root: checkpoint.root };
    verify_consistency((before.size, &before.root), (after.size, &after.root), &request.proof)
        .map_err(|_| Answer::Inconsistent)?;
    Ok(Grown { origin: checkpoint.origin, before, after, text: request.note.text().to_owned() })
}

/// What a log makes of a witness's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Cosignatures of this witness that verify; add them to the note.
    Cosignatures(Vec<Signature>),
    /// The witness has seen this size; prove from there. Larger than the log's own: the log was restored from an
    /// old copy and must not start.
    Seen(u64),
    /// The witness said no with this status; 422 means that it has seen another history.
    Refused(u16),
    /// An answer that is not one.
    Nonsense,
}

impl Heard {
    /// Whether a log of `size` records must not start: this witness has seen more of it, or another history. The log
    /// was restored from an old copy, and whatever it signs next would be a fork.
    pub fn forbids_start(&self, size: u64) -> bool {
        match self {
            Heard::Seen(seen) => *seen > size,
            Heard::Refused(status) => *status == Answer::Inconsistent.status(),
            Heard::Cosignatures(_) | Heard::Nonsense => false,
        }
    }
}

/// Reads an answer. A witness that lies is not believed: every cosignature is checked with its key.
pub fn hear(status: u16, body: &[u8], note: &Note, witness: &VerifierKey) -> Heard {
    let Ok(text) = std::str::from_utf8(body) else { return Heard::Nonsense };
    match status {
        200 => match cosignatures(text, note, witness) {
            Ok(lines) => Heard::Cosignatures(lines),
            Err(_) => Heard::Nonsense,
        },
        409 => text.strip_suffix('\n').and_then(decimal).map_or(Heard::Nonsense, Heard::Seen),
        status => Heard::Refused(status),
    }
}

fn cosignatures(lines: &str, note: &Note, witness: &VerifierKey) -> Result<Vec<Signature>, NoteError> {
    let mut answered = Note::new(note.text().to_owned())?;
    answered.signatures = Signature::parse_lines(lines)?;
    answered.verify([witness])?;
    answered.signatures.retain(|line| line.name == *witness.name() && line.id == witness.id());
    Ok(answered.signatures)
}
