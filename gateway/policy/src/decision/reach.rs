//! Whether a rule could match anything at all: for guardrails, which mostly forbid what nobody permits.
//!
//! Owns: trying a condition with every value of what it speaks of, over all parties and fields, declared route or not.

use std::collections::HashSet;

use crate::decision::{Circumstances, Decider, fits};
use crate::problem::Problem;

impl Decider<'_> {
    /// Whether some request exists, under one of these circumstances, that the rule matches.
    pub(crate) fn can_match(&mut self, rule: usize, all: &[Circumstances<'_>]) -> Result<bool, Problem> {
        let Some(usage) = self.usages.get(rule).copied() else { return Ok(false) };
        let parties = (0..self.by_party.len()).filter(|party| fits(&self.by_party, *party, rule));
        let parties: Vec<usize> = parties.take(if usage.principal { usize::MAX } else { 1 }).collect();
        let targets = self.targets(rule, usage.action || usage.resource);
        if usage.is_unconditional() {
            return Ok(!parties.is_empty() && !targets.is_empty());
        }
        let mut seen = HashSet::new();
        let distinct: Vec<&Circumstances<'_>> =
            all.iter().filter(|one| seen.insert(one.key(usage))).collect();
        for party in parties {
            for (form, resource) in &targets {
                for circumstances in &distinct {
                    if self.condition(rule, party, *form, *resource, circumstances)? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// The forms and groups of resources within a rule's scope; one pair will do if its condition speaks of neither.
    fn targets(&self, rule: usize, every: bool) -> Vec<(usize, usize)> {
        let resources = self.world.resources.iter().enumerate();
        let mut seen = HashSet::new();
        let distinct = resources.filter(|(index, _)| seen.insert(self.group(*index)));
        let within = distinct.filter(|(index, _)| fits(&self.by_group, self.group(*index), rule));
        let pairs = within.flat_map(|(index, resource)| {
            let forms = resource.kind.forms().iter().map(|form| *form as usize);
            forms.filter(|form| fits(&self.by_form, *form, rule)).map(move |form| (form, index))
        });
        pairs.take(if every { usize::MAX } else { 1 }).collect()
    }
}
