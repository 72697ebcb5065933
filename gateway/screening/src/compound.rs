//! Layer 3: compounds that no list has: a known head, a linking s or en, a known tail; or an ending that tells by itself.
//!
//! Owns: how Dutch words are joined. Not substrings: every letter of the word must be accounted for by a head and a
//! tail, or by an ending with a whole syllable before it.

use model::DataClass;

use crate::normalise::{Plain, UPPER};
use crate::token::Token;
use crate::vocabulary::{Table, WordHash};

/// What a word tells because of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) class: DataClass,
    pub(crate) rule: u16,
    /// The list it counts as a member of, in phrases.
    pub(crate) symbol: u32,
}

/// The parts of compounds. Numbers in the tables are indexes into `meanings`, plus one.
pub(crate) struct Compounds {
    pub(crate) heads: Table,
    /// Tails after a head; a tail without a class of its own takes the head's.
    pub(crate) tails: Table,
    pub(crate) endings: Table,
    pub(crate) beginnings: Table,
    pub(crate) free: Table,
    pub(crate) meanings: Vec<Option<Meaning>>,
    /// Which last two letters any tail or ending has, so that most words are done at once.
    pub(crate) last_letters: Box<[bool]>,
    /// Which first letter any beginning has.
    pub(crate) first_letters: Box<[bool]>,
}

/// The shortest compound, and the shortest part of one.
const SHORTEST: usize = 6;
const SHORTEST_PART: usize = 3;
/// No word is longer; what is longer is not looked at as a compound, and is found illegible elsewhere.
const LONGEST: usize = 60;

impl Compounds {
    /// What `word` (lower case) tells by its parts.
    pub(crate) fn meaning(&self, word: &[u8]) -> Option<Meaning> {
        if !(SHORTEST..=LONGEST).contains(&word.len()) || self.is_free(word) {
            return None;
        }
        let by_tail = self.may_end(word).then(|| self.by_tail(word, 0)).flatten();
        by_tail.or_else(|| self.by_beginning(word))
    }

    /// What two words tell that should have been one: a head, a space, a tail.
    pub(crate) fn two_words(&self, left: &[u8], right: &[u8]) -> Option<Meaning> {
        let tail = self.get(self.tails.find(WordHash::of(right)))?;
        let head = self.get(self.heads.find(WordHash::of(left))).flatten()?;
        Some(tail.unwrap_or(head))
    }

    /// Whether the word of a token is worth a closer look: by its last two letters and how it begins.
    pub(crate) fn may_tell(&self, plain: &Plain, token: &Token) -> bool {
        let end = token.end as usize;
        let last = plain.bytes.get(end.saturating_sub(2)..end).unwrap_or_default();
        let last: [u8; 2] = [0, 1].map(|at| last.get(at).copied().unwrap_or(0) & !UPPER);
        let first = plain.bytes.get(token.start as usize).copied().unwrap_or(0) & !UPPER;
        self.may_end(&last) || self.first_letters.get(usize::from(first)).copied().unwrap_or(false)
    }

    fn is_free(&self, word: &[u8]) -> bool {
        let is = |part: &[u8]| self.free.find(WordHash::of(part)) != 0;
        is(word) || [&b"s"[..], b"en", b"n", b"e"].iter().any(|end| word.strip_suffix(*end).is_some_and(is))
    }

    fn may_end(&self, word: &[u8]) -> bool {
        last_letters(word).and_then(|index| self.last_letters.get(index)).copied().unwrap_or(false)
    }

    fn by_tail(&self, word: &[u8], depth: usize) -> Option<Meaning> {
        for at in SHORTEST_PART..word.len().saturating_sub(1) {
            let (left, right) = word.split_at_checked(at)?;
            let hash = WordHash::of(right);
            if let Some(ending) = self.get(self.endings.find(hash)).flatten() {
                return Some(ending);
            }
            if let Some(tail) = self.get(self.tails.find(hash))
                && let Some(head) = self.head(left, depth)
            {
                return Some(tail.unwrap_or(head));
            }
        }
        None
    }

    /// The head that `left` is, without its linking letters; a head may be a compound itself, once.
    fn head(&self, left: &[u8], depth: usize) -> Option<Meaning> {
        let bare = [&b""[..], b"s", b"en", b"e", b"n", b"er"];
        let stems = bare.iter().filter_map(|link| left.strip_suffix(*link)).filter(|stem| stem.len() >= 2);
        for stem in stems {
            if let Some(meaning) = self.get(self.heads.find(WordHash::of(stem))).flatten() {
                return Some(meaning);
            }
        }
        if depth == 0 && left.len() >= 2 * SHORTEST_PART { self.by_tail(left, depth + 1) } else { None }
    }

    fn by_beginning(&self, word: &[u8]) -> Option<Meaning> {
        let mut hash = WordHash::EMPTY;
        let mut found = None;
        for (at, byte) in word.iter().enumerate() {
            hash = hash.push(*byte);
            if at + 1 >= SHORTEST_PART && word.len() - at > SHORTEST_PART {
                found = self.get(self.beginnings.find(hash)).flatten().or(found);
            }
        }
        found
    }

    fn get(&self, number: u32) -> Option<Option<Meaning>> {
        (number as usize).checked_sub(1).and_then(|index| self.meanings.get(index)).copied()
    }
}

/// The index of a word's last two letters in a table of 26 × 26.
pub(crate) fn last_letters(word: &[u8]) -> Option<usize> {
    let (last, rest) = word.split_last()?;
    let before = rest.last()?;
    let index = |byte: &u8| byte.is_ascii_lowercase().then(|| usize::from(byte - b'a'));
    Some(index(before)? * 26 + index(last)?)
}
