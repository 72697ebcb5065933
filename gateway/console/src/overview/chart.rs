//! The picture of time: one bar for each hour, quarter of a day, day or week.

use journal::Figures;
use model::Timestamp;

use super::{Period, mark};
use crate::show;
use crate::visitor::Visitor;

const HEIGHT: f64 = 220.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = HEIGHT - 30.0;

/// How wide it is drawn, where its bars begin, and about how many moments are named below them.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) class: &'static str,
    width: f64,
    left: f64,
    marks: usize,
}

/// For a page, and for a phone: there letters stay as large, and there are fewer.
pub(super) const SIZES: [Size; 2] = [
    Size { class: "on-page", width: 760.0, left: 48.0, marks: 8 },
    Size { class: "on-phone", width: 330.0, left: 36.0, marks: 4 },
];

pub(super) struct Chart {
    pub(super) class: &'static str,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) alt: String,
    pub(super) lines: Vec<Line>,
    pub(super) bars: Vec<Bar>,
    pub(super) marks: Vec<Mark>,
    pub(super) rows: Vec<(String, String, String, String)>,
}

pub(super) struct Line {
    pub(super) y: f64,
    pub(super) label: String,
}

pub(super) struct Bar {
    pub(super) class: &'static str,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) title: String,
}

pub(super) struct Mark {
    pub(super) x: String,
    pub(super) label: String,
}

impl Chart {
    /// Draws the figures of these hours in bars that begin at these moments; none when nothing happened.
    pub(super) fn draw(
        hours: &[(Timestamp, Figures)],
        begins: &[Timestamp],
        period: Period,
        visitor: &Visitor,
        size: Size,
    ) -> Option<Chart> {
        let pieces = gathered(hours, begins);
        let most = pieces.iter().map(Figures::total).max().filter(|most| *most > 0)?;
        let top = rounded(most);
        let scale = (BOTTOM - TOP) / top as f64;
        let t = &visitor.words().overview;
        let line = |part: u64| Line {
            y: (BOTTOM - (top * part / 2) as f64 * scale).round(),
            label: show::number(top * part / 2, visitor.language),
        };
        let pace = (size.width - size.left) / pieces.len() as f64;
        let every = pieces.len().div_ceil(size.marks).max(1);
        let marks = begins.iter().enumerate().step_by(every).map(|(at, begins)| Mark {
            x: format!("{:.1}", size.left + pace * (at as f64 + 0.5)),
            label: mark(*begins, period, visitor.language),
        });
        let number = |count| show::number(count, visitor.language);
        let rows =
            begins.iter().zip(&pieces).filter(|(_, piece)| piece.total() > 0).map(|(begins, piece)| {
                let Figures { delivered, returned, refused, .. } = *piece;
                (
                    show::moment(*begins, visitor.language),
                    number(delivered),
                    number(returned),
                    number(refused),
                )
            });
        let unit = if period == Period::Day { t.hour } else { t.date };
        Some(Chart {
            class: size.class,
            width: size.width,
            height: HEIGHT,
            left: size.left,
            alt: show::fill(t.over_time_alt, &[unit]),
            lines: if top == 1 { vec![line(0), line(2)] } else { (0..=2).map(line).collect() },
            marks: marks.collect(),
            rows: rows.collect(),
            bars: bars(&pieces, (size.left, pace, scale), begins, visitor),
        })
    }
}

/// The figures of hours, by the moment that each is after; hours before the first are left out.
fn gathered(hours: &[(Timestamp, Figures)], begins: &[Timestamp]) -> Vec<Figures> {
    let mut pieces = vec![Figures::default(); begins.len()];
    for (time, figures) in hours {
        let after = begins.partition_point(|begins| begins <= time);
        if let Some(piece) = after.checked_sub(1).and_then(|at| pieces.get_mut(at)) {
            piece.add(*figures);
        }
    }
    pieces
}

fn bars(
    pieces: &[Figures],
    (left, pace, scale): (f64, f64, f64),
    begins: &[Timestamp],
    visitor: &Visitor,
) -> Vec<Bar> {
    let t = &visitor.words().overview;
    let mut bars = Vec::new();
    for (at, (begins, piece)) in begins.iter().zip(pieces).enumerate() {
        let mut y = BOTTOM;
        let parts = [
            (piece.delivered, "pass", t.delivered),
            (piece.returned, "mind", t.returned),
            (piece.refused, "stop", t.refused),
        ];
        for (count, class, what) in parts.into_iter().filter(|(count, ..)| *count > 0) {
            let height = count as f64 * scale;
            y -= height;
            let (when, count) =
                (show::moment(*begins, visitor.language), show::number(count, visitor.language));
            bars.push(Bar {
                class,
                x: format!("{:.1}", left + pace * at as f64 + pace * 0.14),
                y: format!("{y:.1}"),
                width: format!("{:.1}", pace * 0.72),
                height: format!("{height:.1}"),
                title: format!("{when}: {count} {}", what.to_lowercase()),
            });
        }
    }
    bars
}

/// A round number at or above this one: 1, 2, 5 times a power of ten, and even from 2 on.
fn rounded(most: u64) -> u64 {
    let mut power = 1u64;
    loop {
        for step in [1, 2, 3, 4, 5, 6, 8] {
            if step * power >= most && (step * power == 1 || (step * power).is_multiple_of(2)) {
                return step * power;
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_counted_in_the_bar_that_it_is_in_and_nowhere_else() {
        let at = Timestamp::from_unix_millis;
        let one = Figures { delivered: 1, ..Figures::default() };
        let hours = [at(50), at(100), at(199), at(200), at(5_000)].map(|time| (time, one));
        let counted: Vec<u64> = gathered(&hours, &[at(100), at(200)]).iter().map(Figures::total).collect();
        assert_eq!(counted, [2, 2], "what came before the first is of another period");
    }

    #[test]
    fn the_top_of_a_picture_is_round_and_never_below_what_it_shows() {
        for most in [1, 2, 3, 7, 9, 10, 11, 99, 12_345] {
            assert!(rounded(most) >= most && (rounded(most) == 1 || rounded(most).is_multiple_of(2)));
        }
        assert_eq!((rounded(3), rounded(21), rounded(61)), (4, 30, 80));
    }
}
