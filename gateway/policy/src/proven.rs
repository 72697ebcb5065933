//! A bundle that was read, enumerated, asserted and checked: the only thing that answers what may pass.
//!
//! Owns: the order of a load, and the answers of a loaded bundle. There is no other way to a [`Proven`] than
//! [`Proven::load`], and no part of one can be changed: a new bundle is a new `Proven`, swapped in whole by `exchange`.

use std::sync::Arc;

use model::{MessageType, Name, Oin, Refusal};
use prost_reflect::MessageDescriptor;

use crate::bundle::{Digest, Files, Header, digest_of_all, digest_of_guardrails};
use crate::classification::Classified;
use crate::compiled::Compiled;
use crate::contracts::Contracts;
use crate::emergency::Emergency;
use crate::enumeration::{Enumeration, Parts, Route};
use crate::exchanges::{Exchange, Exchanges};
use crate::matrix::digest_of_matrix;
use crate::organisations::{Organisation, Registry};
use crate::problem::LoadError;
use crate::report::ProofReport;
use crate::route::{Routes, Situation};
use crate::rules::{RuleText, check_rules, named_organisations, read_rules, read_schema};
use crate::signature::{Seen, Trust, admit, same_matrix};
use crate::world::{Party, World};

/// A loaded bundle.
pub struct Proven {
    pub(crate) header: Header,
    digest: Digest,
    guardrails_digest: Digest,
    matrix_digest: Digest,
    pub(crate) registry: Registry,
    pub(crate) exchanges: Exchanges,
    pub(crate) contracts: Contracts,
    pub(crate) rules: Vec<RuleText>,
    pub(crate) parties: Vec<Party>,
    pub(crate) routes: Vec<Route>,
    pub(crate) lookup: Routes,
    pub(crate) report: ProofReport,
}

impl Proven {
    /// Reads, enumerates, asserts and checks a bundle.
    ///
    /// # Errors
    /// Anything that is misspelt, unsigned, contradictory, without effect, or unsafe, each with its place.
    pub fn load(files: &Files, trust: &Trust) -> Result<Proven, LoadError> {
        let header = Header::read(files)?;
        let digest = digest_of_all(files);
        let guardrails_digest = digest_of_guardrails(files);
        let signed = admit(files, &header, trust)?;
        let registry = Registry::read(files)?;
        let exchanges = Exchanges::read(files, &registry)?;
        let contracts = Contracts::read(files)?;
        let roots = exchanges.exchanges.iter().map(|exchange| exchange.message.clone()).collect();
        let classified = Classified::read(files, &contracts, &roots)?;
        let schema = read_schema(files)?;
        let rules = read_rules(files)?;
        let world = World::new(schema, &registry, &exchanges, &classified, &named_organisations(&rules))?;
        check_rules(&rules, &world)?;
        let parts = Parts {
            exchanges: &exchanges,
            contracts: &contracts,
            classified: &classified,
            world: &world,
            rules: &rules,
        };
        let Enumeration { routes, decisions, plans } = Enumeration::run(&parts)?;
        let matrix_digest = digest_of_matrix(&world, &routes);
        same_matrix(signed.as_deref(), matrix_digest)?;
        let report = ProofReport {
            rules: rules.len(),
            routes: routes.len(),
            decisions,
            plans,
            unclassified: classified.unclassified,
        };
        let lookup = Routes::new(&registry, &world, &routes);
        let rules = rules.into_iter().map(|rule| rule.text).collect();
        Ok(Proven {
            header,
            digest,
            guardrails_digest,
            matrix_digest,
            registry,
            exchanges,
            contracts,
            rules,
            parties: world.parties,
            routes,
            lookup,
            report,
        })
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
        self.header.number
    }

    /// What the bundle is called.
    pub fn name(&self) -> &Name {
        &self.header.name
    }

    /// The digest of all its files but the signatures; what records call the policy version.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The digest of everything that it compiled to: every route, state and cell.
    pub fn matrix_digest(&self) -> Digest {
        self.matrix_digest
    }

    /// What the caller stores once it serves this bundle, and hands back at the next load.
    pub fn seen(&self) -> Seen {
        let guardrails = (self.header.guardrails, self.guardrails_digest);
        Seen { bundle: Some((self.header.number, self.digest)), guardrails: Some(guardrails) }
    }

    /// What was proved, with figures.
    pub fn report(&self) -> &ProofReport {
        &self.report
    }

    /// The organisation with this OIN, if it is registered.
    pub fn organisation(&self, oin: &Oin) -> Option<&Organisation> {
        self.registry.organisations.get(oin)
    }

    /// Every registered organisation.
    pub fn organisations(&self) -> impl Iterator<Item = &Organisation> {
        self.registry.organisations.values()
    }

    /// Every declared exchange.
    pub fn exchanges(&self) -> impl Iterator<Item = &Arc<Exchange>> {
        self.exchanges.exchanges.iter()
    }

    /// What the bundle says of emergencies.
    pub fn emergency(&self) -> &Emergency {
        &self.exchanges.emergency
    }

    /// Every rule and guardrail, in the order of their files.
    pub fn rules(&self) -> &[RuleText] {
        &self.rules
    }

    /// The contract of a message type, for reading and writing documents as text.
    pub fn message(&self, name: &MessageType) -> Option<MessageDescriptor> {
        self.contracts.message(name).ok()
    }
}

impl std::fmt::Debug for Proven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proven({} {}, {})", self.header.name, self.header.number, self.digest)
    }
}
