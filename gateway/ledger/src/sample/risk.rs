//! Records that stand out: what an auditor looks at besides the draw.
//!
//! Owns: the marks and their rules. A mark is a reason to look, not an accusation. Who has many clients is only
//! seen where sealed parts are open; the users themselves are not in the answer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Weekday;
use model::Reason;
use serde::Serialize;

use crate::export::Record;
use crate::leaf::{Decision, Event, Leaf};
use crate::moment::wall_clock;

/// Why a record stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// At night or in a weekend, by the clock in the Netherlands.
    OffHours,
    /// By a user who had unusually many clients that day.
    ManyClients,
    /// Without an active traject of this organisation with this client.
    NoActiveTraject,
    /// Past the ordinary rules: called an emergency, or a held text released.
    Escape,
    /// Refused, or sent back.
    Refusal,
}

/// What is ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RiskRules {
    /// The first hour of a working day.
    pub opens: i8,
    /// The hour at which it ends.
    pub closes: i8,
    /// How many clients a user has on an ordinary day at most.
    pub clients_a_day: usize,
}

impl Default for RiskRules {
    fn default() -> RiskRules {
        RiskRules { opens: 7, closes: 20, clients_a_day: 15 }
    }
}

/// A record that stands out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Risky {
    /// Its place in the log.
    pub index: u64,
    /// Why.
    pub risks: BTreeSet<Risk>,
}

/// Finds the records that stand out, in the order of the log.
pub fn risks<'r>(records: impl IntoIterator<Item = &'r Record>, rules: &RiskRules) -> Vec<Risky> {
    let mut found: BTreeMap<u64, BTreeSet<Risk>> = BTreeMap::new();
    let mut days: BTreeMap<(&str, jiff::civil::Date), Day<'_>> = BTreeMap::new();
    for record in records {
        let mut mark = |risk: Risk| found.entry(record.index).or_default().insert(risk);
        let leaf = &record.leaf;
        if is_off_hours(leaf, rules) {
            mark(Risk::OffHours);
        }
        if is_escape(leaf) {
            mark(Risk::Escape);
        }
        let reasons = reasons(leaf);
        if reasons.contains(&Some(Reason::TrajectNotActive)) {
            mark(Risk::NoActiveTraject);
        }
        if !reasons.is_empty() {
            mark(Risk::Refusal);
        }
        if let Some((user, client)) = who(record) {
            let day = days.entry((user, wall_clock(leaf.time).date())).or_default();
            day.clients.insert(client);
            day.records.push(record.index);
        }
    }
    for day in days.into_values().filter(|day| day.clients.len() > rules.clients_a_day) {
        for index in day.records {
            found.entry(index).or_default().insert(Risk::ManyClients);
        }
    }
    found.into_iter().map(|(index, risks)| Risky { index, risks }).collect()
}

/// One user's day.
#[derive(Default)]
struct Day<'r> {
    clients: BTreeSet<&'r str>,
    records: Vec<u64>,
}

fn who(record: &Record) -> Option<(&str, &str)> {
    let sealed = record.sealed.as_ref()?;
    Some((sealed.user.as_deref()?, sealed.client.first()?.value.as_str()))
}

/// Acts of people outside working hours; what the gateway does of itself has no hours.
fn is_off_hours(leaf: &Leaf, rules: &RiskRules) -> bool {
    let clock = wall_clock(leaf.time);
    let weekend = matches!(clock.weekday(), Weekday::Saturday | Weekday::Sunday);
    leaf.event.actor().is_some() && (weekend || !(rules.opens..rules.closes).contains(&clock.hour()))
}

fn is_escape(leaf: &Leaf) -> bool {
    let spoed = leaf.event.carried().is_some_and(|carried| carried.terms.spoed);
    spoed || matches!(leaf.event, Event::Release(_) | Event::Escape(_))
}

/// The reasons of everything in the record that was not delivered; a no without a reason counts too.
fn reasons(leaf: &Leaf) -> Vec<Option<Reason>> {
    match &leaf.event {
        Event::Erased(erasure) => erasure.reason.map(Some).into_iter().collect(),
        event => {
            let Some(carried) = event.carried() else { return Vec::new() };
            let whole =
                (carried.reason.is_some() || matches!(event, Event::Refused(_))).then_some(carried.reason);
            let parts = carried.to.iter().filter(|delivery| delivery.decision != Decision::Delivered);
            whole.into_iter().chain(parts.map(|delivery| delivery.reason)).collect()
        }
    }
}
