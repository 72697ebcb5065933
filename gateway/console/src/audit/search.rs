//! Searching the log by what is public of its records, the newest first.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use journal::Criteria;
use ledger::{Decision, Kind};
use model::{DataClass, ExchangeId, Oin};
use oversight::Act;

use super::days::Days;
use super::shell;
use super::tell::{Told, tell};
use crate::form::Form;
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::{Console, show, words};

/// So many records a page.
const PAGE: usize = 50;

/// One choice of a list.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

/// A list of choices.
pub(crate) fn choices<T>(
    all: impl IntoIterator<Item = T>,
    chosen: &str,
    named: impl Fn(&T) -> (String, String),
) -> Vec<Choice> {
    let choice = |one: T| {
        let (value, label) = named(&one);
        let chosen = value == chosen;
        Choice { value, label, chosen }
    };
    all.into_iter().map(choice).collect()
}

#[derive(Template)]
#[template(path = "search.html")]
struct Search {
    shell: Shell,
    /// How many records there are.
    size: u64,
    organisations: Vec<Choice>,
    kinds: Vec<Choice>,
    decisions: Vec<Choice>,
    classes: Vec<Choice>,
    from: String,
    until: String,
    exchange: String,
    found: String,
    rows: Vec<Told>,
    older: Option<String>,
    newest: Option<String>,
}

/// The page.
pub(super) async fn page(State(console): App, Extension(visitor): Who, Extension(query): Typed) -> Answer {
    console.oversight().may(&visitor.operator, Act::Search).await?;
    let (days, mut criteria) = (Days::of(&query), criteria(&query));
    days.narrow(&mut criteria);
    let before = query.parsed::<u64>("before");
    let journal = console.oversight().journal();
    let found = days.newest(journal, &criteria, before.unwrap_or(u64::MAX), PAGE + 1)?;
    let proven = console.oversight().proven();
    let rows = found.iter().take(PAGE).map(|(index, leaf)| tell(*index, leaf, &proven, &visitor));
    let rows: Vec<Told> = rows.collect();
    let more = found.len() > PAGE;
    let older = rows.last().filter(|_| more).map(|last| link(&query, Some(last.index)));
    let t = &visitor.words().audit;
    made(&Search {
        size: journal.size(),
        organisations: organisations(&console, query.get("organisation")),
        kinds: choices(Kind::ALL, query.get("kind"), |kind| {
            (kind.name().into(), words::kind(**kind, visitor.language).into())
        }),
        decisions: choices(
            [Decision::Delivered, Decision::Returned, Decision::Refused],
            query.get("decision"),
            |one| (one.name().into(), words::decision(*one, visitor.language).into()),
        ),
        classes: choices(DataClass::ALL, query.get("class"), |class| {
            (class.name().into(), words::class(**class, visitor.language).into())
        }),
        from: query.get("from").to_owned(),
        until: query.get("until").to_owned(),
        exchange: query.get("exchange").to_owned(),
        found: show::fill(t.found, &[&rows.len().to_string()]),
        rows,
        older,
        newest: before.map(|_| link(&query, None)),
        shell: shell(&visitor, t.title),
    })
}

pub(super) fn organisations(console: &Console, chosen: &str) -> Vec<Choice> {
    let proven = console.oversight().proven();
    choices(proven.organisations(), chosen, |organisation| {
        (organisation.oin.to_string(), organisation.name.to_string())
    })
}

/// What was asked for. What cannot be read is left out: the lists show what was understood.
fn criteria(query: &Form) -> Criteria {
    Criteria {
        organisation: query.parsed::<Oin>("organisation"),
        class: query.parsed::<DataClass>("class"),
        decision: [Decision::Delivered, Decision::Returned, Decision::Refused]
            .into_iter()
            .find(|one| one.name() == query.get("decision")),
        kind: Kind::ALL.iter().copied().find(|kind| kind.name() == query.get("kind")),
        exchange: query.parsed::<ExchangeId>("exchange"),
        ..Criteria::default()
    }
}

fn link(query: &Form, before: Option<u64>) -> String {
    let mut link = form_urlencoded::Serializer::new(String::from("/audit?"));
    for (name, value) in query.typed().iter().filter(|(name, value)| name != "before" && !value.is_empty()) {
        link.append_pair(name, value);
    }
    if let Some(before) = before {
        link.append_pair("before", &before.to_string());
    }
    link.finish()
}
