//! `veldwacht policy propose|approve|reject|activate|rollback|changes|running`, and `simulate` and `replay` of a change:
//! what operators do with a running gateway.
//!
//! Owns: calling it, and printing. What may be done by whom is decided by the gateway, which records it.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use model::ExchangeId;
use policy::Part;
use proto::veldwacht::policy::v1 as wire;
use proto::veldwacht::policy::v1::policy_service_client::PolicyServiceClient;
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::bundle::{self, Files};
use crate::cli::{self, Operator, Step};
use crate::client::{self, told};
use crate::commands::policy::sign_files;
use crate::commands::send::contracts;
use crate::document;
use crate::failure::{Doing, Failure, Outcome};

/// Longer than any bundle.
const MOST: usize = 32 << 20;

type Policies = PolicyServiceClient<Channel>;

/// Takes a step.
pub(crate) async fn run(step: &Step, out: &mut impl Write) -> Outcome {
    match step {
        Step::Propose { bundle, operator } => {
            let request = wire::ProposeRequest { bundle: Some(wire_bundle(bundle::read(bundle)?)) };
            let mut policies = connect(operator).await?;
            let change = policies.propose(request).await.map_err(|status| told(&status))?.into_inner().change;
            proposed(&mut policies, operator, &change.unwrap_or_default(), out).await
        }
        Step::Rollback { bundle, sign, operator } => {
            let mut policies = connect(operator).await?;
            let files = match bundle {
                Some(folder) => bundle::read(folder)?,
                None => before(&mut policies, sign).await?,
            };
            let request = wire::RollbackRequest { bundle: Some(wire_bundle(files)) };
            let change =
                policies.rollback(request).await.map_err(|status| told(&status))?.into_inner().change;
            proposed(&mut policies, operator, &change.unwrap_or_default(), out).await
        }
        Step::Approve { change, difference, operator } => {
            let request =
                wire::ApproveRequest { change: change.to_string(), difference: difference.to_string() };
            let answer = connect(operator).await?.approve(request).await.map_err(|status| told(&status))?;
            one(operator, &answer.into_inner().change.unwrap_or_default(), out)
        }
        Step::Reject { change, operator } => {
            let request = wire::RejectRequest { change: change.to_string() };
            let answer = connect(operator).await?.reject(request).await.map_err(|status| told(&status))?;
            one(operator, &answer.into_inner().change.unwrap_or_default(), out)
        }
        Step::Activate { change, operator } => {
            let request = wire::ActivateRequest { change: change.to_string() };
            let answer = connect(operator).await?.activate(request).await.map_err(|status| told(&status))?;
            one(operator, &answer.into_inner().change.unwrap_or_default(), out)
        }
        Step::Changes { change, operator } => changes(change.as_ref(), operator, out).await,
        Step::Shadow { operator } => shadow(operator, out).await,
        Step::Escapes { operator } => escapes(operator, out).await,
        Step::Running { out: folder, operator } => running(folder.as_deref(), operator, out).await,
    }
}

/// Simulates a change on a document; that counts as its simulation.
pub(crate) async fn simulate(
    change: &str,
    operator: &Operator,
    route: &cli::Route,
    file: &Path,
    out: &mut impl Write,
) -> Outcome {
    let proven = contracts(None)?;
    let situation = crate::commands::filter::situation(&proven, route)?;
    let message = proven.message(&route.message);
    let message = message.ok_or_else(|| Failure::Use("no contract has this type".into()))?;
    let request = wire::SimulateRequest {
        which: Some(of_change(change)),
        message_type: route.message.to_string(),
        sender_oin: situation.sender.0.to_string(),
        sender_role: situation.sender.1.to_string(),
        receiver_oin: situation.receiver.0.to_string(),
        receiver_role: situation.receiver.1.to_string(),
        purpose: route.purpose.to_string(),
        consent: route.consent.name().to_owned(),
        spoed: false,
        document: document::read(file, &message)?,
    };
    let answer = connect(operator).await?.simulate(request).await.map_err(|status| told(&status))?;
    for field in answer.into_inner().fields {
        let text = if operator.at.json {
            json!({ "path": field.path, "class": field.class, "before": value(&field.before),
                    "after": value(&field.after), "screened": field.screened, "rule": field.rule,
                    "nl": field.sentence_nl, "en": field.sentence_en })
            .to_string()
        } else {
            let after = match (field.after.as_str(), field.screened) {
                ("", _) => "—".to_owned(),
                (_, true) => "screened".to_owned(),
                (after, false) => format!("→ {after}"),
            };
            format!(
                "{:<52} {:<24} {after:<30} {}: {}",
                field.path, field.class, field.rule, field.sentence_nl
            )
        };
        writeln!(out, "{text}").unreachable("standard output")?;
    }
    Ok(())
}

