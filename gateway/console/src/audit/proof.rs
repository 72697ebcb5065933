//! The proof that a record stands in the published log: made, checked here, and handed over to be checked elsewhere.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse as _;
use ledger::{Receipt, ReceiptError, Trust, leaf_hash};
use oversight::Act;

use crate::Console;
use crate::fault::Fault;
use crate::pages::{App, Who};
use crate::shell::Answer;

/// A proof that was checked, or why there is none.
pub(super) enum Proof {
    /// It holds.
    Holds { size: u64, root: String, hash: String, origin: String },
    /// The record is not published yet.
    Later,
    /// It does not hold: the log is not what it was.
    Fails(String),
}

impl Proof {
    /// Makes the proof from the published files, and checks it as anyone would.
    pub(super) fn make(console: &Console, index: u64) -> Proof {
        if index >= console.setup.published.borrow().checkpoint.size {
            return Proof::Later;
        }
        let trust = Trust::in_log(console.setup.verifier.clone());
        let checked =
            Receipt::make(&console.setup.log, index).and_then(|receipt| receipt.check(&trust, None));
        match checked {
            Ok(proven) => {
                let checkpoint = proven.trusted().checkpoint();
                Proof::Holds {
                    size: checkpoint.size,
                    root: hex::encode(checkpoint.root.0),
                    hash: hex::encode(leaf_hash(proven.record()).0),
                    origin: checkpoint.origin.to_string(),
                }
            }
            Err(error) => {
                tracing::error!(index, %error, "a proof of the published log does not hold");
                Proof::Fails(error.to_string())
            }
        }
    }

    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Proof::Holds { size, .. } => Some(*size),
            _ => None,
        }
    }
}

async fn made(console: &Console, visitor: &crate::visitor::Visitor, index: u64) -> Result<Receipt, Fault> {
    console.oversight().may(&visitor.operator, Act::Search).await?;
    Receipt::make(&console.setup.log, index).map_err(|error| match error {
        ReceiptError::Proof(_) => Fault::NotFound,
        error => {
            tracing::error!(index, %error, "a proof could not be made");
            Fault::Broken
        }
    })
}

/// The proof, as a file of C2SP's form with the record in it.
pub(super) async fn receipt(State(console): App, Extension(visitor): Who, Path(index): Path<u64>) -> Answer {
    let receipt = made(&console, &visitor, index).await?;
    Ok(attached(
        &format!("record-{index}.tlog-proof"),
        "text/plain; charset=utf-8",
        receipt.to_string().into_bytes(),
    ))
}

/// The record's bytes, as they were hashed.
pub(super) async fn entry(State(console): App, Extension(visitor): Who, Path(index): Path<u64>) -> Answer {
    let receipt = made(&console, &visitor, index).await?;
    Ok(attached(&format!("record-{index}.json"), "application/json", receipt.record.unwrap_or_default()))
}

/// The key that all proofs are checked with.
pub(super) async fn key(State(console): App) -> Answer {
    Ok(attached(
        "log.vkey",
        "text/plain; charset=utf-8",
        format!("{}\n", console.setup.verifier).into_bytes(),
    ))
}

/// A file to keep.
pub(super) fn attached(name: &str, kind: &'static str, bytes: Vec<u8>) -> axum::response::Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], bytes)
        .into_response()
}
