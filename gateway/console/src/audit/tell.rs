//! One record as a row of a list: when, what, between whom, how it went.

use ledger::{Decision, Event, Leaf, Party};
use policy::Proven;

use crate::show;
use crate::visitor::Visitor;
use crate::words::{self, Language};

/// A row.
pub(crate) struct Told {
    pub(crate) index: u64,
    pub(crate) machine: String,
    pub(crate) date: String,
    pub(crate) clock: String,
    pub(crate) kind: &'static str,
    /// What it is about: the exchange of the bundle, or what was done.
    pub(crate) about: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) outcomes: Vec<Outcome>,
}

/// How it went, as a mark with a word.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) class: &'static str,
    pub(crate) text: String,
}

/// Tells a record.
pub(crate) fn tell(index: u64, leaf: &Leaf, proven: &Proven, visitor: &Visitor) -> Told {
    let language = visitor.language;
    let carried = leaf.event.carried();
    let from = match carried {
        Some(carried) => carried.from.as_ref(),
        None => leaf.event.actor(),
    };
    let to = carried.into_iter().flat_map(|carried| &carried.to);
    Told {
        index,
        machine: show::machine(leaf.time),
        date: show::date(leaf.time, language),
        clock: show::clock(leaf.time),
        kind: words::kind(leaf.kind(), language),
        about: about(leaf, proven, language),
        from: from.map_or_else(String::new, |from| party(from, proven, visitor)),
        to: to.map(|delivery| party(&delivery.to, proven, visitor)).collect(),
        outcomes: outcomes(leaf, visitor),
    }
}

/// `Gemeente Delft, klantmanager`.
pub(crate) fn party(party: &Party, proven: &Proven, visitor: &Visitor) -> String {
    let known = proven.organisation(&party.oin).is_some() || party.oin != visitor.gateway;
    let name =
        if known { show::organisation(&party.oin, proven) } else { visitor.words().audit.gateway.to_owned() };
    format!("{name}, {}", show::role(&party.role, proven, visitor.language))
}

fn about(leaf: &Leaf, proven: &Proven, language: Language) -> String {
    match &leaf.event {
        Event::Consent(change) => show::purpose(&change.purpose, proven, language),
        Event::Access(access) => words::look(access.what.as_str(), language),
        Event::Erased(erasure) => erasure.ground.to_string(),
        Event::Release(release) => release.text.field.to_string(),
        Event::Traject(change) => words::phase(change.phase, language),
        Event::Change(change) => words::step(change.step, language).to_owned(),
        Event::Bundle(change) => format!("{} {}", language.pick("nummer", "number"), change.about.number),
        event => {
            let Some(carried) = event.carried() else { return String::new() };
            let purpose =
                carried.terms.purpose.as_ref().map(|purpose| show::purpose(purpose, proven, language));
            let declared = carried.terms.declared.as_ref().map(ToString::to_string);
            [declared, purpose].into_iter().flatten().collect::<Vec<_>>().join(" · ")
        }
    }
}

pub(crate) fn mark(decision: Decision) -> &'static str {
    match decision {
        Decision::Delivered => "pass",
        Decision::Returned => "mind",
        Decision::Refused => "stop",
    }
}

/// Every decision in it once, with how often.
fn outcomes(leaf: &Leaf, visitor: &Visitor) -> Vec<Outcome> {
    let language = visitor.language;
    let mut outcomes = Vec::new();
    if let Event::Access(access) = &leaf.event {
        let shown = show::number(access.records, language);
        outcomes
            .push(Outcome { class: "plain", text: show::fill(visitor.words().audit.looked_at, &[&shown]) });
    }
    if let Event::Consent(change) = &leaf.event {
        let class = if change.state == model::Consent::Verleend { "pass" } else { "stop" };
        outcomes.push(Outcome { class, text: consent(change.state, language).to_owned() });
    }
    if let Event::Release(release) = &leaf.event {
        let (class, text) = words::release_step(release.step, language);
        outcomes.push(Outcome { class, text: text.to_owned() });
    }
    if let Event::Change(change) = &leaf.event
        && change.reason.is_some()
    {
        let text = words::decision(Decision::Refused, language).to_owned();
        outcomes.push(Outcome { class: "stop", text });
    }
    let Some(carried) = leaf.event.carried() else { return outcomes };
    if carried.to.is_empty() && carried.reason.is_some() {
        outcomes
            .push(Outcome { class: "stop", text: words::decision(Decision::Refused, language).to_owned() });
    }
    for decision in [Decision::Delivered, Decision::Returned, Decision::Refused] {
        let count = carried.to.iter().filter(|to| to.decision == decision).count();
        if count > 0 {
            let times = if count > 1 { format!(" {count}×") } else { String::new() };
            let text = format!("{}{times}", words::decision(decision, language));
            outcomes.push(Outcome { class: mark(decision), text });
        }
    }
    outcomes
}

pub(crate) fn consent(consent: model::Consent, language: Language) -> &'static str {
    let (nl, en) = match consent {
        model::Consent::Verleend => ("verleend", "given"),
        model::Consent::Geweigerd => ("geweigerd of ingetrokken", "refused or withdrawn"),
        model::Consent::Onbekend => ("onbekend", "unknown"),
    };
    language.pick(nl, en)
}
