//! Dutch free text to findings: what a text says of illness, treatment, debts, justice and the like.
//!
//! Owns: the screener and the meaning of the lexicon's files. The lexicon itself is data of the bundle
//! (`policies/lexicon`). Never does: I/O, clocks, randomness. A finding holds a place and a rule, no words.
//!
//! Read in this order: `screener` (the layers in their order), then the layers: `normalise`, `token`, `inflect`,
//! `compound`, `typo`, `disguise`, `code`, `phrase`, `matcher` and `learned`; `legible` says when a text cannot be judged.

mod rules;
mod screened;
mod screener;

mod lexicon;

mod normalise;
mod token;
mod vocabulary;
mod words;

mod code;
mod compound;
mod disguise;
mod inflect;
mod learned;
mod legible;
mod matcher;
mod phrase;
mod typo;

mod build;
mod symbols;

pub use lexicon::LexiconError;
pub use screened::{Advice, Finding, Screened, Unscreenable, default_against};
pub use screener::{LONGEST_TEXT, Screener};
