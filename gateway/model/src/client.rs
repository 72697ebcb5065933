//! The client: the person about whom organisations exchange.
//!
//! Owns: the BSN and its check (elfproef), and the pseudonym under which views and metrics know a client.
//! A BSN has no `Display`; its `Debug` is blank; it is wiped from memory when dropped by whoever holds it.

use std::fmt;
use std::str::FromStr;

use crate::Invalid;

/// A burgerservicenummer: 9 digits, weights 9 8 7 6 5 4 3 2 −1, sum divisible by 11.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Bsn([u8; 9]);

impl Bsn {
    /// The nine digits. Personal data: for sealing and for key look-up, never for a message or a log line.
    pub fn expose(&self) -> &str {
        // INVARIANT: `from_str` admits ASCII digits only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Bsn {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = Invalid { what: "BSN", expected: "9 digits that pass the elfproef" };
        let digits: [u8; 9] = text.as_bytes().try_into().map_err(|_| invalid.clone())?;
        if !digits.iter().all(u8::is_ascii_digit) || digits == *b"000000000" {
            return Err(invalid);
        }
        let weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
        let sum: i32 =
            digits.iter().zip(weights).map(|(digit, weight)| i32::from(digit - b'0') * weight).sum();
        if sum % 11 == 0 { Ok(Bsn(digits)) } else { Err(invalid) }
    }
}

impl fmt::Debug for Bsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bsn(…)")
    }
}

/// How views, metrics and indexes know a client: an HMAC of the BSN under a key of this gateway.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientPseudonym(pub [u8; 16]);

impl ClientPseudonym {
    /// Stands for no client at all: counts of a quarter, a place that is free.
    pub const NOBODY: ClientPseudonym = ClientPseudonym([0; 16]);
}

impl fmt::Display for ClientPseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ClientPseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientPseudonym({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bsn_passes_the_elfproef_or_is_refused() {
        for good in ["999990019", "123456782"] {
            assert!(good.parse::<Bsn>().is_ok());
        }
        for bad in ["123456789", "000000000", "99999001", "9999900190", "99999001a", ""] {
            assert!(bad.parse::<Bsn>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bsn_is_never_printed() {
        let bsn: Bsn = "999990019".parse().unwrap();
        assert!(!format!("{bsn:?}").contains("99999"));
        let error = "123456789".parse::<Bsn>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("1234"));
    }
}
