//! The line that every message walks: accept → identify → authorise → filter → screen → record → deliver.
//!
//! Owns: the order. Each step takes the proof type of the one before and gives its own, so the compiler keeps it.
//! What decides (`identify` to `screen`) reads and computes, and writes nothing; `record` is the only step that
//! makes anything true; nothing reaches anyone before it. A refusal is recorded like a delivery.

pub(crate) mod accept;
pub(crate) mod authorise;
pub(crate) mod check_text;
pub(crate) mod deliver;
pub(crate) mod filter;
pub(crate) mod hand_out;
pub(crate) mod identify;
pub(crate) mod offer;
pub(crate) mod record;
pub(crate) mod screen;

use std::sync::Arc;

use identity::Actor;
use journal::Commit;
use ledger::{Digest, Event, Party};
use model::{Bsn, ExchangeId, Grondslag, Oin, Purpose, Reason, Refusal, Role};
use oversight::is_releasable;
use policy::Escape;
use proto::veldwacht::exchange::v1 as wire;

use crate::gateway::Gateway;
use crate::line::accept::Arrived;
use crate::line::authorise::{Authorised, Question, authorise, escape, opens};
use crate::line::deliver::Sent;
use crate::line::filter::filter;
use crate::line::offer::{About, Offer};
use crate::line::record::{Circumstances, Kept, Outcome};
use crate::line::screen::{Screened, Stopped, screen};
use crate::rules::Rules;

/// What was decided about a document that was offered, for each of its receivers.
pub(crate) struct Decision {
    pub(crate) rules: Arc<Rules>,
    pub(crate) about: About,
    pub(crate) explain: bool,
    /// The organisation at the door, also when nobody there may act.
    oin: Option<Oin>,
    actor: Option<Arc<Actor>>,
    offer: Option<Offer>,
    /// An emergency, for a reason of the bundle's list.
    escape: Option<Escape>,
    outcomes: Result<Vec<Outcome>, Refusal>,
    trace: Option<ledger::Trace>,
    now: model::Timestamp,
}

/// A no that stands in the log – or says that the log cannot be written.
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    /// What became of each receiver, when it came that far.
    pub(crate) answer: Option<wire::SendResponse>,
}

/// What became of a document that was offered, and the exchange id under which it stands in the log.
pub(crate) type Ended = (ExchangeId, Result<wire::SendResponse, Refused>);

impl Gateway {
    /// Everything that happens to one document that is offered.
    pub(crate) async fn send(&self, arrived: Arrived<wire::SendRequest>) -> Ended {
        let decision = self.decide(arrived);
        let exchange = decision.about.exchange;
        let recorded = match self.open_escape(&decision).await {
            Ok(()) => self.record(decision).await,
            Err(refusal) => Err(refusal),
        };
        let answer = recorded.map_err(|refusal| Refused { refusal, answer: None }).and_then(deliver::answer);
        (exchange, answer)
    }

    /// identify → authorise → filter → screen, for every receiver. Writes nothing.
    fn decide(&self, arrived: Arrived<wire::SendRequest>) -> Decision {
        let rules = self.rules();
        let (identified, oin) = (arrived.identify(), arrived.oin());
        let deadline = arrived.deadline();
        let Arrived { message, transaction, now, trace, .. } = arrived;
        let explain = message.explain;
        let (about, offered) =
            offer::parse(message, transaction, self.new_exchange_id(now), self.limits().document_bytes);
        let (actor, refused) = match identified {
            Ok(actor) => (Some(actor), None),
            Err(refusal) => (None, Some(refusal)),
        };
        let (offer, unreadable) = match offered {
            Ok(offer) => (Some(offer), None),
            Err(refusal) => (None, Some(refusal)),
        };
        let (escape, unlisted) = match escape(&rules, actor.as_deref().and_then(Actor::spoed), now) {
            Ok(escape) => (escape, None),
            Err(refusal) => (None, Some(refusal)),
        };
        let spoed = escape.is_some();
        let outcomes = match (&actor, &offer, refused.or(unreadable).or(unlisted)) {
            (Some(actor), Some(offer), None) => self.project_all(&rules, actor, &about, offer, spoed, now),
            (_, _, refusal) => Err(refusal.unwrap_or_else(|| Reason::RequestInvalid.into())),
        };
        // Nothing waits from here to the commit: whoever is in time now is not given up.
        let outcomes = deadline.hold().and(outcomes);
        Decision { rules, about, explain, oin, actor, offer, escape, outcomes, trace, now }
    }

