//! What a development CA has issued (`pki.json`), and the registry that follows from it (`registry.toml`).
//!
//! Owns: the two text forms. The registry is written whole from the register each time: it is never edited.

use std::collections::{BTreeMap, BTreeSet};

use identity::Pin;
use model::{Name, Oin, Role, Timestamp};
use serde::{Deserialize, Serialize};

use super::key::Jwk;
use super::{BEHEER, ORGANISATIONS};
use crate::failure::{Doing, Outcome};

/// What something that was issued is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The gateway's own certificate.
    Server,
    /// A system of an organisation.
    System,
    /// Someone at the console.
    Operator,
    /// A key that signs role assertions.
    AssertionKey,
    /// A key that signs bundles, guardrails or cosignatures.
    Signer,
}

/// One certificate or key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Issued {
    /// What for.
    pub(crate) kind: Kind,
    /// To whom.
    pub(crate) name: String,
    /// By which authority; a key has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authority: Option<String>,
    /// Serial number, hexadecimal; a key has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) serial: Option<String>,
    /// Where it stands in the folder. A renewal stands where its predecessor stood.
    pub(crate) file: String,
    /// When, in seconds since the Unix epoch.
    pub(crate) issued: i64,
    /// Until when, in seconds since the Unix epoch; a key has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<i64>,
    /// When it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revoked: Option<i64>,
}

impl Issued {
    pub(super) fn key(kind: Kind, name: &str, file: String, now: Timestamp) -> Issued {
        Issued {
            kind,
            name: name.to_owned(),
            authority: None,
            serial: None,
            file,
            issued: now.unix_seconds(),
            expires: None,
            revoked: None,
        }
    }

    /// Whether `which` names this certificate: its file (with or without `.pem`) or its serial number.
    pub(super) fn is(&self, which: &str) -> bool {
        let Some(serial) = &self.serial else { return false };
        serial == which || self.file == which || self.file.strip_suffix(".pem") == Some(which)
    }
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Register {
    pub(super) authorities: Vec<String>,
    pub(super) organisations: BTreeMap<Oin, OrganisationEntry>,
    pub(super) operators: BTreeMap<Name, BTreeSet<Role>>,
    pub(super) big_roles: BTreeSet<Role>,
    pub(super) issued: Vec<Issued>,
    /// How many revocation lists there were: the number of the next one.
    pub(super) lists: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct OrganisationEntry {
    pub(super) name: String,
    pub(super) kind: Name,
    pub(super) folder: Name,
    pub(super) authority: String,
    pub(super) systems: BTreeSet<Name>,
    pub(super) keys: Vec<RegisteredKey>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RegisteredKey {
    pub(super) kid: String,
    pub(super) jwk: Jwk,
    pub(super) roles: BTreeSet<Role>,
}

/// `registry.toml`, in the order in which TOML wants it. What `identity::Registry` reads.
#[derive(Serialize)]
struct RegistryFile<'a> {
    big_roles: &'a BTreeSet<Role>,
    organisation: Vec<OrganisationTable<'a>>,
    operator: Vec<OperatorTable<'a>>,
}

#[derive(Serialize)]
struct OrganisationTable<'a> {
    oin: Oin,
    name: &'a str,
    kind: &'a Name,
    issuers: Vec<String>,
    systems: &'a BTreeSet<Name>,
    key: &'a [RegisteredKey],
}

#[derive(Serialize)]
struct OperatorTable<'a> {
    name: &'a Name,
    roles: &'a BTreeSet<Role>,
    issuers: Vec<String>,
}

impl Register {
    pub(super) fn read(json: &str) -> Outcome<Register> {
        serde_json::from_str(json).wrong("pki.json")
    }

    pub(super) fn text(&self) -> Outcome<String> {
        serde_json::to_string_pretty(self).unreachable("write pki.json")
    }

    /// Serial numbers that this authority took back, and when.
    pub(super) fn revoked_by(&self, authority: &str) -> Vec<(Vec<u8>, i64)> {
        let of_it = self.issued.iter().filter(|issued| issued.authority.as_deref() == Some(authority));
        let revoked =
            of_it.filter_map(|issued| Some((hex::decode(issued.serial.as_deref()?).ok()?, issued.revoked?)));
        revoked.collect()
    }

    pub(super) fn registry(&self, pins: &[(&str, Pin)]) -> Outcome<String> {
        let pinned = |authority: &str| {
            let of_it = pins.iter().filter(|(name, _)| *name == authority);
            of_it.map(|(_, pin)| pin.to_string()).collect::<Vec<_>>()
        };
        let organisations = self.organisations.iter().map(|(oin, entry)| OrganisationTable {
            oin: *oin,
            name: &entry.name,
            kind: &entry.kind,
            issuers: pinned(&entry.authority),
            systems: &entry.systems,
            key: &entry.keys,
        });
        let operators =
            self.operators.iter().map(|(name, roles)| OperatorTable { name, roles, issuers: pinned(BEHEER) });
        let file = RegistryFile {
            big_roles: &self.big_roles,
            organisation: organisations.collect(),
            operator: operators.collect(),
        };
        let text = toml::to_string_pretty(&file).unreachable("write registry.toml")?;
        Ok(format!(
            "# Written by `veldwacht pki`; authorities: {}. Do not edit.\n{text}",
            ORGANISATIONS.join(", ")
        ))
    }
}
