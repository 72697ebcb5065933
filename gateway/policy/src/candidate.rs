//! A bundle that was read and enumerated, and not yet proven: nobody outside this crate ever holds one.
//!
//! Owns: the order of a load up to the proof. What it compiles to is complete; whether it may be used is for
//! `proven` to say.

use std::time::Duration;

use crate::bundle::{Digest, Files, Header, digest_of_all, digest_of_guardrails, digest_of_lexicon};
use crate::checker::Checked;
use crate::classification::Classified;
use crate::contracts::Contracts;
use crate::enumeration::{Effort, Enumeration, Parts, Route};
use crate::exchanges::Exchanges;
use crate::matrix::digest_of_matrix;
use crate::organisations::Registry;
use crate::problem::LoadError;
use crate::rules::{Rule, check_rules, named_organisations, read_rules, read_schema};
use crate::signature::{Trust, admit, same_matrix};
use crate::world::World;

/// Everything that a bundle compiles to.
pub(crate) struct Candidate {
    pub(crate) header: Header,
    pub(crate) digest: Digest,
    pub(crate) guardrails_digest: Digest,
    pub(crate) matrix_digest: Digest,
    /// Digest of the words that screening knows.
    pub(crate) lexicon: Digest,
    pub(crate) registry: Registry,
    pub(crate) exchanges: Exchanges,
    pub(crate) contracts: Contracts,
    pub(crate) rules: Vec<Rule>,
    pub(crate) world: World,
    pub(crate) routes: Vec<Route>,
    pub(crate) effort: Effort,
    pub(crate) unclassified: Vec<String>,
    /// How long reading took, by the caller's clock.
    pub(crate) reading: Duration,
}

impl Candidate {
    /// Reads and enumerates a bundle; `clock` tells the time since any fixed moment.
    pub(crate) fn compile(
        files: &Files,
        trust: &Trust,
        clock: &dyn Fn() -> Duration,
    ) -> Result<Candidate, LoadError> {
        let start = clock();
        let header = Header::read(files)?;
        let signed_matrix = admit(files, &header, trust)?;
        let registry = Registry::read(files)?;
        let exchanges = Exchanges::read(files, &registry)?;
        let contracts = Contracts::read(files)?;
        let roots = exchanges.exchanges.iter().map(|exchange| exchange.message.clone()).collect();
        let classified = Classified::read(files, &contracts, &roots)?;
        let schema = read_schema(files)?;
        let rules = read_rules(files)?;
        let world = World::new(schema, &registry, &exchanges, &classified, &named_organisations(&rules))?;
        check_rules(&rules, &world)?;
        let read = clock();
        let parts = Parts {
            exchanges: &exchanges,
            contracts: &contracts,
            classified: &classified,
            world: &world,
            rules: &rules,
        };
        let Enumeration { routes, effort } = Enumeration::run(&parts, clock)?;
        let matrix_digest = digest_of_matrix(&world, &routes);
        same_matrix(signed_matrix.as_deref(), matrix_digest)?;
        Ok(Candidate {
            digest: digest_of_all(files),
            guardrails_digest: digest_of_guardrails(files),
            matrix_digest,
            lexicon: digest_of_lexicon(files),
            reading: read.saturating_sub(start),
            unclassified: classified.unclassified,
            header,
            registry,
            exchanges,
            contracts,
            rules,
            world,
            routes,
            effort,
        })
    }

    /// Every outcome that lets something pass, and for whom it is.
    pub(crate) fn checked(&self) -> impl Iterator<Item = Checked<'_>> {
        self.routes.iter().flat_map(|route| {
            let from = self.world.parties.get(route.from);
            let to = self.world.parties.get(route.to);
            let ends = from.zip(to).map(|(from, to)| (&from.functie, &to.functie));
            crate::decision::states().zip(&route.outcomes).filter_map(move |((_, spoed), outcome)| {
                let (from, to) = ends?;
                Some(Checked { compiled: outcome.as_ref().ok()?, from, to, spoed })
            })
        })
    }
}
