//! `veldwacht send`: a document from a file to its receivers, and what became of it.

use std::io::Write;
use std::path::Path;

use model::Bsn;
use policy::{Proven, Trust};
use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::exchange::v1::outcome::Result as Told;
use serde_json::{Value, json};

use crate::bundle;
use crate::cli;
use crate::client::{Acting, Client, Files, told};
use crate::document;
use crate::failure::{Doing, Failure, Outcome};

/// Sends; the answer is no when a text came back.
pub(crate) async fn run(send: &cli::Send, out: &mut impl Write) -> Outcome {
    // The text of the error does not repeat what was given.
    let client: Bsn = send.client.parse().wrong("--client")?;
    let proven = contracts(send.bundle.as_deref())?;
    let message = proven.message(&send.message);
    let message =
        message.ok_or_else(|| Failure::Use(format!("{}: no contract has this type", send.message)))?;
    let request = wire::SendRequest {
        exchange_id: send.exchange.map(|id| id.to_string()).unwrap_or_default(),
        client_bsn: client.expose().to_owned(),
        message_type: send.message.to_string(),
        document: document::read(&send.file, &message)?.into(),
        receivers: send
            .to
            .iter()
            .map(|(oin, role)| wire::Party { oin: oin.to_string(), role: role.to_string() })
            .collect(),
        explain: true,
        hold_for_release: send.hold_for_release,
        ..Default::default()
    };
    let caller = connect(&send.caller).await?;
    let acting = Acting { spoed: send.spoed.clone(), ..acting(&send.caller)? };
    let request = caller.asserted(request, &acting, Some(&send.purpose))?;
    match caller.exchange().send(request).await {
        Ok(answer) => print(send.json, &answer.into_inner(), out),
        Err(status) => {
            if let Some(answer) = answer_in(&status) {
                print(send.json, &answer, out)?;
            }
            Err(told(&status))
        }
    }
}

/// The bundle whose contracts turn text into bytes.
pub(crate) fn contracts(folder: Option<&Path>) -> Outcome<Proven> {
    let files = folder.map_or_else(|| Ok(bundle::shipped()), bundle::read)?;
    Proven::load(&files, &Trust::Draft).wrong("the bundle")
}

pub(crate) async fn connect(caller: &cli::Caller) -> Outcome<Client> {
    connect_as(&caller.certificate, &caller.how).await
}

/// Connects with this certificate.
pub(crate) async fn connect_as(certificate: &Path, how: &cli::How) -> Outcome<Client> {
    let mut files = Files::beside(certificate);
    if let Some(ca) = &how.ca {
        files.gateway_ca.clone_from(ca);
    }
    if let Some(key) = &how.assertion_key {
        files.assertion_key.clone_from(key);
    }
    Client::connect(&how.gateway, &files).await
}

pub(crate) fn acting(caller: &cli::Caller) -> Outcome<Acting> {
    acting_as(&caller.certificate, &caller.how)
}

/// Who acts: named, or the role that the system is called after.
pub(crate) fn acting_as(certificate: &Path, how: &cli::How) -> Outcome<Acting> {
    let system = certificate.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let role = match &how.role {
        Some(role) => role.clone(),
        None => system.parse().wrong("--role is needed: the certificate is not called after a role")?,
    };
    let user = how.user.clone().unwrap_or_else(|| system.to_owned());
    Ok(Acting { role, user, big: how.big.clone(), spoed: None })
}

/// The outcomes that travel in the details of a status.
pub(crate) fn answer_in(status: &tonic::Status) -> Option<wire::SendResponse> {
    use prost::{Message as _, Name as _};
    let details = tonic_types::pb::Status::decode(status.details()).ok()?.details;
    let found = details.iter().find(|detail| detail.type_url.ends_with(&wire::SendResponse::full_name()))?;
    wire::SendResponse::decode(found.value.as_slice()).ok()
}

fn print(as_json: bool, answer: &wire::SendResponse, out: &mut impl Write) -> Outcome {
    let text = if as_json { json(answer).to_string() } else { words(answer) };
    writeln!(out, "{}", text.trim_end()).unreachable("standard output")
}

/// An answer as JSON, with the names of the contract.
pub(crate) fn json(answer: &wire::SendResponse) -> Value {
    let outcomes = answer.outcomes.iter().map(|outcome| {
        let receiver = outcome.receiver.clone().unwrap_or_default();
        let mut told = json!({ "receiver": receiver.oin, "role": receiver.role });
        let result = match &outcome.result {
            Some(Told::Delivered(delivered)) => json!({ "delivered": {
                "delivery_id": delivered.delivery_id,
                "passed": delivered.passed.iter().map(passed).collect::<Vec<_>>(),
                "withheld": delivered.withheld.iter().map(withheld).collect::<Vec<_>>() } }),
            Some(Told::Returned(returned)) => {
                let findings: Vec<Value> = returned.findings.iter().map(finding).collect();
                json!({ "returned": findings, "held": returned.held_delivery_id })
            }
            Some(Told::Refused(refused)) => {
                json!({ "refused": { "reason": refused.reason, "advice": refused.advice } })
            }
            None => Value::Null,
        };
        if let (Value::Object(told), Value::Object(result)) = (&mut told, result) {
            told.extend(result);
        }
        told
    });
    json!({ "exchange": answer.exchange_id, "record": answer.record_index, "outcomes": outcomes.collect::<Vec<_>>() })
}

pub(crate) fn passed(cell: &wire::ClassCount) -> Value {
    json!({ "class": cell.class, "form": cell.form, "count": cell.count })
}

pub(crate) fn withheld(cell: &wire::Withheld) -> Value {
    json!({ "field": cell.field, "class": cell.class, "reason": cell.reason_nl, "rule": cell.rule })
}

pub(crate) fn finding(found: &wire::Finding) -> Value {
    json!({ "field": found.field, "start": found.start, "end": found.end, "class": found.class,
            "rule": found.rule, "advice": { "nl": found.advice_nl, "en": found.advice_en } })
}

fn words(answer: &wire::SendResponse) -> String {
    let mut text = String::new();
    for outcome in &answer.outcomes {
        let receiver = outcome.receiver.clone().unwrap_or_default();
        text.push_str(&format!("{}:{}\n", receiver.oin, receiver.role));
        match &outcome.result {
            Some(Told::Delivered(delivered)) => {
                for cell in &delivered.passed {
                    text.push_str(&format!(
                        "  passes    {:<24} {:<14} {}\n",
                        cell.class, cell.form, cell.count
                    ));
                }
                for cell in &delivered.withheld {
                    let what = if cell.field.is_empty() { &cell.class } else { &cell.field };
                    text.push_str(&format!("  withheld  {what:<39} {}\n", cell.reason_nl));
                }
            }
            Some(Told::Returned(returned)) => {
                for found in &returned.findings {
                    let place = format!("{} [{}–{}]", found.field, found.start, found.end);
                    text.push_str(&format!("  returned  {place:<39} {}: {}\n", found.class, found.advice_nl));
                }
            }
            Some(Told::Refused(refused)) => {
                text.push_str(&format!("  refused   {}: {}\n", refused.reason, refused.advice));
            }
            None => {}
        }
    }
    text.push_str(&format!("exchange {}, record {}", answer.exchange_id, answer.record_index));
    text
}
