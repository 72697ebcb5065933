//! Why a bundle is refused: every problem with the place where it stands, in words.
//!
//! Owns: the list of stages and the text of a refusal to load. A problem names files, rules, fields and roles; a
//! bundle holds no personal data, so nothing here can show any.

use std::fmt;

use crate::report::ProofReport;

/// At which step of a load a bundle was found wanting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// A file is missing, cannot be read, or holds an unknown key.
    Format,
    /// A name is used that the bundle does not declare, or declared twice.
    Name,
    /// A signature is missing, stripped, wrong, or made by too few.
    Signature,
    /// The number was seen before with other content, or is lower than one that was.
    Number,
    /// A contract does not compile, or lacks a type that an exchange uses.
    Contract,
    /// Contract and mapping disagree on a class, or a class does not fit its field.
    Classification,
    /// A rule or guardrail does not hold up: syntax, words, warnings, errors, no effect.
    Rule,
    /// An assertion fails, or selects nothing.
    Assertion,
    /// The compiled plans break an invariant that does not depend on the rules.
    Checker,
}

/// One thing that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The step that found it.
    pub stage: Stage,
    /// File, rule, field or assertion.
    pub place: String,
    /// What is wrong, in lower case.
    pub what: String,
}

impl Problem {
    pub(crate) fn new(stage: Stage, place: impl fmt::Display, what: impl fmt::Display) -> Problem {
        Problem { stage, place: place.to_string(), what: what.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// A bundle that was refused. What ran before it goes on running.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    /// At least one problem, all of the same step or an earlier one.
    pub problems: Vec<Problem>,
    /// When everything was decided and only the proof failed: what was tried, and the assertions that do hold.
    pub report: Option<Box<ProofReport>>,
}

impl LoadError {
    /// Whether one of the problems is of this stage.
    pub fn is_about(&self, stage: Stage) -> bool {
        self.problems.iter().any(|problem| problem.stage == stage)
    }

    /// `value` if there are no problems, else all of them.
    pub(crate) fn unless<T>(problems: Vec<Problem>, value: T) -> Result<T, LoadError> {
        if problems.is_empty() { Ok(value) } else { Err(LoadError { problems, report: None }) }
    }
}

impl From<Problem> for LoadError {
    fn from(problem: Problem) -> LoadError {
        LoadError { problems: vec![problem], report: None }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the bundle is refused:")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}
