//! The picture of time: one bar for each hour, quarter of a day, day or week.

use journal::Figures;
use model::Timestamp;

use super::mark;
use crate::show;
use crate::visitor::Visitor;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = HEIGHT - 30.0;
const HOUR: i64 = 3_600_000;
/// About so many names of moments below the bars.
const MARKS: usize = 8;

pub(super) struct Chart {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
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
    /// Draws the hours since `from` in pieces of `step` hours; none when nothing happened.
    pub(super) fn draw(
        hours: &[(Timestamp, Figures)],
        from: Timestamp,
        step: i64,
        days: i64,
        visitor: &Visitor,
    ) -> Option<Chart> {
        let count = usize::try_from(days * 24 / step).unwrap_or(1).max(1);
        let mut pieces = vec![Figures::default(); count];
        for (time, figures) in hours {
            let at = (time.unix_millis() - from.unix_millis()) / (step * HOUR);
            if let Some(piece) = usize::try_from(at).ok().and_then(|at| pieces.get_mut(at)) {
                piece.add(*figures);
            }
        }
        let most = pieces.iter().map(Figures::total).max().filter(|most| *most > 0)?;
        let top = rounded(most);
        let scale = (BOTTOM - TOP) / top as f64;
        let t = &visitor.words().overview;
        let begins = |at: usize| {
            let at = i64::try_from(at).unwrap_or(0);
            Timestamp::from_unix_millis(from.unix_millis() + at * step * HOUR)
        };
        let line = |part: u64| Line {
            y: (BOTTOM - (top * part / 2) as f64 * scale).round(),
            label: show::number(top * part / 2, visitor.language),
        };
        let pace = (WIDTH - LEFT) / count as f64;
        let every = count.div_ceil(MARKS).max(1);
        let marks = (0..count).step_by(every).map(|at| Mark {
            x: format!("{:.1}", LEFT + pace * (at as f64 + 0.5)),
            label: mark(begins(at), step, visitor.language),
        });
        let number = |count| show::number(count, visitor.language);
        let rows = pieces.iter().enumerate().filter(|(_, piece)| piece.total() > 0).map(|(at, piece)| {
            let Figures { delivered, returned, refused, .. } = *piece;
            (show::moment(begins(at), visitor.language), number(delivered), number(returned), number(refused))
        });
        let unit = if step == 1 { t.hour } else { t.date };
        Some(Chart {
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH,
            alt: show::fill(t.over_time_alt, &[unit]),
            lines: if top == 1 { vec![line(0), line(2)] } else { (0..=2).map(line).collect() },
            marks: marks.collect(),
            rows: rows.collect(),
            bars: bars(&pieces, pace, scale, &begins, visitor),
        })
    }
}

fn bars(
    pieces: &[Figures],
    pace: f64,
    scale: f64,
    begins: &impl Fn(usize) -> Timestamp,
    visitor: &Visitor,
) -> Vec<Bar> {
    let t = &visitor.words().overview;
    let mut bars = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
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
                (show::moment(begins(at), visitor.language), show::number(count, visitor.language));
            bars.push(Bar {
                class,
                x: format!("{:.1}", LEFT + pace * at as f64 + pace * 0.14),
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
    use super::rounded;

    #[test]
    fn the_top_of_a_picture_is_round_and_never_below_what_it_shows() {
        for most in [1, 2, 3, 7, 9, 10, 11, 99, 12_345] {
            assert!(rounded(most) >= most && (rounded(most) == 1 || rounded(most).is_multiple_of(2)));
        }
        assert_eq!((rounded(3), rounded(21), rounded(61)), (4, 30, 80));
    }
}
