//! The table of every word that means something here, and of every Dutch word that does not.
//!
//! Owns: a fixed open-addressing table from word to symbol number, 8 bytes a slot. A slot keeps 32 bits of the
//! word's hash and no text, which keeps a lookup to one cache line; two words that collide in all of their 32 + 20
//! bits would be taken for each other (chance 1 in 10^9 for an unknown word). Built once, then only read.

/// A word of no symbol at all.
pub(crate) const UNKNOWN: u32 = 0;
/// A Dutch word that no list speaks of.
pub(crate) const ORDINARY: u32 = 1;

/// What the word list knows of a word at once, so that most words need no second look.
pub(crate) mod traits {
    /// It tells something by itself.
    pub(crate) const TELLS: u8 = 1;
    /// Phrases wait at it.
    pub(crate) const WAITS: u8 = 2;
    /// A function word of another language.
    pub(crate) const FOREIGN: u8 = 4;
    /// A Dutch function word.
    pub(crate) const DUTCH: u8 = 8;
    /// A tail that may follow its head after a space.
    pub(crate) const TAIL: u8 = 16;
    /// It tells something by its parts.
    pub(crate) const COMPOUND: u8 = 32;
    /// A dot after it is part of it: dhr., mw., bijv.
    pub(crate) const ABBREVIATION: u8 = 64;
    /// The last part of a term that is written as two words at times: huis arts.
    pub(crate) const LAST_PART: u8 = 128;
}

/// A vocabulary's number for a word: its symbol, and its traits in the upper eight bits.
pub(crate) const fn number(symbol: u32, traits: u8) -> u32 {
    symbol | (traits as u32) << 24
}

/// The symbol in a vocabulary's number.
pub(crate) const fn symbol_of(number: u32) -> u32 {
    number & 0x00ff_ffff
}

/// The traits in a vocabulary's number.
pub(crate) const fn traits_of(number: u32) -> u8 {
    (number >> 24) as u8
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;
const STEP: u64 = 0x0000_0100_0000_01b3;

/// A hash that is fed byte by byte while a token is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WordHash(u64);

impl WordHash {
    /// Of the empty word.
    pub(crate) const EMPTY: WordHash = WordHash(SEED);

    /// One byte further.
    pub(crate) const fn push(self, byte: u8) -> WordHash {
        WordHash((self.0 ^ byte as u64).wrapping_mul(STEP))
    }

    /// Some letters further.
    pub(crate) fn extend(self, letters: impl Iterator<Item = u8>) -> WordHash {
        letters.fold(self, WordHash::push)
    }

    /// Of a whole word.
    pub(crate) fn of(word: &[u8]) -> WordHash {
        word.iter().fold(WordHash::EMPTY, |hash, byte| hash.push(*byte))
    }

    /// Of a word from its last byte to its first, so that every ending of a word is met on the way.
    pub(crate) fn backwards(word: &[u8]) -> WordHash {
        word.iter().rev().fold(WordHash::EMPTY, |hash, byte| hash.push(*byte))
    }

    /// The hash with every bit of it telling.
    pub(crate) const fn mixed(self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 32)
    }

    /// What a slot keeps of the word, and the slot to look in first; `size` is a power of two.
    fn print_and_place(self, size: usize) -> (u32, usize) {
        let mixed = self.mixed();
        (mixed as u32, (mixed >> 32) as usize & (size - 1))
    }
}

/// From word to number; a word may have several.
pub(crate) struct Table {
    slots: Box<[(u32, u32)]>,
}

impl Table {
    /// An empty table that these many words will fill to a half at most.
    pub(crate) fn for_words(words: usize) -> Table {
        let size = (words.max(8) * 2).next_power_of_two();
        Table { slots: vec![(0, UNKNOWN); size].into_boxed_slice() }
    }

    /// The table of these words. Of a word's numbers, the one that is added first is found first.
    pub(crate) fn new(words: &[(WordHash, u32)]) -> Table {
        let mut table = Table::for_words(words.len());
        for (hash, number) in table.by_region(words) {
            table.add(hash, number);
        }
        table
    }

