//! Who asks, said again by a gateway at the edge of the asker's organisation: towards a source that is a gateway itself, it
//! signs role assertions of its own, bound to the certificate that it shows there.
//!
//! Owns: making them (JWT, EdDSA, bound by `cnf.x5t#S256`, RFC 8705), one for each call. They say no more than what the
//! caller's own assertion proved here: its role, its user, its purpose. The caller's assertion itself never crosses.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use identity::{Actor, Fingerprint};
use model::{Reason, Refusal, Timestamp};
use ring::signature::Ed25519KeyPair;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde::Deserialize;
use serde_json::json;

/// How long one lasts: a call is opened at once.
const LIFETIME_SECONDS: i64 = 60;

/// How a gateway vouches for its own organisation's people, as it stands in the configuration of a route.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoucherConfig {
    /// The key that signs (Ed25519, PKCS #8 PEM): the other gateway's registry has its public half with this organisation.
    pub key: PathBuf,
    /// What that registry calls it.
    pub kid: String,
    /// The other gateway's name in the `aud` of assertions.
    pub audience: String,
}

pub(crate) struct Voucher {
    key: Ed25519KeyPair,
    kid: String,
    audience: String,
    thumbprint: String,
}

impl Voucher {
    /// `certificate`: what the gateway shows there.
    pub(crate) fn load(config: &VoucherConfig, folder: &Path, certificate: &Path) -> Result<Voucher, String> {
        let path = folder.join(&config.key);
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let der = PrivatePkcs8KeyDer::from_pem_file(&path).map_err(|error| wrong(&error))?;
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
            .map_err(|_| wrong(&"no Ed25519 key in PKCS #8"))?;
        let shown = CertificateDer::from_pem_file(certificate)
            .map_err(|error| format!("{}: {error}", certificate.display()))?;
        let (kid, audience) = (config.kid.clone(), config.audience.clone());
        Ok(Voucher { key, kid, audience, thumbprint: Fingerprint::of(&shown).thumbprint() })
    }

    /// The value of `authorization` for one call of this actor. `id`: of this assertion, used once.
    pub(crate) fn for_call(
        &self,
        actor: &Actor,
        id: [u8; 16],
        now: Timestamp,
    ) -> Result<HeaderValue, Refusal> {
        let header = json!({ "typ": "JWT", "alg": "EdDSA", "kid": self.kid });
        let issued = now.unix_seconds();
        let mut claims = json!({
            "iss": actor.oin(),
            "aud": self.audience,
            "iat": issued,
            "exp": issued.saturating_add(LIFETIME_SECONDS),
            "jti": hex::encode(id),
            "role": actor.role(),
            "cnf": { "x5t#S256": self.thumbprint },
        });
        if let Some(claims) = claims.as_object_mut() {
            let user = actor.user().map(|user| ("sub".to_owned(), json!(user.expose())));
            let big = actor.big().map(|big| ("big".to_owned(), json!(big.expose())));
            let purpose = actor.purpose().map(|purpose| ("purpose".to_owned(), json!(purpose)));
            claims.extend(user.into_iter().chain(big).chain(purpose));
        }
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()));
        let mut value = HeaderValue::try_from(format!("Bearer {signed}.{signature}"))
            .map_err(|_| Refusal::from(Reason::UpstreamUnavailable))?;
        value.set_sensitive(true);
        Ok(value)
    }
}
