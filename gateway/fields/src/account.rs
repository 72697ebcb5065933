//! The account of one pass: what passed, in which form, what was withheld, and which texts must be screened.
//!
//! Owns: counters by class and form. Never holds a value, nor where a withheld field stood. It goes with the
//! output to `exchange`, which screens the texts and records the counts.

use std::fmt;

use model::{ClassSet, DataClass, Form};

/// What one pass let through and what it withheld. Reuse one account for many messages: nothing is allocated
/// then. Every pass starts it afresh.
///
/// Counts are of fields on the wire: a packed run counts once, a withheld message counts once, whatever it held.
#[derive(Clone)]
pub struct Account {
    pub(crate) counts: [u32; 256],
    pub(crate) texts: Vec<Text>,
    /// Working memory of the pass, kept so that the next one need not allocate.
    pub(crate) scratch: Vec<u8>,
}

/// A text that passed only on condition that it is screened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Where it starts in the output, in bytes.
    pub start: usize,
    /// One past its last byte in the output.
    pub end: usize,
    /// The class of what the text is about.
    pub subject: DataClass,
}

/// Index of a counter in an account.
pub(crate) type Counter = u8;

const FORMS: usize = Form::ALL.len();
const WITHHELD: usize = 192;
/// Fields that the contract knows and nobody classified.
pub(crate) const UNCLASSIFIED: Counter = 253;
/// Field numbers, and types in an `Any`, that the contract does not know.
pub(crate) const UNKNOWN: Counter = 254;
/// What is not counted by itself: the inside of something that was counted already.
pub(crate) const UNCOUNTED: Counter = 255;

const _: () =
    assert!((DataClass::ALL.len() + 1) * FORMS <= WITHHELD && WITHHELD + DataClass::ALL.len() < 253);

/// The counter of a class in a form.
pub(crate) const fn passed(class: DataClass, form: Form) -> Counter {
    (class as usize * FORMS + form as usize) as Counter
}

/// The counter of a class that is withheld; of no class at all when there is none.
pub(crate) const fn withheld(class: Option<DataClass>) -> Counter {
    match class {
        Some(class) => (WITHHELD + class as usize) as Counter,
        None => UNCLASSIFIED,
    }
}

impl Account {
    /// An account in which nothing passed yet.
    pub fn new() -> Account {
        Account { counts: [0; 256], texts: Vec::new(), scratch: Vec::new() }
    }

    /// How often each class passed in each form; only what did pass, by class and then by form.
    pub fn passed(&self) -> impl Iterator<Item = (DataClass, Form, u32)> {
        let cells = DataClass::ALL.iter().flat_map(|class| Form::ALL.iter().map(|form| (*class, *form)));
        cells.map(|(class, form)| (class, form, self.count(passed(class, form)))).filter(|cell| cell.2 > 0)
    }

    /// How often each class was withheld; only what was.
    pub fn withheld(&self) -> impl Iterator<Item = (DataClass, u32)> {
        let counts = DataClass::ALL.iter().map(|class| (*class, self.count(withheld(Some(*class)))));
        counts.filter(|cell| cell.1 > 0)
    }

    /// How many fields were withheld because nobody classified them.
    pub fn unclassified(&self) -> u32 {
        self.count(UNCLASSIFIED)
    }

    /// How many fields were withheld because the contract does not know their number, or the type in their `Any`.
    pub fn unknown(&self) -> u32 {
        self.count(UNKNOWN)
    }

    /// The classes of which something passed.
    pub fn classes_passed(&self) -> ClassSet {
        self.passed().map(|(class, _, _)| class).collect()
    }

    /// The texts to screen before the output leaves, in the order in which they stand in it.
    pub fn texts(&self) -> &[Text] {
        &self.texts
    }

    pub(crate) fn reset(&mut self) {
        self.counts = [0; 256];
        self.texts.clear();
    }

    fn count(&self, counter: Counter) -> u32 {
        self.counts.get(usize::from(counter)).copied().unwrap_or(0)
    }
}

impl Default for Account {
    fn default() -> Account {
        Account::new()
    }
}

/// Two accounts are equal when they tell the same.
impl PartialEq for Account {
    fn eq(&self, other: &Account) -> bool {
        let told = ..usize::from(UNCOUNTED);
        self.counts.get(told) == other.counts.get(told) && self.texts == other.texts
    }
}

impl Eq for Account {}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("passed", &self.passed().collect::<Vec<_>>())
            .field("withheld", &self.withheld().collect::<Vec<_>>())
            .field("unclassified", &self.unclassified())
            .field("unknown", &self.unknown())
            .field("texts", &self.texts.len())
            .finish()
    }
}
