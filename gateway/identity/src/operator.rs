//! Someone who operates the gateway itself: officer, auditor, beheerder, at the console.
//!
//! Owns: the proof that a certificate is an operator's. An operator has no OIN and is no organisation's system: a
//! certificate is either a peer's or an operator's, never both. The rules for certificates are the same.

use std::sync::Arc;

use model::{Name, Reason, Refusal, Role, Timestamp};

use crate::chain::{Link, Trust};
use crate::peer::Certified;
use crate::pin::Fingerprint;
use crate::refuse;
use crate::registry::{RegisteredOperator, Registry};

/// An operator, with a certificate that passed every check.
#[derive(Debug)]
pub struct Operator {
    registered: Arc<RegisteredOperator>,
    fingerprint: Fingerprint,
    links: Vec<Link>,
    expires: Timestamp,
}

impl Operator {
    /// Identifies an operator by the certificates they showed: DER, leaf first.
    ///
    /// # Errors
    /// `CERTIFICATE_REFUSED` with the place in the certificate that is wrong.
    pub fn from_certificate<C: AsRef<[u8]>>(
        presented: &[C],
        trust: &Trust,
        registry: &Registry,
        now: Timestamp,
    ) -> Result<Operator, Refusal> {
        Operator::find(Certified::check(presented, trust, now)?, registry)
    }

    /// Finds the operator of a certificate that a trusted authority vouches for.
    ///
    /// # Errors
    /// `CERTIFICATE_REFUSED` with the place in the certificate that is wrong.
    pub fn find(certified: Certified, registry: &Registry) -> Result<Operator, Refusal> {
        let no = |field, description| refuse(Reason::CertificateRefused, field, description);
        if !certified.subject_serial_number.is_empty() {
            return Err(no("subject.serialNumber", "an organisation's certificate is not an operator's"));
        }
        let registered = certified.common_name.as_ref().and_then(|name| registry.operator(name));
        let registered = registered.ok_or_else(|| no("subject.commonName", "no operator of this name"))?;
        if !certified.links.iter().any(|link| registered.issuers.contains(&link.issuer)) {
            return Err(no(
                "issuer",
                "issued by an authority that is not the one registered for this operator",
            ));
        }
        Ok(Operator {
            registered: Arc::clone(registered),
            fingerprint: certified.fingerprint,
            links: certified.links,
            expires: certified.expires,
        })
    }

    /// The account name.
    pub fn name(&self) -> &Name {
        &self.registered.name
    }

    /// Whether the operator has this role.
    pub fn is(&self, role: &Role) -> bool {
        self.registered.roles.contains(role)
    }

    /// Every role of the operator.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.registered.roles.iter()
    }

    /// SHA-256 of the certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Last moment at which the certificate is valid.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    pub(crate) fn links(&self) -> &[Link] {
        &self.links
    }
}
