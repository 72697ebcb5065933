//! `veldwacht policy replay`: what a draft would have done with the deliveries of a published log.
//!
//! Owns: turning records into situations. Comparing is `policy`'s. A record without consents is of an exchange that asked
//! for none.

use std::io::Write;
use std::path::Path;

use ledger::{Decision, Event, Leaf};
use policy::{Past, Replay, Situation, replay};
use serde_json::{Value, json};

use crate::commands::filter::load;
use crate::commands::reading::Published;
use crate::failure::{Doing, Outcome};

/// Runs a draft over a log.
pub(crate) fn run(
    bundle: &Path,
    log: &Path,
    key: Option<&str>,
    as_json: bool,
    out: &mut impl Write,
) -> Outcome {
    let draft = load(bundle)?;
    let mut past = Vec::new();
    Published::open(log, None, key)?.each(&mut |record| {
        past.extend(deliveries(&record.leaf));
        Ok(())
    })?;
    let replay = replay(&draft, past);
    if as_json {
        return writeln!(out, "{}", told(&replay)).unreachable("standard output");
    }
    write!(out, "{replay}").unreachable("standard output")
}

/// The deliveries of a record: what was sent, or answered.
fn deliveries(leaf: &Leaf) -> Vec<Past> {
    let (Event::Sent(carried) | Event::Ask(carried)) = &leaf.event else { return Vec::new() };
    let (Some(from), Some(message), Some(purpose)) =
        (&carried.from, &carried.terms.message, &carried.terms.purpose)
    else {
        return Vec::new();
    };
    let delivered = carried.to.iter().filter(|to| to.decision == Decision::Delivered);
    let past = delivered.map(|to| Past {
        situation: Situation {
            message: message.clone(),
            sender: (from.oin, from.role.clone()),
            receiver: (to.to.oin, to.to.role.clone()),
            purpose: purpose.clone(),
            consents: to.consents.unwrap_or_default(),
            spoed: carried.terms.spoed,
        },
        passed: to.passed.iter().map(|passed| (passed.class, passed.form)).collect(),
    });
    past.collect()
}

fn told(replay: &Replay) -> Value {
    let changes =
        |table: &std::collections::BTreeMap<(std::sync::Arc<str>, model::DataClass), u64>| -> Vec<Value> {
            let rows = table.iter();
            rows.map(|((exchange, class), count)| {
            json!({ "exchange": &**exchange, "class": class.name(), "deliveries": count })
        })
        .collect()
        };
    json!({
        "deliveries": replay.deliveries, "unchanged": replay.unchanged, "refused": replay.refused,
        "lost": changes(&replay.lost), "gained": changes(&replay.gained),
    })
}
