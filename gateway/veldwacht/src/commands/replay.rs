//! `veldwacht policy replay`: what a draft would have done with the deliveries of a published log.
//!
//! Owns: reading the log and printing. Turning records into situations is `oversight`'s, comparing is `policy`'s.

use std::io::Write;
use std::path::Path;

use policy::{Replay, replay};
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
        past.extend(oversight::deliveries(&record.leaf));
        Ok(())
    })?;
    let replay = replay(&draft, past);
    if as_json {
        return writeln!(out, "{}", told(&replay)).unreachable("standard output");
    }
    write!(out, "{replay}").unreachable("standard output")
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
