//! What comes out of screening: findings, or the reason why a text cannot be screened.
//!
//! Owns: the result types and the classes a text is screened for by default. A finding holds a place, a class and
//! a rule, never a word of the text. Next: the exchange returns the findings to the sender, field by field.

use model::{ClassSet, DataClass, Name};

/// One place in a text that says something of a class the receiver may not read about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// First byte of the place in the original text; a character boundary.
    pub start: usize,
    /// One past its last byte; a character boundary.
    pub end: usize,
    /// What the place is about.
    pub class: DataClass,
    /// The list and layer that fired, `diagnose-psychisch.spelfout`. Never the term: rules stand in the public log.
    pub rule: Name,
}

impl Finding {
    /// The place as Unicode code points of `text`, the text that was screened: first, and one past the last.
    pub fn code_points(&self, text: &str) -> (usize, usize) {
        let before = |end: usize| text.get(..end).map_or(0, |part| part.chars().count());
        (before(self.start), before(self.end))
    }
}

/// The result for one text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Screened {
    /// What was found, by place; places of one class do not overlap.
    pub findings: Vec<Finding>,
    /// Set when (part of) the text cannot be judged, so that no findings does not mean clean.
    pub unscreenable: Option<Unscreenable>,
}

impl Screened {
    /// Whether the text may go: it could be judged, and nothing was found.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.unscreenable.is_none()
    }
}

/// Why a text cannot be screened. Such a text is held back from whoever it would have to be screened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unscreenable {
    /// Longer than [`crate::LONGEST_TEXT`] bytes.
    TooLong,
    /// A sentence that is not Dutch.
    OtherLanguage,
    /// Encoded or binary content instead of sentences: base64, hexadecimal, control characters.
    Encoded,
    /// Symbols or pictograms instead of words.
    Symbols,
}

impl Unscreenable {
    /// The reason as a stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Unscreenable::TooLong => "te-lang",
            Unscreenable::OtherLanguage => "andere-taal",
            Unscreenable::Encoded => "gecodeerd",
            Unscreenable::Symbols => "tekens",
        }
    }

    /// What is wrong and what to do, in Dutch and English.
    pub const fn advice(self) -> (&'static str, &'static str) {
        match self {
            Unscreenable::TooLong => (
                "deze tekst is te lang om te screenen; verdeel hem over kortere teksten",
                "this text is too long to screen; split it into shorter texts",
            ),
            Unscreenable::OtherLanguage => (
                "deze tekst is niet (helemaal) in het Nederlands; schrijf hem in het Nederlands",
                "this text is not (wholly) in Dutch; write it in Dutch",
            ),
            Unscreenable::Encoded => (
                "deze tekst bevat gecodeerde gegevens; schrijf gewone zinnen",
                "this text holds encoded data; write plain sentences",
            ),
            Unscreenable::Symbols => (
                "deze tekst bestaat uit tekens in plaats van woorden; schrijf gewone zinnen",
                "this text is symbols instead of words; write plain sentences",
            ),
        }
    }
}

/// How to say it otherwise, for a sender who reads why a text came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// In Dutch.
    pub nl: Box<str>,
    /// In English.
    pub en: Box<str>,
}

/// The classes that free text is screened for unless a receiver may have them: everything medical, and the
/// situational classes.
pub fn default_against() -> ClassSet {
    let situational = [
        DataClass::SociaalSchulden,
        DataClass::SociaalHuisvesting,
        DataClass::Strafrechtelijk,
        DataClass::Derden,
        DataClass::Overtuiging,
    ];
    ClassSet::within("medisch").union(situational.into_iter().collect())
}
