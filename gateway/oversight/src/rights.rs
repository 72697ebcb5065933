//! Which operator may do what.
//!
//! Owns: the table, and the one check that every act begins with. An operator may have several roles; the record names the
//! one by which the act was allowed. Nobody has every right: who changes rules does not run the machine.

use identity::Operator;
use model::{Reason, Refusal, Role};

/// The privacy officer: changes policy, releases held texts, answers clients.
pub const OFFICER: &str = "officer";
/// The auditor: looks at everything, changes nothing.
pub const AUDITOR: &str = "auditor";
/// Who runs the gateway: sees how it does, and no client's records.
pub const BEHEERDER: &str = "beheerder";

/// What an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// Looks at bundles, changes, proofs and figures: nothing about a client.
    LookAtPolicy,
    /// Proposes, simulates, approves, rejects, activates, rolls back.
    ChangePolicy,
    /// Searches and reads records of the log.
    Search,
    /// Answers a client's question who got what (AVG 15).
    Inzage,
    /// Takes records out of the gateway, for another system or a sample.
    Export,
    /// Releases a text that was held back.
    ReleaseText,
    /// Looks at health, journal, certificates and figures of the machine.
    LookAtMachine,
}

impl Act {
    /// Every act.
    pub const ALL: [Act; 7] = [
        Act::LookAtPolicy,
        Act::ChangePolicy,
        Act::Search,
        Act::Inzage,
        Act::Export,
        Act::ReleaseText,
        Act::LookAtMachine,
    ];

    /// The roles that may, the least powerful first.
    pub const fn roles(self) -> &'static [&'static str] {
        match self {
            Act::LookAtPolicy | Act::LookAtMachine => &[BEHEERDER, AUDITOR, OFFICER],
            Act::Search | Act::Export => &[AUDITOR, OFFICER],
            Act::ChangePolicy | Act::Inzage | Act::ReleaseText => &[OFFICER],
        }
    }

    /// The role by which this operator may do it.
    ///
    /// # Errors
    /// `ROLE_NOT_ALLOWED`.
    pub fn allowed(self, who: &Operator) -> Result<Role, Refusal> {
        let by = |name: &&str| who.roles().find(|role| role.as_str() == *name).cloned();
        self.roles().iter().find_map(by).ok_or_else(|| Reason::RoleNotAllowed.into())
    }
}
