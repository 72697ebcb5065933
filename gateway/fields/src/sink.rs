//! The output of a pass: long runs of the input, copied in one go, with pieces cut out or written anew between.
//!
//! Owns: the output buffer and the run that is not copied yet. What is kept costs nothing until something next
//! to it is cut. Knows nothing of fields.

use crate::wire;

/// Room that is always there past what was written, so that short runs are copied as whole blocks: a length that is
/// known beforehand is a few instructions, any other is a call.
const BLOCK: usize = 128;

/// An output buffer over one input. Positions are 32 bits wide: see `Limits::MAX_BYTES`.
pub(crate) struct Sink<'a> {
    input: &'a [u8],
    /// Longer than what was written; cut to size at the end.
    out: Vec<u8>,
    /// How many bytes of `out` are written.
    at: u32,
    /// From here on the input is kept, and not copied yet.
    run: u32,
}

impl<'a> Sink<'a> {
    /// A sink that writes into a buffer of any content.
    pub(crate) fn new(input: &'a [u8], mut out: Vec<u8>) -> Sink<'a> {
        let room = input.len() + BLOCK;
        if out.len() < room {
            out.resize(room, 0);
        }
        Sink { input, out, at: 0, run: 0 }
    }

    /// Where in the output the byte `at` of the current run will stand.
    #[inline(always)]
    pub(crate) fn place_of(&self, at: u32) -> u32 {
        self.at.wrapping_add(at.wrapping_sub(self.run))
    }

    /// Leaves out `from..to` of the input.
    #[inline(always)]
    pub(crate) fn cut(&mut self, from: u32, to: u32) {
        self.flush(from);
        self.run = to;
    }

    /// Copies the run up to `upto`, and goes on from there.
    #[inline(always)]
    fn flush(&mut self, upto: u32) {
        let len = upto.wrapping_sub(self.run);
        if len == 0 {
            return;
        }
        let (from, to) = (self.run as usize, self.at as usize);
        if len as usize <= BLOCK
            && let Some(block) = self.input.get(from..from + BLOCK)
            && let Some(to) = self.out.get_mut(to..to + BLOCK)
        {
            // most runs fit into half of it
            let ((half, rest), (to_half, to_rest)) = (block.split_at(BLOCK / 2), to.split_at_mut(BLOCK / 2));
            to_half.copy_from_slice(half);
            if len as usize > BLOCK / 2 {
                to_rest.copy_from_slice(rest);
            }
            self.at += len;
        } else {
            self.put_run(len);
        }
        self.run = upto;
    }

    #[inline(never)]
    fn put_run(&mut self, len: u32) {
        self.reserve(len as usize);
        let (from, to) = (self.run as usize, self.at as usize);
        if let Some(run) = self.input.get(from..from + len as usize)
            && let Some(to) = self.out.get_mut(to..to + len as usize)
        {
            to.copy_from_slice(run);
            self.at += len;
        }
    }

    /// Appends bytes that do not stand in the input. Whatever is kept before them was cut up to there.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        let at = self.at as usize;
        if let Some(to) = self.out.get_mut(at..at + bytes.len()) {
            to.copy_from_slice(bytes);
            self.at += bytes.len() as u32;
        }
    }

    /// Appends a varint that does not stand in the input.
    pub(crate) fn put_varint(&mut self, value: u64) {
        let mut bytes = [0; 10];
        let len = wire::write_varint(value, &mut bytes);
        self.put(bytes.get(..len).unwrap_or_default());
    }

    /// Puts the right length before the message that stands at `body`, where it was `before` bytes long, and of which
    /// something was cut; it ends with the input's `upto`. By how much it moved.
    #[inline(always)]
    pub(crate) fn mend(&mut self, body: u32, before: u32, upto: u32) -> i32 {
        let len = self.place_of(upto).wrapping_sub(body);
        if before < 0x80 && len < 0x80 {
            if let Some(to) = self.out.get_mut((body as usize).wrapping_sub(1)) {
                *to = len as u8;
            }
            return 0;
        }
        self.mend_long(body, before, upto)
    }

