//! The other way to filter, slow and obvious: parse with `prost-reflect`, clear what the rules withhold, compare.

use std::collections::BTreeMap;

use fields::Rule;
use model::Form;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value,
};

use crate::world::World;

/// What a person could tell apart in a message: every field that is there, in one order, floats by their bits.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    Bits(u64),
    Text(String),
    Bytes(Vec<u8>),
    Message(BTreeMap<u32, Seen>),
    List(Vec<Seen>),
    Map(BTreeMap<String, Seen>),
    /// A pseudonym, whichever it is.
    Pseudonym,
}

pub(crate) struct Reference<'a> {
    pub(crate) world: &'a World,
    /// Whether to clear; otherwise the message must be clear already.
    pub(crate) clearing: bool,
    /// Whether an `Any` of a known type held something that is no message of that type.
    pub(crate) broken_any: bool,
}

impl Reference<'_> {
    /// The fields of a message that pass, in the form in which they do.
    pub(crate) fn message(&mut self, message: &DynamicMessage) -> Seen {
        if !self.clearing {
            assert_eq!(message.unknown_fields().count(), 0, "unknown fields passed");
        }
        let of = message.descriptor();
        if of.full_name() == "google.protobuf.Any" {
            return self.any(message);
        }
        let whole = of.package_name() == "google.protobuf";
        let mut seen = BTreeMap::new();
        for (field, value) in message.fields() {
            if let Some(value) = self.field(&field, value, whole) {
                seen.insert(field.number(), value);
            }
        }
        Seen::Message(seen)
    }

    fn field(&mut self, field: &FieldDescriptor, value: &Value, whole: bool) -> Option<Seen> {
        let form = if whole { Form::Vol } else { self.form(field)? };
        if let Value::Map(entries) = value {
            let Kind::Message(entry) = field.kind() else { panic!("a map without entries") };
            let of_value = entry.map_entry_value_field();
            let mut seen = BTreeMap::new();
            for (key, value) in entries {
                seen.insert(format!("{key:?}"), self.one(&of_value, value, self.value_form(&entry, whole)));
            }
            return Some(Seen::Map(seen));
        }
        if let Value::List(values) = value {
            if form == Form::JaNee {
                return (!values.is_empty()).then(|| Seen::List(vec![yes(&field.kind())]));
            }
            return Some(Seen::List(values.iter().map(|value| self.one(field, value, form)).collect()));
        }
        let seen = self.one(field, value, form);
        (field.supports_presence() || !is_default(&seen)).then_some(seen)
    }

    fn value_form(&self, entry: &MessageDescriptor, whole: bool) -> Form {
        if whole { Form::Vol } else { self.form(&entry.map_entry_value_field()).unwrap() }
    }

    /// The form in which a field passes; nothing if it does not.
    fn form(&self, field: &FieldDescriptor) -> Option<Form> {
        if let Kind::Message(entry) = field.kind()
            && entry.is_map_entry()
        {
            self.form(&entry.map_entry_value_field())?;
            (self.form(&entry.map_entry_key_field())? == Form::Vol).then_some(())?;
        }
        match self.world.rule(field) {
            Rule::Withhold { .. } => None,
            Rule::Screen { .. } => (field.kind() == Kind::String).then_some(Form::Vol),
            Rule::Pass { form, .. } => Some(form),
        }
    }

    fn one(&mut self, field: &FieldDescriptor, value: &Value, form: Form) -> Seen {
        let seen = match value {
            Value::Bool(value) => Seen::Bits(u64::from(*value)),
            Value::I32(value) | Value::EnumNumber(value) => Seen::Bits(*value as i64 as u64),
            Value::I64(value) => Seen::Bits(*value as u64),
            Value::U32(value) => Seen::Bits(u64::from(*value)),
            Value::U64(value) => Seen::Bits(*value),
            Value::F32(value) => Seen::Bits(u64::from(value.to_bits())),
            Value::F64(value) => Seen::Bits(value.to_bits()),
            Value::String(value) => Seen::Text(value.clone()),
            Value::Bytes(value) => Seen::Bytes(value.to_vec()),
            Value::Message(message) => return self.message(message),
            Value::List(_) | Value::Map(_) => panic!("a list is not one value"),
        };
        if form == Form::Vol { seen } else { lesser(field, value, seen, form, self.clearing) }
    }

    /// An `Any` is its type and what that type lets through, or nothing at all.
    fn any(&mut self, message: &DynamicMessage) -> Seen {
        let url = message.get_field_by_number(1).unwrap().as_str().unwrap().to_owned();
        let value = message.get_field_by_number(2).unwrap().as_bytes().unwrap().clone();
        let name = url.strip_prefix("type.googleapis.com/").unwrap_or_default();
        let of = self.world.root.parent_pool().get_message_by_name(name);
        let of = of.filter(|of| !of.is_map_entry() && of.package_name() == "w");
        let nothing = Seen::Message(BTreeMap::new());
        let Some(of) = of else {
            assert!(self.clearing || (url.is_empty() && value.is_empty()), "an unknown type passed");
            return nothing;
        };
        let Ok(held) = DynamicMessage::decode(of.clone(), value) else {
            self.broken_any = true;
            return nothing;
        };
        let seen = self.message(&held);
        if of.fields().all(|field| self.form(&field).is_none()) {
            assert!(self.clearing, "the name of a type passed of which nothing passes");
            return nothing;
        }
        Seen::Map(BTreeMap::from([(name.to_owned(), seen)]))
    }
}

