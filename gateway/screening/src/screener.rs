//! The screener: a lexicon made ready, and the order in which the layers look at a text.
//!
//! Owns: which layer looks at which token, how guards undo hits, how hits become findings. Pure and linear: every
//! token is looked at a bounded number of times. Next: findings go back to the sender, by field.

use std::collections::BTreeMap;
use std::ops::Range;

use model::{ClassSet, DataClass};

use crate::build::{Built, build};
use crate::code::{CodeSets, code_at};
use crate::compound::Meaning;
use crate::disguise;
use crate::learned::Weight;
use crate::legible;
use crate::lexicon::{Case, Lexicon, LexiconError};
use crate::matcher::Attempt;
use crate::normalise::Plain;
use crate::rules::Layer;
use crate::screened::{Advice, Finding, Screened, Unscreenable};
use crate::symbols::{Company, Needs};
use crate::token::{Break, Token, tokens};
use crate::vocabulary::{ORDINARY, UNKNOWN, WordHash, symbol_of, traits};

/// The longest text that is screened, in bytes.
pub const LONGEST_TEXT: usize = 1 << 20;

/// A hit before guards: the tokens it covers.
#[derive(Clone, Copy)]
struct Hit {
    first: usize,
    last: usize,
    class: DataClass,
    rule: u16,
    layer: Layer,
}

/// A lexicon made ready to screen with.
pub struct Screener {
    built: Built,
    advice: BTreeMap<DataClass, Advice>,
    codes: CodeSets,
}

impl Screener {
    /// Makes a lexicon ready: file name (with or without folders) to content.
    pub fn build(files: &BTreeMap<String, Vec<u8>>) -> Result<Screener, LexiconError> {
        let lexicon = Lexicon::read(files)?;
        let built = build(&lexicon)?;
        let codes = CodeSets { announce: built.code_word, elsewhere: built.code_elsewhere };
        let advice = lexicon
            .advice
            .iter()
            .map(|(class, nl, en)| (*class, Advice { nl: nl.as_str().into(), en: en.as_str().into() }))
            .collect();
        Ok(Screener { built, advice, codes })
    }

    /// How to say it otherwise, for findings of this class; none if the lexicon has no advice for it.
    pub fn advice(&self, class: DataClass) -> Option<&Advice> {
        self.advice.get(&class)
    }

    /// What `text` says of the classes in `against`. With no classes nothing is looked at.
    pub fn screen(&self, text: &str, against: ClassSet) -> Screened {
        if against.is_empty() {
            return Screened::default();
        }
        if text.len() > LONGEST_TEXT {
            return Screened { findings: Vec::new(), unscreenable: Some(Unscreenable::TooLong) };
        }
        let plain = Plain::of(text);
        let mut tokens = tokens(&plain.bytes, &self.built.vocabulary);
        let unscreenable = legible::judge(&plain, &tokens);
        let mut pass =
            Pass { screener: self, plain: &plain, tokens: &mut tokens, hits: Vec::new(), free: Vec::new() };
        pass.words();
        pass.phrases();
        pass.learned();
        let mut hits = pass.hits;
        hits.retain(|hit| against.contains(hit.class));
        Screened { findings: self.findings(text, &plain, &tokens, hits), unscreenable }
    }

    fn findings(&self, text: &str, plain: &Plain, tokens: &[Token], mut hits: Vec<Hit>) -> Vec<Finding> {
        hits.sort_by_key(|hit| (hit.first, std::cmp::Reverse(hit.last)));
        let mut findings: Vec<Finding> = Vec::with_capacity(hits.len());
        for hit in hits {
            let (Some(first), Some(last)) = (tokens.get(hit.first), tokens.get(hit.last)) else { continue };
            let (start, end) = plain.original(text, first.start as usize, last.end as usize);
            let overlaps = |earlier: &&mut Finding| earlier.class == hit.class && earlier.end > start;
            if let Some(earlier) = findings.iter_mut().rev().take(8).find(overlaps) {
                earlier.end = earlier.end.max(end);
            } else if let Some(rule) = self.built.rules.name(hit.rule, hit.layer) {
                findings.push(Finding { start, end, class: hit.class, rule: rule.clone() });
            }
        }
        findings
    }
}

