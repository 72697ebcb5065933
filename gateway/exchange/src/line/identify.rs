//! identify, for calls that carry no document: who acts, and a record when nobody may.
//!
//! Owns: that a refusal at the door of a service stands in the log as well, and that whoever reads in the log is
//! recorded too. `Send` identifies within the line itself.

use std::sync::Arc;

use identity::Actor;
use journal::Commit;
use ledger::{Access, Carried, Event, Party};
use model::{Reason, Refusal, Role};

use crate::gateway::Gateway;
use crate::line::accept::Arrived;
use crate::line::party;
use crate::line::record::{self, Circumstances};

impl Gateway {
    /// Who acts in a call; with `needed`, only someone in one of these roles.
    pub(crate) async fn identified<M>(
        &self,
        arrived: &Arrived<M>,
        needed: Option<&[(&str, &str)]>,
    ) -> Result<Arc<Actor>, Refusal> {
        let identified = arrived.identify().and_then(|actor| match needed {
            Some(needed) if !self.is_one_of(&actor, needed) => Err(Reason::RoleNotAllowed.into()),
            _ => Ok(actor),
        });
        match identified {
            Ok(actor) => Ok(actor),
            Err(refusal) => {
                self.record_refusal(arrived, &refusal).await?;
                Err(refusal)
            }
        }
    }

    /// Whether someone acts in one of these roles, each `(kind of organisation, role)`.
    fn is_one_of(&self, actor: &Actor, needed: &[(&str, &str)]) -> bool {
        let rules = self.rules();
        let Some(organisation) = rules.proven().organisation(&actor.oin()) else { return false };
        let own = (organisation.kind.as_str(), actor.role().as_str());
        needed.contains(&own)
    }

    /// A refusal after someone was identified, once it stands in the log; or that the log cannot be written.
    pub(crate) async fn recorded<M>(&self, arrived: &Arrived<M>, refusal: Refusal) -> Refusal {
        match self.record_refusal(arrived, &refusal).await {
            Ok(()) => refusal,
            Err(unwritten) => unwritten,
        }
    }

    /// Puts a refused call in the log.
    pub(crate) async fn record_refusal<M>(
        &self,
        arrived: &Arrived<M>,
        refusal: &Refusal,
    ) -> Result<(), Refusal> {
        let from = arrived.oin().map(|oin| Party { oin, role: Role::systeem() });
        let carried = Carried { from, reason: Some(refusal.reason), ..Carried::default() };
        self.write_event(arrived, None, Event::Refused(carried)).await
    }

    /// Puts in the log that someone read there.
    pub(crate) async fn record_access<M>(
        &self,
        arrived: &Arrived<M>,
        actor: &Actor,
        what: &str,
        records: u64,
    ) -> Result<(), Refusal> {
        let what = what.parse().map_err(|_| Reason::RequestInvalid)?;
        self.write_event(arrived, Some(actor), Event::Access(Access { by: party(actor), what, records }))
            .await
    }

    async fn write_event<M>(
        &self,
        arrived: &Arrived<M>,
        actor: Option<&Actor>,
        event: Event,
    ) -> Result<(), Refusal> {
        let rules = self.rules();
        // A refusal that comes too late is the refusal that was to be written.
        let _ = arrived.deadline().hold();
        let named = arrived.transaction.as_ref().and_then(|named| named.as_ref().ok().copied());
        let exchange = named.unwrap_or_else(|| self.new_exchange_id(arrived.now));
        let circumstances = Circumstances { now: arrived.now, exchange, trace: arrived.trace, rules: &rules };
        let sealed = record::sealed(actor, None);
        let commit = Commit { sealed, ..Commit::of(circumstances.leaf(None, event)) };
        record::write(self.journal(), commit).await.map(|_| ())
    }
}