/// Runs a change over what the gateway delivered before; that counts as its simulation too.
pub(crate) async fn replay(change: &str, operator: &Operator, out: &mut impl Write) -> Outcome {
    let request = wire::ReplayRequest { which: Some(of_change(change)) };
    let answer = connect(operator).await?.replay(request).await.map_err(|status| told(&status))?.into_inner();
    let changed = |rows: &[wire::Changed]| -> Vec<Value> {
        let row = |row: &wire::Changed| json!({ "exchange": row.exchange, "class": row.class, "deliveries": row.deliveries });
        rows.iter().map(row).collect()
    };
    if operator.at.json {
        let refused: serde_json::Map<String, Value> =
            answer.refused.iter().map(|row| (row.reason.clone(), row.deliveries.into())).collect();
        let told = json!({ "deliveries": answer.deliveries, "unchanged": answer.unchanged, "refused": refused,
                           "lost": changed(&answer.lost), "gained": changed(&answer.gained) });
        return writeln!(out, "{told}").unreachable("standard output");
    }
    let mut text =
        format!("{} deliveries, {} would have gone as they did\n", answer.deliveries, answer.unchanged);
    for row in &answer.refused {
        text.push_str(&format!("  {} would have been refused: {}\n", row.deliveries, row.reason));
    }
    for row in &answer.lost {
        let wire::Changed { exchange, class, deliveries } = row;
        text.push_str(&format!(
            "  {deliveries} of {exchange} would have lost {class}, or some of its precision\n"
        ));
    }
    for row in &answer.gained {
        let wire::Changed { exchange, class, deliveries } = row;
        text.push_str(&format!("  {deliveries} of {exchange} could have had more of {class}\n"));
    }
    write!(out, "{text}").unreachable("standard output")
}

async fn connect(operator: &Operator) -> Outcome<Policies> {
    let channel =
        client::operator(&operator.at.gateway, &operator.certificate, operator.at.ca.as_deref()).await?;
    Ok(Policies::new(channel).max_decoding_message_size(MOST).max_encoding_message_size(MOST))
}

/// What ran before the running bundle, under the next number, signed with these keys.
async fn before(policies: &mut Policies, keys: &[std::path::PathBuf]) -> Outcome<Files> {
    let running = policies.get_running(wire::GetRunningRequest {}).await.map_err(|status| told(&status))?;
    let wire::GetRunningResponse { running, history, .. } = running.into_inner();
    let running = running.unwrap_or_default();
    let earlier = history.iter().rev().find(|earlier| earlier.digest != running.digest);
    let earlier = earlier.ok_or_else(|| Failure::Use("nothing ran before the running bundle".into()))?;
    let which = wire::Which { which: Some(wire::which::Which::Digest(earlier.digest.clone())) };
    let found = policies.get_bundle(wire::GetBundleRequest { which: Some(which) }).await;
    let found = found.map_err(|status| told(&status))?.into_inner().bundle.unwrap_or_default();
    let mut files: Files = found.files.into_iter().collect();
    let highest = history.iter().map(|earlier| earlier.number).max().unwrap_or(running.number);
    renumber(&mut files, highest.saturating_add(1))?;
    keys.iter().try_for_each(|key| sign_files(&mut files, key, Part::Policies))?;
    Ok(files)
}

