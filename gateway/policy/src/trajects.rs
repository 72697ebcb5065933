//! What the bundle says of trajects: their phases, who may open one, who may state its phase.
//!
//! Owns: `[traject]` of `exchanges.toml`, and whether an exchange fits the phase that was stated. Doelbinding is resolved here,
//! before any rule: purpose, exchange and role are the route, the phase is asked beside it. Who stated what about a client
//! is in the log, not here.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::Reason;
use serde::Deserialize;

use crate::bundle::Sentence;
use crate::exchanges::{Exchange, Traject};
use crate::organisations::{Functie, Registry};

/// What the bundle says of trajects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trajects {
    /// A traject of which nothing was stated for so many days is no traject any more.
    pub days: u32,
    /// Who may open one, and say who takes part.
    pub opened_by: Vec<Functie>,
    /// Who may state the phase of one in which the own organisation takes part, and that it ended.
    pub told_by: Vec<Functie>,
    /// The phases, in their order; a traject opens in the first.
    pub phases: Vec<Phase>,
}

/// A phase of a traject.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Its number, 1 to 255.
    pub number: u8,
    /// Dutch.
    pub nl: Arc<str>,
    /// English.
    pub en: Arc<str>,
}

impl Phase {
    /// What it is called, in both languages.
    pub fn title(&self) -> Sentence {
        Sentence { nl: self.nl.clone(), en: self.en.clone() }
    }
}

impl Trajects {
    /// The phase with this number.
    pub fn phase(&self, number: u8) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.number == number)
    }

    /// The phase in which a traject opens.
    pub fn first(&self) -> Option<u8> {
        self.phases.first().map(|phase| phase.number)
    }

    /// Everything that is wrong with it, or with the exchanges that ask for a traject.
    pub(crate) fn problems(&self, exchanges: &[Exchange], registry: &Registry) -> Vec<String> {
        let mut problems = Vec::new();
        let mut numbers = BTreeSet::new();
        for phase in &self.phases {
            if phase.number == 0 || !numbers.insert(phase.number) {
                problems.push(format!("phase {} is declared twice, or is 0", phase.number));
            }
        }
        for functie in self.opened_by.iter().chain(&self.told_by).filter(|functie| !registry.knows(functie)) {
            let what = "no kind of organisation has that role";
            problems.push(format!("trajects are stated by `{functie}`; {what}"));
        }
        let asks = exchanges.iter().any(|exchange| exchange.traject != Traject::None);
        if asks && (self.phases.is_empty() || self.days == 0) {
            problems.push("exchanges ask for a traject, and `[traject]` has no phases or no days".to_owned());
        }
        for exchange in exchanges {
            self.check(exchange, &mut problems);
        }
        problems
    }

    fn check(&self, exchange: &Exchange, problems: &mut Vec<String>) {
        let id = &exchange.id;
        for phase in exchange.phases.iter().filter(|phase| self.phase(**phase).is_none()) {
            problems.push(format!("exchange `{id}` fits phase {phase}, which is not declared"));
        }
        if !exchange.phases.is_empty() && exchange.traject != Traject::Active {
            let what = "only an active traject has a phase: set `traject = \"active\"`";
            problems.push(format!("exchange `{id}` names phases; {what}"));
        }
        let opens = exchange.traject == Traject::Opens;
        if let Some(stranger) = exchange.from.iter().find(|from| opens && !self.opened_by.contains(from)) {
            problems.push(format!("exchange `{id}` opens a traject; `{stranger}` is not in `opened_by`"));
        }
    }
}

impl Exchange {
    /// Whether it fits a client whose traject is in this phase; `None` = there is no active traject.
    ///
    /// # Errors
    /// [`Reason::TrajectNotActive`] or [`Reason::PhaseNotFitting`].
    pub fn admits(&self, phase: Option<u8>) -> Result<(), Reason> {
        match (self.traject, phase) {
            (Traject::None | Traject::Opens, _) => Ok(()),
            (Traject::Active, None) => Err(Reason::TrajectNotActive),
            (Traject::Active, Some(phase)) if self.fits_phase(phase) => Ok(()),
            (Traject::Active, Some(_)) => Err(Reason::PhaseNotFitting),
        }
    }

    /// Whether it fits this phase of a traject.
    pub(crate) fn fits_phase(&self, phase: u8) -> bool {
        self.phases.is_empty() || self.phases.contains(&phase)
    }
}
