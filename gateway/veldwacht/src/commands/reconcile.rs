//! `veldwacht log reconcile`: two gateways' logs, side by side: what one says it delivered and the other did not get.
//!
//! Owns: reading both, each verified first, and printing. What counts as the same delivery is `ledger`'s. Public records are
//! enough for it; nothing sealed is opened.

use std::io::Write;
use std::path::Path;

use ledger::{Claim, Event, Leaf, Reconciled, reconcile};
use model::Oin;
use serde_json::json;

use crate::cli::Reconcile;
use crate::commands::reading::{Published, moment};
use crate::failure::{Doing, Failure, Outcome};

/// Compares; the answer is no when the logs tell different stories.
pub(crate) fn run(wanted: &Reconcile, out: &mut impl Write) -> Outcome {
    let ca = wanted.ca.ca.as_deref();
    let first = carried(&wanted.first, ca, wanted.key.as_deref())?;
    let second = carried(&wanted.second, ca, wanted.other_key.as_deref())?;
    let told = reconcile(&first, &second, |claim| is_between(claim, &wanted.between));
    if wanted.json {
        let clean = told.is_clean();
        let Reconciled { agreed, only_first, only_second, differ } = &told;
        let document = json!({ "clean": clean, "agreed": agreed, "only_first": only_first,
                               "only_second": only_second, "differ": differ });
        writeln!(out, "{document}").unreachable("standard output")?;
    } else {
        words(&told, wanted, out)?;
    }
    if told.is_clean() { Ok(()) } else { Err(Failure::No) }
}

/// The records of deliveries in a log that verifies.
fn carried(log: &Path, ca: Option<&Path>, key: Option<&str>) -> Outcome<Vec<Leaf>> {
    let mut leaves = Vec::new();
    Published::open(log, ca, key)?.each(&mut |record| {
        if matches!(record.leaf.event, Event::Sent(_) | Event::HandedOut(_) | Event::Ask(_)) {
            leaves.push(record.leaf);
        }
        Ok(())
    })?;
    Ok(leaves)
}

/// Whether both ends are among these organisations; with none given, every delivery counts.
fn is_between(claim: &Claim, organisations: &[Oin]) -> bool {
    let known = |oin: &Oin| organisations.contains(oin);
    organisations.is_empty()
        || (known(&claim.to.oin) && claim.from.as_ref().is_none_or(|from| known(&from.oin)))
}

fn words(told: &Reconciled, wanted: &Reconcile, out: &mut impl Write) -> Outcome {
    let mut text = format!("{} deliveries are told alike\n", told.agreed);
    for (log, only) in [(&wanted.first, &told.only_first), (&wanted.second, &told.only_second)] {
        for claim in only {
            text.push_str(&format!("only {}: {}\n", log.display(), words_of(claim)));
        }
    }
    for (one, other) in &told.differ {
        text.push_str(&format!(
            "told differently: {}\n              and: {}\n",
            words_of(one),
            words_of(other)
        ));
    }
    write!(out, "{text}").unreachable("standard output")
}

fn words_of(claim: &Claim) -> String {
    let from = claim.from.as_ref().map_or_else(|| "somebody".to_owned(), ToString::to_string);
    let passed: Vec<String> = claim
        .passed
        .iter()
        .flat_map(|(class, forms)| forms.iter().map(move |(form, count)| format!("{class} {form} {count}×")))
        .collect();
    format!(
        "{} {from} → {} {} at {}: {}",
        claim.exchange,
        claim.to,
        claim.decision.name(),
        moment(claim.time),
        if passed.is_empty() { "nothing".to_owned() } else { passed.join(", ") },
    )
}
