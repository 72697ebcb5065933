//! The public record: what witnesses and mirrors may hold, one leaf of the tree.
//!
//! Owns: the record's versions, its one byte form (JSON, keys in the order of these structs, no white space)
//! and its limit. A leaf names parties, classes, fields and rules; it never holds a value, a user or a client, nor
//! anything by which two exchanges of one client could be told to belong together. What identifies is in
//! `SealedPart`, which `journal` encrypts. Frozen examples: `testdata/record-v1`, `record-v2`.

mod change;
mod event;
mod sealed;
#[cfg(test)]
pub(crate) mod tests;
mod traject;

use std::fmt;
use std::str::FromStr;

use model::{ExchangeId, Grondslag, Invalid, MessageType, Name, Oin, Purpose, Role, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Digest, KeyId, SpanId, TraceId};

pub use change::{Act, BundleChange, ChangeStep, ProposedBundle, StepKind};
pub use event::{
    Access, Carried, ConsentChange, ConsentKind, Decision, Delivery, Erasure, Escape, Event, HeldBack, Kind,
    Passed, Release, ReleaseStep, Withheld,
};
pub use sealed::{ClientIdentifier, DeliveredBytes, SealedPart};
pub use traject::{TrajectChange, traject_between};

/// The longest record in bytes: an entry bundle has 16 bits for its length (C2SP tlog-tiles).
pub const MAX_LEAF: usize = 65_535;

/// One record of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// Version of the record's form; first, so that a reader knows what follows.
    pub v: Version,
    /// When it was decided, by the gateway's clock.
    pub time: Timestamp,
    /// The exchange that this is about; what is no exchange (a bundle, an access) has an id of its own.
    pub exchange: ExchangeId,
    /// Where it stands in the trace of the call.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trace: Option<Trace>,
    /// The bundle under which it was decided.
    pub bundle: BundleRef,
    /// URI of the processing activity in the register of verwerkingsactiviteiten (LDV).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub activity: Option<String>,
    /// The tie to the client and to the sealed part; none where no client is concerned or known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<ClientLink>,
    /// What happened.
    pub event: Event,
}

impl Leaf {
    /// The record's bytes, the same for the same record on every machine.
    ///
    /// # Errors
    /// [`LeafError::TooLong`] when they do not fit an entry: send to fewer receivers at once.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LeafError> {
        let mut bytes = Vec::with_capacity(1_536); // an ordinary record, without growing
        serde_json::to_writer(&mut bytes, self).map_err(|_| LeafError::Malformed)?;
        if bytes.len() > MAX_LEAF { Err(LeafError::TooLong { bytes: bytes.len() }) } else { Ok(bytes) }
    }

    /// Reads a record from its bytes.
    ///
    /// # Errors
    /// Says whether the record is of another version or no record at all; never shows its content.
    pub fn from_bytes(bytes: &[u8]) -> Result<Leaf, LeafError> {
        serde_json::from_slice(bytes).map_err(|_| match version_of(bytes) {
            Some(version) if Version::try_from(version).is_err() => LeafError::OtherVersion { version },
            _ => LeafError::Malformed,
        })
    }

    /// The kind of record.
    pub fn kind(&self) -> Kind {
        self.event.kind()
    }
}

/// The version a record claims, also when the rest of it cannot be read.
fn version_of(bytes: &[u8]) -> Option<u16> {
    #[derive(Deserialize)]
    struct OnlyVersion {
        v: u16,
    }
    serde_json::from_slice::<OnlyVersion>(bytes).ok().map(|only| only.v)
}

/// Why bytes are not a record, or a record has no bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Longer than an entry of the log can be.
    #[error("the record has {bytes} bytes, an entry at most {MAX_LEAF}: send to fewer receivers at once")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// Written by another version of the gateway.
    #[error(
        "the record is of version {version}, this reader knows up to {}: use the reader of its gateway",
        u16::from(Version::default())
    )]
    OtherVersion {
        /// What it claims to be.
        version: u16,
    },
    /// Not a record.
    #[error("the entry is not a record of this log's gateway")]
    Malformed,
}

/// The versions of the record: the newest is written, every one is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum Version {
    /// [`ClientLink::key`] is the client's key: the same in every record of that client.
    V1,
    /// [`ClientLink::key`] is the record's own.
    #[default]
    V2,
}

impl From<Version> for u16 {
    fn from(version: Version) -> u16 {
        match version {
            Version::V1 => 1,
            Version::V2 => 2,
        }
    }
}

impl TryFrom<u16> for Version {
    type Error = Invalid;

    fn try_from(number: u16) -> Result<Version, Invalid> {
        match number {
            1 => Ok(Version::V1),
            2 => Ok(Version::V2),
            _ => Err(Invalid { what: "record version", expected: "1 or 2" }),
        }
    }
}

/// Where a record stands in a trace (W3C trace context).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The trace.
    pub trace_id: TraceId,
    /// The span in which the gateway decided.
    pub span_id: SpanId,
    /// The caller's span.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent_span_id: Option<SpanId>,
}

/// Which bundle decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleRef {
    /// Its number.
    pub number: u64,
    /// Its digest.
    pub digest: Digest,
}

/// The tie between a public record and its client. Tells nobody who the client is, nor that two exchanges are of one
/// client: everything in it is new for each record, or keyed over the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientLink {
    /// Which key seals what belongs to this record: random, and from version 2 on another one for every record. Its
    /// secret is made from the client's, so that whoever is shown this one record is shown no other.
    pub key: KeyId,
    /// [`Digest::link`] of this record's exchange.
    pub link: Digest,
    /// [`Digest::seal`] of the sealed part; none when the record has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seal: Option<Digest>,
}

/// Someone who takes part: an organisation in a role. Never a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The organisation.
    pub oin: Oin,
    /// The role in which it acts.
    pub role: Role,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.oin, self.role)
    }
}

/// A short code of the bundle or a contract, `X05`: 1 to 64 ASCII letters, digits, `_`, `-`, `.`, `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Label(String);

impl Label {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Label, Invalid> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for Label {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Label, Invalid> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
        let valid = (1..=64).contains(&text.len()) && text.bytes().all(allowed);
        let expected = "1 to 64 ASCII letters, digits, `_`, `-`, `.`, `/`";
        if valid { Ok(Label(text)) } else { Err(Invalid { what: "label", expected }) }
    }
}

impl From<Label> for String {
    fn from(label: Label) -> String {
        label.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// On which terms something was exchanged: what every carried record shares.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The exchange as the bundle declares it, `X05`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub declared: Option<Label>,
    /// The contract: the protobuf package, `werkfit.v1`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contract: Option<Name>,
    /// The message type.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<MessageType>,
    /// The doel.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub purpose: Option<Purpose>,
    /// The grondslag.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grondslag: Option<Grondslag>,
    /// Whether it was called an emergency.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub spoed: bool,
    /// The phase in which it opens a traject of the client between the sender and who receives it; none where it opens none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub opens: Option<u8>,
}
