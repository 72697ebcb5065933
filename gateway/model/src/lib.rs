//! The nouns that every crate of the gateway shares: who (organisations, roles), what (data classes,
//! forms, fields), why (purpose, grondslag, consent), and the word no (refusals).
//!
//! Owns: validated types and their text forms. Never does: I/O, clocks, randomness. Nothing here
//! shows personal data: `Bsn` has no `Display` and its `Debug` is blank.

mod class;
mod client;
mod exchange_id;
mod form;
mod ground;
mod name;
mod oin;
mod refusal;
mod time;

pub use class::{ClassSet, Classification, DataClass};
pub use client::{Bsn, ClientPseudonym};
pub use exchange_id::ExchangeId;
pub use form::{FieldKind, Form};
pub use ground::{Consent, Consents, Grondslag};
pub use name::{FieldPath, MessageType, Name, Purpose, Role};
pub use oin::Oin;
pub use refusal::{Fault, FieldViolation, Reason, Refusal};
pub use time::Timestamp;

/// A text that is not what it should be. Says what was expected, never what it got.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}: {expected}")]
pub struct Invalid {
    /// Which noun was asked for.
    pub what: &'static str,
    /// What its text looks like.
    pub expected: &'static str,
}
