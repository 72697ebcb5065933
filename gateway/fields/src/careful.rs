//! One field, whatever its encoding: everything that the pass finds unusual, at leisure.
//!
//! Owns: strict reading of any field, canonical writing of what was written otherwise, lesser forms, and the
//! two fields of an `Any`. Correct for usual fields too; `filter` only comes here when it must.

use crate::account::UNKNOWN;
use crate::filter::{Pass, Seen};
use crate::malformed::{Malformed, MalformedKind};
use crate::plan::{Act, Mode, NO_TABLE, Slot, Table, TableId, Walk};
use crate::rule::Rule;
use crate::scalar::{self, Scalar};
use crate::transform::{self, Lesser};
use crate::wire::{self, LEN, Raw, VARINT};

impl<'a> Pass<'a> {
    /// Reads the field at `start`, and does with it what its slot says. One past its last byte.
    #[cold]
    pub(crate) fn careful(
        &mut self,
        table: &'a Table,
        seen: &mut Seen,
        start: u32,
        end: u32,
        levels: u32,
    ) -> Result<u32, Malformed> {
        let start = start as usize;
        let raw = wire::field(self.input, start, end as usize).map_err(|kind| kind.at(start))?;
        let slot = table.slot(raw.number);
        if slot.walk == Walk::Unknown {
            if table.mode == Mode::Decided {
                self.count(UNKNOWN);
            }
            self.leave_out(table, start, raw.end);
            return Ok(raw.end as u32);
        }
        if raw.wire != slot.wire && !is_other_packing(table, slot, raw) {
            return Err(MalformedKind::WireType.at(start));
        }
        match slot.walk {
            Walk::AnyUrl => self.any_url(table, seen, slot, start, raw)?,
            Walk::AnyValue => self.any_value(table, seen, slot, start, raw, levels)?,
            _ if slot.scalar == Scalar::Message => {
                self.note(seen, slot);
                self.go_in(slot.act, slot.sub, start, raw, levels)?;
            }
            _ => self.value(table, seen, slot, start, raw)?,
        }
        Ok(raw.end as u32)
    }

    /// Counts a field, and watches for what would change the meaning of the rest.
    fn note(&mut self, seen: &mut Seen, slot: Slot) {
        self.count(slot.count);
        self.watch(seen, &slot);
    }

