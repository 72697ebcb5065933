//! Asking Cedar, fast enough to ask everything: rules are sliced by scope, conditions are evaluated once.
//!
//! Owns: the decision for one resource under one view (receiver + circumstances): the most revealing permitted form
//! and the rule that gave it. Every truth value comes from Cedar; this file only avoids asking the same twice. Any
//! error in evaluation stops the load. `enumeration` walks the space; tests compare with unsliced Cedar.

mod circumstances;
mod reach;
mod scope;

use std::collections::HashMap;
use std::time::Duration;

use cedar_policy::{Authorizer, EntityUid, Request};
use foldhash::fast::FixedState;
use model::{FieldKind, Form};

use crate::problem::{Problem, Stage};
use crate::rule_set::RuleSet;
use crate::rules::Rule;
use crate::usage::Usage;
use crate::world::{PartyIndex, ResourceIndex, World};
pub(crate) use circumstances::{Circumstances, state_index, states};
use scope::{action_fits, alike, principal_fits, resource_fits};

/// What was decided for one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Decision {
    /// The form in which it passes; none = it does not.
    pub(crate) form: Option<Form>,
    /// The rule that permitted that form, or that forbade; none = no rule permits.
    pub(crate) rule: Option<usize>,
}

/// The rules that can still matter for one receiver under some circumstances.
pub(crate) struct View<'a> {
    party: PartyIndex,
    circumstances: Circumstances<'a>,
    /// Rules whose principal holds, and whose condition holds or speaks of the field.
    live: RuleSet,
    /// Rules whose condition speaks of the form, or of field and circumstances together.
    open: RuleSet,
}

/// Decides, and keeps count.
pub(crate) struct Decider<'w> {
    world: &'w World,
    rules: &'w [Rule],
    usages: Vec<Usage>,
    permits: RuleSet,
    by_party: Vec<RuleSet>,
    by_form: Vec<RuleSet>,
    /// By group of resources.
    by_group: Vec<RuleSet>,
    /// Resource → its group.
    groups: Vec<usize>,
    /// For each rule one action and one resource within its scope, to evaluate its condition with.
    samples: Vec<Option<(usize, ResourceIndex)>>,
    actions: Vec<EntityUid>,
    authorizer: Authorizer,
    known: HashMap<Key, bool, FixedState>,
    /// Receiver and group → the rules that admit the group and whose condition does not rule it out.
    settled: HashMap<(PartyIndex, usize), RuleSet, FixedState>,
    matched: RuleSet,
    scratch: (RuleSet, RuleSet),
    none: RuleSet,
    clock: &'w dyn Fn() -> Duration,
    decisions: u64,
    evaluations: u64,
    evaluating: Duration,
}

/// What the truth of a condition depends on; what it does not speak of is `NONE`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    rule: usize,
    party: usize,
    form: usize,
    resource: usize,
    context: [usize; 5],
}

const NONE: usize = usize::MAX;

