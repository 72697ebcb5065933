//! Every request that can occur, decided once: route × state of consent × emergency × field × form.
//!
//! Owns: walking the finite space, and turning each route into what runs per message. Equal decisions share a plan.
//! A rule that matched nothing on the way, or a guardrail that could not match anything at all, refuses the bundle.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::{ClassSet, Consent, DataClass, Form, MessageType, Name, Reason};
use prost_reflect::{Kind, MessageDescriptor};

use crate::classification::{Classified, Field, is_one_value};
use crate::compiled::{Compiled, Ruling, cells, plan};
use crate::contracts::Contracts;
use crate::decision::{Circumstances, Decider, Decision, states};
use crate::exchanges::{Exchange, Exchanges};
use crate::problem::{LoadError, Problem, Stage};
use crate::rules::Rule;
use crate::world::{PartyIndex, ResourceIndex, World};

/// One declared way: from a party to a party, within an exchange.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) from: PartyIndex,
    pub(crate) to: PartyIndex,
    /// One outcome for each of [`states`].
    pub(crate) outcomes: Vec<Result<Arc<Compiled>, Reason>>,
}

/// Everything that was enumerated.
pub(crate) struct Enumeration {
    pub(crate) routes: Vec<Route>,
    /// How many (receiver, form, field, circumstances) were decided.
    pub(crate) decisions: u64,
    /// How many distinct plans that came down to.
    pub(crate) plans: usize,
}

/// The parts of a bundle that were read and checked, before anything is decided.
pub(crate) struct Parts<'a> {
    pub(crate) exchanges: &'a Exchanges,
    pub(crate) contracts: &'a Contracts,
    pub(crate) classified: &'a Classified,
    pub(crate) world: &'a World,
    pub(crate) rules: &'a [Rule],
}

/// What can be reached from a root message.
struct Reach {
    root: MessageDescriptor,
    fields: Vec<Field>,
    /// Messages that hold a text.
    with_text: Vec<MessageType>,
}

/// The decisions of one route in one state, in the order of the fields of its reach.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash, Clone)]
struct Decided {
    fields: Vec<Decision>,
    screen_against: Vec<DataClass>,
}

impl Enumeration {
    /// Decides everything. Any error in evaluation refuses the bundle.
    pub(crate) fn run(parts: &Parts<'_>) -> Result<Enumeration, LoadError> {
        let mut decider = Decider::new(parts.world, parts.rules)?;
        let mut reaches = BTreeMap::new();
        for exchange in &parts.exchanges.exchanges {
            if !reaches.contains_key(&exchange.message) {
                reaches.insert(exchange.message.clone(), Reach::of(parts, &exchange.message)?);
            }
        }
        let mut compiler = Compiler { parts, plans: HashMap::new() };
        let mut routes = Vec::new();
        for (index, exchange) in parts.exchanges.exchanges.iter().enumerate() {
            let Some(reach) = reaches.get(&exchange.message) else { continue };
            for (from, to) in exchange.pairs() {
                for sender in parts.world.parties_of(from) {
                    for receiver in parts.world.parties_of(to) {
                        let outcomes =
                            outcomes(&mut decider, &mut compiler, reach, exchange, index, sender, receiver)?;
                        routes.push(Route {
                            exchange: exchange.clone(),
                            from: sender,
                            to: receiver,
                            outcomes,
                        });
                    }
                }
            }
        }
        let mut problems: Vec<Problem> =
            decider.without_effect().filter(|rule| !rule.text.guardrail).map(no_effect).collect();
        problems.extend(idle_guardrails(&mut decider, parts)?);
        let decisions = decider.decisions();
        LoadError::unless(problems, Enumeration { routes, decisions, plans: compiler.plans.len() })
    }
}

fn no_effect(rule: &Rule) -> Problem {
    let place = format!("{}, `{}`", rule.text.file, rule.text.name);
    let what =
        "it matches no request of any declared exchange; is a receiver, class or purpose not the one meant?";
    Problem::new(Stage::Rule, place, what)
}

/// Guardrails that could forbid nothing at all, not even in an exchange that is not declared.
fn idle_guardrails(decider: &mut Decider<'_>, parts: &Parts<'_>) -> Result<Vec<Problem>, Problem> {
    let mut all = Vec::new();
    for (index, exchange) in parts.exchanges.exchanges.iter().enumerate() {
        for sender in exchange.from.iter().flat_map(|from| parts.world.parties_of(from)) {
            all.extend(states().map(|(consents, spoed)| Circumstances {
                exchange,
                index,
                sender,
                consents,
                spoed,
            }));
        }
    }
    let mut problems = Vec::new();
    for (index, rule) in parts.rules.iter().enumerate().filter(|(_, rule)| rule.text.guardrail) {
        if !decider.can_match(index, &all)? {
            let place = format!("{}, `{}`", rule.text.file, rule.text.name);
            problems.push(Problem::new(
                Stage::Rule,
                place,
                "it can never match anything, so it guards nothing",
            ));
        }
    }
    Ok(problems)
}

