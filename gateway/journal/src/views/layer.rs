//! A layer of views: changes that are not in their store yet, by key.
//!
//! Owns: what a change is, how two of them are one, and what a value is under them. Changes of sets and marks say nothing
//! of what they do not name, so that they are made without reading. Where layers stand and go is `store`'s.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::key;
use super::page::Page;

/// A set of 256 records: those of one entry bundle of the published log.
pub(crate) type Bits = [u8; 32];

/// A mark of eight bytes for each record of a bundle; zeros where there is none.
pub(crate) type Marks = [[u8; 8]; 256];

/// What becomes of a key.
#[derive(Clone)]
pub(super) enum Change {
    Put(Vec<u8>),
    Delete,
    /// Of these bits the first are set and the second are not, whatever else is.
    Bits(Bits, Bits),
    /// These marks are there, whatever else is.
    Marks(Box<Marks>),
}

/// Changes by key.
pub(super) type Layer = BTreeMap<Vec<u8>, Change>;

/// The layer that takes changes.
pub(crate) struct Young<'a> {
    pub(super) layer: &'a mut Layer,
    pub(super) page: &'a mut Page,
    /// Records from here on have all their changes in this layer.
    pub(super) from: u64,
}

impl Young<'_> {
    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.layer.insert(key, Change::Put(value));
    }

    /// Deletes a key that the record `born` had put: one that is young never reaches sled at all.
    pub(crate) fn delete(&mut self, key: Vec<u8>, born: u64) {
        if born >= self.from {
            self.layer.remove(&key);
        } else {
            self.layer.insert(key, Change::Delete);
        }
    }

    /// Sets a bit in the set under a key, which ends with the number of its bundle.
    pub(crate) fn set(&mut self, key: Vec<u8>, at: u64) {
        if let Change::Bits(more, fewer) = self.layer.entry(key).or_insert(Change::Bits([0; 32], [0; 32])) {
            set(more, at);
            unset(fewer, at);
        }
    }

    /// Takes back what [`Young::set`] did.
    pub(crate) fn unset(&mut self, key: Vec<u8>, at: u64) {
        if let Change::Bits(more, fewer) = self.layer.entry(key).or_insert(Change::Bits([0; 32], [0; 32])) {
            unset(more, at);
            set(fewer, at);
        }
    }

    /// The page of the bundle in which a record stands. Records come in order.
    pub(crate) fn page(&mut self, index: u64) -> &mut Page {
        if self.page.bundle() != index / 256 {
            turn(self.layer, self.page);
            self.page.begin(index / 256);
        }
        self.page
    }
}

/// Puts what a page holds into a layer.
pub(super) fn turn(layer: &mut Layer, page: &mut Page) {
    for (attribute, value, more) in page.bits() {
        let key = in_bundle(key::attribute(attribute, value), page.bundle());
        if let Change::Bits(bits, _) = layer.entry(key).or_insert(Change::Bits([0; 32], [0; 32])) {
            unite(bits, more);
        }
    }
    for (attribute, more) in page.marks() {
        let key = in_bundle(key::marks(attribute), page.bundle());
        let change = layer.entry(key).or_insert_with(|| Change::Marks(Box::new([[0; 8]; 256])));
        if let Change::Marks(marks) = change {
            marks
                .iter_mut()
                .zip(more)
                .filter(|(_, more)| **more != [0; 8])
                .for_each(|(mark, more)| *mark = *more);
        }
    }
    page.clear();
}

impl Change {
    /// Both changes as one, this one after the other.
    fn after(&self, before: &Change) -> Change {
        match (self, before) {
            (Change::Bits(more, fewer), Change::Bits(set, unset)) => {
                let (mut bits, mut not) = (*set, *unset);
                amend(&mut bits, more, fewer);
                amend(&mut not, fewer, more);
                Change::Bits(bits, not)
            }
            (Change::Marks(_), Change::Marks(marks)) => {
                let mut all = marks.clone();
                all.iter_mut()
                    .zip(self.over(marks.as_flattened()).as_chunks().0)
                    .for_each(|(to, from)| *to = *from);
                Change::Marks(all)
            }
            (change, _) => change.clone(),
        }
    }

    /// The value of bits or marks, over what is in sled.
    pub(super) fn over(&self, below: &[u8]) -> Vec<u8> {
        match self {
            Change::Bits(more, fewer) => {
                let mut bits = below.first_chunk().copied().unwrap_or_default();
                amend(&mut bits, more, fewer);
                bits.to_vec()
            }
            Change::Marks(marks) => {
                let mut all = marks.clone();
                for (mark, below) in all.iter_mut().zip(below.as_chunks().0) {
                    if *mark == [0; 8] {
                        *mark = *below;
                    }
                }
                all.as_flattened().to_vec()
            }
            Change::Put(value) => value.clone(),
            Change::Delete => Vec::new(),
        }
    }
}

