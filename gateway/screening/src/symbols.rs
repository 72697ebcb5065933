//! What each word of the lexicon means: its classes, the sets it is in, the phrases that wait at it.
//!
//! Owns: the columns behind a symbol number. Filled by `build`, sealed once, then only read.

use std::collections::HashSet;

use model::DataClass;

use crate::lexicon::Case;
use crate::matcher::{Ask, Element, Membership};
use crate::vocabulary::ORDINARY;

/// What a function word costs more than any other, as the word that a phrase waits at.
const COMMON: usize = 100_000;

/// One thing a word tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sense {
    pub(crate) class: DataClass,
    pub(crate) rule: u16,
    pub(crate) case: Case,
}

/// A phrase that waits at a word with one of its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Anchor {
    pub(crate) phrase: u32,
    pub(crate) element: u8,
    pub(crate) needs: Needs,
}

/// What must stand around a word that a phrase waits at, or the phrase need not be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Needs {
    /// The word directly before it.
    pub(crate) before: Need,
    /// The word directly after it.
    pub(crate) after: Need,
    /// Somewhere in the same sentence.
    pub(crate) sentence: [Need; 2],
}

/// A word of a phrase, as one of 256 bits that it shares with others; or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need(u16);

impl Need {
    /// Nothing more: the phrase is tried.
    pub(crate) const NOTHING: Need = Need(256);

    fn of(ask: Ask) -> Need {
        let (number, salt) = match ask {
            Ask::Symbol(symbol) => (symbol, 0),
            Ask::Set(set) => (u32::from(set), 0x5bd1_e995),
            Ask::Any | Ask::Number | Ask::Gap { .. } | Ask::End => return Need::NOTHING,
        };
        Need(((number ^ salt).wrapping_mul(0x9e37_79b1) >> 24) as u16)
    }
}

/// The needs that the words of a sentence meet: a few instructions a word spare most phrases their attempt.
#[derive(Clone, Copy)]
pub(crate) struct Company([u64; 4]);

impl Default for Company {
    fn default() -> Company {
        Company::NONE
    }
}

impl Company {
    /// What no word at all meets.
    pub(crate) const NONE: Company = Company([0; 4]);

    fn add(&mut self, need: Need) {
        if let Some(part) = self.0.get_mut(usize::from(need.0 >> 6)) {
            *part |= 1 << (need.0 & 63);
        }
    }

    /// Adds what another word meets.
    pub(crate) fn join(&mut self, other: &Company) {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        self.0 = [a | e, b | f, c | g, d | h];
    }

    /// Whether some word meets the need, or one that shares its bit.
    pub(crate) fn meets(&self, need: Need) -> bool {
        self.0.get(usize::from(need.0 >> 6)).is_none_or(|part| part >> (need.0 & 63) & 1 == 1)
    }
}

#[derive(Default)]
struct Symbol {
    senses: Vec<Sense>,
    sets: Vec<u16>,
    anchors: Vec<Anchor>,
    company: Company,
    /// Whether it ends a tight gap of a finding, and whether one of a guard.
    ends_gap: [bool; 2],
}

/// The meaning of every symbol.
pub(crate) struct Symbols {
    symbols: Vec<Symbol>,
    sets: Vec<Vec<u32>>,
    /// Of each set, whether a function word is in it.
    common: Vec<bool>,
    common_set: u16,
    pending: Vec<(Ask, Anchor)>,
    needed: HashSet<Ask>,
    clause: u16,
    guard_ends: u16,
}

impl Default for Symbols {
    fn default() -> Symbols {
        let symbols = (0..=ORDINARY).map(|_| Symbol::default()).collect();
        Symbols {
            symbols,
            sets: Vec::new(),
            common: Vec::new(),
            common_set: u16::MAX,
            pending: Vec::new(),
            needed: HashSet::new(),
            clause: u16::MAX,
            guard_ends: u16::MAX,
        }
    }
}

impl Symbols {
    pub(crate) fn add(&mut self) -> u32 {
        self.symbols.push(Symbol::default());
        self.symbols.len() as u32 - 1
    }

    pub(crate) fn add_sense(&mut self, symbol: u32, sense: Sense) {
        if let Some(entry) = self.symbols.get_mut(symbol as usize)
            && !entry.senses.contains(&sense)
        {
            entry.senses.push(sense);
        }
    }

    pub(crate) fn add_set(&mut self, symbols: &[u32]) -> u16 {
        let set = self.sets.len() as u16;
        for symbol in symbols {
            if let Some(entry) = self.symbols.get_mut(*symbol as usize) {
                entry.sets.push(set);
            }
        }
        self.common.push(symbols.iter().any(|symbol| self.is_member(*symbol, self.common_set)));
        self.sets.push(symbols.to_vec());
        set
    }

