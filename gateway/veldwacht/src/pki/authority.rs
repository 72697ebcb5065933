//! One authority of the development CA: its root, what it signs, and its revocation list.
//!
//! Owns: the shape of certificates (ECDSA P-256, X.509 v3, OIN in `Subject.serialNumber`) and how long they last.

use model::{Name, Oin, Timestamp};
use rcgen::PublicKeyData as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason,
    RevokedCertParams, SanType, SerialNumber,
};
use time::OffsetDateTime;

use super::folder::Folder;
use crate::failure::{Doing, Outcome};

const SECONDS_A_DAY: i64 = 86_400;
const ROOT_DAYS: i64 = 3_650;
const LEAF_DAYS: i64 = 365;
/// Long for a list; a development CA has nobody who renews it every day.
const LIST_DAYS: i64 = 365;
/// Clocks differ: what is issued now is valid a little earlier.
const EARLIER_SECONDS: i64 = 300;

/// `id-at-serialNumber`, where an OIN stands.
const SERIAL_NUMBER: [u64; 4] = [2, 5, 4, 5];

pub(super) struct Authority {
    name: String,
    certificate_pem: String,
    key_pem: String,
}

/// Who a certificate is for.
pub(super) struct Subject {
    common_name: String,
    organisation: String,
    oin: Option<Oin>,
    names: Vec<SanType>,
    usage: ExtendedKeyUsagePurpose,
}

impl Subject {
    pub(super) fn system(oin: Oin, organisation: &str, system: &Name) -> Subject {
        Subject {
            common_name: system.to_string(),
            organisation: organisation.to_owned(),
            oin: Some(oin),
            names: Vec::new(),
            usage: ExtendedKeyUsagePurpose::ClientAuth,
        }
    }

    pub(super) fn operator(name: &Name) -> Subject {
        Subject {
            common_name: name.to_string(),
            organisation: "Veldwacht beheer".to_owned(),
            oin: None,
            names: Vec::new(),
            usage: ExtendedKeyUsagePurpose::ClientAuth,
        }
    }

    /// The gateway itself; a name that is no host name is left out, and so does no harm.
    pub(super) fn server(oin: Oin, names: &[String]) -> Subject {
        let known = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let named = known.iter().chain(names).filter_map(|name| match name.parse() {
            Ok(address) => Some(SanType::IpAddress(address)),
            Err(_) => name.as_str().try_into().ok().map(SanType::DnsName),
        });
        Subject {
            common_name: names.first().cloned().unwrap_or_else(|| "localhost".to_owned()),
            organisation: "Veldwacht".to_owned(),
            oin: Some(oin),
            names: named.collect(),
            usage: ExtendedKeyUsagePurpose::ServerAuth,
        }
    }

    pub(super) fn label(&self) -> String {
        self.oin.map_or_else(|| self.common_name.clone(), |oin| format!("{oin} {}", self.common_name))
    }
}

/// What an authority hands out.
pub(super) struct Leaf {
    pub(super) certificate_pem: String,
    pub(super) key_pem: String,
    pub(super) serial: Vec<u8>,
    /// Seconds since the Unix epoch.
    pub(super) expires: i64,
}

impl Authority {
    pub(super) fn create(name: &str, now: Timestamp) -> Outcome<Authority> {
        let key = KeyPair::generate().unreachable("make a key")?;
        let mut params = params(now, ROOT_DAYS)?;
        params.distinguished_name.push(DnType::CountryName, "NL");
        params.distinguished_name.push(DnType::OrganizationName, "Veldwacht ontwikkel-CA");
        params.distinguished_name.push(DnType::CommonName, format!("Veldwacht {name} (niet voor productie)"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unreachable("sign a root")?;
        Ok(Authority {
            name: name.to_owned(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    pub(super) fn save(&self, folder: &Folder) -> Outcome {
        folder.write_secret(&format!("authorities/{}.key.pem", self.name), &self.key_pem)?;
        folder.write(&format!("authorities/{}.pem", self.name), &self.certificate_pem)
    }

    pub(super) fn load(name: &str, folder: &Folder) -> Outcome<Authority> {
        Ok(Authority {
            name: name.to_owned(),
            certificate_pem: folder.read(&format!("authorities/{name}.pem"))?,
            key_pem: folder.read(&format!("authorities/{name}.key.pem"))?,
        })
    }

    pub(super) fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// How a registry pins this authority.
    pub(super) fn pin(&self) -> Outcome<identity::Pin> {
        let key = KeyPair::from_pem(&self.key_pem).wrong("read an authority's key")?;
        Ok(identity::Pin::of(&key.subject_public_key_info()))
    }

    fn issuer(&self) -> Outcome<Issuer<'static, KeyPair>> {
        let key = KeyPair::from_pem(&self.key_pem).wrong("read an authority's key")?;
        Issuer::from_ca_cert_pem(&self.certificate_pem, key).wrong("read an authority's certificate")
    }

    pub(super) fn issue(&self, subject: &Subject, now: Timestamp) -> Outcome<Leaf> {
        let key = KeyPair::generate().unreachable("make a key")?;
        let mut params = params(now, LEAF_DAYS)?;
        params.distinguished_name.push(DnType::CountryName, "NL");
        params.distinguished_name.push(DnType::OrganizationName, subject.organisation.as_str());
        params.distinguished_name.push(DnType::CommonName, subject.common_name.as_str());
        if let Some(oin) = subject.oin {
            let digits = oin.as_str().try_into().wrong("write an OIN")?;
            params
                .distinguished_name
                .push(DnType::CustomDnType(SERIAL_NUMBER.to_vec()), DnValue::PrintableString(digits));
        }
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![subject.usage.clone()];
        params.subject_alt_names = subject.names.clone();
        params.use_authority_key_identifier_extension = true;
        let serial = params.serial_number.as_ref().map(SerialNumber::to_bytes).unwrap_or_default();
        let certificate = params.signed_by(&key, &self.issuer()?).unreachable("sign a certificate")?;
        Ok(Leaf {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            serial,
            expires: now.plus_seconds(LEAF_DAYS * SECONDS_A_DAY).unix_seconds(),
        })
    }

    /// The list as PEM: serial numbers with the moment of revocation (seconds since the Unix epoch).
    pub(super) fn revocation_list(
        &self,
        revoked: &[(Vec<u8>, i64)],
        number: u64,
        now: Timestamp,
    ) -> Outcome<String> {
        let revoked_certs = revoked.iter().map(|(serial, at)| {
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from_slice(serial),
                revocation_time: moment(*at)?,
                reason_code: Some(RevocationReason::CessationOfOperation),
                invalidity_date: None,
            })
        });
        let list = CertificateRevocationListParams {
            this_update: moment(now.unix_seconds() - EARLIER_SECONDS)?,
            next_update: moment(now.plus_seconds(LIST_DAYS * SECONDS_A_DAY).unix_seconds())?,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect::<Outcome<Vec<_>>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer()?).and_then(|list| list.pem()).unreachable("sign a revocation list")
    }
}

fn params(now: Timestamp, days: i64) -> Outcome<CertificateParams> {
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).unreachable("ask for randomness")?;
    // Positive, and of one length: RFC 5280, 4.1.2.2.
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = moment(now.unix_seconds() - EARLIER_SECONDS)?;
    params.not_after = moment(now.plus_seconds(days * SECONDS_A_DAY).unix_seconds())?;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

/// A moment as rcgen takes it.
fn moment(seconds: i64) -> Outcome<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds).wrong("the clock")
}
