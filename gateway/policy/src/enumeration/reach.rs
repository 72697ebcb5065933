//! What one root message reaches: its fields and what its texts may be about, looked up once and decided often.

use std::collections::BTreeSet;

use model::{ClassSet, DataClass, MessageType};
use prost_reflect::{Kind, MessageDescriptor};

use super::Parts;
use crate::classification::{Field, is_one_value};
use crate::decision::{Decider, Decision, View};
use crate::problem::{Problem, Stage};
use crate::world::ResourceIndex;

/// Everything that a document of one type can hold.
pub(super) struct Reach {
    pub(super) root: MessageDescriptor,
    pub(super) targets: Vec<Target>,
    /// For every message that holds a text: each class as the subject of a text there.
    pub(super) subjects: Vec<(DataClass, ResourceIndex)>,
}

/// A field, and where it stands among the resources.
pub(super) struct Target {
    pub(super) field: Field,
    resource: ResourceIndex,
    /// For a text: its subject in this message.
    subject: Option<ResourceIndex>,
}

/// The decisions of one route in one state, in the order of the targets of its reach.
#[derive(PartialEq, Eq, Hash, Clone)]
pub(super) struct Decided {
    pub(super) fields: Vec<Decision>,
    pub(super) screen_against: ClassSet,
}

impl Reach {
    pub(super) fn of(parts: &Parts<'_>, root: &MessageType) -> Result<Reach, Problem> {
        let root = parts.contracts.message(root)?;
        let mut open = vec![root.clone()];
        let mut seen = BTreeSet::new();
        let mut targets = Vec::new();
        while let Some(message) = open.pop() {
            if is_one_value(&message) || !seen.insert(message.full_name().to_owned()) {
                continue;
            }
            for descriptor in message.fields() {
                if let Some(field) = parts.classified.get(&descriptor) {
                    targets.push(Target::of(parts, field.clone())?);
                }
                if let Kind::Message(inner) = descriptor.kind() {
                    open.push(inner);
                }
            }
        }
        let texts = targets.iter().filter(|target| target.field.subject.is_some());
        let with_text: BTreeSet<&MessageType> = texts.map(|target| &target.field.message).collect();
        let mut subjects = Vec::new();
        for message in with_text {
            for class in DataClass::ALL.iter().copied().filter(|class| *class != DataClass::Tekst) {
                subjects.push((class, in_store(parts.world.subject(message, class), message.as_str())?));
            }
        }
        Ok(Reach { root, targets, subjects })
    }

    /// Decides every target, and what no text may tell of.
    pub(super) fn decide(&self, decider: &mut Decider<'_>, view: &View<'_>) -> Result<Decided, Problem> {
        let mut fields = Vec::with_capacity(self.targets.len());
        for target in &self.targets {
            let mut decision = decider.decide(view, target.resource)?;
            if let (Some(subject), Some(_)) = (target.subject, decision.form) {
                decision = decider.decide(view, subject)?;
            }
            fields.push(decision);
        }
        let mut screen_against = ClassSet::EMPTY;
        for (class, subject) in &self.subjects {
            if decider.decide(view, *subject)?.form.is_none() {
                screen_against.insert(*class);
            }
        }
        Ok(Decided { fields, screen_against })
    }
}

impl Target {
    fn of(parts: &Parts<'_>, field: Field) -> Result<Target, Problem> {
        let key = (field.message.clone(), field.number);
        let resource = in_store(parts.world.field(&key), &field.full_name())?;
        let subject = field.subject.map(|class| parts.world.subject(&field.message, class));
        let subject = subject.map(|subject| in_store(subject, &field.full_name())).transpose()?;
        Ok(Target { field, resource, subject })
    }
}

/// Every field is in the store; one that is not would slip past `forbid … in …`.
fn in_store(resource: Option<ResourceIndex>, name: &str) -> Result<ResourceIndex, Problem> {
    resource.ok_or_else(|| Problem::new(Stage::Rule, name, "not among the entities of the bundle"))
}
