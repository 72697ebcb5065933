//! Records of what decides: the steps of a change of policy, and the bundles that came and went.
//!
//! Owns: their fields. Who did it stands here as an organisation in a role; the name stands in the sealed part. A change
//! is rebuilt from these records after a stop (`policy::Approval`), so they say all that it needs.

use model::{ExchangeId, Reason};
use serde::{Deserialize, Serialize};

use super::Party;
use crate::{BundleRef, Digest};

/// A bundle came, went, or was refused. The record's own `bundle` is the one that holds afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleChange {
    /// What was done with it.
    pub act: Act,
    /// The bundle that this is about; number 0 for one that could not be read that far.
    pub about: BundleRef,
    /// How many approved the compiled difference.
    pub approvals: u32,
    /// Whether any cell lets more pass than before.
    pub widens: bool,
    /// Who did it; none for what the gateway did by itself, such as taking its first bundle.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<Party>,
    /// The bundle in whose place it came.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<BundleRef>,
    /// The change that this is the end of: the exchange id of the record that proposed it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub change: Option<ExchangeId>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<Reason>,
}

impl BundleChange {
    /// What was done with a bundle that nobody approved.
    pub fn new(act: Act, about: BundleRef) -> BundleChange {
        let (by, from, change, reason) = (None, None, None, None);
        BundleChange { act, about, approvals: 0, widens: false, by, from, change, reason }
    }

    /// Whether the bundle decides from this record on.
    pub fn holds(&self) -> bool {
        matches!(self.act, Act::Activated | Act::RolledBack)
    }
}

/// What was done with a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// It decides from now on.
    Activated,
    /// Old content decides again, under a higher number.
    RolledBack,
    /// It was not taken; the last good one goes on.
    Refused,
}

/// One step of a change on its way, taken or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeStep {
    /// In which role, at the organisation of the gateway.
    pub by: Party,
    /// Which change: the exchange id of the record that proposed it, so the record's own where it proposes.
    pub change: ExchangeId,
    /// Which step.
    pub step: StepKind,
    /// Digest of the difference in meaning: the one that is proposed, or that the approver saw.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub difference: Option<Digest>,
    /// What is proposed; only where a change begins.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proposed: Option<ProposedBundle>,
    /// Why the step was refused; none when it was taken.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<Reason>,
}

/// One bundle in the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposedBundle {
    /// The bundle that ran.
    pub from: BundleRef,
    /// The bundle that is to take its place.
    pub to: BundleRef,
    /// Whether anything reaches further.
    pub widens: bool,
    /// For a rollback: the bundle that is undone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub undoes: Option<Digest>,
}

/// The steps of a change, but for the last: activation is a `bundle` record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Proposed.
    Propose,
    /// Tried on a document, or on what was exchanged before.
    Simulate,
    /// Approved.
    Approve,
    /// Rejected, or taken back.
    Reject,
    /// Refused activation.
    Activate,
    /// Proposed to go back.
    Rollback,
}

impl StepKind {
    /// The name in records and exports.
    pub const fn name(self) -> &'static str {
        match self {
            StepKind::Propose => "propose",
            StepKind::Simulate => "simulate",
            StepKind::Approve => "approve",
            StepKind::Reject => "reject",
            StepKind::Activate => "activate",
            StepKind::Rollback => "rollback",
        }
    }
}
