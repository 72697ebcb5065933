//! A contract and a policy that nobody would write: message types with every kind of field, and a rule for each.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use fields::{Limits, Plan, Rule};
use model::{DataClass, FieldKind, Form};
use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FieldOptions,
    FileDescriptorProto, MessageOptions, OneofDescriptorProto,
};
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

use crate::choices::{Choices, noise};

/// How many worlds there are.
pub(crate) const WORLDS: usize = 1024;

pub(crate) type Rules = HashMap<String, (FieldKind, Rule)>;

pub(crate) struct World {
    pub(crate) root: MessageDescriptor,
    pub(crate) rules: Rules,
    pub(crate) plan: Plan,
    /// The same contract, nothing passes.
    pub(crate) nothing: Plan,
}

thread_local! {
    static MADE: RefCell<HashMap<usize, Rc<World>>> = RefCell::default();
}

/// World number so-and-so; always the same.
pub(crate) fn world(number: usize) -> Rc<World> {
    MADE.with_borrow_mut(|made| made.entry(number).or_insert_with(|| Rc::new(World::new(number))).clone())
}

impl World {
    fn new(number: usize) -> World {
        let noise = noise(number as u64, 4096);
        let mut choices = Choices(&noise);
        let mut pool = DescriptorPool::global();
        pool.add_file_descriptor_proto(file(&mut choices)).expect("a generated contract is valid");
        let root = pool.get_message_by_name("w.M0").expect("there is always a first message");
        let mut rules = Rules::new();
        for message in pool.all_messages().filter(|message| message.package_name() == "w") {
            let generous = choices.once_in(3);
            for field in message.fields() {
                let rule = rule(&mut choices, &field, generous);
                rules.insert(field.full_name().to_owned(), rule);
            }
        }
        let limits = Limits { depth: if choices.once_in(16) { 4 } else { 100 }, ..Limits::default() };
        let plan = Plan::compile(&root, &mut |field| rules[field.full_name()], limits).unwrap();
        let withhold = (FieldKind::Waarde, Rule::Withhold { class: None });
        let nothing = Plan::compile(&root, &mut |_| withhold, limits).unwrap();
        World { root, rules, plan, nothing }
    }

    pub(crate) fn rule(&self, field: &FieldDescriptor) -> Rule {
        self.rules.get(field.full_name()).map_or(Rule::Withhold { class: None }, |(_, rule)| *rule)
    }
}

/// A rule that its field can carry out.
fn rule(choices: &mut Choices, field: &FieldDescriptor, generous: bool) -> (FieldKind, Rule) {
    let class = *choices.pick(DataClass::ALL);
    let pass = |kind, form| (kind, Rule::Pass { class, form });
    match choices.below(10) {
        0 | 1 if !generous => return (FieldKind::Waarde, Rule::Withhold { class: Some(class) }),
        2 if !generous => return (FieldKind::Waarde, Rule::Withhold { class: None }),
        3 => return (FieldKind::Tekst, Rule::Screen { class }),
        4 | 5 => {}
        _ => return pass(FieldKind::Waarde, Form::Vol),
    }
    let any_kind = choices.byte();
    match field.kind() {
        Kind::Message(_) => pass(FieldKind::Bericht, Form::Vol),
        Kind::String => match any_kind % 4 {
            0 => pass(FieldKind::Datum, Form::Jaar),
            1 => pass(FieldKind::Postcode, Form::Postcode4),
            2 => pass(FieldKind::Identificatie, Form::Pseudoniem),
            _ => pass(FieldKind::Waarde, Form::JaNee),
        },
        Kind::Bool | Kind::Bytes | Kind::Enum(_) => pass(FieldKind::Waarde, Form::JaNee),
        Kind::Float | Kind::Double => match any_kind % 2 {
            0 => pass(FieldKind::Uren, Form::Urenband),
            _ => pass(FieldKind::Waarde, Form::JaNee),
        },
        kind => match any_kind % 4 {
            0 => pass(FieldKind::Leeftijd, Form::Leeftijdsband),
            1 => pass(FieldKind::Uren, Form::Urenband),
            2 if matches!(
                kind,
                Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64
            ) =>
            {
                pass(FieldKind::Identificatie, Form::Pseudoniem)
            }
            _ => pass(FieldKind::Waarde, Form::JaNee),
        },
    }
}

const SCALARS: [Type; 16] = [
    Type::Double,
    Type::Float,
    Type::Int64,
    Type::Uint64,
    Type::Int32,
    Type::Fixed64,
    Type::Fixed32,
    Type::Bool,
    Type::String,
    Type::Bytes,
    Type::Uint32,
    Type::Enum,
    Type::Sfixed32,
    Type::Sfixed64,
    Type::Sint32,
    Type::Sint64,
];

