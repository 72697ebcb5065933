//! What came in a form, as names and values in their order.
//!
//! Owns: reading `application/x-www-form-urlencoded`. A name may stand there more than once. Values are as they were
//! typed: whoever uses one parses it.

use std::str::FromStr;

/// The name of the field that ties a form to its session.
pub(crate) const TOKEN: &str = "_token";

/// What was typed.
#[derive(Clone, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body or a query.
    pub(crate) fn read(bytes: &[u8]) -> Form {
        Form(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The first value of a name, without white space around it; empty when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The first value of a name as it was typed, line ends as `\n`.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A value that is there and can be read.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name).parse().ok()
    }

    /// Everything that was typed, but for the field that ties the form to its session.
    pub(crate) fn typed(&self) -> Vec<(String, String)> {
        self.0.iter().filter(|(name, _)| name != TOKEN).cloned().collect()
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Form(…)")
    }
}
