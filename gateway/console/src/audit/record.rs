//! One record: what stands in it, for people and as it stands in the log, and the proof that it does.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use ledger::{Delivery, Event, Leaf};
use oversight::Act;
use policy::Proven;

use super::proof::Proof;
use super::shell;
use super::tell::{Told, consent, mark, party, tell};
use crate::fault::Fault;
use crate::pages::{App, Who};
use crate::shell::{Answer, Shell, page as made, sentence};
use crate::visitor::Visitor;
use crate::{show, words};

/// What one receiver got.
struct Receiver {
    to: String,
    class: &'static str,
    decision: &'static str,
    reason: Option<String>,
    consents: Option<String>,
    passed: Vec<String>,
    withheld: Vec<String>,
    held_back: Vec<String>,
}

#[derive(Template)]
#[template(path = "record.html")]
struct Record {
    shell: Shell,
    index: u64,
    told: Told,
    exchange: String,
    facts: Vec<(&'static str, String)>,
    receivers: Vec<Receiver>,
    raw: String,
    proof: Proof,
    lead: String,
}

/// The page.
pub(super) async fn page(State(console): App, Extension(visitor): Who, Path(index): Path<u64>) -> Answer {
    console.oversight().may(&visitor.operator, Act::Search).await?;
    let bytes = console.oversight().journal().record(index)?;
    let leaf = Leaf::from_bytes(&bytes).map_err(|_| Fault::Broken)?;
    let proven = console.oversight().proven();
    let t = &visitor.words().audit;
    let readable: serde_json::Value = serde_json::from_slice(&bytes).map_err(|_| Fault::Broken)?;
    let raw = serde_json::to_string_pretty(&readable).map_err(|_| Fault::Broken)?;
    let deliveries = leaf.event.carried().into_iter().flat_map(|carried| &carried.to);
    let proof = Proof::make(&console, index);
    let size = proof.size().map_or_else(String::new, |size| show::number(size, visitor.language));
    made(&Record {
        shell: shell(&visitor, show::fill(t.record, &[&index.to_string()])),
        index,
        told: tell(index, &leaf, &proven, &visitor),
        exchange: leaf.exchange.to_string(),
        facts: facts(&leaf, &proven, &visitor),
        receivers: deliveries.map(|delivery| receiver(delivery, &proven, &visitor)).collect(),
        raw,
        lead: show::fill(t.proof_lead, &[&show::number(index, visitor.language), &size]),
        proof,
    })
}

fn facts(leaf: &Leaf, proven: &Proven, visitor: &Visitor) -> Vec<(&'static str, String)> {
    let (t, language) = (&visitor.words().audit, visitor.language);
    let mut facts = Vec::new();
    let mut fact = |label, value: Option<String>| facts.extend(value.map(|value| (label, value)));
    if let Some(carried) = leaf.event.carried() {
        let terms = &carried.terms;
        fact(t.declared, terms.declared.as_ref().map(ToString::to_string));
        fact(t.message, terms.message.as_ref().map(|message| message.as_str().to_owned()));
        fact(t.purpose, terms.purpose.as_ref().map(|purpose| show::purpose(purpose, proven, language)));
        fact(t.ground, terms.grondslag.map(|ground| words::ground(ground, language).to_owned()));
        fact(t.emergency, terms.spoed.then(|| visitor.words().shell.yes.to_owned()));
        fact(t.reason, carried.reason.map(|reason| sentence(words::reason(reason, language))));
    }
    if let Event::Consent(change) = &leaf.event {
        fact(t.receiver, Some(party(&change.receiver, proven, visitor)));
        fact(t.consents, Some(consent(change.state, language).to_owned()));
    }
    fact(t.activity, leaf.activity.clone());
    fact(t.trace, leaf.trace.map(|trace| trace.trace_id.to_string()));
    let bundle = format!("{} ({})", leaf.bundle.number, leaf.bundle.digest);
    fact(t.bundle, Some(bundle));
    facts
}

fn receiver(delivery: &Delivery, proven: &Proven, visitor: &Visitor) -> Receiver {
    let language = visitor.language;
    let class = |class: Option<model::DataClass>| {
        class.map_or(visitor.words().shell.unknown, |class| words::class(class, language))
    };
    let times = |count: u32| if count > 1 { format!(" ({count}×)") } else { String::new() };
    let mut passed: BTreeMap<model::Form, Vec<String>> = BTreeMap::new();
    for one in &delivery.passed {
        let what = format!("{}{}", class(Some(one.class)), times(one.count));
        passed.entry(one.form).or_default().push(what);
    }
    let passed =
        passed.iter().map(|(form, what)| format!("{}: {}", words::form(*form, language), what.join(", ")));
    let sentence_of = |rule: &model::Name| {
        let mut rules = proven.rules();
        rules.find(|text| text.name == *rule).map(|text| language.sentence(&text.sentence).to_owned())
    };
    let mut withheld: Vec<(Option<&model::Name>, Vec<String>)> = Vec::new();
    for one in &delivery.withheld {
        let what = format!("{}{}", class(one.class), times(one.count));
        match withheld.iter_mut().find(|(rule, _)| *rule == one.rule.as_ref()) {
            Some((_, all)) => all.push(what),
            None => withheld.push((one.rule.as_ref(), vec![what])),
        }
    }
    let withheld = withheld.iter().map(|(rule, what)| {
        let why = rule.and_then(sentence_of).map(|why| format!(" – {why}")).unwrap_or_default();
        format!("{}{why}", what.join(", "))
    });
    let held_back = delivery
        .held_back
        .iter()
        .map(|held| format!("{}: {} ({})", held.field, class(held.class), held.rule));
    let consents = delivery.consents.map(|consents| {
        let (one, other) = (consents.beroepsgeheim, consents.gezondheidsgegevens);
        let t = &visitor.words().audit;
        show::fill(t.two_consents, &[consent(one, language), consent(other, language)])
    });
    Receiver {
        to: party(&delivery.to, proven, visitor),
        class: mark(delivery.decision),
        decision: words::decision(delivery.decision, language),
        reason: delivery.reason.map(|reason| sentence(words::reason(reason, language))),
        consents,
        passed: passed.collect(),
        withheld: withheld.collect(),
        held_back: held_back.collect(),
    }
}
