//! From descriptor and rules to a plan, once, when a bundle is loaded.
//!
//! Owns: which action a rule becomes for which type of field, and what does not fit together. Everything the pass
//! would otherwise have to think about is thought about here. The plan goes to `filter`.

use std::collections::{HashMap, VecDeque};

use model::{DataClass, FieldKind, Form};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::account::{self, Counter, UNCOUNTED};
use crate::plan::{Act, AnyType, Field, Mode, NO_TABLE, Plan, Read, Slot, Step, Table, TableId, Walk, Watch};
use crate::rule::{Limits, Rule};
use crate::scalar::Scalar;
use crate::watch;
use crate::wire::{self, LEN};

/// A rule that cannot be carried out: the fault of who made the rules. The bundle is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A form that the type or kind of the field does not have.
    #[error("`{field}` cannot pass as `{form}`; give it a form of its kind, and a type that can hold it")]
    FormDoesNotFit {
        /// The full name of the field.
        field: String,
        /// The form that was decided for it.
        form: Form,
    },
    /// More message types, or more repeated `ja_nee` fields in one of them, than a plan holds.
    #[error("`{message}` is one too many for a plan; split the contract")]
    TooLarge {
        /// The full name of the message type.
        message: String,
    },
}

/// Numbers up to this are found without searching, whatever the gaps between them.
const DENSE: u32 = 256;

/// Well-known types that are one value: their own fields have no class, the field that holds them has.
const WHOLE: [&str; 16] = [
    "google.protobuf.BoolValue",
    "google.protobuf.BytesValue",
    "google.protobuf.DoubleValue",
    "google.protobuf.Duration",
    "google.protobuf.Empty",
    "google.protobuf.FieldMask",
    "google.protobuf.FloatValue",
    "google.protobuf.Int32Value",
    "google.protobuf.Int64Value",
    "google.protobuf.ListValue",
    "google.protobuf.StringValue",
    "google.protobuf.Struct",
    "google.protobuf.Timestamp",
    "google.protobuf.UInt32Value",
    "google.protobuf.UInt64Value",
    "google.protobuf.Value",
];
pub(crate) const ANY: &str = "google.protobuf.Any";

type RuleOf<'a> = &'a mut dyn FnMut(&FieldDescriptor) -> (FieldKind, Rule);

impl Plan {
    /// Compiles what was decided for every field that can be reached from `root`.
    ///
    /// `rule_of` is asked for the fields of every message type that can be reached through containers that pass,
    /// possibly more than once; also for key and value of a map entry, which pass only together. An `Any` can hold every message
    /// type of the pool outside `google.protobuf`, by the `type_url` `type.googleapis.com/<full name>`; a type of
    /// which nothing passes does not pass its name either. Extensions are unknown fields.
    ///
    /// # Errors
    /// A rule asks for a form that the field cannot have, or the contract is too large.
    pub fn compile(
        root: &MessageDescriptor,
        rule_of: &mut dyn FnMut(&FieldDescriptor) -> (FieldKind, Rule),
        limits: Limits,
    ) -> Result<Plan, PlanError> {
        let mut compiler = Compiler { rule_of, ids: HashMap::new(), queue: VecDeque::new(), has_any: false };
        compiler.id(root, Mode::Decided)?;
        let mut tables = Vec::new();
        let mut any = HashMap::new();
        while let Some((message, mode)) = compiler.queue.pop_front() {
            tables.push(compiler.table(&message, mode)?);
            if compiler.has_any && any.is_empty() {
                any = compiler.any_types(root)?;
            }
        }
        for found in any.values_mut() {
            let decided = tables.get(usize::from(found.decided));
            if !decided.is_some_and(Table::passes_something) {
                found.decided = NO_TABLE;
            }
        }
        let limits =
            Limits { bytes: limits.bytes.min(Limits::MAX_BYTES), depth: limits.depth.min(Limits::MAX_DEPTH) };
        Ok(Plan { tables, any, limits })
    }
}

struct Compiler<'a> {
    rule_of: RuleOf<'a>,
    ids: HashMap<(String, Mode), TableId>,
    /// Types that have an id and no table yet, in the order of their ids.
    queue: VecDeque<(MessageDescriptor, Mode)>,
    has_any: bool,
}

/// What a rule comes down to for one field.
struct Decision {
    act: Act,
    count: Counter,
    kind: FieldKind,
    rule: Rule,
    class: Option<DataClass>,
    because: Option<&'static str>,
}

