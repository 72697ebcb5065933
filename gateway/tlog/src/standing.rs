//! How each witness does: what it cosigned last, and why it does not cosign now.
//!
//! Owns: that table, for people who look after a log. Nothing is decided by it: which checkpoint is shown is `collected`'s.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ledger::KeyName;
use model::Timestamp;

/// How one witness does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The name of its key.
    pub name: KeyName,
    /// How many records the last checkpoint had that it cosigned since this gateway runs, and when.
    pub cosigned: Option<(u64, Timestamp)>,
    /// Why it does not cosign; none while it does.
    pub trouble: Option<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Standings(Mutex<BTreeMap<KeyName, Standing>>);

impl Standings {
    /// A witness that is asked from now on.
    pub(crate) fn begin(&self, name: &KeyName) {
        self.change(name, |_| {});
    }

    /// It cosigned a checkpoint of `size` records.
    pub(crate) fn cosigned(&self, name: &KeyName, size: u64, at: Timestamp) {
        self.change(name, |standing| (standing.cosigned, standing.trouble) = (Some((size, at)), None));
    }

    /// It did not.
    pub(crate) fn hangs(&self, name: &KeyName, why: String) {
        self.change(name, |standing| standing.trouble = Some(why));
    }

    /// Every witness, by name.
    pub(crate) fn all(&self) -> Vec<Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn change(&self, name: &KeyName, change: impl FnOnce(&mut Standing)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Standing { name: name.clone(), cosigned: None, trouble: None };
        change(all.entry(name.clone()).or_insert_with(new));
    }
}
