//! What a log has in it, counted: kinds, decisions, refusals, first and last moment.
//!
//! Owns: the counting, in memory that does not grow with the log, and the one thing about time that a log tells of
//! itself: how often its clock went back.

use std::collections::BTreeMap;

use model::{Reason, Timestamp};
use serde::Serialize;

use crate::leaf::{Decision, Kind, Leaf};

/// The counts of a log. Feed it every record in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Census {
    /// How many records.
    pub records: u64,
    /// How many of each kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// How many receivers got each decision, when something was sent or asked.
    pub decisions: BTreeMap<Decision, u64>,
    /// How often each reason was given.
    pub reasons: BTreeMap<&'static str, u64>,
    /// The moment of the first record.
    pub first: Option<Timestamp>,
    /// The latest moment of any record.
    pub last: Option<Timestamp>,
    /// How many records are earlier than one before them: the clock went back, or was put back.
    pub clock_went_back: u64,
}

impl Census {
    /// Counts one record.
    pub fn add(&mut self, leaf: &Leaf) {
        self.records += 1;
        *self.kinds.entry(leaf.kind()).or_default() += 1;
        self.first.get_or_insert(leaf.time);
        self.clock_went_back += u64::from(self.last.is_some_and(|last| leaf.time < last));
        self.last = self.last.max(Some(leaf.time));
        let Some(carried) = leaf.event.carried() else { return };
        if matches!(leaf.kind(), Kind::Sent | Kind::Ask) {
            carried.to.iter().for_each(|to| *self.decisions.entry(to.decision).or_default() += 1);
        }
        let reasons =
            carried.reason.into_iter().chain(carried.to.iter().filter_map(|delivery| delivery.reason));
        reasons.map(Reason::name).for_each(|reason| *self.reasons.entry(reason).or_default() += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf::tests::{all_kinds, sent};

    #[test]
    fn every_record_is_counted_once_under_its_kind() {
        let mut census = Census::default();
        all_kinds().iter().for_each(|leaf| census.add(leaf));
        assert_eq!(census.records, Kind::ALL.len() as u64);
        assert!(Kind::ALL.iter().all(|kind| census.kinds[kind] == 1));
        assert_eq!(census.decisions, BTreeMap::from([(Decision::Delivered, 2), (Decision::Returned, 1)]));
        assert_eq!(census.reasons["TEXT_HELD_BACK"], 1);
    }

    #[test]
    fn a_clock_that_goes_back_is_seen() {
        let at = |seconds: i64| Leaf { time: sent().time.plus_seconds(seconds), ..sent() };
        let mut census = Census::default();
        [at(0), at(5), at(4), at(5), at(9)].iter().for_each(|leaf| census.add(leaf));
        assert_eq!((census.clock_went_back, census.last), (1, Some(at(9).time)));
    }
}
