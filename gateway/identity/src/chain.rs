//! From a leaf to an authority that the gateway trusts.
//!
//! Owns: the trusted authorities, the rules of this gateway, and the path: every link signed by the next, no longer
//! than allowed, the root itself still valid. The number of signatures that are checked is bounded, so that a
//! chain made to be slow is not slow.

use model::{Reason, Refusal, Timestamp};
use x509_parser::prelude::{ParsedExtension, X509Certificate};

use crate::pin::Pin;
use crate::{certificate, refuse};

/// What this gateway demands of a certificate, beyond what a TLS library checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Whether OINs for tests (prefix 00000099) are taken. Never outside tests and demos.
    pub test_mode: bool,
    /// The most authorities above a leaf, the root included. PKIoverheid has three.
    pub max_authorities: usize,
    /// The shortest RSA key that is taken, in bits.
    pub min_rsa_bits: usize,
    /// The longest validity of a leaf, in days.
    pub max_leaf_days: i64,
    /// How long, in seconds, a revocation list is still used after its `nextUpdate`. After that its authority's
    /// certificates are refused.
    pub crl_grace_seconds: i64,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            test_mode: false,
            max_authorities: 3,
            min_rsa_bits: 2048,
            max_leaf_days: 1_096,
            crl_grace_seconds: 0,
        }
    }
}

/// A trusted authority that cannot be used, by its place in the list that was given (from 0).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("authority {index} cannot be trusted: {problem}")]
pub struct TrustError {
    /// Which one.
    pub index: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// The authorities that this gateway trusts, and its rules.
#[derive(Debug, Clone)]
pub struct Trust {
    roots: Vec<Vec<u8>>,
    intermediates: Vec<Vec<u8>>,
    rules: Rules,
}

impl Trust {
    /// Trusts these authorities (DER each). Those that signed themselves are roots; the others only help to find a
    /// path to one.
    ///
    /// # Errors
    /// [`TrustError`] when one is no authority, or cannot be read. An expired one is kept, so that a gateway starts
    /// and says so; what it signed is refused.
    pub fn new<C: AsRef<[u8]>>(authorities: &[C], rules: Rules) -> Result<Trust, TrustError> {
        let mut trust = Trust { roots: Vec::new(), intermediates: Vec::new(), rules };
        for (index, der) in authorities.iter().enumerate() {
            let wrong = |refusal: Refusal| TrustError { index, problem: problem_of(&refusal) };
            let authority = certificate::read(der.as_ref()).map_err(wrong)?;
            certificate::fit_for_authority(&authority, 0).map_err(wrong)?;
            let itself = authority.subject().as_raw() == authority.issuer().as_raw()
                && authority.verify_signature(None).is_ok();
            let kind = if itself { &mut trust.roots } else { &mut trust.intermediates };
            kind.push(der.as_ref().to_vec());
        }
        Ok(trust)
    }

    /// The rules that stand beside the authorities.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Roots first, then intermediates, as DER.
    pub fn authorities(&self) -> impl Iterator<Item = &[u8]> {
        self.roots().chain(self.intermediates())
    }

    /// The roots, as DER.
    pub fn roots(&self) -> impl Iterator<Item = &[u8]> {
        self.roots.iter().map(Vec::as_slice)
    }

    /// The authorities that did not sign themselves, as DER.
    pub fn intermediates(&self) -> impl Iterator<Item = &[u8]> {
        self.intermediates.iter().map(Vec::as_slice)
    }
}

fn problem_of(refusal: &Refusal) -> String {
    let place = refusal.violations.first();
    place.map_or_else(
        || refusal.to_string(),
        |violation| format!("{}: {}", violation.field, violation.description),
    )
}

/// One certificate of a path, by who issued it: what a revocation list speaks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) issuer: Pin,
    /// Big-endian, without leading zeros.
    pub(crate) serial: Vec<u8>,
}

/// The serial number as revocation lists are compared with it.
pub(crate) fn bare(serial: &[u8]) -> Vec<u8> {
    serial.iter().copied().skip_while(|byte| *byte == 0).collect()
}

/// Finds the way from the leaf (first of `presented`) to a root. Gives the links from the leaf up.
pub(crate) fn follow(
    leaf: &X509Certificate<'_>,
    presented: &[X509Certificate<'_>],
    trust: &Trust,
    now: Timestamp,
) -> Result<Vec<Link>, Refusal> {
    let roots = read_all(&trust.roots)?;
    let intermediates = read_all(&trust.intermediates)?;
    let mut links: Vec<Link> = Vec::new();
    let mut current = leaf;
    for below in 0..trust.rules.max_authorities {
        let link = |authority: &X509Certificate<'_>| Link {
            issuer: Pin::of(authority.public_key().raw),
            serial: bare(current.raw_serial()),
        };
        let root = issuer_among(current, roots.iter(), below, trust, now);
        if let Some(Ok(root)) = root {
            links.push(link(root));
            return Ok(links);
        }
        let next = issuer_among(current, presented.iter().chain(&intermediates), below, trust, now);
        match (next, root.and_then(Result::err)) {
            (Some(Ok(next)), _) => {
                links.push(link(next));
                current = next;
            }
            (_, Some(refusal)) | (Some(Err(refusal)), None) => return Err(refusal),
            (None, None) => {
                return Err(refuse(
                    Reason::CertificateRefused,
                    "issuer",
                    "not issued by an authority trusted here",
                ));
            }
        }
    }
    Err(refuse(Reason::CertificateRefused, "chain", "more authorities above the leaf than are taken here"))
}

fn read_all(ders: &[Vec<u8>]) -> Result<Vec<X509Certificate<'_>>, Refusal> {
    ders.iter().map(|der| certificate::read(der)).collect()
}

/// The authority among `candidates` that signed `child` and was fit to; the last refusal when each that signed it
/// was not; none when nobody signed it.
fn issuer_among<'c, 'der: 'c>(
    child: &X509Certificate<'_>,
    candidates: impl Iterator<Item = &'c X509Certificate<'der>>,
    below: usize,
    trust: &Trust,
    now: Timestamp,
) -> Option<Result<&'c X509Certificate<'der>, Refusal>> {
    let mut found = None;
    for candidate in candidates {
        let named = candidate.subject().as_raw() == child.issuer().as_raw() && keys_agree(child, candidate);
        if !named || candidate.as_raw() == child.as_raw() {
            continue;
        }
        if child.verify_signature(Some(candidate.public_key())).is_err() {
            continue;
        }
        let fit = certificate::fit_for_authority(candidate, below)
            .and_then(|()| certificate::sound(candidate, &trust.rules, now).map_err(of_the_issuer));
        match fit {
            Ok(()) => return Some(Ok(candidate)),
            Err(refusal) => found = Some(Err(refusal)),
        }
    }
    found
}

/// A fault of an authority's certificate must not read as one of the leaf.
fn of_the_issuer(mut refusal: Refusal) -> Refusal {
    refusal.violations.iter_mut().for_each(|violation| violation.field.insert_str(0, "issuer."));
    refusal
}

/// Whether the key identifiers, where both are there, name the same key (RFC 5280, 4.2.1.1).
fn keys_agree(child: &X509Certificate<'_>, authority: &X509Certificate<'_>) -> bool {
    let wanted = child.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(found) => found.key_identifier.as_ref().map(|key| key.0),
        _ => None,
    });
    let has = authority.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(found) => Some(found.0),
        _ => None,
    });
    wanted.is_none() || has.is_none() || wanted == has
}
