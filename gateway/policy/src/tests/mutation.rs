//! The shipped policies, broken in every way that a slip of the hand could: whatever would leak is caught by a proof.

use std::collections::BTreeMap;

use model::{DataClass, Form};

use super::proof::candidate;
use super::shipped::shipped;
use crate::candidate::Candidate;
use crate::{Cell, Files, Proven, Trust};

/// Whether this receiver may ever have this class, by `domain/data-classes.md`; only for what may never leak.
fn may_have(class: DataClass, kind: &str, role: &str) -> bool {
    match class {
        DataClass::PersoonBsn => ["gemeente", "uwv", "ggz", "rib"].contains(&kind),
        class if class.is_medical() => ["behandelaar", "huisarts", "verzekeringsarts"].contains(&role),
        _ => true,
    }
}

/// What leaks: medical data or a BSN to someone who may never have it, or medical data in an emergency. The classes are
/// those of the unbroken mapping.
fn leaks(mutant: &Candidate, classes: &BTreeMap<(String, u32), DataClass>) -> bool {
    mutant.checked().any(|one| {
        let leaks = |cell: &Cell| {
            let class = classes.get(&(cell.message.to_string(), cell.number)).copied();
            class.is_some_and(|class| {
                let may = may_have(class, one.to.kind.as_str(), one.to.role.as_str());
                !may || (class.is_medical() && one.spoed)
            })
        };
        one.compiled
            .cells
            .iter()
            .any(|cell| cell.form.is_some_and(|form| form <= Form::Pseudoniem) && leaks(cell))
    })
}

fn classes(of: &Candidate) -> BTreeMap<(String, u32), DataClass> {
    let cells = of.checked().flat_map(|one| one.compiled.cells.iter());
    cells
        .filter_map(|cell| Some(((cell.message.to_string(), cell.number), cell.subject.or(cell.class)?)))
        .collect()
}

fn text<'a>(files: &'a Files, name: &str) -> &'a str {
    std::str::from_utf8(&files[name]).unwrap()
}

/// The rules of a file, each with its annotations.
fn rules(source: &str) -> Vec<&str> {
    let starts: Vec<usize> = source.match_indices("@id(").map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([source.len()]);
    starts.iter().zip(ends).map(|(start, end)| &source[*start..end]).collect()
}

/// Replaces what stands from `from` up to (not including) the next `to`.
fn replaced(rule: &str, from: &str, to: char, with: &str) -> Option<String> {
    let start = rule.find(from)?;
    let end = start + rule[start..].find(to)?;
    Some(format!("{}{with}{}", &rule[..start], &rule[end..]))
}

/// Every way to break one rule: gone, for everyone, in every form, for every class, without its condition.
fn broken(rule: &str) -> Vec<String> {
    let scope = |from: &str, with: &str| replaced(rule, from, ',', with);
    let unconditional =
        rule.find("\n) when").or_else(|| rule.find("\n) unless")).map(|at| format!("{}\n);\n", &rule[..at]));
    let all_classes = "resource in Dataklasse::\"geclassificeerd\"";
    let every_class = replaced(rule, "resource in Dataklasse", '\n', all_classes);
    let everything = every_class.as_ref().and_then(|rule| replaced(rule, "principal in", ',', "principal"));
    let mutants = [
        Some(String::new()),
        scope("principal in", "principal"),
        scope("action ==", "action in Action::\"doorgeven\""),
        every_class,
        everything,
        unconditional,
    ];
    mutants.into_iter().flatten().collect()
}

#[derive(Default, Debug)]
struct Count {
    mutants: usize,
    /// Refused before anything was decided: by validation, by the stricter of two, by a rule without effect.
    refused_early: usize,
    /// Compiled, and leaks nothing that may never leak.
    harmless: usize,
    /// Compiled, and would leak.
    leaking: usize,
    /// Of those, refused by an assertion or by the checker.
    caught: usize,
}

impl Count {
    fn add(&mut self, files: &Files, classes: &BTreeMap<(String, u32), DataClass>, what: &str) {
        self.mutants += 1;
        match candidate(files) {
            Err(_) => self.refused_early += 1,
            Ok(mutant) if !leaks(&mutant, classes) => self.harmless += 1,
            Ok(_) => {
                self.leaking += 1;
                let caught = Proven::load(files, &Trust::Draft).is_err();
                assert!(caught, "this mutant leaks and nothing stops it: {what}");
                self.caught += 1;
            }
        }
    }
}

fn without(files: &Files, ids: &[&str]) -> Files {
    let mut files = files.clone();
    let name = "guardrails/guardrails.cedar";
    let kept: String = rules(text(&files, name))
        .into_iter()
        .filter(|rule| !ids.iter().any(|id| rule.contains(&format!("@id(\"{id}\")"))))
        .collect();
    files.insert(name.to_owned(), kept.into_bytes());
    files
}

fn break_rules(base: &Files, folder: &str, classes: &BTreeMap<(String, u32), DataClass>, count: &mut Count) {
    for name in base.keys().filter(|name| name.starts_with(folder)) {
        let source = text(base, name);
        for rule in rules(source) {
            for mutant in broken(rule) {
                let mut files = base.clone();
                files.insert(name.clone(), source.replacen(rule, &mutant, 1).into_bytes());
                count.add(&files, classes, &format!("{name}: {mutant}"));
            }
        }
    }
}

#[test]
fn every_mutant_that_would_leak_medical_data_or_a_bsn_is_caught() {
    let mut shipped = shipped();
    // Screening's data changes no decision, and is large.
    shipped.retain(|name, _| !name.starts_with("lexicon/"));
    let unbroken = candidate(&shipped).unwrap();
    let classes = classes(&unbroken);
    assert!(!leaks(&unbroken, &classes));
    let mut count = Count::default();
    break_rules(&shipped, "guardrails/", &classes, &mut count);
    // The rules one by one, with the guardrails that would hide the break taken away.
    let bare = without(&shipped, &["grens-medisch", "grens-medisch-toestemming", "grens-bsn"]);
    break_rules(&bare, "rules/", &classes, &mut count);
    // A receiver more in every exchange.
    let source = text(&bare, "exchanges.toml").to_owned();
    for (at, _) in source.match_indices("\nto = [") {
        for more in ["werkgever:contactpersoon", "onderzoeker:onderzoeker"] {
            let (before, after) = source.split_at(at + "\nto = [".len());
            let mut files = bare.clone();
            files.insert("exchanges.toml".to_owned(), format!("{before}\"{more}\", {after}").into_bytes());
            count.add(&files, &classes, &format!("exchanges.toml at {at}: {more}"));
        }
    }
    // Another class for every field that is medical or a BSN.
    let source = text(&shipped, "mapping.toml").to_owned();
    for class in ["\"medisch.", "\"persoon.bsn\""] {
        for (at, _) in source.match_indices(class) {
            let end = at + 1 + source[at + 1..].find('"').unwrap() + 1;
            let mut files = shipped.clone();
            files.insert(
                "mapping.toml".to_owned(),
                format!("{}\"arbeid\"{}", &source[..at], &source[end..]).into_bytes(),
            );
            count.mutants += 1;
            assert!(candidate(&files).is_err(), "a swapped class at {at} is not refused");
            count.refused_early += 1;
        }
    }
    println!("{count:?}");
    assert!(count.leaking > 20 && count.caught == count.leaking, "{count:?}");
}
