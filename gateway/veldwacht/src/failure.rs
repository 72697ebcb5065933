//! How a command ends badly, and the exit status that scripts rely on.
//!
//! Owns: the four statuses of the command line: 0 done, 1 the answer is no, 2 wrong use or input, 3 could not reach or
//! could not write. A failure says whose fault it is and what to do; it never holds a value of a document.

use std::fmt;
use std::process::ExitCode;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It ran, and the answer is no. What there was to say has been printed.
    No,
    /// Wrong use or input: the caller has to change something.
    Use(String),
    /// Something could not be reached or written.
    Reach(String),
}

/// What commands return.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// The exit status.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Failure::No => ExitCode::from(1),
            Failure::Use(_) => ExitCode::from(2),
            Failure::Reach(_) => ExitCode::from(3),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::No => f.write_str("the answer is no"),
            Failure::Use(why) | Failure::Reach(why) => f.write_str(why),
        }
    }
}

/// Says what was being done when something went wrong.
pub(crate) trait Doing<T> {
    /// The caller's input is wrong.
    fn wrong(self, doing: impl fmt::Display) -> Outcome<T>;
    /// The world did not let us.
    fn unreachable(self, doing: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: fmt::Display> Doing<T> for Result<T, E> {
    fn wrong(self, doing: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure::Use(format!("{doing}: {error}")))
    }

    fn unreachable(self, doing: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure::Reach(format!("{doing}: {error}")))
    }
}