/// Gives a bundle another number; everything else in its `bundle.toml` stays as it is.
fn renumber(files: &mut Files, number: u64) -> Outcome {
    let text = files.get("bundle.toml").and_then(|bytes| std::str::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| Failure::Use("the bundle has no bundle.toml".into()))?;
    let lines = text.lines().map(|line| match line.split_once('=') {
        Some((key, _)) if key.trim() == "number" => format!("number = {number}\n"),
        _ => format!("{line}\n"),
    });
    let text: String = lines.collect();
    files.insert("bundle.toml".to_owned(), text.into_bytes());
    Ok(())
}

/// A change that was just proposed, and what it changes.
async fn proposed(
    policies: &mut Policies,
    operator: &Operator,
    change: &wire::Change,
    out: &mut impl Write,
) -> Outcome {
    let cells = cells(policies, change).await?;
    with_cells(operator, change, &cells, out)
}

async fn cells(policies: &mut Policies, change: &wire::Change) -> Outcome<Vec<wire::Cell>> {
    let digest = change.from.clone().unwrap_or_default().digest;
    let request = wire::DiffRequest {
        from: Some(wire::Which { which: Some(wire::which::Which::Digest(digest)) }),
        to: Some(of_change(&change.id)),
    };
    Ok(policies.diff(request).await.map_err(|status| told(&status))?.into_inner().cells)
}

async fn changes(wanted: Option<&ExchangeId>, operator: &Operator, out: &mut impl Write) -> Outcome {
    let mut policies = connect(operator).await?;
    let all = policies.list_changes(wire::ListChangesRequest {}).await.map_err(|status| told(&status))?;
    let all = all.into_inner().changes;
    let Some(wanted) = wanted else {
        return all.iter().try_for_each(|change| one(operator, change, out));
    };
    let found = all.into_iter().find(|change| change.id == wanted.to_string());
    let found = found.ok_or_else(|| Failure::Use(format!("{wanted}: there is no such change")))?;
    let cells = cells(&mut policies, &found).await?;
    with_cells(operator, &found, &cells, out)
}

async fn running(folder: Option<&Path>, operator: &Operator, out: &mut impl Write) -> Outcome {
    let mut policies = connect(operator).await?;
    let told = policies.get_running(wire::GetRunningRequest {}).await.map_err(|status| told(&status))?;
    let wire::GetRunningResponse { running, name, history } = told.into_inner();
    let running = running.unwrap_or_default();
    if let Some(folder) = folder {
        let found = policies.get_bundle(wire::GetBundleRequest { which: None }).await;
        let found = found.map_err(|status| client::told(&status))?.into_inner().bundle.unwrap_or_default();
        bundle::write(&found.files.into_iter().collect(), folder)?;
    }
    let text = if operator.at.json {
        let history: Vec<Value> = history.iter().map(reference).collect();
        json!({ "running": reference(&running), "name": name, "history": history }).to_string()
    } else {
        format!(
            "{name} {}, digest {}; {} ran before",
            running.number,
            running.digest,
            history.len().saturating_sub(1)
        )
    };
    writeln!(out, "{text}").unreachable("standard output")
}

async fn shadow(operator: &Operator, out: &mut impl Write) -> Outcome {
    let answer = connect(operator).await?.get_shadow(wire::GetShadowRequest {}).await;
    let answer = answer.map_err(|status| told(&status))?.into_inner();
    if operator.at.json {
        let row =
            |row: &wire::Difference| json!({ "place": row.place, "what": row.what, "count": row.count });
        let rows: Vec<Value> = answer.differences.iter().map(row).collect();
        let told = json!({ "draft": answer.draft, "decisions": answer.decisions, "differences": rows });
        return writeln!(out, "{told}").unreachable("standard output");
    }
    let mut text = format!("draft {}, compared on {} decisions\n", answer.draft, answer.decisions);
    for wire::Difference { place, what, count } in &answer.differences {
        text.push_str(&format!("  {count} × {place}: {what}\n"));
    }
    write!(out, "{text}").unreachable("standard output")
}

