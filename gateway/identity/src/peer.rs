//! Which organisation is at the door, and through which of its systems.
//!
//! Owns: the proof that a certificate passed every rule of this gateway: its own, those of its chain, the OIN in
//! `Subject.serialNumber`, the organisation, the authorities pinned for it, and the system. Revocation is asked of
//! [`Revocations`](crate::Revocations), at the handshake and again per request. Next: [`Actor`](crate::Actor).

use std::sync::Arc;

use model::{Name, Oin, Reason, Refusal, Timestamp};
use x509_parser::oid_registry::{OID_X509_COMMON_NAME, OID_X509_SERIALNUMBER, Oid};
use x509_parser::prelude::X509Certificate;

use crate::chain::{self, Link, Trust};
use crate::pin::Fingerprint;
use crate::registry::{Organisation, Registry};
use crate::{certificate, refuse};

/// At most this many certificates beside the leaf are looked at.
const MAX_OTHERS: usize = 8;

/// A system of a registered organisation, with a certificate that passed every check.
#[derive(Debug)]
pub struct Peer {
    organisation: Arc<Organisation>,
    system: Name,
    fingerprint: Fingerprint,
    links: Vec<Link>,
    expires: Timestamp,
}

impl Peer {
    /// Identifies a peer by the certificates it showed: `presented` is DER, leaf first, the root left out or not.
    ///
    /// # Errors
    /// `CERTIFICATE_REFUSED` with the place in the certificate that is wrong, or `ORGANISATION_UNKNOWN`.
    pub fn from_certificate<C: AsRef<[u8]>>(
        presented: &[C],
        trust: &Trust,
        registry: &Registry,
        now: Timestamp,
    ) -> Result<Peer, Refusal> {
        Peer::find(Certified::check(presented, trust, now)?, trust, registry)
    }

    /// Finds the organisation and the system of a certificate that a trusted authority vouches for.
    ///
    /// # Errors
    /// `CERTIFICATE_REFUSED` with the place in the certificate that is wrong, or `ORGANISATION_UNKNOWN`.
    pub fn find(certified: Certified, trust: &Trust, registry: &Registry) -> Result<Peer, Refusal> {
        let oin = oin(&certified.subject_serial_number, trust)?;
        let organisation = registry.organisation(oin).ok_or(Reason::OrganisationUnknown)?;
        if !certified.links.iter().any(|link| organisation.trusts_issuer(link.issuer)) {
            return Err(refuse(
                Reason::CertificateRefused,
                "issuer",
                "issued by an authority that is not the one registered for this organisation",
            ));
        }
        let system = certified.common_name.filter(|name| organisation.has_system(name)).ok_or_else(|| {
            refuse(
                Reason::CertificateRefused,
                "subject.commonName",
                "no system of this name is registered for the organisation",
            )
        })?;
        Ok(Peer {
            organisation: Arc::clone(organisation),
            system,
            fingerprint: certified.fingerprint,
            links: certified.links,
            expires: certified.expires,
        })
    }

    /// Its OIN.
    pub fn oin(&self) -> Oin {
        self.organisation.oin()
    }

    /// Its organisation, as the registry knew it when the peer was identified.
    pub fn organisation(&self) -> &Arc<Organisation> {
        &self.organisation
    }

    /// Which of its systems.
    pub fn system(&self) -> &Name {
        &self.system
    }

    /// SHA-256 of its certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Last moment at which its certificate is valid.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Who issued it and under which serial number, from the leaf up.
    pub(crate) fn links(&self) -> &[Link] {
        &self.links
    }
}

/// A certificate for clients that a trusted authority vouches for, whoever is in it.
#[derive(Debug)]
pub struct Certified {
    pub(crate) subject_serial_number: Vec<Option<String>>,
    pub(crate) common_name: Option<Name>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) links: Vec<Link>,
    pub(crate) expires: Timestamp,
}

impl Certified {
    /// Checks the certificates that were shown (DER, leaf first) by every rule that does not depend on who is in
    /// them.
    ///
    /// # Errors
    /// `CERTIFICATE_REFUSED` with the place in the certificate that is wrong.
    pub fn check<C: AsRef<[u8]>>(
        presented: &[C],
        trust: &Trust,
        now: Timestamp,
    ) -> Result<Certified, Refusal> {
        let Some((leaf_der, others)) = presented.split_first() else {
            return Err(refuse(Reason::CertificateRefused, "certificate", "none was shown; send one"));
        };
        if others.len() > MAX_OTHERS {
            return Err(refuse(
                Reason::CertificateRefused,
                "chain",
                "too many certificates; send only the chain",
            ));
        }
        let leaf = certificate::read(leaf_der.as_ref())?;
        certificate::sound(&leaf, trust.rules(), now)?;
        certificate::fit_for_client(&leaf, trust.rules())?;
        let others =
            others.iter().map(|der| certificate::read(der.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let links = chain::follow(&leaf, &others, trust, now)?;
        let common_name = match attributes(&leaf, &OID_X509_COMMON_NAME).as_slice() {
            [Some(name)] => name.parse().ok(),
            _ => None,
        };
        Ok(Certified {
            subject_serial_number: attributes(&leaf, &OID_X509_SERIALNUMBER),
            common_name,
            fingerprint: Fingerprint::of(leaf_der.as_ref()),
            links,
            expires: Timestamp::from_unix_millis(certificate::lifetime(&leaf).1.saturating_mul(1000)),
        })
    }
}

impl Certified {
    /// Whether it can only be an operator's: it names no organisation.
    pub fn is_operators(&self) -> bool {
        self.subject_serial_number.is_empty()
    }
}

/// The organisation of a gateway's own certificate (DER), if it names one.
pub fn organisation_of(certificate: &[u8]) -> Option<Oin> {
    let leaf = certificate::read(certificate).ok()?;
    match attributes(&leaf, &OID_X509_SERIALNUMBER).as_slice() {
        [Some(text)] => text.parse().ok(),
        _ => None,
    }
}

/// Every attribute of this kind in the subject; none for a value that is no text.
fn attributes(certificate: &X509Certificate<'_>, kind: &Oid<'_>) -> Vec<Option<String>> {
    let attributes =
        certificate.subject().iter_attributes().filter(|attribute| attribute.attr_type() == kind);
    attributes.map(|attribute| attribute.as_str().ok().map(str::to_owned)).collect()
}

fn oin(found: &[Option<String>], trust: &Trust) -> Result<Oin, Refusal> {
    let no = |description| refuse(Reason::CertificateRefused, "subject.serialNumber", description);
    let [Some(text)] = found else {
        return Err(no("it must stand there exactly once, as text: your OIN"));
    };
    let oin: Oin = text.parse().map_err(|_| no("not an OIN: 20 digits with a known prefix"))?;
    if oin.is_test() && !trust.rules().test_mode {
        return Err(no("an OIN for tests; this gateway takes real ones only"));
    }
    Ok(oin)
}

#[cfg(test)]
mod tests;
