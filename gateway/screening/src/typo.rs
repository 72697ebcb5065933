//! Layer 4: misspellings, for words that no Dutch list has.
//!
//! Owns: how far a word may be from a term and still be it. Terms are indexed by how they sound, with any one letter
//! left out; so is the word. What the index proposes is then measured letter by letter.

use crate::vocabulary::{Table, WordHash};

/// No shorter word is taken for a misspelling.
pub(crate) const SHORTEST: usize = 5;
const LONGEST: usize = 32;
/// From this length on one wrong letter hardly makes another word.
const LONG: usize = 9;

/// The index of terms by sound.
pub(crate) struct Typos {
    /// From each sound, with any one letter left out, to the forms that sound so: indexes into `forms`, plus one.
    index: Table,
    /// From each form to itself.
    exact: Table,
    forms: Vec<Form>,
}

struct Form {
    word: Box<[u8]>,
    sound: Box<[u8]>,
    symbol: u32,
}

impl Typos {
    /// The index of these forms, each with its symbol.
    pub(crate) fn new<Text: AsRef<str>>(words: &[(Text, u32)]) -> Typos {
        let mut keys = Vec::with_capacity(words.len() * 10);
        let mut forms = Vec::with_capacity(words.len());
        let plain = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase());
        let words = words.iter().map(|(word, symbol)| (word.as_ref(), symbol));
        for (word, symbol) in words.filter(|(word, _)| word.len() >= SHORTEST && plain(word)) {
            let sound = sound(word.as_bytes());
            forms.push(Form {
                word: word.as_bytes().into(),
                sound: sound.as_slice().into(),
                symbol: *symbol,
            });
            each_key(&sound, |key| keys.push((key, forms.len() as u32)));
        }
        let exact = forms.iter().zip(1..).map(|(form, number)| (WordHash::of(&form.word), number));
        Typos { index: Table::new(&keys), exact: Table::new(&exact.collect::<Vec<_>>()), forms }
    }

    /// The symbol of the term that `word` was probably meant to be, and whether that is all but certain: it sounds
    /// the same, or it is long and one letter off.
    pub(crate) fn meant(&self, word: &[u8], is_name: bool) -> Option<(u32, bool)> {
        if !(SHORTEST..=LONGEST).contains(&word.len()) {
            return None;
        }
        let heard = sound(word);
        let mut best: Option<(usize, u32, bool)> = None;
        each_key(&heard, |key| {
            for number in self.index.find_all(key) {
                let Some(form) = (number as usize).checked_sub(1).and_then(|index| self.forms.get(index))
                else {
                    continue;
                };
                if let Some(distance) = is_near(word, &heard, form, is_name)
                    && best.is_none_or(|(least, _, _)| distance < least)
                {
                    let certain = heard == *form.sound || (distance == 1 && word.len() >= LONG);
                    best = Some((distance, form.symbol, certain));
                }
            }
        });
        best.map(|(_, symbol, certain)| (symbol, certain)).or_else(|| self.swapped(word, is_name))
    }

    /// The term that `word` is with two neighbours the wrong way round, which may change how it sounds altogether.
    fn swapped(&self, word: &[u8], is_name: bool) -> Option<(u32, bool)> {
        if is_name || word.len() < LONG - 2 {
            return None;
        }
        let mut turned = word.to_vec();
        let mut before = WordHash::EMPTY;
        for at in 1..word.len() {
            turned.swap(at - 1, at);
            let hash = before.extend(turned.iter().skip(at - 1).copied());
            let same = |number: u32| {
                let form = self.forms.get((number as usize).checked_sub(1)?)?;
                (*form.word == *turned).then_some((form.symbol, true))
            };
            if let Some(found) = self.exact.find_all(hash).find_map(same) {
                return Some(found);
            }
            turned.swap(at - 1, at);
            before = before.extend(word.get(at - 1).copied().into_iter());
        }
        None
    }
}

/// The distance of a word to a form, if it is small for their length.
fn is_near(word: &[u8], heard: &[u8], form: &Form, is_name: bool) -> Option<usize> {
    let shorter = word.len().min(form.word.len());
    if word.len().abs_diff(form.word.len()) > 2 || heard.first() != form.sound.first() {
        return None;
    }
    let sounds_alike = heard == form.sound.as_ref();
    let allowed = match shorter {
        _ if is_name && shorter < 7 => 0,
        ..5 => 0,
        5 => usize::from(sounds_alike),
        7.. if sounds_alike => 4,
        6..=9 => 1 + usize::from(sounds_alike),
        _ => 2 + usize::from(sounds_alike),
    };
    let heard_distance = if sounds_alike { 0 } else { distance(heard, &form.sound) };
    let distance = distance(word, &form.word);
    (heard_distance <= 1 && distance <= allowed).then_some(distance)
}

