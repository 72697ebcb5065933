//! The picture of flows: senders left, receivers right, a band for what goes between them, as wide as it is much.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use journal::Figures;

use crate::show;
use crate::visitor::Visitor;

const NODE: f64 = 6.0;
const GAP: f64 = 22.0;
/// What all bands of one side take together, and the least that one node takes.
const ALL: f64 = 220.0;
const LEAST: f64 = 26.0;

/// How wide it is drawn, how much of it names take at either side, and the longest name in characters.
#[derive(Clone, Copy)]
pub(super) struct Size {
    class: &'static str,
    width: f64,
    side: f64,
    name: usize,
}

/// For a page, with names beside the picture; and for a phone, where they stand on it.
pub(super) const SIZES: [Size; 2] = [
    Size { class: "on-page", width: 760.0, side: 220.0, name: 30 },
    Size { class: "on-phone", width: 330.0, side: 0.0, name: 20 },
];

pub(super) struct Flow {
    pub(super) class: &'static str,
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
    pub(super) fn draw(flows: &[(String, String, Figures)], visitor: &Visitor, size: Size) -> Option<Flow> {
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
        let bands = bands(flows, (&mut left, &mut right), scale, visitor, size);
        let mut nodes = nodes(&left, true, visitor, size);
        nodes.extend(self::nodes(&right, false, visitor, size));
        let t = &visitor.words().overview;
        let alt = show::fill(t.flows_alt, &[&left.places.len().to_string(), &right.places.len().to_string()]);
        Some(Flow { class: size.class, width: size.width, height: height.ceil(), alt, nodes, bands })
    }
}

fn bands(
    flows: &[(String, String, Figures)],
    (left, right): (&mut Column<'_>, &mut Column<'_>),
    scale: f64,
    visitor: &Visitor,
    size: Size,
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
            bands.push(Band { class, path: band(y0, y1, wide.max(1.5), size), title });
        }
    }
    bands
}

/// A band from the left to the right column.
fn band(y0: f64, y1: f64, wide: f64, size: Size) -> String {
    let (x0, x1) = (size.side + NODE, size.width - size.side - NODE);
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

/// The parties of one side, with their names: outside the picture where there is room, else on it.
fn nodes(column: &Column<'_>, left: bool, visitor: &Visitor, size: Size) -> Vec<Node> {
    let x = if left { size.side } else { size.width - size.side - NODE };
    let before = left == (size.side > 0.0);
    let node = |(name, place): (&&str, &Place)| {
        let middle = place.y + place.height / 2.0;
        Node {
            x,
            y: format!("{:.1}", place.y),
            height: format!("{:.1}", place.height),
            text_x: if before { x - 10.0 } else { x + NODE + 10.0 },
            text_y: format!("{:.1}", middle - 2.0),
            count_y: format!("{:.1}", middle + 13.0),
            anchor: if before { "end" } else { "start" },
            name: shortened(name, size.name),
            count: show::number(place.total, visitor.language),
        }
    };
    column.places.iter().map(node).collect()
}

fn shortened(name: &str, longest: usize) -> String {
    if name.chars().count() <= longest {
        return name.to_owned();
    }
    let head: String = name.chars().take(longest - 1).collect();
    format!("{}…", head.trim_end())
}
