//! FSC logging (Logius fsc-logging, log record): one row for each request over the gateway.
//!
//! Owns: who is source and who destination. The gateway offers the service, so an exchange is incoming from the
//! sender, a collection incoming from the receiver, and an ask both incoming and outgoing under one transaction.

use serde_json::{Value, json};

use super::{Producer, Record, trace};
use crate::leaf::{Carried, Event, Leaf};

pub(super) fn rows(record: &Record, producer: &Producer) -> Vec<Value> {
    let leaf = &record.leaf;
    let row = |incoming: bool, source: &str, destination: &str, carried: &Carried| {
        json!({
            "transaction_id": leaf.exchange,
            "direction": if incoming { "DIRECTION_INCOMING" } else { "DIRECTION_OUTGOING" },
            // The ground under which it went: FSC's grant is here the bundle that decided.
            "grant_hash": format!("bundle:{}:{}", leaf.bundle.number, leaf.bundle.digest),
            "source": { "type": "SOURCE_TYPE_SOURCE", "outway_peer_id": source },
            "destination": { "type": "DESTINATION_TYPE_DESTINATION", "service_peer_id": destination },
            "service_name": service_name(leaf, carried),
            "created_at": leaf.time.unix_seconds(),
            "additional_data": additional(record, carried),
            "trace_id": trace(leaf).0,
            "span_id": trace(leaf).1,
        })
    };
    let here = producer.oin.as_str();
    let receiver = |carried: &Carried| carried.to.first().map(|delivery| delivery.to.oin);
    match &leaf.event {
        Event::Sent(carried) | Event::Refused(carried) => {
            let from = carried.from.iter();
            from.map(|from| row(true, from.oin.as_str(), here, carried)).collect()
        }
        Event::HandedOut(carried) | Event::Acknowledged(carried) => {
            receiver(carried).iter().map(|to| row(true, to.as_str(), here, carried)).collect()
        }
        Event::Ask(carried) => {
            let asked = receiver(carried);
            let incoming = asked.iter().map(|asker| row(true, asker.as_str(), here, carried));
            let source = carried.from.iter();
            incoming.chain(source.map(|source| row(false, here, source.oin.as_str(), carried))).collect()
        }
        _ => Vec::new(),
    }
}

fn service_name(leaf: &Leaf, carried: &Carried) -> String {
    match &carried.terms.message {
        Some(message) => message.to_string(),
        None => leaf.kind().name().to_owned(),
    }
}

fn additional(record: &Record, carried: &Carried) -> Value {
    let receivers: Vec<Value> = carried
        .to
        .iter()
        .map(|delivery| json!({ "peer_id": delivery.to.oin, "role": delivery.to.role, "decision": delivery.decision }))
        .collect();
    json!({ "kind": record.leaf.kind(), "log_index": record.index, "receivers": receivers })
}
