//! The answer to a client: who got what, when, why, on which ground, and what was withheld (AVG 15). To print.
//!
//! The question is an act with a reason, recorded before anything is shown. Names of employees are not in the answer.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::Extension;
use axum::extract::State;
use ledger::{Decision, Inzage, InzageEvent, Kind, Organisation};
use model::{Bsn, Timestamp};
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
    withheld: String,
}

struct Happened {
    when: String,
    machine: String,
    what: String,
    facts: Vec<(&'static str, String)>,
    receivers: Vec<Receiver>,
}

/// All that one receiver collected or was answered.
struct Sum {
    to: String,
    classes: Vec<&'static str>,
    times: String,
    latest: String,
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
    /// Who received what in all, each receiver once.
    sums: Vec<Sum>,
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
        sums: sums(inzage, proven, language),
        events: inzage.events.iter().map(|event| happened(event, proven, language)).collect(),
    }
}

/// Each receiver once, by name. What waits and was not collected is with nobody yet, and does not count.
fn sums(inzage: &Inzage, proven: &Proven, language: Language) -> Vec<Sum> {
    let mut all: BTreeMap<String, (BTreeSet<model::DataClass>, u64, Timestamp)> = BTreeMap::new();
    let got = |event: &&InzageEvent| matches!(event.kind, Kind::HandedOut | Kind::Ask);
    for event in inzage.events.iter().filter(got) {
        for receiver in event.receivers.iter().filter(|receiver| receiver.decision == Decision::Delivered) {
            let none = || (BTreeSet::new(), 0, event.time);
            let (classes, times, latest) =
                all.entry(party(&receiver.to, proven, language)).or_insert_with(none);
            classes.extend(receiver.passed.iter().map(|(class, ..)| *class));
            *times += 1;
            *latest = event.time.max(*latest);
        }
    }
    let sum = |(to, (classes, times, latest)): (String, (BTreeSet<_>, u64, Timestamp))| Sum {
        to,
        classes: classes.into_iter().map(|class| words::class(class, language)).collect(),
        times: show::number(times, language),
        latest: show::date(latest, language),
    };
    all.into_iter().map(sum).collect()
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
        let t = &language.words().inzage;
        let withheld = match (receiver.decision, event.kind) {
            (Decision::Delivered, Kind::HandedOut) if withheld.is_empty() => t.as_sent.to_owned(),
            (Decision::Delivered, _) if withheld.is_empty() => t.none.to_owned(),
            (Decision::Delivered, _) => withheld.join(", "),
            _ => t.everything.to_owned(),
        };
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
