//! Signed notes (C2SP signed-note): a text, and lines that say who signed it.
//!
//! Owns: the text form, key names and ids, verifier keys, and Ed25519 over the text. What a text means is
//! `checkpoint`; whose signature counts is `trust`. Keys are arguments: none is kept or made here.

mod key;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

pub(crate) use key::cosigned_at;
pub use key::{Algorithm, KeyName, NoteSigner, VerifierKey};

/// How many signatures a note may carry; the specification wants at least 16.
pub const MAX_SIGNATURES: usize = 64;

/// Why a note is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a text, an empty line and signature lines.
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    /// A known key's signature does not fit the text.
    #[error("the signature of `{name}` does not fit the text: it was changed, or signed with another key")]
    Forged {
        /// The key's name.
        name: KeyName,
    },
    /// None of the known keys signed.
    #[error("no trusted key has signed this note")]
    NotSigned,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Who.
    pub name: KeyName,
    /// Which key of that name.
    pub id: [u8; 4],
    /// What the algorithm made of it: 64 bytes for Ed25519, 8 more in front for a cosignature.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// Reads one line, without its newline.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(line: &str) -> Result<Signature, NoteError> {
        let malformed = NoteError::Malformed("a signature line is `— <name> <base64>`");
        let parts = line.strip_prefix("— ").and_then(|rest| rest.split_once(' '));
        let (name, blob) = parts.ok_or_else(|| malformed.clone())?;
        let name = name.parse().map_err(|_| malformed.clone())?;
        let blob = BASE64.decode(blob).map_err(|_| malformed.clone())?;
        let (id, bytes) = blob.split_first_chunk::<4>().ok_or(malformed)?;
        Ok(Signature { name, id: *id, bytes: bytes.to_vec() })
    }

    /// Reads signature lines, each with its newline: the answer of a witness.
    ///
    /// # Errors
    /// [`NoteError::Malformed`], also for more than [`MAX_SIGNATURES`].
    pub fn parse_lines(lines: &str) -> Result<Vec<Signature>, NoteError> {
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed("the last line has no newline"))?;
        if lines.split('\n').count() > MAX_SIGNATURES {
            return Err(NoteError::Malformed("too many signatures"));
        }
        lines.split('\n').map(Signature::parse).collect()
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [self.id.as_slice(), &self.bytes].concat();
        write!(f, "— {} {}", self.name, BASE64.encode(blob))
    }
}

/// A text with its signatures. Nothing in it is to be believed before [`Note::verify`] says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    /// The signature lines, known and unknown.
    pub signatures: Vec<Signature>,
}

impl Note {
    /// A text that nobody has signed yet.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] when the text does not end in a newline or holds control characters.
    pub fn new(text: String) -> Result<Note, NoteError> {
        if !text.ends_with('\n') {
            return Err(NoteError::Malformed("the text does not end in a newline"));
        }
        if text.chars().any(|character| character < ' ' && character != '\n') {
            return Err(NoteError::Malformed("the text holds control characters"));
        }
        Ok(Note { text, signatures: Vec::new() })
    }

    /// Reads a signed note; text and signatures part at the last empty line.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Note, NoteError> {
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed("not UTF-8"))?;
        let (text, lines) =
            whole.rsplit_once("\n\n").ok_or(NoteError::Malformed("no empty line before the signatures"))?;
        let mut note = Note::new(format!("{text}\n"))?;
        note.signatures = Signature::parse_lines(lines)?;
        Ok(note)
    }

    /// The text, newline included: what is signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Which of these keys have signed the text. Lines of other keys are not looked at.
    ///
    /// # Errors
    /// [`NoteError::Forged`] when a known key's signature fails, [`NoteError::NotSigned`] when there is none.
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Vec<&'k VerifierKey>, NoteError> {
        let mut signed = Vec::new();
        for key in keys {
            let lines = self.signatures.iter().filter(|line| line.name == *key.name() && line.id == key.id());
            let mut found = false;
            for line in lines {
                if !key.verifies(&self.text, &line.bytes) {
                    return Err(NoteError::Forged { name: key.name().clone() });
                }
                found = true;
            }
            signed.extend(found.then_some(key));
        }
        if signed.is_empty() { Err(NoteError::NotSigned) } else { Ok(signed) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
