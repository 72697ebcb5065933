//! A plan as people and checkers read it: one row for every field of every message type it decides.
//!
//! Owns: rows, and their layout as a table. Derived from the very slots that the pass runs on, not from the rules
//! they came from, so that a check of the rows is a check of the plan.

use std::fmt;

use model::{DataClass, FieldKind, Form};

use crate::plan::{Act, Field, Mode, Plan, Slot, Table};
use crate::rule::Rule;

/// What happens to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It passes in this form. A message passes as a container.
    Passes(Form),
    /// It passes, and is screened before it leaves.
    Screened,
    /// It does not pass, and why.
    Withheld(&'static str),
}

/// One field of one message type in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// The full name of the message type.
    pub message: &'a str,
    /// The number of the field.
    pub number: u32,
    /// The name of the field.
    pub name: &'a str,
    /// Its type, such as `repeated uint32`.
    pub type_name: &'a str,
    /// What kind of value it holds.
    pub kind: FieldKind,
    /// Its class; for text to screen, that of its subject; none when nobody classified it.
    pub class: Option<DataClass>,
    /// What happens to it.
    pub outcome: Outcome,
}

impl Plan {
    /// Every field that this plan decides: by message type from the root outward, then by number. What is inside a
    /// withheld message, or inside a well-known type that is one value, has no rows of its own.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let decided = self.tables.iter().filter(|table| table.mode == Mode::Decided);
        decided.filter(|table| table.name != crate::compile::ANY).flat_map(Table::rows)
    }
}

impl Table {
    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.fields.iter().map(|field| Row {
            message: &self.name,
            number: field.number,
            name: &field.name,
            type_name: &field.type_name,
            kind: field.kind,
            class: field.class,
            outcome: outcome(self.slot(field.number), field),
        })
    }
}

/// What a slot does, said in words.
pub(crate) fn outcome(slot: Slot, field: &Field) -> Outcome {
    match (slot.act, field.rule) {
        (Act::Keep, _) => Outcome::Passes(Form::Vol),
        (Act::Screen, _) => Outcome::Screened,
        (Act::Once, _) => Outcome::Passes(Form::JaNee),
        (Act::Transform, Rule::Pass { form, .. }) => Outcome::Passes(form),
        (Act::Transform, _) => Outcome::Passes(Form::Vol),
        (Act::Drop | Act::Inside, Rule::Withhold { class: None }) => Outcome::Withheld("no class"),
        (Act::Drop | Act::Inside, _) => Outcome::Withheld(field.because.unwrap_or("not for this receiver")),
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Passes(form) => f.pad(form.name()),
            Outcome::Screened => f.pad("screened"),
            Outcome::Withheld(because) => f.pad(&format!("- ({because})")),
        }
    }
}

/// One line a field: number, name, type, class, and what happens; grouped by message type.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<Row<'_>> = self.rows().collect();
        let widest = |text: fn(&Row<'_>) -> usize| rows.iter().map(text).max().unwrap_or(0);
        let name = widest(|row| row.name.len());
        let type_name = widest(|row| row.type_name.len());
        let class = widest(|row| class_of(row).len());
        let mut message = "";
        for row in &rows {
            if row.message != message {
                message = row.message;
                writeln!(f, "{message}")?;
            }
            let Row { number, outcome, .. } = row;
            writeln!(
                f,
                "  {number:>5}  {:name$}  {:type_name$}  {:class$}  {outcome}",
                row.name,
                row.type_name,
                class_of(row)
            )?;
        }
        Ok(())
    }
}

fn class_of(row: &Row<'_>) -> &'static str {
    row.class.map_or("-", DataClass::name)
}
