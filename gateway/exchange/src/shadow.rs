//! A draft in the shadow of the rules in force: on live decisions, counted, without a byte of any document.
//!
//! Owns: the counts, by exchange and by what would have been different. The rules decide and never wait for this; what is
//! compared is a situation, which holds no client and no value.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use policy::{Proven, Situation};

/// So many kinds of differences are told apart; what comes after counts as one more.
const MOST_KINDS: usize = 10_000;

/// A draft, and what it would have done otherwise so far.
pub struct Shadow {
    draft: Proven,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    decisions: u64,
    differences: BTreeMap<Difference, u64>,
}

/// One way in which the draft differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Message type, purpose, sender and receiver by role.
    pub place: String,
    /// What: a field with its form as it is and as it would be, or a refusal.
    pub what: String,
}

impl Shadow {
    /// A draft that was proven.
    pub fn new(draft: Proven) -> Shadow {
        Shadow { draft, counts: Mutex::default() }
    }

    /// The draft's number.
    pub fn number(&self) -> u64 {
        self.draft.number()
    }

    /// How many decisions were compared, and how often each difference came up.
    pub fn told(&self) -> (u64, Vec<(Difference, u64)>) {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        (counts.decisions, counts.differences.iter().map(|(what, count)| (what.clone(), *count)).collect())
    }

    /// Compares what the rules in force decide with what the draft would.
    pub(crate) fn compare(&self, running: &Proven, situation: &Situation) {
        let found = match policy::shadow(running, &self.draft, situation) {
            policy::Shadow::Same => Vec::new(),
            policy::Shadow::Refusal { running, draft } => {
                let name = |reason: Option<model::Reason>| reason.map_or("may pass", |reason| reason.name());
                vec![format!("{} → {}", name(running), name(draft))]
            }
            policy::Shadow::Fields(fields) => {
                let name = |form: Option<model::Form>| form.map_or("nothing", |form| form.name());
                let field = |(path, was, is): (model::FieldPath, _, _)| {
                    format!("`{path}`: {} → {}", name(was), name(is))
                };
                fields.into_iter().map(field).collect()
            }
        };
        let Situation { message, purpose, sender, receiver, .. } = situation;
        let place = || format!("{message} for `{purpose}`, {} → {}", sender.1, receiver.1);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.decisions += 1;
        for what in found {
            let mut difference = Difference { place: place(), what };
            if counts.differences.len() >= MOST_KINDS && !counts.differences.contains_key(&difference) {
                difference =
                    Difference { place: "elsewhere".to_owned(), what: "other differences".to_owned() };
            }
            *counts.differences.entry(difference).or_default() += 1;
        }
    }
}
