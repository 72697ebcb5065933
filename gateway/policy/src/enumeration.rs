//! Every request that can occur, decided once: route × state of consent × emergency × field × form.
//!
//! Owns: walking the finite space, and turning each route into what runs per message. Equal decisions share a plan.
//! A rule that matched nothing on the way, or a guardrail that could not match anything at all, refuses the bundle.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use model::{Consent, Reason};

use crate::classification::Classified;
use crate::compiled::Compiled;
use crate::contracts::Contracts;
use crate::decision::{Circumstances, Decider, states};
use crate::exchanges::{Exchange, Exchanges};
use crate::problem::{LoadError, Problem, Stage};
use crate::rules::Rule;
use crate::world::{PartyIndex, World};

use compiler::Compiler;
use reach::{Decided, Reach};

mod compiler;
mod reach;

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
    pub(crate) effort: Effort,
}

/// What it took; durations by the caller's clock.
#[derive(Clone)]
pub(crate) struct Effort {
    /// How many (receiver, form, field, circumstances) were decided.
    pub(crate) decisions: u64,
    /// How many conditions Cedar evaluated.
    pub(crate) evaluations: u64,
    /// How many distinct plans that came down to.
    pub(crate) plans: usize,
    pub(crate) deciding: Duration,
    pub(crate) evaluating: Duration,
    pub(crate) compiling: Duration,
}

/// The parts of a bundle that were read and checked, before anything is decided.
pub(crate) struct Parts<'a> {
    pub(crate) exchanges: &'a Exchanges,
    pub(crate) contracts: &'a Contracts,
    pub(crate) classified: &'a Classified,
    pub(crate) world: &'a World,
    pub(crate) rules: &'a [Rule],
}

impl Enumeration {
    /// Decides everything. Any error in evaluation refuses the bundle.
    pub(crate) fn run(parts: &Parts<'_>, clock: &dyn Fn() -> Duration) -> Result<Enumeration, LoadError> {
        let mut decider = Decider::new(parts.world, parts.rules, clock)?;
        let mut reaches = BTreeMap::new();
        for exchange in &parts.exchanges.exchanges {
            if !reaches.contains_key(&exchange.message) {
                reaches.insert(exchange.message.clone(), Reach::of(parts, &exchange.message)?);
            }
        }
        let mut compiler = Compiler { parts, plans: HashMap::new() };
        let mut routes = Vec::new();
        let mut took = (Duration::ZERO, Duration::ZERO);
        for way in ways(parts) {
            let Some(reach) = reaches.get(&way.exchange.message) else { continue };
            let start = clock();
            let decided = way.decide(&mut decider, reach)?;
            let after = clock();
            let outcomes = way.compile(&mut compiler, reach, decided)?;
            took.0 += after.saturating_sub(start);
            took.1 += clock().saturating_sub(after);
            routes.push(Route { exchange: way.exchange.clone(), from: way.from, to: way.to, outcomes });
        }
        let decisions = decider.decisions();
        let (evaluations, evaluating) = decider.evaluations();
        let mut problems: Vec<Problem> =
            decider.without_effect().filter(|rule| !rule.text.guardrail).map(no_effect).collect();
        problems.extend(idle_guardrails(&mut decider, parts)?);
        let plans = compiler.plans.len();
        let deciding = took.0.saturating_sub(evaluating);
        let effort = Effort { decisions, evaluations, plans, deciding, evaluating, compiling: took.1 };
        LoadError::unless(problems, Enumeration { routes, effort })
    }
}

/// Every pair of parties in every exchange.
fn ways<'a>(parts: &Parts<'a>) -> Vec<Way<'a>> {
    let mut ways = Vec::new();
    for (index, exchange) in parts.exchanges.exchanges.iter().enumerate() {
        for (sender, receiver) in exchange.pairs() {
            for from in parts.world.parties_of(sender) {
                let to = parts.world.parties_of(receiver);
                ways.extend(to.map(|to| Way { exchange, index, from, to }));
            }
        }
    }
    ways
}

fn no_effect(rule: &Rule) -> Problem {
    let place = format!("{}, `{}`", rule.text.file, rule.text.name);
    let what = "it changes nothing: it matches no request of any declared exchange, or others always permit more there";
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

/// One way from a sender to a receiver.
struct Way<'a> {
    exchange: &'a Arc<Exchange>,
    /// Position of the exchange in the bundle.
    index: usize,
    from: PartyIndex,
    to: PartyIndex,
}

impl Way<'_> {
    fn circumstances(&self) -> impl Iterator<Item = Circumstances<'_>> {
        let Way { exchange, index, from, .. } = *self;
        states().map(move |(consents, spoed)| Circumstances {
            exchange,
            index,
            sender: from,
            consents,
            spoed,
        })
    }

    /// Decided even where consent is missing, so that no rule goes unevaluated.
    fn decide(&self, decider: &mut Decider<'_>, reach: &Reach) -> Result<Vec<Decided>, Problem> {
        let mut decide = |circumstances| {
            let view = decider.view(self.to, circumstances)?;
            reach.decide(decider, &view)
        };
        self.circumstances().map(&mut decide).collect()
    }

    fn compile(
        &self,
        compiler: &mut Compiler<'_>,
        reach: &Reach,
        decided: Vec<Decided>,
    ) -> Result<Vec<Result<Arc<Compiled>, Reason>>, Problem> {
        let mut known: HashMap<Decided, Arc<Compiled>> = HashMap::new();
        let mut outcomes = Vec::new();
        for (circumstances, decided) in self.circumstances().zip(decided) {
            if let Some(reason) = refused(self.exchange, &circumstances) {
                outcomes.push(Err(reason));
                continue;
            }
            let compiled = match known.get(&decided) {
                Some(compiled) => compiled.clone(),
                None => {
                    let compiled = Arc::new(compiler.compile(reach, self.exchange, &decided)?);
                    known.insert(decided, compiled.clone());
                    compiled
                }
            };
            outcomes.push(if compiled.passes_nothing() { Err(Reason::NothingMayPass) } else { Ok(compiled) });
        }
        Ok(outcomes)
    }
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
