//! One field, whatever its encoding: everything that the pass finds unusual, at leisure.
//!
//! Owns: strict reading of any field, canonical writing of what was written otherwise, lesser forms, and the
//! two fields of an `Any`. Correct for usual fields too; `filter` only comes here when it must.

use crate::account::UNKNOWN;
use crate::filter::Pass;
use crate::malformed::{Malformed, MalformedKind};
use crate::plan::{Act, Mode, NO_TABLE, Slot, Walk};
use crate::rule::Rule;
use crate::scalar::{self, Scalar};
use crate::transform::{self, Lesser};
use crate::wire::{self, LEN, Raw, VARINT};

impl Pass<'_> {
    /// Reads the field at `start`, and does with it what its slot says.
    #[cold]
    #[inline(never)]
    pub(crate) fn careful(&mut self, start: usize) -> Result<(), Malformed> {
        let raw = wire::field(self.input, start, self.end).map_err(|kind| kind.at(start))?;
        let slot = self.table.slot(raw.number);
        if slot.walk == Walk::Unknown {
            if self.table.mode == Mode::Decided {
                self.account.add(UNKNOWN);
            }
            self.leave_out(start, raw.end);
            return Ok(());
        }
        if raw.wire != slot.wire && !self.is_other_packing(slot, raw) {
            return Err(MalformedKind::WireType.at(start));
        }
        match slot.walk {
            Walk::AnyUrl => return self.any_url(slot, start, raw),
            Walk::AnyValue => return self.any_value(slot, start, raw),
            _ => {}
        }
        if slot.scalar == Scalar::Message {
            self.note(&slot);
            return self.go_in(slot.act != Act::Drop, slot.sub, start, raw);
        }
        let canonical = self.check(slot, raw).map_err(|kind| kind.at(start))?;
        let is_empty_run = raw.wire == LEN && slot.scalar.wire() != LEN && raw.value == raw.end;
        if slot.act == Act::Once && (self.seen & slot.watch.sets != 0 || is_empty_run) {
            self.leave_out(start, raw.end);
            return Ok(());
        }
        self.note(&slot);
        match slot.act {
            Act::Drop => self.leave_out(start, raw.end),
            Act::Keep | Act::Screen if raw.canonical && canonical => {
                self.pos = raw.end;
                if slot.act == Act::Screen {
                    self.screen(&slot, self.sink.place_of(raw.value), raw.end - raw.value);
                }
            }
            Act::Keep | Act::Screen => self.write(slot, start, raw, Lesser::NONE),
            Act::Transform => self.write(slot, start, raw, self.lesser(slot)),
            Act::Once => self.write_once(slot, start, raw),
        }
        Ok(())
    }

    /// A repeated number may stand packed or by itself, whichever its contract prefers.
    fn is_other_packing(&self, slot: Slot, raw: Raw) -> bool {
        let repeated = self.table.fields.get(usize::from(slot.field)).is_some_and(|field| field.repeated);
        let other = if slot.wire == LEN { slot.scalar.wire() } else { LEN };
        repeated && slot.scalar.wire() != LEN && raw.wire == other
    }

    /// Whether the value is valid, and then whether it is written in the canonical way.
    fn check(&self, slot: Slot, raw: Raw) -> Result<bool, MalformedKind> {
        let value = self.input.get(raw.value..raw.end).unwrap_or_default();
        if slot.scalar == Scalar::Text {
            return std::str::from_utf8(value).map(|_| true).map_err(|_| MalformedKind::Utf8);
        }
        if raw.wire == VARINT {
            let same = slot.scalar.canonical(raw.varint) == raw.varint;
            return Ok(same && wire::varint_len(raw.varint) == value.len());
        }
        let (mut at, mut canonical) = (0, true);
        if raw.wire == LEN && slot.scalar.wire() != LEN {
            while at < value.len() {
                let element = scalar::element(slot.scalar, value, at)?;
                at = element.end;
                canonical &= element.canonical;
            }
        }
        Ok(canonical)
    }

    fn leave_out(&mut self, start: usize, end: usize) {
        self.sink.cut(start, end);
        self.pos = end;
    }

    fn lesser(&self, slot: Slot) -> Lesser {
        let rule = self.table.fields.get(usize::from(slot.field)).map(|field| field.rule);
        match rule {
            Some(Rule::Pass { class, form }) => Lesser { form, class: Some(class) },
            _ => Lesser::NONE,
        }
    }

    /// Writes the field anew: the canonical way, in a lesser form if there is one.
    fn write(&mut self, slot: Slot, start: usize, raw: Raw, lesser: Lesser) {
        let value = self.input.get(raw.value..raw.end).unwrap_or_default();
        let mut written = std::mem::take(&mut self.account.scratch);
        written.clear();
        if raw.wire == VARINT {
            let bits = slot.scalar.canonical(raw.varint);
            wire::push_varint(lesser.number(slot.scalar, bits, self.key), &mut written);
        } else if slot.scalar.wire() == LEN {
            lesser.text(slot.scalar, value, self.key, &mut written);
        } else if raw.wire == LEN {
            let mut at = 0;
            while let Ok(element) = scalar::element(slot.scalar, value, at) {
                scalar::push(slot.scalar, lesser.number(slot.scalar, element.bits, self.key), &mut written);
                at = element.end;
            }
        } else {
            scalar::push(
                slot.scalar,
                lesser.number(slot.scalar, scalar::fixed(value), self.key),
                &mut written,
            );
        }
        self.put(slot, start, raw, &written);
        self.account.scratch = written;
    }

    fn write_once(&mut self, slot: Slot, start: usize, raw: Raw) {
        let mut written = std::mem::take(&mut self.account.scratch);
        written.clear();
        transform::push_yes(slot.scalar, &mut written);
        self.put(slot, start, raw, &written);
        self.account.scratch = written;
    }

    /// Puts `written` in the place of the field's value.
    fn put(&mut self, slot: Slot, start: usize, raw: Raw, written: &[u8]) {
        self.leave_out(start, raw.end);
        self.sink.put_varint(wire::key(raw.number, raw.wire));
        if raw.wire == LEN {
            self.sink.put_varint(written.len() as u64);
        }
        let place = self.sink.place_of(raw.end);
        self.sink.put(written);
        if slot.act == Act::Screen {
            self.screen(&slot, place, written.len());
        }
    }

    /// Goes into a message; if it is kept and its key or length is padded, those are written anew.
    fn go_in(&mut self, keep: bool, sub: u16, start: usize, raw: Raw) -> Result<(), Malformed> {
        if !keep {
            self.sink.cut(start, raw.value);
            return self.descend(sub, start, usize::MAX, 0, raw.value, raw.end);
        }
        let len = (raw.end - raw.value) as u64;
        let width = wire::varint_len(len);
        if raw.canonical {
            let place = self.sink.place_of(raw.value - width);
            return self.descend(sub, start, place, width, raw.value, raw.end);
        }
        self.sink.cut(start, raw.value);
        self.sink.put_varint(wire::key(raw.number, LEN));
        self.sink.put_varint(len);
        let place = self.sink.place_of(raw.value) - width;
        self.descend(sub, start, place, width, raw.value, raw.end)
    }

    /// The name of the type in an `Any`: it passes if the contract knows it and something of it passes.
    fn any_url(&mut self, slot: Slot, start: usize, raw: Raw) -> Result<(), Malformed> {
        let value = self.input.get(raw.value..raw.end).unwrap_or_default();
        let url = std::str::from_utf8(value).map_err(|_| MalformedKind::Utf8.at(start))?;
        self.note(&slot);
        let found = self.plan.any.get(url);
        let keep = slot.act == Act::Keep && found.is_some_and(|found| found.decided != NO_TABLE);
        self.any = found.map_or(NO_TABLE, |found| if keep { found.decided } else { found.checked });
        if slot.act == Act::Keep && !keep {
            self.account.add(UNKNOWN);
        }
        if !keep {
            self.leave_out(start, raw.end);
        } else if raw.canonical {
            self.pos = raw.end;
        } else {
            self.write(slot, start, raw, Lesser::NONE);
        }
        Ok(())
    }

    /// What an `Any` holds, by the plan of the type that it named.
    fn any_value(&mut self, slot: Slot, start: usize, raw: Raw) -> Result<(), Malformed> {
        self.note(&slot);
        let Some(table) = self.plan.table(self.any) else {
            self.leave_out(start, raw.end);
            return Ok(());
        };
        self.go_in(table.mode == Mode::Decided, self.any, start, raw)
    }
}
