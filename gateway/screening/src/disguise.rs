//! Words in disguise: letters spaced out, pieces, digits for letters.
//!
//! Owns: which pieces are worth putting together, each a bounded number of them. What the pieces mean is looked up
//! by `screener` as if they had been written plainly.

use crate::token::{Break, Token};
use crate::vocabulary::{Table, UNKNOWN};

/// Fewer letters in a row are initials.
pub(crate) const FEWEST_LETTERS: usize = 4;
const MOST_LETTERS: usize = 40;
const MOST_PIECES: usize = 6;

/// One past the last of the single letters that begin at `at`.
pub(crate) fn end_of_letters(tokens: &[Token], at: usize) -> usize {
    let rest = tokens.get(at..).unwrap_or_default();
    let more = rest.iter().skip(1).take(MOST_LETTERS);
    at + 1
        + more
            .take_while(|token| token.len() == 1 && token.has_letters() && token.before <= Break::Comma)
            .count()
}

/// The parts of a row of letters to look up, the longest first.
pub(crate) fn parts_of(length: usize) -> impl Iterator<Item = (usize, usize)> {
    (FEWEST_LETTERS..=length)
        .rev()
        .flat_map(move |size| (0..=length - size).map(move |from| (from, from + size)))
}

/// The runs of tokens around an unknown token at `at` that may be one word cut in pieces.
pub(crate) fn joins(tokens: &[Token], at: usize) -> Vec<(usize, usize)> {
    let joined = |index: usize| tokens.get(index).is_some_and(|token| token.before == Break::Joined);
    let spaced = |index: usize| {
        tokens.get(index).is_some_and(|token| token.before <= Break::Space && token.has_letters())
    };
    let first =
        (0..MOST_PIECES).take_while(|back| at >= *back && (*back == 0 || joined(at + 1 - back))).count();
    let first = at + 1 - first.max(1);
    let last = at + (1..MOST_PIECES).take_while(|ahead| joined(at + ahead)).count();
    let mut runs = Vec::with_capacity(4);
    if last > first {
        runs.push((first, last));
    }
    if spaced(at + 1) {
        runs.push((at, at + 1));
        if spaced(at + 2) {
            runs.push((at, at + 2));
        }
    }
    if at > 0 && spaced(at) {
        runs.push((at - 1, at));
        if spaced(at + 1) {
            runs.push((at - 1, at + 1));
        }
    }
    runs
}

/// What a word with digits in it may stand for; none for a number or a code.
pub(crate) fn letters_for_digits(word: &[u8]) -> Vec<Vec<u8>> {
    let letters = word.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    if !(4..=40).contains(&word.len()) || letters < 2 || letters == word.len() {
        return Vec::new();
    }
    [b'i', b'l']
        .iter()
        .map(|one| {
            word.iter()
                .map(|byte| match byte {
                    b'0' => b'o',
                    b'1' => *one,
                    b'3' => b'e',
                    b'4' => b'a',
                    b'5' => b's',
                    b'6' | b'9' => b'g',
                    b'7' => b't',
                    b'8' => b'b',
                    other => *other,
                })
                .collect()
        })
        .collect()
}

/// Whether an unknown word is two ordinary words put together, or an ordinary word with an ending.
pub(crate) fn is_ordinary_compound(word: &[u8], vocabulary: &Table) -> bool {
    const SHORTEST: usize = 4;
    let is_word = |part: &[u8]| part.len() >= SHORTEST && vocabulary.symbol(part) != UNKNOWN;
    let ended = [&b"s"[..], b"e", b"en", b"n", b"t", b"d", b"de", b"te", b"tje", b"je"];
    if ended.iter().any(|end| word.strip_suffix(*end).is_some_and(is_word)) {
        return true;
    }
    (SHORTEST..word.len().saturating_sub(SHORTEST - 1)).any(|at| {
        word.split_at_checked(at).is_some_and(|(left, right)| {
            is_word(right) && (is_word(left) || left.strip_suffix(b"s").is_some_and(is_word))
        })
    })
}
