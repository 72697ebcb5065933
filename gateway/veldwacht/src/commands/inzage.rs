//! `veldwacht log inzage`: for one client, who got what, when, why (AVG 15).
//!
//! Owns: finding the client's records. What the answer says, and its page, is `ledger`'s. After an erasure nothing of
//! before is told: it cannot be tied to anyone any more.

use std::io::Write;

use journal::Criteria;
use ledger::Leaf;
use serde_json::to_string;

use crate::cli::Keys;
use crate::commands::vault::Vault;
use crate::failure::{Doing, Outcome};
use crate::gateway::now;

/// Answers one client.
pub(crate) async fn run(bsn: &str, keys: &Keys, as_json: bool, out: &mut impl Write) -> Outcome {
    let vault = Vault::open(keys)?;
    let client = vault.client(bsn)?;
    let tombstone = vault.journal.erased(client).unreachable("the journal")?;
    let criteria = Criteria { client: Some(client), ..Criteria::default() };
    let found = vault.journal.search(&criteria, tombstone, usize::MAX).unreachable("the journal")?;
    let read =
        |index| -> Outcome<Leaf> { Ok(vault.journal.open_record(index).unreachable("the journal")?.leaf) };
    let leaves = found.into_iter().map(read).collect::<Outcome<Vec<Leaf>>>()?;
    let erased = tombstone.map(read).transpose()?.map(|leaf| leaf.time);
    // A client of whom nothing is known gets no key for having asked.
    let about = Some(client).filter(|_| !leaves.is_empty());
    vault.note("inzage", leaves.len() as u64, about).await?;
    let registry = vault.registry()?;
    let name_of = |oin: &model::Oin| registry.organisation(*oin).map(|found| found.name().to_owned());
    let inzage = ledger::inzage(&leaves, name_of, erased, now());
    let text = if as_json { to_string(&inzage).unreachable("JSON")? } else { inzage.page() };
    writeln!(out, "{text}").unreachable("standard output")?;
    vault.close()
}
