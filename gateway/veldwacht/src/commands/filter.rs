//! `veldwacht filter` and `veldwacht policy simulate`: what one receiver would get of a document, offline.
//!
//! Owns: resolving a route from OINs as a person writes them, running the plan, and printing the account. It is the
//! gateway's own filter on the gateway's own plan; only screening, recording and delivery are not there.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use fields::{Account, PseudonymKey};
use model::{Consents, Oin, Reason, Role};
use policy::{Compiled, Proven, Situation, Trust};
use serde_json::{Value, json};

use crate::bundle;
use crate::cli::{self, DocumentFormat};
use crate::document;
use crate::failure::{Doing, Failure, Outcome};

/// Filters a document.
pub(crate) fn run(filter: &cli::Filter, out: &mut impl Write) -> Outcome {
    let proven = load(&filter.bundle)?;
    let compiled = compiled(&proven, &filter.route)?;
    let message = proven.message(&filter.route.message);
    let message = message.ok_or_else(|| Failure::Use("no contract has this type".into()))?;
    let input = document::read(&filter.file, &message)?;
    let (mut output, mut account) = (Vec::new(), Account::new());
    // Pseudonyms made here are of no use to anyone: a gateway has a secret of its own.
    let key = PseudonymKey::for_receiver(&[0; 32], &filter.route.receiver.0);
    compiled.plan.filter(&input, &key, &mut output, &mut account).wrong(filter.file.display())?;
    let explained = compiled.plan.explain(&input).wrong(filter.file.display())?;
    if filter.explain {
        print_explained(&explained, &compiled)?;
    }
    if filter.json {
        tell(&format!("{}", account_json(&account, &explained, &compiled)));
    } else if !filter.explain {
        tell(&account_words(&account));
    }
    match filter.format {
        DocumentFormat::Binary => out.write_all(&output),
        DocumentFormat::Json => writeln!(out, "{:#}", document::to_json(&output, &message)?),
    }
    .unreachable("standard output")
}

/// Loads a bundle for looking at: a draft needs no signatures.
pub(crate) fn load(folder: &Path) -> Outcome<Proven> {
    Proven::load(&bundle::read(folder)?, &Trust::Draft).wrong(folder.display())
}

/// What was compiled for a route as a person writes it: the sender's role may be left out where only one fits.
pub(crate) fn compiled(proven: &Proven, route: &cli::Route) -> Outcome<Arc<Compiled>> {
    let situation = situation(proven, route)?;
    let refused = |reason: Reason| Failure::Use(format!("{reason}: {}", reason.advice()));
    let compiled = proven.compiled(&situation).map_err(|refusal| refused(refusal.reason))?;
    fits(&compiled, route.phase)?;
    Ok(compiled)
}

/// Whether the exchange fits the phase of the traject that was given, if one was.
pub(crate) fn fits(compiled: &Compiled, phase: Option<u8>) -> Outcome {
    let Some(phase) = phase else { return Ok(()) };
    let fits = compiled.exchange.admits((phase > 0).then_some(phase));
    fits.map_err(|reason| Failure::Use(format!("{reason}: {}", reason.advice())))
}

pub(crate) fn situation(proven: &Proven, route: &cli::Route) -> Outcome<Situation> {
    let (oin, role) = &route.sender;
    let role = match role {
        Some(role) => role.clone(),
        None => only_role(proven, *oin, route)?,
    };
    Ok(Situation {
        message: route.message.clone(),
        sender: (*oin, role),
        receiver: route.receiver.clone(),
        purpose: route.purpose.clone(),
        consents: Consents::both(route.consent),
        spoed: false,
    })
}

/// The roles of the sender in which this may be sent; the first, when the plan does not depend on which.
fn only_role(proven: &Proven, oin: Oin, route: &cli::Route) -> Outcome<Role> {
    let kind = proven.organisation(&oin).map(|organisation| &organisation.kind);
    let kind = kind.ok_or_else(|| Failure::Use(format!("{oin}: the bundle knows no such organisation")))?;
    let exchanges = proven
        .exchanges()
        .filter(|exchange| exchange.message == route.message && exchange.purpose == route.purpose);
    let mut roles: Vec<&Role> = exchanges
        .flat_map(|exchange| &exchange.from)
        .filter(|sender| sender.kind == *kind)
        .map(|sender| &sender.role)
        .collect();
    roles.sort();
    roles.dedup();
    match roles.as_slice() {
        [] => {
            let message = format!("nobody of {oin} may send {} for {}", route.message, route.purpose);
            Err(Failure::Use(message))
        }
        [role, ..] => Ok((*role).clone()),
    }
}

fn account_json(account: &Account, explained: &[fields::Explained], compiled: &Compiled) -> Value {
    let passed =
        account.passed().map(|(class, form, count)| json!({ "class": class, "form": form, "count": count }));
    let withheld = account.withheld().map(|(class, count)| json!({ "class": class, "count": count }));
    json!({
        "exchange": &*compiled.exchange.id,
        "passed": passed.collect::<Vec<_>>(),
        "withheld": withheld.collect::<Vec<_>>(),
        "unclassified": account.unclassified(),
        "unknown": account.unknown(),
        "texts": account.texts().len(),
        "fields": explained.iter().map(|field| explained_json(field, compiled)).collect::<Vec<_>>(),
    })
}

fn explained_json(field: &fields::Explained, compiled: &Compiled) -> Value {
    let cell = compiled.cells.iter().find(|cell| cell.path.as_str() == field.path);
    json!({ "field": field.path, "class": field.class, "outcome": field.outcome.to_string(), "count": field.count,
            "rule": cell.map(|cell| cell.rule.as_str()), "reason": cell.map(|cell| &*cell.sentence.nl) })
}

fn account_words(account: &Account) -> String {
    let mut text = String::new();
    for (class, form, count) in account.passed() {
        text.push_str(&format!("passes    {:<24} {:<14} {count}\n", class.name(), form.name()));
    }
    for (class, count) in account.withheld() {
        text.push_str(&format!("withheld  {:<39} {count}\n", class.name()));
    }
    if account.unclassified() + account.unknown() > 0 {
        text.push_str(&format!(
            "withheld  {:<39} {}\n",
            "(no class)",
            account.unclassified() + account.unknown()
        ));
    }
    text.push_str(&format!("texts to screen: {}", account.texts().len()));
    text
}

fn print_explained(explained: &[fields::Explained], compiled: &Compiled) -> Outcome {
    for field in explained {
        let cell = compiled.cells.iter().find(|cell| cell.path.as_str() == field.path);
        let class = field.class.map_or("(no class)", |class| class.name());
        let why = cell.map_or("", |cell| &cell.sentence.nl);
        let rule = cell.map_or("", |cell| cell.rule.as_str());
        tell(&format!("{:<48} {class:<24} {:<34} {rule} – {why}", field.path, field.outcome.to_string()));
    }
    Ok(())
}

/// The account goes to standard error, so that the bytes on standard output stay bytes.
#[expect(clippy::print_stderr, reason = "the account of a command line tool belongs there")]
fn tell(text: &str) {
    eprintln!("{text}");
}