    /// Adds a number of a word.
    pub(crate) fn add(&mut self, hash: WordHash, number: u32) {
        self.put(hash, |print, slot| if slot.1 == UNKNOWN { Some((print, number)) } else { None });
    }

    /// Adds the words that are not there yet.
    pub(crate) fn add_absent(&mut self, words: &[(WordHash, u32)]) {
        for (hash, number) in self.by_region(words) {
            self.put(hash, |print, slot| match slot {
                (_, UNKNOWN) => Some((print, number)),
                (known, _) if known == print => Some(slot),
                _ => None,
            });
        }
    }

    /// Sets these bits in the numbers of these words, as far as they are there.
    pub(crate) fn mark(&mut self, words: &[(WordHash, u32)]) {
        for (hash, bits) in self.by_region(words) {
            self.put(hash, |print, slot| match slot {
                (_, UNKNOWN) => Some(slot),
                (known, number) if known == print => Some((print, number | bits)),
                _ => None,
            });
        }
    }

    /// Sets these bits in the number of a word, which is added if it is not there.
    pub(crate) fn add_bits(&mut self, hash: WordHash, bits: u32) {
        self.put(hash, |print, slot| match slot {
            (_, UNKNOWN) => Some((print, bits)),
            (known, number) if known == print => Some((print, number | bits)),
            _ => None,
        });
    }

    /// These words region by region of the table, and in their own order within one: in the order of the alphabet they
    /// would go all over it, and wait for memory at every word.
    fn by_region(&self, words: &[(WordHash, u32)]) -> Vec<(WordHash, u32)> {
        const REGIONS: usize = 64;
        let size = self.slots.len();
        let region = |hash: WordHash| hash.print_and_place(size).1 * REGIONS / size;
        let mut ends = [0usize; REGIONS];
        for (hash, _) in words {
            ends.get_mut(region(*hash)).into_iter().for_each(|count| *count += 1);
        }
        let mut sum = 0;
        for end in &mut ends {
            (*end, sum) = (sum, sum + *end);
        }
        let mut sorted = vec![(WordHash::EMPTY, UNKNOWN); words.len()];
        for word in words {
            let Some(next) = ends.get_mut(region(word.0)) else { continue };
            sorted.get_mut(*next).into_iter().for_each(|place| *place = *word);
            *next += 1;
        }
        sorted
    }

    /// Writes what `settle` says for the first slot it settles on, from the word's own slot onwards.
    fn put(&mut self, hash: WordHash, settle: impl Fn(u32, (u32, u32)) -> Option<(u32, u32)>) {
        let (print, mut at) = hash.print_and_place(self.slots.len());
        let last = self.slots.len() - 1;
        while let Some(slot) = self.slots.get_mut(at) {
            if let Some(settled) = settle(print, *slot) {
                *slot = settled;
                return;
            }
            at = (at + 1) & last;
        }
    }

    /// The symbol of a word in a vocabulary, or [`UNKNOWN`].
    pub(crate) fn symbol(&self, word: &[u8]) -> u32 {
        symbol_of(self.find(WordHash::of(word)))
    }

    /// The first number of a word, or [`UNKNOWN`].
    pub(crate) fn find(&self, hash: WordHash) -> u32 {
        let (print, mut at) = hash.print_and_place(self.slots.len());
        while let Some(slot) = self.slots.get(at).filter(|slot| slot.1 != UNKNOWN) {
            if slot.0 == print {
                return slot.1;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        UNKNOWN
    }

    /// Every number of a word.
    pub(crate) fn find_all(&self, hash: WordHash) -> impl Iterator<Item = u32> + '_ {
        let (print, mut at) = hash.print_and_place(self.slots.len());
        std::iter::from_fn(move || {
            loop {
                let slot = self.slots.get(at).filter(|slot| slot.1 != UNKNOWN)?;
                at = (at + 1) & (self.slots.len() - 1);
                if slot.0 == print {
                    return Some(slot.1);
                }
            }
        })
    }
}
