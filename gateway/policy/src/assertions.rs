//! What supervisors demand of the rules, whoever writes them: `never` and `must` (`assertions.toml`).
//!
//! Owns: holding every assertion against every route in every state. One that fails is shown as one concrete request
//! with the rule that let it through; one that selects nothing fails too, because it would protect nothing.

use std::collections::BTreeSet;
use std::fmt;

use model::{ClassSet, Consent, Consents, DataClass, FieldKind, Form, Name, Purpose};
use serde::Deserialize;

use crate::bundle::{Files, Sentence, toml_file};
use crate::compiled::{Cell, Compiled};
use crate::decision::states;
use crate::enumeration::Route;
use crate::exchanges::Exchanges;
use crate::organisations::{Functie, Registry, Selector};
use crate::problem::{LoadError, Problem, Stage};
use crate::world::World;

const FILE: &str = "assertions.toml";

/// An assertion that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub name: Name,
    /// What it says.
    pub sentence: Sentence,
    /// Whether it forbids (`never`) or demands (`must`).
    pub never: bool,
    /// How many cells it was held against.
    pub cells: u64,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    never: Vec<Entry>,
    #[serde(default)]
    must: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Name,
    nl: String,
    en: String,
    class: Vec<String>,
    to: Vec<Selector>,
    #[serde(default)]
    except: Vec<Selector>,
    #[serde(default)]
    from: Vec<Selector>,
    #[serde(default)]
    exchange: Vec<String>,
    #[serde(default)]
    purpose: Vec<Purpose>,
    #[serde(default)]
    form: Vec<Form>,
    #[serde(default)]
    phase: Vec<u8>,
    emergency: Option<bool>,
}

/// The space that assertions are held against.
pub(crate) struct Space<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) exchanges: &'a Exchanges,
    pub(crate) world: &'a World,
    pub(crate) routes: &'a [Route],
}

/// Holds every assertion against everything that can happen.
///
/// # Errors
/// The file cannot be read. What does not hold is a problem beside what does.
pub(crate) fn hold(files: &Files, space: &Space<'_>) -> Result<(Vec<Held>, Vec<Problem>), LoadError> {
    let file: File = if files.contains_key(FILE) { toml_file(files, FILE)? } else { File::default() };
    let entries =
        file.never.iter().map(|entry| (entry, true)).chain(file.must.iter().map(|entry| (entry, false)));
    let mut names = BTreeSet::new();
    let mut problems = Vec::new();
    let mut held = Vec::new();
    for (entry, never) in entries {
        if !names.insert(&entry.id) {
            problems.push(problem(entry, "two assertions have this id"));
        }
        let classes = match check_names(entry, space) {
            Ok(classes) => classes,
            Err(what) => {
                problems.push(problem(entry, what));
                continue;
            }
        };
        match if never { hold_never(entry, classes, space) } else { hold_must(entry, classes, space) } {
            Ok(cells) => {
                let sentence = Sentence::new(entry.nl.as_str(), entry.en.as_str());
                held.push(Held { name: entry.id.clone(), sentence, never, cells });
            }
            Err(what) => problems.push(problem(entry, what)),
        }
    }
    Ok((held, problems))
}

fn problem(entry: &Entry, what: impl fmt::Display) -> Problem {
    Problem::new(Stage::Assertion, format!("{FILE}, `{}`", entry.id), what)
}

/// Every name has to exist: a misspelt one would make an assertion that always holds.
fn check_names(entry: &Entry, space: &Space<'_>) -> Result<ClassSet, String> {
    let mut classes = ClassSet::EMPTY;
    for name in &entry.class {
        let found = classes_named(name);
        if found.is_empty() {
            return Err(format!("`{name}` is no data class; write `persoon`, or `medisch.*` for a group"));
        }
        classes = classes.union(found);
    }
    let selectors = entry.to.iter().chain(&entry.except).chain(&entry.from);
    if let Some(name) = selectors.filter_map(|selector| selector.unknown(space.registry)).next() {
        return Err(format!("`{name}` is no kind of organisation and no role"));
    }
    let known = |id: &String| space.exchanges.exchanges.iter().any(|exchange| *exchange.id == **id);
    if let Some(id) = entry.exchange.iter().find(|id| !known(id)) {
        return Err(format!("`{id}` is no exchange"));
    }
    if let Some(purpose) =
        entry.purpose.iter().find(|purpose| !space.exchanges.purposes.contains_key(purpose))
    {
        return Err(format!("`{purpose}` is no purpose"));
    }
    if let Some(phase) = entry.phase.iter().find(|phase| space.exchanges.trajects.phase(**phase).is_none()) {
        return Err(format!("{phase} is no phase of a traject"));
    }
    Ok(classes)
}

/// `persoon` is one class, `persoon.*` that class and all below it.
pub(crate) fn classes_named(name: &str) -> ClassSet {
    match name.strip_suffix(".*") {
        Some(group) => ClassSet::within(group),
        None => name.parse::<DataClass>().into_iter().collect(),
    }
}

impl Entry {
    fn selects(&self, route: &Route, space: &Space<'_>) -> Option<(Functie, Functie)> {
        let from = &space.world.parties.get(route.from)?.functie;
        let to = &space.world.parties.get(route.to)?.functie;
        let any = |selectors: &[Selector], functie: &Functie| {
            selectors.iter().any(|selector| selector.selects(functie, space.registry))
        };
        let selected = any(&self.to, to)
            && !any(&self.except, to)
            && (self.from.is_empty() || any(&self.from, from))
            && (self.exchange.is_empty() || self.exchange.iter().any(|id| **id == *route.exchange.id))
            && (self.purpose.is_empty() || self.purpose.contains(&route.exchange.purpose))
            && (self.phase.is_empty() || self.met_phase(route).is_some());
        selected.then(|| (from.clone(), to.clone()))
    }

