//! Bundle to checked, proven, compiled plans.
//!
//! Owns: reading a bundle (`policies/`), proving it, and answering what may pass from whom to whom. Cedar decides at
//! load time only; what runs per message is a [`Compiled`] plan. Never does I/O; only `simulate` sees a document. In
//! reading order: the files, the space of requests, the decisions, the proof, the hot path, the tools.

mod bundle;
mod problem;
mod signature;

mod classification;
mod contracts;
mod emergency;
mod exchanges;
mod organisations;
mod rules;
mod trajects;

mod decision;
mod rule_set;
mod usage;
mod world;

mod compiled;
mod enumeration;
mod report;

mod assertions;
mod candidate;
mod checker;
mod proven;
mod route;

mod approval;
mod diff;
mod matrix;
mod mutation;
mod replay;
mod scale;
mod shadow;
mod simulate;
mod trial;

pub use approval::{Approval, Event, NotTaken, Proposed, State, Step};
pub use assertions::Held;
pub use bundle::{Digest, Files, SIGNATURES, Sentence, digest_of_all};
pub use compiled::{Cell, Compiled};
pub use diff::{Change, Diff};
pub use emergency::{Emergency, EmergencyReason, Escape, NoSuchReason};
pub use exchanges::{ConsentKind, Exchange, Traject};
pub use matrix::{MatrixRow, matrix_csv, matrix_html, matrix_table};
pub use mutation::{Mutant, Tally, Verdict, mutants};
pub use organisations::{Functie, Organisation};
pub use problem::{LoadError, Problem, Stage};
pub use proven::{Proven, Titled};
pub use replay::{Past, Replay, replay};
pub use report::ProofReport;
pub use route::Situation;
pub use rules::{NO_CLASS, NO_RULE, RuleText};
pub use scale::with_rules;
pub use shadow::{Shadow, shadow};
pub use signature::{Keys, Part, Seen, Signers, Trust, sign};
pub use simulate::{NotSimulated, SimulatedField, Simulation, rehearse, simulate, simulate_json};
pub use trajects::{Phase, Trajects};
pub use trial::{Tested, Trial, run_tests};

#[cfg(test)]
mod tests;
