//! Emergencies that were called: by whom, why, until when. An officer looks at each; that they looked stands in the log.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use journal::Opened;
use ledger::Event;
use policy::Proven;

use super::shell;
use super::tell::party;
use crate::pages::{App, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::show;
use crate::visitor::Visitor;

/// So many, the newest first.
const MOST: usize = 200;

struct Called {
    index: u64,
    exchange: String,
    when: String,
    machine: String,
    until: String,
    by: String,
    user: String,
    why: String,
}

#[derive(Template)]
#[template(path = "escapes.html")]
struct Page {
    shell: Shell,
    rule: String,
    called: Vec<Called>,
}

/// The page.
pub(super) async fn page(State(console): App, Extension(visitor): Who) -> Answer {
    let found = console.oversight().escapes(&visitor.operator, MOST).await?;
    let proven = console.oversight().proven();
    let t = &visitor.words().audit;
    made(&Page {
        rule: show::fill(t.escapes_rule, &[&proven.emergency().minutes.to_string()]),
        called: found.iter().filter_map(|opened| called(opened, &proven, &visitor)).collect(),
        shell: shell(&visitor, t.escapes),
    })
}

fn called(opened: &Opened, proven: &Proven, visitor: &Visitor) -> Option<Called> {
    let Event::Escape(escape) = &opened.leaf.event else { return None };
    let language = visitor.language;
    let why = proven.emergency().reasons.iter().find(|reason| reason.id == escape.reason);
    let why = why.map(|reason| language.pick(&reason.nl, &reason.en).to_owned());
    let user = opened.sealed.as_ref().and_then(|sealed| sealed.user.clone());
    Some(Called {
        index: opened.index,
        exchange: opened.leaf.exchange.to_string(),
        when: show::moment(opened.leaf.time, language),
        machine: show::machine(opened.leaf.time),
        until: show::moment(escape.until, language),
        by: party(&escape.by, proven, visitor),
        user: user.unwrap_or_else(|| visitor.words().shell.unknown.to_owned()),
        why: why.unwrap_or_else(|| show::plain(escape.reason.as_str())),
    })
}
