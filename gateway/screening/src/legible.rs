//! Failing safe: whether a text is Dutch sentences at all.
//!
//! Owns: what counts as another language, as encoded data, as pictograms. Judged a sentence at a time, so that one
//! foreign sentence among Dutch ones is seen; words of a trade do not make a sentence foreign, function words do.

use crate::normalise::{OTHER_LETTER, Plain, UPPER};
use crate::screened::Unscreenable;
use crate::token::{Break, Token};
use crate::vocabulary::{UNKNOWN, traits};

#[derive(Default)]
struct Sentence {
    words: usize,
    unknown: usize,
    foreign: usize,
    dutch: usize,
}

impl Sentence {
    fn is_foreign(&self) -> bool {
        let by_function_words = self.words >= 3 && self.foreign >= 2 && self.foreign > self.dutch;
        let by_vocabulary = self.words >= 5 && self.unknown * 2 > self.words && self.dutch * 5 < self.words;
        by_function_words || by_vocabulary
    }
}

/// Why the text cannot be screened, if it cannot.
pub(crate) fn judge(plain: &Plain, tokens: &[Token]) -> Option<Unscreenable> {
    if plain.controls > 0 && plain.controls * 50 > plain.bytes.len() {
        return Some(Unscreenable::Encoded);
    }
    let words = || tokens.iter().filter(|token| token.has_letters()).count();
    if plain.symbols >= 1 && plain.symbols > 2 * words() {
        return Some(Unscreenable::Symbols);
    }
    // look-alikes hide a word; a text full of them is of another script
    if plain.other_letters * 3 > plain.bytes.len() {
        return Some(Unscreenable::OtherLanguage);
    }
    let mut sentence = Sentence::default();
    for token in tokens {
        if token.before == Break::Sentence {
            if sentence.is_foreign() {
                return Some(Unscreenable::OtherLanguage);
            }
            sentence = Sentence::default();
        }
        if !token.has_letters() {
            continue;
        }
        if token.symbol == UNKNOWN {
            if is_encoded(token, plain) {
                return Some(Unscreenable::Encoded);
            }
            if plain.other_letters > 0 && is_other_script(token, plain) {
                return Some(Unscreenable::OtherLanguage);
            }
            // names are no language
            sentence.unknown += usize::from(!token.is_capital() && token.len() > 1 && !token.has_digits());
        } else {
            sentence.foreign += usize::from(token.is(traits::FOREIGN));
            sentence.dutch += usize::from(token.is(traits::DUTCH));
        }
        sentence.words += usize::from(token.len() > 1);
    }
    sentence.is_foreign().then_some(Unscreenable::OtherLanguage)
}

fn slice<'a>(token: &Token, plain: &'a Plain) -> &'a [u8] {
    plain.bytes.get(token.start as usize..token.end as usize).unwrap_or_default()
}

/// A token that goes up and down between cases and digits as no word does, or is as long as no word is.
fn is_encoded(token: &Token, plain: &Plain) -> bool {
    if token.len() < 10 {
        return false;
    }
    let bytes = slice(token, plain);
    let kind = |byte: u8| if (byte & !UPPER).is_ascii_digit() { 2 } else { u8::from(byte & UPPER != 0) };
    let changes = bytes
        .windows(2)
        .skip(1)
        .filter(|pair| pair.first().map(|b| kind(*b)) != pair.get(1).map(|b| kind(*b)));
    let changes = changes.count();
    token.len() > 60
        || (changes >= 5 && changes * 4 >= token.len())
        || (token.len() >= 32 && token.has_digits())
}

fn is_other_script(token: &Token, plain: &Plain) -> bool {
    let others = slice(token, plain).iter().filter(|byte| **byte & !UPPER == OTHER_LETTER).count();
    others >= 3 || others * 2 > token.len()
}
