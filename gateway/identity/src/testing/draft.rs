//! A certificate before it is signed.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

use super::der::{bits, integer, oid, sequence, time, tlv};

pub(crate) const ECDSA_SHA256: &[u64] = &[1, 2, 840, 10045, 4, 3, 2];
const EC: &[u64] = &[1, 2, 840, 10045, 2, 1];
pub(crate) const P256: &[u64] = &[1, 2, 840, 10045, 3, 1, 7];
pub(crate) const RSA: &[u64] = &[1, 2, 840, 113549, 1, 1, 1];

pub(crate) const BASIC_CONSTRAINTS: &[u64] = &[2, 5, 29, 19];
pub(crate) const KEY_USAGE: &[u64] = &[2, 5, 29, 15];
pub(crate) const EXTENDED_KEY_USAGE: &[u64] = &[2, 5, 29, 37];
pub(crate) const AUTHORITY_KEY: &[u64] = &[2, 5, 29, 35];
pub(crate) const SUBJECT_KEY: &[u64] = &[2, 5, 29, 14];

pub(crate) const SERVER_AUTH: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 1];
pub(crate) const CLIENT_AUTH: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 2];
pub(crate) const CODE_SIGNING: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 3];
pub(crate) const ANY_USAGE: &[u64] = &[2, 5, 29, 37, 0];

pub(crate) const COMMON_NAME: &[u64] = &[2, 5, 4, 3];
pub(crate) const SERIAL_NUMBER: &[u64] = &[2, 5, 4, 5];

/// Bits of a key usage as the first byte of its bit string has them.
pub(crate) const DIGITAL_SIGNATURE: u8 = 0x80;
pub(crate) const KEY_ENCIPHERMENT: u8 = 0x20;
pub(crate) const KEY_CERT_SIGN: u8 = 0x04;
pub(crate) const CRL_SIGN: u8 = 0x02;

/// A P-256 key.
pub(crate) struct Key(EcdsaKeyPair);

impl Key {
    pub(crate) fn new() -> Key {
        let random = SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        Key(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der.as_ref(), &random).unwrap())
    }

    pub(crate) fn point(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }

    pub(crate) fn info(&self) -> Vec<u8> {
        ec_info(Some(P256), &self.point())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }
}

pub(crate) fn ec_info(curve: Option<&[u64]>, point: &[u8]) -> Vec<u8> {
    let algorithm = match curve {
        Some(curve) => sequence(&[&oid(EC), &oid(curve)]),
        None => sequence(&[&oid(EC)]),
    };
    sequence(&[&algorithm, &bits(point)])
}

/// An RSA public key whose modulus is any odd number of this many bits: only its size is looked at.
pub(crate) fn rsa_info(size: usize, exponent: &[u8]) -> Vec<u8> {
    let mut modulus = vec![0xff; size.div_ceil(8)];
    modulus[0] = 0xff >> (modulus.len() * 8 - size);
    if modulus[0] & 0x80 != 0 {
        modulus.insert(0, 0);
    }
    let key = sequence(&[&integer(&modulus), &integer(exponent)]);
    sequence(&[&sequence(&[&oid(RSA), &[5, 0]]), &bits(&key)])
}

/// A key of another kind: the algorithm by its number, the key as it is.
pub(crate) fn other_info(algorithm: &[u64], key: &[u8]) -> Vec<u8> {
    sequence(&[&sequence(&[&oid(algorithm)]), &bits(key)])
}

/// One attribute of a name: its kind, the tag of its text, its bytes.
pub(crate) type Attribute = (&'static [u64], u8, Vec<u8>);

pub(crate) const UTF8: u8 = 0x0c;
pub(crate) const PRINTABLE: u8 = 0x13;
pub(crate) const BMP: u8 = 0x1e;

pub(crate) fn name(attributes: &[Attribute]) -> Vec<u8> {
    let sets: Vec<Vec<u8>> = attributes
        .iter()
        .map(|(kind, tag, value)| tlv(0x31, &sequence(&[&oid(kind), &tlv(*tag, value)])))
        .collect();
    tlv(0x30, &sets.concat())
}

#[derive(Clone)]
pub(crate) struct Draft {
    /// 2 is version 3; none leaves it out, which is version 1.
    pub(crate) version: Option<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) inner_algorithm: Vec<u8>,
    pub(crate) outer_algorithm: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) not_before: &'static str,
    pub(crate) not_after: &'static str,
    pub(crate) subject: Vec<Attribute>,
    pub(crate) info: Vec<u8>,
    /// Bytes after the key: unique identifiers.
    pub(crate) unique: Vec<u8>,
    pub(crate) extensions: Vec<(Vec<u8>, bool, Vec<u8>)>,
}

