//! The exchanges that a bundle declares, fields that nobody classified, and what was proved when it was loaded.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use oversight::Act;

use super::shell;
use crate::pages::{App, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::{show, words};

struct Exchange {
    id: String,
    title: String,
    message: String,
    purpose: String,
    ground: &'static str,
    from: Vec<String>,
    to: Vec<String>,
    collect: String,
}

#[derive(Template)]
#[template(path = "contracts.html")]
struct Page {
    shell: Shell,
    unclassified: Vec<String>,
    exchanges: Vec<Exchange>,
    proof: String,
    held: Vec<String>,
}

/// The page.
pub(super) async fn page(State(console): App, Extension(visitor): Who) -> Answer {
    console.oversight().may(&visitor.operator, Act::LookAtPolicy).await?;
    let proven = console.oversight().proven();
    let language = visitor.language;
    let t = &visitor.words().policies;
    let functies = |all: &[policy::Functie]| {
        let name = |one: &policy::Functie| {
            let kind = show::kind_of_organisation(&one.kind, &proven, language);
            format!("{kind}, {}", show::role(&one.role, &proven, language))
        };
        all.iter().map(name).collect()
    };
    let exchanges = proven.exchanges().map(|exchange| Exchange {
        id: exchange.id.to_string(),
        title: language.pick(&exchange.nl, &exchange.en).to_owned(),
        message: exchange.message.as_str().to_owned(),
        purpose: show::purpose(&exchange.purpose, &proven, language),
        ground: words::ground(exchange.grondslag, language),
        from: functies(&exchange.from),
        to: functies(&exchange.to),
        collect: show::fill(t.days, &[&exchange.collect_within_days.to_string()]),
    });
    let report = proven.report();
    let number = |count: usize| show::number(count as u64, language);
    let figures = [
        number(report.rules),
        number(report.routes),
        show::number(report.decisions, language),
        number(report.held.len()),
    ];
    made(&Page {
        unclassified: report.unclassified.clone(),
        exchanges: exchanges.collect(),
        proof: show::fill(t.proof_text, &figures.each_ref().map(String::as_str)),
        held: report.held.iter().map(|held| language.sentence(&held.sentence).to_owned()).collect(),
        shell: shell(&visitor, t.contracts),
    })
}
