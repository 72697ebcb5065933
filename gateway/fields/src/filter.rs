//! The pass: one walk forward over the wire bytes of a message, in which every field is looked up once.
//!
//! Owns: where the walk is, and how it goes into messages and comes out again. How a field is read is in `read`;
//! every unusual encoding goes to `careful`, which may be slow. What is written goes to `sink`, what happened into
//! the account.

use crate::account::{Account, Counter, Text};
use crate::malformed::{Malformed, MalformedKind};
use crate::plan::{Act, NO_TABLE, Plan, Read, Slot, Step, Table, TableId, Walk};
use crate::pseudonym::PseudonymKey;
use crate::read::{self, Found};
use crate::sink::Sink;

/// Whether leaving something out changed what the rest means, so that the message must be settled first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    Yes,
    No,
}

/// One walk over one message. Positions are 32 bits wide: no message is longer.
pub(crate) struct Pass<'a> {
    pub(crate) plan: &'a Plan,
    tables: &'a [Table],
    pub(crate) key: &'a PseudonymKey,
    pub(crate) input: &'a [u8],
    pub(crate) sink: Sink<'a>,
    counts: &'a mut [u32; 256],
    texts: &'a mut Vec<Text>,
    pub(crate) scratch: &'a mut Vec<u8>,
    unsettled: bool,
}

/// What was seen in the message that the walk is in.
pub(crate) struct Seen {
    /// See `watch`.
    pub(crate) bits: u32,
    /// For an `Any`: the table of the type that it named.
    pub(crate) any: TableId,
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
    let Account { counts, texts, scratch } = account;
    let tables = plan.tables.as_slice();
    let Some(table) = tables.first() else { return Ok(Settled::Yes) };
    let sink = Sink::new(input, std::mem::take(output));
    let mut pass = Pass { plan, tables, key, input, sink, counts, texts, scratch, unsettled: false };
    let walked = pass.walk(table, 0, input.len() as u32, plan.limits.depth as u32);
    let settled = if pass.unsettled { Settled::No } else { Settled::Yes };
    *output = if walked.is_ok() { pass.sink.finish() } else { pass.sink.abandon() };
    walked.map(|()| settled)
}

impl<'a> Pass<'a> {
    /// Walks over a message from `pos` to its end. So many levels of messages may stand in it.
    fn walk(&mut self, table: &'a Table, mut pos: u32, end: u32, levels: u32) -> Result<(), Malformed> {
        let mut seen = Seen { bits: 0, any: NO_TABLE };
        while pos < end {
            if let Some((step, window)) = read::key(self.input, table, pos)
                && step.read.is(Read::MESSAGE)
                && let Some((value, next)) = read::bytes(window, pos)
                && next <= end
            {
                self.count(step.count);
                // Of what is inside of something withheld nothing is cut, so that keeping does nothing to it.
                let act = if step.read.is(Read::CUT) { Act::Drop } else { Act::Keep };
                self.enter(act, step.operand, pos, value, next, levels)?;
                pos = next;
                continue;
            }
            let stop = self.skim(table, pos, end);
            pos = if stop == pos { self.elsewhere(table, &mut seen, pos, end, levels)? } else { stop };
        }
        Ok(())
    }

    /// Goes as far as there is little to know of any field: where that ends. Most messages are skimmed from start to
    /// end, so nothing is in this loop that most fields do not need, and one comparison says of most that they fit and
    /// are not the last.
    #[inline(never)]
    fn skim(&mut self, table: &Table, mut pos: u32, end: u32) -> u32 {
        let input = self.input;
        if pos == end {
            return end;
        }
        loop {
            let Some((step, window)) = read::key(input, table, pos) else { return pos };
            let next = read::field(input, step, window, pos);
            if next < end {
                self.take(table, step, pos, next);
                pos = next;
            } else if next == end {
                self.take(table, step, pos, next);
                return end;
            } else {
                return pos;
            }
        }
    }

    /// Does with a field that was skimmed what is to be done.
    #[inline(always)]
    fn take(&mut self, table: &Table, step: &Step, pos: u32, next: u32) {
        self.count(step.count);
        if step.read.is(Read::CUT) {
            self.sink.cut(pos, next);
        } else if step.read.is(Read::SCREEN) {
            self.screen_at(table, pos, next);
        }
    }

