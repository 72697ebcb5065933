//! A small world: two authorities, two organisations, and a gateway that knows them. It is 21 September 2026.

use std::sync::OnceLock;

use model::{Refusal, Timestamp};

use super::der::{bits, integer, oid, sequence, time, tlv};
use super::draft::*;
use crate::pin::Pin;
use crate::{Peer, Registry, Rules, Trust};

pub(crate) const NOW: Timestamp = Timestamp::from_unix_millis(1_790_000_000_000);

pub(crate) const GEMEENTE: &str = "00000099000000001000";
pub(crate) const GGZ: &str = "00000099000000002000";

/// An authority: who it is, its key, its certificate.
pub(crate) struct Authority {
    pub(crate) name: Vec<Attribute>,
    pub(crate) key: Key,
    pub(crate) certificate: Vec<u8>,
}

impl Authority {
    /// A root, changed by `spoil` before it is signed.
    pub(crate) fn root(common_name: &str, spoil: impl FnOnce(&mut Draft)) -> Authority {
        let (name, key) = (vec![(COMMON_NAME, UTF8, common_name.as_bytes().to_vec())], Key::new());
        let mut draft = Draft::new(&name, name.clone(), key.info());
        draft.not_after = "360101000000Z";
        draft.set_authority(None);
        draft.set_key_usage(KEY_CERT_SIGN | CRL_SIGN);
        draft.set(SUBJECT_KEY, false, tlv(0x04, common_name.as_bytes()));
        spoil(&mut draft);
        Authority { certificate: draft.sign(&key), name, key }
    }

    /// An authority below this one.
    pub(crate) fn intermediate(&self, common_name: &str, spoil: impl FnOnce(&mut Draft)) -> Authority {
        let (name, key) = (vec![(COMMON_NAME, UTF8, common_name.as_bytes().to_vec())], Key::new());
        let mut draft = Draft::new(&self.name, name.clone(), key.info());
        draft.set_authority(None);
        draft.set_key_usage(KEY_CERT_SIGN | CRL_SIGN);
        spoil(&mut draft);
        Authority { certificate: draft.sign(&self.key), name, key }
    }

    /// A client's certificate from this authority.
    pub(crate) fn leaf(&self, oin: &str, system: &str, spoil: impl FnOnce(&mut Draft)) -> Vec<u8> {
        let subject = vec![
            (COMMON_NAME, UTF8, system.as_bytes().to_vec()),
            (SERIAL_NUMBER, PRINTABLE, oin.as_bytes().to_vec()),
        ];
        let mut draft = Draft::new(&self.name, subject, Key::new().info());
        draft.set_key_usage(DIGITAL_SIGNATURE);
        draft.set_extended(&[CLIENT_AUTH]);
        spoil(&mut draft);
        draft.sign(&self.key)
    }

    pub(crate) fn pin(&self) -> Pin {
        Pin::of(&self.key.info())
    }

    /// A revocation list with these serial numbers, changed by `spoil` (given the parts before the signature).
    pub(crate) fn list(&self, next_update: &str, revoked: &[&[u8]], extensions: &[u8]) -> Vec<u8> {
        let entries: Vec<Vec<u8>> =
            revoked.iter().map(|serial| sequence(&[&integer(serial), &time("260901000000Z")])).collect();
        let entries = if entries.is_empty() { Vec::new() } else { tlv(0x30, &entries.concat()) };
        let next_update = if next_update.is_empty() { Vec::new() } else { time(next_update) };
        let number = sequence(&[&oid(&[2, 5, 29, 20]), &tlv(0x04, &integer(&[1]))]);
        let extensions = tlv(0xa0, &tlv(0x30, &[&number, extensions].concat()));
        let algorithm = sequence(&[&oid(ECDSA_SHA256)]);
        let to_be_signed = sequence(&[
            &integer(&[1]),
            &algorithm,
            &name(&self.name),
            &time("260901000000Z"),
            &next_update,
            &entries,
            &extensions,
        ]);
        sequence(&[&to_be_signed, &algorithm, &bits(&self.key.sign(&to_be_signed))])
    }
}

pub(crate) struct World {
    pub(crate) overheid: Authority,
    pub(crate) zorg: Authority,
    /// Trusted once, and still in the list: its certificate has expired.
    pub(crate) verlopen: Authority,
    pub(crate) toekomstig: Authority,
    pub(crate) trust: Trust,
    pub(crate) registry: Registry,
}

pub(crate) fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let overheid = Authority::root("Overheid", |_| {});
        let zorg = Authority::root("Zorg", |_| {});
        let verlopen = Authority::root("Verlopen", |draft| draft.not_after = "260901000000Z");
        let toekomstig = Authority::root("Toekomstig", |draft| draft.not_before = "261001000000Z");
        let all = [&overheid, &zorg, &verlopen, &toekomstig];
        let certificates: Vec<_> = all.iter().map(|authority| &authority.certificate).collect();
        let rules = Rules { test_mode: true, ..Rules::default() };
        let pins: Vec<_> = [&overheid, &verlopen, &toekomstig].iter().map(|one| one.pin()).collect();
        let registry = format!(
            r#"
            [[organisation]]
            oin = "{GEMEENTE}"
            name = "Gemeente"
            kind = "gemeente"
            issuers = ["{}", "{}", "{}"]
            systems = ["zaaksysteem", "portaal"]

            [[organisation]]
            oin = "{GGZ}"
            name = "GGZ"
            kind = "ggz"
            issuers = ["{}"]
            systems = ["epd"]
            "#,
            pins[0],
            pins[1],
            pins[2],
            zorg.pin(),
        );
        let trust = Trust::new(&certificates, rules).unwrap();
        let registry = Registry::parse(&registry).unwrap();
        World { overheid, zorg, verlopen, toekomstig, trust, registry }
    })
}

impl World {
    pub(crate) fn peer(&self, presented: &[Vec<u8>]) -> Result<Peer, Refusal> {
        Peer::from_certificate(presented, &self.trust, &self.registry, NOW)
    }
}