fn outcomes(
    decider: &mut Decider<'_>,
    compiler: &mut Compiler<'_>,
    reach: &Reach,
    exchange: &Arc<Exchange>,
    index: usize,
    sender: PartyIndex,
    receiver: PartyIndex,
) -> Result<Vec<Result<Arc<Compiled>, Reason>>, LoadError> {
    let mut known: BTreeMap<Decided, Arc<Compiled>> = BTreeMap::new();
    let mut outcomes = Vec::new();
    for (consents, spoed) in states() {
        let circumstances = Circumstances { exchange, index, sender, consents, spoed };
        // Decided even where consent is missing, so that no rule goes unevaluated.
        let decided = decide_all(decider, compiler.parts, reach, receiver, circumstances)?;
        if let Some(reason) = refused(exchange, &circumstances) {
            outcomes.push(Err(reason));
            continue;
        }
        let compiled = match known.get(&decided) {
            Some(compiled) => compiled.clone(),
            None => {
                let compiled = Arc::new(compiler.compile(reach, exchange, &decided)?);
                known.insert(decided, compiled.clone());
                compiled
            }
        };
        outcomes.push(if compiled.passes_nothing() { Err(Reason::NothingMayPass) } else { Ok(compiled) });
    }
    Ok(outcomes)
}

/// What refuses an exchange before any rule is asked.
fn refused(exchange: &Exchange, circumstances: &Circumstances<'_>) -> Option<Reason> {
    if circumstances.spoed {
        // An emergency rests on a vital interest and waits for no consent; that is why it is never medical.
        return (!exchange.emergency).then_some(Reason::EmergencyNotAllowed);
    }
    let states = || exchange.consents.iter().map(|kind| kind.of(circumstances.consents));
    if states().any(|state| state == Consent::Geweigerd) {
        return Some(Reason::ConsentWithdrawn);
    }
    states().any(|state| state != Consent::Verleend).then_some(Reason::ConsentMissing)
}

fn decide_all(
    decider: &mut Decider<'_>,
    parts: &Parts<'_>,
    reach: &Reach,
    receiver: PartyIndex,
    circumstances: Circumstances<'_>,
) -> Result<Decided, Problem> {
    let view = decider.view(receiver, circumstances)?;
    let mut fields = Vec::with_capacity(reach.fields.len());
    for field in &reach.fields {
        let key = (field.message.clone(), field.number);
        let resource = in_store(parts.world.field(&key), &field.full_name())?;
        let mut decision = decider.decide(&view, resource)?;
        if let (Some(subject), Some(_)) = (field.subject, decision.form) {
            let subject = in_store(parts.world.subject(&field.message, subject), &field.full_name())?;
            decision = decider.decide(&view, subject)?;
        }
        fields.push(decision);
    }
    let mut screen_against = BTreeSet::new();
    for message in &reach.with_text {
        for class in subjects() {
            let resource = in_store(parts.world.subject(message, class), message.as_str())?;
            if decider.decide(&view, resource)?.form.is_none() {
                screen_against.insert(class);
            }
        }
    }
    Ok(Decided { fields, screen_against: screen_against.into_iter().collect() })
}

/// Every field is in the store; one that is not would slip past `forbid … in …`.
fn in_store(resource: Option<ResourceIndex>, name: &str) -> Result<ResourceIndex, Problem> {
    resource.ok_or_else(|| Problem::new(Stage::Rule, name, "not among the entities of the bundle"))
}

fn subjects() -> impl Iterator<Item = DataClass> {
    DataClass::ALL.iter().copied().filter(|class| *class != DataClass::Tekst)
}

impl Reach {
    fn of(parts: &Parts<'_>, root: &MessageType) -> Result<Reach, Problem> {
        let root = parts.contracts.message(root)?;
        let mut open = vec![root.clone()];
        let mut seen = BTreeSet::new();
        let mut fields = Vec::new();
        while let Some(message) = open.pop() {
            if is_one_value(&message) || !seen.insert(message.full_name().to_owned()) {
                continue;
            }
            for descriptor in message.fields() {
                fields.extend(parts.classified.get(&descriptor).cloned());
                if let Kind::Message(inner) = descriptor.kind() {
                    open.push(inner);
                }
            }
        }
        let with_text: BTreeSet<MessageType> = fields
            .iter()
            .filter(|field| field.subject.is_some())
            .map(|field| field.message.clone())
            .collect();
        Ok(Reach { root, fields, with_text: with_text.into_iter().collect() })
    }
}

/// Compiles decisions, each distinct plan once.
struct Compiler<'a> {
    parts: &'a Parts<'a>,
    plans: HashMap<(String, Vec<Option<Form>>), Arc<fields::Plan>>,
}

impl Compiler<'_> {
    fn compile(
        &mut self,
        reach: &Reach,
        exchange: &Arc<Exchange>,
        decided: &Decided,
    ) -> Result<Compiled, Problem> {
        let classified = self.parts.classified;
        let keys = reach.fields.iter().map(|field| (field.message.clone(), field.number));
        let by_field: BTreeMap<_, _> = keys.zip(decided.fields.iter().copied()).collect();
        let decision = |field: &Field| by_field.get(&(field.message.clone(), field.number)).copied();
        let form_of =
            |field: &Field| field.class.and_then(|_| decision(field)).and_then(|decision| decision.form);
        let forms: Vec<Option<Form>> = reach.fields.iter().map(form_of).collect();
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
        let screen_against = match reach.with_text.is_empty() {
            // There is no text to screen; should one turn up, it may tell of nothing.
            true => ClassSet::all(),
            false => decided.screen_against.iter().copied().collect(),
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
