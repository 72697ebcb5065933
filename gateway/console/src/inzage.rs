//! The answer to a client: who got what, when, why, on which ground, and what was withheld (AVG 15). To print.
//!
//! The question is an act with a reason, recorded before anything is shown. Names of employees are not in the answer.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use ledger::{Inzage, InzageEvent, Kind, Organisation};
use model::Bsn;
use oversight::Act;
use policy::Proven;

use crate::form::Form;
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::visitor::Visitor;
use crate::words::Language;
use crate::{audit, show, words};

/// A reason says something.
const REASON: usize = 10;

struct Receiver {
    to: String,
    class: &'static str,
    decision: &'static str,
    passed: Vec<String>,
    withheld: Vec<&'static str>,
}

struct Happened {
    when: String,
    machine: String,
    what: String,
    facts: Vec<(&'static str, String)>,
    receivers: Vec<Receiver>,
}

#[derive(Template)]
#[template(path = "inzage.html")]
struct Page {
    shell: Shell,
    wrong: Option<&'static str>,
    reason: String,
    answer: Option<Told>,
}

struct Told {
    made: String,
    erased: Option<String>,
    events: Vec<Happened>,
}

/// The question.
pub(crate) async fn page(State(console): App, Extension(visitor): Who) -> Answer {
    console.oversight().may(&visitor.operator, Act::Inzage).await?;
    shown(&visitor, &Form::default(), None, None)
}

/// The answer.
pub(crate) async fn answer(State(console): App, Extension(visitor): Who, Extension(form): Typed) -> Answer {
    let t = &visitor.words().audit;
    if form.get("reason").chars().count() < REASON {
        return shown(&visitor, &form, Some(visitor.words().inzage.reason_short), None);
    }
    let Some(bsn) = form.parsed::<Bsn>("bsn") else {
        return shown(&visitor, &form, Some(t.bsn_wrong), None);
    };
    let oversight = console.oversight();
    let (leaves, tombstone) = oversight.inzage(&visitor.operator, &bsn, Some(form.get("reason"))).await?;
    let proven = oversight.proven();
    let name_of = |oin: &model::Oin| proven.organisation(oin).map(|known| known.name.to_string());
    let erased = tombstone.map(|leaf| leaf.time);
    let inzage = ledger::inzage(&leaves, name_of, erased, oversight.now());
    shown(&visitor, &form, None, Some(tell(&inzage, &proven, visitor.language)))
}

fn shown(visitor: &Visitor, form: &Form, wrong: Option<&'static str>, answer: Option<Told>) -> Answer {
    let title = if answer.is_some() { visitor.words().inzage.answer } else { visitor.words().inzage.title };
    made(&Page { shell: Shell::new(visitor, title), wrong, reason: form.get("reason").to_owned(), answer })
}

fn tell(inzage: &Inzage, proven: &Proven, language: Language) -> Told {
    Told {
        made: show::moment(inzage.made, language),
        erased: inzage.erased.map(|erased| show::moment(erased, language)),
        events: inzage.events.iter().map(|event| happened(event, proven, language)).collect(),
    }
}

fn party(party: &Organisation, proven: &Proven, language: Language) -> String {
    let name = party.name.clone().unwrap_or_else(|| party.oin.to_string());
    format!("{name} ({})", show::role(&party.role, proven, language))
}

fn happened(event: &InzageEvent, proven: &Proven, language: Language) -> Happened {
    let t = &language.words().audit;
    let mut facts = Vec::new();
    let mut fact = |label, value: Option<String>| facts.extend(value.map(|value| (label, value)));
    fact(language.words().overview.from, event.from.as_ref().map(|from| party(from, proven, language)));
    fact(t.purpose, event.purpose.as_ref().map(|purpose| show::purpose(purpose, proven, language)));
    fact(t.ground, event.grondslag.map(|ground| words::ground(ground, language).to_owned()));
    fact(t.bundle, Some(event.bundle.to_string()));
    fact(t.exchange, Some(event.exchange.clone()));
    // What only confirms that something arrived names its receiver, and has nothing to list.
    let confirms = event.kind == Kind::Acknowledged;
    for receiver in event.receivers.iter().filter(|_| confirms) {
        fact(t.receiver, Some(party(&receiver.to, proven, language)));
    }
    let receivers = event.receivers.iter().filter(|_| !confirms).map(|receiver| {
        let class = |class: Option<model::DataClass>| {
            class.map_or(language.words().shell.unknown, |class| words::class(class, language))
        };
        let mut passed: BTreeMap<model::Form, Vec<&str>> = BTreeMap::new();
        for (what, how, _) in &receiver.passed {
            passed.entry(*how).or_default().push(class(Some(*what)));
        }
        let passed =
            passed.iter().map(|(how, what)| format!("{}: {}", words::form(*how, language), what.join(", ")));
        let mut withheld: Vec<&str> = receiver.withheld.iter().map(|(what, ..)| class(*what)).collect();
        withheld.dedup();
        Receiver {
            to: party(&receiver.to, proven, language),
            class: audit::mark(receiver.decision),
            decision: words::decision(receiver.decision, language),
            passed: passed.collect(),
            withheld,
        }
    });
    Happened {
        when: show::moment(event.time, language),
        machine: show::machine(event.time),
        what: language.pick(&event.sentence, &event.sentence_en).to_owned(),
        facts,
        receivers: receivers.collect(),
    }
}
