//! The exchange id: one per exchange, chosen by the sender or the gateway, the key of idempotency and the
//! `Fsc-Transaction-Id` of FSC logging.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::{Invalid, Timestamp};

/// A UUIDv7 (RFC 9562).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ExchangeId(Uuid);

impl ExchangeId {
    /// Makes an id from the time and ten random bytes, both given by the caller.
    pub fn new(now: Timestamp, random: [u8; 10]) -> ExchangeId {
        let millis = u64::try_from(now.unix_millis()).unwrap_or_default();
        ExchangeId(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The sixteen bytes, big-endian.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id with these sixteen bytes, if they are a UUIDv7.
    pub fn from_bytes(bytes: [u8; 16]) -> Result<ExchangeId, Invalid> {
        let id = Uuid::from_bytes(bytes);
        let is_v7 = id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122;
        if is_v7 { Ok(ExchangeId(id)) } else { Err(Invalid { what: "exchange id", expected: "a UUIDv7" }) }
    }
}

impl Serialize for ExchangeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

impl FromStr for ExchangeId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let id = Uuid::try_parse(text).map_err(|_| Invalid { what: "exchange id", expected: "a UUIDv7" })?;
        ExchangeId::from_bytes(*id.as_bytes())
    }
}

impl TryFrom<String> for ExchangeId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<ExchangeId> for String {
    fn from(id: ExchangeId) -> String {
        id.to_string()
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExchangeId({self})")
    }
}
