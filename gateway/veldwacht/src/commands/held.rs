//! `veldwacht held list|show|release|refuse|would-stop`: what officers do about texts that were held back, at a running gateway.
//!
//! Owns: calling it, and printing. Who may do what in which order is decided by the gateway, which records it.

use std::collections::BTreeMap;
use std::io::Write;

use proto::veldwacht::oversight::v1 as wire;
use proto::veldwacht::oversight::v1::held_service_client::HeldServiceClient;
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::bundle;
use crate::cli::{Held, Operator};
use crate::client::{self, told};
use crate::commands::send::finding;
use crate::failure::{Doing, Outcome};

/// Takes a step, or shows what there is.
pub(crate) async fn run(held: &Held, out: &mut impl Write) -> Outcome {
    match held {
        Held::List { operator } => {
            let answer = connect(operator).await?.list(wire::ListRequest {}).await;
            let answer = answer.map_err(|status| told(&status))?.into_inner();
            for found in &answer.held {
                let text = if operator.at.json { delivery(found).to_string() } else { line(found) };
                writeln!(out, "{text}").unreachable("standard output")?;
            }
            Ok(())
        }
        Held::Show { delivery: id, operator } => {
            let request = wire::ShowRequest { delivery_id: id.to_string() };
            let answer = connect(operator).await?.show(request).await.map_err(|status| told(&status))?;
            show(&answer.into_inner(), operator.at.json, out)
        }
        Held::Release { delivery: id, ground, operator } => {
            let request = wire::ReleaseRequest { delivery_id: id.to_string(), ground: ground.clone() };
            let answer = connect(operator).await?.release(request).await.map_err(|status| told(&status))?;
            state(&id.to_string(), &answer.into_inner().state, operator, out)
        }
        Held::Refuse { delivery: id, ground, operator } => {
            let request = wire::RefuseRequest { delivery_id: id.to_string(), ground: ground.clone() };
            let answer = connect(operator).await?.refuse(request).await.map_err(|status| told(&status))?;
            state(&id.to_string(), &answer.into_inner().state, operator, out)
        }
        Held::WouldStop { lexicon, operator } => {
            let lexicon = bundle::read_folder(lexicon)?.into_iter().collect();
            let request = wire::WouldStopRequest { lexicon };
            let answer =
                connect(operator).await?.would_stop(request).await.map_err(|status| told(&status))?;
            would_stop(&answer.into_inner(), operator.at.json, out)
        }
    }
}

async fn connect(operator: &Operator) -> Outcome<HeldServiceClient<Channel>> {
    let at = &operator.at;
    let channel = client::operator(&at.gateway, &operator.certificate, at.ca.as_deref()).await?;
    Ok(HeldServiceClient::new(channel).max_decoding_message_size(64 << 20))
}

fn delivery(found: &wire::HeldDelivery) -> Value {
    let party = |party: &Option<proto::veldwacht::exchange::v1::Party>| {
        party.as_ref().map(|party| json!({ "oin": party.oin, "role": party.role }))
    };
    let places = found
        .places
        .iter()
        .map(|place| json!({ "field": place.field, "class": place.class, "rule": place.rule }));
    json!({ "delivery": found.delivery_id, "exchange": found.exchange_id, "sender": party(&found.sender),
            "receiver": party(&found.receiver), "purpose": found.purpose, "type": found.message_type,
            "sent": found.sent_at.map(|at| at.seconds), "expires": found.expires_at.map(|at| at.seconds),
            "state": found.state, "proposed_by": found.proposed_by, "ground": found.ground,
            "places": places.collect::<Vec<_>>() })
}

fn line(found: &wire::HeldDelivery) -> String {
    let receiver = found.receiver.clone().unwrap_or_default();
    let by = if found.proposed_by.is_empty() { String::new() } else { format!(" by {}", found.proposed_by) };
    let places: Vec<String> =
        found.places.iter().map(|place| format!("{} {} {}", place.field, place.class, place.rule)).collect();
    let (id, kind, state) = (&found.delivery_id, &found.message_type, &found.state);
    format!("{id} {kind} → {}:{} {state}{by}\n  {}", receiver.oin, receiver.role, places.join("\n  "))
}

fn show(shown: &wire::ShowResponse, as_json: bool, out: &mut impl Write) -> Outcome {
    let held = shown.held.clone().unwrap_or_default();
    if as_json {
        let texts = shown.texts.iter().map(|text| {
            let findings: Vec<Value> = text.findings.iter().map(finding).collect();
            json!({ "field": text.field, "text": text.text, "findings": findings })
        });
        let document = json!({ "held": delivery(&held), "texts": texts.collect::<Vec<_>>() });
        return writeln!(out, "{document}").unreachable("standard output");
    }
    writeln!(out, "{}", line(&held)).unreachable("standard output")?;
    for text in &shown.texts {
        writeln!(out, "\n{}: {}", text.field, text.text).unreachable("standard output")?;
        for found in &text.findings {
            writeln!(out, "  {}–{} {} {}", found.start, found.end, found.class, found.rule)
                .unreachable("standard output")?;
        }
    }
    Ok(())
}

fn would_stop(past: &wire::WouldStopResponse, as_json: bool, out: &mut impl Write) -> Outcome {
    if as_json {
        let place = |found: &wire::PastPlace| {
            json!({ "index": found.index, "digest": found.digest, "delivery": found.delivery_id,
                    "field": found.field, "class": found.class, "rule": found.rule })
        };
        let places = |found: &[wire::PastPlace]| found.iter().map(place).collect::<Vec<_>>();
        let on_record: BTreeMap<_, _> = past.on_record.iter().collect();
        let document = json!({ "stopped": places(&past.stopped), "freed": places(&past.freed), "opened": past.opened,
                               "texts": past.texts, "gone": past.gone, "left": past.left, "on_record": on_record });
        return writeln!(out, "{document}").unreachable("standard output");
    }
    for (sign, places) in [('+', &past.stopped), ('-', &past.freed)] {
        for found in places {
            let wire::PastPlace { index, digest, field, class, rule, .. } = found;
            writeln!(out, "{sign} {index} {digest} {field} {class} {rule}").unreachable("standard output")?;
        }
    }
    let wire::WouldStopResponse { opened, texts, gone, left, .. } = past;
    writeln!(
        out,
        "{texts} texts of {opened} deliveries that wait; of {gone} the texts are not kept, and nobody can tell; {left} not opened"
    )
    .unreachable("standard output")
}

fn state(id: &str, state: &str, operator: &Operator, out: &mut impl Write) -> Outcome {
    let text = if operator.at.json {
        json!({ "delivery": id, "state": state }).to_string()
    } else {
        format!("{id} {state}")
    };
    writeln!(out, "{text}").unreachable("standard output")
}
