//! From plain text to tokens: words with their symbol, their shape, and what separates them from the word before.
//!
//! Owns: where a word begins and ends and where a sentence ends. One pass, one table lookup a word. Next: the
//! layers in `screener` look at the tokens, never at the bytes of ordinary words again.

use crate::normalise::{OTHER_LETTER, SYMBOL, UPPER};
use crate::vocabulary::{Table, UNKNOWN, WordHash, symbol_of, traits, traits_of};

/// What stands before a token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Break {
    /// A hyphen, apostrophe, dot or the like, without a space.
    Joined,
    /// White space.
    Space,
    /// A comma, colon, bracket or quotation mark.
    Comma,
    /// The end of a sentence, or the start of the text.
    Sentence,
}

/// One word or number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The number of the word in the vocabulary; see `vocabulary::UNKNOWN` and `ORDINARY`.
    pub(crate) symbol: u32,
    pub(crate) before: Break,
    /// What the vocabulary knows of it at once: `vocabulary::traits`.
    pub(crate) traits: u8,
    shape: u8,
}

const LETTERS: u8 = 1;
const DIGITS: u8 = 2;
const LOWER: u8 = 4;
const CAPITAL: u8 = 8;

impl Token {
    pub(crate) fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    pub(crate) fn is(&self, bit: u8) -> bool {
        self.traits & bit != 0
    }

    /// An ordinary word or a function word, at which no layer of `screener` looks by itself.
    pub(crate) fn tells_nothing(&self) -> bool {
        let is_word = self.symbol != UNKNOWN && self.len() > 1 && !self.has_digits();
        is_word && !self.is(traits::TELLS | traits::TAIL | traits::COMPOUND | traits::LAST_PART)
    }

    pub(crate) fn has_letters(&self) -> bool {
        self.shape & LETTERS != 0
    }

    pub(crate) fn has_digits(&self) -> bool {
        self.shape & DIGITS != 0
    }

    /// The first letter is a capital.
    pub(crate) fn is_capital(&self) -> bool {
        self.shape & CAPITAL != 0
    }

    /// Written as a name: a capital first, and not all in capitals.
    pub(crate) fn is_name(&self) -> bool {
        self.is_capital() && (self.len() == 1 || !self.is_capitals())
    }

    /// Every letter is a capital.
    pub(crate) fn is_capitals(&self) -> bool {
        self.shape & (LETTERS | LOWER) == LETTERS
    }

    /// The letters of the token, in lower case.
    pub(crate) fn letters<'a>(&self, plain: &'a [u8]) -> impl DoubleEndedIterator<Item = u8> + use<'a> {
        let bytes = plain.get(self.start as usize..self.end as usize).unwrap_or_default();
        bytes.iter().map(|byte| byte & !UPPER).filter(|byte| *byte != b'.')
    }

    /// The letters of the token as a word.
    pub(crate) fn word(&self, plain: &[u8]) -> Vec<u8> {
        self.letters(plain).collect()
    }
}

/// The longest abbreviation with dots, dots included.
const LONGEST_DOTTED: usize = 13;

/// What each plain byte makes of the token it stands in; nothing of a separator.
#[expect(clippy::indexing_slicing, reason = "evaluated while compiling, with an index below the length")]
const SHAPES: [u8; 256] = {
    let mut shapes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let plain = (byte as u8) & !UPPER;
        if plain.is_ascii_alphabetic() || plain == OTHER_LETTER {
            shapes[byte] = if byte as u8 == plain { LETTERS | LOWER } else { LETTERS };
        } else if plain.is_ascii_digit() {
            shapes[byte] = DIGITS;
        }
        byte += 1;
    }
    shapes
};

fn shape_of(byte: u8) -> u8 {
    SHAPES.get(byte as usize).copied().unwrap_or(0)
}

