//! Who has got an exchange: for corrections (AVG 19) and leaks (AVG 33); serves `log receivers`.
//!
//! Owns: putting the records of one exchange together, one line a receiver: what it was sent, when it was handed
//! out, and what was in it then. Who was only meant to get it and never did is in the list, and marked so.

#[cfg(test)]
mod tests;

use model::{DataClass, ExchangeId, Timestamp};
use serde::Serialize;

use crate::leaf::{Decision, Delivery, Event, Leaf, Party, Passed};

/// Everyone whom an exchange was meant for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receivers {
    /// Which exchange.
    pub exchange: ExchangeId,
    /// One for each receiver, in the order of the record.
    pub receivers: Vec<Receiver>,
}

/// How far an exchange has come with one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receiver {
    /// Who.
    pub to: Party,
    /// The last decision about it.
    pub decision: Decision,
    /// Whether data has left for it: handed out, or the answer to an ask.
    pub reached: bool,
    /// Whether a delivery for it still waits to be collected.
    pub waiting: bool,
    /// When it was sent.
    pub sent: Option<Timestamp>,
    /// When it was last handed out.
    pub handed_out: Option<Timestamp>,
    /// When the receiver said that it has it.
    pub acknowledged: Option<Timestamp>,
    /// What passed: at handing out, or else what was stored to be collected.
    pub passed: Vec<Passed>,
    /// The records in the log that say so.
    pub records: Vec<u64>,
}

impl Receivers {
    /// Those whom data has left for, of this class if one is asked for.
    pub fn reached(&self, class: Option<DataClass>) -> impl Iterator<Item = &Receiver> {
        let has = move |receiver: &&Receiver| match class {
            Some(class) => receiver.passed.iter().any(|passed| passed.class == class),
            None => true,
        };
        self.receivers.iter().filter(|receiver| receiver.reached).filter(has)
    }
}

/// Puts together who got an exchange, from the records of the log in their order; others are passed by.
pub fn receivers<'l>(records: impl IntoIterator<Item = (u64, &'l Leaf)>, exchange: ExchangeId) -> Receivers {
    let mut found = Receivers { exchange, receivers: Vec::new() };
    for (index, leaf) in records.into_iter().filter(|(_, leaf)| leaf.exchange == exchange) {
        let Some(carried) = leaf.event.carried() else { continue };
        for delivery in &carried.to {
            let receiver = of(&mut found.receivers, &delivery.to);
            receiver.records.push(index);
            note(receiver, leaf, delivery);
        }
    }
    found
}

fn of<'r>(receivers: &'r mut Vec<Receiver>, to: &Party) -> &'r mut Receiver {
    let place = receivers.iter().position(|receiver| receiver.to == *to).unwrap_or_else(|| {
        receivers.push(Receiver {
            to: to.clone(),
            decision: Decision::Refused,
            reached: false,
            waiting: false,
            sent: None,
            handed_out: None,
            acknowledged: None,
            passed: Vec::new(),
            records: Vec::new(),
        });
        receivers.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "the place was just found or just made")]
    &mut receivers[place]
}

/// Takes up what one record says of one receiver.
fn note(receiver: &mut Receiver, leaf: &Leaf, delivery: &Delivery) {
    let delivered = delivery.decision == Decision::Delivered;
    match &leaf.event {
        Event::Sent(_) => {
            receiver.sent = Some(leaf.time);
            receiver.decision = delivery.decision;
            receiver.waiting = delivered;
            receiver.passed = delivery.passed.clone();
        }
        Event::HandedOut(_) | Event::Ask(_) => {
            receiver.waiting = false;
            // A refusal at collecting does not take back what an earlier collection handed out.
            if delivered {
                receiver.reached = true;
                receiver.handed_out = Some(leaf.time);
                receiver.passed = delivery.passed.clone();
            }
            if delivered || !receiver.reached {
                receiver.decision = delivery.decision;
            }
        }
        Event::Acknowledged(_) => receiver.acknowledged = Some(leaf.time),
        Event::Expired(_) => receiver.waiting = false,
        _ => receiver.decision = delivery.decision,
    }
}
