//! Keys that sign: role assertions (Ed25519 or P-256), bundles, guardrails, cosignatures.
//!
//! Owns: making them, their files (PKCS #8 PEM beside the public half), and the name a registry and a token know them
//! by: the thumbprint of the JWK (RFC 7638), so that a key names itself.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::ValueEnum;
use rcgen::KeyPair;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};

use super::folder::Folder;
use crate::failure::{Doing, Failure, Outcome};

/// The two kinds of key that sign assertions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyKind {
    /// EdDSA
    Ed25519,
    /// ES256
    P256,
}

/// The public half, as a registry holds it (RFC 7517, 7518, 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Jwk {
    pub(crate) crv: String,
    pub(crate) kty: String,
    pub(crate) x: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) y: Option<String>,
}

impl Jwk {
    /// The thumbprint: members in lexical order, without spaces (RFC 7638, 3).
    pub(crate) fn thumbprint(&self) -> String {
        let y = self.y.as_ref().map_or_else(String::new, |y| format!(",\"y\":\"{y}\""));
        let canonical = format!(r#"{{"crv":"{}","kty":"{}","x":"{}"{y}}}"#, self.crv, self.kty, self.x);
        URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
    }
}

/// A key pair, new.
pub(crate) struct SigningKeyPair {
    pair: KeyPair,
    jwk: Jwk,
}

impl SigningKeyPair {
    pub(super) fn generate(kind: KeyKind) -> Outcome<SigningKeyPair> {
        let algorithm = match kind {
            KeyKind::Ed25519 => &rcgen::PKCS_ED25519,
            KeyKind::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        };
        let pair = KeyPair::generate_for(algorithm).unreachable("make a key")?;
        let jwk = AssertionSigner::from_pem(&pair.serialize_pem())?.jwk();
        Ok(SigningKeyPair { pair, jwk })
    }

    pub(super) fn save(&self, folder: &Folder, path: &str) -> Outcome {
        folder.write_secret(&format!("{path}.key.pem"), &self.private_pem())?;
        folder.write(&format!("{path}.pub.pem"), &self.pair.public_key_pem())
    }

    /// The private half as every library reads it: Ed25519 keys in version 1 (RFC 8410, 7). The version 2 that
    /// `ring` makes is refused by OpenSSL, and so by Python.
    fn private_pem(&self) -> String {
        const HEAD: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        let der = self.pair.serialized_der();
        let (_, seed_mark) = HEAD.split_at(12);
        let seed = match self.jwk.kty.as_str() {
            "OKP" => der.windows(36).find_map(|window| window.strip_prefix(seed_mark)),
            _ => None,
        };
        let Some(seed) = seed else { return self.pair.serialize_pem() };
        let line = STANDARD.encode([&HEAD, seed].concat()); // 48 bytes: one line of PEM
        format!("-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n")
    }

    pub(super) fn kid(&self) -> String {
        self.jwk.thumbprint()
    }

    pub(super) fn jwk(&self) -> Jwk {
        self.jwk.clone()
    }
}

/// Signs assertions with a key from a file.
pub(crate) enum AssertionSigner {
    /// EdDSA.
    Ed25519(Ed25519KeyPair),
    /// ES256.
    P256(EcdsaKeyPair),
}

impl AssertionSigner {
    /// Reads a PKCS #8 key (PEM): Ed25519 or P-256.
    pub(crate) fn from_pem(pem: &str) -> Outcome<AssertionSigner> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
            .wrong("the assertion key (expected PEM `PRIVATE KEY`)")?;
        let der = der.secret_pkcs8_der();
        // rcgen and OpenSSL write the public half or leave it out: both are fine.
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Ok(AssertionSigner::Ed25519(pair));
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new());
        pair.map(AssertionSigner::P256).map_err(|_| {
            Failure::Use("the assertion key is neither Ed25519 nor P-256; see `pki init`".into())
        })
    }

    /// The name of its algorithm in a token.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            AssertionSigner::Ed25519(_) => "EdDSA",
            AssertionSigner::P256(_) => "ES256",
        }
    }

    /// The public half.
    pub(crate) fn jwk(&self) -> Jwk {
        let jwk = |kty: &str, crv: &str, x: &[u8], y: Option<&[u8]>| Jwk {
            kty: kty.to_owned(),
            crv: crv.to_owned(),
            x: URL_SAFE_NO_PAD.encode(x),
            y: y.map(|y| URL_SAFE_NO_PAD.encode(y)),
        };
        match self {
            AssertionSigner::Ed25519(pair) => jwk("OKP", "Ed25519", pair.public_key().as_ref(), None),
            AssertionSigner::P256(pair) => {
                // An uncompressed point: 0x04, x, y.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                jwk("EC", "P-256", x, Some(y))
            }
        }
    }

    /// The signature as a token carries it.
    pub(crate) fn sign(&self, message: &[u8]) -> Outcome<Vec<u8>> {
        match self {
            AssertionSigner::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            AssertionSigner::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).unreachable("sign")?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}
