//! The pass: one walk forward over the wire bytes of a message, in which every field is looked up once.
//!
//! Owns: where the walk is, and the messages it is inside of. What is common is done here; every unusual encoding
//! goes to `careful`, which may be slow. What is written goes to `sink`, what happened into the account.

use crate::account::{Account, Text};
use crate::malformed::{Malformed, MalformedKind};
use crate::plan::{Act, NO_TABLE, Plan, Slot, Table, TableId, Walk};
use crate::pseudonym::PseudonymKey;
use crate::sink::Sink;
use crate::utf8;
use crate::wire;

/// Whether leaving something out changed what the rest means, so that the message must be settled first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    Yes,
    No,
}

/// A message that the walk is inside of: how to go on after it, and where its length stands.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Frame {
    /// Where its length stands in the output; `NOWHERE` if nothing of it passes.
    place: usize,
    /// How many bytes the length takes there, and what it says.
    width: u32,
    len: u32,
    /// How many texts were reported before it.
    texts: u32,
    /// What to go back to.
    end: u32,
    seen: u32,
    table: TableId,
    any: TableId,
}

const NOWHERE: usize = usize::MAX;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// One walk over one message.
pub(crate) struct Pass<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) key: &'a PseudonymKey,
    pub(crate) input: &'a [u8],
    pub(crate) sink: Sink<'a>,
    pub(crate) account: &'a mut Account,
    /// The message the walk is in: its type, where it ends, what was seen in it.
    pub(crate) table: &'a Table,
    table_id: TableId,
    /// For an `Any`: the table of the type that it named.
    pub(crate) any: TableId,
    pub(crate) end: usize,
    pub(crate) seen: u32,
    pub(crate) pos: usize,
    /// How many messages the walk is inside of.
    depth: usize,
    unsettled: bool,
}

/// Walks over the whole input.
pub(crate) fn pass(
    plan: &Plan,
    input: &[u8],
    key: &PseudonymKey,
    output: &mut Vec<u8>,
    account: &mut Account,
) -> Result<Settled, Malformed> {
    account.reset();
    account.frames.resize(plan.limits.depth, Frame::default());
    let Some(table) = plan.table(0) else { return Ok(Settled::Yes) };
    let sink = Sink::new(input, output);
    let mut pass = Pass {
        plan,
        key,
        input,
        sink,
        account,
        table,
        table_id: 0,
        any: NO_TABLE,
        end: input.len(),
        seen: 0,
        pos: 0,
        depth: 0,
        unsettled: false,
    };
    pass.walk()?;
    let settled = if pass.unsettled { Settled::No } else { Settled::Yes };
    pass.sink.finish();
    Ok(settled)
}

impl Pass<'_> {
    /// Walks to the end of the root. What changes with every field stays in registers; the rest of the state is
    /// as it should be whenever something else than this loop is called.
    fn walk(&mut self) -> Result<(), Malformed> {
        let input = self.input;
        'message: loop {
            let (dense, end, mut pos) = (self.table.dense.as_slice(), self.end, self.pos);
            if end > input.len() {
                return Err(MalformedKind::Length.at(pos)); // never: every length was checked; spares checks below
            }
            while pos < end {
                let start = pos;
                let Some((slot, at, body, next)) = read(input, dense, start, end) else {
                    self.careful(start)?;
                    continue 'message;
                };
                self.account.add(slot.count);
                pos = next;
                if slot.plain {
                    continue;
                }
                self.watch(slot);
                match slot.act {
                    _ if slot.walk == Walk::Message => {
                        self.enter(slot, start, at, body, next)?;
                        continue 'message;
                    }
                    Act::Drop => self.sink.cut(start, next),
                    Act::Screen => self.screen(slot, self.sink.place_of(body), next - body),
                    _ => {}
                }
            }
            self.pos = pos;
            if !self.leave() {
                return Ok(());
            }
        }
    }

    /// Counts a field, and watches for what would change the meaning of the rest.
    pub(crate) fn note(&mut self, slot: &Slot) {
        self.account.add(slot.count);
        self.watch(slot);
    }

    #[inline(always)]
    fn watch(&mut self, slot: &Slot) {
        self.unsettled |= self.seen & slot.watch.conflicts != 0;
        self.seen |= slot.watch.sets;
    }

    /// Reports a text of the output.
    pub(crate) fn screen(&mut self, slot: &Slot, start: usize, len: usize) {
        let subject = self.table.fields.get(usize::from(slot.field)).and_then(|field| field.class);
        if let Some(subject) = subject
            && len > 0
        {
            self.account.texts.push(Text { start, end: start + len, subject });
        }
    }

    /// Goes into a message whose key starts at `start`, its length at `at`, and its fields at `body`.
    #[inline(always)]
    fn enter(
        &mut self,
        slot: &Slot,
        start: usize,
        at: usize,
        body: usize,
        end: usize,
    ) -> Result<(), Malformed> {
        let place = if slot.act == Act::Drop {
            self.sink.cut(start, body);
            NOWHERE
        } else {
            self.sink.place_of(at)
        };
        self.descend(slot.sub, start, place, body - at, body, end)
    }

    /// Goes into the message `body..end`, whose length stands in the output at `place`, `width` bytes wide.
    #[inline(always)]
    pub(crate) fn descend(
        &mut self,
        sub: TableId,
        start: usize,
        place: usize,
        width: usize,
        body: usize,
        end: usize,
    ) -> Result<(), Malformed> {
        let Some(table) = self.plan.table(sub) else { return Err(MalformedKind::WireType.at(start)) };
        let texts = self.account.texts.len() as u32;
        let Some(frame) = self.account.frames.get_mut(self.depth) else {
            return Err(MalformedKind::Depth.at(start));
        };
        *frame = Frame {
            place,
            width: width as u32,
            len: (end - body) as u32,
            texts,
            end: self.end as u32,
            seen: self.seen,
            table: self.table_id,
            any: self.any,
        };
        self.depth += 1;
        (self.table, self.table_id, self.any) = (table, sub, NO_TABLE);
        (self.seen, self.pos, self.end) = (0, body, end);
        Ok(())
    }

    /// Leaves a message at its end; false at the end of the root.
    #[inline(always)]
    fn leave(&mut self) -> bool {
        let Some(depth) = self.depth.checked_sub(1) else { return false };
        let Some(frame) = self.account.frames.get(depth) else { return false };
        self.depth = depth;
        if let Some(table) = self.plan.table(frame.table) {
            self.table = table;
        }
        (self.table_id, self.any, self.seen, self.end) =
            (frame.table, frame.any, frame.seen, frame.end as usize);
        let (place, width) = (frame.place, frame.width as usize);
        if place != NOWHERE {
            let len = self.sink.place_of(self.pos) - (place + width);
            if len != frame.len as usize && !(width == 1 && self.sink.put_short_len(place, len)) {
                let texts = frame.texts;
                self.mend(place, width, texts);
            }
        }
        true
    }

    /// Puts the right length before a message that is left, which may move it.
    #[inline(never)]
    fn mend(&mut self, place: usize, width: usize, texts: u32) {
        let moved = self.sink.mend(place, width, self.pos);
        if moved != 0 {
            for text in self.account.texts.iter_mut().skip(texts as usize) {
                text.start = text.start.wrapping_add_signed(moved);
                text.end = text.end.wrapping_add_signed(moved);
            }
        }
    }
}

