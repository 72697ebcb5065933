//! Two logs of one region, laid side by side: what one says it delivered and the other did not get.
//!
//! Owns: what counts as the same delivery (exchange and receiver), and how two records of it can disagree. Both
//! logs are to be verified first; this file compares what they say, not whether they were changed.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use model::{DataClass, ExchangeId, Form, Timestamp};
use serde::Serialize;

use crate::leaf::{Decision, Event, Leaf, Party};

/// What one log says of one delivery, after all its records of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// Which exchange.
    pub exchange: ExchangeId,
    /// From whom.
    pub from: Option<Party>,
    /// To whom.
    pub to: Party,
    /// When it was last recorded.
    pub time: Timestamp,
    /// The last decision.
    pub decision: Decision,
    /// What passed, and how often.
    pub passed: BTreeMap<DataClass, BTreeMap<Form, u32>>,
}

/// Where two logs agree and where not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Reconciled {
    /// How many deliveries both logs tell alike.
    pub agreed: u64,
    /// Delivered according to the first log; the second knows nothing of it.
    pub only_first: Vec<Claim>,
    /// Delivered according to the second log; the first knows nothing of it.
    pub only_second: Vec<Claim>,
    /// Both know of it and say something else: another decision, other classes, forms or counts.
    pub differ: Vec<(Claim, Claim)>,
}

impl Reconciled {
    /// Whether the logs tell the same story.
    pub fn is_clean(&self) -> bool {
        self.only_first.is_empty() && self.only_second.is_empty() && self.differ.is_empty()
    }
}

/// Compares two logs. `shared` says which deliveries both of them should know: those between the organisations
/// that use both gateways.
pub fn reconcile<'l>(
    first: impl IntoIterator<Item = &'l Leaf>,
    second: impl IntoIterator<Item = &'l Leaf>,
    shared: impl Fn(&Claim) -> bool,
) -> Reconciled {
    let first = claims(first);
    let mut second = claims(second);
    let mut outcome = Reconciled::default();
    for (key, claim) in first.into_iter().filter(|(_, claim)| shared(claim)) {
        match second.remove(&key) {
            Some(other) if other.decision == claim.decision && other.passed == claim.passed => {
                outcome.agreed += 1
            }
            Some(other) => outcome.differ.push((claim, other)),
            None if claim.decision == Decision::Delivered => outcome.only_first.push(claim),
            // A no that the other never heard of is as it should be.
            None => {}
        }
    }
    let rest = second.into_values().filter(|claim| claim.decision == Decision::Delivered && shared(claim));
    outcome.only_second.extend(rest);
    outcome
}

/// The last word of a log on each of its deliveries.
fn claims<'l>(leaves: impl IntoIterator<Item = &'l Leaf>) -> BTreeMap<(ExchangeId, Party), Claim> {
    let mut claims = BTreeMap::new();
    for leaf in leaves {
        let (Event::Sent(carried) | Event::HandedOut(carried) | Event::Ask(carried)) = &leaf.event else {
            continue;
        };
        for delivery in &carried.to {
            let mut passed: BTreeMap<DataClass, BTreeMap<Form, u32>> = BTreeMap::new();
            for one in &delivery.passed {
                *passed.entry(one.class).or_default().entry(one.form).or_default() += one.count;
            }
            let claim = Claim {
                exchange: leaf.exchange,
                from: carried.from.clone(),
                to: delivery.to.clone(),
                time: leaf.time,
                decision: delivery.decision,
                passed,
            };
            claims.insert((leaf.exchange, delivery.to.clone()), claim);
        }
    }
    claims
}
