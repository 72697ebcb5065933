//! The registry as it stands in TOML. Owns: the names of its keys; nothing here is checked yet.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) big_roles: Vec<String>,
    #[serde(default, rename = "organisation")]
    pub(super) organisations: Vec<Organisation>,
    #[serde(default, rename = "operator")]
    pub(super) operators: Vec<Operator>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Organisation {
    pub(super) oin: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) part_of: Option<String>,
    pub(super) issuers: Vec<String>,
    pub(super) systems: Vec<String>,
    #[serde(default, rename = "key")]
    pub(super) keys: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) kid: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) jwk: Option<toml::Table>,
    pub(super) pem: Option<String>,
    pub(super) jwks: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operator {
    pub(super) name: String,
    pub(super) roles: Vec<String>,
    pub(super) issuers: Vec<String>,
}
