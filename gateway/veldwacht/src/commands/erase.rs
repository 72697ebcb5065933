//! `veldwacht erase`: a client's key is destroyed, and a tombstone says so; 1 when a duty to keep forbids it.
//!
//! Owns: saying what became of it. Which duties there are is `retention`, the order of an erasure is `journal`'s.

use std::io::Write;

use journal::{Criteria, Erased, Erasure};
use ledger::Event;
use serde_json::json;

use crate::cli;
use crate::commands::reading::moment;
use crate::commands::vault::Vault;
use crate::failure::{Doing, Failure, Outcome};
use crate::retention::Retention;

/// Erases a client.
pub(crate) async fn run(erase: &cli::Erase, out: &mut impl Write) -> Outcome {
    let vault = Vault::open(&erase.keys)?;
    let client = vault.client(&erase.client)?;
    let tombstone = vault.journal.erased(client).unreachable("the journal")?;
    let criteria = Criteria { client: Some(client), ..Criteria::default() };
    if vault.journal.search(&criteria, tombstone, 1).unreachable("the journal")?.is_empty() {
        let (told, words) = match tombstone {
            Some(index) => {
                (json!({ "erased": true, "record": index }), format!("erased before: record {index}"))
            }
            None => {
                (json!({ "erased": false, "known": false }), "nothing here is about this client".to_owned())
            }
        };
        let text = if erase.json { told.to_string() } else { words };
        return writeln!(out, "{text}").unreachable("standard output");
    }
    let ground =
        ledger::Erasure { by: vault.by.clone(), ground: erase.ground.clone(), reason: None, until: None };
    let erasure = Erasure { client, leaf: vault.leaf(Event::Erased(ground))?, sealed: vault.sealed() };
    let duties = Retention::of(&vault.config);
    let erased =
        vault.journal.erase(erasure, &|leaf| duties.keep_until(leaf)).await.unreachable("the journal")?;
    let (told, words) = match &erased {
        Erased::Done(recorded) => {
            let index = recorded.index();
            (json!({ "erased": true, "record": index }), format!("erased: record {index} is the tombstone"))
        }
        Erased::Forbidden(recorded, until) => {
            let index = recorded.index();
            (
                json!({ "erased": false, "record": index, "until": until }),
                format!(
                    "not erased: a retention duty forbids it until {}; record {index} says so",
                    moment(*until)
                ),
            )
        }
    };
    let text = if erase.json { told.to_string() } else { words };
    writeln!(out, "{text}").unreachable("standard output")?;
    vault.close()?;
    if matches!(erased, Erased::Done(_)) { Ok(()) } else { Err(Failure::No) }
}