fn in_bundle(mut prefix: Vec<u8>, bundle: u64) -> Vec<u8> {
    prefix.extend_from_slice(&bundle.to_be_bytes());
    prefix
}

pub(super) fn set(bits: &mut Bits, at: u64) {
    if let Some(byte) = bits.get_mut((at / 8) as usize) {
        *byte |= 1 << (at % 8);
    }
}

fn unset(bits: &mut Bits, at: u64) {
    if let Some(byte) = bits.get_mut((at / 8) as usize) {
        *byte &= !(1 << (at % 8));
    }
}

pub(super) fn has(bits: &Bits, at: u64) -> bool {
    bits.get((at / 8) as usize).is_some_and(|byte| byte & (1 << (at % 8)) != 0)
}

/// Two layers in the order of their keys; what both have is one change.
pub(super) fn over<'l>(
    upper: impl Iterator<Item = (&'l Vec<u8>, &'l Change)>,
    lower: impl Iterator<Item = (&'l Vec<u8>, &'l Change)>,
) -> impl Iterator<Item = (&'l Vec<u8>, Cow<'l, Change>)> {
    let (mut upper, mut lower) = (upper.peekable(), lower.peekable());
    std::iter::from_fn(move || {
        let order = match (upper.peek(), lower.peek()) {
            (Some((above, _)), Some((below, _))) => above.cmp(below),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        match order {
            Ordering::Less => upper.next().map(|(key, change)| (key, Cow::Borrowed(change))),
            Ordering::Greater => lower.next().map(|(key, change)| (key, Cow::Borrowed(change))),
            Ordering::Equal => {
                let (below, above) = (lower.next()?.1, upper.next()?);
                Some((above.0, Cow::Owned(above.1.after(below))))
            }
        }
    })
}

pub(super) fn push(found: &mut Vec<(Vec<u8>, Vec<u8>)>, key: &[u8], change: &Change, below: Option<&[u8]>) {
    let value = change.over(below.unwrap_or_default());
    let empty = match change {
        Change::Delete => true,
        Change::Bits(..) => value.iter().all(|byte| *byte == 0),
        Change::Put(_) | Change::Marks(_) => false,
    };
    if !empty {
        found.push((key.to_vec(), value));
    }
}

pub(super) fn unite(bits: &mut Bits, more: &[u8]) {
    bits.iter_mut().zip(more).for_each(|(bits, more)| *bits |= more);
}

pub(super) fn amend(bits: &mut Bits, more: &Bits, fewer: &Bits) {
    bits.iter_mut()
        .zip(more.iter().zip(fewer))
        .for_each(|(bits, (more, fewer))| *bits = *bits & !fewer | more);
}

/// The number with which the key of a place, a set or marks ends.
pub(super) fn number(key: &[u8]) -> u64 {
    key.last_chunk().map_or(0, |number| u64::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(at: &[u64]) -> Bits {
        let mut bits = [0; 32];
        at.iter().for_each(|at| set(&mut bits, *at));
        bits
    }

    /// A set that is in two layers and in the store is what all three say, in their order.
    #[test]
    fn layers_that_say_something_of_the_same_set_are_read_as_one() {
        let key = b"set".to_vec();
        let lower = Layer::from([(key.clone(), Change::Bits(bits(&[1, 2]), bits(&[9])))]);
        let upper = Layer::from([(key, Change::Bits(bits(&[3]), bits(&[2])))]);
        let (_, both) = over(upper.iter(), lower.iter()).next().unwrap();
        assert_eq!(both.over(&bits(&[7, 9])), bits(&[1, 3, 7]));
        assert_eq!(over(upper.iter(), lower.iter()).count(), 1);
    }

    #[test]
    fn marks_of_one_bundle_in_two_layers_are_all_found() {
        let marks = |at: usize| {
            let mut marks = Box::new([[0; 8]; 256]);
            marks[at] = [at as u8; 8];
            Change::Marks(marks)
        };
        let both = marks(3).after(&marks(2)).over(&[[7; 8], [0; 8]].concat());
        let both = both.as_chunks::<8>().0;
        assert_eq!((both[0], both[1], both[2], both[3]), ([7; 8], [0; 8], [2; 8], [3; 8]));
    }
}
