//! Keys that sign role assertions: their public halves, as the registry holds them.
//!
//! Owns: reading JWK (RFC 7517, 7518, 8037) and PEM `SubjectPublicKeyInfo`, and verifying a signature with the
//! algorithm that belongs to the key. The algorithm is a property of the key; a token can only agree with it.
//! A JWK with a private part is refused: a registry is not a place for secrets.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_SIG_ED25519};
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};

/// The two signature algorithms of role assertions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256, signature as r ‖ s (RFC 7518, 3.4).
    Es256,
    /// Ed25519 (RFC 8037).
    EdDsa,
}

impl Algorithm {
    /// The name in a token's header and in a JWK.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Es256 => "ES256",
            Algorithm::EdDsa => "EdDSA",
        }
    }
}

/// A public key that may sign role assertions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionKey {
    algorithm: Algorithm,
    /// 32 bytes for Ed25519; the uncompressed point (0x04 ‖ x ‖ y) for P-256.
    public: Vec<u8>,
}

/// A key that cannot be used. Says what is wrong, never what the key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither a JWK nor a PEM block that can be read.
    #[error("the key is not readable; give a JWK or a PEM `PUBLIC KEY`")]
    Unreadable,
    /// Another kind of key, or another use.
    #[error(
        "the key is of a kind that is not used here; use Ed25519 (EdDSA) or P-256 (ES256), for signatures"
    )]
    Unsupported,
    /// A private key where a public one belongs.
    #[error("the key has a private part; register the public part only, and make a new key pair")]
    Private,
    /// The point is not of this curve, or has the wrong length.
    #[error("the key is not a point of its curve; export it again")]
    NotAPoint,
}

/// The members of a JWK that matter here (RFC 7517); others, such as `x5t`, are of no use for verifying.
#[derive(Deserialize)]
pub(crate) struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<serde::de::IgnoredAny>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    pub(crate) kid: Option<String>,
}

impl AssertionKey {
    /// The key of a JWK, as JSON text.
    ///
    /// # Errors
    /// [`KeyError`] when it is not a public Ed25519 or P-256 key for signatures.
    pub fn from_jwk(json: &str) -> Result<AssertionKey, KeyError> {
        let jwk: Jwk = serde_json::from_str(json).map_err(|_| KeyError::Unreadable)?;
        AssertionKey::try_from(&jwk)
    }

    /// The key of a PEM block `PUBLIC KEY` (RFC 7468, 13).
    ///
    /// # Errors
    /// [`KeyError`] when it is not a public Ed25519 or P-256 key.
    pub fn from_pem(pem: &str) -> Result<AssertionKey, KeyError> {
        if pem.contains("PRIVATE KEY") {
            return Err(KeyError::Private);
        }
        let (_, block) =
            x509_parser::pem::parse_x509_pem(pem.as_bytes()).map_err(|_| KeyError::Unreadable)?;
        if block.label != "PUBLIC KEY" {
            return Err(KeyError::Unsupported);
        }
        let (rest, info) =
            SubjectPublicKeyInfo::from_der(&block.contents).map_err(|_| KeyError::Unreadable)?;
        if !rest.is_empty() {
            return Err(KeyError::Unreadable);
        }
        let public = info.subject_public_key.data.to_vec();
        let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
        match &info.algorithm.algorithm {
            oid if *oid == OID_SIG_ED25519 => AssertionKey::new(Algorithm::EdDsa, public),
            oid if *oid == OID_KEY_TYPE_EC_PUBLIC_KEY && curve == Some(OID_EC_P256) => {
                AssertionKey::new(Algorithm::Es256, public)
            }
            _ => Err(KeyError::Unsupported),
        }
    }

    fn new(algorithm: Algorithm, public: Vec<u8>) -> Result<AssertionKey, KeyError> {
        let shaped = match algorithm {
            Algorithm::EdDsa => public.len() == 32,
            Algorithm::Es256 => public.len() == 65 && public.first() == Some(&4) && in_field(&public),
        };
        if shaped { Ok(AssertionKey { algorithm, public }) } else { Err(KeyError::NotAPoint) }
    }

    /// The algorithm of this key; a token that names another is refused.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` is this key's signature over `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn VerificationAlgorithm = match self.algorithm {
            Algorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
            Algorithm::EdDsa => &ED25519,
        };
        UnparsedPublicKey::new(algorithm, &self.public).verify(message, signature).is_ok()
    }
}

/// Whether both coordinates lie below the field prime of P-256 (FIPS 186-5). The curve's equation itself is
/// checked by ring at every verification, so a point beside the curve verifies nothing.
fn in_field(point: &[u8]) -> bool {
    const PRIME: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ];
    let coordinates = point.get(1..).unwrap_or_default();
    coordinates.len() == 64 && coordinates.chunks_exact(32).all(|coordinate| coordinate < PRIME.as_slice())
}

impl TryFrom<&Jwk> for AssertionKey {
    type Error = KeyError;

    fn try_from(jwk: &Jwk) -> Result<AssertionKey, KeyError> {
        if jwk.d.is_some() {
            return Err(KeyError::Private);
        }
        let algorithm = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => Algorithm::EdDsa,
            ("EC", Some("P-256")) => Algorithm::Es256,
            _ => return Err(KeyError::Unsupported),
        };
        let agrees = jwk.alg.as_deref().is_none_or(|name| name == algorithm.name());
        if !agrees || jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(KeyError::Unsupported);
        }
        let coordinate = |text: &Option<String>| {
            let text = text.as_deref().ok_or(KeyError::NotAPoint)?;
            let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::NotAPoint)?;
            if bytes.len() == 32 { Ok(bytes) } else { Err(KeyError::NotAPoint) }
        };
        let x = coordinate(&jwk.x)?;
        match algorithm {
            Algorithm::EdDsa => AssertionKey::new(algorithm, x),
            Algorithm::Es256 => AssertionKey::new(algorithm, [vec![4], x, coordinate(&jwk.y)?].concat()),
        }
    }
}