/// The tokens of a plain text.
pub(crate) fn tokens(plain: &[u8], vocabulary: &Table) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(plain.len() / 6 + 4);
    let mut at = 0;
    let mut before = Break::Sentence;
    while at < plain.len() {
        let start = at;
        let (mut hash, mut shape) = (WordHash::EMPTY, 0);
        for &byte in plain.get(at..).unwrap_or_default() {
            let of_byte = shape_of(byte);
            if of_byte == 0 {
                break;
            }
            shape |= of_byte;
            hash = hash.push(byte & !UPPER);
            at += 1;
        }
        if at > start {
            let first = plain.get(start).copied().unwrap_or_default();
            shape |= if first & UPPER != 0 { CAPITAL } else { 0 };
            if at - start == 1 && before == Break::Joined && undot(&mut tokens, plain, at, vocabulary) {
                continue;
            }
            let number = vocabulary.find(hash);
            let (symbol, traits) = (symbol_of(number), traits_of(number));
            tokens.push(Token { start: start as u32, end: at as u32, symbol, before, traits, shape });
            before = Break::Joined;
        }
        let rest = plain.get(at..).unwrap_or_default();
        let between =
            rest.get(..rest.iter().take_while(|byte| shape_of(**byte) == 0).count()).unwrap_or_default();
        at += between.len();
        if !between.is_empty() {
            let is_dot = between.first() == Some(&b'.') && between.len() <= 2;
            let abbreviates = is_dot && tokens.last().is_some_and(|token| token.is(traits::ABBREVIATION));
            let next = plain.get(at).copied().unwrap_or_default();
            before = before.max(if abbreviates { Break::Space } else { separation(between, next) });
        }
    }
    tokens
}

/// Joins a letter to the letters with dots before it, so that i.v.m. and P.T.S.S. are one word; whether it did.
fn undot(tokens: &mut [Token], plain: &[u8], end: usize, vocabulary: &Table) -> bool {
    let Some(last) = tokens.last_mut() else { return false };
    let letters = plain.get(last.start as usize..end).unwrap_or_default();
    let dotted = letters.iter().enumerate().all(|(at, byte)| {
        (shape_of(*byte) & LETTERS != 0) == (at % 2 == 0) && (at % 2 == 0 || *byte == b'.')
    });
    if !dotted || letters.len() > LONGEST_DOTTED {
        return false;
    }
    let hash = letters.iter().step_by(2).fold(WordHash::EMPTY, |hash, byte| hash.push(byte & !UPPER));
    let lower = plain.get(end - 1).is_some_and(|byte| byte & UPPER == 0);
    last.end = end as u32;
    let number = vocabulary.find(hash);
    (last.symbol, last.traits) = (symbol_of(number), traits_of(number));
    last.shape |= if lower { LOWER } else { 0 };
    true
}

/// What a run of separators before the byte `next` amounts to.
fn separation(between: &[u8], next: u8) -> Break {
    if between == b" " {
        return Break::Space;
    }
    let spaced = between.iter().any(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r'));
    let lines = between.iter().filter(|byte| **byte == b'\n').count();
    let starts = next & UPPER != 0 || next.is_ascii_digit();
    let mut result = if spaced { Break::Space } else { Break::Joined };
    for byte in between {
        result = result.max(match byte {
            b'!' | b'?' | b';' if spaced => Break::Sentence,
            b'.' if spaced && starts => Break::Sentence,
            b',' | b':' | b'(' | b')' | b'"' | b'[' | b']' | b'|' | b'/' => Break::Comma,
            b'.' | b'!' | b'?' | b';' | b'-' if spaced => Break::Comma,
            b'=' | b'<' | b'>' => Break::Comma,
            &SYMBOL => Break::Space,
            _ => Break::Joined,
        });
    }
    // "ruzie. " before a small letter is an abbreviation more often than an end
    if between.first() == Some(&b'.') && spaced && !starts && result == Break::Comma && between.len() == 2 {
        result = Break::Space;
    }
    if lines > 1 { Break::Sentence } else { result }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::Plain;

    fn breaks(text: &str) -> Vec<Break> {
        tokens(&Plain::of(text).bytes, &Table::new(&[])).iter().map(|token| token.before).collect()
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        use Break::{Comma, Joined, Sentence, Space};
        assert_eq!(breaks("Komt morgen. Gaat goed"), [Sentence, Space, Sentence, Space]);
        assert_eq!(breaks("i.v.m. ziekte"), [Sentence, Space]);
        assert_eq!(breaks("psych. problemen, burn-out"), [Sentence, Space, Comma, Joined]);
        assert_eq!(breaks("een\n\ntwee\ndrie"), [Sentence, Sentence, Space]);
    }
}
