//! The life of a change: proposed, simulated, approved by enough others, activated; and back again.
//!
//! Owns: who may do what when. A widening needs two approvers, a narrowing one, and the author is never among them. What
//! is approved is the digest of the compiled difference, not a text. Pure: time and names are arguments, every step is
//! an [`Event`] that the caller records in the log first and keeps, and [`Approval::again`] rebuilds a change from them.

use std::collections::BTreeSet;
use std::fmt;

use model::{Name, Timestamp};
use serde::{Deserialize, Serialize};

use crate::bundle::Digest;
use crate::diff::Diff;
use crate::proven::Proven;

/// What is proposed: one bundle in the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// Number of the new bundle.
    pub number: u64,
    /// The bundle that runs now.
    pub from: Digest,
    /// The bundle that is to take its place.
    pub to: Digest,
    /// The difference in meaning between the two.
    pub diff: Digest,
    /// Whether anything reaches further.
    pub widens: bool,
    /// For a rollback: the bundle that is undone.
    pub undoes: Option<Digest>,
}

/// One step in the life of a change. A record in the log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, by the clock of the gateway.
    pub at: Timestamp,
    /// Which officer.
    pub by: Name,
    /// What was done.
    pub step: Step,
}

impl fmt::Debug for Event {
    /// Without who took the step.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("at", &self.at).field("step", &self.step).finish_non_exhaustive()
    }
}

/// What an officer does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Proposes a change.
    Propose(Proposed),
    /// Has tried it on documents, or on what was exchanged before.
    Simulate,
    /// Approves this difference in meaning.
    Approve {
        /// The digest that the approver saw.
        diff: Digest,
    },
    /// Says no, or takes it back.
    Reject,
    /// Puts it in place of the running bundle.
    Activate {
        /// The bundle that runs at that moment.
        running: Digest,
    },
}

/// Where a change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits to be simulated.
    Proposed,
    /// Waits for approvers.
    Simulated,
    /// May be activated.
    Approved,
    /// Runs, or ran.
    Active,
    /// Will never run.
    Rejected,
}

/// A change on its way. Steps are the only way to move it.
#[derive(Clone)]
pub struct Approval {
    proposed: Proposed,
    author: Name,
    state: State,
    approvers: BTreeSet<Name>,
    last: Timestamp,
}

impl fmt::Debug for Approval {
    /// Without its author and its approvers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &mut f.debug_struct("Approval");
        shown.field("proposed", &self.proposed).field("state", &self.state).finish_non_exhaustive()
    }
}

/// Why a step is not taken. The change stays where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Four eyes are needed.
    #[error("the author of a change never approves it; ask someone else")]
    OwnChange,
    /// One voice each.
    #[error("this officer approved the change already; another one has to")]
    ApprovedBefore,
    /// The approver saw something else.
    #[error("what was approved is not what this change means; look at the difference again")]
    OtherDifference,
    /// Steps have an order.
    #[error("the change has to be simulated first")]
    NotSimulated,
    /// Not enough approvers.
    #[error("a widening needs two approvers and a narrowing one; there are too few")]
    TooFewApprovers,
    /// Something else was activated in between.
    #[error("the bundle that runs is not the one this change was compared with; propose it again")]
    RunsSomethingElse,
    /// The change is over.
    #[error("the change was activated or rejected; propose a new one")]
    Over,
    /// The first step proposes, and no later one does.
    #[error("a change begins with its proposal, and has one")]
    NotAProposal,
    /// Numbers only go up.
    #[error(
        "the number of the new bundle is not higher than that of the running one; publish it under a higher number"
    )]
    NumberNotHigher,
    /// A rollback brings back what was.
    #[error("this bundle does not compile to what ran before; a rollback publishes the old content again")]
    NotWhatWas,
    /// Time went back.
    #[error("the step lies before the one it follows; check the clock")]
    BeforeTheLast,
}

impl Proposed {
    /// Proposes that `new` takes the place of `running`.
    ///
    /// # Errors
    /// The number does not go up.
    pub fn change(running: &Proven, new: &Proven) -> Result<Proposed, NotTaken> {
        if new.number() <= running.number() {
            return Err(NotTaken::NumberNotHigher);
        }
        let diff = Diff::between(running, new);
        let (from, to) = (running.digest(), new.digest());
        Ok(Proposed {
            number: new.number(),
            from,
            to,
            diff: diff.digest(),
            widens: diff.widens(),
            undoes: None,
        })
    }

