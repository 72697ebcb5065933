//! The circumstances of a decision: exchange, sender, consents, emergency. Enums and booleans only, so that every one of
//! them is tried.
//!
//! Owns: what Cedar gets to know of them, which of them a condition can depend on, and the order of the 18 states.

use cedar_policy::Context;
use model::{Consent, Consents};

use super::NONE;
use crate::exchanges::Exchange;
use crate::problem::{Problem, Stage};
use crate::usage::Usage;
use crate::world::{PartyIndex, World};

/// Under which circumstances a decision is asked. Every value is one of finitely many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) exchange: &'a Exchange,
    /// Position of the exchange in the bundle.
    pub(crate) index: usize,
    pub(crate) sender: PartyIndex,
    pub(crate) consents: Consents,
    pub(crate) spoed: bool,
}

impl Circumstances<'_> {
    pub(super) fn context(&self, world: &World) -> Result<Context, Problem> {
        let outside = || Problem::new(Stage::Rule, "enumeration", "a sender lies outside the bundle");
        let sender = world.parties.get(self.sender).ok_or_else(outside)?;
        let consent = |state: Consent| world.value("Toestemming", state);
        let pairs = [
            ("uitwisseling", world.value("Uitwisseling", &self.exchange.id)?),
            ("verzender", cedar_policy::RestrictedExpression::new_entity_uid(sender.uid.clone())),
            ("doel", world.value("Doel", &self.exchange.purpose)?),
            ("grondslag", world.value("Grondslag", self.exchange.ground(self.spoed))?),
            ("beroepsgeheim", consent(self.consents.beroepsgeheim)?),
            ("gezondheidsgegevens", consent(self.consents.gezondheidsgegevens)?),
            ("spoed", cedar_policy::RestrictedExpression::new_bool(self.spoed)),
        ];
        Context::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value)))
            .map_err(|error| Problem::new(Stage::Rule, "enumeration", error))
    }

    /// The values that a condition speaks of; exchange settles purpose, and with `spoed` the ground.
    pub(super) fn key(&self, usage: Usage) -> [usize; 5] {
        let keep = |used: bool, value: usize| if used { value } else { NONE };
        [
            keep(usage.exchange, self.index),
            keep(usage.sender, self.sender),
            keep(usage.beroepsgeheim, self.consents.beroepsgeheim as usize),
            keep(usage.gezondheidsgegevens, self.consents.gezondheidsgegevens as usize),
            keep(usage.spoed, usize::from(self.spoed)),
        ]
    }
}

/// Every state in which a client's consents and an emergency can be: 3 × 3 × 2.
pub(crate) fn states() -> impl Iterator<Item = (Consents, bool)> {
    let consents = Consent::ALL.iter().flat_map(|beroepsgeheim| {
        Consent::ALL.iter().map(|gezondheidsgegevens| Consents {
            beroepsgeheim: *beroepsgeheim,
            gezondheidsgegevens: *gezondheidsgegevens,
        })
    });
    consents.flat_map(|consents| [(consents, false), (consents, true)])
}

/// Position of a state in [`states`].
pub(crate) const fn state_index(consents: Consents, spoed: bool) -> usize {
    (consents.beroepsgeheim as usize * 3 + consents.gezondheidsgegevens as usize) * 2 + spoed as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_state_stands_at_its_own_place() {
        let all: Vec<_> = states().collect();
        assert_eq!(all.len(), 18);
        for (index, (consents, spoed)) in all.into_iter().enumerate() {
            assert_eq!(state_index(consents, spoed), index);
        }
        let distinct: BTreeSet<_> = states().collect();
        assert_eq!(distinct.len(), 18);
    }
}
