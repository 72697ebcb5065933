//! Which certificates were taken back: revocation lists (CRLs, RFC 5280 5), read once, asked per request.
//!
//! Owns: the revoked serial numbers of each authority and until when that knowledge is good. An authority without
//! a list, or with one that is older than the grace allows, has no valid certificates: what is not known is no.
//! A list must be signed by an authority that is trusted; delta and partial lists are refused.

use std::collections::{HashMap, HashSet};

use model::{Reason, Refusal, Timestamp};
use x509_parser::oid_registry::OID_X509_EXT_ISSUER_DISTRIBUTION_POINT;
use x509_parser::prelude::{CertificateRevocationList, FromDer, ParsedExtension};

use crate::chain::{Link, Trust, bare};
use crate::operator::Operator;
use crate::peer::Peer;
use crate::pin::Pin;
use crate::{certificate, refuse};

/// A list that cannot be used, by its place among those that were given (from 0).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("revocation list {index} cannot be used: {problem}")]
pub struct CrlError {
    /// Which one.
    pub index: usize,
    /// What is wrong and what to do.
    pub problem: &'static str,
}

/// What is known of revoked certificates.
#[derive(Debug, Default)]
pub struct Revocations {
    authorities: HashMap<Pin, Known>,
}

#[derive(Debug)]
struct Known {
    revoked: HashSet<Vec<u8>>,
    issued: i64,
    good_until: i64,
}

impl Revocations {
    /// Reads these lists (DER each). Of several lists of one authority the newest counts.
    ///
    /// # Errors
    /// [`CrlError`] when one cannot be read, is partial, or is not signed by a trusted authority. A stale list is
    /// kept: it is refused when it is asked.
    pub fn new<C: AsRef<[u8]>>(lists: &[C], trust: &Trust) -> Result<Revocations, CrlError> {
        let mut authorities: HashMap<Pin, Known> = HashMap::new();
        for (index, der) in lists.iter().enumerate() {
            let (pin, known) = read(der.as_ref(), trust).map_err(|problem| CrlError { index, problem })?;
            let newer = authorities.get(&pin).is_none_or(|have| known.issued >= have.issued);
            if newer {
                authorities.insert(pin, known);
            }
        }
        Ok(Revocations { authorities })
    }

    /// Whether the peer's certificate and its authorities still stand.
    ///
    /// # Errors
    /// `CERTIFICATE_REFUSED` when one is revoked, or when nothing recent enough is known of it.
    pub fn check(&self, peer: &Peer, trust: &Trust, now: Timestamp) -> Result<(), Refusal> {
        self.check_links(peer.links(), trust, now)
    }

    /// The same for an operator.
    ///
    /// # Errors
    /// `CERTIFICATE_REFUSED` when one is revoked, or when nothing recent enough is known of it.
    pub fn check_operator(&self, operator: &Operator, trust: &Trust, now: Timestamp) -> Result<(), Refusal> {
        self.check_links(operator.links(), trust, now)
    }

    fn check_links(&self, links: &[Link], trust: &Trust, now: Timestamp) -> Result<(), Refusal> {
        let no = |description| refuse(Reason::CertificateRefused, "revocation", description);
        for link in links {
            let known = self.authorities.get(&link.issuer);
            let known = known.ok_or_else(|| no("no revocation list of its authority is known here"))?;
            if now.unix_seconds() > known.good_until.saturating_add(trust.rules().crl_grace_seconds) {
                return Err(no("the revocation list of its authority is too old; it must be refreshed"));
            }
            if known.revoked.contains(&link.serial) {
                return Err(no("the certificate, or an authority above it, was revoked; ask for a new one"));
            }
        }
        Ok(())
    }

    /// Until when everything that is known is good, by authority: for warnings ahead of time.
    pub fn good_until(&self) -> impl Iterator<Item = (Pin, Timestamp)> {
        self.authorities
            .iter()
            .map(|(pin, known)| (*pin, Timestamp::from_unix_millis(known.good_until.saturating_mul(1000))))
    }
}

fn read(der: &[u8], trust: &Trust) -> Result<(Pin, Known), &'static str> {
    let (rest, list) = CertificateRevocationList::from_der(der)
        .map_err(|_| "not a revocation list in DER; fetch it again")?;
    if !rest.is_empty() {
        return Err("bytes follow the list; fetch it again");
    }
    if list.signature_algorithm != list.tbs_cert_list.signature {
        return Err("its two signature algorithms differ; fetch it again");
    }
    let next_update = list.next_update().ok_or("it does not say when the next one comes (nextUpdate)")?;
    for extension in list.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::IssuingDistributionPoint(point) => {
                let partial = point.indirect_crl
                    || point.only_contains_ca_certs
                    || point.only_contains_attribute_certs
                    || point.only_some_reasons.is_some();
                if partial {
                    return Err("it covers a part of the authority's certificates only; give the full list");
                }
            }
            // `onlyContainsUserCerts` and a name are no reason to refuse; an unread point is.
            _ if extension.oid == OID_X509_EXT_ISSUER_DISTRIBUTION_POINT => {
                return Err("its issuing distribution point cannot be read");
            }
            ParsedExtension::UnsupportedExtension { .. }
            | ParsedExtension::ParseError { .. }
            | ParsedExtension::Unparsed
                if extension.critical =>
            {
                return Err("a critical extension is not known here (a delta list?); give the full list");
            }
            _ => {}
        }
    }
    let pin = signer(&list, trust).ok_or("not signed by an authority that is trusted here")?;
    let revoked = list.iter_revoked_certificates().map(|entry| bare(entry.raw_serial())).collect();
    let issued = list.last_update().timestamp();
    Ok((pin, Known { revoked, issued, good_until: next_update.timestamp() }))
}

/// The authority that signed this list, and may: an authority with a key usage must have `cRLSign`.
fn signer(list: &CertificateRevocationList<'_>, trust: &Trust) -> Option<Pin> {
    for der in trust.authorities() {
        let Ok(authority) = certificate::read(der) else { continue };
        let named = authority.subject().as_raw() == list.issuer().as_raw();
        let may = matches!(authority.key_usage(), Ok(Some(usage)) if usage.value.crl_sign());
        if named && may && list.verify_signature(authority.public_key()).is_ok() {
            return Some(Pin::of(authority.public_key().raw));
        }
    }
    None
}

#[cfg(test)]
mod tests;
