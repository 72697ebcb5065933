//! A period as days of the calendar in the Netherlands, and the records in it.
//!
//! Owns: from which moment until which one such a period goes. The views of the journal know days of UTC, so a search finds up
//! to two hours too much at either end; what is too much is left out here.

use std::collections::BTreeSet;

use journal::{Criteria, Journal};
use ledger::Leaf;
use model::Timestamp;

use crate::fault::Fault;
use crate::form::Form;

/// So many records after a period are passed over at once: two hours of a busy gateway.
const PASSED_OVER: usize = 8_192;

/// Records that are made at once may stand in the log in another order than their times: never further apart than this.
const JITTER: usize = 256;

/// A period; an end that is not given is open.
#[derive(Clone, Copy)]
pub(super) struct Days {
    from: Option<Timestamp>,
    /// Not in it any more.
    until: Option<Timestamp>,
}

impl Days {
    /// The fields `from` and `until` of a form, both in it. A day that cannot be read is none.
    pub(super) fn of(form: &Form) -> Days {
        let day = |name: &str| form.parsed::<jiff::civil::Date>(name);
        Days {
            from: day("from").and_then(ledger::midnight),
            until: day("until").and_then(|day| day.tomorrow().ok()).and_then(ledger::midnight),
        }
    }

    /// Sets what a search has to look through.
    pub(super) fn narrow(self, criteria: &mut Criteria) {
        criteria.from = self.from;
        criteria.until = self.until.map(|until| until.plus_seconds(-1));
    }

    fn is_after(self, time: Timestamp) -> bool {
        self.until.is_some_and(|until| time >= until)
    }

    fn holds(self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| time >= from) && !self.is_after(time)
    }

    /// The newest records before the record `before` that meet the criteria, at most `most`.
    pub(super) fn newest(
        self,
        journal: &Journal,
        criteria: &Criteria,
        mut before: u64,
        most: usize,
    ) -> Result<Vec<(u64, Leaf)>, Fault> {
        let asked = if self.until.is_some() { most + PASSED_OVER } else { most };
        let mut found = Vec::new();
        loop {
            let page = journal.search_back(criteria, before, asked)?;
            for &index in page.get(self.passed_over(journal, &page)?..).unwrap_or_default() {
                let leaf = leaf(journal, index)?;
                if self.holds(leaf.time) {
                    found.push((index, leaf));
                }
                if found.len() >= most {
                    return Ok(found);
                }
            }
            match page.last() {
                Some(last) if page.len() >= asked => before = *last,
                _ => return Ok(found),
            }
        }
    }

    /// How many of these records, the newest first, come after the period for certain.
    fn passed_over(self, journal: &Journal, newest_first: &[u64]) -> Result<usize, Fault> {
        let (mut low, mut high) = (0, if self.until.is_some() { newest_first.len() } else { 0 });
        while low < high {
            let middle = low.midpoint(high);
            let Some(index) = newest_first.get(middle) else { break };
            if self.is_after(leaf(journal, *index)?.time) { low = middle + 1 } else { high = middle }
        }
        Ok(low.saturating_sub(JITTER))
    }

    /// Leaves out of records in the order of the log what is before or after the period.
    pub(super) fn trim(self, journal: &Journal, mut found: Vec<u64>) -> Result<Vec<u64>, Fault> {
        let mut outside = BTreeSet::new();
        let ends: [&mut dyn Iterator<Item = &u64>; 2] = [&mut found.iter(), &mut found.iter().rev()];
        for end in ends {
            let mut inside = 0;
            while inside < JITTER
                && let Some(index) = end.next()
            {
                if self.holds(leaf(journal, *index)?.time) {
                    inside += 1;
                } else {
                    inside = 0;
                    outside.insert(*index);
                }
            }
        }
        found.retain(|index| !outside.contains(index));
        Ok(found)
    }
}

fn leaf(journal: &Journal, index: u64) -> Result<Leaf, Fault> {
    Leaf::from_bytes(&journal.record(index)?).map_err(|_| Fault::Broken)
}
