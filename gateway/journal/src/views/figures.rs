//! The figures view: what passed, was withheld, sent back and refused, by hour and by day and between whom.
//!
//! Owns: two small tables of sums. Hours are those of any clock, days those of the clock in the Netherlands. The sums stand in
//! memory as well, and are written as whole sums, so that reading is one look and a record that is replayed after a crash
//! counts once: sums and the index after them are one batch in sled, and become changes of the store only when that batch
//! is made.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, PoisonError};

use ledger::{Carried, Decision, Event, Leaf};
use model::{Oin, Timestamp};

use super::key;
use super::layer::Young;
use super::store::Store;

const HOUR_MILLIS: i64 = 3_600_000;

/// Sums over deliveries: one for each receiver of what was sent or asked, and one for a call that was refused whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Receivers that something was delivered to.
    pub delivered: u64,
    /// Receivers for whom a text went back to its sender.
    pub returned: u64,
    /// Receivers who got nothing, and calls that were refused.
    pub refused: u64,
    /// Fields that passed.
    pub passed: u64,
    /// Fields that were withheld.
    pub withheld: u64,
}

impl Figures {
    /// Adds others to these.
    pub fn add(&mut self, more: Figures) {
        self.delivered += more.delivered;
        self.returned += more.returned;
        self.refused += more.refused;
        self.passed += more.passed;
        self.withheld += more.withheld;
    }

    /// How many deliveries these are about.
    pub fn total(&self) -> u64 {
        self.delivered + self.returned + self.refused
    }

    fn to_bytes(self) -> Vec<u8> {
        let Figures { delivered, returned, refused, passed, withheld } = self;
        [delivered, returned, refused, passed, withheld].iter().flat_map(|sum| sum.to_be_bytes()).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Figures> {
        let mut sums = bytes.as_chunks().0.iter().map(|sum| u64::from_be_bytes(*sum));
        Some(Figures {
            delivered: sums.next()?,
            returned: sums.next()?,
            refused: sums.next()?,
            passed: sums.next()?,
            withheld: sums.next()?,
        })
    }
}

/// The figures between two organisations on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// The day by the clock in the Netherlands, counted from 1970-01-01.
    pub day: u32,
    /// Who sent; none when who was at the door could not be established.
    pub from: Option<Oin>,
    /// For whom; none when the call was refused before it had a receiver.
    pub to: Option<Oin>,
    /// How much.
    pub figures: Figures,
}

type Pair = (u32, Option<Oin>, Option<Oin>);

/// All sums, in memory.
#[derive(Default)]
struct Sums {
    hours: BTreeMap<u32, Figures>,
    days: BTreeMap<Pair, Figures>,
    /// Which of them the store does not have as they are now.
    new_hours: BTreeSet<u32>,
    new_days: BTreeSet<Pair>,
}

/// The view.
pub(super) struct FiguresView(Mutex<Sums>);

impl FiguresView {
    /// Reads what the store has.
    pub(super) fn open(store: &Store) -> io::Result<FiguresView> {
        let mut sums = Sums::default();
        for (key, value) in store.scan(&key::hours(), None, usize::MAX)? {
            let hour = key.get(1..).and_then(|rest| rest.first_chunk()).map(|hour| u32::from_be_bytes(*hour));
            if let (Some(hour), Some(figures)) = (hour, Figures::from_bytes(&value)) {
                sums.hours.insert(hour, figures);
            }
        }
        for (key, value) in store.scan(&key::flows(), None, usize::MAX)? {
            if let (Some(pair), Some(figures)) = (key::flow_of(&key), Figures::from_bytes(&value)) {
                sums.days.insert(pair, figures);
            }
        }
        Ok(FiguresView(Mutex::new(sums)))
    }

    /// Counts a record.
    pub(super) fn add(&self, leaf: &Leaf) {
        let counted = count(leaf);
        if counted.is_empty() {
            return;
        }
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (hour, day) = (hour(leaf.time), ledger::day_number(leaf.time));
        for (from, to, figures) in counted {
            sums.hours.entry(hour).or_default().add(figures);
            sums.days.entry((day, from, to)).or_default().add(figures);
            sums.new_days.insert((day, from, to));
        }
        sums.new_hours.insert(hour);
    }

    /// Puts the sums that changed into the layer that goes to sled now, all of whose records are counted.
    pub(super) fn put(&self, young: &mut Young<'_>) {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (hours, days) = (std::mem::take(&mut sums.new_hours), std::mem::take(&mut sums.new_days));
        for hour in hours {
            let figures = sums.hours.get(&hour).copied().unwrap_or_default();
            young.put(key::hour(hour), figures.to_bytes());
        }
        for (day, from, to) in days {
            let figures = sums.days.get(&(day, from, to)).copied().unwrap_or_default();
            young.put(key::flow(day, from.as_ref(), to.as_ref()), figures.to_bytes());
        }
    }

    /// The sums of each hour in this stretch, in order; hours without any are left out.
    pub(super) fn hours(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Figures)> {
        let sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let range = hour(from)..=hour(until).max(hour(from));
        let start = |hour: &u32| Timestamp::from_unix_millis(i64::from(*hour) * HOUR_MILLIS);
        sums.hours.range(range).map(|(hour, figures)| (start(hour), *figures)).collect()
    }

    /// The sums between organisations of each day in this stretch.
    pub(super) fn flows(&self, from: Timestamp, until: Timestamp) -> Vec<Flow> {
        let sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, last) = (ledger::day_number(from), ledger::day_number(until));
        let range = sums.days.range((first, None, None)..).take_while(|((day, ..), _)| *day <= last);
        range
            .map(|((day, from, to), figures)| Flow { day: *day, from: *from, to: *to, figures: *figures })
            .collect()
    }
}

/// Whose delivery, for whom, and how it went.
fn count(leaf: &Leaf) -> Vec<(Option<Oin>, Option<Oin>, Figures)> {
    let Some(carried) = leaf.event.carried() else { return Vec::new() };
    let from = carried.from.as_ref().map(|party| party.oin);
    match &leaf.event {
        Event::Sent(_) | Event::Ask(_) => each(from, carried, true),
        Event::Refused(_) if carried.to.is_empty() => {
            vec![(from, None, Figures { refused: 1, ..Figures::default() })]
        }
        Event::Refused(_) => each(from, carried, true),
        // What was counted when it was sent counts again only if it is stopped after all.
        Event::HandedOut(_) => each(from, carried, false),
        _ => Vec::new(),
    }
}

fn each(from: Option<Oin>, carried: &Carried, all: bool) -> Vec<(Option<Oin>, Option<Oin>, Figures)> {
    let wanted = carried.to.iter().filter(|to| all || to.decision != Decision::Delivered);
    let counted = wanted.map(|to| {
        let mut figures = Figures::default();
        match to.decision {
            Decision::Delivered => figures.delivered = 1,
            Decision::Returned => figures.returned = 1,
            Decision::Refused => figures.refused = 1,
        }
        if to.decision == Decision::Delivered {
            figures.passed = to.passed.iter().map(|passed| u64::from(passed.count)).sum();
            figures.withheld = to.withheld.iter().map(|withheld| u64::from(withheld.count)).sum();
        }
        (from, Some(to.to.oin), figures)
    });
    counted.collect()
}

/// Which hour a moment is in, counted from 1970.
fn hour(time: Timestamp) -> u32 {
    u32::try_from(time.unix_millis().div_euclid(HOUR_MILLIS).max(0)).unwrap_or(u32::MAX)
}
