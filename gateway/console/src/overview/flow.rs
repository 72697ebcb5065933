//! The picture of flows: senders left, receivers right, a band for what goes between them, as wide as it is much.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use journal::Figures;

use crate::show;
use crate::visitor::Visitor;

const WIDTH: f64 = 760.0;
const SIDE: f64 = 220.0;
const NODE: f64 = 6.0;
const GAP: f64 = 22.0;
/// What all bands of one side take together, and the least that one node takes.
const ALL: f64 = 220.0;
const LEAST: f64 = 26.0;
/// The longest name, in characters.
const NAME: usize = 30;

pub(super) struct Flow {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) alt: String,
    pub(super) nodes: Vec<Node>,
    pub(super) bands: Vec<Band>,
}

pub(super) struct Node {
    pub(super) x: f64,
    pub(super) y: String,
    pub(super) height: String,
    pub(super) text_x: f64,
    pub(super) text_y: String,
    pub(super) count_y: String,
    pub(super) anchor: &'static str,
    pub(super) name: String,
    pub(super) count: String,
}

pub(super) struct Band {
    pub(super) class: &'static str,
    pub(super) path: String,
    pub(super) title: String,
}

/// One side: where each party begins, how high it is, and how much of it is taken.
struct Column<'f> {
    places: BTreeMap<&'f str, Place>,
    height: f64,
}

struct Place {
    y: f64,
    height: f64,
    taken: f64,
    total: u64,
}

impl<'f> Column<'f> {
    fn new(parties: impl Iterator<Item = (&'f str, u64)>, scale: f64) -> Column<'f> {
        let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
        parties.for_each(|(name, total)| *totals.entry(name).or_default() += total);
        let mut order: Vec<(&str, u64)> = totals.into_iter().collect();
        order.sort_by_key(|(name, total)| (std::cmp::Reverse(*total), *name));
        let (mut places, mut y) = (BTreeMap::new(), 8.0);
        for (name, total) in order {
            let height = (total as f64 * scale).max(LEAST);
            places.insert(name, Place { y, height, taken: 0.0, total });
            y += height + GAP;
        }
        Column { places, height: y }
    }

    /// The next free stretch at a party, in the middle of what it has.
    fn take(&mut self, name: &str, wide: f64, scale: f64) -> f64 {
        let Some(place) = self.places.get_mut(name) else { return 0.0 };
        let spare = place.height - place.total as f64 * scale;
        let y = place.y + spare.max(0.0) / 2.0 + place.taken;
        place.taken += wide;
        y
    }
}

impl Flow {
    /// Draws it; none when nothing went anywhere.
    pub(super) fn draw(flows: &[(String, String, Figures)], visitor: &Visitor) -> Option<Flow> {
        let all: u64 = flows.iter().map(|(.., figures)| figures.total()).sum();
        if all == 0 {
            return None;
        }
        let scale = ALL / all as f64;
        let from = |flow: &'_ (String, String, Figures)| flow.2.total();
        let mut left = Column::new(flows.iter().map(|flow| (flow.0.as_str(), from(flow))), scale);
        let mut right = Column::new(flows.iter().map(|flow| (flow.1.as_str(), from(flow))), scale);
        let height = left.height.max(right.height) - GAP + 16.0;
        for column in [&mut left, &mut right] {
            let down = (height - 8.0 - column.height + GAP) / 2.0;
            column.places.values_mut().for_each(|place| place.y += down.max(0.0) / 2.0);
        }
        let bands = bands(flows, &mut left, &mut right, scale, visitor);
        let mut nodes = nodes(&left, SIDE, "end", visitor);
        nodes.extend(nodes_right(&right, visitor));
        let t = &visitor.words().overview;
        let alt = show::fill(t.flows_alt, &[&left.places.len().to_string(), &right.places.len().to_string()]);
        Some(Flow { width: WIDTH, height: height.ceil(), alt, nodes, bands })
    }
}

fn bands(
    flows: &[(String, String, Figures)],
    left: &mut Column<'_>,
    right: &mut Column<'_>,
    scale: f64,
    visitor: &Visitor,
) -> Vec<Band> {
    let t = &visitor.words().overview;
    let mut order: Vec<&(String, String, Figures)> = flows.iter().collect();
    let at = |column: &Column<'_>, name: &str| column.places.get(name).map_or(0.0, |place| place.y);
    order.sort_by(|a, b| {
        at(right, &a.1).total_cmp(&at(right, &b.1)).then(at(left, &a.0).total_cmp(&at(left, &b.0)))
    });
    let mut bands = Vec::new();
    for (from, to, figures) in order {
        let parts = [
            (figures.delivered, "", t.delivered),
            (figures.returned, "mind", t.returned),
            (figures.refused, "stop", t.refused),
        ];
        for (count, class, what) in parts.into_iter().filter(|(count, ..)| *count > 0) {
            let wide = count as f64 * scale;
            let (y0, y1) = (left.take(from, wide, scale), right.take(to, wide, scale));
            let title =
                format!("{from} → {to}: {} {}", show::number(count, visitor.language), what.to_lowercase());
            bands.push(Band { class, path: band(y0, y1, wide.max(1.5)), title });
        }
    }
    bands
}

/// A band from the left to the right column.
fn band(y0: f64, y1: f64, wide: f64) -> String {
    let (x0, x1) = (SIDE + NODE, WIDTH - SIDE - NODE);
    let middle = (x0 + x1) / 2.0;
    let (z0, z1) = (y0 + wide, y1 + wide);
    let mut path = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        path,
        "M{x0} {y0:.1}C{middle} {y0:.1} {middle} {y1:.1} {x1} {y1:.1}L{x1} {z1:.1}C{middle} {z1:.1} {middle} {z0:.1} {x0} {z0:.1}Z"
    );
    path
}

fn nodes(column: &Column<'_>, x: f64, anchor: &'static str, visitor: &Visitor) -> Vec<Node> {
    let node = |(name, place): (&&str, &Place)| {
        let middle = place.y + place.height / 2.0;
        Node {
            x,
            y: format!("{:.1}", place.y),
            height: format!("{:.1}", place.height),
            text_x: if anchor == "end" { x - 10.0 } else { x + NODE + 10.0 },
            text_y: format!("{:.1}", middle - 2.0),
            count_y: format!("{:.1}", middle + 13.0),
            anchor,
            name: shortened(name),
            count: show::number(place.total, visitor.language),
        }
    };
    column.places.iter().map(node).collect()
}

fn nodes_right(column: &Column<'_>, visitor: &Visitor) -> Vec<Node> {
    nodes(column, WIDTH - SIDE - NODE, "start", visitor)
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    let head: String = name.chars().take(NAME - 1).collect();
    format!("{}…", head.trim_end())
}
