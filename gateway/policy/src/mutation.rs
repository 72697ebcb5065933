//! What if somebody changes one thing in a bundle? Small mistakes, made on purpose, to see that the proof catches them.
//!
//! Owns: the mutants – a rule that forbids is dropped, a rule is opened to everyone, its class is swapped, its condition is cut, a
//! field is given a harmless class – and what counts as a leak: medical data outside the role `medisch`, or a BSN with a
//! werkgever, school or onderzoeker. Most run without the guardrails too, so that only the proof stands in between.

use std::fmt;

use model::{Consent, Consents, DataClass};

use crate::bundle::Files;
use crate::contracts::Contracts;
use crate::decision::states;
use crate::organisations::Functie;
use crate::problem::Stage;
use crate::proven::Proven;
use crate::signature::Trust;

/// Who may never have a BSN.
const WITHOUT_BSN: [&str; 3] = ["werkgever", "school", "onderzoeker"];

/// One small change of a bundle.
pub struct Mutant {
    what: String,
    files: Files,
}

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// An assertion or the independent checker refused it.
    Proof,
    /// Something that is checked before refused it: a rule without effect, a class that disagrees.
    Before,
    /// It loads, and lets out nothing that it may not.
    Harmless,
    /// It loads, and this gets out.
    Leaks(String),
}

/// What became of all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many were refused by an assertion or the checker.
    pub proof: u64,
    /// How many were refused before that.
    pub before: u64,
    /// How many load and leak nothing.
    pub harmless: u64,
    /// What leaks, each in words.
    pub leaks: Vec<String>,
}

impl Tally {
    /// How many were tried.
    pub fn tried(&self) -> u64 {
        self.proof + self.before + self.harmless + self.leaks.len() as u64
    }

    /// Counts one more.
    pub fn add(&mut self, mutant: &Mutant, verdict: Verdict) {
        match verdict {
            Verdict::Proof => self.proof += 1,
            Verdict::Before => self.before += 1,
            Verdict::Harmless => self.harmless += 1,
            Verdict::Leaks(leak) => self.leaks.push(format!("{}: {leak}", mutant.what)),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { proof, before, harmless, leaks } = self;
        writeln!(
            f,
            "{} mutants of this bundle, one mistake each: {proof} refused by an assertion or the checker, {before} refused \
             before that, {harmless} load and leak nothing, {} leak medical data or a BSN",
            self.tried(),
            leaks.len(),
        )?;
        leaks.iter().try_for_each(|leak| writeln!(f, "  LEAKS  {leak}"))
    }
}

impl Mutant {
    /// Which change it is, in words.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Loads it, and looks what gets out. Takes as long as a load.
    pub fn judge(&self) -> Verdict {
        match Proven::load(&self.files, &Trust::Draft) {
            Ok(proven) => leak(&proven).map_or(Verdict::Harmless, Verdict::Leaks),
            Err(no) if no.is_about(Stage::Assertion) || no.is_about(Stage::Checker) => Verdict::Proof,
            Err(_) => Verdict::Before,
        }
    }
}

/// Every mutant of a bundle.
pub fn mutants(files: &Files) -> Vec<Mutant> {
    let files = &without_what_stays(files);
    let bare = without_guardrails(files);
    let mut mutants = Vec::new();
    for name in files.keys().filter(|name| name.ends_with(".cedar")) {
        for rule in rules(text(files, name)) {
            of_rule(files, &bare, name, rule, &mut mutants);
        }
    }
    for line in text(files, "mapping.toml").lines() {
        for class in ["\"medisch.", "\"persoon.bsn\""] {
            if let Some((before, after)) = line.split_once(class) {
                let rest = after.split_once('"').map_or("", |(_, rest)| rest);
                let rest = if class.ends_with('"') { after } else { rest };
                let new = format!("{before}\"organisatie\"{rest}");
                let files = with(files, "mapping.toml", &format!("\n{line}\n"), &format!("\n{new}\n"));
                mutants.push(Mutant { what: format!("classify as organisatie: {line}"), files });
            }
        }
    }
    mutants
}

fn of_rule(files: &Files, bare: &Files, name: &str, rule: &str, mutants: &mut Vec<Mutant>) {
    let mut mutate = |what: &str, base: &Files, new: &str| {
        let files = with(base, name, rule, new);
        mutants.push(Mutant { what: format!("{what} `{}`", id(rule)), files });
    };
    if rule.contains("\nforbid (") {
        return mutate("drop", files, "");
    }
    mutate("open to everyone, without guardrails:", bare, &with_line(rule, "principal", "  principal,"));
    for class in ["medisch.*", "persoon.*"] {
        let new = with_line(rule, "resource", &format!("  resource in Dataklasse::\"{class}\""));
        // A mutant that says what the rule says already is none.
        if new.trim_end() != rule.trim_end() && !rule.contains("  resource is") {
            mutate(&format!("swap the class for {class}, without guardrails:"), bare, &new);
        }
    }
    if let Some(new) = unconditional(rule) {
        mutate("cut the condition, without guardrails:", bare, &new);
        mutate("cut the condition of", files, &new);
    }
}

/// The bundle without what no mutant changes: the words of screening, which are most of it and decide nothing here, and
/// the text of contracts, which is compiled once.
fn without_what_stays(files: &Files) -> Files {
    let encoded = Contracts::read(files).ok().and_then(|contracts| contracts.encoded());
    let stays =
        |name: &str| name.starts_with("lexicon/") || (encoded.is_some() && name.starts_with("contracts/"));
    let mut rest: Files = files
        .iter()
        .filter(|(name, _)| !stays(name))
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect();
    rest.extend(encoded.map(|encoded| ("contracts/all.binpb".to_owned(), encoded)));
    rest
}

/// The bundle with one guardrail left, of the kind that catches none of these mistakes.
fn without_guardrails(files: &Files) -> Files {
    let mut bare = files.clone();
    let of_these = |name: &&String| name.starts_with("guardrails/") && name.ends_with(".cedar");
    let harmless = |rule: &&str| {
        !["medisch", "persoon", "geclassificeerd"].iter().any(|class| rule.contains(&format!("::\"{class}")))
    };
    let mut kept = false;
    for name in files.keys().filter(of_these) {
        let rest = rules(text(files, name)).into_iter().find(harmless).filter(|_| !kept);
        kept |= rest.is_some();
        bare.insert(name.clone(), rest.unwrap_or_default().as_bytes().to_vec());
    }
    bare
}

fn text<'a>(files: &'a Files, name: &str) -> &'a str {
    files.get(name).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