    /// Proposes to go back from `running` to `before`, republished as `again` under a higher number. It is a change like
    /// any other: undoing a widening narrows, and needs one approver.
    ///
    /// # Errors
    /// The number does not go up, or `again` is not what `before` was.
    pub fn rollback(running: &Proven, before: &Proven, again: &Proven) -> Result<Proposed, NotTaken> {
        if again.matrix_digest() != before.matrix_digest() {
            return Err(NotTaken::NotWhatWas);
        }
        let proposed = Proposed::change(running, again)?;
        Ok(Proposed { undoes: Some(running.digest()), ..proposed })
    }
}

impl Approval {
    /// Begins with a proposal.
    ///
    /// # Errors
    /// The event proposes nothing.
    pub fn begin(event: &Event) -> Result<Approval, NotTaken> {
        let Step::Propose(proposed) = &event.step else { return Err(NotTaken::NotAProposal) };
        Ok(Approval {
            proposed: proposed.clone(),
            author: event.by.clone(),
            state: State::Proposed,
            approvers: BTreeSet::new(),
            last: event.at,
        })
    }

    /// Takes one step further. Record the event only when this says yes.
    ///
    /// # Errors
    /// The step is not allowed; the change stays as it was.
    pub fn step(&mut self, event: &Event) -> Result<State, NotTaken> {
        if event.at < self.last {
            return Err(NotTaken::BeforeTheLast);
        }
        if matches!(self.state, State::Active | State::Rejected) {
            return Err(NotTaken::Over);
        }
        self.state = match &event.step {
            Step::Propose(_) => return Err(NotTaken::NotAProposal),
            Step::Simulate => self.state.max_with(State::Simulated),
            Step::Approve { diff } => self.approve(&event.by, *diff)?,
            Step::Reject => State::Rejected,
            Step::Activate { running } => self.activate(*running)?,
        };
        self.last = event.at;
        Ok(self.state)
    }

    fn approve(&mut self, by: &Name, diff: Digest) -> Result<State, NotTaken> {
        if *by == self.author {
            return Err(NotTaken::OwnChange);
        }
        if self.state == State::Proposed {
            return Err(NotTaken::NotSimulated);
        }
        if diff != self.proposed.diff {
            return Err(NotTaken::OtherDifference);
        }
        if !self.approvers.insert(by.clone()) {
            return Err(NotTaken::ApprovedBefore);
        }
        Ok(if self.approvers.len() >= self.needed() { State::Approved } else { State::Simulated })
    }

    fn activate(&self, running: Digest) -> Result<State, NotTaken> {
        match self.state {
            State::Proposed => Err(NotTaken::NotSimulated),
            State::Approved if running == self.proposed.from => Ok(State::Active),
            State::Approved => Err(NotTaken::RunsSomethingElse),
            _ => Err(NotTaken::TooFewApprovers),
        }
    }

    /// A change as its events left it, for a start after a stop. Every step is judged anew.
    ///
    /// # Errors
    /// The events are not those of one change.
    pub fn again(events: &[Event]) -> Result<Approval, NotTaken> {
        let (first, rest) = events.split_first().ok_or(NotTaken::NotAProposal)?;
        let mut approval = Approval::begin(first)?;
        for event in rest {
            approval.step(event)?;
        }
        Ok(approval)
    }

    /// How many approvers it takes.
    pub fn needed(&self) -> usize {
        if self.proposed.widens { 2 } else { 1 }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// What is proposed.
    pub fn proposed(&self) -> &Proposed {
        &self.proposed
    }

    /// Who proposed it.
    pub fn author(&self) -> &Name {
        &self.author
    }

    /// Who approved it so far.
    pub fn approvers(&self) -> impl Iterator<Item = &Name> {
        self.approvers.iter()
    }
}

impl State {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            State::Proposed => "proposed",
            State::Simulated => "simulated",
            State::Approved => "approved",
            State::Active => "active",
            State::Rejected => "rejected",
        }
    }

    /// Simulating again takes nothing back.
    fn max_with(self, other: State) -> State {
        if self == State::Proposed { other } else { self }
    }
}
