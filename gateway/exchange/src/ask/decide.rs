//! What one message of a call may carry: authorise → filter → screen, for every message, under the rules and the
//! consents of that moment.
//!
//! Owns: who talks with whom and about which client, and the word no. A bundle, a withdrawal, a revoked certificate or an
//! assertion that ran out is felt by the next message of a stream that is under way. Writes nothing.

use std::sync::{Arc, OnceLock};

use identity::Actor;
use ledger::Party;
use model::{Bsn, ClientPseudonym, Consent, Consents, ExchangeId, MessageType, Reason, Refusal};
use policy::{Compiled, Situation};
use tonic::{Code, Status};

use crate::ask::frames::Unread;
use crate::ask::route::{Method, Route, Withheld};
use crate::gateway::Gateway;
use crate::line::accept::Arrived;
use crate::line::authorise::{Authorised, Question, authorise};
use crate::line::filter::filter_message;
use crate::line::offer::at;
use crate::line::screen::{Screened, screen};
use crate::rules::Rules;
use crate::status::status;

/// Who talks with whom, on which terms.
pub(crate) struct Talk {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) route: Arc<Route>,
    pub(crate) method: Arc<Method>,
    pub(crate) arrived: Arrived<()>,
    pub(crate) actor: Arc<Actor>,
    pub(crate) asker: Party,
    pub(crate) exchange: ExchangeId,
    /// Whether the asker gets replies compressed.
    pub(crate) deflates: bool,
    /// Whom the first BSN in any message names: a call is about one client.
    pub(crate) client: OnceLock<Client>,
}

/// The client of a call, and how the journal knows them.
pub(crate) struct Client {
    pub(crate) bsn: Bsn,
    pub(crate) pseudonym: ClientPseudonym,
}

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the asker to the source.
    Request,
    /// From the source to the asker.
    Reply,
}

/// Why a call ends without its answer.
#[derive(Debug, Clone)]
pub(crate) enum No {
    /// It is about what the asker is or sent: the asker is told in full.
    Asked(Refusal),
    /// There is no such method here.
    Unserved,
    /// It is about what the source sent: the asker is told why, and never where or what.
    Answered(Refusal),
    /// The deadline passed.
    TooLate,
    /// The asker left; nobody is there to be told.
    Left,
}

impl No {
    /// A refusal of something that the source sends. What a sender could mend is not the asker's to mend.
    fn answered(refusal: Refusal) -> No {
        No::Answered(match refusal.reason {
            Reason::DocumentMalformed | Reason::ClientMismatch | Reason::ClientInvalid => {
                Reason::UpstreamInvalid.into()
            }
            Reason::RoleRequired | Reason::RoleNotAllowed => Reason::ExchangeNotDeclared.into(),
            _ => refusal,
        })
    }

    /// What the record says; the asker's leaving is no refusal.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        match self {
            No::Asked(refusal) | No::Answered(refusal) => Some(refusal.clone()),
            No::Unserved => Some(Reason::NotFound.into()),
            No::TooLate => Some(Reason::UpstreamUnavailable.into()),
            No::Left => None,
        }
    }

    /// What the asker is told.
    pub(crate) fn status(&self) -> Status {
        match self {
            No::Asked(refusal) => status(refusal, Vec::new()),
            No::Answered(refusal) => status(&refusal.reason.into(), Vec::new()),
            No::Unserved => with_code(Code::Unimplemented, Reason::NotFound),
            No::TooLate => with_code(Code::DeadlineExceeded, Reason::UpstreamUnavailable),
            No::Left => Status::cancelled("the call was given up by its caller"),
        }
    }

    /// A message that could not be read.
    pub(crate) fn unread(unread: Unread, way: Way, limit: usize) -> No {
        match (way, unread) {
            (Way::Request, Unread::Gone) => No::Left,
            (Way::Request, Unread::TooLarge) => {
                No::Asked(at(Reason::DocumentTooLarge, "message", &format!("at most {limit} bytes")))
            }
            (Way::Request, Unread::Compressed) => {
                No::Asked(at(Reason::RequestInvalid, "grpc-encoding", "send messages uncompressed"))
            }
            (Way::Request, Unread::Malformed) => {
                No::Asked(at(Reason::RequestInvalid, "message", "not framed as gRPC frames it"))
            }
            (Way::Reply, Unread::Gone) => No::Answered(Reason::UpstreamUnavailable.into()),
            (Way::Reply, Unread::TooLarge) => No::Answered(Reason::DocumentTooLarge.into()),
            (Way::Reply, Unread::Compressed | Unread::Malformed) => {
                No::Answered(Reason::UpstreamInvalid.into())
            }
        }
    }
}

