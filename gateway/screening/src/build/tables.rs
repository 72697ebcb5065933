//! The last step of building: the tables of words and of parts of compounds.
//!
//! Owns: which traits a word gets, and that every Dutch word is in the vocabulary once. Comes after all terms and
//! phrases, for only then is it known what a word tells and what waits at it.

use crate::build::Builder;
use crate::compound::{Compounds, first_letters, last_letters};
use crate::lexicon::PartKind;
use crate::matcher::Membership;
use crate::vocabulary::{ORDINARY, Table, UNKNOWN, WordHash, number, traits};
use crate::words;

/// The sets that become traits.
pub(super) struct Traits {
    pub(super) foreign: u16,
    pub(super) dutch_function: u16,
    pub(super) loose_tail: u16,
    pub(super) abbreviation: u16,
}

impl Builder {
    /// Every word of the lexicon and of the word list, with what is known of it at once.
    pub(super) fn vocabulary(&self, dutch: &str, compounds: &Compounds, sets: &Traits) -> Table {
        let last_parts = self.last_parts();
        let last_part = |hash: WordHash| if last_parts.find(hash) == UNKNOWN { 0 } else { traits::LAST_PART };
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
                last_part(WordHash::of(word.as_bytes())),
            ];
            number(symbol, bits.into_iter().fold(0, |all, bit| all | bit))
        };
        let mut ordinary = Vec::with_capacity(dutch.len() / 4);
        words::each(dutch, |word, hash| {
            let bits = if compounds.meaning(word).is_some() { traits::COMPOUND } else { 0 };
            ordinary.push((hash, number(ORDINARY, bits | last_part(hash))));
        });
        let mut table = Table::for_words(self.words.len() + ordinary.len());
        for (word, symbol) in &self.words {
            table.add(WordHash::of(word.as_bytes()), own(word, *symbol));
        }
        table.add_absent(&ordinary);
        table
    }

    /// What is left of each term behind its first four letters or more.
    fn last_parts(&self) -> Table {
        const SHORTEST: usize = 4;
        let ends = self.misspelt.iter().flat_map(|(term, _)| {
            (SHORTEST..term.len().saturating_sub(SHORTEST - 1))
                .filter_map(move |at| term.as_bytes().get(at..))
        });
        Table::new(&ends.map(|end| (WordHash::of(end), 1)).collect::<Vec<_>>())
    }

    pub(super) fn compounds(&mut self) -> Compounds {
        let mut last = vec![false; 26 * 26];
        let mut first = vec![false; 26 * 26];
        for (kind, word, _) in &self.compound_words {
            let (flags, index) = match kind {
                PartKind::Tail | PartKind::LooseTail | PartKind::Ending => {
                    (&mut last, last_letters(word.as_bytes()))
                }
                PartKind::Beginning => (&mut first, first_letters(word.as_bytes())),
                PartKind::Head | PartKind::BroadHead | PartKind::Free | PartKind::FreeEnding => continue,
            };
            if let Some(flag) = index.and_then(|index| flags.get_mut(index)) {
                *flag = true;
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
            last_letters: last.into(),
            first_letters: first.into(),
            meanings: std::mem::take(&mut self.meanings),
        }
    }
}