    fn project_all(
        &self,
        rules: &Rules,
        actor: &Actor,
        about: &About,
        offer: &Offer,
        spoed: bool,
        now: model::Timestamp,
    ) -> Result<Vec<Outcome>, Refusal> {
        let purpose = purpose(actor)?;
        let sender = party(actor);
        let client = self.pseudonym(offer.client.as_ref());
        let mut checked = false;
        let mut outcomes = Vec::with_capacity(about.receivers.len());
        for receiver in &about.receivers {
            let (sender, message) = (&sender, &offer.message);
            let phase_at_sending = None;
            let question =
                Question { sender, receiver, message, purpose, client, spoed, phase_at_sending, now };
            let decided = authorise(rules, self, &question);
            if let (Ok(authorised), false) = (&decided, checked) {
                // One look is enough: whether the bytes are a document of this client does not depend on who gets it.
                rules.check_document(
                    &offer.message,
                    authorised.compiled(),
                    &offer.document,
                    offer.client.as_ref(),
                )?;
                checked = true;
            }
            let projected = decided.and_then(|authorised| self.project(rules, authorised, &offer.document));
            let (decided, kept) = match projected {
                Ok(Ok(screened)) => (Ok(screened), None),
                Ok(Err(stopped)) => {
                    let kept = offer.hold.then(|| self.kept(rules, &stopped, receiver, spoed, now)).flatten();
                    (Err(stopped.refusal), kept)
                }
                Err(refusal) => (Err(refusal), None),
            };
            outcomes.push(Outcome { receiver: receiver.clone(), decided, kept });
        }
        Ok(outcomes)
    }

    /// filter → screen, for one receiver.
    pub(crate) fn project(
        &self,
        rules: &Rules,
        authorised: Authorised,
        document: &[u8],
    ) -> Result<Result<Screened, Box<Stopped>>, Refusal> {
        let key = self.pseudonym_key(&authorised.receiver().oin);
        let filtered = filter(authorised, document, &key)?;
        Ok(screen(filtered, rules.screener()))
    }

    /// What is kept for an officer of a projection that came back, when its sender asked for that.
    fn kept(
        &self,
        rules: &Rules,
        stopped: &Stopped,
        receiver: &Party,
        spoed: bool,
        now: model::Timestamp,
    ) -> Option<Kept> {
        let days = self.limits().held_days.min(stopped.compiled().exchange.collect_within_days);
        is_releasable(rules.proven(), receiver, spoed, stopped.classes()).then(|| Kept {
            document: stopped.document().to_vec(),
            expires: now.plus_seconds(i64::from(days).saturating_mul(86_400)),
        })
    }

    /// An escape that lets something pass is in the log before it is used, and told to whoever watches.
    async fn open_escape(&self, decision: &Decision) -> Result<(), Refusal> {
        let (Some(escape), Some(actor)) = (&decision.escape, &decision.actor) else { return Ok(()) };
        if !decision.outcomes.as_ref().is_ok_and(|outcomes| outcomes.iter().any(|it| it.decided.is_ok())) {
            return Ok(());
        }
        let opened =
            ledger::Escape { by: party(actor), reason: escape.reason().clone(), until: escape.until() };
        let Decision { rules, about, trace, now, .. } = decision;
        let circumstances = Circumstances { now: *now, exchange: about.exchange, trace: *trace, rules };
        let client = about.client.as_ref();
        let commit = Commit {
            client: client.map(|client| self.pseudonym(Some(client))),
            sealed: record::sealed(Some(actor), client),
            ..Commit::of(circumstances.leaf(None, Event::Escape(opened)))
        };
        let recorded = record::write(self.journal(), commit).await?;
        tracing::warn!(index = recorded.index(), reason = %escape.reason(), "an escape was opened; an officer has to look at it");
        Ok(())
    }

