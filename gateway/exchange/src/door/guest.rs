//! Whom the door lets in: an organisation's system, or an operator of the gateway itself. Never both.
//!
//! Owns: telling them apart by the certificate – an operator's has no OIN – and asking the rules for each. An operator
//! counts as one of the organisation that runs the gateway. What each may call is decided by the services.

use std::sync::Arc;

use identity::{Certified, Fingerprint, Operator, Peer};
use model::{Name, Oin, Reason, Refusal, Timestamp};

use super::guard::Entrance;

/// Someone who may come in.
#[derive(Clone)]
pub(super) enum Guest {
    Peer(Arc<Peer>),
    Operator(Arc<Operator>, Oin),
}

impl Guest {
    /// Finds whose certificate it is that a trusted authority vouches for.
    pub(super) fn find(certified: Certified, entrance: &Entrance) -> Result<Guest, Refusal> {
        if !certified.is_operators() {
            return Peer::find(certified, &entrance.trust, &entrance.registry)
                .map(|peer| Guest::Peer(Arc::new(peer)));
        }
        let operator = Operator::find(certified, &entrance.registry)?;
        // A gateway whose own certificate names no organisation has no operators.
        let oin = entrance.certificates.first().and_then(|leaf| identity::organisation_of(leaf));
        oin.map(|oin| Guest::Operator(Arc::new(operator), oin))
            .ok_or_else(|| Reason::CertificateRefused.into())
    }

    /// Whether the certificate and its authorities still stand.
    pub(super) fn check(&self, entrance: &Entrance, now: Timestamp) -> Result<(), Refusal> {
        match self {
            Guest::Peer(peer) => entrance.revocations.check(peer, &entrance.trust, now),
            Guest::Operator(operator, _) => {
                entrance.revocations.check_operator(operator, &entrance.trust, now)
            }
        }
    }

    /// The organisation; for an operator the one that runs the gateway.
    pub(super) fn oin(&self) -> Oin {
        match self {
            Guest::Peer(peer) => peer.oin(),
            Guest::Operator(_, oin) => *oin,
        }
    }

    /// The system, or the account of an operator.
    pub(super) fn system(&self) -> &Name {
        match self {
            Guest::Peer(peer) => peer.system(),
            Guest::Operator(operator, _) => operator.name(),
        }
    }

    /// What a log line may show: an account name may be a person's.
    pub(super) fn shown(&self) -> &str {
        match self {
            Guest::Peer(peer) => peer.system().as_str(),
            Guest::Operator(..) => "an operator",
        }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        match self {
            Guest::Peer(peer) => peer.fingerprint(),
            Guest::Operator(operator, _) => operator.fingerprint(),
        }
    }

    pub(super) fn expires(&self) -> Timestamp {
        match self {
            Guest::Peer(peer) => peer.expires(),
            Guest::Operator(operator, _) => operator.expires(),
        }
    }
}
