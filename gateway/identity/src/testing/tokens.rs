//! Role assertions of a small world, good ones and ones to spoil.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Refusal;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _,
};
use serde_json::{Value, json};

use super::world::*;
use crate::{Actor, AssertionRules, Peer, Registry, Replays};

pub(crate) const AUDIENCE: &str = "veldwacht";

/// Keys of the gemeente and of the GGZ, and the registry that knows them.
pub(crate) struct Tokens {
    pub(crate) edwards: Ed25519KeyPair,
    curve: EcdsaKeyPair,
    pub(crate) ggz: Ed25519KeyPair,
    pub(crate) registry: Registry,
    pub(crate) peer: Peer,
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn edwards() -> Ed25519KeyPair {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(der.as_ref()).unwrap()
}

fn curve(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    let der = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, der.as_ref(), &SystemRandom::new()).unwrap()
}

impl Tokens {
    pub(crate) fn new() -> Tokens {
        let (edwards, curve, ggz) = (edwards(), curve(&ECDSA_P256_SHA256_FIXED_SIGNING), edwards());
        let point = curve.public_key().as_ref();
        let registry = format!(
            r#"
            big_roles = ["arts"]
            [[organisation]]
            oin = "{GEMEENTE}"
            name = "Gemeente"
            kind = "gemeente"
            issuers = ["{}"]
            systems = ["zaaksysteem"]
            [[organisation.key]]
            kid = "edwards"
            roles = ["klantmanager", "arts"]
            jwk = {{ kty = "OKP", crv = "Ed25519", x = "{}" }}
            [[organisation.key]]
            kid = "curve"
            roles = ["werkgeversservicepunt"]
            jwk = {{ kty = "EC", crv = "P-256", x = "{}", y = "{}" }}
            [[organisation]]
            oin = "{GGZ}"
            name = "GGZ"
            kind = "ggz"
            issuers = ["{}"]
            systems = ["epd"]
            [[organisation.key]]
            kid = "ggz"
            roles = ["behandelaar"]
            jwk = {{ kty = "OKP", crv = "Ed25519", x = "{}" }}
            "#,
            world().overheid.pin(),
            b64(edwards.public_key()),
            b64(&point[1..33]),
            b64(&point[33..]),
            world().zorg.pin(),
            b64(ggz.public_key()),
        );
        let registry = Registry::parse(&registry).unwrap();
        let leaf = world().overheid.leaf(GEMEENTE, "zaaksysteem", |_| {});
        let peer = Peer::from_certificate(&[leaf], &world().trust, &registry, NOW).unwrap();
        Tokens { edwards, curve, ggz, registry, peer }
    }

    pub(crate) fn claims(&self) -> Value {
        let now = NOW.unix_seconds();
        json!({
            "iss": GEMEENTE, "sub": "k.klantmanager", "aud": AUDIENCE, "iat": now, "exp": now + 300,
            "jti": "0c1ad0f6", "role": "klantmanager", "purpose": "aanmelding",
            "cnf": { "x5t#S256": self.peer.fingerprint().thumbprint() },
        })
    }

    pub(crate) fn with(&self, member: &str, value: Value) -> Value {
        let mut claims = self.claims();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(member)),
            value => claims[member] = value,
        }
        claims
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": "EdDSA", "kid": "edwards" })
    }

    /// A token of the gemeente's first key.
    pub(crate) fn token(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", b64(header), b64(claims));
        let signature = self.edwards.sign(signed.as_bytes());
        format!("{signed}.{}", b64(signature))
    }

    pub(crate) fn good(&self) -> String {
        self.token(&self.header().to_string(), &self.claims().to_string())
    }

    pub(crate) fn of(&self, claims: Value) -> String {
        self.token(&self.header().to_string(), &claims.to_string())
    }

    pub(crate) fn headed(&self, header: Value) -> String {
        self.token(&header.to_string(), &self.claims().to_string())
    }

    pub(crate) fn curved(&self, claims: Value, spoil: impl FnOnce(&mut Vec<u8>)) -> String {
        let signed = format!("{}.{}", b64(r#"{"alg":"ES256","kid":"curve"}"#), b64(claims.to_string()));
        let mut signature =
            self.curve.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec();
        spoil(&mut signature);
        format!("{signed}.{}", b64(signature))
    }

    pub(crate) fn accept(&self, token: &str) -> Result<Actor, Refusal> {
        self.accept_with(token, &mut Replays::new(10))
    }

    pub(crate) fn accept_with(&self, token: &str, memory: &mut Replays) -> Result<Actor, Refusal> {
        Actor::from_assertion(token, &self.peer, &self.registry, NOW, &AssertionRules::of(AUDIENCE), memory)
    }
}
