//! NEN 7513: who did what with whose data. The only projection with users and clients in it.
//!
//! Owns: that mapping, with the field names of the norm as the LDV extension for NEN 7513 writes them. What was
//! erased stays out, and the row says so.

use model::Fault;
use serde_json::{Map, Value, json};

use super::{Producer, Record, reason, trace};
use crate::leaf::{Event, Leaf};

pub(super) fn row(record: &Record, producer: &Producer) -> Option<Value> {
    let leaf = &record.leaf;
    leaf.client.as_ref()?;
    let carried = leaf.event.carried();
    let (trace_id, span_id) = trace(leaf);
    let consents: Vec<Value> = carried
        .iter()
        .flat_map(|carried| &carried.to)
        .filter_map(|delivery| Some(json!({ "ontvanger": delivery.to, "toestemming": delivery.consents? })))
        .collect();
    Some(json!({
        "trace_id": trace_id,
        "span_id": span_id,
        "EventID": leaf.activity.as_ref().unwrap_or(&producer.activity),
        "EventTypeCode": leaf.kind(),
        "EventActionCode": action(leaf),
        "EventDateTime": crate::moment::rfc3339(leaf.time),
        "EventOutcomeIndicator": outcome(leaf),
        "users": users(record),
        "participants": participants(record),
        "autorisatieProtocol": format!("bundle {} sha256:{}", leaf.bundle.number, leaf.bundle.digest),
        "toestemmingsProfiel": consents,
        "noodprocedure": carried.is_some_and(|carried| carried.terms.spoed),
        "AuditEnterpriseSiteID": producer.oin,
        "AuditSourceID": producer.name,
        "AuditSourceTypeCode": "4",
    }))
}

/// C made, R read, U changed, D deleted, E carried out (RFC 3881 5.1.2).
fn action(leaf: &Leaf) -> &'static str {
    match &leaf.event {
        Event::Sent(_) => "C",
        Event::HandedOut(_) | Event::Ask(_) | Event::Access(_) => "R",
        Event::Consent(_) | Event::Traject(_) => "U",
        Event::Erased(_) | Event::Expired(_) => "D",
        Event::Acknowledged(_)
        | Event::Refused(_)
        | Event::Bundle(_)
        | Event::Change(_)
        | Event::Escape(_)
        | Event::Release(_) => "E",
    }
}

/// 0 done, 4 refused, 8 the gateway failed (RFC 3881 5.1.4).
fn outcome(leaf: &Leaf) -> u8 {
    let refused = match &leaf.event {
        Event::Erased(erasure) => erasure.reason,
        Event::Bundle(change) => change.reason,
        Event::Change(step) => step.reason,
        _ => reason(leaf),
    };
    match refused.map(|reason| reason.fault()) {
        None => 0,
        Some(Fault::Gateway) => 8,
        Some(_) => 4,
    }
}

/// Who acted, on whose responsibility, and who received.
fn users(record: &Record) -> Vec<Value> {
    let leaf = &record.leaf;
    let purpose = leaf.event.carried().and_then(|carried| carried.terms.purpose.as_ref());
    let mut users = Vec::new();
    if let Some(actor) = leaf.event.actor() {
        let sealed = record.sealed.as_ref();
        let mut user = Map::new();
        user.insert("userID".into(), json!(sealed.and_then(|sealed| sealed.user.as_ref())));
        if let Some(responsible) = sealed.and_then(|sealed| sealed.responsible.as_ref()) {
            user.insert("responsibleUserID".into(), json!(responsible));
        }
        user.insert("userIsRequestor".into(), json!(true));
        user.insert("roleIDCode".into(), json!(actor.role));
        user.insert("purposeOfUse".into(), json!(purpose));
        user.insert("networkAccessPointTypeCode".into(), json!("oin"));
        user.insert("networkAccessPointID".into(), json!(actor.oin));
        users.push(Value::Object(user));
    }
    let others =
        leaf.event.carried().into_iter().flat_map(|carried| &carried.to).map(|delivery| &delivery.to);
    users.extend(others.filter(|to| Some(*to) != leaf.event.actor()).map(|to| {
        json!({
            "userID": to.oin,
            "userIsRequestor": false,
            "roleIDCode": to.role,
            "networkAccessPointTypeCode": "oin",
            "networkAccessPointID": to.oin,
        })
    }));
    users
}

/// The client (type 1, role 1 = patient) and the exchange (type 2, role 3 = report); RFC 3881 5.5.
fn participants(record: &Record) -> Vec<Value> {
    let leaf = &record.leaf;
    let mut participants: Vec<Value> = match &record.sealed {
        Some(sealed) => sealed
            .client
            .iter()
            .map(|client| {
                json!({
                    "participantObjectTypeCode": "1",
                    "participantObjectTypeCodeRole": "1",
                    "participantObjectIDTypeCode": client.kind,
                    "participantObjectID": client.value,
                })
            })
            .collect(),
        None => vec![json!({
            "participantObjectTypeCode": "1",
            "participantObjectTypeCodeRole": "1",
            "participantObjectIDTypeCode": "gewist-of-niet-geopend",
            "participantObjectID": null,
        })],
    };
    let message = leaf.event.carried().and_then(|carried| carried.terms.message.as_ref());
    participants.push(json!({
        "participantObjectTypeCode": "2",
        "participantObjectTypeCodeRole": "3",
        "participantObjectIDTypeCode": "uitwisseling",
        "participantObjectID": leaf.exchange,
        "participantObjectName": message,
    }));
    participants
}
