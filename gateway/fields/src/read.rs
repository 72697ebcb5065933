//! One field, read as nearly all are written: short key, short length, no padding.
//!
//! Owns: the hot path of reading. One window of the input serves for key, length and value, so that bounds are checked
//! once a field. Whatever it does not recognise it leaves to `careful`, so that it never has to refuse anything. Writes
//! nothing, knows nothing of the messages around.

use crate::plan::{Read, Slot, Step, Table, Walk};
use crate::utf8::{self, BLOCK};

const HIGH: u64 = 0x8080_8080_8080_8080;

/// As many bytes as are looked at in one go: the last byte of a key, a length, and a text.
type Window = [u8; 2 + BLOCK];

/// The end of a field that takes more care; past the end of any message.
const NEVER: u32 = u32::MAX;

/// A field that was read.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) slot: &'a Slot,
    /// Where its value starts, past any length.
    pub(crate) value: u32,
    /// One past its last byte.
    pub(crate) next: u32,
}

/// How to read the field at `start`, and what stands there; if its key has one byte, and a window fits behind it.
/// Positions are 32 bits wide, so that the compiler knows that they do not wrap.
#[inline(always)]
pub(crate) fn key<'a>(input: &'a [u8], table: &'a Table, start: u32) -> Option<(&'a Step, &'a Window)> {
    let at = start as usize;
    let window: &Window = input.get(at..at + size_of::<Window>())?.first_chunk()?;
    let [key, ..] = *window;
    Some((table.steps.get(usize::from(key))?, window))
}

/// The number of the field at `start`, if its key has one byte.
#[inline(always)]
pub(crate) fn number(input: &[u8], start: u32) -> usize {
    usize::from(input.get(start as usize).copied().unwrap_or(0)) >> 3
}

/// The field at `start`, also with a key of two bytes or with less than a window behind it. Nothing, if it takes more
/// care.
pub(crate) fn anywhere<'a>(input: &[u8], table: &'a Table, start: u32) -> Option<Found<'a>> {
    let rest = input.get(start as usize..)?;
    let mut last = [0; 1 + size_of::<Window>()];
    let window = match rest.first_chunk() {
        Some(window) => window,
        None => {
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            &last
        }
    };
    let [low, high, ..] = *window;
    let (number, at, window): (_, _, &Window) = if low < 0x80 {
        (usize::from(low) >> 3, start, window.first_chunk()?)
    } else if high.wrapping_sub(1) < 0x7f {
        (usize::from(low & 0x7f) >> 3 | usize::from(high) << 4, start + 1, window.last_chunk()?)
    } else {
        return None;
    };
    let slot = table.dense.get(number)?;
    if slot.wire != low & 7 {
        return None;
    }
    let (value, next) = match slot.walk {
        Walk::Text => {
            let (value, next) = bytes(window, at)?;
            utf8::is_text(input, value, next).then_some((value, next))?
        }
        Walk::Message | Walk::Bytes => bytes(window, at)?,
        Walk::Varint32 => (at + 1, varint(window, at, 4)),
        Walk::Varint64 => (at + 1, varint(window, at, 6)),
        Walk::Bool => (at + 1, bool(window, at)),
        Walk::Fixed32 => (at + 1, at + 5),
        Walk::Fixed64 => (at + 1, at + 9),
        Walk::Unknown | Walk::Careful | Walk::AnyUrl | Walk::AnyValue => return None,
    };
    Some(Found { slot, value, next })
}

/// One past the field whose key ends with the byte `at`; `NEVER`, if it takes more care.
#[inline(always)]
pub(crate) fn field(input: &[u8], step: &Step, window: &Window, at: u32) -> u32 {
    if step.read.is(Read::TEXT) {
        text(input, window, at)
    } else if step.read.is(Read::VARINT) {
        varint(window, at, u32::from(step.operand))
    } else if step.read.is(Read::BOOL) {
        bool(window, at)
    } else if step.read.is(Read::FIXED) {
        at + 1 + u32::from(step.operand)
    } else {
        NEVER
    }
}

#[inline(always)]
fn text(input: &[u8], window: &Window, at: u32) -> u32 {
    let [_, len, ..] = *window;
    if let Some(text) = window.last_chunk()
        && utf8::is_ascii(text, len)
    {
        return at + 2 + u32::from(len);
    }
    long_text(input, at)
}

#[inline(never)]
fn long_text(input: &[u8], at: u32) -> u32 {
    match input.get(at as usize..).and_then(|rest| bytes(rest.first_chunk()?, at)) {
        Some((value, next)) if utf8::is_text(input, value, next) => next,
        _ => NEVER,
    }
}

#[inline(always)]
fn bool(window: &Window, at: u32) -> u32 {
    let [_, first, ..] = *window;
    if first <= 1 { at + 2 } else { NEVER }
}

/// Where the value starts and ends that has a length, if that takes at most two bytes and is not padded.
#[inline(always)]
pub(crate) fn bytes(window: &Window, at: u32) -> Option<(u32, u32)> {
    let [_, low, high, ..] = *window;
    if low < 0x80 {
        return Some((at + 2, at + 2 + u32::from(low)));
    }
    let len = u32::from(low & 0x7f) | u32::from(high) << 7;
    (high.wrapping_sub(1) < 0x7f).then_some((at + 3, at + 3 + len))
}

/// One past the varint, if it has at most `most` bytes and is not padded.
#[inline(always)]
fn varint(window: &Window, at: u32, most: u32) -> u32 {
    let [_, first, ..] = *window;
    if first < 0x80 {
        return at + 2;
    }
    let Some(word) = window.get(1..).and_then(|rest| rest.first_chunk()) else { return NEVER };
    let word = u64::from_le_bytes(*word);
    let bits = (!word & HIGH).trailing_zeros() + 1;
    if bits > most * 8 || word.unbounded_shr(bits - 8) & 0xff == 0 {
        return NEVER;
    }
    at + 1 + bits / 8
}