fn is_default(seen: &Seen) -> bool {
    match seen {
        Seen::Bits(bits) => *bits == 0,
        Seen::Text(text) => text.is_empty(),
        Seen::Bytes(bytes) => bytes.is_empty(),
        _ => false,
    }
}

fn yes(kind: &Kind) -> Seen {
    match kind {
        Kind::String => Seen::Text("ja".into()),
        Kind::Bytes => Seen::Bytes(vec![1]),
        Kind::Float => Seen::Bits(u64::from(1f32.to_bits())),
        Kind::Double => Seen::Bits(1f64.to_bits()),
        _ => Seen::Bits(1),
    }
}

fn lesser(field: &FieldDescriptor, value: &Value, seen: Seen, form: Form, clearing: bool) -> Seen {
    let zero = value.as_f32() == Some(0.0) || value.as_f64() == Some(0.0);
    match form {
        Form::JaNee if zero => Seen::Bits(0),
        _ if is_default(&seen) => seen,
        Form::JaNee => yes(&field.kind()),
        Form::Pseudoniem => match value {
            Value::String(text) if !clearing => {
                let is_one = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                assert!(is_one, "something else than a pseudonym passed");
                Seen::Pseudonym
            }
            _ => Seen::Pseudonym,
        },
        Form::Jaar => {
            Seen::Text(value.as_str().filter(|text| is_date(text)).map_or("", |text| &text[..4]).into())
        }
        Form::Postcode4 => {
            Seen::Text(value.as_str().filter(|text| is_postcode(text)).map_or("", |text| &text[..4]).into())
        }
        Form::Leeftijdsband => Seen::Bits(band(value, 10)),
        Form::Urenband => Seen::Bits(band(value, 8)),
        Form::Vol => seen,
    }
}

fn is_date(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    shape == "9999-99-99" || shape == "9999"
}

fn is_postcode(text: &str) -> bool {
    let class = |c: char| match c {
        '0'..='9' => '9',
        'a'..='z' | 'A'..='Z' => 'A',
        other => other,
    };
    ["9999", "9999AA", "9999 AA"].contains(&text.chars().map(class).collect::<String>().as_str())
}

fn band(value: &Value, width: i64) -> u64 {
    let float =
        |value: f64| if value.is_finite() && value > 0.0 { value - value % width as f64 } else { 0.0 };
    let signed = |value: i64| (value.max(0) - value.max(0) % width) as u64;
    match value {
        Value::I32(value) => signed(i64::from(*value)),
        Value::I64(value) => signed(*value),
        Value::U32(value) => signed(i64::from(*value)),
        Value::U64(value) => value - value % width as u64,
        Value::F32(value) => u64::from((float(f64::from(*value)) as f32).to_bits()),
        Value::F64(value) => float(*value).to_bits(),
        other => panic!("no band of {other:?}"),
    }
}

/// Every text in a message that stands in a field to be screened.
pub(crate) fn texts_to_screen(world: &World, message: &DynamicMessage, found: &mut Vec<String>) {
    for (field, value) in message.fields() {
        let (of_key, of_value) = match field.kind() {
            Kind::Message(entry) if entry.is_map_entry() => {
                (Some(entry.map_entry_key_field()), entry.map_entry_value_field())
            }
            _ => (None, field.clone()),
        };
        let screened = |field: &FieldDescriptor| matches!(world.rule(field), Rule::Screen { .. });
        let mut each = |value: &Value| match value {
            Value::String(text) if screened(&of_value) => found.push(text.clone()),
            Value::Message(inner) => texts_to_screen(world, inner, found),
            _ => {}
        };
        match value {
            Value::List(values) => values.iter().for_each(&mut each),
            Value::Map(entries) => {
                entries.values().for_each(&mut each);
                for key in entries.keys() {
                    if let (MapKey::String(key), Some(of_key)) = (key, &of_key)
                        && screened(of_key)
                    {
                        found.push(key.clone());
                    }
                }
            }
            one => each(one),
        }
    }
    found.retain(|text| !text.is_empty());
}