impl Compiler<'_> {
    fn id(&mut self, message: &MessageDescriptor, mode: Mode) -> Result<TableId, PlanError> {
        let name = (message.full_name().to_owned(), mode);
        if let Some(id) = self.ids.get(&name) {
            return Ok(*id);
        }
        let id = TableId::try_from(self.ids.len()).ok().filter(|id| *id != NO_TABLE);
        let id = id.ok_or_else(|| PlanError::TooLarge { message: name.0.clone() })?;
        self.ids.insert(name, id);
        self.queue.push_back((message.clone(), mode));
        Ok(id)
    }

    fn any_types(&mut self, root: &MessageDescriptor) -> Result<HashMap<String, AnyType>, PlanError> {
        let pool = root.parent_pool().clone();
        let well_known = |message: &MessageDescriptor| message.full_name().starts_with("google.protobuf.");
        let mut types = HashMap::new();
        for message in pool.all_messages().filter(|message| !message.is_map_entry() && !well_known(message)) {
            let (decided, checked) = (self.id(&message, Mode::Decided)?, self.id(&message, Mode::Checked)?);
            let url = format!("type.googleapis.com/{}", message.full_name());
            types.insert(url, AnyType { decided, checked });
        }
        Ok(types)
    }

    fn table(&mut self, message: &MessageDescriptor, mode: Mode) -> Result<Table, PlanError> {
        let mut descriptors: Vec<FieldDescriptor> = message.fields().collect();
        descriptors.sort_by_key(FieldDescriptor::number);
        let is_any = message.full_name() == ANY && mode != Mode::Whole;
        self.has_any |= is_any;
        let mut fields = Vec::with_capacity(descriptors.len());
        let mut slots = Vec::with_capacity(descriptors.len());
        for (index, field) in descriptors.iter().enumerate() {
            let decision = match mode {
                Mode::Decided if is_any => inner(Act::Keep),
                Mode::Decided => self.decide(field)?,
                Mode::Whole => inner(Act::Keep),
                Mode::Checked => inner(Act::Inside),
            };
            let mut slot = self.slot(field, &decision, mode)?;
            slot.field = u16::try_from(index)
                .map_err(|_| PlanError::TooLarge { message: message.full_name().to_owned() })?;
            if is_any {
                slot.walk = if field.number() == 1 { Walk::AnyUrl } else { Walk::AnyValue };
            }
            slots.push((field.number(), slot));
            fields.push(describe(field, decision));
        }
        match (is_any, mode) {
            (true, _) => watch::any(&mut slots),
            (false, Mode::Whole) => {}
            (false, _) => watch::message(message, &fields, &mut slots)?,
        }
        let last_dense = slots.iter().map(|(number, _)| *number).filter(|number| *number <= DENSE).max();
        let mut dense = vec![Slot::UNKNOWN; last_dense.unwrap_or(0) as usize + 1];
        let mut sparse = Vec::new();
        let mut steps = [Step::ELSEWHERE; 256];
        for (number, slot) in slots {
            let key = wire::key(number, slot.wire);
            if let (..0x80, Some(place)) = (key, steps.get_mut(key as usize)) {
                *place = step(&slot);
            }
            match dense.get_mut(number as usize) {
                Some(place) => *place = slot,
                None => sparse.push((number, slot)),
            }
        }
        Ok(Table { mode, steps, dense, sparse, fields, name: message.full_name().to_owned() })
    }

    fn slot(&mut self, field: &FieldDescriptor, decision: &Decision, mode: Mode) -> Result<Slot, PlanError> {
        let scalar = Scalar::of(&field.kind());
        let walk = match decision.act {
            Act::Transform | Act::Once => Walk::Careful,
            _ if field.is_packed() || field.is_group() => Walk::Careful,
            _ => walk_of(scalar),
        };
        let wire = match scalar {
            _ if field.is_packed() => LEN,
            _ if field.is_group() => 3, // refused wherever it is met, so this never fits
            _ => scalar.wire(),
        };
        let sub = match field.kind() {
            Kind::Message(message) => {
                let mode = match decision.act {
                    Act::Drop | Act::Inside => Mode::Checked,
                    _ if is_whole(&message) => Mode::Whole,
                    _ => mode,
                };
                self.id(&message, mode)?
            }
            _ => NO_TABLE,
        };
        let (act, count) = (decision.act, decision.count);
        Ok(Slot { wire, walk, act, count, scalar, field: 0, sub, watch: Watch::NOTHING })
    }

    fn decide(&mut self, field: &FieldDescriptor) -> Result<Decision, PlanError> {
        let (kind, rule) = (self.rule_of)(field);
        let (act, class, because) = match rule {
            Rule::Withhold { class } => (Act::Drop, class, None),
            Rule::Screen { class } if field.kind() == Kind::String => (Act::Screen, Some(class), None),
            Rule::Screen { class } => (Act::Drop, Some(class), Some("only a string can be screened")),
            Rule::Pass { class, form } => {
                if !fits(form, kind, field) {
                    return Err(PlanError::FormDoesNotFit { field: field.full_name().to_owned(), form });
                }
                match self.withheld_inside(field)? {
                    Some((class, because)) => (Act::Drop, class, Some(because)),
                    None => (act_of(form, field), Some(class), None),
                }
            }
        };
        let count = match (act, rule) {
            (Act::Drop, _) => account::withheld(class),
            (_, Rule::Pass { class, form }) => account::passed(class, form),
            _ => account::passed(DataClass::Tekst, Form::Vol),
        };
        Ok(Decision { act, count, kind, rule, class, because })
    }

    /// For a map or a group that its rule lets pass: why it does not pass all the same, and the class withheld.
    fn withheld_inside(
        &mut self,
        field: &FieldDescriptor,
    ) -> Result<Option<(Option<DataClass>, &'static str)>, PlanError> {
        let Kind::Message(entry) = field.kind() else { return Ok(None) };
        if field.is_group() {
            return Ok(Some((None, "groups are not exchanged")));
        }
        if !entry.is_map_entry() {
            return Ok(None);
        }
        let key = self.decide(&entry.map_entry_key_field())?;
        let value = self.decide(&entry.map_entry_value_field())?;
        Ok(match (key.act, value.act) {
            (Act::Drop, _) => Some((key.class, "its key does not pass")),
            (Act::Transform | Act::Once, _) => Some((key.class, "a key has no lesser form")),
            (_, Act::Drop) => Some((value.class, "its value does not pass")),
            _ => None,
        })
    }
}

