//! `veldwacht log …`: check the log, from its published files and nothing else. Reading in it stands in files of its own.
//!
//! Owns: printing what `ledger` says of a published log.

use std::io::Write;
use std::path::Path;

use ledger::{Format, Receipt, Trust, Verified, verify};
use serde_json::json;

use crate::cli;
use crate::commands::sample::Wanted;
use crate::commands::source::Source;
use crate::commands::{export, inzage, receivers, reconcile, sample, search, witness};
use crate::failure::{Doing, Failure, Outcome};

/// Runs one of them.
pub(crate) async fn run(command: &cli::Log, out: &mut impl Write) -> Outcome {
    match command {
        cli::Log::Verify { log, key, policy, ca, json } => {
            let source = Source::open(log, ca.ca.as_deref())?;
            verified(&source, &trust(key, policy.as_deref())?, *json, out)
        }
        cli::Log::Search(wanted) => search::run(wanted, out).await,
        cli::Log::Reconcile(wanted) => reconcile::run(wanted, out),
        cli::Log::Witness(witness) => witness::run(witness, out).await,
        cli::Log::Prove { index, log, ca } => {
            let source = Source::open(log, ca.ca.as_deref())?;
            let receipt = Receipt::make(&source, *index).wrong(log.display())?;
            write!(out, "{receipt}").unreachable("standard output")
        }
        cli::Log::Export { format: Format::Csv, json: true, .. } => {
            Err(Failure::Use("csv is a table: leave out --json, or ask for another format".into()))
        }
        cli::Log::Export { format, activity, source, .. } => {
            export::run(*format, activity.as_deref(), source, out).await
        }
        cli::Log::Sample { seed, n, risks, source, json } => {
            sample::run(&Wanted { seed, n: *n, risks: *risks, json: *json }, source, out).await
        }
        cli::Log::Inzage { client, keys, json, .. } => inzage::run(client, keys, *json, out).await,
        cli::Log::Receivers { exchange, source, json } => receivers::run(*exchange, source, *json, out).await,
        cli::Log::CheckProof { file, key, policy, json } => {
            let trust = trust(key, policy.as_deref())?;
            let receipt =
                Receipt::parse(&std::fs::read(file).wrong(file.display())?).wrong(file.display())?;
            match receipt.check(&trust, None) {
                Ok(proven) => {
                    let size = proven.trusted().checkpoint().size;
                    let record = String::from_utf8_lossy(proven.record()).into_owned();
                    let text = if *json {
                        json!({ "verified": true, "index": proven.index(), "size": size, "record": record })
                            .to_string()
                    } else {
                        format!("record {} stands in the log of {size} records:\n{record}", proven.index())
                    };
                    writeln!(out, "{text}").unreachable("standard output")
                }
                Err(error) => {
                    let told = json!({ "verified": false, "problem": error.to_string() });
                    let text = if *json { told.to_string() } else { format!("not proven: {error}") };
                    writeln!(out, "{text}").unreachable("standard output")?;
                    Err(Failure::No)
                }
            }
        }
    }
}

fn verified(source: &Source, trust: &Trust, as_json: bool, out: &mut impl Write) -> Outcome {
    let mut records: u64 = 0;
    match verify(source, trust, &mut |_, _| records += 1) {
        Ok(verified) => {
            let checkpoint = verified.checkpoint();
            let root = hex::encode(checkpoint.root.0);
            let witnesses = verified.trusted().witnesses().len();
            let text = if as_json {
                json!({ "verified": true, "origin": checkpoint.origin.to_string(), "size": checkpoint.size,
                        "root": root, "records": records, "files": verified.files(), "witnesses": witnesses })
                .to_string()
            } else {
                format!(
                    "{}: {} records, root {root}, {} files, {witnesses} witnesses: verified",
                    checkpoint.origin,
                    checkpoint.size,
                    verified.files()
                )
            };
            writeln!(out, "{text}").unreachable("standard output")
        }
        Err(damaged) => {
            let told = json!({ "verified": false, "problem": damaged.to_string() });
            let text = if as_json { told.to_string() } else { damaged.to_string() };
            writeln!(out, "{text}").unreachable("standard output")?;
            Err(Failure::No)
        }
    }
}

/// Verifies a log with a key from a file.
pub(crate) fn verify_folder(log: &Path, key: &Path, policy: Option<&Path>) -> Outcome<Verified> {
    let trust = trust(&key.to_string_lossy(), policy)?;
    verify(&Source::open(log, None)?, &trust, &mut |_, _| {}).unreachable(log.display())
}

/// The log's key, with the witnesses of a trust file.
pub(crate) fn trust(key: &str, policy: Option<&Path>) -> Outcome<Trust> {
    let text =
        if Path::new(key).is_file() { std::fs::read_to_string(key).wrong(key)? } else { key.to_owned() };
    let key = text.trim().parse().wrong("--key")?;
    match policy {
        None => Ok(Trust::in_log(key)),
        Some(path) => {
            let file = std::fs::read_to_string(path).wrong(path.display())?;
            Ok(Trust::parse(&file).wrong(path.display())?.only_log(key))
        }
    }
}
