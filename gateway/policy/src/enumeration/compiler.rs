//! From the decisions of one route in one state to what runs per message. Equal decisions share a plan.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::{ClassSet, Form, Name};

use super::Parts;
use super::reach::{Decided, Reach};
use crate::classification::Field;
use crate::compiled::{Compiled, Ruling, cells, plan};
use crate::decision::Decision;
use crate::exchanges::Exchange;
use crate::problem::{Problem, Stage};

/// Compiles decisions, each distinct plan once.
pub(super) struct Compiler<'a> {
    pub(super) parts: &'a Parts<'a>,
    pub(super) plans: HashMap<(String, Vec<Option<Form>>), Arc<fields::Plan>>,
}

impl Compiler<'_> {
    pub(super) fn compile(
        &mut self,
        reach: &Reach,
        exchange: &Arc<Exchange>,
        decided: &Decided,
    ) -> Result<Compiled, Problem> {
        let classified = self.parts.classified;
        let keys = reach.targets.iter().map(|target| (target.field.message.clone(), target.field.number));
        let by_field: BTreeMap<_, _> = keys.zip(decided.fields.iter().copied()).collect();
        let decision = |field: &Field| by_field.get(&(field.message.clone(), field.number)).copied();
        let form_of =
            |field: &Field| field.class.and_then(|_| decision(field)).and_then(|decision| decision.form);
        let forms: Vec<Option<Form>> = reach.targets.iter().map(|target| form_of(&target.field)).collect();
        let key = (reach.root.full_name().to_owned(), forms);
        let plan = match self.plans.get(&key) {
            Some(plan) => plan.clone(),
            None => {
                let plan = plan(&reach.root, classified, &form_of)
                    .map_err(|error| Problem::new(Stage::Contract, reach.root.full_name(), error))?;
                self.plans.entry(key).or_insert(Arc::new(plan)).clone()
            }
        };
        let ruling_of = |field: &Field| match field.class {
            None => Ruling::without_class(),
            Some(_) => self.ruling(decision(field)?),
        };
        let cells = cells(&reach.root, classified, &ruling_of);
        let rules: BTreeSet<Name> = cells.iter().map(|cell| cell.rule.clone()).collect();
        let screen_against = match reach.subjects.is_empty() {
            // There is no text to screen; should one turn up, it may tell of nothing.
            true => ClassSet::all(),
            false => decided.screen_against,
        };
        Ok(Compiled {
            plan,
            exchange: exchange.clone(),
            screen_against,
            cells: cells.into(),
            rules: rules.into_iter().collect(),
        })
    }

    fn ruling(&self, decision: Decision) -> Option<Ruling> {
        match decision.rule.and_then(|rule| self.parts.rules.get(rule)) {
            None => Ruling::without_rule(),
            Some(rule) => Some(Ruling {
                form: decision.form,
                rule: rule.text.name.clone(),
                sentence: rule.text.sentence.clone(),
            }),
        }
    }
}