async fn escapes(operator: &Operator, out: &mut impl Write) -> Outcome {
    let answer = connect(operator).await?.list_escapes(wire::ListEscapesRequest { most: 0 }).await;
    for escape in answer.map_err(|status| told(&status))?.into_inner().escapes {
        let wire::Escape { record_index, exchange_id, oin, role, reason, user, called_at, until } = escape;
        let text = if operator.at.json {
            json!({ "record": record_index, "exchange": exchange_id, "by": format!("{oin}:{role}"), "user": user,
                    "reason": reason, "called_at": called_at, "until": until })
            .to_string()
        } else {
            format!(
                "record {record_index}: {reason}, by {user} ({oin}:{role}), exchange {exchange_id}, until {until}"
            )
        };
        writeln!(out, "{text}").unreachable("standard output")?;
    }
    Ok(())
}

fn one(operator: &Operator, change: &wire::Change, out: &mut impl Write) -> Outcome {
    let text = if operator.at.json { told_json(change).to_string() } else { words(change) };
    writeln!(out, "{text}").unreachable("standard output")
}

fn with_cells(
    operator: &Operator,
    change: &wire::Change,
    cells: &[wire::Cell],
    out: &mut impl Write,
) -> Outcome {
    if operator.at.json {
        let mut told = told_json(change);
        let cell = |cell: &wire::Cell| {
            json!({ "widens": cell.widens, "place": cell.place, "what": cell.what, "before": cell.before,
                    "after": cell.after, "states": cell.states })
        };
        if let Value::Object(told) = &mut told {
            told.insert("cells".to_owned(), cells.iter().map(cell).collect());
        }
        return writeln!(out, "{told}").unreachable("standard output");
    }
    for cell in cells {
        let mark = if cell.widens { "WIDENS " } else { "narrows" };
        writeln!(
            out,
            "{mark}  {}: {}: {} → {} ({})",
            cell.place, cell.what, cell.before, cell.after, cell.states
        )
        .unreachable("standard output")?;
    }
    writeln!(out, "{}", words(change)).unreachable("standard output")
}

fn told_json(change: &wire::Change) -> Value {
    json!({ "change": change.id, "state": change.state, "from": reference(&change.from.clone().unwrap_or_default()),
            "to": reference(&change.to.clone().unwrap_or_default()), "difference": change.difference,
            "widens": change.widens, "rollback": !change.undoes.is_empty(), "author": change.author,
            "approvers": change.approvers, "needed": change.needed, "proposed_at": change.proposed_at })
}

fn reference(bundle: &wire::BundleRef) -> Value {
    json!({ "number": bundle.number, "digest": bundle.digest })
}

fn words(change: &wire::Change) -> String {
    let number = |bundle: &Option<wire::BundleRef>| bundle.as_ref().map_or(0, |bundle| bundle.number);
    let (from, to) = (number(&change.from), number(&change.to));
    let what = if change.undoes.is_empty() { "change" } else { "rollback" };
    let meaning = if change.widens { "widens" } else { "narrows" };
    let (approved, needed) = (change.approvers.len(), change.needed);
    let by = if change.approvers.is_empty() {
        String::new()
    } else {
        format!(" by {}", change.approvers.join(", "))
    };
    format!(
        "{what} {}: bundle {from} → {to}, {meaning}; {}, proposed by {}, approved {approved} of {needed}{by}\n  difference {}",
        change.id, change.state, change.author, change.difference
    )
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn of_change(id: &str) -> wire::Which {
    wire::Which { which: Some(wire::which::Which::Change(id.to_owned())) }
}

fn wire_bundle(files: Files) -> wire::Bundle {
    wire::Bundle { files: files.into_iter().collect::<HashMap<_, _>>() }
}
