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
use jiff::ToSpan as _;
use jiff::civil::Date;
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

/// How far back, in days of the clock in the Netherlands.
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

    /// Today, and the days before it that belong to the period; the first one first.
    fn calendar(self, now: Timestamp) -> Vec<Date> {
        let today = ledger::wall_clock(now).date();
        let mut days: Vec<Date> =
            (0..self.days()).filter_map(|ago| today.checked_sub(ago.days()).ok()).collect();
        days.reverse();
        days
    }

    /// Where its bars begin: at every hour of today, every quarter of a day, every day, or every week.
    fn pieces(self, now: Timestamp) -> Vec<Timestamp> {
        let days = self.calendar(now);
        match self {
            Period::Day => hours(days.first().copied()),
            Period::Week => {
                let quarters = |day: &Date| [0, 6, 12, 18].map(|hour| ledger::at_clock(*day, hour));
                days.iter().flat_map(quarters).flatten().collect()
            }
            Period::Month => days.into_iter().filter_map(ledger::midnight).collect(),
            Period::Year => days.into_iter().step_by(7).filter_map(ledger::midnight).collect(),
        }
    }
}

/// Every hour of a day: 24, or 23 and 25 when the clock changes.
fn hours(day: Option<Date>) -> Vec<Timestamp> {
    let ends = day.and_then(|day| ledger::midnight(day.tomorrow().ok()?));
    let (Some(begins), Some(ends)) = (day.and_then(ledger::midnight), ends) else { return Vec::new() };
    let every = (0..).map(|hour| begins.plus_seconds(hour * 3_600));
    every.take_while(|hour| *hour < ends).collect()
}

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
    /// None while it is not known.
    count: Option<u64>,
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
    /// The same picture for a page and for a phone; none when nothing went anywhere.
    flows: Vec<Flow>,
    rows: Vec<Row>,
    charts: Vec<Chart>,
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
    let pieces = period.pieces(now);
    let from = pieces.first().copied().unwrap_or(now);
    let journal = console.oversight().journal();
    let proven = console.oversight().proven();

    let pairs = pairs(journal.flows(from, now));
    let total = pairs.values().fold(Figures::default(), |mut sum, figures| {
        sum.add(*figures);
        sum
    });
    let (named, hours) = (named(&pairs, &proven, &visitor), journal.hours(from, now));
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
        flows: flow::SIZES.into_iter().filter_map(|size| Flow::draw(&named, &visitor, size)).collect(),
        rows: rows(named.clone(), &visitor),
        charts: chart::SIZES
            .into_iter()
            .filter_map(|size| Chart::draw(&hours, &pieces, period, &visitor, size))
            .collect(),
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

fn rows(mut named: Vec<(String, String, Figures)>, visitor: &Visitor) -> Vec<Row> {
    let number = |count| show::number(count, visitor.language);
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
            waiting.push(Waiting { href, count: Some(count as u64), label });
        }
    };
    item("/policies/changes", others.count(), (t.waiting_change, t.waiting_changes));
    item("/policies/changes", own.len(), (t.waiting_own_one, t.waiting_own));
    match crate::held::waiting(console, visitor).await? {
        Some(held) => item("/held", held, (t.waiting_held_one, t.waiting_held)),
        None => waiting.push(Waiting { href: "/held", count: None, label: t.waiting_looking }),
    }
    Ok(waiting)
}

/// A moment as a picture names it: an hour, or a day.
fn mark(time: Timestamp, period: Period, language: Language) -> String {
    let clock = ledger::wall_clock(time);
    if period == Period::Day {
        format!("{:02}:00", clock.hour())
    } else {
        format!("{} {}", clock.day(), show::month(clock.month(), language))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_unix_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn told(times: &[Timestamp]) -> Vec<String> {
        times.iter().map(|time| ledger::wall_clock(*time).strftime("%d-%m %H:%M").to_string()).collect()
    }

    #[test]
    fn today_and_seven_days_begin_at_midnight_in_the_netherlands() {
        // A quarter past midnight there; in UTC it is still yesterday.
        for (now, day, week) in [
            ("2026-11-27T23:15:00Z", "28-11 00:00", "22-11 00:00"),
            ("2026-06-30T22:15:00Z", "01-07 00:00", "25-06 00:00"),
        ] {
            assert_eq!(told(&Period::Day.pieces(at(now)))[0], day);
            assert_eq!(told(&Period::Week.pieces(at(now)))[0], week);
        }
    }

    #[test]
    fn the_days_on_which_the_clock_changes_have_23_and_25_hours_and_four_quarters() {
        for (now, hours) in [("2026-03-29T10:00:00Z", 23), ("2026-10-25T10:00:00Z", 25)] {
            assert_eq!(Period::Day.pieces(at(now)).len(), hours);
            let week = told(&Period::Week.pieces(at(now)));
            assert_eq!(week.len(), 28);
            assert!(
                week[24].ends_with("00:00") && week[25].ends_with("06:00") && week[27].ends_with("18:00")
            );
        }
        let winter = told(&Period::Day.pieces(at("2026-10-25T10:00:00Z")));
        assert_eq!(winter[2..4], ["25-10 02:00", "25-10 02:00"], "two hours of the same name");
    }

    #[test]
    fn every_bar_of_a_month_and_of_a_year_begins_at_midnight() {
        let now = at("2026-11-28T16:00:00Z");
        for (period, count) in [(Period::Month, 30), (Period::Year, 52)] {
            let pieces = told(&period.pieces(now));
            assert_eq!(pieces.len(), count);
            assert!(pieces.iter().all(|piece| piece.ends_with("00:00")), "{pieces:?}");
        }
    }
}
