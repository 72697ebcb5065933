//! One certificate: is it well formed, strong enough, valid now, and fit for what it is used for?
//!
//! Owns: the gateway's own rules for a single certificate (RFC 5280), leaf and authority. Where the TLS library is
//! looser (it takes a leaf without clientAuth, an expired root, any signature that verifies), these rules refuse.
//! How certificates hang together is `chain`'s business; who is in one, `peer`'s.

use model::{Reason, Refusal, Timestamp};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION, OID_PKCS1_RSASSAPSS,
    OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA256,
    OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ED25519, Oid,
};
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate, X509Version};
use x509_parser::public_key::PublicKey;

use crate::chain::Rules;
use crate::refuse;

/// A certificate is at most this many bytes of DER; real ones stay below 4 kB.
const MAX_BYTES: usize = 16 * 1024;
/// RFC 5280, 4.1.2.2.
const MAX_SERIAL_OCTETS: usize = 20;
const SECONDS_A_DAY: i64 = 86_400;

fn no(field: &'static str, description: &'static str) -> Refusal {
    refuse(Reason::CertificateRefused, field, description)
}

/// Reads one certificate and refuses what no certificate may be, whatever its use.
pub(crate) fn read(der: &[u8]) -> Result<X509Certificate<'_>, Refusal> {
    if der.len() > MAX_BYTES {
        return Err(no("certificate", "over 16 kB; take out what does not belong in it"));
    }
    let (rest, certificate) =
        X509Certificate::from_der(der).map_err(|_| no("certificate", "not an X.509 certificate in DER"))?;
    if !rest.is_empty() {
        return Err(no("certificate", "bytes follow the certificate; send exactly one certificate an entry"));
    }
    if !strictly_wrapped(der, &certificate) {
        return Err(no("certificate", "not an X.509 certificate in DER"));
    }
    well_formed(&certificate)?;
    Ok(certificate)
}

/// Whether the unsigned bytes around the signed part are exactly what DER has there. The parser takes other tags too,
/// and a certificate that could be written in two ways would have two fingerprints.
fn strictly_wrapped(der: &[u8], certificate: &X509Certificate<'_>) -> bool {
    let header = match der.get(..2) {
        Some([0x30, 0..=0x7f]) => 2,
        Some([0x30, 0x81]) => 3,
        Some([0x30, 0x82]) => 4,
        _ => return false,
    };
    let Some(after) = der.get(header + certificate.tbs_certificate.as_ref().len()..) else { return false };
    let Some([0x30, length @ 0..=0x7f, 0x06]) = after.get(..3) else { return false };
    after.get(2 + usize::from(*length)) == Some(&0x03) && certificate.signature_value.unused_bits == 0
}

