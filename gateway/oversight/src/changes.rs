//! The changes on their way: from their records in the log, and back into them.
//!
//! Owns: which change is where. Every step is judged by `policy::Approval`, when it is taken and again when a start reads
//! it from the log. A record whose author cannot be opened any more ends its change: nobody can say whose it was.

use std::collections::BTreeMap;

use journal::{Criteria, Journal, Opened, ReadError};
use ledger::{BundleChange, ChangeStep, Digest, Event, Kind, StepKind};
use model::{ExchangeId, Name, Timestamp};
use policy::{Approval, NotTaken, Proposed, Step};

/// Why the changes cannot be known.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log.
    #[error("the changes of policy cannot be read from the log: {0}")]
    Log(#[from] ReadError),
}

/// One change.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it is called: the exchange id of the record that proposed it.
    pub id: ExchangeId,
    /// When it was proposed.
    pub at: Timestamp,
    /// The number of the bundle that ran then.
    pub from: u64,
    /// Where it stands, who proposed it, who approved it.
    pub approval: Approval,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    all: BTreeMap<ExchangeId, Change>,
}

impl Changes {
    /// Reads the log.
    pub(crate) fn read(journal: &Journal) -> Result<Changes, OpenError> {
        let mut changes = Changes::default();
        let of_kind = |kind| {
            let criteria = Criteria { kind: Some(kind), ..Criteria::default() };
            journal.search(&criteria, None, usize::MAX)
        };
        let mut indexes = of_kind(Kind::Change)?;
        indexes.extend(of_kind(Kind::Bundle)?);
        indexes.sort_unstable();
        for index in indexes {
            changes.apply(&journal.open_record(index)?);
        }
        Ok(changes)
    }

    /// Takes a record from the log. One that does not follow was not written by this gateway, or not completely.
    fn apply(&mut self, opened: &Opened) {
        let Some((change, step)) = step_of(&opened.leaf.event) else { return };
        let by = opened.sealed.as_ref().and_then(|sealed| sealed.user.as_deref()?.parse::<Name>().ok());
        let Some(by) = by else {
            self.all.remove(&change);
            return;
        };
        let event = policy::Event { at: opened.leaf.time, by, step };
        let taken = match self.all.get_mut(&change) {
            Some(known) => known.approval.step(&event).map(|_| ()),
            None => self.begin(change, from_number(&opened.leaf.event), &event),
        };
        if let Err(why) = taken {
            tracing::error!(index = opened.index, %why, "a step of a change does not follow from the log");
            self.all.remove(&change);
        }
    }

    /// A change that is proposed.
    pub(crate) fn begin(&mut self, id: ExchangeId, from: u64, event: &policy::Event) -> Result<(), NotTaken> {
        let approval = Approval::begin(event)?;
        self.all.insert(id, Change { id, at: event.at, from, approval });
        Ok(())
    }

    pub(crate) fn get(&self, id: &ExchangeId) -> Option<&Change> {
        self.all.get(id)
    }

    /// A change after a step that stands in the log.
    pub(crate) fn put(&mut self, change: Change) {
        self.all.insert(change.id, change);
    }

    /// Every change, the newest first.
    pub(crate) fn list(&self) -> Vec<Change> {
        self.all.values().rev().cloned().collect()
    }
}

/// The step that a record tells of, if it was taken.
fn step_of(event: &Event) -> Option<(ExchangeId, Step)> {
    match event {
        Event::Change(ChangeStep { change, step, difference, proposed, reason: None, .. }) => {
            let step = match step {
                StepKind::Propose | StepKind::Rollback => {
                    let (proposed, diff) = (proposed.as_ref()?, difference.as_ref()?);
                    Step::Propose(Proposed {
                        number: proposed.to.number,
                        from: theirs(&proposed.from.digest),
                        to: theirs(&proposed.to.digest),
                        diff: theirs(diff),
                        widens: proposed.widens,
                        undoes: proposed.undoes.as_ref().map(theirs),
                    })
                }
                StepKind::Simulate => Step::Simulate,
                StepKind::Approve => Step::Approve { diff: theirs(difference.as_ref()?) },
                StepKind::Reject => Step::Reject,
                StepKind::Activate => return None,
            };
            Some((*change, step))
        }
        Event::Bundle(BundleChange { change: Some(change), from: Some(from), reason: None, .. }) => {
            Some((*change, Step::Activate { running: theirs(&from.digest) }))
        }
        _ => None,
    }
}

fn from_number(event: &Event) -> u64 {
    match event {
        Event::Change(ChangeStep { proposed: Some(proposed), .. }) => proposed.from.number,
        _ => 0,
    }
}

fn theirs(digest: &Digest) -> policy::Digest {
    policy::Digest(digest.0)
}
