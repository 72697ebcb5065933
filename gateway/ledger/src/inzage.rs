//! Inzage (AVG 15): for one client, who got what, when, why and on which ground; serves `log inzage`.
//!
//! Owns: the answer as data, and as a page in Dutch to print and hand over (`page`). Employees' names are not in
//! it: only the public record is read. Which records are a client's, only the holder of the client's key can
//! tell: see [`Leaf::is_of`].

mod page;
#[cfg(test)]
mod tests;
mod words;

use model::{DataClass, Form, Grondslag, Name, Oin, Purpose, Role, Timestamp};
use serde::Serialize;

use crate::Digest;
use crate::leaf::{Decision, Event, Kind, Label, Leaf, Party};

impl Leaf {
    /// Whether this record is about the client who has this key.
    pub fn is_of(&self, client_key: &[u8; 32]) -> bool {
        self.client.is_some_and(|client| client.link == Digest::link(client_key, &self.exchange))
    }
}

/// The answer to one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inzage {
    /// When it was made.
    pub made: Timestamp,
    /// When the client was erased; then there is no record left that can be tied to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased: Option<Timestamp>,
    /// What happened, oldest first.
    pub events: Vec<InzageEvent>,
}

/// One thing that happened with the client's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InzageEvent {
    /// When.
    pub time: Timestamp,
    /// Which exchange.
    pub exchange: String,
    /// What kind of record.
    pub kind: Kind,
    /// In a sentence, in Dutch.
    pub sentence: String,
    /// The same in English.
    pub sentence_en: String,
    /// Which exchange of the bundle, `X05`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<Label>,
    /// Whose data it was, or who acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Organisation>,
    /// For what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// On which ground.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grondslag: Option<Grondslag>,
    /// Under which version of the policy.
    pub bundle: u64,
    /// Who got what.
    pub receivers: Vec<InzageReceiver>,
}

/// What one receiver got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InzageReceiver {
    /// Who.
    pub to: Organisation,
    /// Whether it may have it.
    pub decision: Decision,
    /// Which classes, in which form, of how many fields.
    pub passed: Vec<(DataClass, Form, u32)>,
    /// Which classes were kept from this receiver, of how many fields, by which rule.
    pub withheld: Vec<(Option<DataClass>, u32, Option<Name>)>,
}

/// An organisation in a role, with its name where it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Organisation {
    /// Its number.
    pub oin: Oin,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The role in which it acted.
    pub role: Role,
}

/// Makes the answer from a client's records, in the order of the log. `name_of` knows organisations by name.
pub fn inzage<'l>(
    records: impl IntoIterator<Item = &'l Leaf>,
    name_of: impl Fn(&Oin) -> Option<String>,
    erased: Option<Timestamp>,
    made: Timestamp,
) -> Inzage {
    let known =
        |party: &Party| Organisation { oin: party.oin, name: name_of(&party.oin), role: party.role.clone() };
    let mut events: Vec<InzageEvent> = records.into_iter().map(|leaf| event(leaf, &known)).collect();
    events.sort_by_key(|event| event.time);
    Inzage { made, erased, events }
}

fn event(leaf: &Leaf, known: &impl Fn(&Party) -> Organisation) -> InzageEvent {
    let carried = leaf.event.carried();
    let terms = carried.map(|carried| &carried.terms);
    let receivers = carried.into_iter().flat_map(|carried| &carried.to).map(|delivery| InzageReceiver {
        to: known(&delivery.to),
        decision: delivery.decision,
        passed: delivery.passed.iter().map(|passed| (passed.class, passed.form, passed.count)).collect(),
        withheld: delivery.withheld.iter().map(|one| (one.class, one.count, one.rule.clone())).collect(),
    });
    let from = carried.map_or(leaf.event.actor(), |carried| carried.from.as_ref());
    let purpose = match &leaf.event {
        Event::Consent(change) => Some(change.purpose.clone()),
        _ => terms.and_then(|terms| terms.purpose.clone()),
    };
    let (sentence, sentence_en) = words::sentences(leaf, known);
    InzageEvent {
        time: leaf.time,
        exchange: leaf.exchange.to_string(),
        kind: leaf.kind(),
        sentence,
        sentence_en,
        declared: terms.and_then(|terms| terms.declared.clone()),
        from: from.map(known),
        purpose,
        grondslag: terms.and_then(|terms| terms.grondslag),
        bundle: leaf.bundle.number,
        receivers: receivers.collect(),
    }
}

impl Inzage {
    /// The answer as one page of HTML in Dutch, complete in itself: no script, nothing to fetch, fit to print.
    pub fn page(&self) -> String {
        page::page(self)
    }
}
