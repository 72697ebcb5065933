//! A development CA: everything a gateway and its organisations need to know each other, in one folder.
//!
//! Owns: what is issued, to whom, and what was taken back. For development, demos and tests only: every key stands in
//! this folder, readable by its owner. A real gateway gets certificates from PKIoverheid and a registry from its
//! operator. What the folder looks like stands in `certs/README.md`; who is let in with it, in `identity`.

mod authority;
mod folder;
mod key;
mod register;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use model::{Name, Oin, Role, Timestamp};

use crate::failure::{Failure, Outcome};
use authority::{Authority, Subject};
use folder::Folder;
#[cfg(test)]
pub(crate) use key::Jwk;
use key::SigningKeyPair;
pub(crate) use key::{AssertionSigner, KeyKind};
pub(crate) use register::{Issued, Kind};
use register::{OrganisationEntry, Register, RegisteredKey};

/// The authority of the gateway's own certificate.
const GATEWAY: &str = "gateway";
/// The authority of operators: officers, auditors, witnesses.
const BEHEER: &str = "beheer";
/// The authorities of organisations. Two, so that a pin has something to refuse.
const ORGANISATIONS: [&str; 2] = ["overheid", "zorg"];

/// An organisation that joins.
#[derive(Debug, Clone)]
pub(crate) struct NewOrganisation {
    /// Its number.
    pub(crate) oin: Oin,
    /// What people call it.
    pub(crate) name: String,
    /// Its kind; kinds of care get their certificates from another authority than the others.
    pub(crate) kind: Name,
    /// The folder that its certificates and keys stand in.
    pub(crate) folder: Name,
    /// The roles that its key may assert.
    pub(crate) roles: BTreeSet<Role>,
    /// The roles of these for which its assertions need a BIG number.
    pub(crate) big_roles: BTreeSet<Role>,
    /// Its systems: one certificate each.
    pub(crate) systems: Vec<Name>,
    /// The kind of its key for assertions.
    pub(crate) key: KeyKind,
}

/// The open folder.
pub(crate) struct Pki {
    folder: Folder,
    register: Register,
    now: Timestamp,
}

impl Pki {
    /// Makes the authorities, a certificate for the gateway (`server_names` beside localhost), and these
    /// organisations, in an empty or absent folder.
    pub(crate) fn init(
        dir: &Path,
        gateway: Oin,
        server_names: &[String],
        organisations: &[NewOrganisation],
        now: Timestamp,
    ) -> Outcome<Pki> {
        let folder = Folder::create(dir)?;
        if folder.has("pki.json") {
            return Err(Failure::Use(format!(
                "{}: there is a development CA already; use `pki issue`",
                dir.display()
            )));
        }
        let mut pki = Pki { folder, register: Register::default(), now };
        for name in ORGANISATIONS.into_iter().chain([GATEWAY, BEHEER]) {
            Authority::create(name, now)?.save(&pki.folder)?;
            pki.register.authorities.push(name.to_owned());
        }
        pki.issue_server(gateway, server_names)?;
        organisations.iter().try_for_each(|organisation| pki.add(organisation))?;
        pki.save()?;
        Ok(pki)
    }

    /// Opens what `init` made.
    pub(crate) fn open(dir: &Path, now: Timestamp) -> Outcome<Pki> {
        let folder = Folder::open(dir);
        let register = Register::read(&folder.read("pki.json")?)?;
        Ok(Pki { folder, register, now })
    }

    /// Everything that was issued, oldest first.
    pub(crate) fn list(&self) -> &[Issued] {
        &self.register.issued
    }

    /// A new organisation, with a certificate for each of its systems and a key for its assertions.
    pub(crate) fn issue_organisation(&mut self, organisation: &NewOrganisation) -> Outcome {
        self.add(organisation)?;
        self.save()
    }

    /// A certificate for a system of a known organisation: a new system, or a renewal with a new key. The old
    /// certificate stays valid until it ends or is revoked, as with a real authority.
    pub(crate) fn issue_system(&mut self, oin: Oin, system: &Name) -> Outcome<PathBuf> {
        let path = self.system(oin, system)?;
        self.save()?;
        Ok(path)
    }

    /// A certificate for an operator: officer, auditor, beheerder.
    pub(crate) fn issue_operator(&mut self, name: &Name, roles: &BTreeSet<Role>) -> Outcome<PathBuf> {
        let path = format!("operators/{name}");
        let subject = Subject::operator(name);
        self.certificate(BEHEER, Kind::Operator, &subject, &path)?;
        self.register.operators.insert(name.clone(), roles.clone());
        self.save()?;
        Ok(self.folder.path(&format!("{path}.pem")))
    }

    /// A key pair for someone who signs: bundles, guardrails, cosignatures of a witness. Ed25519; the public half
    /// stands beside it.
    pub(crate) fn issue_signer(&mut self, name: &Name) -> Outcome<PathBuf> {
        let pair = SigningKeyPair::generate(KeyKind::Ed25519)?;
        let path = format!("signers/{name}");
        pair.save(&self.folder, &path)?;
        self.register.issued.push(Issued::key(
            Kind::Signer,
            name.as_str(),
            format!("{path}.key.pem"),
            self.now,
        ));
        self.save()?;
        Ok(self.folder.path(&format!("{path}.key.pem")))
    }

