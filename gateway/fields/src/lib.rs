//! The field filter: plan × message bytes → bytes that may leave. Directly on the protobuf wire format, in one walk
//! forward, without decoding into structs. Unknown means no.
//!
//! Owns: plans, the pass, lesser forms of values, and the account of what passed. Never decides who may have what
//! (`policy` does, and compiles a [`Plan`] here) and never reads a text (`screening` does). What comes out goes to
//! `exchange`, with the [`Account`].

mod account;
mod careful;
mod compile;
mod explain;
mod filter;
mod malformed;
mod plan;
mod pseudonym;
mod read;
mod rule;
mod scalar;
mod settle;
mod sink;
mod table;
mod transform;
mod utf8;
mod watch;
mod wire;

pub use account::{Account, Text};
pub use compile::PlanError;
pub use explain::Explained;
pub use malformed::{Malformed, MalformedKind};
pub use plan::Plan;
pub use pseudonym::PseudonymKey;
pub use rule::{Limits, Rule};
pub use table::{Outcome, Row};
