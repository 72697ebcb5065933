//! The token: a compact JWS (RFC 7515) with the claims of a role assertion, verified.
//!
//! Owns: taking a token apart, choosing the key by `kid` from the registry of the peer's own organisation, and the
//! checks that need no memory: algorithm, signature, times, audience, binding to the certificate. The token
//! chooses nothing: not the algorithm (the key has one), not the key's place (`jwk`, `jku`, `x5u`, `x5c` are
//! refused). What the claims mean is `actor`'s business.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Reason, Refusal, Timestamp};
use serde::Deserialize;

use crate::peer::Peer;
use crate::refuse;
use crate::registry::{RegisteredKey, Registry};

/// The longest life of an assertion, in seconds: `exp` − `iat`.
pub const MAX_LIFETIME_SECONDS: i64 = 300;
/// The default of [`AssertionRules::clock_skew_seconds`].
const CLOCK_SKEW_SECONDS: i64 = 30;
/// A token is at most this many bytes; real ones stay below 1 kB.
const MAX_BYTES: usize = 8 * 1024;

/// What this gateway asks of every assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionRules {
    /// The gateway's name, for `aud`.
    pub audience: String,
    /// The longest life that is taken, in seconds; at most [`MAX_LIFETIME_SECONDS`], whatever stands here.
    pub lifetime_seconds: i64,
    /// How far the signer's clock may differ, in seconds.
    pub clock_skew_seconds: i64,
}

impl AssertionRules {
    /// The usual rules, for a gateway of this name.
    pub fn of(audience: impl Into<String>) -> AssertionRules {
        AssertionRules {
            audience: audience.into(),
            lifetime_seconds: MAX_LIFETIME_SECONDS,
            clock_skew_seconds: CLOCK_SKEW_SECONDS,
        }
    }
}

/// The protected header. Every member that is not known is refused: RFC 7515 would ignore it, but the ones that
/// exist make a verifier fetch or believe keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) aud: Audience,
    pub(crate) exp: i64,
    pub(crate) iat: i64,
    pub(crate) nbf: Option<i64>,
    pub(crate) jti: String,
    pub(crate) role: String,
    pub(crate) purpose: Option<String>,
    pub(crate) big: Option<String>,
    /// Why this is an emergency: a reason of the bundle's list.
    pub(crate) spoed: Option<String>,
    pub(crate) cnf: Confirmation,
}

/// One audience or several (RFC 7519, 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self, audience: &str) -> bool {
        match self {
            Audience::One(name) => name == audience,
            Audience::Several(names) => names.iter().any(|name| name == audience),
        }
    }
}

/// What the token is bound to (RFC 8705, 3.1). Exactly one way of binding.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    #[serde(rename = "x5t#S256")]
    thumbprint: String,
}

fn no(field: &'static str, description: &'static str) -> Refusal {
    refuse(Reason::AssertionInvalid, field, description)
}

/// Verifies a token of this peer and gives its claims, with the registered key that signed it.
pub(crate) fn verify<'r>(
    token: &str,
    peer: &Peer,
    registry: &'r Registry,
    now: Timestamp,
    rules: &AssertionRules,
) -> Result<(Claims, &'r RegisteredKey), Refusal> {
    let parts = Parts::split(token)?;
    let organisation = registry.organisation(peer.oin()).ok_or(Reason::OrganisationUnknown)?;
    let key = organisation.key(&parts.header.kid).ok_or_else(|| {
        no("kid", "no key of this name is registered for your organisation; register it, or name another")
    })?;
    if parts.header.alg != key.key.algorithm().name() {
        return Err(no(
            "alg",
            "not the algorithm of the registered key; use ES256 or EdDSA as it is registered",
        ));
    }
    if !key.key.verifies(parts.signed.as_bytes(), &parts.signature) {
        return Err(no("signature", "it does not verify with the registered key"));
    }
    let claims: Claims = json(parts.payload, "claims")?;
    if claims.iss != peer.oin().as_str() {
        return Err(no("iss", "not the OIN of the certificate; an organisation asserts for itself only"));
    }
    check_times(&claims, now, rules)?;
    if !claims.aud.names(&rules.audience) {
        return Err(no("aud", "meant for another gateway; set it to the name of this one"));
    }
    if claims.cnf.thumbprint != peer.fingerprint().thumbprint() {
        return Err(Reason::AssertionNotBound.into());
    }
    Ok((claims, key))
}

fn check_times(claims: &Claims, now: Timestamp, rules: &AssertionRules) -> Result<(), Refusal> {
    let late = |field, description| refuse(Reason::AssertionExpired, field, description);
    let now = now.unix_seconds();
    let lifetime = claims.exp.saturating_sub(claims.iat);
    if lifetime <= 0 {
        return Err(late("exp", "it ends before it starts"));
    }
    if lifetime > rules.lifetime_seconds.min(MAX_LIFETIME_SECONDS) {
        return Err(late("exp", "valid for longer than this gateway takes, which is 5 minutes at most"));
    }
    let skew = rules.clock_skew_seconds;
    if claims.iat > now.saturating_add(skew) {
        return Err(late("iat", "issued in the future; check the clock"));
    }
    if claims.nbf.is_some_and(|from| from > now.saturating_add(skew)) {
        return Err(late("nbf", "not valid yet"));
    }
    if claims.exp <= now.saturating_sub(skew) {
        return Err(late("exp", "expired"));
    }
    Ok(())
}

struct Parts<'t> {
    header: Header,
    /// What was signed: header and payload as they were sent, with the dot between them.
    signed: &'t str,
    payload: &'t str,
    signature: Vec<u8>,
}

impl<'t> Parts<'t> {
    fn split(token: &'t str) -> Result<Parts<'t>, Refusal> {
        if token.len() > MAX_BYTES {
            return Err(no("token", "over 8 kB; an assertion is small"));
        }
        let shape = || no("token", "not three parts of base64url joined by dots (RFC 7515, 7.1)");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(shape)?;
        let (header, payload) = signed.split_once('.').ok_or_else(shape)?;
        if payload.contains('.') {
            return Err(shape());
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| shape())?;
        let header: Header = json(header, "header")?;
        if header.typ.as_deref().is_some_and(|typ| typ != "JWT") {
            return Err(no("typ", "another kind of token; leave it out, or write JWT"));
        }
        Ok(Parts { header, signed, payload, signature })
    }
}

fn json<T: serde::de::DeserializeOwned>(part: &str, field: &'static str) -> Result<T, Refusal> {
    let unreadable = || no(field, "not base64url of the JSON object that is expected, each member once");
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| unreadable())?;
    serde_json::from_slice(&bytes).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests;
