//! Fixed-size byte strings that stand in records as lower-case hexadecimal, and the two digests by which a
//! public record is tied to what is sealed.
//!
//! Owns: their text form, and `link` and `seal`. Which key and which salt is `journal`'s business.

use std::fmt;
use std::str::FromStr;

use model::{ExchangeId, Invalid};
use ring::{digest, hmac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! hexadecimal {
    ($($type:ident, $size:literal, $doc:literal;)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub [u8; $size]);

        impl FromStr for $type {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let expected = concat!("lower-case hexadecimal of ", $size, " bytes");
                let mut bytes = [0; $size];
                let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
                match hex::decode_to_slice(text, &mut bytes) {
                    Ok(()) if lower => Ok($type(bytes)),
                    _ => Err(Invalid { what: stringify!($type), expected }),
                }
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut text = [0; 2 * $size];
                hex::encode_to_slice(self.0, &mut text).map_err(serde::ser::Error::custom)?;
                serializer.serialize_str(std::str::from_utf8(&text).map_err(serde::ser::Error::custom)?)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($type))
            }
        }
    )*};
}

hexadecimal! {
    Digest, 32, "A SHA-256 digest or HMAC-SHA-256.";
    KeyId, 16, "Which key seals: random, never derived from a client.";
    DeliveryId, 16, "One delivery to one receiver.";
    TraceId, 16, "A W3C trace id.";
    SpanId, 8, "A W3C span id.";
}

impl Digest {
    /// SHA-256 of these bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest::of_parts(&[bytes])
    }

    /// SHA-256 of these parts, one after the other, without copying them together.
    pub fn of_parts(parts: &[&[u8]]) -> Digest {
        let mut context = digest::Context::new(&digest::SHA256);
        parts.iter().for_each(|part| context.update(part));
        from_ring(context.finish().as_ref())
    }

    /// The link of a record to its client: HMAC-SHA-256 of the exchange id's sixteen bytes under the client's
    /// random key. Who holds the key finds the client's records; without it, two links tell nothing of each other.
    pub fn link(client_key: &[u8; 32], exchange: &ExchangeId) -> Digest {
        let key = hmac::Key::new(hmac::HMAC_SHA256, client_key);
        from_ring(hmac::sign(&key, exchange.as_bytes()).as_ref())
    }

    /// The seal of a record: SHA-256(salt ‖ ciphertext) of its sealed part. The salt stands in the deletable
    /// store beside the ciphertext, so after erasure the digest tells nothing.
    pub fn seal(salt: &[u8; 32], ciphertext: &[u8]) -> Digest {
        Digest::of_parts(&[salt, ciphertext])
    }
}

/// Both algorithms of this file give 32 bytes; anything shorter would leave zeros.
pub(crate) fn from_ring(bytes: &[u8]) -> Digest {
    let mut digest = [0; 32];
    digest.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    Digest(digest)
}
