//! A draft against the past: what of the deliveries on record would have gone otherwise.
//!
//! Owns: comparing by class and form, which is all that the log has. No payload is read and none is needed; a class
//! counts as kept when the draft still lets some field of it pass in that form or a more revealing one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use model::{DataClass, FieldKind, Form, Reason};

use crate::compiled::Compiled;
use crate::proven::Proven;
use crate::route::Situation;

/// One delivery on record.
#[derive(Debug, Clone)]
pub struct Past {
    /// From whom to whom, what for, with which consents.
    pub situation: Situation,
    /// The phase of the client's traject, where the record names one.
    pub phase: Option<u8>,
    /// The classes that passed, with their form.
    pub passed: Vec<(DataClass, Form)>,
}

/// What a draft would have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// How many deliveries were looked at.
    pub deliveries: u64,
    /// How many would have gone as they did.
    pub unchanged: u64,
    /// Deliveries that would have been refused, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Deliveries that would have lost a class or some of its precision, by exchange.
    pub lost: BTreeMap<(Arc<str>, DataClass), u64>,
    /// Deliveries in which a class could have passed in a more revealing form, by exchange.
    pub gained: BTreeMap<(Arc<str>, DataClass), u64>,
}

/// Runs a draft over the past.
pub fn replay(draft: &Proven, past: impl IntoIterator<Item = Past>) -> Replay {
    let mut replay = Replay::default();
    for delivery in past {
        replay.deliveries += 1;
        // Where no phase is on record, none was asked for: nobody knows which it was.
        let fits = |compiled: &Compiled| {
            delivery.phase.map_or(Ok(()), |phase| compiled.exchange.admits(Some(phase)))
        };
        match draft.compiled(&delivery.situation) {
            Err(refusal) => replay.refuse(refusal.reason),
            Ok(compiled) => match fits(&compiled) {
                Err(reason) => replay.refuse(reason),
                Ok(()) => replay.compare(&compiled, &delivery.passed),
            },
        }
    }
    replay
}

impl Replay {
    fn refuse(&mut self, reason: Reason) {
        *self.refused.entry(reason.name()).or_default() += 1;
    }

    fn compare(&mut self, compiled: &Compiled, passed: &[(DataClass, Form)]) {
        let mut same = true;
        let mut seen = Vec::new();
        for (class, form) in passed {
            let key = (compiled.exchange.id.clone(), *class);
            let now = most(compiled, *class);
            let changed = match now {
                Some(now) if now == *form => None,
                // More than was seen is news only if the record shows the most that passed of this class.
                Some(now) if now < *form => {
                    let best = passed.iter().filter(|(other, _)| other == class).map(|(_, form)| *form).min();
                    (best == Some(*form)).then_some(&mut self.gained)
                }
                _ if contains(compiled, *class, *form) => None,
                _ => Some(&mut self.lost),
            };
            if let Some(table) = changed.filter(|_| !seen.contains(class)) {
                *table.entry(key).or_default() += 1;
                seen.push(*class);
                same = false;
            }
        }
        self.unchanged += u64::from(same);
    }
}

/// The most revealing form in which a class passes.
fn most(compiled: &Compiled, class: DataClass) -> Option<Form> {
    let cells =
        compiled.cells.iter().filter(|cell| cell.class == Some(class) && cell.kind != FieldKind::Bericht);
    cells.filter_map(|cell| cell.form).min()
}

/// Whether a message of this class passes in this form: a record counts those among the fields.
fn contains(compiled: &Compiled, class: DataClass, form: Form) -> bool {
    let mut messages = compiled.cells.iter().filter(|cell| cell.kind == FieldKind::Bericht);
    messages.any(|cell| cell.class == Some(class) && cell.form == Some(form))
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} deliveries, {} would have gone as they did", self.deliveries, self.unchanged)?;
        for (reason, count) in &self.refused {
            writeln!(f, "  {count} would have been refused: {reason}")?;
        }
        for ((exchange, class), count) in &self.lost {
            writeln!(f, "  {count} of {exchange} would have lost {class}, or some of its precision")?;
        }
        for ((exchange, class), count) in &self.gained {
            writeln!(f, "  {count} of {exchange} could have had more of {class}")?;
        }
        Ok(())
    }
}