/// The rules of a file, each from its `@id` on.
fn rules(text: &str) -> Vec<&str> {
    let starts: Vec<usize> = text.match_indices("@id(").map(|(start, _)| start).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).filter_map(|(&start, end)| text.get(start..end)).collect()
}

fn id(rule: &str) -> &str {
    rule.split('"').nth(1).unwrap_or_default()
}

/// The files with one piece of text replaced.
fn with(files: &Files, name: &str, old: &str, new: &str) -> Files {
    let mut changed = files.clone();
    changed.insert(name.to_owned(), text(files, name).replacen(old, new, 1).into_bytes());
    changed
}

/// A rule with its line on `part` replaced.
fn with_line(rule: &str, part: &str, line: &str) -> String {
    let replace =
        |old: &str| if old.trim_start().starts_with(part) { line.to_owned() } else { old.to_owned() };
    rule.lines().map(replace).collect::<Vec<_>>().join("\n") + "\n"
}

/// A rule without its condition.
fn unconditional(rule: &str) -> Option<String> {
    let condition = rule.find(") when").or_else(|| rule.find(") unless"))?;
    Some(format!("{});\n\n", rule.get(..condition)?))
}

/// The first thing that gets out of a bundle that loaded and may not.
fn leak(proven: &Proven) -> Option<String> {
    let candidate = &proven.candidate;
    for route in &candidate.routes {
        let party = |index: usize| candidate.world.parties.get(index).map(|party| &party.functie);
        let (Some(from), Some(to)) = (party(route.from), party(route.to)) else { continue };
        for ((consents, spoed), outcome) in states().zip(&route.outcomes) {
            let Ok(compiled) = outcome else { continue };
            let passing = compiled.cells.iter().filter(|cell| cell.form.is_some());
            let may_not = |class: DataClass| !may_have(proven, to, class, consents, spoed);
            let mut leaking = passing.filter(|cell| cell.class.into_iter().chain(cell.subject).any(may_not));
            if let Some(cell) = leaking.next() {
                return Some(format!("{} {from} → {to}: `{}`", route.exchange.id, cell.path));
            }
        }
    }
    None
}

/// Medical data is for the medical roles, with both consents, and a BSN not for those who never get one.
fn may_have(proven: &Proven, to: &Functie, class: DataClass, consents: Consents, spoed: bool) -> bool {
    let consented = consents == Consents::both(Consent::Verleend) && !spoed;
    let medical = consented && proven.is_in(&to.role, "medisch");
    let bsn = !WITHOUT_BSN.contains(&to.kind.as_str());
    (!class.is_medical() || medical) && (class != DataClass::PersoonBsn || bsn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::small::{files, load};

    #[test]
    fn what_counts_as_a_leak_is_medical_data_outside_the_medical_roles_and_a_bsn_at_a_werkgever() {
        let proven = load(&files());
        let granted = Consents::both(Consent::Verleend);
        let may = |to: &str, class, consents, spoed| {
            may_have(&proven, &to.parse().unwrap(), class, consents, spoed)
        };
        let (diagnosis, bsn) = (DataClass::MedischDiagnose, DataClass::PersoonBsn);
        assert!(may("uwv:verzekeringsarts", diagnosis, granted, false));
        assert!(!may("uwv:verzekeringsarts", diagnosis, Consents::both(Consent::Onbekend), false));
        assert!(!may("uwv:verzekeringsarts", diagnosis, granted, true), "not in an emergency either");
        assert!(!may("rib:coach", diagnosis, granted, false));
        assert!(
            !may("werkgever:contactpersoon", bsn, granted, false) && may("rib:coach", bsn, granted, false)
        );
    }

    #[test]
    fn every_rule_has_its_mutants_and_each_differs_from_the_bundle() {
        let files = files();
        let mutants = mutants(&files);
        for rule in ["grens-medisch", "grens-bsn-werkgever", "arts-alles", "werkgever-uren"] {
            assert!(mutants.iter().any(|mutant| mutant.what().contains(rule)), "{rule}");
        }
        let before = without_what_stays(&files);
        assert!(mutants.iter().all(|mutant| mutant.files != before), "a mutant that changes nothing is none");
        assert!(Proven::load(&before, &Trust::Draft).is_ok(), "without what stays it is the same bundle");
    }
}
