//! The two records of a call: the intent, durable before the source is called, and the outcome, durable before the
//! last of the answer leaves.
//!
//! Owns: counting what messages carried, and both records. In the intent the asker has nothing yet and the source
//! what the first request holds; in the outcome the asker has what passed. A call that nobody waits for any more is
//! recorded as well, when it is dropped: whatever had passed, passed.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use journal::{Commit, Recorded};
use ledger::{Carried, Decision, Delivery, Event, Passed, Terms, Withheld};
use model::Refusal;

use crate::ask::decide::{No, Talk, Way};
use crate::ask::frames::{framed, framed_small};
use crate::line::record::{self, Circumstances, Outcome};

/// What one side sent so far.
#[derive(Default)]
struct Side {
    messages: u32,
    terms: Terms,
    activity: Option<String>,
    passed: Vec<Passed>,
    withheld: Vec<Withheld>,
}

impl Side {
    fn add(&mut self, carried: Carried, activity: Option<String>) {
        self.messages = self.messages.saturating_add(1);
        (self.terms, self.activity) = (carried.terms, activity);
        for delivery in carried.to {
            if self.messages == 1 {
                (self.passed, self.withheld) = (delivery.passed, delivery.withheld);
                continue;
            }
            for one in delivery.passed {
                match self.passed.iter_mut().find(|known| (known.class, known.form) == (one.class, one.form))
                {
                    Some(known) => known.count = known.count.saturating_add(one.count),
                    None => self.passed.push(one),
                }
            }
            for one in delivery.withheld {
                match self.withheld.iter_mut().find(|known| known.class == one.class) {
                    Some(known) => known.count = known.count.saturating_add(one.count),
                    None => self.withheld.push(one),
                }
            }
        }
    }

    fn counted(&self, mut delivery: Delivery) -> Delivery {
        (delivery.passed, delivery.withheld) = (self.passed.clone(), self.withheld.clone());
        delivery
    }
}

#[derive(Default)]
struct Sides {
    requests: Side,
    replies: Side,
    closed: bool,
}

/// A call under way, with its account.
pub(crate) struct Underway {
    pub(crate) talk: Talk,
    sides: Mutex<Sides>,
}

impl Underway {
    pub(crate) fn new(talk: Talk) -> Underway {
        // Until the intent is recorded there is nothing to close.
        Underway { talk, sides: Mutex::new(Sides { closed: true, ..Sides::default() }) }
    }

    /// Decides about a message and counts it; gives what may go on of it, in its frame.
    pub(crate) fn pass(&self, way: Way, message: &[u8]) -> Result<Bytes, No> {
        let screened = self.talk.decide(way, message)?;
        let deflates = way == Way::Reply && self.talk.deflates;
        let frame = if deflates { framed_small(screened.document()) } else { framed(screened.document()) };
        let (from, to, message_type) = self.talk.direction(way);
        let outcomes = [Outcome { receiver: to.clone(), decided: Ok(screened), kept: None }];
        let purpose = Some(&self.talk.route.purpose);
        let carried = record::carried(Some(from.clone()), Some(message_type), purpose, &outcomes);
        let mut sides = self.sides();
        let side = match way {
            Way::Request => &mut sides.requests,
            Way::Reply => &mut sides.replies,
        };
        side.add(carried, record::activity(&outcomes));
        Ok(frame)
    }

    /// Records that the source is going to be asked.
    pub(crate) async fn begin(&self) -> Result<Recorded, No> {
        if let Some(discarded) = self.talk.gateway.journal().discarded(self.talk.exchange) {
            return Ok(discarded);
        }
        let (carried, activity) = {
            let sides = self.sides();
            let mut to = vec![Delivery::new(self.talk.asker.clone(), Decision::Delivered)];
            if sides.requests.messages > 0 {
                let source = Delivery::new(self.talk.route.source.clone(), Decision::Delivered);
                to.push(sides.requests.counted(source));
            }
            let terms = self.terms(&sides.requests, Way::Request);
            let from = Some(self.talk.route.source.clone());
            (Carried { from, terms, reason: None, to }, sides.requests.activity.clone())
        };
        let recorded = self.write(activity, Event::Ask(carried)).await.map_err(No::Asked)?;
        self.sides().closed = false;
        Ok(recorded)
    }

