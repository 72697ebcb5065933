//! Counting what is there at once, for each address or organisation, with a limit.
//!
//! Owns: the counts. A [`Count`] gives its place back when it is dropped, so that none is lost on any path.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) struct Counts<K: Hash + Eq + Clone> {
    most: usize,
    /// Keys with a count of zero are taken out: the table never outgrows what is there.
    there: Mutex<HashMap<K, usize>>,
}

impl<K: Hash + Eq + Clone> Counts<K> {
    pub(super) fn new(most: usize) -> Arc<Counts<K>> {
        Arc::new(Counts { most, there: Mutex::new(HashMap::new()) })
    }

    /// A place for one more, if there is one.
    pub(super) fn take(self: &Arc<Counts<K>>, key: K) -> Option<Count<K>> {
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let count = there.entry(key.clone()).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Count { counts: Arc::clone(self), key })
    }
}

/// One place that is taken.
pub(super) struct Count<K: Hash + Eq + Clone> {
    counts: Arc<Counts<K>>,
    key: K,
}

impl<K: Hash + Eq + Clone> Drop for Count<K> {
    fn drop(&mut self) {
        let mut there = self.counts.there.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = there.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                there.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_when_it_is_dropped_and_others_have_their_own() {
        let counts = Counts::new(2);
        let (first, second) = (counts.take("a"), counts.take("a"));
        assert!(first.is_some() && second.is_some() && counts.take("a").is_none());
        assert!(counts.take("b").is_some());
        drop(first);
        assert!(counts.take("a").is_some());
        drop(second);
        assert!(counts.there.lock().unwrap().is_empty(), "nothing is kept of who left");
    }
}