fn well_formed(certificate: &X509Certificate<'_>) -> Result<(), Refusal> {
    if certificate.version() != X509Version::V3 {
        return Err(no("version", "not version 3; ask your authority for an X.509 v3 certificate"));
    }
    let serial = certificate.raw_serial();
    let negative = serial.first().is_some_and(|first| first & 0x80 != 0);
    if negative || serial.len() > MAX_SERIAL_OCTETS + 1 || serial.iter().all(|byte| *byte == 0) {
        return Err(no("serialNumber", "the serial number is not a positive number of at most 20 octets"));
    }
    if certificate.signature_algorithm != certificate.tbs_certificate.signature {
        return Err(no("signatureAlgorithm", "the two signature algorithms of the certificate differ"));
    }
    if certificate.issuer_uid.is_some() || certificate.subject_uid.is_some() {
        return Err(no("subjectUniqueID", "unique identifiers are not used; RFC 5280 4.1.2.8"));
    }
    certificate
        .extensions_map()
        .map_err(|_| no("extensions", "an extension stands there twice; ask for a new certificate"))?;
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::ParseError { .. } => {
                return Err(no("extensions", "an extension cannot be read; ask for a new certificate"));
            }
            ParsedExtension::UnsupportedExtension { .. } | ParsedExtension::Unparsed
                if extension.critical =>
            {
                return Err(no(
                    "extensions",
                    "a critical extension is not known here; ask for one without it",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What leaf and authority have in common: algorithms, key size, validity.
pub(crate) fn sound(certificate: &X509Certificate<'_>, rules: &Rules, now: Timestamp) -> Result<(), Refusal> {
    strong_signature(certificate)?;
    strong_key(certificate, rules)?;
    valid_now(certificate, now)
}

fn strong_signature(certificate: &X509Certificate<'_>) -> Result<(), Refusal> {
    const ACCEPTED: [Oid<'static>; 7] = [
        OID_SIG_ECDSA_WITH_SHA256,
        OID_SIG_ECDSA_WITH_SHA384,
        OID_SIG_ED25519,
        OID_PKCS1_SHA256WITHRSA,
        OID_PKCS1_SHA384WITHRSA,
        OID_PKCS1_SHA512WITHRSA,
        // Which digest it carries is checked by who verifies: SHA-1 is no choice there.
        OID_PKCS1_RSASSAPSS,
    ];
    if ACCEPTED.contains(&certificate.signature_algorithm.algorithm) {
        return Ok(());
    }
    Err(no(
        "signatureAlgorithm",
        "signed with an algorithm that is not used here; use ECDSA, Ed25519 or RSA with SHA-256 or stronger",
    ))
}

fn strong_key(certificate: &X509Certificate<'_>, rules: &Rules) -> Result<(), Refusal> {
    let field = "subjectPublicKeyInfo";
    let info = certificate.public_key();
    let algorithm = &info.algorithm.algorithm;
    if *algorithm == OID_SIG_ED25519 {
        let whole = info.subject_public_key.data.len() == 32;
        return if whole { Ok(()) } else { Err(no(field, "not an Ed25519 key of 32 bytes")) };
    }
    if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
        let bytes = match curve {
            Some(oid) if oid == OID_EC_P256 => 65,
            Some(oid) if oid == OID_NIST_EC_P384 => 97,
            _ => return Err(no(field, "a curve that is not used here; use P-256 or P-384")),
        };
        let point = &info.subject_public_key.data;
        let uncompressed = point.len() == bytes && point.first() == Some(&4);
        return if uncompressed { Ok(()) } else { Err(no(field, "not an uncompressed point of its curve")) };
    }
    if *algorithm != OID_PKCS1_RSAENCRYPTION {
        return Err(no(field, "a kind of key that is not used here; use P-256, P-384, Ed25519 or RSA"));
    }
    let Ok(PublicKey::RSA(key)) = info.parsed() else {
        return Err(no(field, "the RSA key cannot be read; make a new key"));
    };
    let bits = bits(key.modulus);
    if bits < rules.min_rsa_bits || bits > 8192 {
        return Err(no(field, "the RSA key is too short or too long; use 3072 or 4096 bits"));
    }
    match key.try_exponent() {
        Ok(exponent) if exponent >= 65_537 && exponent % 2 == 1 => Ok(()),
        _ => Err(no(field, "the RSA exponent is not used here; use 65537")),
    }
}

/// The length of a big-endian number in bits, leading zeros left out.
fn bits(number: &[u8]) -> usize {
    let significant = number.iter().skip_while(|byte| **byte == 0);
    let length = significant.clone().count();
    let first = significant.clone().next().copied().unwrap_or_default();
    (length * 8).saturating_sub(first.leading_zeros() as usize)
}

fn valid_now(certificate: &X509Certificate<'_>, now: Timestamp) -> Result<(), Refusal> {
    let (from, until) = lifetime(certificate);
    if from > until {
        return Err(no("validity", "it ends before it starts; ask for a new certificate"));
    }
    if now.unix_seconds() < from {
        return Err(no("validity.notBefore", "not valid yet; check the clock, or wait"));
    }
    // The last second itself is still valid (RFC 5280, 4.1.2.5).
    if now.unix_seconds() > until {
        return Err(no("validity.notAfter", "expired; renew it"));
    }
    Ok(())
}

/// First and last second of validity, in seconds since the Unix epoch.
pub(crate) fn lifetime(certificate: &X509Certificate<'_>) -> (i64, i64) {
    let validity = certificate.validity();
    (validity.not_before.timestamp(), validity.not_after.timestamp())
}

/// A certificate that a system shows: no authority, for digital signatures, for clientAuth, not for ever.
pub(crate) fn fit_for_client(certificate: &X509Certificate<'_>, rules: &Rules) -> Result<(), Refusal> {
    if certificate.is_ca() {
        return Err(no(
            "basicConstraints",
            "an authority's certificate is not a client's; use a leaf certificate",
        ));
    }
    if let Ok(Some(usage)) = certificate.key_usage() {
        if !usage.value.digital_signature() {
            return Err(no("keyUsage", "not for digital signatures; ask for digitalSignature"));
        }
        if usage.value.key_cert_sign() || usage.value.crl_sign() {
            return Err(no("keyUsage", "may sign certificates or lists; a client's certificate may not"));
        }
    }
    let (from, until) = lifetime(certificate);
    if until.saturating_sub(from) > rules.max_leaf_days.saturating_mul(SECONDS_A_DAY) {
        return Err(no("validity", "valid for longer than is taken here; ask for a shorter one"));
    }
    match certificate.extended_key_usage() {
        // `any` says nothing about clients, so it does not stand in for clientAuth.
        Ok(Some(usage)) if usage.value.client_auth => Ok(()),
        _ => Err(no("extendedKeyUsage", "not for clientAuth; ask for a client certificate")),
    }
}

/// A certificate that signs others, with `below` authorities between it and the leaf.
pub(crate) fn fit_for_authority(certificate: &X509Certificate<'_>, below: usize) -> Result<(), Refusal> {
    let constraints = certificate.basic_constraints().ok().flatten();
    let Some(constraints) = constraints.filter(|found| found.value.ca) else {
        return Err(no("issuer.basicConstraints", "signed by a certificate that is no authority"));
    };
    if constraints.value.path_len_constraint.is_some_and(|most| below > most as usize) {
        return Err(no("issuer.basicConstraints", "the chain is longer than one of its authorities allows"));
    }
    match certificate.key_usage() {
        Ok(Some(usage)) if usage.value.key_cert_sign() => {}
        _ => return Err(no("issuer.keyUsage", "an authority that may not sign certificates (keyCertSign)")),
    }
    match certificate.extended_key_usage() {
        Ok(Some(usage)) if !usage.value.client_auth && !usage.value.any => {
            Err(no("issuer.extendedKeyUsage", "an authority that may not issue client certificates"))
        }
        _ => Ok(()),
    }
}
