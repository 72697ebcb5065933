//! The one place where operators' acts come together: what they share, the check that each begins with, and its record.
//!
//! Owns: `permit` (may they?) and `record` (it is on disk before it counts). Who did it stands by name in the sealed part
//! and as a role in the public record. A refused act is recorded too. Next: `steps` and `looks`.

use std::sync::Arc;

use identity::Operator;
use journal::{Commit, Journal, ReadError};
use ledger::{BundleRef, Carried, Digest, Event, Leaf, Party, SealedPart, Version};
use model::{ClientPseudonym, ExchangeId, Name, Oin, Reason, Refusal, Timestamp};
use policy::{Proven, Trust};
use ring::rand::{SecureRandom as _, SystemRandom};
use screening::Screener;
use tokio::sync::Mutex;

use crate::changes::{Changes, OpenError};
use crate::held::Queue;
use crate::in_force::{InForce, Reception};
use crate::rights::Act;
use crate::shelf::Shelf;

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What oversight works with.
pub struct Setup {
    /// The log.
    pub journal: Arc<Journal>,
    /// The gateway.
    pub in_force: Arc<dyn InForce>,
    /// The door.
    pub reception: Arc<dyn Reception>,
    /// Whose signatures make a bundle. What was seen before is filled in from the bundle that runs.
    pub trust: Trust,
    /// The bundles in the data folder.
    pub shelf: Shelf,
    /// The organisation that runs the gateway: its operators act for it.
    pub organisation: Oin,
    /// The clock.
    pub clock: Clock,
}

/// What operators may do. Shared by every door to it.
pub struct Oversight {
    pub(crate) setup: Setup,
    /// Locked from the check of a step to its record, so that steps follow each other.
    pub(crate) changes: Mutex<Changes>,
    /// The bundles that were studied last, proven: an officer looks at one many times before it is proposed.
    pub(crate) studied: std::sync::Mutex<Vec<Arc<Proven>>>,
    pub(crate) queue: std::sync::Mutex<Queue>,
    random: SystemRandom,
}

/// Someone may do something: the role by which, at the organisation of the gateway.
pub(crate) struct Permitted {
    pub(crate) by: Party,
    pub(crate) name: Name,
}

impl Oversight {
    /// Finds the changes on their way in the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn open(setup: Setup) -> Result<Arc<Oversight>, OpenError> {
        let changes = Mutex::new(Changes::read(&setup.journal)?);
        Ok(Arc::new(Oversight {
            setup,
            changes,
            studied: std::sync::Mutex::default(),
            queue: std::sync::Mutex::default(),
            random: SystemRandom::new(),
        }))
    }

    /// The operator who showed these certificates (DER, leaf first); to be asked at every request.
    ///
    /// # Errors
    /// `CERTIFICATE_REFUSED` with the place in the certificate that is wrong.
    pub fn operator(&self, presented: &[&[u8]]) -> Result<Operator, Refusal> {
        self.setup.reception.operator(presented, self.now())
    }

    /// The bundle that decides now.
    pub fn proven(&self) -> Arc<Proven> {
        self.setup.in_force.proven()
    }

    /// The screener of the bundle that decides now.
    pub fn screener(&self) -> Arc<Screener> {
        self.setup.in_force.screener()
    }

    /// The log.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.setup.journal
    }

    /// The time by the gateway's clock.
    pub fn now(&self) -> Timestamp {
        (self.setup.clock)()
    }

    /// The check that every act begins with. A refusal is in the log when this returns.
    ///
    /// # Errors
    /// `ROLE_NOT_ALLOWED`, or that the log cannot be written.
    pub(crate) async fn permit(&self, who: &Operator, act: Act) -> Result<Permitted, Refusal> {
        let oin = self.setup.organisation;
        match act.allowed(who) {
            Ok(role) => Ok(Permitted { by: Party { oin, role }, name: who.name().clone() }),
            Err(refusal) => {
                let role = who.roles().next().cloned().ok_or(Reason::RoleNotAllowed)?;
                let refused = Permitted { by: Party { oin, role }, name: who.name().clone() };
                Err(self.refused(&refused, refusal).await)
            }
        }
    }

    /// Whether they may: without a record where they may, for looks that show nothing of any client.
    ///
    /// # Errors
    /// As for every act; the refusal is in the log.
    pub async fn may(&self, who: &Operator, act: Act) -> Result<(), Refusal> {
        self.permit(who, act).await.map(|_| ())
    }

    /// A refusal, once it stands in the log; or that the log cannot be written.
    pub(crate) async fn refused(&self, who: &Permitted, refusal: Refusal) -> Refusal {
        let from = Some(who.by.clone());
        let carried = Carried { from, reason: Some(refusal.reason), ..Carried::default() };
        match self.record(who, Event::Refused(carried), None).await {
            Ok(()) => refusal,
            Err(unwritten) => unwritten,
        }
    }

    /// Puts an act in the log: durable when this returns.
    pub(crate) async fn record(
        &self,
        who: &Permitted,
        event: Event,
        client: Option<ClientPseudonym>,
    ) -> Result<(), Refusal> {
        let leaf = self.leaf(event);
        self.commit(who, leaf, client).await
    }

    /// A record of this moment, under the bundle that decides now.
    pub(crate) fn leaf(&self, event: Event) -> Leaf {
        let (v, time) = (Version::default(), self.now());
        let (exchange, bundle) = (self.new_id(time), bundle_ref(&self.proven()));
        Leaf { v, time, exchange, trace: None, bundle, activity: None, client: None, event }
    }

    pub(crate) async fn commit(
        &self,
        who: &Permitted,
        leaf: Leaf,
        client: Option<ClientPseudonym>,
    ) -> Result<(), Refusal> {
        self.commit_sealed(who, leaf, client, SealedPart::default()).await
    }

    /// As [`Oversight::commit`], with more to seal than who it was.
    pub(crate) async fn commit_sealed(
        &self,
        who: &Permitted,
        leaf: Leaf,
        client: Option<ClientPseudonym>,
        mut sealed: SealedPart,
    ) -> Result<(), Refusal> {
        sealed.user = Some(who.name.to_string());
        let commit = Commit { client, sealed, ..Commit::of(leaf) };
        self.setup.journal.commit(commit).await.map(drop).map_err(|error| {
            tracing::error!(%error, "an operator's act was not recorded");
            error.reason().into()
        })
    }

    pub(crate) fn new_id(&self, now: Timestamp) -> ExchangeId {
        let mut random = [0; 10];
        // Zeros would only make ids collide, and the record after it would say so.
        if self.random.fill(&mut random).is_err() {
            tracing::error!("the operating system gives no random bytes");
        }
        ExchangeId::new(now, random)
    }
}

/// What cannot be read is not shown.
pub(crate) fn unreadable(error: &ReadError) -> Refusal {
    match error {
        ReadError::Erased => Reason::Erased.into(),
        ReadError::NotFound => Reason::NotFound.into(),
        error => {
            tracing::error!(%error, "the journal cannot be read");
            Reason::LogUnavailable.into()
        }
    }
}

/// How records name a bundle.
pub(crate) fn bundle_ref(proven: &Proven) -> BundleRef {
    BundleRef { number: proven.number(), digest: Digest(proven.digest().0) }
}