/// The field at `start`, if it is written as nearly all are: its slot, where its length would stand, where its value
/// starts, and one past its end. Nothing, if it takes more care.
#[inline(always)]
fn read<'a>(
    input: &[u8],
    dense: &'a [Slot],
    start: usize,
    end: usize,
) -> Option<(&'a Slot, usize, usize, usize)> {
    let word = wire::word(input, start);
    let (mut key, mut rest, mut at) = (word & 0x7f, word >> 8, start + 1);
    if word & 0x80 != 0 {
        let high = rest & 0xff;
        if high.wrapping_sub(1) >= 0x7f {
            return None;
        }
        (key, rest, at) = (key | high << 7, word >> 16, start + 2);
    }
    let slot = dense.get((key >> 3) as usize)?;
    if slot.wire != (key & 7) as u8 {
        return None;
    }
    let (body, next) = match slot.walk {
        Walk::Text => {
            let (body, next) = short_len(rest, at)?;
            if next > end || !utf8::is_text(input, body, next) {
                return None;
            }
            return Some((slot, at, body, next));
        }
        Walk::Message | Walk::Bytes => short_len(rest, at)?,
        Walk::Bool => (rest & 0xff <= 1).then_some((at, at + 1))?,
        Walk::Varint32 => (at, at + short_varint(rest, 4)?),
        Walk::Varint64 => (at, at + short_varint(rest, 6)?),
        Walk::Fixed32 => (at, at + 4),
        Walk::Fixed64 => (at, at + 8),
        Walk::Unknown | Walk::Careful | Walk::AnyUrl | Walk::AnyValue => return None,
    };
    (next <= end).then_some((slot, at, body, next))
}

/// Where the value starts whose length is at `at`, at the start of `rest`, and where it ends; if the length takes at
/// most two bytes and is not padded.
#[inline(always)]
fn short_len(rest: u64, at: usize) -> Option<(usize, usize)> {
    if rest & 0x80 == 0 {
        return Some((at + 1, at + 1 + (rest & 0x7f) as usize));
    }
    let high = (rest >> 8) & 0xff;
    (high.wrapping_sub(1) < 0x7f).then_some((at + 2, at + 2 + (rest & 0x7f | high << 7) as usize))
}

/// How long the varint at the start of `rest` is, if that is at most `most` and it is not padded.
#[inline(always)]
fn short_varint(rest: u64, most: u32) -> Option<usize> {
    if rest & 0x80 == 0 {
        return Some(1);
    }
    let bits = (!rest & HIGH).trailing_zeros() + 1;
    if bits > most * 8 || rest.unbounded_shr(bits - 8) & 0xff == 0 {
        return None;
    }
    Some((bits / 8) as usize)
}