/// The decision for the inside of something that was decided already.
fn inner(act: Act) -> Decision {
    let rule = Rule::Withhold { class: None };
    Decision { act, count: UNCOUNTED, kind: FieldKind::Waarde, rule, class: None, because: None }
}

/// A slot in short, if there is little to know of the field.
fn step(slot: &Slot) -> Step {
    let (read, operand) = match slot.walk {
        _ if slot.watch != Watch::NOTHING => return Step::ELSEWHERE,
        Walk::Text => (Read::TEXT, 0),
        Walk::Bool => (Read::BOOL, 0),
        Walk::Varint32 => (Read::VARINT, 4),
        Walk::Varint64 => (Read::VARINT, 6),
        Walk::Fixed32 => (Read::FIXED, 4),
        Walk::Fixed64 => (Read::FIXED, 8),
        Walk::Message => (Read::MESSAGE, slot.sub),
        _ => return Step::ELSEWHERE,
    };
    let read = match slot.act {
        Act::Keep | Act::Inside => read,
        Act::Drop => read.and(Read::CUT),
        Act::Screen => read.and(Read::SCREEN),
        Act::Transform | Act::Once => return Step::ELSEWHERE,
    };
    Step { read, count: slot.count, operand }
}

fn walk_of(scalar: Scalar) -> Walk {
    match scalar {
        Scalar::Bool => Walk::Bool,
        Scalar::Int32 | Scalar::Uint32 | Scalar::Sint32 => Walk::Varint32,
        Scalar::Int64 | Scalar::Uint64 | Scalar::Sint64 => Walk::Varint64,
        Scalar::Fixed32 | Scalar::Sfixed32 | Scalar::Float => Walk::Fixed32,
        Scalar::Fixed64 | Scalar::Sfixed64 | Scalar::Double => Walk::Fixed64,
        Scalar::Text => Walk::Text,
        Scalar::Bytes => Walk::Bytes,
        Scalar::Message => Walk::Message,
    }
}

fn act_of(form: Form, field: &FieldDescriptor) -> Act {
    match form {
        Form::Vol => Act::Keep,
        Form::JaNee if field.is_list() => Act::Once,
        _ => Act::Transform,
    }
}

/// Whether a field of this kind and type can travel in this form.
fn fits(form: Form, kind: FieldKind, field: &FieldDescriptor) -> bool {
    let scalar = Scalar::of(&field.kind());
    let number = matches!(scalar.wire(), wire::VARINT | wire::FIXED32 | wire::FIXED64);
    let integer = number && !matches!(scalar, Scalar::Bool | Scalar::Float | Scalar::Double);
    let integer = integer && field.kind().as_enum().is_none();
    let fits_type = match form {
        Form::Vol => true,
        Form::JaNee => scalar != Scalar::Message,
        Form::Jaar | Form::Postcode4 => scalar == Scalar::Text,
        Form::Leeftijdsband => integer,
        Form::Urenband => integer || matches!(scalar, Scalar::Float | Scalar::Double),
        Form::Pseudoniem => {
            scalar == Scalar::Text || integer && matches!(walk_of(scalar), Walk::Varint64 | Walk::Fixed64)
        }
    };
    fits_type && kind.forms().contains(&form)
}

pub(crate) fn is_whole(message: &MessageDescriptor) -> bool {
    WHOLE.binary_search(&message.full_name()).is_ok()
}

fn describe(field: &FieldDescriptor, decision: Decision) -> Field {
    let base = match field.kind() {
        Kind::Message(message) if message.is_map_entry() => "map entry".to_owned(),
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(of) => of.full_name().to_owned(),
        kind => format!("{kind:?}").to_lowercase(),
    };
    let repeated = field.is_list() || field.is_map();
    let real = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
    let oneof = real.and_then(|oneof| {
        let position = field.parent_message().oneofs().position(|other| other == oneof);
        position.and_then(|position| u16::try_from(position).ok())
    });
    Field {
        number: field.number(),
        name: field.name().to_owned(),
        type_name: if field.is_list() { format!("repeated {base}") } else { base },
        kind: decision.kind,
        rule: decision.rule,
        class: decision.class,
        repeated,
        oneof,
        because: decision.because,
    }
}
