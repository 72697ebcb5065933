//! The words of a lexicon while it is built: each is folded, stored and hashed once, and is a number from then on.
//!
//! Owns: the spelling of each word and, for a word that a set, term or phrase speaks of, its symbol. A member of a set
//! that nothing uses gets no symbol, and stays the ordinary or unknown word that it is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use crate::normalise::{Plain, UPPER};
use crate::vocabulary::{UNKNOWN, WordHash};

/// The number of a word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(u32);

/// The words so far.
#[derive(Default)]
pub(super) struct Words {
    numbers: HashMap<Rc<str>, u32, QuickHash>,
    /// Of each word its spelling, and its symbol or [`UNKNOWN`].
    words: Vec<(Rc<str>, u32)>,
}

impl Words {
    /// The number of `word`, which is folded unless it is the name of a list.
    pub(super) fn add(&mut self, word: &str) -> Word {
        let plain = if word.starts_with('%') { Cow::Borrowed(word) } else { fold(word) };
        if let Some(number) = self.numbers.get(plain.as_ref()) {
            return Word(*number);
        }
        let (number, spelling) = (self.words.len() as u32, Rc::<str>::from(plain));
        self.numbers.insert(Rc::clone(&spelling), number);
        self.words.push((spelling, UNKNOWN));
        Word(number)
    }

    /// The symbol of a word; `new` makes one if it has none yet.
    pub(super) fn symbol(&mut self, word: Word, new: impl FnOnce() -> u32) -> u32 {
        let Some((_, symbol)) = self.words.get_mut(word.0 as usize) else { return UNKNOWN };
        if *symbol == UNKNOWN {
            *symbol = new();
        }
        *symbol
    }

    /// How a word is spelt, folded.
    pub(super) fn spelling(&self, word: Word) -> Option<Rc<str>> {
        self.words.get(word.0 as usize).map(|(spelling, _)| Rc::clone(spelling))
    }

    /// The words that have a symbol, each with it.
    pub(super) fn symbols(&self) -> impl Iterator<Item = (&str, u32)> {
        let words = self.words.iter().filter(|(_, symbol)| *symbol != UNKNOWN);
        words.map(|(spelling, symbol)| (spelling.as_ref(), *symbol))
    }
}

/// Lower case without diacritics.
pub(super) fn fold(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b' ') {
        return Cow::Borrowed(word);
    }
    Cow::Owned(Plain::of(word).bytes.iter().map(|byte| (byte & !UPPER) as char).collect())
}

/// Hashes as the vocabulary does. The officers who sign a lexicon do not attack its building, and it is built often.
pub(super) type QuickHash = BuildHasherDefault<QuickHasher>;

/// See [`QuickHash`].
pub(super) struct QuickHasher(WordHash);

impl Default for QuickHasher {
    fn default() -> QuickHasher {
        QuickHasher(WordHash::EMPTY)
    }
}

impl Hasher for QuickHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.extend(bytes.iter().copied());
    }

    fn finish(&self) -> u64 {
        self.0.mixed()
    }
}
