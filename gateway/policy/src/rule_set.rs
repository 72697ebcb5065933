//! A set of rules as bits, so that a decision is a few machine words.

/// Some of the rules of a bundle, by their index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RuleSet(Vec<u64>);

impl RuleSet {
    /// No rule; room for `rules` of them.
    pub(crate) fn none(rules: usize) -> RuleSet {
        RuleSet(vec![0; rules.div_ceil(64)])
    }

    /// These rules, out of `rules`.
    pub(crate) fn of(rules: usize, indexes: impl IntoIterator<Item = usize>) -> RuleSet {
        let mut set = RuleSet::none(rules);
        indexes.into_iter().for_each(|index| set.insert(index));
        set
    }

    pub(crate) fn insert(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    pub(crate) fn remove(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word &= !(1 << (index % 64));
        }
    }

    pub(crate) fn contains(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    /// Becomes what two sets have in common, without allocating.
    pub(crate) fn set_to_common(&mut self, a: &RuleSet, b: &RuleSet) {
        self.0.clear();
        self.0.extend(a.0.iter().zip(&b.0).map(|(a, b)| a & b));
    }

    pub(crate) fn common(&self, other: &RuleSet) -> RuleSet {
        RuleSet(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    pub(crate) fn overlaps(&self, other: &RuleSet) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    pub(crate) fn extend(&mut self, other: &RuleSet) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
    }

    /// The first rule that is in both.
    pub(crate) fn first_in(&self, other: &RuleSet) -> Option<usize> {
        first(self.0.iter().zip(&other.0).map(|(a, b)| a & b))
    }

    /// The first rule that is not in the other.
    pub(crate) fn first_outside(&self, other: &RuleSet) -> Option<usize> {
        first(self.0.iter().zip(&other.0).map(|(a, b)| a & !b))
    }

    /// The rules, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(place, word)| {
            (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| place * 64 + bit)
        })
    }
}

fn first(words: impl Iterator<Item = u64>) -> Option<usize> {
    let mut words = words.enumerate();
    words.find(|(_, word)| *word != 0).map(|(place, word)| place * 64 + word.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_across_words() {
        let mut set = RuleSet::of(130, [0, 63, 64, 129]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        set.remove(64);
        assert!(!set.contains(64) && set.contains(129));
        let permits = RuleSet::of(130, [63]);
        assert_eq!(set.first_in(&permits), Some(63));
        assert_eq!(set.first_outside(&permits), Some(0));
        assert_eq!(set.first_in(&RuleSet::of(130, [5])), None);
        let mut common = RuleSet::default();
        common.set_to_common(&set, &RuleSet::of(130, [1, 129]));
        assert_eq!(common.iter().collect::<Vec<_>>(), [129]);
    }
}
