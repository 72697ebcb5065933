//! Reports of misuse: what happened outside hours, whom most was asked about, who had many clients. A mark is a reason to
//! look, not an accusation.
//!
//! Sealed parts are opened for it: it asks for a reason and is recorded first. Clients stay pseudonyms; users are named,
//! for that is what it is about.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use jiff::ToSpan as _;
use journal::{Criteria, Opened};
use ledger::{Record, Risk, RiskRules, risks};
use model::Timestamp;
use oversight::Act;

use super::shell;
use super::tell::{Told, tell};
use crate::fault::Fault;
use crate::form::Form;
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::show;
use crate::visitor::Visitor;

/// At most so many records are looked through for one report.
const MOST: usize = 20_000;
/// So many rows of each list.
const ROWS: usize = 25;
/// A reason says something.
const REASON: usize = 10;

struct Found {
    off_hours: Vec<Told>,
    clients: Vec<(String, usize)>,
    users: Vec<(String, usize, usize)>,
    looked: String,
    cut: bool,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    shell: Shell,
    wrong: Option<&'static str>,
    days: i64,
    reason: String,
    found: Option<Found>,
}

/// The question.
pub(super) async fn page(State(console): App, Extension(visitor): Who) -> Answer {
    console.oversight().may(&visitor.operator, Act::Search).await?;
    shown(&visitor, &Form::default(), None, None)
}

/// The answer.
pub(super) async fn report(State(console): App, Extension(visitor): Who, Extension(form): Typed) -> Answer {
    let reason = form.get("reason");
    if reason.chars().count() < REASON {
        return shown(&visitor, &form, Some(visitor.words().inzage.reason_short), None);
    }
    let oversight = console.oversight();
    let from = begins(oversight.now(), days(&form)).ok_or(Fault::NotFound)?;
    let criteria = Criteria { from: Some(from), ..Criteria::default() };
    let found = oversight.search(&visitor.operator, &criteria, Some(reason), None, MOST).await?;
    let found = found.into_iter().filter(|opened| opened.leaf.time >= from).collect::<Vec<_>>();
    let proven = oversight.proven();
    let marks = marks(&found);
    let off: Vec<&Opened> = found.iter().filter(|opened| marks.contains(&opened.index)).collect();
    let told = Found {
        looked: show::fill(
            visitor.words().audit.looked_through,
            &[&show::number(found.len() as u64, visitor.language)],
        ),
        cut: found.len() >= MOST,
        off_hours: off
            .iter()
            .rev()
            .take(ROWS)
            .map(|opened| tell(opened.index, &opened.leaf, &proven, &visitor))
            .collect(),
        clients: most_asked(&found),
        users: many_clients(&found),
    };
    shown(&visitor, &form, None, Some(told))
}

/// Where so many days begin, of which today is the last: at midnight in the Netherlands.
fn begins(now: Timestamp, days: i64) -> Option<Timestamp> {
    let first = ledger::wall_clock(now).date().checked_sub((days - 1).days()).ok()?;
    ledger::midnight(first)
}

fn days(form: &Form) -> i64 {
    form.parsed::<i64>("days").filter(|days| [1, 7, 31].contains(days)).unwrap_or(7)
}

fn shown(visitor: &Visitor, form: &Form, wrong: Option<&'static str>, found: Option<Found>) -> Answer {
    let shell = shell(visitor, visitor.words().audit.reports);
    made(&Page { shell, wrong, days: days(form), reason: form.get("reason").to_owned(), found })
}

/// The records outside hours.
fn marks(found: &[Opened]) -> Vec<u64> {
    let records: Vec<Record> = found
        .iter()
        .map(|opened| Record { index: opened.index, leaf: opened.leaf.clone(), sealed: None })
        .collect();
    let risky = risks(&records, &RiskRules::default()).into_iter();
    risky.filter(|risky| risky.risks.contains(&Risk::OffHours)).map(|risky| risky.index).collect()
}

/// Whom most records are about, by the first signs of the pseudonym of this gateway.
fn most_asked(found: &[Opened]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for client in found.iter().filter_map(|opened| opened.client) {
        if client != model::ClientPseudonym::NOBODY {
            *counts.entry(client.to_string().chars().take(12).collect()).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(client, count)| (std::cmp::Reverse(*count), client.clone()));
    counts.truncate(ROWS);
    counts
}

/// Users by the most clients that they had on one day, with how many records.
fn many_clients(found: &[Opened]) -> Vec<(String, usize, usize)> {
    type Days = BTreeMap<jiff::civil::Date, std::collections::BTreeSet<String>>;
    let mut users: BTreeMap<&str, (Days, usize)> = BTreeMap::new();
    let day = |time: Timestamp| ledger::wall_clock(time).date();
    for opened in found {
        let (Some(client), Some(sealed)) = (opened.client, &opened.sealed) else { continue };
        let Some(user) = sealed.user.as_deref() else { continue };
        let (days, records) = users.entry(user).or_default();
        days.entry(day(opened.leaf.time)).or_default().insert(client.to_string());
        *records += 1;
    }
    let most = |days: &Days| days.values().map(|clients| clients.len()).max().unwrap_or(0);
    let mut users: Vec<_> =
        users.into_iter().map(|(user, (days, records))| (user.to_owned(), most(&days), records)).collect();
    users.sort_by_key(|(user, most, records)| (std::cmp::Reverse((*most, *records)), user.clone()));
    users.truncate(ROWS);
    users
}
