//! `veldwacht policy …`: what privacy officers do with a bundle before it decides anything.
//!
//! Owns: reading bundles and printing. What is proven, compared and tested is `policy`'s.

use std::io::Write;
use std::path::{Path, PathBuf};

use fields::PseudonymKey;
use policy::{Diff, Part, Proven, Trust, matrix_csv, matrix_html, matrix_table, run_tests, sign, simulate};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Serialize;
use serde_json::json;

use crate::bundle;
use crate::cli::{self, MatrixFormat};
use crate::commands::filter::{fits, load, situation};
use crate::commands::{change, check, replay};
use crate::document;
use crate::failure::{Doing, Failure, Outcome};
use crate::trust::name_of;

/// Runs one of them.
pub(crate) async fn run(command: &cli::Policy, out: &mut impl Write) -> Outcome {
    match command {
        cli::Policy::Check { bundle, quick, json } => check::run(bundle, *quick, *json, out),
        cli::Policy::Matrix { bundle, purpose, role, format, json } => {
            let rows = load(bundle)?.matrix(purpose.as_ref(), role.as_ref());
            if *json {
                return rows.iter().try_for_each(|row| line(out, row));
            }
            let text = match format {
                MatrixFormat::Table => matrix_table(&rows),
                MatrixFormat::Csv => matrix_csv(&rows),
                MatrixFormat::Html => matrix_html(&rows),
            };
            write!(out, "{text}").unreachable("standard output")
        }
        cli::Policy::Simulate { bundle, route, certificate, at, file } => match operator(certificate, at) {
            None => simulated(bundle, route, at.json, file, out),
            Some(_) if route.phase.is_some() => Err(Failure::Use(
                "--phase is for a bundle in a folder; a change is simulated in a phase that fits".into(),
            )),
            Some(operator) => {
                let change = bundle.to_string_lossy();
                change::simulate(&change, &operator, route, file, out).await
            }
        },
        cli::Policy::Diff { old, new, json } => diff(&load(old)?, &load(new)?, *json, out),
        cli::Policy::Test { bundle, json } => test(bundle, *json, out),
        cli::Policy::Replay { bundle, log, certificate, key, at } => match (operator(certificate, at), log) {
            (Some(operator), _) => change::replay(&bundle.to_string_lossy(), &operator, out).await,
            (None, Some(log)) => replay::run(bundle, log, key.as_deref(), at.json, out),
            (None, None) => Err(Failure::Use("--log or --as is needed".into())),
        },
        cli::Policy::Sign { bundle, key, guardrails } => signed(bundle, key, *guardrails, out),
        cli::Policy::Step(step) => change::run(step, out).await,
    }
}

/// Who calls a running gateway, if someone does.
fn operator(certificate: &Option<PathBuf>, at: &cli::Gateway) -> Option<cli::Operator> {
    let (gateway, ca, json) = (at.gateway.clone(), at.ca.clone(), at.json);
    let at = cli::Gateway { gateway, ca, json };
    certificate.clone().map(|certificate| cli::Operator { certificate, at })
}

fn simulated(bundle: &Path, route: &cli::Route, as_json: bool, file: &Path, out: &mut impl Write) -> Outcome {
    let proven = load(bundle)?;
    let situation = situation(&proven, route)?;
    let message = proven.message(&route.message);
    let message = message.ok_or_else(|| Failure::Use("no contract has this type".into()))?;
    let input = document::read(file, &message)?;
    let key = PseudonymKey::for_receiver(&[0; 32], &route.receiver.0);
    let simulation = simulate(&proven, &situation, &input, &key).wrong(file.display())?;
    fits(&simulation.compiled, route.phase)?;
    for field in &simulation.fields {
        if as_json {
            line(out, field)?;
            continue;
        }
        let class = field.class.map_or("(no class)", |class| class.name());
        let after = match (&field.after, field.screened) {
            (Some(_), true) => "screened".to_owned(),
            (Some(value), false) => format!("→ {value}"),
            (None, _) => "—".to_owned(),
        };
        writeln!(out, "{:<52} {class:<24} {after:<30} {}: {}", field.path, field.rule, field.sentence.nl)
            .unreachable("standard output")?;
    }
    Ok(())
}

