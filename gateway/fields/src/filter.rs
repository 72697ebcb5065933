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
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    table: TableId,
    any: TableId,
    end: usize,
    seen: u64,
    /// Where its length stands in the output; `NOWHERE` if nothing of it passes.
    place: usize,
    /// How many bytes the length takes there, and what it says.
    width: usize,
    len: usize,
    /// How many texts were reported before it.
    texts: usize,
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
    pub(crate) seen: u64,
    pub(crate) pos: usize,
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
        unsettled: false,
    };
    loop {
        while pass.pos < pass.end {
            pass.field()?;
        }
        if !pass.leave() {
            break;
        }
    }
    let settled = if pass.unsettled { Settled::No } else { Settled::Yes };
    pass.sink.finish();
    Ok(settled)
}

impl Pass<'_> {
    #[inline(always)]
    fn field(&mut self) -> Result<(), Malformed> {
        let start = self.pos;
        let word = wire::word(self.input, start);
        let low = word & 0xff;
        let (key, rest, at) = if low < 0x80 {
            (low, word >> 8, start + 1)
        } else {
            let high = (word >> 8) & 0xff;
            if high.wrapping_sub(1) >= 0x7f {
                return self.careful(start);
            }
            (low & 0x7f | high << 7, word >> 16, start + 2)
        };
        let Some(slot) = self.table.dense.get((key >> 3) as usize) else { return self.careful(start) };
        let slot = *slot;
        if slot.wire != (key & 7) as u8 {
            return self.careful(start);
        }
        let mut body = at;
        let end = match slot.walk {
            Walk::Bool if rest & 0xff <= 1 => at + 1,
            Walk::Varint32 => at + short_varint(rest, 4),
            Walk::Varint64 => at + short_varint(rest, 6),
            Walk::Fixed32 => at + 4,
            Walk::Fixed64 => at + 8,
            Walk::Text | Walk::Bytes | Walk::Message => {
                let (len, width) = short_len(rest);
                body = at + width;
                body + len
            }
            _ => return self.careful(start),
        };
        if end > self.end || (slot.walk == Walk::Text && !utf8::is_text(self.input, body, end)) {
            return self.careful(start);
        }
        if slot.walk == Walk::Message {
            return self.enter(slot, start, at, body, end);
        }
        self.note(slot);
        self.pos = end;
        match slot.act {
            Act::Drop => self.sink.cut(start, end),
            Act::Screen => self.screen(slot, self.sink.place_of(body), end - body),
            _ => {}
        }
        Ok(())
    }

    /// Counts a field, and watches for what would change the meaning of the rest.
    #[inline(always)]
    pub(crate) fn note(&mut self, slot: Slot) {
        self.unsettled |= self.seen & slot.conflicts != 0;
        self.seen |= slot.sets;
        self.account.add(slot.count);
    }

    /// Reports a text of the output.
    pub(crate) fn screen(&mut self, slot: Slot, start: usize, len: usize) {
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
        slot: Slot,
        start: usize,
        at: usize,
        body: usize,
        end: usize,
    ) -> Result<(), Malformed> {
        self.note(slot);
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
        if self.account.frames.len() >= self.plan.limits.depth {
            return Err(MalformedKind::Depth.at(start));
        }
        self.account.frames.push(Frame {
            table: self.table_id,
            any: self.any,
            end: self.end,
            seen: self.seen,
            place,
            width,
            len: end - body,
            texts: self.account.texts.len(),
        });
        (self.table, self.table_id, self.any) = (table, sub, NO_TABLE);
        (self.seen, self.pos, self.end) = (0, body, end);
        Ok(())
    }

    /// Leaves a message at its end; false at the end of the root.
    #[inline(always)]
    fn leave(&mut self) -> bool {
        let Some(frame) = self.account.frames.pop() else { return false };
        if frame.place != NOWHERE {
            let len = self.sink.place_of(self.pos) - (frame.place + frame.width);
            if len != frame.len {
                self.mend(frame);
            }
        }
        if let Some(table) = self.plan.table(frame.table) {
            self.table = table;
        }
        (self.table_id, self.any, self.seen, self.end) = (frame.table, frame.any, frame.seen, frame.end);
        true
    }

    #[inline(never)]
    fn mend(&mut self, frame: Frame) {
        let moved = self.sink.mend(frame.place, frame.width, self.pos);
        if moved != 0 {
            for text in self.account.texts.iter_mut().skip(frame.texts) {
                text.start = text.start.wrapping_add_signed(moved);
                text.end = text.end.wrapping_add_signed(moved);
            }
        }
    }
}

/// How long the varint at the start of `rest` is, if that is at most `most` and it is not padded; otherwise so
/// long that it ends past any message.
#[inline(always)]
fn short_varint(rest: u64, most: u32) -> usize {
    if rest & 0x80 == 0 {
        return 1;
    }
    let bits = (!rest & HIGH).trailing_zeros() + 1;
    let last = rest >> (bits.saturating_sub(8) & 63) & 0xff;
    if bits > most * 8 || last == 0 { NOT_SHORT } else { (bits / 8) as usize }
}

/// The length at the start of `rest` and how many bytes it takes, if those are at most two and not padded.
#[inline(always)]
fn short_len(rest: u64) -> (usize, usize) {
    if rest & 0x80 == 0 {
        return ((rest & 0x7f) as usize, 1);
    }
    let high = (rest >> 8) & 0xff;
    if high.wrapping_sub(1) >= 0x7f { (NOT_SHORT, 2) } else { ((rest & 0x7f | high << 7) as usize, 2) }
}

/// Past the end of every message, and far from overflow.
const NOT_SHORT: usize = 1 << 40;
