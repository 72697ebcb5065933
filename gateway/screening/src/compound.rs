//! Layer 3: compounds that no list has: a known head, a linking s or en, a known tail; or an ending that tells by itself.
//!
//! Owns: how Dutch words are joined. Not substrings: every letter of the word must be accounted for by a head and a
//! tail, or by an ending with a whole syllable before it.

use std::ops::Range;

use model::DataClass;

use crate::vocabulary::{Table, WordHash};

/// What a word tells because of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) class: DataClass,
    pub(crate) rule: u16,
    /// The list it counts as a member of, in phrases.
    pub(crate) symbol: u32,
}

/// What is known of some last letters of a word, as bits.
pub(crate) mod ends {
    /// A tail or an ending has more letters before these.
    pub(crate) const GOES_ON: u32 = 1;
    /// They are a tail.
    pub(crate) const TAIL: u32 = 2;
    /// They are an ending.
    pub(crate) const ENDING: u32 = 4;
}

/// The parts of compounds. Numbers in the tables are indexes into `meanings`, plus one; `tails`, `endings`, `ends` and
/// `free_endings` are keyed backwards.
pub(crate) struct Compounds {
    pub(crate) heads: Table,
    /// Heads that a tail without a class of its own does not make tell.
    pub(crate) broad_heads: Table,
    /// Tails after a head; a tail without a class of its own takes the head's.
    pub(crate) tails: Table,
    pub(crate) endings: Table,
    pub(crate) beginnings: Table,
    pub(crate) free: Table,
    pub(crate) free_endings: Table,
    pub(crate) meanings: Vec<Option<Meaning>>,
    /// Of all that a tail or ending ends with, up to itself, its bits (see [`ends`]): a word is read from its end for as
    /// long as it can still be one.
    pub(crate) ends: Table,
    /// Which last three letters any tail or ending has, so that most words are done at once.
    pub(crate) last_letters: Box<[bool]>,
    /// Which first three letters any beginning has.
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
        if !(SHORTEST..=LONGEST).contains(&word.len()) {
            return None;
        }
        let by_tail =
            flagged(&self.last_letters, last_letters(word)).then(|| self.by_tail(word, 0)).flatten();
        let beginning =
            || flagged(&self.first_letters, first_letters(word)).then(|| self.by_beginning(word)).flatten();
        by_tail.or_else(beginning).filter(|_| !self.is_free(word))
    }

    /// What two words tell that should have been one: a head, a space, a tail; the tail's hash is of its letters backwards.
    pub(crate) fn two_words(&self, head: WordHash, tail: WordHash) -> Option<Meaning> {
        let tail = self.get(self.tails.find(tail))?;
        match self.get(self.heads.find(head)).flatten() {
            Some(head) => Some(tail.unwrap_or(head)),
            None => tail.filter(|_| self.broad_heads.find(head) != 0),
        }
    }

    fn is_free(&self, word: &[u8]) -> bool {
        let is = |part: &[u8]| self.free.find(WordHash::of(part)) != 0;
        let mut hash = WordHash::EMPTY;
        let ends_so = word.iter().rev().any(|byte| {
            hash = hash.push(*byte);
            self.free_endings.find(hash) != 0
        });
        ends_so
            || is(word)
            || [&b"s"[..], b"en", b"n", b"e"].iter().any(|end| word.strip_suffix(*end).is_some_and(is))
    }

    /// Reads the word from its end; the longest ending that tells decides.
    fn by_tail(&self, word: &[u8], depth: usize) -> Option<Meaning> {
        let mut found = None;
        let mut hash = WordHash::EMPTY;
        for at in (SHORTEST_PART..word.len()).rev() {
            hash = hash.push(word.get(at).copied()?);
            let bits = self.ends.find(hash);
            let is = |bit: u32| bits & bit != 0 && word.len() - at >= 2;
            if is(ends::ENDING)
                && let Some(ending) = self.get(self.endings.find(hash)).flatten()
            {
                found = Some(ending);
            } else if is(ends::TAIL)
                && let Some(tail) = self.get(self.tails.find(hash))
            {
                let left = word.get(..at)?;
                found = match self.head(left, depth) {
                    Some(head) => Some(tail.unwrap_or(head)),
                    None => tail.filter(|_| self.is_broad_head(left)).or(found),
                };
            }
            if bits & ends::GOES_ON == 0 {
                break;
            }
        }
        found
    }

    /// The head that `left` is, without its linking letters; a head may be a compound itself, once.
    fn head(&self, left: &[u8], depth: usize) -> Option<Meaning> {
        for stem in stems(left) {
            if let Some(meaning) = self.get(self.heads.find(WordHash::of(stem))).flatten() {
                return Some(meaning);
            }
        }
        if depth == 0 && left.len() >= 2 * SHORTEST_PART { self.by_tail(left, depth + 1) } else { None }
    }

    fn is_broad_head(&self, left: &[u8]) -> bool {
        stems(left).any(|stem| self.broad_heads.find(WordHash::of(stem)) != 0)
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

/// What `left` may be without its linking letters.
fn stems(left: &[u8]) -> impl Iterator<Item = &[u8]> {
    let links = [&b""[..], b"s", b"en", b"e", b"n", b"er"];
    links.into_iter().filter_map(|link| left.strip_suffix(link)).filter(|stem| stem.len() >= 2)
}

fn flagged(flags: &[bool], index: Option<usize>) -> bool {
    index.and_then(|index| flags.get(index)).copied().unwrap_or(false)
}

/// How many sets of three letters are told apart: two letters, and a third sign.
pub(crate) const THREES: usize = 26 * 26 * 27;

/// The index of a word's first three letters, below [`THREES`].
pub(crate) fn first_letters(word: &[u8]) -> Option<usize> {
    let [first, second, third, ..] = word else { return None };
    Some(pair(*first, *second)? + third_sign(*third))
}

/// The index of a word's last three letters, below [`THREES`].
pub(crate) fn last_letters(word: &[u8]) -> Option<usize> {
    let [.., third, first, second] = word else { return None };
    Some(pair(*first, *second)? + third_sign(*third))
}

/// The indexes that a word which ends with `part` may have.
pub(crate) fn last_letters_before(part: &[u8]) -> Range<usize> {
    let any = |first: u8, second: u8| pair(first, second).map(|index| index..index + 27);
    let one = last_letters(part).map(|index| index..index + 1);
    match part {
        [first, second] => any(*first, *second),
        _ => one,
    }
    .unwrap_or_default()
}

fn pair(first: u8, second: u8) -> Option<usize> {
    let index = |byte: u8| byte.is_ascii_lowercase().then(|| usize::from(byte - b'a'));
    Some((index(first)? * 26 + index(second)?) * 27)
}

fn third_sign(byte: u8) -> usize {
    if byte.is_ascii_lowercase() { usize::from(byte - b'a') } else { 26 }
}