    /// Names the set of function words; sets that are added after it know whether they hold one.
    pub(crate) fn set_common(&mut self, set: u16) {
        self.common_set = set;
        if let Some(common) = self.common.get_mut(usize::from(set)) {
            *common = true;
        }
    }

    /// How often a set is met, roughly: function words cost most, then the number of words.
    pub(crate) fn commonness(&self, ask: Ask) -> usize {
        match ask {
            Ask::Symbol(symbol) => 1 + if self.is_member(symbol, self.common_set) { COMMON } else { 0 },
            Ask::Set(set) => {
                let common = self.common.get(usize::from(set)).copied().unwrap_or(true);
                self.sets.get(usize::from(set)).map_or(0, Vec::len) + if common { COMMON } else { 0 }
            }
            Ask::Any | Ask::Number | Ask::Gap { .. } | Ask::End => usize::MAX,
        }
    }

    /// Names the words that end a tight gap of a finding, and those that end one of a guard.
    pub(crate) fn set_gap_ends(&mut self, clause: u16, guard: u16) {
        (self.clause, self.guard_ends) = (clause, guard);
    }

    /// What a phrase of these elements needs beside the one that it waits at: its neighbours, and the rarest two of its
    /// other words.
    pub(crate) fn needs(&mut self, elements: &[Element], waits_at: usize) -> Needs {
        let certain = |index: usize| elements.get(index).filter(|element| !element.optional);
        let before = waits_at.checked_sub(1).and_then(certain).map(|element| element.ask);
        let after = certain(waits_at + 1).map(|element| element.ask);
        let others = elements.iter().enumerate();
        let others = others.filter(|(index, other)| index.abs_diff(waits_at) > 1 && !other.optional);
        let mut others: Vec<Ask> = others.map(|(_, other)| other.ask).collect();
        others.sort_by_key(|ask| self.commonness(*ask));
        let sentence = [others.first().copied(), others.get(1).copied()];
        self.needed.extend([before, after].into_iter().chain(sentence).flatten());
        let need = |ask: Option<Ask>| ask.map_or(Need::NOTHING, Need::of);
        Needs { before: need(before), after: need(after), sentence: sentence.map(need) }
    }

    pub(crate) fn add_anchor(&mut self, ask: Ask, anchor: Anchor) {
        self.pending.push((ask, anchor));
    }

    /// Puts every phrase at its words; called once, when all is added.
    pub(crate) fn seal(&mut self) {
        for (ask, anchor) in std::mem::take(&mut self.pending) {
            self.each(ask, |entry| entry.anchors.push(anchor));
        }
        for ask in std::mem::take(&mut self.needed) {
            self.each(ask, |entry| entry.company.add(Need::of(ask)));
        }
        for entry in &mut self.symbols {
            entry.sets.sort_unstable();
            entry.sets.dedup();
            entry.anchors.sort_unstable();
            entry.anchors.dedup();
            entry.sets.shrink_to_fit();
            entry.anchors.shrink_to_fit();
            entry.ends_gap = [self.clause, self.guard_ends].map(|set| entry.sets.binary_search(&set).is_ok());
        }
    }

    fn each(&mut self, ask: Ask, mut change: impl FnMut(&mut Symbol)) {
        let one;
        let symbols: &[u32] = match ask {
            Ask::Symbol(symbol) => {
                one = [symbol];
                &one
            }
            Ask::Set(set) => self.sets.get(usize::from(set)).map(Vec::as_slice).unwrap_or_default(),
            Ask::Any | Ask::Number | Ask::Gap { .. } | Ask::End => &[],
        };
        for symbol in symbols {
            self.symbols.get_mut(*symbol as usize).into_iter().for_each(&mut change);
        }
    }

    /// The needs that this word meets.
    pub(crate) fn company(&self, symbol: u32) -> &Company {
        self.symbols.get(symbol as usize).map_or(&Company::NONE, |entry| &entry.company)
    }

    pub(crate) fn senses(&self, symbol: u32) -> &[Sense] {
        self.symbols.get(symbol as usize).map(|entry| entry.senses.as_slice()).unwrap_or_default()
    }

    pub(crate) fn anchors(&self, symbol: u32) -> &[Anchor] {
        self.symbols.get(symbol as usize).map(|entry| entry.anchors.as_slice()).unwrap_or_default()
    }

    fn is_member(&self, symbol: u32, set: u16) -> bool {
        self.symbols.get(symbol as usize).is_some_and(|entry| entry.sets.contains(&set))
    }
}

impl Membership for Symbols {
    fn is_in(&self, symbol: u32, set: u16) -> bool {
        self.symbols.get(symbol as usize).is_some_and(|entry| entry.sets.binary_search(&set).is_ok())
    }

    fn ends_gap(&self, symbol: u32, of_guard: bool) -> bool {
        let [of_finding, of_any] =
            self.symbols.get(symbol as usize).map_or([false; 2], |entry| entry.ends_gap);
        if of_guard { of_any } else { of_finding }
    }
}
