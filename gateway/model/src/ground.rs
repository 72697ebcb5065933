//! On which ground data is exchanged: the grondslag of the law, and the two consents of the client.
//!
//! Owns: the finite states that a policy decides on. Dates, scopes and withdrawals are resolved into these
//! before a decision is asked for, so that the space of requests stays small enough to prove.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// The legal ground of a purpose (AVG 6, 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grondslag {
    /// A task that a law gives to the organisation.
    WettelijkeTaak,
    /// Consent of the client.
    Toestemming,
    /// An agreement with the client.
    Overeenkomst,
    /// A vital interest.
    VitaalBelang,
}

impl Grondslag {
    /// Every ground.
    pub const ALL: &'static [Grondslag] = &[
        Grondslag::WettelijkeTaak,
        Grondslag::Toestemming,
        Grondslag::Overeenkomst,
        Grondslag::VitaalBelang,
    ];

    /// The name that policies and records use.
    pub const fn name(self) -> &'static str {
        match self {
            Grondslag::WettelijkeTaak => "wettelijke_taak",
            Grondslag::Toestemming => "toestemming",
            Grondslag::Overeenkomst => "overeenkomst",
            Grondslag::VitaalBelang => "vitaal_belang",
        }
    }
}

impl fmt::Display for Grondslag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is known of one consent of the client at this moment. What is not known is not consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Never asked, or expired.
    #[default]
    Onbekend,
    /// Given, for this receiver and purpose, and still running.
    Verleend,
    /// Refused or withdrawn.
    Geweigerd,
}

impl Consent {
    /// Every state.
    pub const ALL: &'static [Consent] = &[Consent::Onbekend, Consent::Verleend, Consent::Geweigerd];

    /// The name that policies and records use.
    pub const fn name(self) -> &'static str {
        match self {
            Consent::Onbekend => "onbekend",
            Consent::Verleend => "verleend",
            Consent::Geweigerd => "geweigerd",
        }
    }
}

impl fmt::Display for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Consent {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Consent::ALL.iter().copied().find(|state| state.name() == text);
        found.ok_or(Invalid { what: "consent", expected: "`verleend`, `geweigerd` or `onbekend`" })
    }
}

/// The two consents, two legal acts: neither stands in for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Consents {
    /// Breaking the medisch beroepsgeheim towards this receiver.
    pub beroepsgeheim: Consent,
    /// Processing of health data by this receiver (AVG 9).
    pub gezondheidsgegevens: Consent,
}

impl Consents {
    /// Both consents in the same state.
    pub const fn both(state: Consent) -> Consents {
        Consents { beroepsgeheim: state, gezondheidsgegevens: state }
    }
}
