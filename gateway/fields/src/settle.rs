//! Puts a message in order before it is filtered: no oneof set twice, no sub-message in pieces, fields by number.
//!
//! Owns: what a standard parser makes of members of a oneof that follow each other (the last one wins) and of pieces
//! of one message (they are joined). Rare and legal; only a message that `filter` could not read in one walk comes
//! here, and it goes back there. Copies; decides nothing.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::plan::{Mode, NO_TABLE, Plan, Table, Walk};
use crate::wire::{self, LEN, VARINT};

/// The message in order. What cannot be read stays as it is, for `filter` to refuse.
pub(crate) fn message(plan: &Plan, input: &[u8]) -> Vec<u8> {
    let root = plan.table(0).and_then(|table| settle(plan, table, input, plan.limits.depth));
    root.unwrap_or_else(|| input.to_vec())
}

/// The message in order, however deep its disorder is.
pub(crate) fn fully(plan: &Plan, input: &[u8]) -> Vec<u8> {
    let mut current = input.to_vec();
    for _ in 0..=plan.limits.depth {
        let settled = message(plan, &current);
        if settled == current {
            break;
        }
        current = settled;
    }
    current
}

/// One field that counts.
struct Item<'a> {
    number: u32,
    wire: u8,
    walk: Walk,
    /// The table of what it holds, if that is a message.
    sub: u16,
    value: Cow<'a, [u8]>,
}

fn settle(plan: &Plan, table: &Table, input: &[u8], depth: usize) -> Option<Vec<u8>> {
    if table.mode == Mode::Whole {
        return None;
    }
    let mut items = standing(table, input)?;
    // What an `Any` holds was read as its type only if the `Any` was in order; otherwise that comes first.
    let is_any = items.iter().any(|item| matches!(item.walk, Walk::AnyUrl | Walk::AnyValue));
    if is_any && write(&items, input.len()) != input {
        return Some(write(&items, input.len()));
    }
    let url = items.iter().find(|item| item.walk == Walk::AnyUrl).map(|item| item.value.clone());
    let named = url.and_then(|url| plan.any.get(std::str::from_utf8(&url).ok()?).copied());
    for item in &mut items {
        let sub = match (item.walk, named) {
            (Walk::AnyValue, Some(named)) if table.mode == Mode::Decided && named.decided != NO_TABLE => {
                named.decided
            }
            (Walk::AnyValue, Some(named)) => named.checked,
            _ => item.sub,
        };
        if let (Some(table), Some(depth)) = (plan.table(sub), depth.checked_sub(1))
            && let Some(settled) = settle(plan, table, &item.value, depth)
        {
            item.value = Cow::Owned(settled);
        }
    }
    Some(write(&items, input.len()))
}

fn write(items: &[Item<'_>], room: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(room);
    for item in items {
        wire::push_varint(wire::key(item.number, item.wire), &mut out);
        if item.wire == LEN {
            wire::push_varint(item.value.len() as u64, &mut out);
        }
        out.extend_from_slice(&item.value);
    }
    out
}

/// The fields that a standard parser would still have at the end of the message, by number; of one number in the
/// order of the wire.
fn standing<'a>(table: &Table, input: &'a [u8]) -> Option<Vec<Item<'a>>> {
    let mut items: Vec<Option<Item<'a>>> = Vec::new();
    let mut last_of: HashMap<u32, usize> = HashMap::new();
    let mut member_of: HashMap<u16, u32> = HashMap::new();
    let mut at = 0;
    while at < input.len() {
        let raw = wire::field(input, at, input.len()).ok()?;
        at = raw.end;
        let value = input.get(raw.value..raw.end)?;
        let slot = table.slot(raw.number);
        let mut item = Item {
            number: raw.number,
            wire: raw.wire,
            walk: slot.walk,
            sub: slot.sub,
            value: Cow::Borrowed(value),
        };
        if raw.wire == VARINT {
            let mut canonical = Vec::new();
            wire::push_varint(raw.varint, &mut canonical);
            item.value = Cow::Owned(canonical);
        }
        let field = table.fields.get(usize::from(slot.field));
        if let Some(oneof) = field.and_then(|field| field.oneof)
            && let Some(before) = member_of.insert(oneof, raw.number)
            && before != raw.number
            && let Some(index) = last_of.remove(&before)
        {
            *items.get_mut(index)? = None;
        }
        if field.is_some_and(|field| !field.repeated)
            && let Some(index) = last_of.insert(raw.number, items.len())
            && let Some(before) = items.get_mut(index)?.take()
            && slot.walk == Walk::Message
        {
            item.value = Cow::Owned([before.value.as_ref(), value].concat());
        }
        items.push(Some(item));
    }
    let mut standing: Vec<Item> = items.into_iter().flatten().collect();
    standing.sort_by_key(|item| item.number);
    Some(standing)
}
