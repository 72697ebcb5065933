//! What runs per message: the decisions for one route in one state, compiled to a plan that knows no policy.
//!
//! Owns: the plan, and beside it what records and people need: the exchange, every cell with the rule that decided,
//! and the classes that texts are screened for. Made once per load by `enumeration`; immutable after that.

use std::sync::Arc;

use fields::{Limits, Plan, PlanError};
use model::{ClassSet, DataClass, FieldKind, FieldPath, Form, MessageType, Name};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::bundle::Sentence;
use crate::classification::{Classified, Field, is_one_value};
use crate::exchanges::Exchange;
use crate::rules::{NO_CLASS, NO_RULE};

/// Everything that one receiver may have of one message, in one state of consent.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// Message bytes in, what may leave out.
    pub plan: Arc<Plan>,
    /// The exchange that this is part of.
    pub exchange: Arc<Exchange>,
    /// The classes that no text to this receiver may tell of.
    pub screen_against: ClassSet,
    /// Every field, by its path from the root, with what was decided and why.
    pub cells: Arc<[Cell]>,
    /// The rules that decided some cell, by name.
    pub rules: Arc<[Name]>,
}

/// What was decided for one field at one place of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Where it stands; a recursive message is not followed into itself.
    pub path: FieldPath,
    /// The message type that declares it.
    pub message: MessageType,
    /// Its number there.
    pub number: u32,
    /// What kind of value it holds.
    pub kind: FieldKind,
    /// Its class; none = nobody classified it, and it does not pass.
    pub class: Option<DataClass>,
    /// For a text: what it is about.
    pub subject: Option<DataClass>,
    /// In which form it passes; none = not at all, itself or because of the container around it.
    pub form: Option<Form>,
    /// The rule that decided: `geen-regel` where none permits, `zonder-klasse` where there is no class.
    pub rule: Name,
    /// What that rule says.
    pub sentence: Sentence,
}

impl Cell {
    /// Whether the field itself or what it is about lies in a set of classes.
    pub fn touches(&self, classes: ClassSet) -> bool {
        self.class.into_iter().chain(self.subject).any(|class| classes.contains(class))
    }
}

impl Compiled {
    /// Whether no field that holds a value passes. A message that has no fields says all it can say: it passes.
    pub fn passes_nothing(&self) -> bool {
        let passes = |cell: &Cell| cell.form.is_some() && cell.kind != FieldKind::Bericht;
        !self.cells.is_empty() && !self.cells.iter().any(passes)
    }
}

/// What was decided for a field, wherever its message occurs.
#[derive(Debug, Clone)]
pub(crate) struct Ruling {
    pub(crate) form: Option<Form>,
    pub(crate) rule: Name,
    pub(crate) sentence: Sentence,
}

impl Ruling {
    pub(crate) fn without_rule() -> Option<Ruling> {
        Some(Ruling {
            form: None,
            rule: NO_RULE.parse().ok()?,
            sentence: Sentence::new("Geen regel laat dit door.", "No rule lets this pass."),
        })
    }

    pub(crate) fn without_class() -> Option<Ruling> {
        Some(Ruling {
            form: None,
            rule: NO_CLASS.parse().ok()?,
            sentence: Sentence::new(
                "Dit veld heeft geen klasse en gaat daarom nergens heen.",
                "This field has no class, and so it goes nowhere.",
            ),
        })
    }
}

/// The plan for these decisions; `form_of` is asked for classified fields only.
pub(crate) fn plan(
    root: &MessageDescriptor,
    classified: &Classified,
    form_of: &dyn Fn(&Field) -> Option<Form>,
) -> Result<Plan, PlanError> {
    let mut rule_of = |descriptor: &FieldDescriptor| match classified.get(descriptor) {
        None => (FieldKind::Waarde, fields::Rule::Withhold { class: None }),
        Some(field) => (field.kind, rule_for(field, form_of(field))),
    };
    Plan::compile(root, &mut rule_of, Limits::default())
}

fn rule_for(field: &Field, form: Option<Form>) -> fields::Rule {
    match (field.class, field.subject, form) {
        (Some(DataClass::Tekst), Some(subject), Some(Form::Vol)) => fields::Rule::Screen { class: subject },
        (Some(DataClass::Tekst), _, _) => fields::Rule::Withhold { class: field.subject.or(field.class) },
        (Some(class), _, Some(form)) => fields::Rule::Pass { class, form },
        (class, _, _) => fields::Rule::Withhold { class },
    }
}

/// One cell for every place in the document.
pub(crate) fn cells(
    root: &MessageDescriptor,
    classified: &Classified,
    ruling_of: &dyn Fn(&Field) -> Option<Ruling>,
) -> Vec<Cell> {
    let mut walk = Walk { classified, ruling_of, cells: Vec::new(), inside: Vec::new() };
    walk.message(root, "", None);
    walk.cells
}

struct Walk<'a> {
    classified: &'a Classified,
    ruling_of: &'a dyn Fn(&Field) -> Option<Ruling>,
    cells: Vec<Cell>,
    /// The message types around this place.
    inside: Vec<String>,
}

impl Walk<'_> {
    fn message(&mut self, message: &MessageDescriptor, prefix: &str, withheld: Option<&Ruling>) {
        if is_one_value(message) || self.inside.iter().any(|name| name == message.full_name()) {
            return;
        }
        self.inside.push(message.full_name().to_owned());
        for descriptor in message.fields() {
            self.field(&descriptor, prefix, withheld);
        }
        self.inside.pop();
    }

    fn field(&mut self, descriptor: &FieldDescriptor, prefix: &str, withheld: Option<&Ruling>) {
        let dot = if prefix.is_empty() { "" } else { "." };
        let path = format!("{prefix}{dot}{}", descriptor.name());
        let (Some(field), Ok(parsed)) = (self.classified.get(descriptor), path.parse()) else { return };
        // What lies in a withheld container is withheld by what withheld the container.
        let Some(ruling) = withheld.cloned().or_else(|| (self.ruling_of)(field)) else { return };
        self.cells.push(Cell {
            path: parsed,
            message: field.message.clone(),
            number: field.number,
            kind: field.kind,
            class: field.class,
            subject: field.subject,
            form: ruling.form,
            rule: ruling.rule.clone(),
            sentence: ruling.sentence.clone(),
        });
        if let Kind::Message(inner) = descriptor.kind() {
            let around = ruling.form.is_none().then_some(&ruling);
            self.message(&inner, &path, around);
        }
    }
}
