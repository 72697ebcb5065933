//! The anchor of trust: a second look at the compiled plans that knows nothing of rules, Cedar or the compiler.
//!
//! Owns: five invariants that no bundle can change, held against the very rows that the filter runs on. It knows
//! descriptor, class (read from the mapping anew), role and form. Keep it small enough to be read in one sitting; it
//! may share no code with what it checks.

use std::collections::HashSet;
use std::sync::Arc;

use fields::{Outcome, Row};
use model::{ClassSet, DataClass};

use crate::bundle::Files;
use crate::compiled::Compiled;
use crate::organisations::Functie;

/// The only ones who may have medical data: those who treat, and those who assess under the same secrecy.
const MEDICAL: [&str; 3] = ["ggz:behandelaar", "huisarts:huisarts", "uwv:verzekeringsarts"];
/// Kinds of organisation that never get a BSN, in whatever form.
const WITHOUT_BSN: [&str; 3] = ["werkgever", "school", "onderzoeker"];

/// One compiled outcome, and for whom it is.
pub(crate) struct Checked<'a> {
    pub(crate) compiled: &'a Arc<Compiled>,
    pub(crate) from: &'a Functie,
    pub(crate) to: &'a Functie,
    pub(crate) spoed: bool,
}

/// How many rows were looked at, and what breaks an invariant, in words.
pub(crate) fn check<'a>(files: &Files, all: impl Iterator<Item = Checked<'a>>) -> (u64, Vec<String>) {
    let mapping = files.get("mapping.toml").and_then(|bytes| std::str::from_utf8(bytes).ok());
    let mapping: toml::Table = mapping.and_then(|text| text.parse().ok()).unwrap_or_default();
    let mut seen = HashSet::new();
    let (mut rows, mut breaches) = (0, Vec::new());
    for one in all {
        // One look at each plan for each receiver is enough, for texts also at what they are screened for.
        let key = (Arc::as_ptr(&one.compiled.plan), one.to.clone(), one.spoed, one.compiled.screen_against);
        if !seen.insert(key) {
            continue;
        }
        for row in one.compiled.plan.rows() {
            rows += 1;
            if let Some(what) = breach(&row, &mapping, &one) {
                let (exchange, from, to) = (&one.compiled.exchange.id, one.from, one.to);
                breaches.push(format!("`{}.{}` {what} ({exchange}, {from} → {to})", row.message, row.name));
            }
        }
    }
    (rows, breaches)
}

fn breach(row: &Row<'_>, mapping: &toml::Table, one: &Checked<'_>) -> Option<&'static str> {
    let medical_receiver = MEDICAL.contains(&one.to.to_string().as_str());
    if let Outcome::Withheld(_) = row.outcome {
        return None;
    }
    let Some((class, subject)) = classes(mapping, row) else {
        return Some("passes without a class");
    };
    let about = subject.unwrap_or(class);
    match (row.outcome, class == DataClass::Tekst) {
        (Outcome::Screened, false) => return Some("is screened like a text and is none"),
        (Outcome::Passes(_), true) => return Some("is a text and passes unscreened"),
        (Outcome::Passes(form), false) if !row.kind.forms().contains(&form) => {
            return Some("passes in a form that its kind lacks");
        }
        _ => {}
    }
    if row.class != Some(about) {
        return Some("is not in the class that the mapping gives it");
    }
    if about.is_medical() && !medical_receiver {
        return Some("is medical and passes outside the medical roles");
    }
    if about.is_medical() && one.spoed {
        return Some("is medical and passes in an emergency");
    }
    if about == DataClass::PersoonBsn && WITHOUT_BSN.contains(&one.to.kind.as_str()) {
        return Some("is a BSN and passes to someone who may not have it");
    }
    let untold = ClassSet::within("medisch").iter().any(|class| !one.compiled.screen_against.contains(class));
    if row.outcome == Outcome::Screened && untold && (!medical_receiver || one.spoed) {
        return Some("is a text that is not screened for everything medical");
    }
    None
}

/// Class and subject as the mapping has them: a name, or a table with `class` and for a text `subject`.
fn classes(mapping: &toml::Table, row: &Row<'_>) -> Option<(DataClass, Option<DataClass>)> {
    let entry = mapping.get(row.message)?.get(row.number.to_string())?;
    let class = |value: &toml::Value| value.as_str().and_then(|name| name.parse::<DataClass>().ok());
    match entry.get("class") {
        None => Some((class(entry)?, None)),
        Some(name) => Some((class(name)?, entry.get("subject").and_then(class))),
    }
}