    /// Any field that was not skimmed. One past its last byte.
    #[inline(never)]
    fn elsewhere(
        &mut self,
        table: &'a Table,
        seen: &mut Seen,
        start: u32,
        end: u32,
        levels: u32,
    ) -> Result<u32, Malformed> {
        let Some(found) = read::anywhere(self.input, table, start).filter(|found| found.next <= end) else {
            return self.careful(table, seen, start, end, levels);
        };
        let Found { slot, value, next } = found;
        self.count(slot.count);
        self.watch(seen, slot);
        match slot.act {
            _ if slot.walk == Walk::Message => {
                self.enter(slot.act, slot.sub, start, value, next, levels)?;
            }
            Act::Drop => self.sink.cut(start, next),
            Act::Screen => self.screen(table, slot, self.sink.place_of(value), next - value),
            _ => {}
        }
        Ok(next)
    }

    #[inline(always)]
    pub(crate) fn count(&mut self, counter: Counter) {
        if let Some(count) = self.counts.get_mut(usize::from(counter)) {
            *count = count.wrapping_add(1);
        }
    }

    /// Watches for what would change the meaning of the rest.
    pub(crate) fn watch(&mut self, seen: &mut Seen, slot: &Slot) {
        self.unsettled |= seen.bits & slot.watch.conflicts != 0;
        seen.bits |= slot.watch.sets;
    }

    /// Reports the text at `start`, whose key has one byte.
    #[inline(never)]
    fn screen_at(&mut self, table: &Table, start: u32, next: u32) {
        if let Some((_, window)) = read::key(self.input, table, start)
            && let Some((value, _)) = read::bytes(window, start)
            && let Some(slot) = table.dense.get(read::number(self.input, start))
        {
            self.screen(table, slot, self.sink.place_of(value), next - value);
        }
    }

    /// Reports a text of the output.
    pub(crate) fn screen(&mut self, table: &Table, slot: &Slot, start: u32, len: u32) {
        let subject = table.fields.get(usize::from(slot.field)).and_then(|field| field.class);
        if let Some(subject) = subject
            && len > 0
        {
            self.texts.push(Text { start: start as usize, end: (start + len) as usize, subject });
        }
    }

    /// Goes into the message `value..end` of the field that starts at `start`, and puts it right in the output. Its
    /// length is written without padding before it, there too.
    #[inline(always)]
    pub(crate) fn enter(
        &mut self,
        act: Act,
        sub: TableId,
        start: u32,
        value: u32,
        end: u32,
        levels: u32,
    ) -> Result<(), Malformed> {
        let Some(table) = self.tables.get(usize::from(sub)) else {
            return Err(MalformedKind::WireType.at(start as usize));
        };
        let Some(levels) = levels.checked_sub(1) else {
            return Err(MalformedKind::Depth.at(start as usize));
        };
        if matches!(act, Act::Drop | Act::Inside) {
            if act == Act::Drop {
                self.sink.cut(start, end);
            }
            return self.inside(table, value, end, levels);
        }
        let (body, texts) = (self.sink.place_of(value), self.texts.len());
        self.inside(table, value, end, levels)?;
        if self.sink.place_of(end).wrapping_sub(body) != end - value {
            let moved = self.sink.mend(body, end - value, end);
            if moved != 0 {
                self.move_texts(texts, moved as isize);
            }
        }
        Ok(())
    }

    /// Walks over a message that seldom needs more than skimming.
    #[inline(always)]
    fn inside(&mut self, table: &'a Table, value: u32, end: u32, levels: u32) -> Result<(), Malformed> {
        let stop = self.skim(table, value, end);
        if stop == end { Ok(()) } else { self.walk(table, stop, end, levels) }
    }

    #[inline(never)]
    fn move_texts(&mut self, from: usize, by: isize) {
        for text in self.texts.iter_mut().skip(from) {
            text.start = text.start.wrapping_add_signed(by);
            text.end = text.end.wrapping_add_signed(by);
        }
    }
}