    /// Makes the decision true: one commit, durable when this returns.
    async fn record(&self, decision: Decision) -> Result<Sent, Refusal> {
        let Decision { rules, about, explain, oin, actor, offer, escape, outcomes, trace, now } = decision;
        let circumstances = Circumstances { now, exchange: about.exchange, trace, rules: &rules };
        let (outcomes, refusal) = match outcomes {
            Ok(outcomes) => (outcomes, None),
            Err(refusal) => {
                let all = about.receivers.iter().cloned();
                let refused =
                    all.map(|receiver| Outcome { receiver, decided: Err(refusal.clone()), kept: None });
                (refused.collect(), Some(refusal))
            }
        };
        let actor = actor.as_deref();
        let at_the_door = || oin.map(|oin| Party { oin, role: Role::systeem() });
        let from = actor.map(party).or_else(at_the_door);
        let purpose = actor.and_then(Actor::purpose);
        let mut carried = record::carried(from, about.message.as_ref(), purpose, &outcomes);
        if escape.is_some() {
            carried.terms.spoed = true;
            carried.terms.grondslag = carried.terms.grondslag.and(Some(Grondslag::VitaalBelang));
        }
        let passed = outcomes.iter().any(|outcome| outcome.decided.is_ok());
        if let (Some(sender), Some(client)) = (actor.map(Actor::oin), about.client.as_ref()) {
            let client = self.pseudonym(Some(client));
            carried.terms.opens = opens(&rules, self, client, &sender, record::receivers(&outcomes), now)?;
        }
        let kept = outcomes.iter().any(|outcome| outcome.kept.is_some());
        carried.reason =
            if passed { None } else { refusal.as_ref().or(first_no(&outcomes)).map(|no| no.reason) };
        // An exchange id is used up by what waits only: what was refused may be offered again under the same id.
        let event = if passed || kept { Event::Sent(carried) } else { Event::Refused(carried) };
        let leaf = circumstances.leaf(record::activity(&outcomes), event);
        let commit = Commit {
            leaf: leaf.clone(),
            // A stranger's word for who the client is makes no key for that client.
            client: actor.map(|_| self.pseudonym(about.client.as_ref())),
            sealed: record::sealed(actor, about.client.as_ref().filter(|_| actor.is_some())),
            request: offer.as_ref().map(|offer| request_digest(&about, offer, actor)),
            documents: record::documents(&outcomes, now),
        };
        let recorded = record::write(self.journal(), commit).await?;
        let leaf = if recorded.is_repeated() { self.recorded_leaf(recorded.index())? } else { leaf };
        Ok(Sent { recorded, leaf, outcomes, refusal, rules, explain, offer })
    }
}

/// The organisation and role of whoever acts.
pub(crate) fn party(actor: &Actor) -> Party {
    Party { oin: actor.oin(), role: actor.role().clone() }
}

/// What whoever acts does it for: the assertion says so, never the message.
pub(crate) fn purpose(actor: &Actor) -> Result<&Purpose, Refusal> {
    actor.purpose().ok_or_else(|| Reason::RoleRequired.into())
}

fn first_no(outcomes: &[Outcome]) -> Option<&Refusal> {
    outcomes.iter().find_map(|outcome| outcome.decided.as_ref().err())
}

/// What makes two requests the same request.
fn request_digest(about: &About, offer: &Offer, actor: Option<&Actor>) -> Digest {
    let sender = actor.map(|actor| format!("{}/{:?}", party(actor), actor.purpose())).unwrap_or_default();
    let receivers: Vec<String> = about.receivers.iter().map(Party::to_string).collect();
    let (receivers, message) = (receivers.join(" "), offer.message.as_str());
    let client = offer.client.as_ref().map(Bsn::expose).unwrap_or_default();
    let hold = if offer.hold { "hold" } else { "" };
    let head = [sender.as_str(), &receivers, message, client, hold].join("\n");
    Digest::of_parts(&[head.as_bytes(), b"\n\n", &offer.document])
}
