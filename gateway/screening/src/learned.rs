//! The learned layer: sentences in which no rule found anything are weighed, word by word.
//!
//! Owns: what words and beginnings of words weigh (`geleerd.tsv`, written by `tools/geleerd.py`), when a sentence weighs
//! enough, and which of its words make it do so. Linear: two lookups a word. A lexicon without the file has no such layer.

use std::collections::VecDeque;
use std::ops::Range;

use model::DataClass;

use crate::lexicon;
use crate::token::{Break, Token};
use crate::vocabulary::{Table, WordHash};

/// How many letters the beginning of a word has.
const BEGINNING: usize = 4;
/// A shorter sentence counts as one of so many words and beginnings: one word alone must weigh much.
const FEWEST: u64 = 8;
/// By how much a number in the table is more than the weight, for a table has no nought.
const SHIFT: i64 = 129;

/// The weights, made ready.
pub(crate) struct Learned {
    weights: Table,
    threshold: u64,
    pub(crate) class: DataClass,
    pub(crate) rule: u16,
}

/// What words weigh together, and how many words and beginnings of words there are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Weight {
    sum: i64,
    features: u64,
}

impl Weight {
    /// Both together.
    fn plus(self, other: Weight) -> Weight {
        Weight { sum: self.sum + other.sum, features: self.features + other.features }
    }
}

impl Learned {
    /// The weights of a lexicon; findings are called after `rule`.
    pub(crate) fn new(file: &lexicon::Learned, rule: u16) -> Learned {
        let line = |(weight, words): &(i8, String)| {
            let number = (i64::from(*weight) + SHIFT) as u32;
            words.split_whitespace().map(|word| (WordHash::of(word.as_bytes()), number)).collect::<Vec<_>>()
        };
        let weights: Vec<(WordHash, u32)> = file.weights.iter().flat_map(line).collect();
        let threshold = u64::from(file.threshold.get());
        Learned { weights: Table::new(&weights), threshold, class: file.class, rule }
    }

    /// What a word weighs.
    pub(crate) fn weigh(&self, mut letters: impl Iterator<Item = u8>) -> Weight {
        let (mut hash, mut length) = (WordHash::EMPTY, 0);
        for letter in letters.by_ref().take(BEGINNING) {
            hash = hash.push(letter);
            length += 1;
        }
        match length {
            0 | 1 => Weight::default(),
            BEGINNING => self.weight(hash.push(b'-')).plus(self.weight(hash.extend(letters))),
            _ => self.weight(hash),
        }
    }

    fn weight(&self, feature: WordHash) -> Weight {
        let number = i64::from(self.weights.find(feature));
        Weight { sum: if number == 0 { 0 } else { number - SHIFT }, features: 1 }
    }

    /// What a sentence must weigh: more words weigh more by chance, with the root of their number.
    fn needed(&self, sentence: Weight) -> i64 {
        let square = self.threshold * self.threshold * sentence.features.max(FEWEST);
        i64::try_from(square.saturating_sub(1).isqrt() + 1).unwrap_or(i64::MAX)
    }

    /// The runs of tokens that tell something, in sentences of which no token is `told` already.
    pub(crate) fn untold(
        &self,
        tokens: &[Token],
        weigh: impl Fn((usize, &Token)) -> Weight,
        mut told: Vec<usize>,
    ) -> Vec<Range<usize>> {
        told.sort_unstable();
        let mut told = told.into_iter().peekable();
        let mut found = Vec::new();
        let mut close = |start: usize, end: usize, whole: Weight| {
            let is_told = std::iter::from_fn(|| told.next_if(|place| *place < end)).count() > 0;
            if !is_told && self.tells(whole) {
                let words = tokens.iter().enumerate().take(end).skip(start).map(&weigh);
                let run = self.place(whole, words);
                found.extend(run.map(|run| start + run.start..start + run.end));
            }
        };
        let (mut start, mut whole) = (0, Weight::default());
        for (at, token) in tokens.iter().enumerate() {
            if token.before == Break::Sentence {
                close(start, at, whole);
                (start, whole) = (at, Weight::default());
            }
            whole = whole.plus(weigh((at, token)));
        }
        close(start, tokens.len(), whole);
        found
    }

    /// Whether a sentence weighs enough to be a finding.
    fn tells(&self, sentence: Weight) -> bool {
        sentence.sum > 0 && sentence.sum >= self.needed(sentence)
    }

    /// The shortest run of a sentence's words that weighs as much as the sentence must.
    fn place(&self, sentence: Weight, words: impl Iterator<Item = Weight>) -> Option<Range<usize>> {
        let needed = self.needed(sentence);
        let mut best: Option<Range<usize>> = None;
        // where the run may begin, with what all before it weighs: the later, the more
        let mut starts = VecDeque::from([(0, 0)]);
        let mut sum = 0;
        for (end, word) in (1..).zip(words) {
            sum += word.sum;
            while let Some(&(start, _)) = starts.front().filter(|(_, before)| sum - before >= needed) {
                if best.as_ref().is_none_or(|best| end - start < best.len()) {
                    best = Some(start..end);
                }
                starts.pop_front();
            }
            while starts.back().is_some_and(|(_, before)| *before >= sum) {
                starts.pop_back();
            }
            starts.push_back((end, sum));
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;

    fn learned() -> Learned {
        let weights =
            vec![(60, "pil pill-".to_owned()), (20, "slaap".to_owned()), (-30, "werk werk-".to_owned())];
        let file = lexicon::Learned {
            threshold: NonZeroU16::new(20).unwrap(),
            class: DataClass::MedischKlacht,
            weights,
        };
        Learned::new(&file, 0)
    }

    fn place(sentence: &str) -> Option<Range<usize>> {
        let learned = learned();
        let words = || sentence.split(' ').map(|word| learned.weigh(word.bytes()));
        let whole = words().fold(Weight::default(), Weight::plus);
        if learned.tells(whole) { learned.place(whole, words()) } else { None }
    }

    #[test]
    fn the_place_is_the_shortest_run_that_weighs_enough() {
        assert_eq!(place("neemt een pil"), Some(2..3));
        assert_eq!(place("pillen"), Some(0..1), "a beginning counts");
        assert_eq!(place("zij heeft slaap en neemt een pil nu"), Some(2..7), "both are needed");
        assert_eq!(place("de pil op het werk"), None, "what weighs against");
        assert_eq!(
            place("de een of de ander had het over die ene pil van vroeger"),
            None,
            "too little for so many"
        );
        assert_eq!(place(""), None);
    }
}
