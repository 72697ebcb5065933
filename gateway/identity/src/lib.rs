//! Who is at the door: a certificate becomes a [`Peer`] (which organisation, which system), and a role
//! assertion becomes an [`Actor`] (who acts there, in which role, for which purpose).
//!
//! Owns: the registry of organisations, the gateway's own rules for certificates and revocation, and the
//! verification of assertions. Never does: I/O, clocks, randomness; the time is an argument and files arrive as
//! text. These rules stand on top of those of the TLS library, never instead of them. A [`Peer`] and an [`Actor`]
//! can only be had by passing every check; the line takes them from here to `policy`.

mod actor;
mod assertion;
mod certificate;
mod chain;
mod key;
mod operator;
mod peer;
mod pin;
mod registry;
mod replay;
mod revocation;

pub use actor::{Actor, BigNumber, User};
pub use assertion::{AssertionRules, MAX_LIFETIME_SECONDS};
pub use chain::{Rules, Trust, TrustError};
pub use key::{Algorithm, AssertionKey, KeyError};
pub use operator::Operator;
pub use peer::{Certified, Peer, organisation_of};
pub use pin::{Fingerprint, Pin};
pub use registry::{Organisation, RegisteredOperator, Registry, RegistryError};
pub use replay::{ReplayMemory, Replays, Seen};
pub use revocation::{CrlError, Revocations};

use model::{FieldViolation, Reason, Refusal};

/// A refusal that names the place in a certificate or assertion, and never what stood there.
fn refuse(reason: Reason, field: &'static str, description: &'static str) -> Refusal {
    let violation = FieldViolation {
        field: field.to_owned(),
        description: description.to_owned(),
        class: None,
        rule: None,
        span: None,
    };
    Refusal::at(reason, vec![violation])
}

#[cfg(test)]
mod testing;
