//! A plan: for every message type that can be reached, field number → what happens to it.
//!
//! Owns: the tables that the pass runs on, dense for small numbers, shared between all places where a type
//! occurs. Built by `compile`, run by `filter`, printed by `table` and `explain`. Immutable, so that any
//! number of passes can share it.

use std::borrow::Cow;
use std::collections::HashMap;

use model::{DataClass, FieldKind};

use crate::account::{Account, Counter};
use crate::filter::{self, Settled};
use crate::malformed::{Malformed, MalformedKind};
use crate::pseudonym::PseudonymKey;
use crate::rule::{Limits, Rule};
use crate::scalar::Scalar;
use crate::settle;

/// Everything that one receiver may have of one message type, compiled. See [`Plan::compile`].
#[derive(Debug, Clone)]
pub struct Plan {
    /// The root is the first.
    pub(crate) tables: Vec<Table>,
    /// The types an `Any` can hold, by the whole `type_url`.
    pub(crate) any: HashMap<String, AnyType>,
    pub(crate) limits: Limits,
}

/// Index of a table in its plan.
pub(crate) type TableId = u16;
/// No table at all.
pub(crate) const NO_TABLE: TableId = TableId::MAX;

/// The tables of a type that an `Any` can hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnyType {
    /// `NO_TABLE` when nothing of the type passes: then the name of the type does not pass either.
    pub(crate) decided: TableId,
    pub(crate) checked: TableId,
}

/// In which of three ways a message type is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    /// Field by field, as the rules say.
    Decided,
    /// A well-known type that is one value: all of it passes, or did not get here.
    Whole,
    /// Nothing passes; it is read only so that validity does not depend on who receives.
    Checked,
}

/// One message type in one mode.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) mode: Mode,
    /// The first byte of a field → what to know of it, if its key has one byte. Longer keys start with 0x80 or more:
    /// what to do with those stands elsewhere.
    pub(crate) steps: [Step; 256],
    /// Field number → slot, from number 0.
    pub(crate) dense: Vec<Slot>,
    /// Larger numbers, in order.
    pub(crate) sparse: Vec<(u32, Slot)>,
    /// What each field was decided to be, in the order of its number; for people, and for the unusual.
    pub(crate) fields: Vec<Field>,
    /// The full name of the type.
    pub(crate) name: String,
}

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Walk {
    /// Not in the contract.
    Unknown,
    /// A varint of which up to four bytes are always canonical unless padded.
    Varint32,
    /// A varint of 64 bits.
    Varint64,
    Bool,
    Fixed32,
    Fixed64,
    Text,
    Bytes,
    Message,
    /// Left to `careful`: packed runs and lesser forms.
    Careful,
    /// The `type_url` of an `Any`.
    AnyUrl,
    /// The `value` of an `Any`.
    AnyValue,
}

/// What happens to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Act {
    Drop,
    /// Nothing more: the message that it is in was dropped whole.
    Inside,
    /// Copied; a message is entered.
    Keep,
    /// Copied, and its range reported.
    Screen,
    /// Written in a lesser form.
    Transform,
    /// Repeated, and only whether there is any passes.
    Once,
}

/// What the pass must know of a field of which there is little to know, by its key: one look-up of four bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct Step {
    pub(crate) read: Read,
    pub(crate) count: Counter,
    /// Of a fixed number its width; of a varint up to which length it is always canonical, unless padded; of a message
    /// its table.
    pub(crate) operand: u16,
}

/// How a field is read, and what is done with it then. One bit each: so the pass tests the common ones first, where
/// the compiler would make a jump of an enum that no processor foresees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read(u8);

impl Read {
    /// Not here: there is more to know. See its slot.
    pub(crate) const ELSEWHERE: Read = Read(0);
    pub(crate) const TEXT: Read = Read(1);
    pub(crate) const VARINT: Read = Read(2);
    pub(crate) const BOOL: Read = Read(4);
    pub(crate) const FIXED: Read = Read(8);
    pub(crate) const MESSAGE: Read = Read(16);
    /// And then it is left out.
    pub(crate) const CUT: Read = Read(32);
    /// And then its range is reported.
    pub(crate) const SCREEN: Read = Read(64);

    #[inline(always)]
    pub(crate) const fn is(self, other: Read) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) const fn and(self, other: Read) -> Read {
        Read(self.0 | other.0)
    }
}

