//! `veldwacht log search`: the records that have everything that is asked for, found through the views.
//!
//! Owns: criteria from the command line, and a line for each record. That someone searched is recorded before anything is
//! shown; what is sealed stays closed.

use std::io::Write;

use journal::Criteria;
use serde_json::json;

use crate::cli::Search;
use crate::commands::reading::moment;
use crate::commands::vault::Vault;
use crate::failure::{Doing, Outcome};

/// Searches.
pub(crate) async fn run(search: &Search, out: &mut impl Write) -> Outcome {
    let vault = Vault::open(&search.keys)?;
    let client = search.client.as_deref().map(|bsn| vault.client(bsn)).transpose()?;
    let criteria = Criteria {
        client,
        user: search.of_user.as_deref().map(|user| vault.journal.user_mark(user)),
        exchange: search.exchange,
        organisation: search.organisation,
        class: search.class,
        decision: search.decision,
        kind: search.kind,
        from: search.from,
        until: search.until,
    };
    let found = vault.journal.search(&criteria, None, search.limit).unreachable("the journal")?;
    // A client of whom nothing is known gets no key for having been looked for.
    vault.note("search", found.len() as u64, client.filter(|_| !found.is_empty())).await?;
    for index in found {
        let leaf = vault.journal.open_record(index).unreachable("the journal")?.leaf;
        let line = if search.json {
            json!({ "index": index, "record": leaf }).to_string()
        } else {
            let parties = leaf.event.carried().into_iter().flat_map(|carried| {
                carried.from.iter().chain(carried.to.iter().map(|delivery| &delivery.to))
            });
            let parties: Vec<String> = parties.map(ToString::to_string).collect();
            let (kind, time) = (leaf.kind().name(), moment(leaf.time));
            format!("{index:>8}  {time}  {kind:<12}  {}  {}", leaf.exchange, parties.join("  "))
        };
        writeln!(out, "{line}").unreachable("standard output")?;
    }
    vault.close()
}
