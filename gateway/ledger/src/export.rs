//! One record in the words of others: FSC logging, Logboek Dataverwerkingen, Authorization Decision Log,
//! NEN 7513, and a table; serves `log export`.
//!
//! Owns: which records each of them knows, and their field names. Users stand in NEN 7513 only: no other
//! projection looks at the sealed part. Each line is one JSON document, or one line of CSV.

mod adl;
mod csv;
mod fsc;
mod ldv;
mod nen7513;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use model::{Fault, Invalid, Oin, Reason};

use crate::leaf::{Leaf, SealedPart};
use crate::{Digest, SpanId, TraceId};

/// A record as it is read from a log: its place, the record, and what was opened of its sealed part.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its place in the log.
    pub index: u64,
    /// The public record.
    pub leaf: Leaf,
    /// The sealed part, for who may see it and as long as its key exists.
    pub sealed: Option<SealedPart>,
}

/// Who exports: the gateway and its operator.
#[derive(Debug, Clone)]
pub struct Producer {
    /// The organisation that runs the gateway.
    pub oin: Oin,
    /// What the gateway is called, `gateway.regio.example`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// URI of the verwerkingsactiviteit of the gateway itself: for records without one of their own.
    pub activity: String,
}

/// What to export as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// FSC logging 1.0 (Logius).
    Fsc,
    /// Logboek Dataverwerkingen (Logius): one row per client, no users.
    Ldv,
    /// Authorization Decision Log (Logius): one row a decision.
    Adl,
    /// NEN 7513: with users.
    Nen7513,
    /// A table, one line a receiver.
    Csv,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Format] = &[Format::Fsc, Format::Ldv, Format::Adl, Format::Nen7513, Format::Csv];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Fsc => "fsc",
            Format::Ldv => "ldv",
            Format::Adl => "adl",
            Format::Nen7513 => "nen7513",
            Format::Csv => "csv",
        }
    }

    /// Whether it shows users, so that sealed parts have to be opened for it, and opening them recorded.
    pub const fn shows_users(self) -> bool {
        matches!(self, Format::Nen7513)
    }

    /// The line that goes before all others.
    pub const fn header(self) -> Option<&'static str> {
        match self {
            Format::Csv => Some(csv::HEADER),
            _ => None,
        }
    }

    /// The lines for one record; none when the format does not know such records.
    pub fn lines(self, record: &Record, producer: &Producer) -> Vec<String> {
        match self {
            Format::Fsc => fsc::rows(record, producer).iter().map(ToString::to_string).collect(),
            Format::Ldv => ldv::row(record, producer).iter().map(ToString::to_string).collect(),
            Format::Adl => adl::row(record, producer).iter().map(ToString::to_string).collect(),
            Format::Nen7513 => nen7513::row(record, producer).iter().map(ToString::to_string).collect(),
            Format::Csv => csv::lines(record),
        }
    }
}

impl FromStr for Format {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Format, Invalid> {
        let found = Format::ALL.iter().copied().find(|format| format.name() == text);
        found.ok_or(Invalid { what: "export format", expected: "`fsc`, `ldv`, `adl`, `nen7513` or `csv`" })
    }
}

/// Trace and span of a record. A call that came without a trace is its own: the exchange id is the trace, and the
/// span is derived from the record, so that two exports name it alike.
fn trace(leaf: &Leaf) -> (TraceId, SpanId) {
    match &leaf.trace {
        Some(trace) => (trace.trace_id, trace.span_id),
        None => {
            let (kind, time) = (leaf.kind().name().as_bytes(), leaf.time.unix_millis().to_be_bytes());
            let Digest([a, b, c, d, e, f, g, h, ..]) =
                Digest::of_parts(&[leaf.exchange.as_bytes(), kind, &time]);
            (TraceId(*leaf.exchange.as_bytes()), SpanId([a, b, c, d, e, f, g, h]))
        }
    }
}

/// The reason that a record gives for its no, if it is one.
fn reason(leaf: &Leaf) -> Option<Reason> {
    let carried = leaf.event.carried()?;
    carried.reason.or_else(|| carried.to.iter().find_map(|delivery| delivery.reason))
}

/// `Error` only where the gateway itself failed: a no of the rules is a good answer.
fn status(leaf: &Leaf) -> &'static str {
    match reason(leaf).map(Reason::fault) {
        Some(Fault::Gateway) => "Error",
        _ => "Unset",
    }
}
