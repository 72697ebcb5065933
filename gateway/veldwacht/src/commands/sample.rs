//! `veldwacht log sample`: the records that an auditor looks at.
//!
//! Owns: printing the draw and the records that stand out. How they are chosen is `ledger`'s.

use std::collections::BTreeSet;
use std::io::Write;

use ledger::{Record, RiskRules, Risky, risks, sample};
use serde_json::{Value, json};

use crate::cli::LogSource;
use crate::commands::reading::{Reading, moment};
use crate::failure::{Doing, Outcome};

/// What to look at.
pub(crate) struct Wanted<'a> {
    pub(crate) seed: &'a str,
    pub(crate) n: u64,
    pub(crate) risks: bool,
    pub(crate) json: bool,
}

/// Draws, and prints what was drawn.
pub(crate) async fn run(wanted: &Wanted<'_>, source: &LogSource, out: &mut impl Write) -> Outcome {
    let reading = Reading::open(source)?;
    let size = reading.size();
    let drawn: BTreeSet<u64> = sample(wanted.seed, size, wanted.n).into_iter().collect();
    let mut read: Vec<Record> = Vec::new();
    reading.each(size, true, &mut |record| {
        if wanted.risks || drawn.contains(&record.index) {
            read.push(record);
        }
        Ok(())
    })?;
    let risky = if wanted.risks { risks(&read, &RiskRules::default()) } else { Vec::new() };
    let shown = |record: &&Record| {
        drawn.contains(&record.index) || risky.iter().any(|risky| risky.index == record.index)
    };
    let shown: Vec<&Record> = read.iter().filter(shown).collect();
    reading.note("sample", shown.len() as u64).await?;
    if wanted.json {
        let drawn = shown.iter().filter(|record| drawn.contains(&record.index));
        let drawn: Vec<Value> =
            drawn.map(|record| json!({ "index": record.index, "record": record.leaf })).collect();
        let told = json!({ "seed": wanted.seed, "size": size, "sample": drawn, "risks": risky });
        writeln!(out, "{told}").unreachable("standard output")?;
    } else {
        writeln!(out, "{} of {size} records drawn with this seed", drawn.len())
            .unreachable("standard output")?;
        for record in shown {
            let mark = if drawn.contains(&record.index) { "drawn" } else { "" };
            let why = why(&risky, record.index);
            let (index, kind, exchange) = (record.index, record.leaf.kind().name(), record.leaf.exchange);
            writeln!(out, "{index:>8} {mark:<6} {} {kind:<12} {exchange} {why}", moment(record.leaf.time))
                .unreachable("standard output")?;
        }
    }
    reading.close()
}

/// Why a record stands out, in words.
fn why(risky: &[Risky], index: u64) -> String {
    let risks = risky.iter().filter(|risky| risky.index == index).flat_map(|risky| &risky.risks);
    let names = risks.filter_map(|risk| serde_json::to_value(risk).ok()?.as_str().map(str::to_owned));
    names.collect::<Vec<_>>().join(", ")
}
