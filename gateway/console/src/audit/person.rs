//! Searching by a person: an act with a reason, which stands in the log before anything is shown.
//!
//! The BSN comes in the body of a form and goes nowhere but into the pseudonym of this gateway's views: not into an
//! address, a page or a line of a log.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use journal::Criteria;
use model::Bsn;
use oversight::Act;

use super::shell;
use super::tell::{Told, tell};
use crate::form::Form;
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::show;
use crate::visitor::Visitor;

/// At most so many records of one person on a page.
const MOST: usize = 500;
/// A reason says something.
const REASON: usize = 10;

#[derive(Template)]
#[template(path = "person.html")]
struct Person {
    shell: Shell,
    wrong: Option<&'static str>,
    user: String,
    reason: String,
    searched: bool,
    found: String,
    rows: Vec<Told>,
}

/// The form.
pub(super) async fn page(State(console): App, Extension(visitor): Who) -> Answer {
    console.oversight().may(&visitor.operator, Act::Search).await?;
    shown(&visitor, &Form::default(), None, None)
}

/// What was found.
pub(super) async fn search(State(console): App, Extension(visitor): Who, Extension(form): Typed) -> Answer {
    let t = &visitor.words().audit;
    let (bsn, user) = (form.get("bsn"), form.get("user"));
    if form.get("reason").chars().count() < REASON || (bsn.is_empty() && user.is_empty()) {
        return shown(&visitor, &form, Some(t.one_of), None);
    }
    let journal = console.oversight().journal();
    let mut criteria = Criteria::default();
    if !bsn.is_empty() {
        match bsn.parse::<Bsn>() {
            Ok(bsn) => criteria.client = Some(journal.pseudonym(&bsn)),
            Err(_) => return shown(&visitor, &form, Some(t.bsn_wrong), None),
        }
    }
    if !user.is_empty() {
        criteria.user = Some(journal.user_mark(user));
    }
    let reason = form.get("reason");
    let found = console.oversight().search(&visitor.operator, &criteria, Some(reason), None, MOST).await?;
    let proven = console.oversight().proven();
    let rows = found.iter().rev().map(|opened| tell(opened.index, &opened.leaf, &proven, &visitor));
    shown(&visitor, &form, None, Some(rows.collect()))
}

fn shown(visitor: &Visitor, form: &Form, wrong: Option<&'static str>, rows: Option<Vec<Told>>) -> Answer {
    let t = &visitor.words().audit;
    let searched = rows.is_some();
    let rows = rows.unwrap_or_default();
    made(&Person {
        shell: shell(visitor, t.by_client),
        wrong,
        user: form.get("user").to_owned(),
        reason: form.get("reason").to_owned(),
        searched,
        found: show::fill(t.found, &[&rows.len().to_string()]),
        rows,
    })
}
