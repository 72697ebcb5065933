//! The registry: which organisations exist, through which systems and authorities they come, and which keys may
//! assert which roles for them; and the operators of the gateway itself.
//!
//! Owns: reading `registry.toml` and refusing one that is not consistent as a whole. Key sets (JWKS) are named by
//! file in it; the caller hands over their text, so that this crate touches no disk. The registry knows no policy:
//! what a role may receive is the bundle's business.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Name, Oin, Role};
use serde::Deserialize;

use crate::key::{AssertionKey, Jwk, KeyError};
use crate::pin::Pin;

/// Why a registry was not loaded. Names the entry, so that an operator finds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Not TOML, a key that does not exist, or a key that is missing.
    #[error("the registry is not readable: {0}")]
    Unreadable(String),
    /// An entry has a value that cannot be used.
    #[error("the registry's entry `{entry}`: {problem}")]
    Invalid {
        /// Which organisation (by OIN) or operator.
        entry: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// One organisation.
#[derive(Debug)]
pub struct Organisation {
    oin: Oin,
    name: String,
    kind: Name,
    part_of: Option<Oin>,
    issuers: BTreeSet<Pin>,
    systems: BTreeSet<Name>,
    keys: BTreeMap<String, RegisteredKey>,
}

#[derive(Debug)]
pub(crate) struct RegisteredKey {
    pub(crate) key: AssertionKey,
    pub(crate) roles: BTreeSet<Role>,
}

impl Organisation {
    /// Its OIN.
    pub fn oin(&self) -> Oin {
        self.oin
    }

    /// Its name, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its kind: `gemeente`, `uwv`, `ggz`, `rib` and so on.
    pub fn kind(&self) -> &Name {
        &self.kind
    }

    /// The organisation that it is a part of, for one with a number of its own (subOIN, prefix 00000004).
    pub fn part_of(&self) -> Option<Oin> {
        self.part_of
    }

    /// Its systems, by the common name of their certificates.
    pub fn systems(&self) -> impl Iterator<Item = &Name> {
        self.systems.iter()
    }

    /// Every role that at least one of its keys may assert.
    pub fn roles(&self) -> BTreeSet<&Role> {
        self.keys.values().flat_map(|key| &key.roles).collect()
    }

    pub(crate) fn key(&self, kid: &str) -> Option<&RegisteredKey> {
        self.keys.get(kid)
    }

    pub(crate) fn trusts_issuer(&self, pin: Pin) -> bool {
        self.issuers.contains(&pin)
    }

    pub(crate) fn has_system(&self, name: &Name) -> bool {
        self.systems.contains(name)
    }
}

/// Someone who operates the gateway, as the registry knows them: a certificate with this common name, from one of
/// these authorities, without an OIN.
#[derive(Debug)]
pub struct RegisteredOperator {
    /// The account name; also the common name in the certificate.
    pub name: Name,
    /// What they are at the console: `officer`, `auditor`, `beheerder`.
    pub roles: BTreeSet<Role>,
    pub(crate) issuers: BTreeSet<Pin>,
}

/// All of it, consistent: no OIN twice, no key of two organisations.
#[derive(Debug, Default)]
pub struct Registry {
    organisations: BTreeMap<Oin, Arc<Organisation>>,
    operators: BTreeMap<Name, Arc<RegisteredOperator>>,
    big_roles: BTreeSet<Role>,
}

impl Registry {
    /// Reads a registry that names no other files.
    ///
    /// # Errors
    /// [`RegistryError`], naming the entry; an unknown key is an error.
    pub fn parse(toml: &str) -> Result<Registry, RegistryError> {
        Registry::parse_with(toml, &mut |_| None)
    }

    /// Reads a registry; `key_set` gives the text of a JWKS file (RFC 7517, 5) by the name it has in the registry,
    /// or none when there is no such file.
    ///
    /// # Errors
    /// [`RegistryError`], naming the entry; an unknown key is an error.
    pub fn parse_with(
        toml: &str,
        key_set: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<Registry, RegistryError> {
        let file: file::File =
            toml::from_str(toml).map_err(|error| RegistryError::Unreadable(error.to_string()))?;
        let mut registry =
            Registry { big_roles: parsed("big_roles", &file.big_roles)?, ..Registry::default() };
        for entry in file.organisations {
            let label = entry.oin.clone();
            let organisation = organisation(entry, key_set)?;
            if registry.organisations.insert(organisation.oin, Arc::new(organisation)).is_some() {
                return Err(invalid(&label, "the OIN stands in the registry twice; keep one"));
            }
        }
        for entry in file.operators {
            let operator = RegisteredOperator {
                name: one(&entry.name, &entry.name)?,
                roles: at_least_one(&entry.name, "roles", parsed(&entry.name, &entry.roles)?)?,
                issuers: at_least_one(&entry.name, "issuers", parsed(&entry.name, &entry.issuers)?)?,
            };
            if registry.operators.insert(operator.name.clone(), Arc::new(operator)).is_some() {
                return Err(invalid(&entry.name, "the operator stands in the registry twice; keep one"));
            }
        }
        registry.is_consistent()?;
        Ok(registry)
    }

    /// What no single entry can show: parts of known organisations, and no key that speaks for two of them.
    fn is_consistent(&self) -> Result<(), RegistryError> {
        let mut owners: Vec<(&AssertionKey, Oin)> = Vec::new();
        for organisation in self.organisations.values() {
            if organisation.part_of.is_some_and(|whole| !self.organisations.contains_key(&whole)) {
                return Err(invalid(
                    organisation.oin.as_str(),
                    "`part_of` names an OIN that is not registered",
                ));
            }
            for registered in organisation.keys.values() {
                let taken =
                    owners.iter().any(|(key, owner)| *key == &registered.key && *owner != organisation.oin);
                if taken {
                    let problem = "one of its keys belongs to another organisation too; give each its own";
                    return Err(invalid(organisation.oin.as_str(), problem));
                }
                owners.push((&registered.key, organisation.oin));
            }
        }
        Ok(())
    }

    /// The organisation with this OIN.
    pub fn organisation(&self, oin: Oin) -> Option<&Arc<Organisation>> {
        self.organisations.get(&oin)
    }

    /// Every organisation, in the order of OIN.
    pub fn organisations(&self) -> impl Iterator<Item = &Arc<Organisation>> {
        self.organisations.values()
    }

    /// The operator with this account name.
    pub fn operator(&self, name: &Name) -> Option<&Arc<RegisteredOperator>> {
        self.operators.get(name)
    }

    /// Every operator, in the order of name.
    pub fn operators(&self) -> impl Iterator<Item = &Arc<RegisteredOperator>> {
        self.operators.values()
    }

    /// Whether someone in this role must show a BIG number.
    pub fn demands_big(&self, role: &Role) -> bool {
        self.big_roles.contains(role)
    }
}

fn organisation(
    entry: file::Organisation,
    key_set: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<Organisation, RegistryError> {
    let label = entry.oin.as_str();
    let mut keys = BTreeMap::new();
    for key in &entry.keys {
        for (kid, registered) in keys_of(label, key, key_set)? {
            if keys.insert(kid.clone(), registered).is_some() {
                return Err(invalid(label, &format!("`kid` \"{kid}\" stands there twice; rename one")));
            }
        }
    }
    if entry.name.trim().is_empty() {
        return Err(invalid(label, "`name` is empty; write the organisation's name"));
    }
    Ok(Organisation {
        oin: one(label, &entry.oin)?,
        kind: one(label, &entry.kind)?,
        part_of: entry.part_of.as_deref().map(|oin| one(label, oin)).transpose()?,
        issuers: at_least_one(label, "issuers", parsed(label, &entry.issuers)?)?,
        systems: at_least_one(label, "systems", parsed(label, &entry.systems)?)?,
        keys,
        name: entry.name,
    })
}

/// One entry gives one key (`jwk` or `pem`) or a set of them (`jwks`), all with the same roles.
fn keys_of(
    label: &str,
    entry: &file::Key,
    key_set: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<Vec<(String, RegisteredKey)>, RegistryError> {
    let roles = at_least_one(label, "roles", parsed::<Role>(label, &entry.roles)?)?;
    if roles.contains(&Role::systeem()) {
        return Err(invalid(label, "`systeem` is the role of nobody's assertion; take it from `roles`"));
    }
    let unusable = |error: KeyError| invalid(label, &error.to_string());
    let found: Vec<(Option<String>, AssertionKey)> = match (&entry.jwk, &entry.pem, &entry.jwks) {
        (Some(jwk), None, None) => {
            let jwk = Jwk::deserialize(jwk.clone()).map_err(|_| unusable(KeyError::Unreadable))?;
            vec![(entry.kid.clone().or(jwk.kid.clone()), AssertionKey::try_from(&jwk).map_err(unusable)?)]
        }
        (None, Some(pem), None) => {
            vec![(entry.kid.clone(), AssertionKey::from_pem(pem).map_err(unusable)?)]
        }
        (None, None, Some(name)) if entry.kid.is_none() => {
            let text = key_set(name).ok_or_else(|| {
                invalid(label, &format!("the key set `{name}` is not there; write it first"))
            })?;
            key_set_keys(&text).map_err(unusable)?
        }
        _ => {
            return Err(invalid(
                label,
                "a key has exactly one of `jwk`, `pem`, `jwks`; a `jwks` has no `kid`",
            ));
        }
    };
    let named = found.into_iter().map(|(kid, key)| match kid {
        Some(kid) if (1..=128).contains(&kid.len()) => Ok((kid, RegisteredKey { key, roles: roles.clone() })),
        _ => Err(invalid(label, "a key needs a `kid` of 1 to 128 bytes, so that a token can name it")),
    });
    named.collect()
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Jwk>,
}

fn key_set_keys(json: &str) -> Result<Vec<(Option<String>, AssertionKey)>, KeyError> {
    let set: KeySet = serde_json::from_str(json).map_err(|_| KeyError::Unreadable)?;
    set.keys.iter().map(|jwk| Ok((jwk.kid.clone(), AssertionKey::try_from(jwk)?))).collect()
}

fn invalid(entry: &str, problem: &str) -> RegistryError {
    RegistryError::Invalid { entry: entry.to_owned(), problem: problem.to_owned() }
}

fn one<T: std::str::FromStr<Err = model::Invalid>>(entry: &str, text: &str) -> Result<T, RegistryError> {
    text.parse().map_err(|error: model::Invalid| invalid(entry, &error.to_string()))
}

fn parsed<T: std::str::FromStr<Err = model::Invalid> + Ord>(
    entry: &str,
    texts: &[String],
) -> Result<BTreeSet<T>, RegistryError> {
    texts.iter().map(|text| one(entry, text)).collect()
}

fn at_least_one<T>(entry: &str, key: &str, set: BTreeSet<T>) -> Result<BTreeSet<T>, RegistryError> {
    if set.is_empty() {
        Err(invalid(entry, &format!("`{key}` is empty; name at least one")))
    } else {
        Ok(set)
    }
}

#[cfg(test)]
mod tests;
