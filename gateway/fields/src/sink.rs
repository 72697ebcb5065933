//! The output of a pass: long runs of the input, copied in one go, with pieces cut out or written anew between.
//!
//! Owns: the output buffer and the run that is not copied yet. What is kept costs nothing until something next
//! to it is cut. Knows nothing of fields.

use crate::wire;

/// Room that is always there past what was written, so that short runs are copied as whole blocks.
const SLACK: usize = 32;

/// An output buffer over one input.
pub(crate) struct Sink<'a> {
    input: &'a [u8],
    /// Longer than what was written; cut to size at the end.
    out: &'a mut Vec<u8>,
    /// How many bytes of `out` are written.
    at: usize,
    /// From here on the input is kept, and not copied yet.
    run: usize,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(input: &'a [u8], out: &'a mut Vec<u8>) -> Sink<'a> {
        let room = input.len() + SLACK;
        if out.len() < room {
            out.resize(room, 0);
        }
        Sink { input, out, at: 0, run: 0 }
    }

    /// Where in the output the byte `at` of the current run will stand.
    #[inline(always)]
    pub(crate) fn place_of(&self, at: usize) -> usize {
        self.at + (at - self.run)
    }

    /// Leaves out `from..to` of the input.
    #[inline(always)]
    pub(crate) fn cut(&mut self, from: usize, to: usize) {
        self.flush(from);
        self.run = to;
    }

    /// Copies the run up to `upto`, and goes on from there.
    #[inline(always)]
    fn flush(&mut self, upto: usize) {
        let len = upto - self.run;
        if len != 0 {
            self.copy(self.run, len);
            self.run = upto;
        }
    }

    #[inline(always)]
    fn copy(&mut self, from: usize, len: usize) {
        if len <= SLACK
            && let Some(block) = self.input.get(from..).and_then(|rest| rest.first_chunk::<SLACK>())
            && let Some(to) = self.out.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut::<SLACK>())
        {
            *to = *block;
            self.at += len;
        } else {
            self.put_run(from, len);
        }
    }

    #[inline(never)]
    fn put_run(&mut self, from: usize, len: usize) {
        self.reserve(len);
        let run = self.input.get(from..from + len).unwrap_or_default();
        if let Some(to) = self.out.get_mut(self.at..self.at + run.len()) {
            to.copy_from_slice(run);
            self.at += run.len();
        }
    }

    /// Appends bytes that do not stand in the input. Whatever is kept before them was cut up to there.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        if let Some(to) = self.out.get_mut(self.at..self.at + bytes.len()) {
            to.copy_from_slice(bytes);
            self.at += bytes.len();
        }
    }

    /// Appends a varint that does not stand in the input.
    pub(crate) fn put_varint(&mut self, value: u64) {
        let mut bytes = [0; 10];
        let len = wire::write_varint(value, &mut bytes);
        self.put(bytes.get(..len).unwrap_or_default());
    }

    /// Puts a length of one byte where one stands already. False if it does not fit, or nothing stands there yet.
    #[inline(always)]
    pub(crate) fn put_short_len(&mut self, place: usize, len: usize) -> bool {
        if len >= 0x80 || place >= self.at {
            return false;
        }
        if let Some(to) = self.out.get_mut(place) {
            *to = len as u8;
        }
        true
    }

    /// Puts the right length before a message of which something was cut: at `place`, where `width` bytes hold
    /// another one; the message ends with the input's `upto`. By how much the message moved.
    pub(crate) fn mend(&mut self, place: usize, width: usize, upto: usize) -> isize {
        self.flush(upto);
        let body = place + width;
        let len = self.at - body;
        let mut bytes = [0; 10];
        let needed = wire::write_varint(len as u64, &mut bytes);
        if needed != width {
            self.reserve(needed);
            self.out.copy_within(body..self.at, place + needed);
            self.at = self.at - width + needed;
        }
        if let Some(to) = self.out.get_mut(place..place + needed) {
            to.copy_from_slice(bytes.get(..needed).unwrap_or_default());
        }
        needed as isize - width as isize
    }

    /// Copies what is left and cuts the buffer to size.
    pub(crate) fn finish(mut self) {
        self.flush(self.input.len());
        self.out.truncate(self.at);
    }

    #[inline(always)]
    fn reserve(&mut self, more: usize) {
        if self.out.len() < self.at + more + SLACK {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let left = self.input.len().saturating_sub(self.run);
        self.out.resize(self.at + more + left + SLACK, 0);
    }
}
