//! A period as days of the calendar in the Netherlands, and the records in it.
//!
//! Owns: from which moment until which one such a period goes. The views of the journal know days of UTC, so a search finds up
//! to two hours too much at either end; what is too much is left out here.

use journal::{Criteria, Journal};
use ledger::Leaf;
use model::Timestamp;

use crate::fault::Fault;
use crate::form::Form;

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

    fn is_before(self, time: Timestamp) -> bool {
        self.from.is_some_and(|from| time < from)
    }

    fn is_after(self, time: Timestamp) -> bool {
        self.until.is_some_and(|until| time >= until)
    }

    /// The newest records before the record `before` that meet the criteria, at most `most`.
    pub(super) fn newest(
        self,
        journal: &Journal,
        criteria: &Criteria,
        mut before: u64,
        most: usize,
    ) -> Result<Vec<(u64, Leaf)>, Fault> {
        let mut found = Vec::new();
        loop {
            let page = journal.search_back(criteria, before, most)?;
            for &index in &page {
                let leaf = Leaf::from_bytes(&journal.record(index)?).map_err(|_| Fault::Broken)?;
                if !self.is_before(leaf.time) && !self.is_after(leaf.time) {
                    found.push((index, leaf));
                }
            }
            found.truncate(most);
            // With open ends the first page is all of it.
            match page.last() {
                Some(last) if found.len() < most && page.len() == most => before = *last,
                _ => return Ok(found),
            }
        }
    }

    /// Leaves out of records in the order of the log what is before or after the period.
    pub(super) fn trim(self, journal: &Journal, found: Vec<u64>) -> Result<Vec<u64>, Fault> {
        let time = |index: u64| -> Result<Timestamp, Fault> {
            Leaf::from_bytes(&journal.record(index)?).map(|leaf| leaf.time).map_err(|_| Fault::Broken)
        };
        let mut kept = found.as_slice();
        while let Some((first, rest)) = kept.split_first()
            && self.from.is_some()
            && self.is_before(time(*first)?)
        {
            kept = rest;
        }
        while let Some((last, rest)) = kept.split_last()
            && self.until.is_some()
            && self.is_after(time(*last)?)
        {
            kept = rest;
        }
        Ok(kept.to_vec())
    }
}