    /// Takes back every certificate of this file or serial number, and writes the lists anew.
    pub(crate) fn revoke(&mut self, which: &str) -> Outcome<usize> {
        let now = self.now.unix_seconds();
        let mut revoked = 0;
        for issued in self.register.issued.iter_mut().filter(|issued| issued.is(which)) {
            if issued.revoked.is_none() {
                issued.revoked = Some(now);
                revoked += 1;
            }
        }
        if revoked == 0 {
            return Err(Failure::Use(format!("`{which}`: nothing that still stands; see `pki list`")));
        }
        self.save()?;
        Ok(revoked)
    }

    fn add(&mut self, organisation: &NewOrganisation) -> Outcome {
        if self.register.organisations.contains_key(&organisation.oin) {
            return Err(Failure::Use(format!("{}: this organisation is there already", organisation.oin)));
        }
        let pair = SigningKeyPair::generate(organisation.key)?;
        let path = format!("{}/assert", organisation.folder);
        pair.save(&self.folder, &path)?;
        let file = format!("{path}.key.pem");
        self.register.issued.push(Issued::key(Kind::AssertionKey, organisation.oin.as_str(), file, self.now));
        self.register.big_roles.extend(organisation.big_roles.iter().cloned());
        let entry = OrganisationEntry {
            name: organisation.name.clone(),
            kind: organisation.kind.clone(),
            folder: organisation.folder.clone(),
            authority: authority_of(&organisation.kind).to_owned(),
            systems: BTreeSet::new(),
            keys: vec![RegisteredKey { kid: pair.kid(), jwk: pair.jwk(), roles: organisation.roles.clone() }],
        };
        self.register.organisations.insert(organisation.oin, entry);
        organisation.systems.iter().try_for_each(|system| self.system(organisation.oin, system).map(drop))
    }

    fn system(&mut self, oin: Oin, system: &Name) -> Outcome<PathBuf> {
        let entry = self.register.organisations.get_mut(&oin);
        let entry =
            entry.ok_or_else(|| Failure::Use(format!("{oin}: no such organisation; issue it first")))?;
        entry.systems.insert(system.clone());
        let (authority, path) = (entry.authority.clone(), format!("{}/{system}", entry.folder));
        let subject = Subject::system(oin, &entry.name, system);
        self.certificate(&authority, Kind::System, &subject, &path)?;
        Ok(self.folder.path(&format!("{path}.pem")))
    }

    fn issue_server(&mut self, gateway: Oin, names: &[String]) -> Outcome {
        self.certificate(GATEWAY, Kind::Server, &Subject::server(gateway, names), GATEWAY)
    }

    /// Issues a certificate with a new key, both beside each other at `path`.
    fn certificate(&mut self, authority: &str, kind: Kind, subject: &Subject, path: &str) -> Outcome {
        let leaf = Authority::load(authority, &self.folder)?.issue(subject, self.now)?;
        self.folder.write_secret(&format!("{path}.key.pem"), &leaf.key_pem)?;
        self.folder.write(&format!("{path}.pem"), &leaf.certificate_pem)?;
        self.register.issued.push(Issued {
            kind,
            name: subject.label(),
            authority: Some(authority.to_owned()),
            serial: Some(hex::encode(leaf.serial)),
            file: format!("{path}.pem"),
            issued: self.now.unix_seconds(),
            expires: Some(leaf.expires),
            revoked: None,
        });
        Ok(())
    }

    /// Writes what the gateway loads. The register comes last: when this stops halfway, nothing is known to have been
    /// issued that is not there.
    fn save(&mut self) -> Outcome {
        self.register.lists += 1;
        let (mut authorities, mut lists) = (String::new(), String::new());
        let mut pins = Vec::new();
        for name in &self.register.authorities {
            let authority = Authority::load(name, &self.folder)?;
            pins.push((name.as_str(), authority.pin()?));
            if name == GATEWAY {
                self.folder.write("gateway-ca.pem", authority.certificate_pem())?;
                continue;
            }
            authorities.push_str(authority.certificate_pem());
            let revoked = self.register.revoked_by(name);
            lists.push_str(&authority.revocation_list(&revoked, self.register.lists, self.now)?);
        }
        self.folder.write("authorities.pem", &authorities)?;
        self.folder.write("revoked.pem", &lists)?;
        self.folder.write("registry.toml", &self.register.registry(&pins)?)?;
        self.folder.write("pki.json", &self.register.text()?)
    }
}

/// Care has an authority of its own (as UZI has); everyone else is issued to by the other.
fn authority_of(kind: &Name) -> &'static str {
    let [overheid, zorg] = ORGANISATIONS;
    if matches!(kind.as_str(), "ggz" | "huisarts" | "ziekenhuis") { zorg } else { overheid }
}

#[cfg(test)]
mod tests;