/// The layers at work on one text.
struct Pass<'a> {
    screener: &'a Screener,
    plain: &'a Plain,
    tokens: &'a mut Vec<Token>,
    hits: Vec<Hit>,
    /// Which tokens a guard covers; as short as nothing, or as long as the tokens.
    free: Vec<bool>,
}

impl Pass<'_> {
    fn built(&self) -> &Built {
        &self.screener.built
    }

    /// Layers 2 to 5: one token at a time.
    fn words(&mut self) {
        let mut at = 0;
        while let Some(&token) = self.tokens.get(at) {
            at = match token.symbol {
                _ if token.tells_nothing() => at + 1,
                _ if token.len() == 1 => self.letters(at),
                _ if token.has_digits() => self.with_digits(at, token),
                UNKNOWN => self.unknown(at, token),
                _ => self.known(at, token),
            };
        }
    }

    fn known(&mut self, at: usize, token: Token) -> usize {
        for sense in self.screener.built.symbols.senses(token.symbol) {
            let written = match sense.case {
                Case::Any => true,
                Case::Capital => token.is_capital(),
                Case::Capitals => token.is_capitals(),
            };
            if written {
                self.hits.push(Hit {
                    first: at,
                    last: at,
                    class: sense.class,
                    rule: sense.rule,
                    layer: Layer::Word,
                });
            }
        }
        if token.is(traits::TAIL | traits::LAST_PART) {
            self.spaced_compound(at, token);
        }
        if token.is(traits::COMPOUND)
            && let Some(meaning) = self.built().compounds.meaning(&token.word(&self.plain.bytes))
        {
            self.compound(at, token.symbol == ORDINARY, meaning);
        }
        at + 1
    }

    /// A term or a head and its tail as two words: huis arts, paniek aanvallen.
    fn spaced_compound(&mut self, at: usize, token: Token) {
        let Some(before) = at.checked_sub(1).and_then(|index| self.tokens.get(index)).copied() else {
            return;
        };
        if token.before <= Break::Space {
            let plain = &self.plain.bytes;
            let left = WordHash::EMPTY.extend(before.letters(plain));
            let symbol = symbol_of(self.built().vocabulary.find(left.extend(token.letters(plain))));
            if symbol > ORDINARY && before.len() >= 4 && self.becomes(at - 1, at, symbol, Layer::Disguise) {
                return;
            }
            let right = WordHash::EMPTY.extend(token.letters(plain).rev());
            if let Some(meaning) = self.built().compounds.two_words(left, right) {
                self.hit(at - 1, at, meaning, Layer::Compound);
            }
        }
    }

    fn compound(&mut self, at: usize, is_new: bool, meaning: Meaning) {
        if let Some(token) = self.tokens.get_mut(at).filter(|_| is_new) {
            token.symbol = meaning.symbol;
            token.traits |= traits::WAITS;
        }
        self.hit(at, at, meaning, Layer::Compound);
    }

    fn hit(&mut self, first: usize, last: usize, meaning: Meaning, layer: Layer) {
        self.hits.push(Hit { first, last, class: meaning.class, rule: meaning.rule, layer });
    }

    fn unknown(&mut self, at: usize, token: Token) -> usize {
        let word = token.word(&self.plain.bytes);
        if let Some(meaning) = self.built().compounds.meaning(&word) {
            self.compound(at, true, meaning);
            return at + 1;
        }
        if let Some(last) = self.joined(at) {
            return last + 1;
        }
        let is_name = token.is_capital() && token.before != Break::Sentence && !token.is_capitals();
        if let Some((symbol, certain)) = self.built().typos.meant(&word, is_name)
            && (certain || !disguise::is_ordinary_compound(&word, &self.built().vocabulary))
        {
            self.becomes(at, at, symbol, Layer::Typo);
        }
        at + 1
    }

    /// A word cut in pieces around an unknown one; the last token of it if it is a term.
    fn joined(&mut self, at: usize) -> Option<usize> {
        for (first, last) in disguise::joins(self.tokens, at) {
            let pieces = self.tokens.get(first..=last)?;
            let letters = || pieces.iter().flat_map(|token| token.letters(&self.plain.bytes));
            let symbol = symbol_of(self.built().vocabulary.find(WordHash::EMPTY.extend(letters())));
            let without_space = pieces.iter().skip(1).all(|token| token.before == Break::Joined);
            let by_parts = || self.built().compounds.meaning(&letters().collect::<Vec<u8>>());
            let meaning = without_space.then(by_parts).flatten();
            if symbol > ORDINARY && self.becomes(first, last, symbol, Layer::Disguise) {
                return Some(last);
            }
            if let Some(meaning) = meaning {
                self.hit(first, last, meaning, Layer::Disguise);
                return Some(last);
            }
        }
        None
    }

    /// Lets tokens count as the term with this symbol; whether that tells anything.
    fn becomes(&mut self, first: usize, last: usize, symbol: u32, layer: Layer) -> bool {
        let senses = self.screener.built.symbols.senses(symbol);
        let senses = senses.iter().filter(|sense| sense.case != Case::Capitals);
        let before = self.hits.len();
        self.hits.extend(senses.map(|sense| Hit {
            first,
            last,
            class: sense.class,
            rule: sense.rule,
            layer,
        }));
        if let Some(token) = self.tokens.get_mut(first).filter(|_| first == last) {
            token.symbol = symbol;
            token.traits |= traits::WAITS;
        }
        self.hits.len() > before
    }

    /// Codes, and letters written as digits.
    fn with_digits(&mut self, at: usize, token: Token) -> usize {
        let built = &self.screener.built;
        if let Some(code) = code_at(self.tokens, at, &self.plain.bytes, &built.symbols, &self.screener.codes)
        {
            let hit = Hit {
                first: code.first,
                last: code.last,
                class: code.class,
                rule: built.code_rule,
                layer: Layer::Code,
            };
            self.hits.push(hit);
            return code.last + 1;
        }
        if !token.has_letters() {
            return at + 1;
        }
        for word in disguise::letters_for_digits(&token.word(&self.plain.bytes)) {
            let symbol = built.vocabulary.symbol(&word);
            if symbol > ORDINARY && self.becomes(at, at, symbol, Layer::Disguise) {
                break;
            }
            let meaning = built.compounds.meaning(&word);
            if let Some(meaning) = meaning {
                self.hit(at, at, meaning, Layer::Disguise);
                break;
            }
        }
        at + 1
    }

    /// Letters spaced out: d e p r e s s i e.
    fn letters(&mut self, at: usize) -> usize {
        let end = disguise::end_of_letters(self.tokens, at);
        if end - at < disguise::FEWEST_LETTERS {
            return at + 1;
        }
        let word: Vec<u8> = self
            .tokens
            .get(at..end)
            .unwrap_or_default()
            .iter()
            .flat_map(|token| token.word(&self.plain.bytes))
            .collect();
        for (from, to) in disguise::parts_of(word.len()) {
            let part = word.get(from..to).unwrap_or_default();
            let symbol = self.built().vocabulary.symbol(part);
            if symbol > ORDINARY && self.becomes(at + from, at + to - 1, symbol, Layer::Disguise) {
                return end;
            }
            let meaning = self.built().compounds.meaning(part);
            if let Some(meaning) = meaning {
                self.hit(at + from, at + to - 1, meaning, Layer::Disguise);
                return end;
            }
        }
        end
    }

    /// What stands in the sentence from `start`, and where it ends: no phrase goes over the end of a sentence.
    fn sentence(&self, start: usize) -> (Company, usize) {
        let tokens = self.tokens.get(start..).unwrap_or_default();
        let ends = |token: &Token| token.before == Break::Sentence;
        let length = 1 + tokens.iter().skip(1).position(ends).unwrap_or(tokens.len().saturating_sub(1));
        let built = &self.screener.built.symbols;
        let mut company = Company::NONE;
        for token in tokens.iter().take(length).filter(|token| token.symbol > ORDINARY) {
            company.join(built.company(token.symbol));
        }
        (company, start + length)
    }

    /// Layers 6 and 7: phrases, then what the guards undo.
    fn phrases(&mut self) {
        let built = &self.screener.built;
        let mut free: Vec<bool> = Vec::new();
        let mut found: Vec<(Hit, usize)> = Vec::new();
        let (mut company, mut end) = (Company::NONE, 0);
        for at in 0..self.tokens.len() {
            if at == end {
                (company, end) = self.sentence(at);
            }
            let Some(token) = self.tokens.get(at).filter(|token| token.is(traits::WAITS)) else { continue };
            let neighbour = |index: Option<usize>| {
                let token = index.and_then(|index| self.tokens.get(index));
                token.map(|token| built.symbols.company(token.symbol)).unwrap_or(&Company::NONE)
            };
            let (before, after) = (neighbour(at.checked_sub(1)), neighbour(at.checked_add(1)));
            let may_stand = |needs: Needs| {
                after.meets(needs.after)
                    && before.meets(needs.before)
                    && needs.sentence.iter().all(|need| company.meets(*need))
            };
            let anchors = built.symbols.anchors(token.symbol);
            for anchor in anchors.iter().filter(|anchor| may_stand(anchor.needs)) {
                let Some(phrase) = built.phrases.get(anchor.phrase as usize) else { continue };
                let attempt = Attempt {
                    tokens: self.tokens,
                    elements: &phrase.elements,
                    members: &built.symbols,
                    is_guard: phrase.class.is_none(),
                };
                let Some(path) = attempt.around(usize::from(anchor.element), at) else { continue };
                let marked = phrase
                    .elements
                    .iter()
                    .zip(path)
                    .filter(|(element, place)| element.marked && *place != usize::MAX);
                let places = marked.map(|(_, place)| place);
                match phrase.class {
                    None => {
                        free.resize(self.tokens.len(), false);
                        places
                            .for_each(|place| free.get_mut(place).into_iter().for_each(|free| *free = true));
                    }
                    Some(class) => {
                        let (first, last) =
                            places.fold((at, at), |(low, high), place| (low.min(place), high.max(place)));
                        let layer = if phrase.is_term { Layer::Word } else { Layer::Phrase };
                        found.push((Hit { first, last, class, rule: phrase.rule, layer }, at));
                    }
                }
            }
        }
        let is_free = |place: usize| free.get(place).copied().unwrap_or(false);
        self.hits.retain(|hit| !(hit.first..=hit.last).any(is_free));
        let stands = |(hit, anchor): &(Hit, usize)| match hit.layer {
            Layer::Word => !(hit.first..=hit.last).any(is_free),
            _ => !is_free(*anchor),
        };
        self.hits.extend(found.into_iter().filter(stands).map(|(hit, _)| hit));
        self.free = free;
    }

    /// The learned layer: sentences in which no rule found anything. What a guard covers weighs nothing.
    fn learned(&mut self) {
        let Some(learned) = &self.screener.built.learned else { return };
        let weigh = |(at, token): (usize, &Token)| match self.free.get(at) {
            Some(true) => Weight::default(),
            _ if token.has_digits() => Weight::default(),
            // the name of someone or something
            _ if token.is_name() && token.before != Break::Sentence => Weight::default(),
            _ => learned.weigh(token.letters(&self.plain.bytes)),
        };
        let told = self.hits.iter().map(|hit| hit.first).collect();
        let found = learned.untold(self.tokens, weigh, told);
        let (class, rule) = (learned.class, learned.rule);
        let hit = |run: Range<usize>| Hit {
            first: run.start,
            last: run.end - 1,
            class,
            rule,
            layer: Layer::Phrase,
        };
        self.hits.extend(found.into_iter().map(hit));
    }
}
