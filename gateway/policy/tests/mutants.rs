//! What if somebody changes one thing in the shipped bundle? Every change that would let a diagnosis or a BSN out is
//! refused at load.
//!
//! A mutant is one small change of the text: a guardrail or rule that forbids is dropped, a rule is opened to everyone, its
//! class is swapped, its condition is cut. Most run without the guardrails too, so that only the proof stands between
//! the mistake and a client. What loads all the same is walked from outside: it must not leak.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::{Consent, Consents, DataClass};
use policy::{Files, Proven, Situation, Stage, Trust};

const GUARDRAILS: &str = "guardrails/guardrails.cedar";
/// Who may have medical data at all, and then only with both consents.
const ARTSEN: [&str; 3] = ["uwv:verzekeringsarts", "ggz:behandelaar", "huisarts:huisarts"];
/// Who may never have a BSN.
const WITHOUT_BSN: [&str; 3] = ["werkgever", "school", "onderzoeker"];

struct Mutant {
    what: String,
    files: Files,
}

fn files() -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Files::new();
    add(&mut files, &root.join("policies"), "", |_| true);
    add(&mut files, &root.join("proto"), "contracts/", |name| name.ends_with(".proto"));
    files
}

fn add(files: &mut Files, folder: &Path, prefix: &str, wanted: fn(&str) -> bool) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            add(files, &path, &format!("{name}/"), wanted);
        } else if wanted(&name) {
            files.insert(name, std::fs::read(path).unwrap());
        }
    }
}

fn text<'a>(files: &'a Files, name: &str) -> &'a str {
    std::str::from_utf8(&files[name]).unwrap()
}

/// The rules of a file, each from its `@id` on.
fn rules<'a>(files: &'a Files, name: &str) -> Vec<&'a str> {
    let text = text(files, name);
    let starts: Vec<usize> = text.match_indices("@id(").map(|(start, _)| start).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(&start, end)| &text[start..end]).collect()
}

fn id(rule: &str) -> &str {
    rule.split('"').nth(1).unwrap()
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
    Some(format!("{});\n\n", &rule[..condition]))
}

fn mutants() -> Vec<Mutant> {
    let files = files();
    // The last guardrail standing is one that catches none of these mistakes.
    let tekst =
        rules(&files, GUARDRAILS).into_iter().find(|rule| id(rule) == "grens-onderzoeker-tekst").unwrap();
    let bare = with(&files, GUARDRAILS, text(&files, GUARDRAILS), tekst);

    let mut mutants = Vec::new();
    for name in files.keys().filter(|name| name.ends_with(".cedar")) {
        for rule in rules(&files, name) {
            let mut mutate = |what: &str, base: &Files, new: &str| {
                let files = with(base, name, rule, new);
                mutants.push(Mutant { what: format!("{what} `{}`", id(rule)), files });
            };
            if rule.contains("\nforbid (") {
                mutate("drop", &files, "");
                continue;
            }
            mutate(
                "open to everyone, without guardrails:",
                &bare,
                &with_line(rule, "principal", "  principal,"),
            );
            for class in ["medisch.*", "persoon.*"] {
                let line = format!("  resource in Dataklasse::\"{class}\"");
                let new = with_line(rule, "resource", &line);
                // A mutant that says what the rule says already is none.
                if new.trim_end() != rule.trim_end() && !rule.contains("  resource is") {
                    mutate(&format!("swap the class for {class}, without guardrails:"), &bare, &new);
                }
            }
            if let Some(new) = unconditional(rule) {
                mutate("cut the condition, without guardrails:", &bare, &new);
                mutate("cut the condition of", &files, &new);
            }
        }
    }
    for line in text(&files, "mapping.toml").lines() {
        for class in ["\"medisch.", "\"persoon.bsn\""] {
            if let Some((before, after)) = line.split_once(class) {
                let rest = after.split_once('"').map_or("", |(_, rest)| rest);
                let rest = if class.ends_with('"') { after } else { rest };
                let new = format!("{before}\"organisatie\"{rest}");
                let files = with(&files, "mapping.toml", &format!("\n{line}\n"), &format!("\n{new}\n"));
                mutants.push(Mutant { what: format!("classify as organisatie: {line}"), files });
            }
        }
    }
    mutants
}

/// The first thing that gets out of a bundle that loaded and may not, by nothing but its cells.
fn leak(proven: &Proven) -> Option<String> {
    let mut states = Vec::new();
    for &beroepsgeheim in Consent::ALL {
        for &gezondheidsgegevens in Consent::ALL {
            let consents = Consents { beroepsgeheim, gezondheidsgegevens };
            states.extend([(consents, false), (consents, true)]);
        }
    }
    for exchange in proven.exchanges() {
        for (from, to) in exchange.from.iter().flat_map(|from| exchange.to.iter().map(move |to| (from, to))) {
            let oin =
                |kind| proven.organisations().find(|organisation| organisation.kind == kind).unwrap().oin;
            for &(consents, spoed) in &states {
                let situation = Situation {
                    message: exchange.message.clone(),
                    sender: (oin(from.kind.clone()), from.role.clone()),
                    receiver: (oin(to.kind.clone()), to.role.clone()),
                    purpose: exchange.purpose.clone(),
                    consents,
                    spoed,
                };
                let Ok(compiled) = proven.compiled(&situation) else { continue };
                let arts = ARTSEN.contains(&to.to_string().as_str());
                let medical = arts && consents == Consents::both(Consent::Verleend) && !spoed;
                let bsn = !WITHOUT_BSN.contains(&to.kind.as_str());
                for cell in compiled.cells.iter().filter(|cell| cell.form.is_some()) {
                    let mut classes = cell.class.into_iter().chain(cell.subject);
                    let may_not = |class: DataClass| {
                        (class.is_medical() && !medical) || (class == DataClass::PersoonBsn && !bsn)
                    };
                    if classes.any(may_not) {
                        return Some(format!("{} {from} → {to}: `{}`", exchange.id, cell.path));
                    }
                }
            }
        }
    }
    None
}

#[test]
fn no_single_change_of_the_shipped_bundle_lets_a_diagnosis_or_a_bsn_out() {
    let mutants = mutants();
    let next = AtomicUsize::new(0);
    // By proof, by another check of the load, not at all and harmless; and what leaks.
    let tally = Mutex::new((0, 0, 0, Vec::new()));
    let work = || {
        while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
            let loaded = Proven::load(&mutant.files, &Trust::Draft);
            let leaking = loaded.as_ref().ok().and_then(leak);
            let mut tally = tally.lock().unwrap();
            match (loaded, leaking) {
                (Ok(_), Some(leak)) => tally.3.push(format!("{} leaks {leak}", mutant.what)),
                (Ok(_), None) => tally.2 += 1,
                (Err(no), _) if no.is_about(Stage::Assertion) || no.is_about(Stage::Checker) => tally.0 += 1,
                (Err(_), _) => tally.1 += 1,
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let (proof, other, harmless, leaks) = tally.into_inner().unwrap();
    println!(
        "{} mutants: {proof} refused by an assertion or the checker, {other} refused before that, \
         {harmless} loaded and leak nothing, {} leak",
        mutants.len(),
        leaks.len(),
    );
    assert!(leaks.is_empty(), "{leaks:#?}");
    assert!(proof > 0 && other > 0, "mutants really are caught");
}
