//! This document, from here to there: field by field before and after, and why. For officers, never for the data plane.
//!
//! Owns: laying a document beside what the plan leaves of it. It shows values on purpose, to whoever holds the
//! document already; so nothing here has a `Debug`, and nothing here goes to a log.

use std::sync::Arc;

use fields::{Account, PseudonymKey};
use model::{DataClass, Form, Name, Refusal};
use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::Serialize;
use serde_json::Value;

use crate::bundle::Sentence;
use crate::compiled::Compiled;
use crate::proven::Proven;
use crate::route::Situation;

/// A document before and after.
pub struct Simulation {
    /// Every field that stands in the document.
    pub fields: Vec<SimulatedField>,
    /// What would leave, texts not yet screened.
    pub output: Vec<u8>,
    /// What passed and what was withheld, by class.
    pub account: Account,
    /// What decided.
    pub compiled: Arc<Compiled>,
}

/// One field before and after.
#[derive(Serialize)]
pub struct SimulatedField {
    /// Where it stands, repeated messages with their index.
    pub path: String,
    /// Its class; for a text, what it is about.
    pub class: Option<DataClass>,
    /// Its value in the document.
    pub before: Value,
    /// Its value as it would arrive; none = withheld.
    pub after: Option<Value>,
    /// In which form.
    pub form: Option<Form>,
    /// Whether it is a text that is screened before it arrives.
    pub screened: bool,
    /// The rule that decided.
    pub rule: Name,
    /// What the rule says.
    pub sentence: Sentence,
}

/// Why there is nothing to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSimulated {
    /// The situation is refused before any field is looked at.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The document cannot be read.
    #[error("the document is not a valid message of its type; serialise it again")]
    Malformed,
}

/// Runs one document, given as protobuf bytes, through what a bundle compiled for a situation.
///
/// # Errors
/// The situation is refused, or the document is not valid.
pub fn simulate(
    proven: &Proven,
    situation: &Situation,
    document: &[u8],
    key: &PseudonymKey,
) -> Result<Simulation, NotSimulated> {
    let compiled = proven.compiled(situation)?;
    let contract = proven.message(&situation.message).ok_or(NotSimulated::Malformed)?;
    let (mut output, mut account) = (Vec::new(), Account::new());
    compiled.plan.filter(document, key, &mut output, &mut account).map_err(|_| NotSimulated::Malformed)?;
    let before = as_json(&contract, document).ok_or(NotSimulated::Malformed)?;
    let after = as_json(&contract, &output).ok_or(NotSimulated::Malformed)?;
    let mut walk = Walk { compiled: &compiled, fields: Vec::new() };
    walk.message(&before, Some(&after), "", "");
    let fields = walk.fields;
    Ok(Simulation { fields, output, account, compiled })
}

/// As [`simulate`], with pseudonyms that are of no use to anyone: for trying, where no gateway's secret belongs.
///
/// # Errors
/// As [`simulate`].
pub fn rehearse(proven: &Proven, situation: &Situation, document: &[u8]) -> Result<Simulation, NotSimulated> {
    simulate(proven, situation, document, &PseudonymKey::for_receiver(&[0; 32], &situation.receiver.0))
}

fn as_json(contract: &MessageDescriptor, bytes: &[u8]) -> Option<Value> {
    let message = DynamicMessage::decode(contract.clone(), bytes).ok()?;
    let options = SerializeOptions::new().use_proto_field_name(true);
    message.serialize_with_options(serde_json::value::Serializer, &options).ok()
}

struct Walk<'a> {
    compiled: &'a Compiled,
    fields: Vec<SimulatedField>,
}

impl Walk<'_> {
    /// `path` has no indexes and finds the cell, `shown` has them.
    fn message(&mut self, before: &Value, after: Option<&Value>, path: &str, shown: &str) {
        for (name, value) in before.as_object().into_iter().flatten() {
            let dot = if path.is_empty() { "" } else { "." };
            let (path, shown) = (format!("{path}{dot}{name}"), format!("{shown}{dot}{name}"));
            let left = after.and_then(|after| after.get(name));
            match value {
                Value::Object(_) => self.message(value, left, &path, &shown),
                Value::Array(items) if items.iter().any(Value::is_object) => {
                    for (index, item) in items.iter().enumerate() {
                        let left = left.and_then(|left| left.get(index));
                        self.message(item, left, &path, &format!("{shown}[{index}]"));
                    }
                }
                _ => self.field(value, left, &path, shown),
            }
        }
    }

    fn field(&mut self, before: &Value, after: Option<&Value>, path: &str, shown: String) {
        // A recursive message has cells for its first level only; its fields are decided alike at every level.
        let mut cells = self.compiled.cells.iter();
        let exact = cells.clone().find(|cell| cell.path.as_str() == path);
        let name = path.rsplit('.').next().unwrap_or(path);
        let Some(cell) =
            exact.or_else(|| cells.find(|cell| cell.path.as_str().rsplit('.').next() == Some(name)))
        else {
            return;
        };
        self.fields.push(SimulatedField {
            path: shown,
            class: cell.subject.or(cell.class),
            before: before.clone(),
            after: after.cloned(),
            form: after.and(cell.form),
            screened: after.is_some() && cell.subject.is_some(),
            rule: cell.rule.clone(),
            sentence: cell.sentence.clone(),
        });
    }
}

/// As [`simulate`] for a document in protobuf JSON that someone has at hand. Pseudonyms are made with a key that is used for
/// nothing else: they show their form and join with nothing.
///
/// # Errors
/// As [`simulate`]; a document that cannot be read is told without a word of it, by line and column.
pub fn simulate_json(
    proven: &Proven,
    situation: &Situation,
    document: &str,
) -> Result<Simulation, (NotSimulated, Option<(usize, usize)>)> {
    let malformed = |at| (NotSimulated::Malformed, at);
    proven.compiled(situation).map_err(|refusal| (refusal.into(), None))?;
    let contract = proven.message(&situation.message).ok_or(malformed(None))?;
    let mut reader = serde_json::Deserializer::from_str(document);
    let place = |error: serde_json::Error| malformed(Some((error.line(), error.column())));
    let message = DynamicMessage::deserialize(contract, &mut reader).map_err(place)?;
    reader.end().map_err(place)?;
    simulate(proven, situation, &message.encode_to_vec(), &PseudonymKey::unused()).map_err(|why| (why, None))
}
