//! A bundle that was read, enumerated, asserted and checked: the only thing that answers what may pass.
//!
//! Owns: the proof, and the answers of a loaded bundle. There is no other way to a [`Proven`] than [`Proven::load`], and
//! no part of one can be changed: a new bundle is a new `Proven`, swapped in whole by `exchange`.

use std::sync::Arc;
use std::time::Duration;

use model::{MessageType, Name, Oin, Purpose, Refusal, Role};
use prost_reflect::MessageDescriptor;

use crate::assertions::{Space, hold};
use crate::bundle::{Digest, Files, Sentence};
use crate::candidate::Candidate;
use crate::checker::check;
use crate::compiled::Compiled;
use crate::emergency::Emergency;
use crate::enumeration::Effort;
use crate::exchanges::Exchange;
use crate::organisations::Organisation;
use crate::problem::{LoadError, Problem, Stage};
use crate::report::ProofReport;
use crate::route::{Routes, Situation};
use crate::rules::RuleText;
use crate::signature::{Seen, Trust};
use crate::trajects::Trajects;

/// A loaded bundle.
pub struct Proven {
    pub(crate) candidate: Candidate,
    lookup: Routes,
    report: ProofReport,
}

/// Something that has a title.
#[derive(Debug, Clone, Copy)]
pub enum Titled<'a> {
    /// A purpose.
    Purpose(&'a Purpose),
    /// A kind of organisation.
    Kind(&'a Name),
    /// A role, or a group of roles.
    Role(&'a Role),
}

impl Proven {
    /// Reads, enumerates, asserts and checks a bundle.
    ///
    /// # Errors
    /// Anything that is misspelt, unsigned, contradictory, without effect, or unsafe, each with its place.
    pub fn load(files: &Files, trust: &Trust) -> Result<Proven, LoadError> {
        Proven::load_timed(files, trust, &|| Duration::ZERO)
    }

    /// As [`Proven::load`], with a clock (time since any fixed moment), so that the report says how long it took.
    ///
    /// # Errors
    /// As [`Proven::load`].
    pub fn load_timed(
        files: &Files,
        trust: &Trust,
        clock: &dyn Fn() -> Duration,
    ) -> Result<Proven, LoadError> {
        let candidate = Candidate::compile(files, trust, clock)?;
        let start = clock();
        let space = Space {
            registry: &candidate.registry,
            exchanges: &candidate.exchanges,
            world: &candidate.world,
            routes: &candidate.routes,
        };
        let (held, mut problems) = hold(files, &space)?;
        let (rows, breaches) = check(files, candidate.checked());
        // Both speak, so that an officer sees at once everything that is wrong.
        problems
            .extend(breaches.into_iter().map(|what| Problem::new(Stage::Checker, "compiled plans", what)));

        let Effort { decisions, evaluations, plans, deciding, evaluating, compiling } =
            candidate.effort.clone();
        let mut report = ProofReport {
            rules: candidate.rules.len(),
            routes: candidate.routes.len(),
            decisions,
            evaluations,
            plans,
            rows,
            held,
            unclassified: candidate.unclassified.clone(),
            reading: candidate.reading,
            deciding,
            evaluating,
            compiling,
            proving: clock().saturating_sub(start),
            look_up: Duration::ZERO,
        };
        if !problems.is_empty() {
            return Err(LoadError { problems, report: Some(Box::new(report)) });
        }
        let lookup = Routes::new(&candidate.registry, &candidate.world, &candidate.routes);
        report.look_up = lookup.time(clock);
        Ok(Proven { candidate, lookup, report })
    }

    /// What was compiled for a situation. This is the hot path: look-ups and one reference count.
    ///
    /// # Errors
    /// A refusal with the exact reason: which part of the situation is unknown, not declared, or lacks consent.
    pub fn compiled(&self, situation: &Situation) -> Result<Arc<Compiled>, Refusal> {
        self.lookup.find(situation)
    }

    /// The number of the bundle.
    pub fn number(&self) -> u64 {
        self.candidate.header.number
    }

    /// What the bundle is called.
    pub fn name(&self) -> &Name {
        &self.candidate.header.name
    }

    /// The digest of all its files but the signatures; what records call the policy version.
    pub fn digest(&self) -> Digest {
        self.candidate.digest
    }

    /// The digest of everything that it compiled to: every route, state and cell.
    pub fn matrix_digest(&self) -> Digest {
        self.candidate.matrix_digest
    }

    /// What the caller stores once it serves this bundle, and hands back at the next load.
    pub fn seen(&self) -> Seen {
        let Candidate { header, digest, guardrails_digest, .. } = &self.candidate;
        Seen {
            bundle: Some((header.number, *digest)),
            guardrails: Some((header.guardrails, *guardrails_digest)),
        }
    }

    /// What was proved, with figures.
    pub fn report(&self) -> &ProofReport {
        &self.report
    }

    /// The organisation with this OIN, if it is registered.
    pub fn organisation(&self, oin: &Oin) -> Option<&Organisation> {
        self.candidate.registry.organisations.get(oin)
    }

    /// Every registered organisation.
    pub fn organisations(&self) -> impl Iterator<Item = &Organisation> {
        self.candidate.registry.organisations.values()
    }

    /// The roles that occur in a kind of organisation, `systeem` last.
    pub fn roles_of(&self, kind: &Name) -> impl Iterator<Item = &Role> {
        self.candidate.registry.kinds.get(kind).into_iter().flatten()
    }

    /// Whether a role is in a group of roles.
    pub fn is_in(&self, role: &Role, group: &str) -> bool {
        self.candidate.registry.groups_of(role).iter().any(|found| found.as_str() == group)
    }

    /// Every declared exchange, in the order of the bundle.
    pub fn exchanges(&self) -> impl Iterator<Item = &Arc<Exchange>> {
        self.candidate.exchanges.exchanges.iter()
    }

    /// What a purpose, a kind of organisation or a role is called, for people.
    pub fn title(&self, of: Titled<'_>) -> Option<&Sentence> {
        let Candidate { registry, exchanges, .. } = &self.candidate;
        match of {
            Titled::Purpose(purpose) => exchanges.titles.get(purpose),
            Titled::Kind(kind) => registry.kind_titles.get(kind),
            Titled::Role(role) => registry.role_titles.get(role),
        }
    }

    /// What the bundle says of emergencies.
    pub fn emergency(&self) -> &Emergency {
        &self.candidate.exchanges.emergency
    }

    /// What the bundle says of trajects.
    pub fn trajects(&self) -> &Trajects {
        &self.candidate.exchanges.trajects
    }

    /// Every rule and guardrail, in the order of their files.
    pub fn rules(&self) -> impl Iterator<Item = &RuleText> {
        self.candidate.rules.iter().map(|rule| &rule.text)
    }

    /// One situation for every route between registered organisations, with both consents given: what a benchmark
    /// or a self-test asks for.
    pub fn situations(&self) -> Vec<Situation> {
        self.lookup.situations()
    }

    /// The contract of a message type, for reading and writing documents as text.
    pub fn message(&self, name: &MessageType) -> Option<MessageDescriptor> {
        self.candidate.contracts.message(name).ok()
    }
}

impl std::fmt::Debug for Proven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proven({} {}, {})", self.name(), self.number(), self.digest())
    }
}
