//! The sets of the one bundle of 256 records that is being filled: where the search view takes nearly all its changes.
//!
//! Owns: finding a set without making its key. A record sets some ten bits and three marks; each as a change of its own
//! would cost more than everything else that a commit does. What is full, or is to be read, goes to the layer as ordinary
//! changes.

use super::layer::{Bits, Marks, set};

/// The longest value of an attribute: an OIN.
const LONGEST: usize = 20;

/// An attribute with one of its values.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Which {
    attribute: u8,
    length: u8,
    value: [u8; LONGEST],
}

/// The sets of one bundle.
#[derive(Default)]
pub(super) struct Page {
    bundle: u64,
    bits: Vec<(Which, Bits)>,
    marks: Vec<(u8, Box<Marks>)>,
}

impl Page {
    pub(super) fn bundle(&self) -> u64 {
        self.bundle
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bits.is_empty() && self.marks.is_empty()
    }

    /// Begins the next bundle; the page must be empty.
    pub(super) fn begin(&mut self, bundle: u64) {
        self.bundle = bundle;
    }

    /// Sets the bit of the record at this place in the set of an attribute's value.
    pub(super) fn bit(&mut self, attribute: u8, value: &[u8], at: u64) {
        let mut which = Which { attribute, length: value.len().min(LONGEST) as u8, value: [0; LONGEST] };
        which.value.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
        match self.bits.iter_mut().find(|(known, _)| *known == which) {
            Some((_, bits)) => set(bits, at),
            None => {
                let mut bits = [0; 32];
                set(&mut bits, at);
                self.bits.push((which, bits));
            }
        }
    }

    /// Puts the mark of the record at this place.
    pub(super) fn mark(&mut self, attribute: u8, at: u64, mark: [u8; 8]) {
        let place = match self.marks.iter().position(|(known, _)| *known == attribute) {
            Some(place) => place,
            None => {
                self.marks.push((attribute, Box::new([[0; 8]; 256])));
                self.marks.len() - 1
            }
        };
        let marks = self.marks.get_mut(place).and_then(|(_, marks)| marks.get_mut(at as usize));
        if let Some(place) = marks {
            *place = mark;
        }
    }

    /// Every set, with attribute and value.
    pub(super) fn bits(&self) -> impl Iterator<Item = (u8, &[u8], &Bits)> {
        self.bits.iter().map(|(which, bits)| {
            let value = which.value.get(..usize::from(which.length)).unwrap_or_default();
            (which.attribute, value, bits)
        })
    }

    /// Every attribute's marks.
    pub(super) fn marks(&self) -> impl Iterator<Item = (u8, &Marks)> {
        self.marks.iter().map(|(attribute, marks)| (*attribute, marks.as_ref()))
    }

    /// Forgets everything, once it stands elsewhere.
    pub(super) fn clear(&mut self) {
        self.bits.clear();
        self.marks.clear();
    }
}