    #[inline(never)]
    fn mend_long(&mut self, body: u32, before: u32, upto: u32) -> i32 {
        self.flush(upto);
        let len = self.at - body;
        let width = wire::varint_len(u64::from(before)) as u32;
        let (from, place) = (body as usize, (body - width) as usize);
        if len < 0x80
            && from + BLOCK <= self.out.len()
            && let Some(short) = self.out.get_mut(place)
        {
            *short = len as u8;
            self.out.copy_within(from..from + BLOCK, place + 1);
            self.at -= width - 1;
            return 1 - width as i32;
        }
        let mut bytes = [0; 10];
        let needed = wire::write_varint(u64::from(len), &mut bytes);
        if needed as u32 != width {
            self.reserve(needed);
            self.out.copy_within(from..self.at as usize, place + needed);
            self.at = self.at - width + needed as u32;
        }
        if let Some(to) = self.out.get_mut(place..place + needed) {
            to.copy_from_slice(bytes.get(..needed).unwrap_or_default());
        }
        needed as i32 - width as i32
    }

    /// Copies what is left: the whole output.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.flush(self.input.len() as u32);
        self.out.truncate(self.at as usize);
        self.out
    }

    /// The buffer, whatever is in it.
    pub(crate) fn abandon(self) -> Vec<u8> {
        self.out
    }

    #[inline(always)]
    fn reserve(&mut self, more: usize) {
        if self.out.len() < self.at as usize + more + BLOCK {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let left = self.input.len().saturating_sub(self.run as usize);
        self.out.resize(self.at as usize + more + left + BLOCK, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of `len` bytes in a field, and something behind it.
    fn field(len: usize) -> Vec<u8> {
        let mut bytes = vec![0x0a];
        wire::push_varint(len as u64, &mut bytes);
        bytes.extend((0..len).map(|index| index as u8));
        bytes
    }

    #[test]
    fn a_run_of_any_length_is_copied_whole_and_nothing_else_is() {
        for len in 0..=3 * BLOCK {
            for behind in [0, 3 * BLOCK] {
                let mut input: Vec<u8> = (0..len + 1 + behind).map(|index| index as u8).collect();
                let mut sink = Sink::new(&input, Vec::new());
                sink.cut(len as u32, len as u32 + 1);
                let output = sink.finish();
                input.remove(len);
                assert_eq!(output, input, "{len} before, {behind} behind");
            }
        }
    }

    #[test]
    fn a_message_that_becomes_short_keeps_what_was_kept_of_it_wherever_it_was_cut() {
        let input = [field(200), vec![0xee; 200]].concat();
        let (value, end) = (3, 203);
        for cut_from in [0, 1, 50, 99, 100] {
            for written in [&b""[..], b"w", b"written anew"] {
                for cut_last in [0, 1, 40] {
                    let mut sink = Sink::new(&input, Vec::new());
                    let body = sink.place_of(value);
                    let cut = value + cut_from..value + cut_from + 100 - cut_last;
                    sink.cut(cut.start, cut.end);
                    sink.put(written);
                    sink.cut(end - cut_last, end);
                    sink.mend(body, 200, end);
                    let [before, between] = [value..cut.start, cut.end..end - cut_last]
                        .map(|kept| &input[kept.start as usize..kept.end as usize]);
                    let kept = [before, written, between].concat();
                    let mut expected = vec![0x0a];
                    wire::push_varint(kept.len() as u64, &mut expected);
                    expected.extend(kept);
                    expected.extend(&input[end as usize..]);
                    assert_eq!(sink.finish(), expected, "{cut:?} {cut_last} {written:?}");
                }
            }
        }
    }

    #[test]
    fn a_message_gets_the_one_canonical_length_whatever_was_cut_of_it() {
        for before in [1, 2, 126, 127, 128, 129, 130, 255, 256, 300, 16_383, 16_384, 16_400] {
            for left in [0, 1, 100, 126, 127, 128, 129, 200, 16_383, 16_384] {
                let behind = [vec![0xee; 200], vec![]];
                for behind in behind.iter().filter(|_| left < before) {
                    let input = [field(before), behind.clone()].concat();
                    let end = (input.len() - behind.len()) as u32;
                    let value = end - before as u32;
                    let mut sink = Sink::new(&input, Vec::new());
                    let body = sink.place_of(value);
                    sink.cut(value + left as u32, end);
                    sink.mend(body, before as u32, end);
                    assert_eq!(sink.finish(), [field(left), behind.clone()].concat(), "{before} to {left}");
                }
            }
        }
    }
}