    /// The first of its phases in which this exchange may take place.
    fn met_phase(&self, route: &Route) -> Option<u8> {
        self.phase.iter().copied().find(|phase| route.exchange.admits(Some(*phase)).is_ok())
    }

    fn has_form(&self, form: Form) -> bool {
        self.form.is_empty() || self.form.contains(&form)
    }
}

/// One request, in words.
struct Request<'a> {
    route: &'a Route,
    from: &'a Functie,
    to: &'a Functie,
    consents: Consents,
    spoed: bool,
    /// The phase of the traject, where the assertion speaks of phases.
    phase: Option<u8>,
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exchange = &self.route.exchange;
        write!(
            f,
            "when {} sends `{}` to {} for `{}` ({}), with beroepsgeheim {} and gezondheidsgegevens {}{}{}",
            self.from,
            exchange.message,
            self.to,
            exchange.purpose,
            exchange.id,
            self.consents.beroepsgeheim,
            self.consents.gezondheidsgegevens,
            if self.spoed { ", in an emergency" } else { "" },
            self.phase.map(|phase| format!(", in phase {phase} of the traject")).unwrap_or_default(),
        )
    }
}

fn hold_never(entry: &Entry, classes: ClassSet, space: &Space<'_>) -> Result<u64, String> {
    let mut cells = 0;
    for route in space.routes {
        let Some((from, to)) = entry.selects(route, space) else { continue };
        // Ordinary circumstances first: they make the plainer counterexample.
        let mut outcomes: Vec<_> = states().zip(&route.outcomes).collect();
        outcomes.sort_by_key(|((_, spoed), _)| *spoed);
        for ((consents, spoed), outcome) in outcomes {
            let Ok(compiled) = outcome else { continue };
            if entry.emergency.is_some_and(|wanted| wanted != spoed) {
                continue;
            }
            cells += compiled.cells.len() as u64;
            if let Some(how) = breaks(entry, classes, compiled) {
                let phase = entry.met_phase(route);
                let request = Request { route, from: &from, to: &to, consents, spoed, phase };
                return Err(format!("does not hold: {} – {request}, {how}", entry.en));
            }
        }
    }
    Ok(cells)
}

/// What of these classes passes after all, in words.
fn breaks(entry: &Entry, classes: ClassSet, compiled: &Compiled) -> Option<String> {
    // A form speaks of values; a container has none, though its being there may tell something.
    let speaks_of = |cell: &Cell| entry.form.is_empty() || cell.kind != FieldKind::Bericht;
    let passing = |cell: &&Cell| {
        cell.form.is_some_and(|form| entry.has_form(form)) && cell.touches(classes) && speaks_of(cell)
    };
    if let Some(cell) = compiled.cells.iter().find(passing) {
        let class = cell.subject.or(cell.class).map_or("-", DataClass::name);
        let form = cell.form.map_or("-", Form::name);
        let (path, rule, sentence) = (&cell.path, &cell.rule, &cell.sentence.en);
        return Some(format!(
            "`{path}` ({class}) passes as `{form}`, because of the rule `{rule}`: {sentence}"
        ));
    }
    if !entry.has_form(Form::Vol) {
        return None;
    }
    // A text that is not screened for a class may tell of it.
    let text = compiled.cells.iter().find(|cell| cell.subject.is_some() && cell.form.is_some())?;
    let told =
        classes.iter().find(|class| can_be_screened(*class) && !compiled.screen_against.contains(*class))?;
    Some(format!("the text `{}` passes and is not screened for `{told}`", text.path))
}

/// What screening can find in a text: illness and circumstances, not names or progress.
fn can_be_screened(class: DataClass) -> bool {
    let circumstances = [
        DataClass::SociaalSchulden,
        DataClass::SociaalHuisvesting,
        DataClass::Strafrechtelijk,
        DataClass::Derden,
        DataClass::Overtuiging,
    ];
    class.is_medical() || circumstances.contains(&class)
}

fn hold_must(entry: &Entry, classes: ClassSet, space: &Space<'_>) -> Result<u64, String> {
    let mut cells = 0;
    let mut met = BTreeSet::new();
    for route in space.routes {
        let Some((from, to)) = entry.selects(route, space) else { continue };
        let granted = Consents::both(Consent::Verleend);
        let spoed = entry.emergency.unwrap_or(false);
        let state = crate::decision::state_index(granted, spoed);
        let phase = entry.met_phase(route);
        let request = Request { route, from: &from, to: &to, consents: granted, spoed, phase };
        let fails = |how: String| Err(format!("does not hold: {} – {request}, {how}", entry.en));
        let compiled = match route.outcomes.get(state) {
            Some(Ok(compiled)) => compiled,
            Some(Err(reason)) => return fails(format!("nothing passes at all ({reason})")),
            None => continue,
        };
        for cell in
            compiled.cells.iter().filter(|cell| cell.class.is_some_and(|class| classes.contains(class)))
        {
            cells += 1;
            met.insert(&route.exchange.id);
            if !cell.form.is_some_and(|form| entry.has_form(form)) {
                let form = cell.form.map_or("does not pass", |form| form.name());
                let (path, rule, sentence) = (&cell.path, &cell.rule, &cell.sentence.en);
                return fails(format!("`{path}`: {form}, because of the rule `{rule}`: {sentence}"));
            }
        }
    }
    let missed = entry.exchange.iter().find(|id| !met.iter().any(|met| ***met == ***id));
    match missed {
        Some(id) => Err(format!("selects nothing in the exchange `{id}`, so it demands nothing there")),
        None if cells == 0 => Err("selects nothing at all, so it demands nothing".to_owned()),
        None => Ok(cells),
    }
}
