//! `veldwacht policy check`: a bundle is proven; then its load is measured, and mistakes are made in it on purpose.
//!
//! Owns: printing, and using the machine's cores for the mutants. The proof comes first and is printed first: who only wants
//! that has it at once, or says `--quick`.

use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use policy::{Files, LoadError, ProofReport, Proven, Tally, Trust, mutants, with_rules};
use serde_json::{Value, json};

use crate::bundle;
use crate::commands::policy::line;
use crate::failure::{Doing, Failure, Outcome};

/// A load is measured with at least so many rules.
const RULES: [usize; 2] = [50, 500];

/// Proves a bundle; the answer is no when it does not hold, is not finished, or has a mutant that leaks.
pub(crate) fn run(folder: &Path, quick: bool, as_json: bool, out: &mut impl Write) -> Outcome {
    let files = bundle::read(folder)?;
    let proven = match load(&files) {
        Ok(proven) => proven,
        Err(error) => return refused(&error, as_json, out),
    };
    let complete = proven.report().is_complete();
    if !as_json {
        let (name, number, digest) = (proven.name(), proven.number(), proven.digest());
        write!(out, "{name} {number}, digest {digest}\n{}", proven.report())
            .unreachable("standard output")?;
        out.flush().unreachable("standard output")?;
    }
    if quick {
        if as_json {
            line(out, &report_json(&proven))?;
        }
        return if complete { Ok(()) } else { Err(Failure::No) };
    }
    let loads = loads(&files);
    let tally = judged(&files);
    if as_json {
        let mut told = report_json(&proven);
        if let Value::Object(told) = &mut told {
            told.extend(more_json(&loads, &tally));
        }
        line(out, &told)?;
    } else {
        for report in &loads {
            let (rules, milliseconds) = (report.rules, report.took().as_millis());
            writeln!(out, "a load of {rules} rules takes {milliseconds} ms")
                .unreachable("standard output")?;
        }
        write!(out, "{tally}").unreachable("standard output")?;
    }
    if complete && tally.leaks.is_empty() { Ok(()) } else { Err(Failure::No) }
}

fn load(files: &Files) -> Result<Proven, LoadError> {
    let start = Instant::now();
    Proven::load_timed(files, &Trust::Draft, &|| start.elapsed())
}

fn refused(error: &LoadError, as_json: bool, out: &mut impl Write) -> Outcome {
    if as_json {
        let problems = error.problems.iter().map(ToString::to_string).collect::<Vec<_>>();
        line(out, &json!({ "proven": false, "problems": problems }))?;
        return Err(Failure::No);
    }
    writeln!(out, "{error}").unreachable("standard output")?;
    if let Some(report) = &error.report {
        write!(out, "{report}").unreachable("standard output")?;
    }
    Err(Failure::No)
}

/// The loads of this bundle with more rules.
fn loads(files: &Files) -> Vec<ProofReport> {
    RULES.iter().filter_map(|rules| Some(load(&with_rules(files, *rules)).ok()?.report().clone())).collect()
}

/// Every mutant, judged on all cores.
fn judged(files: &Files) -> Tally {
    let (mutants, next, tally) = (mutants(files), AtomicUsize::new(0), Mutex::new(Tally::default()));
    let work = || {
        while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
            let verdict = mutant.judge();
            tally.lock().unwrap_or_else(PoisonError::into_inner).add(mutant, verdict);
        }
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        (0..cores).for_each(|_| drop(scope.spawn(work)));
    });
    tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn report_json(proven: &Proven) -> Value {
    let report = proven.report();
    let held = report.held.iter().map(|held| {
        json!({ "id": held.name.as_str(), "kind": if held.never { "never" } else { "must" }, "cells": held.cells,
                "holds": true, "nl": &*held.sentence.nl, "en": &*held.sentence.en })
    });
    json!({
        "proven": report.is_complete(), "name": proven.name(), "number": proven.number(),
        "digest": proven.digest().to_string(), "rules": report.rules, "routes": report.routes,
        "decisions": report.decisions, "plans": report.plans, "rows": report.rows,
        "assertions": held.collect::<Vec<_>>(), "unclassified": report.unclassified,
        "milliseconds": report.took().as_millis(), "decisions_per_second": report.decisions_per_second(),
        "look_up_nanoseconds": report.look_up.as_nanos(),
    })
}

fn more_json(loads: &[ProofReport], tally: &Tally) -> [(String, Value); 2] {
    let loads = loads
        .iter()
        .map(|report| json!({ "rules": report.rules, "milliseconds": report.took().as_millis() }))
        .collect();
    let mutants = json!({ "tried": tally.tried(), "refused_by_proof": tally.proof, "refused_before": tally.before,
                          "harmless": tally.harmless, "leaks": tally.leaks });
    [("loads".to_owned(), loads), ("mutants".to_owned(), mutants)]
}