impl<'w> Decider<'w> {
    pub(crate) fn new(
        world: &'w World,
        rules: &'w [Rule],
        clock: &'w dyn Fn() -> Duration,
    ) -> Result<Decider<'w>, Problem> {
        let usages = rules.iter().map(|rule| Usage::of(&rule.policy)).collect::<Result<Vec<_>, _>>()?;
        let actions = Form::ALL.iter().map(|form| world.action(*form)).collect::<Result<Vec<_>, _>>()?;
        let select = |wanted: &dyn Fn(&Rule) -> bool| {
            RuleSet::of(
                rules.len(),
                rules.iter().enumerate().filter(|(_, rule)| wanted(rule)).map(|(index, _)| index),
            )
        };
        let entities = &world.entities;
        let by_party =
            world.parties.iter().map(|party| select(&|rule| principal_fits(rule, &party.uid, entities)));
        let by_form = actions.iter().map(|action| select(&|rule| action_fits(rule, action, entities)));
        let (by_party, by_form) = (by_party.collect(), by_form.collect());
        let groups = alike(world, rules);
        let mut by_group = Vec::new();
        for (resource, group) in world.resources.iter().zip(&groups) {
            if *group == by_group.len() {
                by_group.push(select(&|rule| resource_fits(rule, &resource.uid, entities)));
            }
        }
        let mut decider = Decider {
            permits: select(&|rule| !rule.text.forbids),
            matched: RuleSet::none(rules.len()),
            scratch: (RuleSet::none(rules.len()), RuleSet::none(rules.len())),
            none: RuleSet::none(rules.len()),
            clock,
            evaluations: 0,
            evaluating: Duration::ZERO,
            world,
            rules,
            usages,
            by_party,
            by_form,
            by_group,
            groups,
            actions,
            samples: Vec::new(),
            authorizer: Authorizer::new(),
            known: HashMap::default(),
            settled: HashMap::default(),
            decisions: 0,
        };
        decider.samples = (0..rules.len()).map(|rule| decider.sample(rule)).collect();
        Ok(decider)
    }

    /// How many (receiver, form, resource, circumstances) were decided.
    pub(crate) fn decisions(&self) -> u64 {
        self.decisions
    }

    /// How many conditions Cedar evaluated, and how long that took by the caller's clock.
    pub(crate) fn evaluations(&self) -> (u64, Duration) {
        (self.evaluations, self.evaluating)
    }

    /// The rules that matched no request so far.
    pub(crate) fn without_effect(&self) -> impl Iterator<Item = &Rule> {
        self.rules
            .iter()
            .enumerate()
            .filter(|(index, _)| !self.matched.contains(*index))
            .map(|(_, rule)| rule)
    }

    fn group(&self, resource: ResourceIndex) -> usize {
        self.groups.get(resource).copied().unwrap_or(NONE)
    }

    /// A form and a resource that a rule's scope admits together.
    fn sample(&self, rule: usize) -> Option<(usize, ResourceIndex)> {
        let resources = self.world.resources.iter().enumerate();
        let mut within = resources.filter(|(index, _)| fits(&self.by_group, self.group(*index), rule));
        within.find_map(|(index, resource)| {
            let form =
                resource.kind.forms().iter().find(|form| fits(&self.by_form, **form as usize, rule))?;
            Some((*form as usize, index))
        })
    }

    /// Settles, for one receiver and some circumstances, all that does not depend on the field.
    pub(crate) fn view<'a>(
        &mut self,
        party: PartyIndex,
        circumstances: Circumstances<'a>,
    ) -> Result<View<'a>, Problem> {
        let mut live = self.by_party.get(party).cloned().unwrap_or_else(|| RuleSet::none(self.rules.len()));
        let mut open = RuleSet::none(self.rules.len());
        for rule in live.clone().iter() {
            let Some(usage) = self.usages.get(rule).copied() else { continue };
            if usage.is_unconditional() {
                continue;
            }
            if usage.stays_open() {
                open.insert(rule);
            }
            if usage.resource || usage.action {
                continue;
            }
            let Some((form, resource)) = self.samples.get(rule).copied().flatten() else { continue };
            if !self.condition(rule, party, form, resource, &circumstances)? {
                live.remove(rule);
            }
        }
        Ok(View { party, circumstances, live, open })
    }

    /// The most revealing permitted form of one resource.
    pub(crate) fn decide(&mut self, view: &View<'_>, resource: ResourceIndex) -> Result<Decision, Problem> {
        let kind = self.world.resources.get(resource).map(|resource| resource.kind);
        let group = self.group(resource);
        self.settle(view, group, resource)?;
        // Two sets that are kept between calls, so that deciding allocates nothing.
        let (mut fitting, mut matching) = std::mem::take(&mut self.scratch);
        let settled = self.settled.get(&(view.party, group)).unwrap_or(&self.none);
        fitting.set_to_common(&view.live, settled);
        let decision = self.decide_forms(view, resource, kind, &fitting, &mut matching);
        self.scratch = (fitting, matching);
        decision
    }

    fn decide_forms(
        &mut self,
        view: &View<'_>,
        resource: ResourceIndex,
        kind: Option<FieldKind>,
        fitting: &RuleSet,
        matching: &mut RuleSet,
    ) -> Result<Decision, Problem> {
        let mut forbidden = None;
        for form in kind.into_iter().flat_map(|kind| kind.forms()) {
            self.decisions += 1;
            let Some(by_form) = self.by_form.get(*form as usize) else { continue };
            matching.set_to_common(fitting, by_form);
            if matching.overlaps(&view.open) {
                self.settle_open(matching, view, *form, resource)?;
            }
            self.matched.extend(matching);
            let permit = matching.first_in(&self.permits);
            let forbid = matching.first_outside(&self.permits);
            match (permit, forbid) {
                (Some(rule), None) => return Ok(Decision { form: Some(*form), rule: Some(rule) }),
                // A forbid that stopped a permit explains more than one that stopped nothing.
                (Some(_), Some(rule)) if !matches!(forbidden, Some((true, _))) => {
                    forbidden = Some((true, rule))
                }
                (None, Some(rule)) if forbidden.is_none() => forbidden = Some((false, rule)),
                _ => {}
            }
        }
        Ok(Decision { form: None, rule: forbidden.map(|(_, rule)| rule) })
    }

    /// Evaluates, once for a receiver and a group, the conditions that speak of the field and not of circumstances.
    fn settle(&mut self, view: &View<'_>, group: usize, resource: ResourceIndex) -> Result<(), Problem> {
        if self.settled.contains_key(&(view.party, group)) {
            return Ok(());
        }
        let mut rules = self.by_group.get(group).cloned().unwrap_or_default();
        for rule in rules.clone().iter() {
            let usage = self.usages.get(rule).copied().unwrap_or_default();
            // Outside the party's scope the condition is beside the point; any form within the scope will do.
            let within = usage.is_settled_by_field() && fits(&self.by_party, view.party, rule);
            let kind = self.world.resources.get(resource).map(|resource| resource.kind);
            let mut forms = kind.into_iter().flat_map(|kind| kind.forms()).map(|form| *form as usize);
            let Some(form) = forms.find(|form| within && fits(&self.by_form, *form, rule)) else { continue };
            if !self.condition(rule, view.party, form, resource, &view.circumstances)? {
                rules.remove(rule);
            }
        }
        self.settled.insert((view.party, group), rules);
        Ok(())
    }

    fn settle_open(
        &mut self,
        matching: &mut RuleSet,
        view: &View<'_>,
        form: Form,
        resource: ResourceIndex,
    ) -> Result<(), Problem> {
        for rule in matching.common(&view.open).iter() {
            if !self.condition(rule, view.party, form as usize, resource, &view.circumstances)? {
                matching.remove(rule);
            }
        }
        Ok(())
    }

    /// Whether a condition holds, by Cedar. The scope of the rule admits the request already.
    fn condition(
        &mut self,
        rule: usize,
        party: PartyIndex,
        form: usize,
        resource: ResourceIndex,
        circumstances: &Circumstances<'_>,
    ) -> Result<bool, Problem> {
        let Some(usage) = self.usages.get(rule).copied() else { return Ok(false) };
        let key = Key {
            rule,
            party: if usage.principal { party } else { NONE },
            form: if usage.action { form } else { NONE },
            resource: if usage.resource { self.group(resource) } else { NONE },
            context: circumstances.key(usage),
        };
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let start = (self.clock)();
        let holds = self.ask(rule, party, form, resource, circumstances)?;
        self.evaluating += (self.clock)().saturating_sub(start);
        self.evaluations += 1;
        self.known.insert(key, holds);
        Ok(holds)
    }

    fn ask(
        &self,
        rule: usize,
        party: PartyIndex,
        form: usize,
        resource: ResourceIndex,
        circumstances: &Circumstances<'_>,
    ) -> Result<bool, Problem> {
        let Some(rule) = self.rules.get(rule) else { return Ok(false) };
        let request = self.request(party, form, resource, circumstances)?;
        let response = self.authorizer.is_authorized(&request, &rule.alone, &self.world.entities);
        if let Some(error) = response.diagnostics().errors().next() {
            // Cedar would skip the rule, and a skipped forbid permits.
            let what = format!("it fails when evaluated: {error}");
            return Err(Problem::new(Stage::Rule, format!("{}, `{}`", rule.text.file, rule.text.name), what));
        }
        Ok(response.diagnostics().reason().next().is_some())
    }

    /// The request as Cedar sees it, checked against the schema.
    pub(crate) fn request(
        &self,
        party: PartyIndex,
        form: usize,
        resource: ResourceIndex,
        circumstances: &Circumstances<'_>,
    ) -> Result<Request, Problem> {
        let outside = || Problem::new(Stage::Rule, "enumeration", "a request lies outside the bundle");
        let party = self.world.parties.get(party).ok_or_else(outside)?;
        let action = self.actions.get(form).ok_or_else(outside)?;
        let resource = self.world.resources.get(resource).ok_or_else(outside)?;
        let context = circumstances.context(self.world)?;
        let schema = Some(&self.world.schema);
        Request::new(party.uid.clone(), action.clone(), resource.uid.clone(), context, schema)
            .map_err(|error| Problem::new(Stage::Rule, "schema.cedarschema", error))
    }
}

fn fits(sets: &[RuleSet], index: usize, rule: usize) -> bool {
    sets.get(index).is_some_and(|set| set.contains(rule))
}
