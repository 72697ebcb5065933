//! The organisatie-identificatienummer: who an organisation is, taken from its certificate.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use crate::Invalid;

/// An OIN: 20 digits, the first eight of them a prefix that says which register the number is from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Oin([u8; 20]);

impl Oin {
    /// Prefixes that are known: RSIN, KvK, subOIN, BRIN, UZI/URA and tests.
    pub const PREFIXES: [&'static str; 6] =
        ["00000001", "00000003", "00000004", "00000007", "00000009", "00000099"];

    /// The twenty digits.
    pub fn as_str(&self) -> &str {
        // INVARIANT: `from_str` admits ASCII digits only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether this is a number for tests, prefix `00000099`.
    pub fn is_test(&self) -> bool {
        self.as_str().starts_with("00000099")
    }
}

impl Serialize for Oin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl FromStr for Oin {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = Invalid { what: "OIN", expected: "20 digits with a known prefix" };
        let digits: [u8; 20] = text.as_bytes().try_into().map_err(|_| invalid.clone())?;
        let known = Oin::PREFIXES.iter().any(|prefix| text.starts_with(prefix));
        if known && digits.iter().all(u8::is_ascii_digit) { Ok(Oin(digits)) } else { Err(invalid) }
    }
}

impl TryFrom<String> for Oin {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Oin> for String {
    fn from(oin: Oin) -> String {
        oin.as_str().to_owned()
    }
}

impl fmt::Display for Oin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Oin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oin_has_twenty_digits_and_a_known_prefix() {
        assert!("00000099000000001000".parse::<Oin>().unwrap().is_test());
        assert!(!"00000001823288444000".parse::<Oin>().unwrap().is_test());
        for bad in [
            "",
            "0000009900000000100",
            "000000990000000010000",
            "00000099000000001x00",
            "12345678000000001000",
        ] {
            assert!(bad.parse::<Oin>().is_err(), "{bad}");
        }
    }
}
