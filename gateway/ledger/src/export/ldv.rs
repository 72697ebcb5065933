//! Logboek Dataverwerkingen (Logius): one row for each processing of a client's data, no users.
//!
//! Owns: that mapping. The data subject is the record's link: a keyed digest that only the holder of the client's
//! key can tie to a person, and nobody after erasure.

use serde_json::{Map, Value, json};

use super::{Producer, Record, status, trace};

/// The public register of OINs; with the number as its fragment it is the URI of an organisation.
const OIN_REGISTER: &str = "https://oinregister.logius.nl/oin-register#";

pub(super) fn row(record: &Record, producer: &Producer) -> Option<Value> {
    let leaf = &record.leaf;
    let client = leaf.client.as_ref()?;
    let (trace_id, span_id) = trace(leaf);
    let message = leaf.event.carried().and_then(|carried| carried.terms.message.as_ref());
    let name = message.map_or(leaf.kind().name().to_owned(), |message| format!("{} {message}", leaf.kind()));
    let mut attributes = Map::new();
    let activity = leaf.activity.as_ref().unwrap_or(&producer.activity);
    attributes.insert("dpl.core.processing_activity_id".into(), json!(activity));
    attributes.insert("dpl.core.data_subject_id".into(), json!(client.link));
    attributes.insert("dpl.core.data_subject_id_type".into(), json!("hmac-sha256"));
    if let Some(actor) = leaf.event.actor() {
        let processor = format!("{OIN_REGISTER}{}", actor.oin);
        attributes.insert("dpl.core.foreign_operation.processor".into(), json!(processor));
    }
    let mut row = Map::new();
    row.insert("trace_id".into(), json!(trace_id));
    row.insert("span_id".into(), json!(span_id));
    row.insert("status".into(), json!(status(leaf)));
    row.insert("name".into(), json!(name));
    row.insert("start_time".into(), json!(leaf.time));
    row.insert("end_time".into(), json!(leaf.time));
    if let Some(parent) = leaf.trace.and_then(|trace| trace.parent_span_id) {
        row.insert("parent_span_id".into(), json!(parent));
    }
    let resource = json!({ "attributes": { "name": producer.name, "version": producer.version } });
    row.insert("resource".into(), resource);
    row.insert("attributes".into(), Value::Object(attributes));
    Some(Value::Object(row))
}
