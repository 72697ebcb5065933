//! What identifies people: the part of a record that is encrypted under the client's key and can be erased.
//!
//! Owns: its fields and their plain byte form. Encryption, salt and key are `journal`'s. Nothing here is
//! ever printed: `Debug` is blank, and memory is wiped on drop.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::LeafError;
use crate::{DeliveryId, Digest};

/// The plain text of a sealed part.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct SealedPart {
    /// Who did it, as the role assertion names them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<String>,
    /// On whose responsibility (NEN 7513), when that is someone else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub responsible: Option<String>,
    /// Why an operator looked at what is about a person, in the operator's words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Everything by which the client is known.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub client: Vec<ClientIdentifier>,
    /// Digests of the plain bytes that receivers got: proof of content that goes when the client goes.
    #[zeroize(skip)]
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub delivered: Vec<DeliveredBytes>,
}

/// One identifier of a client.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct ClientIdentifier {
    /// What it is: `bsn`, `clientnummer`.
    pub kind: String,
    /// The identifier.
    pub value: String,
}

/// The digest of one delivery's plain bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveredBytes {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// SHA-256 of what was delivered.
    pub digest: Digest,
}

impl SealedPart {
    /// The bytes to encrypt. Personal data.
    ///
    /// # Errors
    /// None that can happen to a value of this type; kept because serialisation can fail in general.
    pub fn to_bytes(&self) -> Result<zeroize::Zeroizing<Vec<u8>>, LeafError> {
        serde_json::to_vec(self).map(zeroize::Zeroizing::new).map_err(|_| LeafError::Malformed)
    }

    /// Reads a sealed part that was opened.
    ///
    /// # Errors
    /// [`LeafError::Malformed`] without a word of the content.
    pub fn from_bytes(bytes: &[u8]) -> Result<SealedPart, LeafError> {
        serde_json::from_slice(bytes).map_err(|_| LeafError::Malformed)
    }
}

impl fmt::Debug for SealedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedPart(…)")
    }
}

impl fmt::Debug for ClientIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentifier(…)")
    }
}

impl fmt::Debug for DeliveredBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeliveredBytes(…)")
    }
}
