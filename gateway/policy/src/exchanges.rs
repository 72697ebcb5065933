//! What may be exchanged at all: purposes, exchanges and the emergency reasons (`exchanges.toml`).
//!
//! Owns: the declared routes – type × purpose × sender × receiver – and what has to be true before any rule is
//! asked: consents, phase, traject. What then passes is the rules' business. No two exchanges share a route.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use model::{Consent, Consents, Grondslag, MessageType, Name, Purpose};
use serde::{Deserialize, Serialize};

use crate::bundle::{Files, Sentence, toml_file};
use crate::emergency::Emergency;
use crate::organisations::{Functie, Registry};
use crate::problem::{LoadError, Problem, Stage};
use crate::trajects::Trajects;

const FILE: &str = "exchanges.toml";

/// What an exchange asks of the traject between the client and the two organisations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Traject {
    /// Nothing.
    #[default]
    None,
    /// It starts one.
    Opens,
    /// There has to be an active one ("eigen werkvoorraad").
    Active,
}

/// One of the two consents of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// Breaking the medisch beroepsgeheim.
    Beroepsgeheim,
    /// Processing health data.
    Gezondheidsgegevens,
}

impl ConsentKind {
    /// The state of this consent among both.
    pub const fn of(self, consents: Consents) -> Consent {
        match self {
            ConsentKind::Beroepsgeheim => consents.beroepsgeheim,
            ConsentKind::Gezondheidsgegevens => consents.gezondheidsgegevens,
        }
    }
}

/// One declared exchange. Durations are in days.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Its id, `X05`.
    pub id: Arc<str>,
    /// Message type of the document.
    #[serde(rename = "type")]
    pub message: MessageType,
    /// What for.
    pub purpose: Purpose,
    /// Legal ground.
    pub grondslag: Grondslag,
    /// Who may send it.
    pub from: Vec<Functie>,
    /// Who may receive it; every pair with a sender is a route.
    pub to: Vec<Functie>,
    /// Dutch title.
    pub nl: Arc<str>,
    /// English title.
    pub en: Arc<str>,
    /// URI of the processing activity in the register of verwerkingsactiviteiten (LDV).
    pub activity: Arc<str>,
    /// A delivery that was not collected by then expires.
    pub collect_within_days: u32,
    /// How long what is sealed is kept.
    pub retention_days: u32,
    /// Phases of the traject in which it fits; empty = any.
    #[serde(default)]
    pub phases: Vec<u8>,
    /// What it asks of the traject.
    #[serde(default)]
    pub traject: Traject,
    /// Consents without which nothing passes at all.
    #[serde(default)]
    pub consents: Vec<ConsentKind>,
    /// Whether the emergency escape may be used.
    #[serde(default)]
    pub emergency: bool,
}

impl Exchange {
    /// The ground in force: in an emergency a vital interest.
    pub(crate) const fn ground(&self, spoed: bool) -> Grondslag {
        if spoed { Grondslag::VitaalBelang } else { self.grondslag }
    }

    /// Every pair of a sender and a receiver.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&Functie, &Functie)> {
        self.from.iter().flat_map(|from| self.to.iter().map(move |to| (from, to)))
    }

    /// Title in both languages.
    pub fn title(&self) -> Sentence {
        Sentence { nl: self.nl.clone(), en: self.en.clone() }
    }
}

/// `exchanges.toml`.
#[derive(Debug, Clone)]
pub(crate) struct Exchanges {
    /// Purpose → the purposes it is in, directly.
    pub(crate) purposes: BTreeMap<Purpose, Vec<Purpose>>,
    pub(crate) titles: BTreeMap<Purpose, Sentence>,
    pub(crate) exchanges: Vec<Arc<Exchange>>,
    pub(crate) emergency: Emergency,
    pub(crate) trajects: Trajects,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    emergency: Emergency,
    #[serde(default)]
    traject: Trajects,
    #[serde(default)]
    purpose: Vec<PurposeEntry>,
    #[serde(default)]
    exchange: Vec<Exchange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PurposeEntry {
    id: Purpose,
    #[serde(default, rename = "in")]
    groups: Vec<Purpose>,
    nl: String,
    en: String,
}

impl Exchanges {
    pub(crate) fn read(files: &Files, registry: &Registry) -> Result<Exchanges, LoadError> {
        let file: File = toml_file(files, FILE)?;
        let mut problems = Vec::new();
        let mut purposes = BTreeMap::new();
        let mut titles = BTreeMap::new();
        for entry in file.purpose {
            titles.insert(entry.id.clone(), Sentence::new(entry.nl, entry.en));
            if purposes.insert(entry.id.clone(), entry.groups).is_some() {
                problems.push(problem(format!("the purpose `{}` is declared twice", entry.id)));
            }
        }
        for (purpose, groups) in &purposes {
            let mut open: Vec<&Purpose> = groups.iter().collect();
            let mut seen = BTreeSet::new();
            while let Some(group) = open.pop() {
                if group == purpose {
                    problems.push(problem(format!("the purpose `{purpose}` lies within itself")));
                }
                if seen.insert(group) {
                    open.extend(purposes.get(group).into_iter().flatten());
                }
            }
        }
        check_exchanges(&file.exchange, &purposes, registry, &mut problems);
        problems.extend(file.traject.problems(&file.exchange, registry).into_iter().map(problem));
        if file.exchange.is_empty() {
            problems.push(problem("no exchange is declared, so nothing could ever pass".to_owned()));
        }
        let exchanges = file.exchange.into_iter().map(Arc::new).collect();
        let (emergency, trajects) = (file.emergency, file.traject);
        LoadError::unless(problems, Exchanges { purposes, titles, exchanges, emergency, trajects })
    }
}

fn check_exchanges(
    exchanges: &[Exchange],
    purposes: &BTreeMap<Purpose, Vec<Purpose>>,
    registry: &Registry,
    problems: &mut Vec<Problem>,
) {
    let mut ids = BTreeSet::new();
    let mut routes = BTreeMap::new();
    for exchange in exchanges {
        let id = &exchange.id;
        // An id may have capitals, unlike a name; otherwise the alphabet is the same.
        if id.to_ascii_lowercase().parse::<Name>().is_err() {
            problems.push(problem(format!(
                "`{id}` is not an exchange id; use letters, digits, `_`, `-` and `.`"
            )));
        }
        if !ids.insert(id) {
            problems.push(problem(format!("the exchange `{id}` is declared twice")));
        }
        if !purposes.contains_key(&exchange.purpose) {
            let what =
                format!("exchange `{id}` names the purpose `{}`, which is not declared", exchange.purpose);
            problems.push(problem(what));
        }
        for functie in exchange.from.iter().chain(&exchange.to).filter(|functie| !registry.knows(functie)) {
            let what = format!("exchange `{id}` names `{functie}`; no kind of organisation has that role");
            problems.push(problem(what));
        }
        if exchange.from.is_empty() || exchange.to.is_empty() {
            problems.push(problem(format!("exchange `{id}` has no sender or no receiver")));
        }
        for (from, to) in exchange.pairs() {
            let route = (&exchange.message, &exchange.purpose, from, to);
            if let Some(other) = routes.insert(route, id) {
                let what = format!("exchanges `{other}` and `{id}` share the route {from} → {to}; keep one");
                problems.push(problem(what));
            }
        }
    }
}

fn problem(what: impl fmt::Display) -> Problem {
    Problem::new(Stage::Name, FILE, what)
}