    /// Records how it ended. Nothing more passes after this.
    pub(crate) async fn close(&self, no: Option<&No>) -> Result<Recorded, No> {
        if let Some(discarded) = self.talk.gateway.journal().discarded(self.talk.exchange) {
            return Ok(discarded);
        }
        let (activity, event) = self.outcome(no);
        self.write(activity, event).await.map_err(No::Asked)
    }

    /// Records that the call was refused before anyone was asked.
    pub(crate) async fn refuse(&self, no: &No) -> Result<(), No> {
        let Some(refusal) = no.refusal() else { return Ok(()) };
        let (from, to, message) = self.talk.direction(Way::Request);
        let outcomes = [Outcome { receiver: to.clone(), decided: Err(refusal.clone()), kept: None }];
        let purpose = Some(&self.talk.route.purpose);
        let mut carried = record::carried(Some(from.clone()), Some(message), purpose, &outcomes);
        carried.reason = Some(refusal.reason);
        self.write(None, Event::Refused(carried)).await.map(drop).map_err(No::Asked)
    }

    fn outcome(&self, no: Option<&No>) -> (Option<String>, Event) {
        let mut sides = self.sides();
        sides.closed = true;
        let refusal = no.and_then(No::refusal);
        let asker = self.talk.asker.clone();
        let asker = match (no, &refusal) {
            (None, _) => Delivery::new(asker, Decision::Delivered),
            (Some(No::Answered(_)), Some(refusal)) => record::refused(asker, refusal),
            (_, refusal) => Delivery {
                reason: refusal.as_ref().map(|refusal| refusal.reason),
                ..Delivery::new(asker, Decision::Refused)
            },
        };
        let mut to = vec![sides.replies.counted(asker)];
        if sides.requests.messages > 1 || matches!(no, Some(No::Asked(_))) {
            let source = self.talk.route.source.clone();
            let source = match (no, &refusal) {
                (Some(No::Asked(_)), Some(refusal)) => record::refused(source, refusal),
                _ => Delivery::new(source, Decision::Delivered),
            };
            to.push(sides.requests.counted(source));
        }
        let terms = self.terms(&sides.replies, Way::Reply);
        let (from, reason) = (Some(self.talk.route.source.clone()), refusal.map(|refusal| refusal.reason));
        let activity = sides.replies.activity.clone().or_else(|| sides.requests.activity.clone());
        (activity, Event::Ask(Carried { from, terms, reason, to }))
    }

    fn terms(&self, side: &Side, way: Way) -> Terms {
        if side.messages > 0 {
            return side.terms.clone();
        }
        let (_, _, message) = self.talk.direction(way);
        record::carried(None, Some(message), Some(&self.talk.route.purpose), &[]).terms
    }

    async fn write(&self, activity: Option<String>, event: Event) -> Result<Recorded, Refusal> {
        record::write(self.talk.gateway.journal(), self.commit(activity, event)).await
    }

    fn commit(&self, activity: Option<String>, event: Event) -> Commit {
        let talk = &self.talk;
        let rules = talk.gateway.rules();
        let (now, exchange, trace) = (talk.gateway.now(), talk.exchange, talk.arrived.trace);
        let circumstances = Circumstances { now, exchange, trace, rules: &rules };
        let client = talk.client.get().map(|client| &client.bsn);
        Commit {
            client: Some(talk.pseudonym()),
            sealed: record::sealed(Some(&talk.actor), client),
            ..Commit::of(circumstances.leaf(talk.route.activity.clone().or(activity), event))
        }
    }

    fn sides(&self) -> std::sync::MutexGuard<'_, Sides> {
        self.sides.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if self.sides().closed {
            return;
        }
        let (activity, event) = self.outcome(Some(&No::Left));
        let (commit, gateway) = (self.commit(activity, event), self.talk.gateway.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // Nobody waits for it; a journal that cannot write has said so itself.
            runtime.spawn(async move { drop(record::write(gateway.journal(), commit).await) });
        }
    }
}
