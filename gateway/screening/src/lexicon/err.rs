//! What can be wrong with a lexicon: always the bundle author's fault, always with the place to mend.

/// A lexicon that cannot be used. Nothing is skipped: a list with a wrong line would let through what it should stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LexiconError {
    /// A file that has no place in a lexicon.
    #[error("`{file}` is not a file of a lexicon; see policies/lexicon/README.md for the names")]
    UnknownFile {
        /// Its name.
        file: String,
    },
    /// A file that is not UTF-8.
    #[error("`{file}` is not UTF-8 text; save it as UTF-8")]
    NotText {
        /// Its name.
        file: String,
    },
    /// A lexicon without a part that every text needs.
    #[error("the lexicon has no `{what}`; add it")]
    Missing {
        /// The file.
        what: &'static str,
    },
    /// A line with an empty or absent column.
    #[error("`{file}` line {line} has no {what}; columns are separated by tabs")]
    Column {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// Which column.
        what: &'static str,
    },
    /// A line that says something it cannot.
    #[error("`{file}` line {line} cannot be used: {why}")]
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// Why.
        why: &'static str,
    },
    /// A phrase with a set or list that does not exist.
    #[error("`{file}` line {line} names `{name}`, which is no set and no list; add it to verzamelingen.tsv")]
    UnknownSet {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What it names.
        name: String,
    },
}