impl Draft {
    pub(crate) fn new(issuer: &[Attribute], subject: Vec<Attribute>, info: Vec<u8>) -> Draft {
        Draft {
            version: Some(2),
            serial: vec![0x4d, 1, 2, 3],
            inner_algorithm: sequence(&[&oid(ECDSA_SHA256)]),
            outer_algorithm: sequence(&[&oid(ECDSA_SHA256)]),
            issuer: name(issuer),
            not_before: "260101000000Z",
            not_after: "270101000000Z",
            subject,
            info,
            unique: Vec::new(),
            extensions: Vec::new(),
        }
    }

    pub(crate) fn algorithm(&mut self, arcs: &[u64]) {
        self.inner_algorithm = sequence(&[&oid(arcs)]);
        self.outer_algorithm = self.inner_algorithm.clone();
    }

    pub(crate) fn without(&mut self, kind: &[u64]) {
        self.extensions.retain(|(have, _, _)| *have != oid(kind));
    }

    pub(crate) fn set(&mut self, kind: &[u64], critical: bool, value: Vec<u8>) {
        self.without(kind);
        self.extensions.push((oid(kind), critical, value));
    }

    pub(crate) fn set_authority(&mut self, path_length: Option<u8>) {
        let length = path_length.map_or_else(Vec::new, |length| integer(&[length]));
        self.set(BASIC_CONSTRAINTS, true, sequence(&[&[1, 1, 0xff], &length]));
    }

    pub(crate) fn set_key_usage(&mut self, usage: u8) {
        self.set(KEY_USAGE, true, tlv(0x03, &[usage.trailing_zeros() as u8, usage]));
    }

    pub(crate) fn set_extended(&mut self, usages: &[&[u64]]) {
        let usages: Vec<Vec<u8>> = usages.iter().map(|usage| oid(usage)).collect();
        self.set(EXTENDED_KEY_USAGE, false, tlv(0x30, &usages.concat()));
    }

    pub(crate) fn set_authority_key(&mut self, id: &[u8]) {
        self.set(AUTHORITY_KEY, false, sequence(&[&tlv(0x80, id)]));
    }

    pub(crate) fn replace(&mut self, kind: &'static [u64], tag: u8, value: &[u8]) {
        self.subject.retain(|(have, _, _)| *have != kind);
        self.subject.push((kind, tag, value.to_vec()));
    }

    pub(crate) fn sign(&self, key: &Key) -> Vec<u8> {
        let version = self.version.map_or_else(Vec::new, |version| tlv(0xa0, &integer(&[version])));
        let extensions: Vec<Vec<u8>> = self
            .extensions
            .iter()
            .map(|(kind, critical, value)| {
                let critical: &[u8] = if *critical { &[1, 1, 0xff] } else { &[] };
                sequence(&[kind, critical, &tlv(0x04, value)])
            })
            .collect();
        let extensions = match extensions.is_empty() {
            true => Vec::new(),
            false => tlv(0xa3, &tlv(0x30, &extensions.concat())),
        };
        let to_be_signed = sequence(&[
            &version,
            &integer(&self.serial),
            &self.inner_algorithm,
            &self.issuer,
            &sequence(&[&time(self.not_before), &time(self.not_after)]),
            &name(&self.subject),
            &self.info,
            &self.unique,
            &extensions,
        ]);
        let signature = key.sign(&to_be_signed);
        sequence(&[&to_be_signed, &self.outer_algorithm, &bits(&signature)])
    }
}