/// The hashes of a sound and of it with any one letter left out.
fn each_key(sound: &[u8], mut take: impl FnMut(WordHash)) {
    take(WordHash::of(sound));
    let (mut before, mut last) = (WordHash::EMPTY, None);
    for (left_out, &byte) in sound.iter().enumerate() {
        if last != Some(byte) {
            take(before.extend(sound.iter().skip(left_out + 1).copied()));
        }
        (before, last) = (before.push(byte), Some(byte));
    }
}

/// How a word sounds, roughly: spellings that Dutch writers mix up become one.
fn sound(word: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&first, after)) = rest.split_first() {
        let (letters, taken): (&[u8], usize) = match (first, after.first().copied().unwrap_or(b' ')) {
            (b'p', b'h') => (b"f", 2),
            (b't', b'h') | (b'd', b't') | (b't', b'd') => (b"t", 2),
            (b's', b'c') if after == b"ch" => (b"s", 3),
            (b'c', b'h') => (b"g", 2),
            (b'c', b'k') => (b"k", 2),
            (b'c', b'e' | b'i' | b'y') => (b"s", 1),
            (b'c', _) => (b"k", 1),
            (b'q', b'u') => (b"kw", 2),
            (b'q', _) => (b"k", 1),
            (b'x', _) => (b"ks", 1),
            (b'i', b'j' | b'e') | (b'e', b'i' | b'y') => (b"i", 2),
            (b'y', _) => (b"i", 1),
            (b'o', b'u') => (b"au", 2),
            (b'a', b'i' | b'e') => (b"e", 2),
            (b'o', b'e') => (b"u", 2),
            (b'e', b'u') => (b"o", 2),
            (b'z', _) => (b"s", 1),
            (b'v', _) => (b"f", 1),
            (b'd', _) => (b"t", 1),
            (b'b', b' ') => (b"p", 1),
            (b'r', b'h') => (b"r", 2),
            _ => (std::slice::from_ref(rest.first().unwrap_or(&first)), 1),
        };
        for letter in letters {
            if out.last() != Some(letter) {
                out.push(*letter);
            }
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// Edits between two words: insert, delete, replace, swap neighbours.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let width = right.len() + 1;
    let (mut older, mut old, mut new) = (vec![0; width], (0..width).collect::<Vec<usize>>(), vec![0; width]);
    let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX / 2);
    let mut previous = b' ';
    for (row, &a) in left.iter().enumerate() {
        let mut before = b' ';
        let mut last = row + 1;
        new.first_mut().into_iter().for_each(|first| *first = last);
        for (column, &b) in right.iter().enumerate() {
            let replace = at(&old, column) + usize::from(a != b);
            let mut least = replace.min(at(&old, column + 1) + 1).min(last + 1);
            if row > 0 && column > 0 && a == before && b == previous {
                least = least.min(at(&older, column - 1) + 1);
            }
            new.get_mut(column + 1).into_iter().for_each(|place| *place = least);
            (before, last) = (b, least);
        }
        (older, old, new) = (old, new, older);
        previous = a;
    }
    old.last().copied().unwrap_or(left.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_term_is_heard_and_another_word_is_not() {
        let terms = ["psychose", "schizofrenie", "sertraline", "fibromyalgie", "psycholoog", "overspannen"];
        let words: Vec<(String, u32)> =
            (2..).zip(terms).map(|(symbol, term)| (term.to_owned(), symbol)).collect();
        let typos = Typos::new(&words);
        for (word, term) in [
            ("psygose", "psychose"),
            ("schizofreni", "schizofrenie"),
            ("sertaline", "sertraline"),
            ("fybromyalgie", "fibromyalgie"),
            ("pyscholoog", "psycholoog"),
            ("overspanen", "overspannen"),
            ("sgizofrenie", "schizofrenie"),
        ] {
            let symbol = words.iter().find(|(word, _)| word == term).map(|(_, symbol)| *symbol);
            assert_eq!(typos.meant(word.as_bytes(), false).map(|meant| meant.0), symbol, "{word}");
        }
        for word in ["serveline", "psalmen", "overspoelen", "fotografie"] {
            assert_eq!(typos.meant(word.as_bytes(), false), None, "{word}");
        }
    }

    #[test]
    fn a_swap_of_neighbours_is_one_edit() {
        assert_eq!(distance(b"pyscholoog", b"psycholoog"), 1);
        assert_eq!(distance(b"", b"abc"), 3);
        assert_eq!(distance(b"abc", b"abd"), 1);
    }
}
