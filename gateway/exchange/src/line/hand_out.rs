//! Handing out: a delivery that waits walks the line again, under the rules and the consents of this moment.
//!
//! Owns: the second decision about what was stored at sending, its record, and the acknowledgement. A delivery that
//! may not be had now waits on: a bundle can be put right, a consent granted again; what never comes right expires.

use identity::Actor;
use journal::{Commit, CommitError, Waiting};
use ledger::{Carried, Decision, Delivery, DeliveryId, Event, Party, Terms};
use model::{Reason, Refusal, Timestamp};
use oversight::{is_releasable, release_of};

use crate::gateway::Gateway;
use crate::line::authorise::{Question, authorise};
use crate::line::record::{self, Circumstances, Outcome};
use crate::line::screen::Screened;
use crate::rules::Rules;

/// A delivery that may go out: its record is durable.
pub(crate) struct HandedOut {
    pub(crate) waiting: Waiting,
    pub(crate) document: Vec<u8>,
    pub(crate) index: u64,
}

impl Gateway {
    /// Everything that happens to one delivery that is collected. `None`: it may not be had now.
    pub(crate) async fn hand_out(
        &self,
        actor: &Actor,
        waiting: Waiting,
        now: Timestamp,
    ) -> Result<Option<HandedOut>, Refusal> {
        let rules = self.rules();
        let decided = self.decide_again(&rules, &waiting, now);
        let refused = decided.as_ref().err().map(|refusal| refusal.reason);
        let document = decided.as_ref().ok().map(|screened| screened.document().to_vec());
        if let Some(reason) = refused {
            if is_ours(reason) {
                return Err(reason.into());
            }
            if self.is_told(&waiting.delivery, reason, &rules) {
                return Ok(None);
            }
        }
        let outcomes = [Outcome { receiver: waiting.to.clone(), decided, kept: None }];
        let (message, purpose) = (waiting.terms.message.as_ref(), waiting.terms.purpose.as_ref());
        let mut carried = record::carried(waiting.from.clone(), message, purpose, &outcomes);
        carried.terms = Terms { opens: None, ..waiting.terms.clone() };
        carried.to.iter_mut().for_each(|to| to.delivery = Some(waiting.delivery));
        let circumstances = Circumstances { now, exchange: waiting.exchange, trace: None, rules: &rules };
        let leaf = circumstances.leaf(waiting.activity.clone(), Event::HandedOut(carried));
        let sealed = record::sealed(Some(actor), None);
        let commit = Commit { client: Some(waiting.client), sealed, ..Commit::of(leaf) };
        let recorded = record::write(self.journal(), commit).await?;
        if let Some(reason) = refused {
            self.remember_told(waiting.delivery, reason, &rules);
        }
        Ok(document.map(|document| HandedOut { waiting, document, index: recorded.index() }))
    }

    /// authorise → filter → screen, for what was stored, under the rules that the record will name.
    fn decide_again(&self, rules: &Rules, waiting: &Waiting, now: Timestamp) -> Result<Screened, Refusal> {
        let (Some(sender), Some(message), Some(purpose)) =
            (&waiting.from, &waiting.terms.message, &waiting.terms.purpose)
        else {
            return Err(Reason::LogUnavailable.into());
        };
        if waiting.expires <= now {
            return Err(Reason::Expired.into());
        }
        // An escape ends by itself: what was not collected by then is judged as on any other day.
        let spoed = waiting.terms.spoed && rules.proven().emergency().holds(waiting.sent, now);
        let (receiver, client) = (&waiting.to, waiting.client);
        let phase_at_sending = waiting.phase;
        let question = Question { sender, receiver, message, purpose, client, spoed, phase_at_sending, now };
        let authorised = authorise(rules, self, &question)?;
        let document = self.journal().open_document(waiting).map_err(|error| self.unreadable(&error))?;
        let stopped = match self.project(rules, authorised, &document)? {
            Ok(screened) => return Ok(screened),
            Err(stopped) => stopped,
        };
        // What two officers released goes, within the limits of this moment.
        let released = release_of(self.journal(), waiting).map_err(|error| self.unreadable(&error))?;
        match released {
            Some(released) if is_releasable(rules.proven(), receiver, spoed, stopped.classes()) => {
                Ok(stopped.released(&released))
            }
            _ => Err(stopped.refusal),
        }
    }

    /// The receiver has it: it will not come again. Done as well when it was done before.
    pub(crate) async fn acknowledge(
        &self,
        actor: &Actor,
        to: &Party,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let found = self.journal().delivery(&delivery).map_err(|error| self.unreadable(&error))?;
        let Some(waiting) = found.filter(|waiting| waiting.to == *to) else { return Ok(()) };
        let mut has = Delivery::new(to.clone(), Decision::Delivered);
        has.delivery = Some(delivery);
        let carried =
            Carried { from: waiting.from.clone(), terms: waiting.terms.clone(), reason: None, to: vec![has] };
        let rules = self.rules();
        let circumstances = Circumstances { now, exchange: waiting.exchange, trace: None, rules: &rules };
        let leaf = circumstances.leaf(waiting.activity.clone(), Event::Acknowledged(carried));
        match self.journal().acknowledge(leaf, waiting.client, record::sealed(Some(actor), None)).await {
            Ok(_) | Err(CommitError::NotWaiting) => Ok(()),
            Err(error) => Err(error.reason().into()),
        }
    }
}

/// Whether a reason is about this gateway and not about the delivery: then the call fails, and nothing is recorded.
fn is_ours(reason: Reason) -> bool {
    matches!(reason, Reason::LogUnavailable | Reason::Busy)
}
