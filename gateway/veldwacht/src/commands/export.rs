//! `veldwacht log export`: every record in the words of a norm.

use std::io::Write;

use ledger::Format;

use crate::cli::LogSource;
use crate::commands::reading::Reading;
use crate::failure::{Doing, Failure, Outcome};

/// Writes the export. A record that the format does not know has no line.
pub(crate) async fn run(
    format: Format,
    activity: Option<&str>,
    source: &LogSource,
    out: &mut impl Write,
) -> Outcome {
    if format.shows_users() && source.log.is_some() {
        let message = format!("{} has users, who are sealed: read with --config, not --log", format.name());
        return Err(Failure::Use(message));
    }
    let reading = Reading::open(source)?;
    let producer = reading.producer(source, activity)?;
    let size = reading.size();
    reading.note(&format!("export-{}", format.name()), size).await?;
    if let Some(header) = format.header() {
        writeln!(out, "{header}").unreachable("standard output")?;
    }
    reading.each(size, format.shows_users(), &mut |record| {
        let mut lines = format.lines(&record, &producer).into_iter();
        lines.try_for_each(|line| writeln!(out, "{line}")).unreachable("standard output")
    })?;
    reading.close()
}