    /// A field that is no message.
    fn value(
        &mut self,
        table: &'a Table,
        seen: &mut Seen,
        slot: Slot,
        start: usize,
        raw: Raw,
    ) -> Result<(), Malformed> {
        let canonical = self.check(slot, raw).map_err(|kind| kind.at(start))?;
        let is_empty_run = raw.wire == LEN && slot.scalar.wire() != LEN && raw.value == raw.end;
        if slot.act == Act::Once && (seen.bits & slot.watch.sets != 0 || is_empty_run) {
            self.leave_out(table, start, raw.end);
            return Ok(());
        }
        self.note(seen, slot);
        match slot.act {
            Act::Inside => {}
            Act::Drop => self.leave_out(table, start, raw.end),
            Act::Keep => {
                if !(raw.canonical && canonical) {
                    self.write(slot, start, raw, Lesser::NONE);
                }
            }
            Act::Screen => {
                if !raw.canonical {
                    self.write(slot, start, raw, Lesser::NONE);
                }
                let len = (raw.end - raw.value) as u32;
                self.screen(table, &slot, self.sink.place_of(raw.end as u32) - len, len);
            }
            Act::Transform => self.write(slot, start, raw, lesser(table, slot)),
            Act::Once => self.write_once(slot, start, raw),
        }
        Ok(())
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

    /// Leaves a field out, unless the message that it is in is left out already.
    fn leave_out(&mut self, table: &Table, start: usize, end: usize) {
        if table.mode != Mode::Checked {
            self.sink.cut(start as u32, end as u32);
        }
    }

    /// Writes the field anew: the canonical way, in a lesser form if there is one.
    fn write(&mut self, slot: Slot, start: usize, raw: Raw, lesser: Lesser) {
        let value = self.input.get(raw.value..raw.end).unwrap_or_default();
        let mut written = std::mem::take(self.scratch);
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
        self.put(start, raw, &written);
        *self.scratch = written;
    }

    fn write_once(&mut self, slot: Slot, start: usize, raw: Raw) {
        let mut written = std::mem::take(self.scratch);
        written.clear();
        transform::push_yes(slot.scalar, &mut written);
        self.put(start, raw, &written);
        *self.scratch = written;
    }

    /// Puts `written` in the place of the field's value.
    fn put(&mut self, start: usize, raw: Raw, written: &[u8]) {
        self.sink.cut(start as u32, raw.end as u32);
        self.sink.put_varint(wire::key(raw.number, raw.wire));
        if raw.wire == LEN {
            self.sink.put_varint(written.len() as u64);
        }
        self.sink.put(written);
    }

    /// Goes into a message; if it is kept and its key or length is padded, those are written anew.
    fn go_in(
        &mut self,
        act: Act,
        sub: TableId,
        start: usize,
        raw: Raw,
        levels: u32,
    ) -> Result<(), Malformed> {
        if !raw.canonical && !matches!(act, Act::Drop | Act::Inside) {
            self.sink.cut(start as u32, raw.value as u32);
            self.sink.put_varint(wire::key(raw.number, LEN));
            self.sink.put_varint((raw.end - raw.value) as u64);
        }
        self.enter(act, sub, start as u32, raw.value as u32, raw.end as u32, levels)
    }

    /// The name of the type in an `Any`: it passes if the contract knows it and something of it passes.
    fn any_url(
        &mut self,
        table: &'a Table,
        seen: &mut Seen,
        slot: Slot,
        start: usize,
        raw: Raw,
    ) -> Result<(), Malformed> {
        let value = self.input.get(raw.value..raw.end).unwrap_or_default();
        let url = std::str::from_utf8(value).map_err(|_| MalformedKind::Utf8.at(start))?;
        self.note(seen, slot);
        let found = self.plan.any.get(url);
        let keep = slot.act == Act::Keep && found.is_some_and(|found| found.decided != NO_TABLE);
        seen.any = found.map_or(NO_TABLE, |found| if keep { found.decided } else { found.checked });
        if slot.act == Act::Keep && !keep {
            self.count(UNKNOWN);
        }
        if !keep {
            self.leave_out(table, start, raw.end);
        } else if !raw.canonical {
            self.write(slot, start, raw, Lesser::NONE);
        }
        Ok(())
    }

    /// What an `Any` holds, by the plan of the type that it named.
    fn any_value(
        &mut self,
        table: &'a Table,
        seen: &mut Seen,
        slot: Slot,
        start: usize,
        raw: Raw,
        levels: u32,
    ) -> Result<(), Malformed> {
        self.note(seen, slot);
        let Some(named) = self.plan.table(seen.any) else {
            self.leave_out(table, start, raw.end);
            return Ok(());
        };
        let act = match (named.mode, table.mode) {
            (Mode::Decided, _) => Act::Keep,
            (_, Mode::Checked) => Act::Inside,
            _ => Act::Drop,
        };
        self.go_in(act, seen.any, start, raw, levels)
    }
}

/// A repeated number may stand packed or by itself, whichever its contract prefers.
fn is_other_packing(table: &Table, slot: Slot, raw: Raw) -> bool {
    let repeated = table.fields.get(usize::from(slot.field)).is_some_and(|field| field.repeated);
    let other = if slot.wire == LEN { slot.scalar.wire() } else { LEN };
    repeated && slot.scalar.wire() != LEN && raw.wire == other
}

fn lesser(table: &Table, slot: Slot) -> Lesser {
    let rule = table.fields.get(usize::from(slot.field)).map(|field| field.rule);
    match rule {
        Some(Rule::Pass { class, form }) => Lesser { form, class: Some(class) },
        _ => Lesser::NONE,
    }
}

#[cfg(test)]
mod tests {
    use model::{DataClass, FieldKind, Form};

    use super::*;
    use crate::account::Account;
    use crate::plan::Plan;
    use crate::pseudonym::PseudonymKey;
    use crate::rule::Limits;

    #[test]
    fn a_group_is_refused_even_where_the_contract_has_one() {
        let source = r#"
            syntax = "proto2";
            package g;
            message M { optional group Inner = 1 { optional string a = 1; } optional string b = 2; }
        "#;
        let file = protox::file::File::from_source("g.proto", source).unwrap();
        let mut pool = prost_reflect::DescriptorPool::new();
        pool.add_file_descriptor_proto(file.file_descriptor_proto().clone()).unwrap();
        let contract = pool.get_message_by_name("g.M").unwrap();
        let rule = Rule::Pass { class: DataClass::Arbeid, form: Form::Vol };
        let plan = Plan::compile(&contract, &mut |_| (FieldKind::Waarde, rule), Limits::default()).unwrap();
        let key = PseudonymKey::for_receiver(&[0; 32], &"00000099000000001000".parse().unwrap());
        let filter = |bytes: &[u8]| plan.filter(bytes, &key, &mut Vec::new(), &mut Account::new());
        let group = [0x0b, 0x0a, 1, b'x', 0x0c];
        // At the end of a message, and with more behind it than is looked at in one go.
        for bytes in [group.to_vec(), [&group[..], &[0x12, 60], &[b'y'; 60]].concat()] {
            assert_eq!(filter(&bytes).unwrap_err(), MalformedKind::Group.at(0));
        }
        assert_eq!(filter(&[0x12, 1, b'y']), Ok(()));
    }
}
