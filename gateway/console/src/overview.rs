//! The overview: what passed, was left out, sent back and refused, over time and between whom, and what waits.
//!
//! Reads sums that the journal keeps, so that it is as fast with ten million records as with ten. The pictures are made
//! here, as SVG; their figures stand beside them as tables.

mod chart;
mod flow;

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract;
use journal::Figures;
use model::{Oin, Timestamp};
use oversight::{Act, Change};
use policy::{Proven, State};

use crate::Console;
use crate::fault::Fault;
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::show;
use crate::visitor::Visitor;
use crate::words::Language;
use chart::Chart;
use flow::Flow;

/// How far back, and in pieces of how many hours a picture shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Period {
    Day,
    Week,
    Month,
    Year,
}

impl Period {
    const ALL: [Period; 4] = [Period::Day, Period::Week, Period::Month, Period::Year];

    fn code(self) -> &'static str {
        match self {
            Period::Day => "day",
            Period::Week => "week",
            Period::Month => "month",
            Period::Year => "year",
        }
    }

    fn days(self) -> i64 {
        match self {
            Period::Day => 1,
            Period::Week => 7,
            Period::Month => 30,
            Period::Year => 364,
        }
    }

    /// The length of a bar, in hours.
    fn step(self) -> i64 {
        match self {
            Period::Day => 1,
            Period::Week => 6,
            Period::Month => 24,
            Period::Year => 7 * 24,
        }
    }

    /// Where it begins: at midnight (UTC), so that days and hours are sums of the same records.
    fn begins(self, now: Timestamp) -> Timestamp {
        let today = now.unix_millis().div_euclid(DAY) * DAY;
        Timestamp::from_unix_millis(today - (self.days() - 1) * DAY)
    }
}

const DAY: i64 = 86_400_000;

struct Choice {
    code: &'static str,
    label: &'static str,
    current: bool,
}

struct Row {
    from: String,
    to: String,
    delivered: String,
    returned: String,
    refused: String,
    passed: String,
    withheld: String,
}

struct Waiting {
    href: &'static str,
    count: u64,
    label: &'static str,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    shell: Shell,
    periods: Vec<Choice>,
    size: u64,
    delivered: String,
    withheld: String,
    of_fields: String,
    returned: String,
    refused: String,
    flow: Option<Flow>,
    rows: Vec<Row>,
    chart: Option<Chart>,
    waiting: Vec<Waiting>,
    bundle_name: String,
    bundle_number: u64,
    bundle_digest: String,
    records: String,
    published: String,
}

/// The page.
pub(crate) async fn page(
    extract::State(console): App,
    Extension(visitor): Who,
    Extension(query): Typed,
) -> Answer {
    let language = visitor.language;
    let t = &visitor.words().overview;
    let wanted = Period::ALL.into_iter().find(|period| period.code() == query.get("period"));
    let period = wanted.unwrap_or(Period::Week);
    let now = console.oversight().now();
    let from = period.begins(now);
    let journal = console.oversight().journal();
    let proven = console.oversight().proven();

    let pairs = pairs(journal.flows(from, now));
    let total = pairs.values().fold(Figures::default(), |mut sum, figures| {
        sum.add(*figures);
        sum
    });
    let number = |count| show::number(count, language);
    let label = |period| match period {
        Period::Day => t.day,
        Period::Week => t.week,
        Period::Month => t.month,
        Period::Year => t.year,
    };
    let periods =
        Period::ALL.map(|one| Choice { code: one.code(), label: label(one), current: one == period });
    let size = journal.size();
    let published = console.setup.published.borrow().checkpoint.size;
    made(&Overview {
        periods: periods.into(),
        size,
        delivered: number(total.delivered),
        withheld: number(total.withheld),
        of_fields: show::fill(t.of_fields, &[&number(total.withheld + total.passed)]),
        returned: number(total.returned),
        refused: number(total.refused),
        flow: Flow::draw(&named(&pairs, &proven, &visitor), &visitor),
        rows: rows(&pairs, &proven, &visitor),
        chart: Chart::draw(&journal.hours(from, now), from, period.step(), period.days(), &visitor),
        waiting: waiting(&console, &visitor).await?,
        bundle_name: show::plain(proven.name().as_str()),
        bundle_number: proven.number(),
        bundle_digest: proven.digest().to_string(),
        records: number(size),
        published: number(published),
        shell: Shell::new(&visitor, t.title),
    })
}

type Pairs = BTreeMap<(Option<Oin>, Option<Oin>), Figures>;

fn pairs(flows: Vec<journal::Flow>) -> Pairs {
    let mut pairs = Pairs::new();
    for flow in flows {
        pairs.entry((flow.from, flow.to)).or_default().add(flow.figures);
    }
    pairs
}

/// What a party of a flow is called.
fn party(oin: Option<&Oin>, nobody: &'static str, proven: &Proven) -> String {
    oin.map_or_else(|| nobody.to_owned(), |oin| show::organisation(oin, proven))
}

fn named(pairs: &Pairs, proven: &Proven, visitor: &Visitor) -> Vec<(String, String, Figures)> {
    let t = &visitor.words().overview;
    let named = pairs.iter().map(|((from, to), figures)| {
        (party(from.as_ref(), t.nobody, proven), party(to.as_ref(), t.no_receiver, proven), *figures)
    });
    named.collect()
}

fn rows(pairs: &Pairs, proven: &Proven, visitor: &Visitor) -> Vec<Row> {
    let number = |count| show::number(count, visitor.language);
    let mut named = named(pairs, proven, visitor);
    named.sort_by_key(|(.., figures)| std::cmp::Reverse(figures.total()));
    let row = |(from, to, figures): (String, String, Figures)| Row {
        from,
        to,
        delivered: number(figures.delivered),
        returned: number(figures.returned),
        refused: number(figures.refused),
        passed: number(figures.passed),
        withheld: number(figures.withheld),
    };
    named.into_iter().map(row).collect()
}

/// What this visitor could do now.
async fn waiting(console: &Console, visitor: &Visitor) -> Result<Vec<Waiting>, Fault> {
    let mut waiting = Vec::new();
    if !visitor.may(Act::ChangePolicy) {
        return Ok(waiting);
    }
    let t = &visitor.words().overview;
    let me = visitor.operator.name();
    let open = |change: &&Change| !matches!(change.approval.state(), State::Active | State::Rejected);
    let changes = console.oversight().changes(&visitor.operator).await?;
    let (own, others): (Vec<_>, Vec<_>) =
        changes.iter().filter(open).partition(|change| change.approval.author() == me);
    let others = others.iter().filter(|change| change.approval.approvers().all(|approver| approver != me));
    let mut item = |href, count: usize, (one, more)| {
        if count > 0 {
            let label = if count == 1 { one } else { more };
            waiting.push(Waiting { href, count: count as u64, label });
        }
    };
    item("/policies/changes", others.count(), (t.waiting_change, t.waiting_changes));
    item("/policies/changes", own.len(), (t.waiting_own_one, t.waiting_own));
    let held = crate::held::waiting(console, visitor).await?;
    item("/held", held, (t.waiting_held_one, t.waiting_held));
    Ok(waiting)
}

/// A moment as a picture names it: an hour, or a day.
fn mark(time: Timestamp, step: i64, language: Language) -> String {
    let clock = ledger::wall_clock(time);
    if step < 6 {
        format!("{:02}:00", clock.hour())
    } else {
        format!("{} {}", clock.day(), show::month(clock.month(), language))
    }
}
