//! What happened to one message, field by field, and where in it a text stands: for people, not for the hot path.
//!
//! Owns: paths. Walks by the same plan as the pass, but at leisure, and never shows a value. What is inside a
//! withheld message is not told: it is withheld as one.

use model::DataClass;

use crate::malformed::{Malformed, MalformedKind};
use crate::plan::{Act, Mode, NO_TABLE, Plan, Table, TableId, Walk};
use crate::settle;
use crate::table::{Outcome, outcome};
use crate::wire::{self, LEN, Raw};

/// One field of a message, and what a pass does with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Where it stands: names joined by dots, without indexes. A field that the contract does not know has its
    /// number for a name, as `#99`.
    pub path: String,
    /// Its class; none when nobody classified it.
    pub class: Option<DataClass>,
    /// What happens to it.
    pub outcome: Outcome,
    /// How often it stands in the message.
    pub count: usize,
}

impl Plan {
    /// What a pass over `input` does to each field that a standard parser finds there, by message and number.
    ///
    /// # Errors
    /// The input cannot be read. Not every input that can be explained would be let through.
    pub fn explain(&self, input: &[u8]) -> Result<Vec<Explained>, Malformed> {
        let mut explained: Vec<Explained> = Vec::new();
        let settled = settle::fully(self, input);
        self.visit(0, &settled, 0, "", self.limits.depth, &mut |seen: Seen<'_>| match explained
            .iter_mut()
            .find(|known| known.path == seen.path)
        {
            Some(known) => known.count += 1,
            None => {
                let Seen { path, class, outcome, .. } = seen;
                explained.push(Explained { path: path.to_owned(), class, outcome, count: 1 });
            }
        })?;
        Ok(explained)
    }

    /// Where in a message the byte `at` stands: names joined by dots, repeated fields with their index from 0, as
    /// `toelichtingen[2].tekst`. For the texts of an account: `message` is the output, `at` the start of a text.
    pub fn locate(&self, message: &[u8], at: usize) -> Option<String> {
        let mut path = String::new();
        let (mut table, mut from, mut to) = (self.table(0)?, 0, message.len());
        let mut named = NO_TABLE;
        loop {
            let (raw, index) = around(table, message, from, to, at)?;
            let slot = table.slot(raw.number);
            let field = table.fields.get(usize::from(slot.field))?;
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&field.name);
            if field.repeated {
                path.push_str(&format!("[{index}]"));
            }
            if slot.walk == Walk::AnyValue {
                named = self.named(message.get(from..to)?, table);
            }
            let sub = if slot.walk == Walk::AnyValue { named } else { slot.sub };
            match self.table(sub) {
                Some(inner) if raw.wire == LEN => (table, from, to) = (inner, raw.value, raw.end),
                _ => return Some(path),
            }
        }
    }

    fn visit(
        &self,
        table: TableId,
        message: &[u8],
        offset: usize,
        above: &str,
        depth: usize,
        see: &mut dyn FnMut(Seen<'_>),
    ) -> Result<(), Malformed> {
        let Some(table) = self.table(table) else { return Ok(()) };
        let mut at = 0;
        while at < message.len() {
            let raw = wire::field(message, at, message.len()).map_err(|kind| kind.at(offset + at))?;
            let slot = table.slot(raw.number);
            let field = table.fields.get(usize::from(slot.field));
            let name = field.map_or_else(|| format!("#{}", raw.number), |field| field.name.clone());
            let path = if above.is_empty() { name } else { format!("{above}.{name}") };
            let said = field.map_or(Outcome::Withheld("not in the contract"), |field| outcome(slot, field));
            let is_any = matches!(slot.walk, Walk::AnyUrl | Walk::AnyValue);
            if !is_any {
                see(Seen { path: &path, class: field.and_then(|field| field.class), outcome: said });
            }
            let sub = if slot.walk == Walk::AnyValue { self.named(message, table) } else { slot.sub };
            let decided = self.table(sub).is_some_and(|inner| inner.mode == Mode::Decided);
            if decided && slot.act != Act::Drop && raw.wire == LEN {
                let depth = depth.checked_sub(1).ok_or(MalformedKind::Depth.at(offset + at))?;
                let inner = message.get(raw.value..raw.end).unwrap_or_default();
                self.visit(sub, inner, offset + raw.value, if is_any { above } else { &path }, depth, see)?;
            }
            at = raw.end;
        }
        Ok(())
    }

    /// The table of the type that an `Any` names and of which something passes.
    fn named(&self, any: &[u8], table: &Table) -> TableId {
        let mut at = 0;
        let mut named = NO_TABLE;
        while let Ok(raw) = wire::field(any, at, any.len()) {
            if table.slot(raw.number).walk == Walk::AnyUrl && raw.wire == LEN {
                let url = any.get(raw.value..raw.end).and_then(|url| std::str::from_utf8(url).ok());
                named = url.and_then(|url| self.any.get(url)).map_or(NO_TABLE, |found| found.decided);
            }
            at = raw.end;
        }
        named
    }
}

/// A field that a visit comes by.
struct Seen<'a> {
    path: &'a str,
    class: Option<DataClass>,
    outcome: Outcome,
}

/// The field of `from..to` around the byte `at`, and how many of its number stand before it.
fn around(table: &Table, message: &[u8], from: usize, to: usize, at: usize) -> Option<(Raw, usize)> {
    let mut before = std::collections::HashMap::new();
    let mut next = from;
    while next < to {
        let raw = wire::field(message, next, to).ok()?;
        let index = before.entry(raw.number).or_insert(0);
        if at < raw.end {
            return (table.slot(raw.number).walk != Walk::Unknown).then_some((raw, *index));
        }
        *index += 1;
        next = raw.end;
    }
    None
}
