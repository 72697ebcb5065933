//! Tests beside the policies: per exchange what must arrive, and that nothing else does (`tests/*.toml`).
//!
//! Owns: running them against a proven bundle. What a test does not mention is expected not to pass; a container is
//! expected along with what is in it, and not when nothing is.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Consents, FieldKind, Form, Reason};
use serde::Deserialize;

use crate::bundle::{Files, folder, parse_toml};
use crate::compiled::Compiled;
use crate::decision::state_index;
use crate::organisations::Functie;
use crate::problem::{LoadError, Problem, Stage};
use crate::proven::Proven;

/// One test and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// File in the bundle.
    pub file: String,
    /// Id of the exchange.
    pub exchange: String,
    /// What the test says of itself.
    pub name: String,
    /// In words, each thing that is not as expected; empty = passed.
    pub failures: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    exchange: String,
    #[serde(default)]
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    from: Functie,
    to: Functie,
    #[serde(default)]
    consent: ConsentEntry,
    #[serde(default)]
    emergency: bool,
    /// The phase of the client's traject; one that fits, if left out.
    phase: Option<u8>,
    passes: Option<Vec<String>>,
    refused: Option<Reason>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ConsentEntry {
    beroepsgeheim: model::Consent,
    gezondheidsgegevens: model::Consent,
}

/// What each exchange lacks tests for, besides the tests themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Every test.
    pub tests: Vec<Tested>,
    /// Ids of exchanges without any test.
    pub untested: Vec<Arc<str>>,
}

impl Trial {
    /// Whether every test passed and every exchange has one.
    pub fn passed(&self) -> bool {
        self.untested.is_empty() && self.tests.iter().all(|test| test.failures.is_empty())
    }
}

/// Runs the tests of a bundle.
///
/// # Errors
/// A test file cannot be read. A failing test is not an error.
pub fn run_tests(proven: &Proven, files: &Files) -> Result<Trial, LoadError> {
    let mut tests = Vec::new();
    for (name, text) in folder(files, "tests/", ".toml")? {
        let file: File = parse_toml(name, text)?;
        for case in &file.case {
            if case.passes.is_some() == case.refused.is_some() {
                let what = format!("the test `{}` needs either `passes` or `refused`", case.name);
                return Err(Problem::new(Stage::Format, name, what).into());
            }
            let failures = run(proven, &file.exchange, case);
            let (exchange, case) = (file.exchange.clone(), case.name.clone());
            tests.push(Tested { file: name.to_owned(), exchange, name: case, failures });
        }
    }
    let ids = proven.exchanges().map(|exchange| exchange.id.clone());
    let untested = ids.filter(|id| !tests.iter().any(|test| *test.exchange == **id)).collect();
    Ok(Trial { tests, untested })
}

fn run(proven: &Proven, exchange: &str, case: &Case) -> Vec<String> {
    let outcome = outcome(proven, exchange, case);
    match (outcome, &case.passes, case.refused) {
        (Ok(compiled), Some(passes), _) => compare(&compiled, passes),
        (Ok(_), None, Some(reason)) => vec![format!("expected {reason}, and something passes")],
        (Err(reason), _, Some(expected)) if reason == expected => Vec::new(),
        (Err(reason), None, Some(expected)) => vec![format!("expected {expected}, and it is {reason}")],
        (Err(reason), _, _) => vec![format!("refused: {reason}")],
        (Ok(_), None, None) => Vec::new(),
    }
}

fn outcome(proven: &Proven, id: &str, case: &Case) -> Result<Arc<Compiled>, Reason> {
    let Case { from, to, consent, emergency, .. } = case;
    let party =
        |index: usize| proven.candidate.world.parties.get(index).filter(|party| party.organisation.is_none());
    let is = |index: usize, functie: &Functie| party(index).is_some_and(|party| party.functie == *functie);
    let mut routes = proven.candidate.routes.iter();
    let route = routes.find(|route| *route.exchange.id == *id && is(route.from, from) && is(route.to, to));
    let consents =
        Consents { beroepsgeheim: consent.beroepsgeheim, gezondheidsgegevens: consent.gezondheidsgegevens };
    let outcome = route.and_then(|route| route.outcomes.get(state_index(consents, *emergency)));
    let compiled = outcome.cloned().unwrap_or(Err(Reason::ExchangeNotDeclared))?;
    if case.phase.is_some() {
        compiled.exchange.admits(case.phase)?;
    }
    Ok(compiled)
}

fn compare(compiled: &Compiled, passes: &[String]) -> Vec<String> {
    let mut failures = Vec::new();
    let mut expected = BTreeMap::new();
    for entry in passes {
        let (path, form) = entry.split_once('=').unwrap_or((entry, Form::Vol.name()));
        match form.parse::<Form>() {
            Ok(form) => drop(expected.insert(path, form)),
            Err(error) => failures.push(format!("`{entry}`: {error}")),
        }
    }
    let has = |path: &&&str| compiled.cells.iter().any(|cell| cell.path.as_str() == **path);
    for path in expected.keys().filter(|path| !has(path)) {
        failures.push(format!("`{path}` is no field of this document"));
    }
    for cell in compiled.cells.iter() {
        let path = cell.path.as_str();
        let inside = format!("{path}.");
        let wanted = match expected.get(path) {
            None if cell.kind == FieldKind::Bericht => {
                expected.keys().any(|other| other.starts_with(&inside)).then_some(Form::Vol)
            }
            wanted => wanted.copied(),
        };
        if wanted != cell.form {
            let name = |form: Option<Form>| form.map_or("nothing", Form::name);
            let (wanted, got) = (name(wanted), name(cell.form));
            let (rule, sentence) = (&cell.rule, &cell.sentence.en);
            failures.push(format!(
                "`{path}`: expected {wanted}, and it is {got} because of `{rule}`: {sentence}"
            ));
        }
    }
    failures
}
