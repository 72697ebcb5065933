//! Which class every field is in: the mapping decides, the contract's option has to agree (`mapping.toml`).
//!
//! Owns: the stricter of two. A field that the mapping does not name has no class and will not pass, whatever its
//! option proposes; where both speak and differ, the load is refused. Fields are known by number, so that a
//! renamed field keeps its class.

use std::collections::{BTreeMap, BTreeSet};

use model::{DataClass, FieldKind, MessageType};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde::Deserialize;

use crate::bundle::{Files, toml_file};
use crate::contracts::{Contracts, proposal};
use crate::problem::{LoadError, Problem, Stage};

const FILE: &str = "mapping.toml";

/// One field of one message type, classified or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// The message that declares it.
    pub(crate) message: MessageType,
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) kind: FieldKind,
    pub(crate) class: Option<DataClass>,
    /// What a free text is about; only for class `tekst`, and always there.
    pub(crate) subject: Option<DataClass>,
}

impl Field {
    /// `werkfit.v1.Persoon.naam`
    pub(crate) fn full_name(&self) -> String {
        format!("{}.{}", self.message, self.name)
    }
}

/// Every field that some exchange can reach.
#[derive(Debug, Clone)]
pub(crate) struct Classified {
    pub(crate) fields: BTreeMap<(MessageType, u32), Field>,
    /// Full names of fields without a class.
    pub(crate) unclassified: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Entry {
    Class(DataClass),
    Full { class: DataClass, subject: Option<DataClass>, kind: Option<FieldKind> },
}

type Mapping = BTreeMap<MessageType, BTreeMap<String, Entry>>;

impl Classified {
    /// Classifies every field reachable from these message types.
    pub(crate) fn read(
        files: &Files,
        contracts: &Contracts,
        roots: &BTreeSet<MessageType>,
    ) -> Result<Classified, LoadError> {
        let mapping: Mapping = toml_file(files, FILE)?;
        let mut problems = Vec::new();
        let mut fields = BTreeMap::new();
        let mut open = Vec::new();
        let mut seen = BTreeSet::new();
        for root in roots {
            match contracts.message(root) {
                Ok(message) => open.push(message),
                Err(problem) => problems.push(problem),
            }
        }
        while let Some(message) = open.pop() {
            if !seen.insert(message.full_name().to_owned()) {
                continue;
            }
            if is_one_value(&message) {
                continue;
            }
            open.extend(message.fields().filter_map(|field| field.kind().as_message().cloned()));
            match classify_message(&message, &mapping) {
                Ok(classified) => {
                    fields.extend(
                        classified.into_iter().map(|field| ((field.message.clone(), field.number), field)),
                    );
                }
                Err(mut found) => problems.append(&mut found),
            }
        }
        check_mapping(&mapping, contracts, &mut problems);
        let nameless = fields.values().filter(|field: &&Field| field.class.is_none());
        let unclassified = nameless.map(Field::full_name).collect();
        LoadError::unless(problems, Classified { fields, unclassified })
    }

    pub(crate) fn get(&self, field: &FieldDescriptor) -> Option<&Field> {
        let message = field.parent_message().full_name().parse().ok()?;
        self.fields.get(&(message, field.number()))
    }
}

/// Google's well-known types are one value: the field that holds one has the class, its inside has none.
pub(crate) fn is_one_value(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}

/// The mapping may not name what no contract has: it would look like protection and be none.
fn check_mapping(mapping: &Mapping, contracts: &Contracts, problems: &mut Vec<Problem>) {
    for (name, numbers) in mapping {
        let message = match contracts.message(name) {
            Ok(message) => message,
            Err(problem) => {
                problems.push(Problem::new(Stage::Classification, FILE, problem));
                continue;
            }
        };
        for number in numbers.keys() {
            if number.parse().ok().and_then(|number| message.get_field(number)).is_none() {
                let what = format!("`{name}` has no field with number `{number}`");
                problems.push(Problem::new(Stage::Classification, FILE, what));
            }
        }
    }
}

fn classify_message(message: &MessageDescriptor, mapping: &Mapping) -> Result<Vec<Field>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut classified = Vec::new();
    let name: MessageType = match message.full_name().parse() {
        Ok(name) => name,
        Err(error) => return Err(vec![Problem::new(Stage::Contract, message.full_name(), error)]),
    };
    let numbers = mapping.get(&name);
    for field in message.fields() {
        let entry = numbers.and_then(|numbers| numbers.get(&field.number().to_string()));
        match classify(&name, &field, entry) {
            Ok(field) => classified.push(field),
            Err(what) => problems.push(Problem::new(Stage::Classification, field.full_name(), what)),
        }
    }
    if problems.is_empty() { Ok(classified) } else { Err(problems) }
}

