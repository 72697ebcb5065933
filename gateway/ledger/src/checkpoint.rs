//! Checkpoints (C2SP tlog-checkpoint): how large a log is and what its root is, as a text to be signed.
//!
//! Owns: the text form. Who signed it is `trust`; that it fits the tiles is `verify`. The origin is the key
//! name of the log, so that a checkpoint of another log is told apart by its first line.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::Invalid;

use crate::note::{KeyName, Note, NoteError, NoteSigner};
use crate::tree::empty_root;
use crate::{Digest, HASH_BYTES};

/// The state of a log at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: KeyName,
    /// How many records.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

impl Checkpoint {
    /// The signed note of this checkpoint. A log never signs two that do not agree: call this only for a root
    /// that grew from the last one signed.
    ///
    /// # Errors
    /// None for a checkpoint of this type; kept because a note checks its text.
    pub fn sign(&self, signer: &NoteSigner<'_>) -> Result<Note, NoteError> {
        let mut note = Note::new(self.to_string())?;
        note.signatures.push(signer.sign(note.text()));
        Ok(note)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, BASE64.encode(self.root.0))
    }
}

impl FromStr for Checkpoint {
    type Err = Invalid;

    /// Reads a checkpoint's text; lines after the third are extensions, which this log does not use but admits.
    fn from_str(text: &str) -> Result<Checkpoint, Invalid> {
        let invalid =
            Invalid { what: "checkpoint", expected: "three lines: origin, size, and the root in base64" };
        let body = text.strip_suffix('\n').ok_or_else(|| invalid.clone())?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(invalid);
        };
        let size = decimal(size).ok_or_else(|| invalid.clone())?;
        let root = hash_line(root).ok_or_else(|| invalid.clone())?;
        if lines.any(str::is_empty) || (size == 0 && root != empty_root()) {
            return Err(invalid);
        }
        Ok(Checkpoint { origin: origin.parse()?, size, root })
    }
}

/// A decimal number without sign or leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// A line with one hash in base64.
pub(crate) fn hash_line(text: &str) -> Option<Digest> {
    let bytes: [u8; HASH_BYTES] = BASE64.decode(text).ok()?.try_into().ok()?;
    Some(Digest(bytes))
}

/// Hashes in base64, one a line.
pub(crate) fn write_hash_lines(f: &mut fmt::Formatter<'_>, hashes: &[Digest]) -> fmt::Result {
    hashes.iter().try_for_each(|hash| writeln!(f, "{}", BASE64.encode(hash.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_checkpoint_of_the_specification_is_read_and_printed() {
        let checkpoint: Checkpoint = TEXT.parse().unwrap();
        assert_eq!(
            (checkpoint.origin.as_str(), checkpoint.size),
            ("example.com/behind-the-sofa", 20_852_163)
        );
        assert_eq!(checkpoint.to_string(), TEXT);
        assert!(format!("{TEXT}extension\n").parse::<Checkpoint>().is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "a\n1\n",
            &TEXT.replace("20852163", "020852163"),
            &TEXT.replace("20852163", "+1"),
            &TEXT.replace("20852163", "0"),
            &TEXT.replace("q2I=", "q2I"),
            &TEXT.replace("example.com", "example com"),
            &format!("{TEXT}\n"),
            TEXT.trim_end(),
        ] {
            assert!(bad.parse::<Checkpoint>().is_err(), "{bad:?}");
        }
    }
}