impl Step {
    pub(crate) const ELSEWHERE: Step =
        Step { read: Read::ELSEWHERE, count: crate::account::UNCOUNTED, operand: 0 };
}

/// What the pass knows of a field number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) wire: u8,
    pub(crate) walk: Walk,
    pub(crate) act: Act,
    pub(crate) count: Counter,
    pub(crate) scalar: Scalar,
    /// Index into the fields of its table.
    pub(crate) field: u16,
    /// The table of a message.
    pub(crate) sub: TableId,
    pub(crate) watch: Watch,
}

/// What a field means for other fields of its message; see `watch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watch {
    /// With any of these seen before it in the message, the message must be settled first.
    pub(crate) conflicts: u32,
    /// What this field adds to what was seen.
    pub(crate) sets: u32,
}

impl Watch {
    pub(crate) const NOTHING: Watch = Watch { conflicts: 0, sets: 0 };
}

impl Slot {
    pub(crate) const UNKNOWN: Slot = Slot {
        wire: u8::MAX,
        walk: Walk::Unknown,
        act: Act::Drop,
        count: crate::account::UNKNOWN,
        scalar: Scalar::Bytes,
        field: u16::MAX,
        sub: NO_TABLE,
        watch: Watch::NOTHING,
    };
}

/// A field as people know it.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) name: String,
    /// `string`, `repeated uint32`, `map entry`, the full name of a message.
    pub(crate) type_name: String,
    pub(crate) kind: FieldKind,
    pub(crate) rule: Rule,
    /// The class that counts: of the subject for text to screen.
    pub(crate) class: Option<DataClass>,
    pub(crate) repeated: bool,
    /// Which real oneof of the message it is in.
    pub(crate) oneof: Option<u16>,
    /// Why it does not pass although its own rule lets it.
    pub(crate) because: Option<&'static str>,
}

impl Plan {
    /// Writes what may leave of `input` into `output`, and what happened into `account`; both start afresh.
    ///
    /// One pass forward; nothing is allocated per field, and nothing at all when `output` and `account` are
    /// reused. What a standard parser sees in the output is what it would see after parsing the input, clearing
    /// what the rules withhold and everything the contract does not know, and serialising. Two passes over
    /// the same document give the same bytes, and a pass over the output changes nothing more.
    ///
    /// # Errors
    /// The input is not a strictly valid message of its type: the output is empty then. Whether it is valid
    /// does not depend on the rules.
    pub fn filter(
        &self,
        input: &[u8],
        key: &PseudonymKey,
        output: &mut Vec<u8>,
        account: &mut Account,
    ) -> Result<(), Malformed> {
        let filtered = self.filter_settled(input, key, output, account);
        if filtered.is_err() {
            output.clear();
            account.reset();
        }
        filtered
    }

    fn filter_settled(
        &self,
        input: &[u8],
        key: &PseudonymKey,
        output: &mut Vec<u8>,
        account: &mut Account,
    ) -> Result<(), Malformed> {
        if input.len() > self.limits.bytes {
            return Err(MalformedKind::Size.at(0));
        }
        let mut current = Cow::Borrowed(input);
        while filter::pass(self, &current, key, output, account)? == Settled::No {
            let settled = settle::message(self, &current);
            if settled == *current {
                break; // a false alarm: what is watched shares bits
            }
            current = Cow::Owned(settled);
        }
        Ok(())
    }

    /// Whether no field passes at all, in any message.
    pub fn passes_nothing(&self) -> bool {
        !self.tables.first().is_some_and(Table::passes_something)
    }

    pub(crate) fn table(&self, id: TableId) -> Option<&Table> {
        self.tables.get(usize::from(id))
    }
}

impl Table {
    /// The slot of a field number.
    #[inline(always)]
    pub(crate) fn slot(&self, number: u32) -> Slot {
        match self.dense.get(number as usize) {
            Some(slot) => *slot,
            None => self.sparse_slot(number),
        }
    }

    #[cold]
    fn sparse_slot(&self, number: u32) -> Slot {
        let found = self.sparse.binary_search_by_key(&number, |(number, _)| *number);
        found.ok().and_then(|index| self.sparse.get(index)).map_or(Slot::UNKNOWN, |(_, slot)| *slot)
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.dense.iter().chain(self.sparse.iter().map(|(_, slot)| slot))
    }

    /// Whether any field passes, be it an empty container.
    pub(crate) fn passes_something(&self) -> bool {
        self.slots().any(|slot| slot.act != Act::Drop)
    }
}
