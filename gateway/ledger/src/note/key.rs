//! Keys of signed notes: their names, ids and text form, and what they sign.
//!
//! Owns: the two algorithms that this log uses, Ed25519 over the text (logs) and cosignature/v1 (witnesses).
//! A signing key is borrowed for the moment of signing.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::{Invalid, Timestamp};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::Signature;
use crate::Digest;

/// Who a key belongs to: a URL without scheme, the origin for a log. No white space, no `+`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<KeyName, Invalid> {
        let forbidden =
            |character: char| character.is_whitespace() || character.is_control() || character == '+';
        let valid = (1..=255).contains(&text.len()) && !text.chars().any(forbidden);
        let expected = "a URL without scheme, white space or `+`, such as `log.example/werkfit`";
        if valid { Ok(KeyName(text.to_owned())) } else { Err(Invalid { what: "key name", expected }) }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Ed25519 over the text: number 1, for logs.
    Ed25519,
    /// Ed25519 over a time and the text (C2SP tlog-cosignature, cosignature/v1): number 4, for witnesses.
    CosignatureV1,
}

impl Algorithm {
    const fn number(self) -> u8 {
        match self {
            Algorithm::Ed25519 => 1,
            Algorithm::CosignatureV1 => 4,
        }
    }
}

/// What one needs to check a signature. Its text is `name+keyid+base64`, all of it public.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: KeyName,
    algorithm: Algorithm,
    public: [u8; 32],
}

impl VerifierKey {
    /// The verifier key of this public key.
    pub fn new(name: KeyName, algorithm: Algorithm, public: [u8; 32]) -> VerifierKey {
        VerifierKey { name, algorithm, public }
    }

    /// Who it belongs to.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key itself: two verifier keys with the same one are the same signer.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The key id: SHA-256(name ‖ 0A ‖ algorithm ‖ public key), first four bytes.
    pub fn id(&self) -> [u8; 4] {
        let Digest([a, b, c, d, ..]) = Digest::of_parts(&[
            self.name.as_str().as_bytes(),
            &[b'\n', self.algorithm.number()],
            &self.public,
        ]);
        [a, b, c, d]
    }

    /// Whether this key made these signature bytes for this text.
    pub fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.public);
        match self.algorithm {
            Algorithm::Ed25519 => key.verify(text.as_bytes(), signature).is_ok(),
            Algorithm::CosignatureV1 => match split_time(signature) {
                Some((time, signature)) => key.verify(cosigned(time, text).as_bytes(), signature).is_ok(),
                None => false,
            },
        }
    }
}

/// The time in a cosignature's bytes, seconds since 1970, and the rest of them.
fn split_time(signature: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = signature.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    (i64::try_from(time).is_ok()).then_some((time, signature))
}

/// The time at which a cosignature says it was made; none when it is no cosignature.
pub(crate) fn cosigned_at(signature: &Signature) -> Option<Timestamp> {
    let (seconds, _) = split_time(&signature.bytes)?;
    let seconds = i64::try_from(seconds).ok()?;
    Some(Timestamp::from_unix_millis(seconds.checked_mul(1000)?))
}

fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [[self.algorithm.number()].as_slice(), &self.public].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), BASE64.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<VerifierKey, Invalid> {
        let invalid = Invalid { what: "verifier key", expected: "`name+keyid+base64` of an Ed25519 key" };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(invalid);
        };
        let key = BASE64.decode(key).map_err(|_| invalid.clone())?;
        let (algorithm, public) = match key.split_first() {
            Some((1, public)) => (Algorithm::Ed25519, public),
            Some((4, public)) => (Algorithm::CosignatureV1, public),
            _ => return Err(invalid),
        };
        let public = public.try_into().map_err(|_| invalid.clone())?;
        let key = VerifierKey { name: name.parse()?, algorithm, public };
        if hex::encode(key.id()) == id { Ok(key) } else { Err(invalid) }
    }
}

/// A name and the key pair that signs under it.
#[derive(Clone, Copy)]
pub struct NoteSigner<'k> {
    name: &'k KeyName,
    pair: &'k Ed25519KeyPair,
}

impl<'k> NoteSigner<'k> {
    /// Signs as `name` with this key pair.
    pub fn new(name: &'k KeyName, pair: &'k Ed25519KeyPair) -> NoteSigner<'k> {
        NoteSigner { name, pair }
    }

    /// The key with which others check what this one signs.
    pub fn verifier(&self, algorithm: Algorithm) -> VerifierKey {
        let mut public = [0; 32];
        public.iter_mut().zip(self.pair.public_key().as_ref()).for_each(|(to, from)| *to = *from);
        VerifierKey { name: self.name.clone(), algorithm, public }
    }

    /// Signs a text as a log does.
    pub fn sign(&self, text: &str) -> Signature {
        let bytes = self.pair.sign(text.as_bytes()).as_ref().to_vec();
        Signature { name: self.name.clone(), id: self.verifier(Algorithm::Ed25519).id(), bytes }
    }

    /// Signs a checkpoint's text as a witness does, at this time. Times before 1970 count as 1970.
    pub fn cosign(&self, text: &str, now: Timestamp) -> Signature {
        let time = u64::try_from(now.unix_seconds()).unwrap_or_default();
        let signature = self.pair.sign(cosigned(time, text).as_bytes());
        let bytes = [time.to_be_bytes().as_slice(), signature.as_ref()].concat();
        Signature { name: self.name.clone(), id: self.verifier(Algorithm::CosignatureV1).id(), bytes }
    }
}