fn classify(message: &MessageType, field: &FieldDescriptor, entry: Option<&Entry>) -> Result<Field, String> {
    let proposed = proposal(field);
    let (class, subject, kind) = match entry {
        None => (None, None, None),
        Some(Entry::Class(class)) => (Some(*class), None, None),
        Some(Entry::Full { class, subject, kind }) => (Some(*class), *subject, *kind),
    };
    if let Some(class) = class {
        agree("class", Some(class), proposed.class)?;
        agree("subject", subject, proposed.subject)?;
        agree("kind", kind, proposed.kind)?;
    }
    // The contract may say the kind where the mapping does not; class and subject are the mapping's to give.

    let kind = kind_of(field, class, kind.or(proposed.kind))?;
    match (class, subject) {
        (Some(DataClass::Tekst), None) => {
            return Err("a text needs a subject: say in the mapping what it is about".to_owned());
        }
        (Some(DataClass::Tekst), Some(DataClass::Tekst)) => {
            return Err("a text is about something; `tekst` is no subject".to_owned());
        }
        (Some(class), Some(_)) if class != DataClass::Tekst => {
            return Err(format!("only a text has a subject, and this is `{class}`"));
        }
        _ => {}
    }
    let name = field.name().to_owned();
    Ok(Field { message: message.clone(), number: field.number(), name, kind, class, subject })
}

fn agree<T: PartialEq + std::fmt::Debug>(
    what: &str,
    mapped: Option<T>,
    proposed: Option<T>,
) -> Result<(), String> {
    match (mapped, proposed) {
        (Some(mapped), Some(proposed)) if mapped != proposed => Err(format!(
            "the mapping says {what} {mapped:?} and the contract {proposed:?}; agree on one before this bundle loads"
        )),
        _ => Ok(()),
    }
}

/// The kind of a field, if its protobuf type can hold it.
fn kind_of(
    field: &FieldDescriptor,
    class: Option<DataClass>,
    said: Option<FieldKind>,
) -> Result<FieldKind, String> {
    let is_text = class == Some(DataClass::Tekst);
    let kind = match (field.kind(), said) {
        (Kind::Message(_), None) if !is_text => return Ok(FieldKind::Bericht),
        (Kind::String, None) if is_text => return Ok(FieldKind::Tekst),
        (_, None) if is_text => return Err("only a string can be a text".to_owned()),
        (_, Some(_)) if is_text => return Err("a text has no kind of its own".to_owned()),
        (_, None) => return Ok(FieldKind::Waarde),
        (_, Some(kind)) => kind,
    };
    let integer = matches!(
        field.kind(),
        Kind::Int32
            | Kind::Int64
            | Kind::Uint32
            | Kind::Uint64
            | Kind::Sint32
            | Kind::Sint64
            | Kind::Fixed32
            | Kind::Fixed64
            | Kind::Sfixed32
            | Kind::Sfixed64
    );
    let string = matches!(field.kind(), Kind::String);
    let fits = match kind {
        FieldKind::Datum | FieldKind::Postcode => string,
        FieldKind::Leeftijd => integer,
        FieldKind::Uren => integer || matches!(field.kind(), Kind::Float | Kind::Double),
        // A pseudonym has 64 bits of room at least.
        FieldKind::Identificatie => {
            string || matches!(field.kind(), Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64)
        }
        FieldKind::Waarde | FieldKind::Tekst | FieldKind::Bericht => false,
    };
    if fits { Ok(kind) } else { Err(format!("its protobuf type cannot hold the kind {kind:?}")) }
}
