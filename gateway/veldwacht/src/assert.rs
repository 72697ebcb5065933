//! Role assertions: who acts, in which role, for what, signed and bound to a certificate.
//!
//! Owns: writing the token (JWT, RFC 7519; bound by `cnf.x5t#S256`, RFC 8705). An organisation's own software does
//! the same with any JWT library; this is the one for the command line, the demo and the tests. Who believes a token
//! is `identity`'s business.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::Fingerprint;
use model::{Name, Oin, Purpose, Role, Timestamp};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;
use x509_parser::oid_registry::OID_X509_SERIALNUMBER;

use crate::failure::{Doing, Failure, Outcome};
use crate::pki::AssertionSigner;

/// How long a token lasts when nothing else is said, in seconds: as long as is taken.
pub(crate) const DEFAULT_LIFETIME_SECONDS: i64 = identity::MAX_LIFETIME_SECONDS;

/// The name under which a gateway of the development CA knows itself as audience.
pub(crate) const DEFAULT_AUDIENCE: &str = "veldwacht";

/// What a token says.
pub(crate) struct Assertion<'a> {
    /// The role.
    pub(crate) role: &'a Role,
    /// The person, as their organisation knows them.
    pub(crate) user: &'a str,
    /// The only purpose it is good for, if it is for one only.
    pub(crate) purpose: Option<&'a Purpose>,
    /// BIG number, where the role needs one.
    pub(crate) big: Option<&'a str>,
    /// Why this is an emergency, if it is: a reason of the bundle's list.
    pub(crate) spoed: Option<&'a Name>,
    /// The name of the gateway.
    pub(crate) audience: &'a str,
    /// Seconds from now.
    pub(crate) lifetime: i64,
}

/// Makes tokens for one certificate with one key.
pub(crate) struct Asserter {
    signer: AssertionSigner,
    kid: String,
    oin: Oin,
    thumbprint: String,
}

impl Asserter {
    /// From a key (PKCS #8 PEM) and the certificate (PEM) that tokens are bound to. The OIN is the certificate's.
    pub(crate) fn new(key_pem: &str, certificate_pem: &str) -> Outcome<Asserter> {
        let signer = AssertionSigner::from_pem(key_pem)?;
        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .wrong("the certificate (expected PEM)")?;
        Ok(Asserter {
            kid: signer.jwk().thumbprint(),
            oin: oin_of(&certificate)?,
            thumbprint: Fingerprint::of(&certificate).thumbprint(),
            signer,
        })
    }

    /// Whose tokens these are.
    pub(crate) fn oin(&self) -> Oin {
        self.oin
    }

    /// One token, with an id of its own.
    pub(crate) fn token(&self, assertion: &Assertion<'_>, now: Timestamp) -> Outcome<String> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).unreachable("ask for randomness")?;
        let header = json!({ "typ": "JWT", "alg": self.signer.algorithm(), "kid": self.kid });
        let issued = now.unix_seconds();
        let mut claims = json!({
            "iss": self.oin,
            "sub": assertion.user,
            "aud": assertion.audience,
            "iat": issued,
            "exp": issued.saturating_add(assertion.lifetime),
            "jti": hex::encode(id),
            "role": assertion.role,
            "cnf": { "x5t#S256": self.thumbprint },
        });
        if let Some(claims) = claims.as_object_mut() {
            claims.extend(assertion.purpose.map(|purpose| ("purpose".to_owned(), json!(purpose))));
            claims.extend(assertion.spoed.map(|spoed| ("spoed".to_owned(), json!(spoed))));
            claims.extend(assertion.big.map(|big| ("big".to_owned(), json!(big))));
        }
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.signer.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The OIN in a certificate's subject, where PKIoverheid has it.
pub(crate) fn oin_of(certificate: &CertificateDer<'_>) -> Outcome<Oin> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).wrong("the certificate")?;
    let mut found = parsed.subject().iter_by_oid(&OID_X509_SERIALNUMBER);
    let text = found.next().and_then(|attribute| attribute.as_str().ok());
    let text =
        text.ok_or_else(|| Failure::Use("the certificate has no OIN in Subject.serialNumber".into()))?;
    text.parse().wrong("the certificate's Subject.serialNumber")
}

#[cfg(test)]
mod tests;