/// A status with a code that fits a call better than the reason's own.
fn with_code(code: Code, reason: Reason) -> Status {
    let told = status(&reason.into(), Vec::new());
    Status::with_details(code, told.message(), told.details().to_vec().into())
}

impl Talk {
    /// Decides about one message: what may go on of it, or why nothing.
    pub(crate) fn decide(&self, way: Way, message: &[u8]) -> Result<Screened, No> {
        let decided = self.decided(way, message);
        decided.map_err(|refusal| match way {
            Way::Request => No::Asked(refusal),
            Way::Reply => No::answered(refusal),
        })
    }

    /// Whether the source may answer at all: asked before it is called.
    pub(crate) fn may_be_answered(&self) -> Result<(), No> {
        let rules = self.gateway.rules();
        self.authorised(&rules, Way::Reply).map(drop).map_err(No::answered)
    }

    fn decided(&self, way: Way, message: &[u8]) -> Result<Screened, Refusal> {
        self.arrived.is_welcome()?;
        if self.gateway.now() > self.actor.until() {
            return Err(Reason::AssertionExpired.into());
        }
        let rules = self.gateway.rules();
        self.find_client(&rules, way, message)?;
        let authorised = self.authorised(&rules, way)?;
        let key = self.gateway.pseudonym_key(&authorised.receiver().oin);
        let screened = screen(filter_message(authorised, message, &key)?, rules.screener())
            .map_err(|stopped| stopped.refusal)?;
        let refuses = way == Way::Reply && self.route.withheld == Withheld::Refuse;
        if refuses && screened.account().withheld().next().is_some() {
            return Err(Reason::WithheldElsewhere.into());
        }
        Ok(screened)
    }

    fn authorised(&self, rules: &Rules, way: Way) -> Result<Authorised, Refusal> {
        let (sender, receiver, message) = self.direction(way);
        let client = self.pseudonym();
        let (purpose, now) = (&self.route.purpose, self.gateway.now());
        if self.actor.spoed().is_some() {
            // An escape is for a document that cannot wait; a source is asked as on any other day.
            return Err(Reason::EmergencyNotAllowed.into());
        }
        let phase_at_sending = None;
        let question =
            Question { sender, receiver, message, purpose, client, spoed: false, phase_at_sending, now };
        authorise(rules, &*self.gateway, &question)
    }

    /// Every BSN in every message of a call is the same one; the first that is met says whose it is.
    fn find_client(&self, rules: &Rules, way: Way, message: &[u8]) -> Result<(), Refusal> {
        let (_, _, message_type) = self.direction(way);
        let found = rules.client_of(message_type, || self.classes(rules, way), message)?;
        let Some(bsn) = found else { return Ok(()) };
        let named = |bsn: &Bsn| Client { bsn: bsn.clone(), pseudonym: self.gateway.pseudonym(Some(bsn)) };
        if self.client.get_or_init(|| named(&bsn)).bsn == bsn {
            Ok(())
        } else {
            Err(at(Reason::ClientMismatch, "message", "a call is about one client"))
        }
    }

    /// How the journal knows the client, if one is known yet.
    pub(crate) fn pseudonym(&self) -> ClientPseudonym {
        self.client.get().map_or(ClientPseudonym::NOBODY, |client| client.pseudonym)
    }

    /// Any decision about this message type, for the classes of its fields: what may pass does not depend on it.
    fn classes(&self, rules: &Rules, way: Way) -> Result<Arc<Compiled>, Refusal> {
        let (sender, receiver, message) = self.direction(way);
        let consents = Consents { beroepsgeheim: Consent::Verleend, gezondheidsgegevens: Consent::Verleend };
        rules.proven().compiled(&Situation {
            message: message.clone(),
            sender: (sender.oin, sender.role.clone()),
            receiver: (receiver.oin, receiver.role.clone()),
            purpose: self.route.purpose.clone(),
            consents,
            spoed: false,
        })
    }

    /// From whom, to whom, and of which type.
    pub(crate) fn direction(&self, way: Way) -> (&Party, &Party, &MessageType) {
        match way {
            Way::Request => (&self.asker, &self.route.source, &self.method.request),
            Way::Reply => (&self.route.source, &self.asker, &self.method.reply),
        }
    }
}
