//! The word no to bytes that are not a message: where it stopped, and why.
//!
//! Owns: the closed list of what strict reading refuses. Never holds a byte of the message. `exchange` turns it
//! into `INVALID_ARGUMENT`.

/// The bytes are not a message of their type; nothing of them passes. The sender's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the message is not valid at byte {offset}: {kind}; serialise it again")]
pub struct Malformed {
    /// Where the field starts that cannot be read, in bytes from the start of the message; in rare cases, of the
    /// message after its parts were put in order.
    pub offset: usize,
    /// What is wrong there.
    pub kind: MalformedKind,
}

/// What strict reading refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum MalformedKind {
    /// Field number 0, or one over 2²⁹ − 1.
    #[error("a field number outside 1 to 536870911")]
    FieldNumber,
    /// A start or end of a group.
    #[error("a group; groups are not exchanged")]
    Group,
    /// A wire type that does not exist, or is not that of the field in the contract.
    #[error("a wire type that is not the field's")]
    WireType,
    /// A varint of more than 10 bytes, over 64 bits, or cut off.
    #[error("a varint that does not end within 10 bytes")]
    Varint,
    /// A value that runs past the end of what holds it.
    #[error("a length past the end")]
    Length,
    /// A string that is not UTF-8.
    #[error("a string that is not UTF-8")]
    Utf8,
    /// Messages nested deeper than the limit.
    #[error("messages nested too deeply")]
    Depth,
    /// A message over the limit.
    #[error("the message is over the size limit")]
    Size,
}

impl MalformedKind {
    /// This, at a place.
    pub(crate) const fn at(self, offset: usize) -> Malformed {
        Malformed { offset, kind: self }
    }
}