fn file(choices: &mut Choices) -> FileDescriptorProto {
    let proto3 = !choices.once_in(3);
    let count = 2 + choices.below(4);
    let value = |name: &str, number| EnumValueDescriptorProto {
        name: Some(name.into()),
        number: Some(number),
        options: None,
    };
    FileDescriptorProto {
        name: Some("w.proto".into()),
        package: Some("w".into()),
        syntax: Some(if proto3 { "proto3" } else { "proto2" }.into()),
        dependency: ["any", "struct", "timestamp", "wrappers"]
            .map(|name| format!("google/protobuf/{name}.proto"))
            .into(),
        message_type: (0..count).map(|index| message(choices, index, count, proto3)).collect(),
        enum_type: vec![EnumDescriptorProto {
            name: Some("E".into()),
            value: vec![value("NUL", 0), value("EEN", 1), value("MIN", -1)],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn message(choices: &mut Choices, index: usize, count: usize, proto3: bool) -> DescriptorProto {
    let mut made = DescriptorProto { name: Some(format!("M{index}")), ..Default::default() };
    let mut number = 0;
    let oneofs = choices.below(3);
    for oneof in 0..oneofs {
        for _ in 0..2 + choices.below(3) {
            number = next_number(choices, number);
            let mut field = field(choices, number, count);
            field.oneof_index = Some(oneof as i32);
            made.field.push(field);
        }
        made.oneof_decl.push(OneofDescriptorProto { name: Some(format!("keuze{oneof}")), options: None });
    }
    for _ in 0..1 + choices.below(9) {
        number = next_number(choices, number);
        let mut field = field(choices, number, count);
        match choices.below(6) {
            0 | 1 => {
                field.label = Some(Label::Repeated.into());
                let packable = !matches!(field.r#type(), Type::String | Type::Bytes | Type::Message);
                if packable && choices.once_in(2) {
                    let packed = Some(!proto3);
                    field.options = Some(FieldOptions { packed, ..Default::default() });
                }
            }
            2 => map(choices, &mut made, &mut field, index),
            3 if proto3 => {
                field.proto3_optional = Some(true);
                field.oneof_index = Some(made.oneof_decl.len() as i32);
                let name = Some(format!("_f{number}"));
                made.oneof_decl.push(OneofDescriptorProto { name, options: None });
            }
            _ => {}
        }
        made.field.push(field);
    }
    made
}

fn next_number(choices: &mut Choices, number: i32) -> i32 {
    match choices.below(12) {
        0 => number.max(15) + 1,
        1 => number.max(200) + 1 + choices.below(200) as i32,
        2 if number < 1 << 28 => number + 300_000,
        _ => number + 1 + choices.below(2) as i32,
    }
}

fn field(choices: &mut Choices, number: i32, count: usize) -> FieldDescriptorProto {
    let mut field = FieldDescriptorProto {
        name: Some(format!("f{number}")),
        number: Some(number),
        label: Some(Label::Optional.into()),
        ..Default::default()
    };
    if choices.below(5) < 2 {
        field.r#type = Some(Type::Message.into());
        field.type_name = Some(match choices.below(12) {
            0 | 1 => ".google.protobuf.Any".into(),
            2 => ".google.protobuf.Struct".into(),
            3 => ".google.protobuf.Timestamp".into(),
            4 => ".google.protobuf.StringValue".into(),
            other => format!(".w.M{}", other % count),
        });
    } else {
        let of = *choices.pick(&SCALARS);
        field.r#type = Some(of.into());
        field.type_name = (of == Type::Enum).then(|| ".w.E".into());
    }
    field
}

/// Makes the field a map from some key to what it was.
fn map(choices: &mut Choices, made: &mut DescriptorProto, field: &mut FieldDescriptorProto, index: usize) {
    let number = field.number();
    let keys = [Type::String, Type::Int32, Type::Bool, Type::Uint64, Type::Sint64, Type::Fixed32];
    let named = |name: &str, number, of: &FieldDescriptorProto| FieldDescriptorProto {
        name: Some(name.into()),
        number: Some(number),
        label: Some(Label::Optional.into()),
        r#type: of.r#type,
        type_name: of.type_name.clone(),
        ..Default::default()
    };
    let key = FieldDescriptorProto { r#type: Some((*choices.pick(&keys)).into()), ..Default::default() };
    made.nested_type.push(DescriptorProto {
        name: Some(format!("F{number}Entry")),
        field: vec![named("key", 1, &key), named("value", 2, field)],
        options: Some(MessageOptions { map_entry: Some(true), ..Default::default() }),
        ..Default::default()
    });
    field.label = Some(Label::Repeated.into());
    field.r#type = Some(Type::Message.into());
    field.type_name = Some(format!(".w.M{index}.F{number}Entry"));
}
