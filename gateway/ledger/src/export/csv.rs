//! The log as a table (RFC 4180): one line a receiver, one for a record without receivers.
//!
//! Owns: the columns and their quoting. No users, no clients.

use super::Record;
use crate::leaf::{Delivery, Leaf};

pub(super) const HEADER: &str = "index,time,kind,exchange,declared,message,purpose,grondslag,spoed,\
    sender,sender_role,receiver,receiver_role,decision,reason,passed,withheld,held_back,bundle,trace_id";

pub(super) fn lines(record: &Record) -> Vec<String> {
    match record.leaf.event.carried().map(|carried| carried.to.as_slice()) {
        None | Some([]) => vec![line(record, None)],
        Some(deliveries) => deliveries.iter().map(|delivery| line(record, Some(delivery))).collect(),
    }
}

fn line(record: &Record, delivery: Option<&Delivery>) -> String {
    let leaf = &record.leaf;
    let carried = leaf.event.carried();
    let terms = carried.map(|carried| &carried.terms);
    let from = carried.map_or(leaf.event.actor(), |carried| carried.from.as_ref());
    let to = delivery.map(|delivery| &delivery.to);
    let reason = delivery.and_then(|delivery| delivery.reason).or_else(|| carried?.reason);
    let cells = [
        record.index.to_string(),
        crate::moment::rfc3339(leaf.time),
        leaf.kind().to_string(),
        leaf.exchange.to_string(),
        text(terms.and_then(|terms| terms.declared.as_ref())),
        text(terms.and_then(|terms| terms.message.as_ref())),
        text(terms.and_then(|terms| terms.purpose.as_ref())),
        text(terms.and_then(|terms| terms.grondslag)),
        terms.map_or(String::new(), |terms| terms.spoed.to_string()),
        text(from.map(|from| from.oin)),
        text(from.map(|from| &from.role)),
        text(to.map(|to| to.oin)),
        text(to.map(|to| &to.role)),
        text(delivery.map(|delivery| delivery.decision.name())),
        text(reason),
        delivery.map_or(String::new(), passed),
        delivery.map_or(String::new(), withheld),
        delivery.map_or(String::new(), held_back),
        leaf.bundle.number.to_string(),
        trace(leaf),
    ];
    cells.map(quote).join(",")
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn trace(leaf: &Leaf) -> String {
    text(leaf.trace.map(|trace| trace.trace_id))
}

/// `functioneel.uren:urenband:2`, joined by spaces.
fn passed(delivery: &Delivery) -> String {
    let parts =
        delivery.passed.iter().map(|passed| format!("{}:{}:{}", passed.class, passed.form, passed.count));
    parts.collect::<Vec<_>>().join(" ")
}

fn withheld(delivery: &Delivery) -> String {
    let parts = delivery.withheld.iter().map(|withheld| {
        let class = withheld.class.map_or("onbekend", |class| class.name());
        format!("{class}:{}", withheld.count)
    });
    parts.collect::<Vec<_>>().join(" ")
}

fn held_back(delivery: &Delivery) -> String {
    let parts = delivery.held_back.iter().map(|held| format!("{}:{}", held.field, held.rule));
    parts.collect::<Vec<_>>().join(" ")
}

/// Quotes what RFC 4180 wants quoted, and keeps a spreadsheet from taking a cell for a formula.
fn quote(cell: String) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t']);
    let cell = if is_formula { format!("'{cell}") } else { cell };
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}
