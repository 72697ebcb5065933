//! Digests by which certificates and keys are known.
//!
//! Owns: the SHA-256 of a certificate (what `cnf.x5t#S256` binds to, RFC 8705) and of a public key (what a
//! registry pins, RFC 7469), with their text forms.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Invalid;
use ring::digest::{SHA256, digest};

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    out
}

fn hex(bytes: &[u8; 32], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// SHA-256 of a certificate's DER bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of this certificate (DER).
    pub fn of(certificate: &[u8]) -> Fingerprint {
        Fingerprint(sha256(certificate))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As `x5t#S256` writes it: base64url without padding (RFC 8705, 3.1).
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// SHA-256 of a `SubjectPublicKeyInfo` (DER): an authority keeps its pin when its certificate is renewed.
/// Text form: `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// The pin of this `SubjectPublicKeyInfo` (DER).
    pub fn of(subject_public_key_info: &[u8]) -> Pin {
        Pin(sha256(subject_public_key_info))
    }
}

impl FromStr for Pin {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Pin, Invalid> {
        let invalid = Invalid { what: "pin", expected: "`sha256:` and 64 lower-case hexadecimal digits" };
        let digits =
            text.strip_prefix("sha256:").filter(|digits| digits.len() == 64).ok_or(invalid.clone())?;
        let mut pin = [0; 32];
        for (byte, pair) in pin.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let [high, low] = pair else { return Err(invalid) };
            *byte = (nibble(*high).ok_or(invalid.clone())? << 4) | nibble(*low).ok_or(invalid.clone())?;
        }
        Ok(Pin(pin))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        hex(&self.0, f)
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_reads_back_what_it_writes_and_nothing_else() {
        let pin = Pin::of(b"a key");
        assert_eq!(pin.to_string().parse(), Ok(pin));
        let upper = pin.to_string().to_uppercase();
        for bad in ["", "sha256:", "sha1:00", &upper, &pin.to_string()[7..], &format!("{pin}0")] {
            assert!(bad.parse::<Pin>().is_err(), "{bad}");
        }
    }
}
