//! Who there is: kinds of organisation, roles and their hierarchy, registered organisations (`organisations.toml`).
//!
//! Owns: the functie (kind × role), and selectors such as `rib:coach` or `*:medisch`. Who gets what is not here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use model::{Invalid, Name, Oin, Role};
use serde::{Deserialize, Serialize};

use crate::bundle::{Files, Sentence, toml_file};
use crate::problem::{LoadError, Problem, Stage};

const FILE: &str = "organisations.toml";

/// A role within a kind of organisation: `uwv:verzekeringsarts`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Functie {
    /// Kind of organisation.
    pub kind: Name,
    /// Role.
    pub role: Role,
}

impl FromStr for Functie {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = Invalid { what: "functie", expected: "`kind:role`, such as `rib:coach`" };
        let (kind, role) = text.split_once(':').ok_or(invalid)?;
        Ok(Functie { kind: kind.parse()?, role: role.parse()? })
    }
}

impl TryFrom<String> for Functie {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Functie> for String {
    fn from(functie: Functie) -> String {
        functie.to_string()
    }
}

impl fmt::Display for Functie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.role)
    }
}

impl fmt::Debug for Functie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Functie({self})")
    }
}

/// A registered organisation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Who it is.
    pub oin: Oin,
    /// What people call it.
    pub name: Arc<str>,
    /// Which kind of organisation it is.
    pub kind: Name,
}

/// Everybody who can send or receive.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    /// Role or group of roles → the groups it is in, directly.
    pub(crate) roles: BTreeMap<Role, Vec<Role>>,
    /// Kind → its roles, `systeem` last.
    pub(crate) kinds: BTreeMap<Name, Vec<Role>>,
    pub(crate) organisations: BTreeMap<Oin, Organisation>,
    pub(crate) kind_titles: BTreeMap<Name, Sentence>,
    pub(crate) role_titles: BTreeMap<Role, Sentence>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    role: Vec<RoleEntry>,
    #[serde(default)]
    kind: Vec<KindEntry>,
    #[serde(default)]
    organisation: Vec<Organisation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleEntry {
    id: Role,
    #[serde(default, rename = "in")]
    groups: Vec<Role>,
    nl: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindEntry {
    id: Name,
    roles: Vec<Role>,
    nl: String,
    en: String,
}

impl Registry {
    pub(crate) fn read(files: &Files) -> Result<Registry, LoadError> {
        let file: File = toml_file(files, FILE)?;
        let mut problems = Vec::new();
        let mut registry = Registry {
            roles: BTreeMap::from([(Role::systeem(), Vec::new())]),
            kinds: BTreeMap::new(),
            organisations: BTreeMap::new(),
            kind_titles: BTreeMap::new(),
            role_titles: BTreeMap::new(),
        };
        registry.add_roles(file.role, &mut problems);
        registry.add_kinds(file.kind, &mut problems);
        for organisation in file.organisation {
            if !registry.kinds.contains_key(&organisation.kind) {
                problems.push(unknown("organisation", organisation.oin, "kind", &organisation.kind));
            }
            if registry.organisations.contains_key(&organisation.oin) {
                problems.push(twice("organisation", organisation.oin));
            }
            registry.organisations.insert(organisation.oin, organisation);
        }
        LoadError::unless(problems, registry)
    }

    fn add_roles(&mut self, entries: Vec<RoleEntry>, problems: &mut Vec<Problem>) {
        for entry in entries {
            self.role_titles.insert(entry.id.clone(), Sentence::new(entry.nl, entry.en));
            if self.roles.contains_key(&entry.id) {
                problems.push(twice("role", &entry.id));
            }
            self.roles.insert(entry.id, entry.groups);
        }
        for (role, groups) in &self.roles {
            for group in groups.iter().filter(|group| !self.roles.contains_key(group)) {
                problems.push(unknown("role", role, "group", group));
            }
            if self.groups_of(role).contains(role) {
                problems.push(Problem::new(Stage::Name, FILE, format!("role `{role}` lies within itself")));
            }
        }
    }

    fn add_kinds(&mut self, entries: Vec<KindEntry>, problems: &mut Vec<Problem>) {
        for entry in entries {
            self.kind_titles.insert(entry.id.clone(), Sentence::new(entry.nl, entry.en));
            for role in entry.roles.iter().filter(|role| !self.roles.contains_key(role)) {
                problems.push(unknown("kind", &entry.id, "role", role));
            }
            let distinct: BTreeSet<&Role> = entry.roles.iter().collect();
            if self.kinds.contains_key(&entry.id) || distinct.len() != entry.roles.len() {
                problems.push(twice("kind, or one of its roles,", &entry.id));
            }
            let mut roles = entry.roles;
            roles.retain(|role| *role != Role::systeem());
            roles.push(Role::systeem());
            self.kinds.insert(entry.id, roles);
        }
    }

    /// Every group above a role, the role itself only if it lies within itself.
    pub(crate) fn groups_of(&self, role: &Role) -> BTreeSet<Role> {
        let mut above = BTreeSet::new();
        let mut open: Vec<&Role> = self.roles.get(role).into_iter().flatten().collect();
        while let Some(group) = open.pop() {
            if above.insert(group.clone()) {
                open.extend(self.roles.get(group).into_iter().flatten());
            }
        }
        above
    }

    /// Every functie there is.
    pub(crate) fn functies(&self) -> impl Iterator<Item = Functie> {
        self.kinds.iter().flat_map(|(kind, roles)| {
            roles.iter().map(move |role| Functie { kind: kind.clone(), role: role.clone() })
        })
    }

    pub(crate) fn knows(&self, functie: &Functie) -> bool {
        self.kinds.get(&functie.kind).is_some_and(|roles| roles.contains(&functie.role))
    }
}

/// Which functies are meant: `rib:coach`, `rib:*`, `*:medisch` (a role or a group of roles), `*:*`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Selector {
    kind: Option<Name>,
    role: Option<Role>,
}

impl TryFrom<String> for Selector {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let invalid =
            Invalid { what: "selector", expected: "`kind:role`, with `*` for every kind or every role" };
        let (kind, role) = text.split_once(':').ok_or(invalid)?;
        let kind = if kind == "*" { None } else { Some(kind.parse()?) };
        Ok(Selector { kind, role: if role == "*" { None } else { Some(role.parse()?) } })
    }
}

impl Selector {
    pub(crate) fn selects(&self, functie: &Functie, registry: &Registry) -> bool {
        let of_role = |role: &Role| *role == functie.role || registry.groups_of(&functie.role).contains(role);
        self.kind.as_ref().is_none_or(|kind| *kind == functie.kind) && self.role.as_ref().is_none_or(of_role)
    }

    /// The name in it that the registry does not know, if there is one.
    pub(crate) fn unknown(&self, registry: &Registry) -> Option<String> {
        let kind = self.kind.iter().find(|kind| !registry.kinds.contains_key(kind)).map(ToString::to_string);
        kind.or_else(|| {
            self.role.iter().find(|role| !registry.roles.contains_key(role)).map(ToString::to_string)
        })
    }
}

fn unknown(what: &str, id: impl fmt::Display, part: &str, name: impl fmt::Display) -> Problem {
    Problem::new(Stage::Name, FILE, format!("{what} `{id}` names the {part} `{name}`, which is not declared"))
}

fn twice(what: &str, id: impl fmt::Display) -> Problem {
    Problem::new(Stage::Name, FILE, format!("the {what} `{id}` is declared twice"))
}
