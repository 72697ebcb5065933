//! Who was turned away, and why: for the record, and for whoever watches the door.
//!
//! Owns: what is told, and how often. A stranger can make certificates by the thousand, so what is told is bounded:
//! beyond it only a number. What is told holds no name out of a certificate that nobody vouches for.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use identity::Fingerprint;
use model::{Oin, Refusal, Timestamp};

use super::Visitor;
use super::guest::Guest;
use super::knock::Knock;

/// How far someone came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// No TLS, another version, no certificate, or too slow: a scanner, or a client that is set up wrong.
    Handshake,
    /// A certificate that no trusted authority vouches for, or one that expired or is not fit for clients.
    Untrusted,
    /// A certificate that a trusted authority vouches for, without rights here: not registered, revoked, another
    /// authority than the pinned one, or over a limit. This belongs in the log.
    WithoutRights,
}

/// One who was turned away.
#[derive(Debug, Clone)]
pub struct TurnedAway {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub address: SocketAddr,
    /// How far they came.
    pub stage: Stage,
    /// Why, if a certificate was shown. Its holder has not yet proven to have the key to it.
    pub refusal: Option<Refusal>,
    /// SHA-256 of the certificate that was shown.
    pub fingerprint: Option<Fingerprint>,
    /// The organisation, when a registered one was identified.
    pub oin: Option<Oin>,
    /// How many were turned away before this one without being told, because there were too many.
    pub untold: u64,
}

pub(super) struct Report {
    /// So many are told in a minute; the rest is counted.
    per_minute: u32,
    tell: Arc<dyn Fn(TurnedAway) + Send + Sync>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    minute: i64,
    told: u32,
    untold: u64,
}

impl Report {
    pub(super) fn new(per_minute: u32, tell: Arc<dyn Fn(TurnedAway) + Send + Sync>) -> Report {
        Report { per_minute, tell, told: Mutex::default() }
    }

    pub(super) fn handshake(&self, at: Timestamp, address: SocketAddr, knock: &Knock) {
        let (stage, refusal) = match knock.refusal() {
            Some((refusal, true)) => (Stage::WithoutRights, Some(refusal)),
            Some((refusal, false)) => (Stage::Untrusted, Some(refusal)),
            None => (Stage::Handshake, None),
        };
        let (fingerprint, oin) = (knock.fingerprint(), knock.oin());
        self.tell(TurnedAway { at, address, stage, refusal, fingerprint, oin, untold: 0 });
    }

    pub(super) fn slow(&self, at: Timestamp, address: SocketAddr) {
        let stage = Stage::Handshake;
        self.tell(TurnedAway { at, address, stage, refusal: None, fingerprint: None, oin: None, untold: 0 });
    }

    pub(super) fn peer(&self, at: Timestamp, address: SocketAddr, peer: &Guest, refusal: Refusal) {
        self.tell(TurnedAway {
            at,
            address,
            stage: Stage::WithoutRights,
            refusal: Some(refusal),
            fingerprint: Some(peer.fingerprint()),
            oin: Some(peer.oin()),
            untold: 0,
        });
    }

    /// A call of someone who is in, over its organisation's share.
    pub(super) fn visitor(&self, at: Timestamp, visitor: &Visitor, refusal: Refusal) {
        let (oin, _) = visitor.known();
        self.tell(TurnedAway {
            at,
            address: visitor.address(),
            stage: Stage::WithoutRights,
            refusal: Some(refusal),
            fingerprint: None,
            oin: Some(oin),
            untold: 0,
        });
    }

    fn tell(&self, mut turned_away: TurnedAway) {
        let minute = turned_away.at.unix_seconds().div_euclid(60);
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.minute != minute {
                told.minute = minute;
                told.told = 0;
            }
            if told.told >= self.per_minute {
                told.untold += 1;
                return;
            }
            told.told += 1;
            turned_away.untold = std::mem::take(&mut told.untold);
        }
        (self.tell)(turned_away);
    }
}
