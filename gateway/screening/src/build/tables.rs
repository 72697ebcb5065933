//! The last step of building: the tables of words and of parts of compounds.
//!
//! Owns: which traits a word gets, and that every Dutch word is in the vocabulary once. Comes after all terms and
//! phrases, for only then is it known what a word tells and what waits at it.

use crate::build::Builder;
use crate::compound::{Compounds, THREES, ends, first_letters, last_letters_before};
use crate::lexicon::PartKind;
use crate::matcher::Membership;
use crate::vocabulary::{ORDINARY, Table, WordHash, number, traits};
use crate::words;

/// The sets that become traits.
pub(super) struct Traits {
    pub(super) foreign: u16,
    pub(super) dutch_function: u16,
    pub(super) loose_tail: u16,
    pub(super) abbreviation: u16,
}

/// The words of the word list, with what their parts tell.
pub(super) fn ordinary(dutch: &str, compounds: &Compounds) -> Vec<(WordHash, u32)> {
    let mut words = Vec::with_capacity(dutch.len() / 4);
    words::each(dutch, |word, hash| {
        let bits = if compounds.meaning(word).is_some() { traits::COMPOUND } else { 0 };
        words.push((hash, number(ORDINARY, bits)));
    });
    words
}

impl Builder {
    /// Every word of the lexicon and of the word list, with what is known of it at once.
    pub(super) fn vocabulary(
        &self,
        ordinary: &[(WordHash, u32)],
        compounds: &Compounds,
        sets: &Traits,
    ) -> Table {
        let own = |word: &str, symbol: u32| {
            let tells = !self.symbols.senses(symbol).is_empty();
            let is = |set: u16, bit: u8| if self.symbols.is_in(symbol, set) { bit } else { 0 };
            let by_parts = !tells && compounds.meaning(word.as_bytes()).is_some();
            let bits = [
                if tells { traits::TELLS } else { 0 },
                if self.symbols.anchors(symbol).is_empty() { 0 } else { traits::WAITS },
                if by_parts { traits::COMPOUND } else { 0 },
                is(sets.foreign, traits::FOREIGN),
                is(sets.dutch_function, traits::DUTCH),
                is(sets.loose_tail, traits::TAIL),
                is(sets.abbreviation, traits::ABBREVIATION),
            ];
            number(symbol, bits.into_iter().fold(0, |all, bit| all | bit))
        };
        let mut table = Table::for_words(self.words.symbols().count() + ordinary.len());
        for (word, symbol) in self.words.symbols() {
            table.add(WordHash::of(word.as_bytes()), own(word, symbol));
        }
        table.add_absent(ordinary);
        table.mark(&self.last_parts());
        table
    }

    /// What is left of each term behind its first four letters or more, with its trait.
    fn last_parts(&self) -> Vec<(WordHash, u32)> {
        const SHORTEST: usize = 4;
        let ends = self.misspelt.iter().flat_map(|(term, _)| {
            (SHORTEST..term.len().saturating_sub(SHORTEST - 1))
                .filter_map(move |at| term.as_bytes().get(at..))
        });
        ends.map(|end| (WordHash::of(end), number(0, traits::LAST_PART))).collect()
    }

    pub(super) fn compounds(&mut self) -> Compounds {
        let mut last = vec![false; THREES];
        let mut first = vec![false; THREES];
        for (kind, word, _) in &self.compound_words {
            let (flags, indexes) = match kind {
                PartKind::Tail | PartKind::LooseTail | PartKind::Ending => {
                    (&mut last, last_letters_before(word.as_bytes()))
                }
                PartKind::Beginning => {
                    (&mut first, first_letters(word.as_bytes()).map_or(0..0, |index| index..index + 1))
                }
                PartKind::Head | PartKind::BroadHead | PartKind::Free | PartKind::FreeEnding => continue,
            };
            flags.get_mut(indexes).into_iter().flatten().for_each(|flag| *flag = true);
        }
        let last_parts = self.compound_words.iter().filter_map(|(kind, word, _)| match kind {
            PartKind::Tail | PartKind::LooseTail => Some((word, ends::TAIL)),
            PartKind::Ending => Some((word, ends::ENDING)),
            PartKind::Head
            | PartKind::BroadHead
            | PartKind::Beginning
            | PartKind::Free
            | PartKind::FreeEnding => None,
        });
        let mut ends = Table::for_words(last_parts.clone().map(|(word, _)| word.len()).sum());
        for (word, whole) in last_parts {
            let mut hash = WordHash::EMPTY;
            for (left, byte) in word.bytes().enumerate().rev() {
                hash = hash.push(byte);
                ends.add_bits(hash, if left == 0 { whole } else { ends::GOES_ON });
            }
        }
        let parts = |kinds: &[PartKind], hash: fn(&[u8]) -> WordHash| {
            let words = self.compound_words.iter().filter(|word| kinds.contains(&word.0));
            Table::new(&words.map(|word| (hash(word.1.as_bytes()), word.2)).collect::<Vec<_>>())
        };
        Compounds {
            heads: parts(&[PartKind::Head], WordHash::of),
            broad_heads: parts(&[PartKind::BroadHead], WordHash::of),
            tails: parts(&[PartKind::Tail, PartKind::LooseTail], WordHash::backwards),
            endings: parts(&[PartKind::Ending], WordHash::backwards),
            beginnings: parts(&[PartKind::Beginning], WordHash::of),
            free: parts(&[PartKind::Free], WordHash::of),
            free_endings: parts(&[PartKind::FreeEnding], WordHash::backwards),
            ends,
            last_letters: last.into(),
            first_letters: first.into(),
            meanings: std::mem::take(&mut self.meanings),
        }
    }
}
