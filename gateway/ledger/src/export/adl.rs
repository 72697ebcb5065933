//! Authorization Decision Log (Logius): one row for each record that holds decisions.
//!
//! Owns: request and response in the words of AuthZEN. Policies and configuration go by reference, request and
//! response raw, none of them both ways. A denial is an answer, not an error.

use serde_json::{Map, Value, json};

use super::{Producer, Record, status, trace};
use crate::leaf::{Carried, Decision, Delivery, Event};

pub(super) fn row(record: &Record, producer: &Producer) -> Option<Value> {
    let leaf = &record.leaf;
    let carried = match &leaf.event {
        Event::Sent(carried) | Event::HandedOut(carried) | Event::Refused(carried) | Event::Ask(carried) => {
            carried
        }
        _ => return None,
    };
    let (trace_id, span_id) = trace(leaf);
    let (event_name, request, response) = match carried.to.as_slice() {
        [] => ("adl.access_evaluation", request(record, carried, None), refused(carried)),
        [one] => ("adl.access_evaluation", request(record, carried, Some(one)), response(one)),
        many => {
            let mut request = request(record, carried, None);
            let subjects = many.iter().map(|delivery| json!({ "subject": subject(delivery) }));
            request.insert("evaluations".into(), subjects.collect());
            let evaluations: Vec<Value> = many.iter().map(response).collect();
            ("adl.access_evaluations", request, json!({ "evaluations": evaluations }))
        }
    };
    let mut row = Map::new();
    row.insert("trace_id".into(), json!(trace_id));
    row.insert("span_id".into(), json!(span_id));
    if let Some(parent) = leaf.trace.and_then(|trace| trace.parent_span_id) {
        row.insert("parent_span_id".into(), json!(parent));
    }
    row.insert("event_name".into(), json!(event_name));
    row.insert("timestamp".into(), json!(leaf.time));
    row.insert("status".into(), json!(status(leaf)));
    let attributes = json!({
        "adl.core.policies": { "bundle": { "number": leaf.bundle.number, "sha256": leaf.bundle.digest } },
        "adl.core.configuration": { "gateway": producer.version },
        "adl.fsc.transaction_id": leaf.exchange,
        "veldwacht.log.index": record.index,
    });
    row.insert("attributes".into(), attributes);
    row.insert("resource".into(), json!({ "service.name": producer.name, "oin": producer.oin }));
    row.insert("body".into(), json!({ "adl.core.request": request, "adl.core.response": response }));
    Some(Value::Object(row))
}

/// What was asked: may this receiver have this message, from this sender, for this doel?
fn request(record: &Record, carried: &Carried, to: Option<&Delivery>) -> Map<String, Value> {
    let terms = &carried.terms;
    let mut request = Map::new();
    if let Some(delivery) = to {
        request.insert("subject".into(), subject(delivery));
    }
    request.insert(
        "action".into(),
        json!({ "name": record.leaf.kind(), "properties": { "doel": terms.purpose } }),
    );
    let resource = json!({ "type": terms.message, "id": record.leaf.exchange, "properties": { "uitwisseling": terms.declared } });
    request.insert("resource".into(), resource);
    let context = json!({
        "verzender": carried.from,
        "grondslag": terms.grondslag,
        "spoed": terms.spoed,
        "time": crate::moment::rfc3339(record.leaf.time),
    });
    request.insert("context".into(), context);
    request
}

fn subject(delivery: &Delivery) -> Value {
    let mut properties = Map::from_iter([("rol".to_owned(), json!(delivery.to.role))]);
    if let Some(consents) = delivery.consents {
        properties.insert("toestemming".into(), json!(consents));
    }
    json!({ "type": "organisatie", "id": delivery.to.oin, "properties": properties })
}

fn response(delivery: &Delivery) -> Value {
    let mut context = Map::new();
    if let Some(reason) = delivery.reason {
        context.insert("reason".into(), json!(reason));
    }
    context.insert("passed".into(), json!(delivery.passed));
    context.insert("withheld".into(), json!(delivery.withheld));
    context.insert("held_back".into(), json!(delivery.held_back));
    json!({ "decision": delivery.decision == Decision::Delivered, "context": context })
}

fn refused(carried: &Carried) -> Value {
    json!({ "decision": false, "context": { "reason": carried.reason } })
}
