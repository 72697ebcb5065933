//! `veldwacht log receivers`: who has got an exchange, for corrections and leaks; 1 when the log has no such exchange.

use std::io::Write;

use ledger::{Receiver, receivers};
use model::ExchangeId;

use crate::cli::LogSource;
use crate::commands::reading::{Reading, moment};
use crate::failure::{Doing, Failure, Outcome};

/// Prints everyone whom an exchange was meant for.
pub(crate) async fn run(
    exchange: ExchangeId,
    source: &LogSource,
    as_json: bool,
    out: &mut impl Write,
) -> Outcome {
    let reading = Reading::open(source)?;
    let mut about = Vec::new();
    reading.each(reading.size(), false, &mut |record| {
        if record.leaf.exchange == exchange {
            about.push((record.index, record.leaf));
        }
        Ok(())
    })?;
    reading.note("receivers", about.len() as u64).await?;
    let found = receivers(about.iter().map(|(index, leaf)| (*index, leaf)), exchange);
    if as_json {
        let text = serde_json::to_string(&found).unreachable("JSON")?;
        writeln!(out, "{text}").unreachable("standard output")?;
    } else if found.receivers.is_empty() {
        writeln!(out, "the log has nothing that was sent under {exchange}").unreachable("standard output")?;
    } else {
        let mut lines = found.receivers.iter().map(words);
        lines.try_for_each(|line| writeln!(out, "{line}")).unreachable("standard output")?;
    }
    reading.close()?;
    if found.receivers.is_empty() { Err(Failure::No) } else { Ok(()) }
}

fn words(receiver: &Receiver) -> String {
    let reached = match (receiver.handed_out, receiver.acknowledged) {
        (Some(_), Some(at)) => format!("has it since {}", moment(at)),
        (Some(at), None) => format!("got it at {}", moment(at)),
        (None, _) if receiver.waiting => "has not collected it".to_owned(),
        (None, _) => "did not get it".to_owned(),
    };
    let passed =
        receiver.passed.iter().map(|passed| format!("{} ({}, {})", passed.class, passed.form, passed.count));
    let records = receiver.records.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let passed = passed.collect::<Vec<_>>().join(", ");
    format!("{}  {}  {reached}; records {records}\n    {passed}", receiver.to, receiver.decision.name())
}
