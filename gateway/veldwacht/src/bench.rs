//! `veldwacht bench`: what the README quotes, ours beside peers in the same run.
//!
//! Owns: which benchmarks there are, and printing them: a line a comparison. What is measured, and how fairly, stands in
//! `bench/`, one file each. A peer that is not installed costs its row, and a note on standard error.

mod ask;
mod exchange;
mod fields;
mod log;
mod screen;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use oversight::lexicon;
use serde::Serialize;
use serde_json::Value;

use crate::bundle;
use crate::cli::{self, Benchmark};
use crate::failure::{Doing, Failure, Outcome};

/// How long a round of what writes to the disk takes.
const ROUND: Duration = Duration::from_secs(5);
/// How long a round of mediated calls takes: there are many.
const ASK_ROUND: Duration = Duration::from_millis(500);

/// Measures, and prints each benchmark when it is done. What is written goes into the current folder: its disk counts.
pub(crate) async fn run(bench: &cli::Bench, out: &mut impl Write) -> Outcome {
    let wanted = |one| bench.what.is_none_or(|what| what == one);
    let here = Path::new(".");
    if wanted(Benchmark::Fields) {
        let rows = fields::run();
        let rows =
            rows.ok_or_else(|| Failure::Reach("the dossier of the benchmark cannot be filtered".into()))?;
        tell(&rows, bench.json, out)?;
    }
    if wanted(Benchmark::Screen) {
        let (rows, note) = screen::run(&lexicon(&bundle::shipped())).wrong("the lexicon")?;
        tell(&rows, bench.json, out)?;
        note.iter().for_each(|note| say(note));
    }
    if wanted(Benchmark::Log) {
        let rows = log::run(here, ROUND).await.unreachable("the disk")?;
        tell(&rows, bench.json, out)?;
        if !rows.iter().any(|row| row.name.ends_with("/postgres")) {
            say("PostgreSQL is not installed, with pgbench; its rows are left out");
        }
    }
    if wanted(Benchmark::Ask) {
        let (rows, missing) = ask::run(here, ASK_ROUND).await?;
        tell(&rows, bench.json, out)?;
        missing.iter().for_each(|peer| say(&format!("{peer} is not installed; its rows are left out")));
    }
    if wanted(Benchmark::Exchange) {
        tell(&exchange::run(here, ROUND).await?, bench.json, out)?;
    }
    Ok(())
}

/// Prints every row; one whose peer is not installed without a ratio.
fn tell(rows: &[impl Serialize], as_json: bool, out: &mut impl Write) -> Outcome {
    for row in rows {
        let row = serde_json::to_value(row).unreachable("JSON")?;
        let line = if as_json { row.to_string() } else { words(&row) };
        writeln!(out, "{line}").unreachable("standard output")?;
    }
    out.flush().unreachable("standard output")
}

fn words(row: &Value) -> String {
    let text = |key| row.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key| number(row.get(key).and_then(Value::as_f64));
    let (name, unit, peer) = (text("name"), text("unit"), text("peer"));
    let (ours, theirs, ratio) = (number("value"), number("peer_value"), number("ratio"));
    if row.get("ratio").is_none_or(Value::is_null) {
        return format!("{name:<36} {ours:>12} {unit}");
    }
    format!("{name:<36} {ours:>12} {unit:<5} {peer}: {theirs} {unit}, × {ratio}")
}

/// A number with as many digits as it deserves.
fn number(value: Option<f64>) -> String {
    match value {
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.2}"),
        None => "?".to_owned(),
    }
}

#[expect(clippy::print_stderr, reason = "a note that is not part of the figures")]
fn say(note: &str) {
    eprintln!("veldwacht: {note}");
}
