//! Layer 6 and 7, running: finds the phrases around a token that anchors them.
//!
//! Owns: the compiled phrases. Each phrase waits at its rarest word, so a text without that word never looks
//! at it. What one anchor may cost is bounded by `phrase`, so time is linear in the text.

use model::DataClass;

use crate::token::{Break, Token};

/// What one step of a compiled phrase asks of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    /// This symbol.
    Symbol(u32),
    /// A symbol of this set.
    Set(u16),
    /// Anything.
    Any,
    /// Digits.
    Number,
    /// Any words, up to so many.
    Gap { most: u8, tight: bool },
    /// No word: the clause ends here.
    End,
}

/// One compiled step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element {
    pub(crate) ask: Ask,
    pub(crate) optional: bool,
    pub(crate) marked: bool,
    pub(crate) capital: bool,
    pub(crate) capitals: bool,
}

/// One compiled phrase; without a class it is a guard.
pub(crate) struct Compiled {
    pub(crate) elements: Box<[Element]>,
    pub(crate) class: Option<DataClass>,
    pub(crate) rule: u16,
    /// A term of several words, which stands or falls as a whole.
    pub(crate) is_term: bool,
}

/// The tokens a phrase matched, by element; `usize::MAX` for gaps and absent optional words.
pub(crate) type Path = [usize; crate::phrase::MOST_STEPS];

/// Whether a symbol is in a set, and whether a token may not stand in a tight gap.
pub(crate) trait Membership {
    /// Whether the symbol is a member.
    fn is_in(&self, symbol: u32, set: u16) -> bool;
    /// Whether the symbol ends a tight gap: of a finding at a new sentence part, of a guard at any verb too, for
    /// what a guard undoes by mistake is a leak.
    fn ends_gap(&self, symbol: u32, of_guard: bool) -> bool;
}

/// One attempt at one place.
pub(crate) struct Attempt<'a, M> {
    pub(crate) tokens: &'a [Token],
    pub(crate) elements: &'a [Element],
    pub(crate) members: &'a M,
    pub(crate) is_guard: bool,
}

impl<M: Membership> Attempt<'_, M> {
    /// The path of the phrase, if it stands around token `at` with its element `anchor` there.
    pub(crate) fn around(&self, anchor: usize, at: usize) -> Option<Path> {
        let mut path = [usize::MAX; crate::phrase::MOST_STEPS];
        let matched = self.fits(anchor, at)
            && self.forward(anchor + 1, at + 1, false, &mut path)
            && self.backward(anchor, at, false, &mut path);
        if matched {
            set(&mut path, anchor, at);
        }
        matched.then_some(path)
    }

    fn fits(&self, element: usize, at: usize) -> bool {
        let (Some(element), Some(token)) = (self.elements.get(element), self.tokens.get(at)) else {
            return false;
        };
        let cased = (!element.capital || token.is_name()) && (!element.capitals || token.is_capitals());
        cased
            && match element.ask {
                Ask::Symbol(symbol) => token.symbol == symbol,
                Ask::Set(set) => self.members.is_in(token.symbol, set),
                Ask::Any => true,
                Ask::Number => token.has_digits() && !token.has_letters(),
                Ask::Gap { .. } | Ask::End => false,
            }
    }

    /// Matches the elements from `element` on at the tokens from `at` on.
    fn forward(&self, element: usize, at: usize, after_gap: bool, path: &mut Path) -> bool {
        let Some(current) = self.elements.get(element) else { return true };
        if let Ask::Gap { most, tight } = current.ask {
            for skipped in 0..=usize::from(most) {
                if self.forward(element + 1, at + skipped, !tight, path) {
                    return true;
                }
                if !self.passable(at + skipped, at + skipped, tight) {
                    return false;
                }
            }
            return false;
        }
        if current.ask == Ask::End {
            let ends = self.tokens.get(at).is_none_or(|token| token.before >= Break::Comma);
            return ends && self.forward(element + 1, at, after_gap, path);
        }
        let near = self.tokens.get(at).is_some_and(|token| token.before <= nearness(after_gap));
        if near && self.fits(element, at) && self.forward(element + 1, at + 1, false, path) {
            set(path, element, at);
            return true;
        }
        current.optional && self.forward(element + 1, at, after_gap, path)
    }

    /// Matches the elements before `element` at the tokens before `at`.
    fn backward(&self, element: usize, at: usize, after_gap: bool, path: &mut Path) -> bool {
        let Some(index) = element.checked_sub(1) else { return true };
        let Some(current) = self.elements.get(index) else { return true };
        if let Ask::Gap { most, tight } = current.ask {
            for skipped in 0..=usize::from(most) {
                let Some(edge) = at.checked_sub(skipped) else { return false };
                if self.backward(index, edge, !tight, path) {
                    return true;
                }
                let Some(next) = edge.checked_sub(1) else { return false };
                if !self.passable(next, edge, tight) {
                    return false;
                }
            }
            return false;
        }
        let near = self.tokens.get(at).is_some_and(|token| token.before <= nearness(after_gap));
        if let Some(previous) = at.checked_sub(1).filter(|previous| near && self.fits(index, *previous))
            && self.backward(index, previous, false, path)
        {
            set(path, index, previous);
            return true;
        }
        current.optional && self.backward(index, at, after_gap, path)
    }

    /// Whether a gap may swallow the token at `at`, entering it over the break before `border`.
    fn passable(&self, at: usize, border: usize, tight: bool) -> bool {
        let entered = self.tokens.get(border).is_some_and(|token| token.before <= nearness(!tight));
        let clause = self
            .tokens
            .get(at)
            .is_none_or(|token| tight && self.members.ends_gap(token.symbol, self.is_guard));
        entered && !clause
    }
}

fn nearness(loose: bool) -> Break {
    if loose { Break::Comma } else { Break::Space }
}

fn set(path: &mut Path, element: usize, at: usize) {
    if let Some(place) = path.get_mut(element) {
        *place = at;
    }
}