fn diff(old: &Proven, new: &Proven, as_json: bool, out: &mut impl Write) -> Outcome {
    let diff = Diff::between(old, new);
    if as_json {
        diff.changes.iter().try_for_each(|change| line(out, change))?;
    } else {
        write!(out, "{diff}").unreachable("standard output")?;
    }
    if diff.widens() { Err(Failure::No) } else { Ok(()) }
}

fn test(folder: &Path, as_json: bool, out: &mut impl Write) -> Outcome {
    let files = bundle::read(folder)?;
    let proven = Proven::load(&files, &Trust::Draft).wrong(folder.display())?;
    let trial = run_tests(&proven, &files).wrong(folder.display())?;
    for test in &trial.tests {
        if as_json {
            line(
                out,
                &json!({ "file": test.file, "exchange": test.exchange, "name": test.name,
                "passed": test.failures.is_empty(), "failures": test.failures }),
            )?;
            continue;
        }
        let mark = if test.failures.is_empty() { "passed" } else { "FAILED" };
        writeln!(out, "{mark}  {:<14} {}", test.exchange, test.name).unreachable("standard output")?;
        for failure in &test.failures {
            writeln!(out, "          {failure}").unreachable("standard output")?;
        }
    }
    if !as_json {
        for exchange in &trial.untested {
            writeln!(out, "UNTESTED  {exchange}").unreachable("standard output")?;
        }
    }
    if trial.passed() { Ok(()) } else { Err(Failure::No) }
}

fn signed(folder: &Path, key: &Path, guardrails: bool, out: &mut impl Write) -> Outcome {
    let part = if guardrails { Part::Guardrails } else { Part::Policies };
    sign_folder(folder, key, part)?;
    writeln!(out, "{} signed", folder.display()).unreachable("standard output")
}

/// Adds a signature to the bundle in a folder.
pub(crate) fn sign_folder(folder: &Path, key: &Path, part: Part) -> Outcome {
    let mut files = bundle::read(folder)?;
    sign_files(&mut files, key, part)?;
    let path = folder.join(policy::SIGNATURES);
    std::fs::write(&path, files.get(policy::SIGNATURES).map(Vec::as_slice).unwrap_or_default())
        .unreachable(path.display())
}

/// Adds a signature to a bundle.
pub(crate) fn sign_files(files: &mut bundle::Files, key: &Path, part: Part) -> Outcome {
    let proven = Proven::load(files, &Trust::Draft).wrong("the bundle")?;
    let text = sign(files, &proven, part, &name_of(key)?, &seed(key)?).wrong(key.display())?;
    files.insert(policy::SIGNATURES.to_owned(), text);
    Ok(())
}

/// The secret of an Ed25519 key in PKCS #8 (RFC 8410): the 32 bytes inside its inner octet string.
fn seed(path: &Path) -> Outcome<[u8; 32]> {
    const BEFORE: [u8; 4] = [0x04, 0x22, 0x04, 0x20];
    let key = PrivatePkcs8KeyDer::from_pem_file(path).wrong(path.display())?;
    let der = key.secret_pkcs8_der();
    let found =
        der.windows(BEFORE.len() + 32).find_map(|window| window.strip_prefix(&BEFORE)?.try_into().ok());
    found.ok_or_else(|| Failure::Use(format!("{}: not an Ed25519 key", path.display())))
}

pub(crate) fn line(out: &mut impl Write, value: &impl Serialize) -> Outcome {
    let text = serde_json::to_string(value).unreachable("JSON")?;
    writeln!(out, "{text}").unreachable("standard output")
}
