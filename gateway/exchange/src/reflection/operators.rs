//! What an operator may see: the methods of the operators' services that one of the operator's roles may call.
//!
//! Owns: which act each method is, as `oversight` checks it when the method is called; a test in `tests/end_to_end` calls
//! every method as every kind of operator, so that the two cannot come apart. Decides nothing.

use identity::Operator;
use oversight::Act;

use super::{OWN, Seen};

/// The operators' services.
const SERVICES: [&str; 2] = ["veldwacht.policy.v1.PolicyService", "veldwacht.oversight.v1.HeldService"];

/// The act that a call of this method is.
fn act(service: &str, method: &str) -> Act {
    match (service, method) {
        ("veldwacht.oversight.v1.HeldService", _) => Act::ReleaseText,
        (_, "Propose" | "Rollback" | "Approve" | "Reject" | "Activate") => Act::ChangePolicy,
        (_, "ListEscapes") => Act::Search,
        _ => Act::LookAtPolicy,
    }
}

impl Seen {
    /// What this operator may call, and nothing of what organisations exchange.
    pub(crate) fn by_operator(who: &Operator) -> Seen {
        let mut seen = Seen::of_everyone();
        let services = SERVICES.iter().filter_map(|name| OWN.get_service_by_name(name));
        for method in services.flat_map(|service| service.methods().collect::<Vec<_>>()) {
            if act(method.parent_service().full_name(), method.name()).allowed(who).is_ok() {
                seen.method(&method);
            }
        }
        seen
    }
}
