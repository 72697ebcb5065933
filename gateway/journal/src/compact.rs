//! Compaction: segments are rewritten without what nobody needs any more.
//!
//! Owns: what is left out – documents that were acknowledged, expired or erased, wraps that the key ring has, and
//! sealed parts whose time to be kept is over – and what is carried forward: every record, with its ties, the
//! sealed part, and documents that wait. A segment is touched only when everything in it is published.

use std::io;

use ledger::Leaf;

use crate::entry::Entry;
use crate::error::{Damage, ReadError};
use crate::frame::Payload;
use crate::journal::Journal;
use crate::segment::{Form, START, Segment};
use crate::segments::Place;

/// What a compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// How many segments were rewritten.
    pub segments: u64,
    /// How many bytes of disk that gave back.
    pub freed: u64,
}

/// A segment as it would be carried forward.
struct Carried {
    bytes: Vec<u8>,
    places: Vec<(u64, Place)>,
    /// Whether a document is still in it.
    waits: bool,
    /// Whether a sealed part was left out whose time is over.
    forgets: bool,
}

impl Journal {
    /// Rewrites segments of which at least a quarter can go, or something that must. `published`: how many records the published log has.
    /// `keeps`: whether the sealed part of a record must still be kept. Blocks; run it now and then, from a thread.
    ///
    /// A crash leaves the old segment or the new one, whole; both say the same.
    ///
    /// # Errors
    /// When a segment cannot be read or written: it stays as it was.
    pub fn compact(&self, published: u64, keeps: &dyn Fn(&Leaf) -> bool) -> Result<Compacted, ReadError> {
        let mut done = Compacted::default();
        // Wraps may be left out of frames only once the ring's file has them.
        let saved = self.shared.keys.save(self.size()).map_err(io::Error::other)?;
        let segments = if saved { self.shared.segments.list() } else { Vec::new() };
        for (segment, next) in segments.iter().zip(segments.iter().skip(1)) {
            if next.first > published {
                break;
            }
            let carried = self.carry(segment, next.first, keeps)?;
            let length = carried.bytes.len() as u64;
            let settles = !carried.waits && segment.form == Form::Carried;
            if length <= segment.size / 4 * 3 || settles || carried.forgets {
                self.replace(segment, carried)?;
                done.segments += 1;
                done.freed += segment.size.saturating_sub(length);
            }
        }
        Ok(done)
    }

    fn carry(
        &self,
        segment: &Segment,
        stop: u64,
        keeps: &dyn Fn(&Leaf) -> bool,
    ) -> Result<Carried, ReadError> {
        let mut carried =
            Carried { bytes: vec![0; START as usize], places: Vec::new(), waits: false, forgets: false };
        let (views, segments) = (&self.shared.views, &self.shared.segments);
        segments.replay(segment.first, stop, None, &mut |index, _, payload| -> Result<(), ReadError> {
            let odd = || ReadError::from(segment.damage(0, index, "has a record of another version"));
            let mut entry = Entry::read(payload).ok_or_else(odd)?;
            let mut waiting = Vec::with_capacity(entry.documents.len());
            let lets_wait = match entry.ties.client {
                Some(client) => views.lets_wait(client, index)?,
                None => false,
            };
            for document in entry.documents {
                if lets_wait && views.spot(&document.delivery)?.is_some() {
                    waiting.push(document);
                }
            }
            entry.documents = waiting;
            entry.key = None;
            carried.waits |= !entry.documents.is_empty();
            let leaf = Leaf::from_bytes(entry.record).map_err(|_| odd())?;
            if entry.sealed.is_some() && !keeps(&leaf) {
                entry.sealed = None;
                carried.forgets = true;
            }
            let place = Place { segment: segment.first, offset: carried.bytes.len() as u64 };
            carried.places.push((index, place));
            Payload::new(entry.to_bytes()).write(index, segment.first, &mut carried.bytes);
            Ok(())
        })?;
        let form = if carried.waits { Form::Carried } else { Form::Settled };
        let header = Segment::header(segment.first, form);
        carried.bytes.iter_mut().zip(header).for_each(|(to, from)| *to = from);
        Ok(carried)
    }

    fn replace(&self, segment: &Segment, carried: Carried) -> Result<(), ReadError> {
        let name = Segment::name(segment.first);
        let folder = self.shared.segments.folder();
        folder.replace(&name, &carried.bytes)?;
        let opened = Segment::open(folder, &name).map_err(|damage: Damage| ReadError::Damaged(damage))?;
        self.shared.segments.insert(opened);
        self.shared.views.moved(&carried.places);
        Ok(())
    }
}
