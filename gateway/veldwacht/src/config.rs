//! The configuration: one TOML file, every key documented in `veldwacht.example.toml`.
//!
//! Owns: its keys, overriding them from the environment (`VELDWACHT_TLS__KEY` for `key` in `[tls]`), and saying what is
//! wrong. Secrets come by file, never inline. Relative paths are relative to the file.

mod door;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use model::{DataClass, Purpose};
use serde::Deserialize;

use crate::failure::{Doing, Failure, Outcome};

/// Everything that a gateway is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where calls come in.
    pub(crate) listen: SocketAddr,
    /// The gateway's name in the `aud` of assertions.
    pub(crate) name: String,
    /// Whether OINs for tests are taken, and a bundle without signatures.
    #[serde(default)]
    pub(crate) test_mode: bool,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The folder of the bundle.
    pub(crate) bundle: PathBuf,
    /// A draft to compare with the bundle that decides, on live decisions.
    pub(crate) shadow: Option<PathBuf>,
    /// Whose signatures make a bundle; without it only drafts are loaded, in test mode.
    pub(crate) signers: Option<Signers>,
    pub(crate) tls: Tls,
    pub(crate) log: Log,
    pub(crate) secrets: Secrets,
    /// The console for officers, auditors and beheerders; none without.
    pub(crate) console: Option<Console>,
    /// What may not be erased yet.
    #[serde(default, rename = "retention_duty")]
    pub(crate) retention_duties: Vec<Keeping>,
    /// How long what records have sealed is kept at most.
    #[serde(default, rename = "retention_term")]
    pub(crate) retention_terms: Vec<Keeping>,
    #[serde(default)]
    pub(crate) assertions: door::Assertions,
    #[serde(default)]
    pub(crate) limits: door::Limits,
    #[serde(default)]
    pub(crate) http2: door::Http2,
    /// Services of source organisations behind the gateway.
    #[serde(default, rename = "route")]
    pub(crate) routes: Vec<exchange::ask::RouteConfig>,
}

/// Who may sign what of a bundle; nobody both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signers {
    pub(crate) policies: Signing,
    pub(crate) guardrails: Signing,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signing {
    /// How many of them are enough.
    pub(crate) threshold: usize,
    /// Public keys, Ed25519, PEM; a key is called after its file.
    pub(crate) keys: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// The authorities of clients.
    pub(crate) authorities: PathBuf,
    pub(crate) revocation_lists: Vec<PathBuf>,
    /// How long a list is still used after its `nextUpdate`.
    #[serde(default)]
    pub(crate) revocation_grace_seconds: i64,
    pub(crate) registry: PathBuf,
    /// How often these files are looked at.
    #[serde(default = "five")]
    pub(crate) look_every_seconds: u64,
    /// TLS 1.2 beside 1.3.
    #[serde(default)]
    pub(crate) allow_tls12: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    /// The origin: a URL without scheme.
    pub(crate) origin: String,
    /// The signing key, PKCS #8 PEM.
    pub(crate) key: PathBuf,
    /// How often the log is published, in milliseconds: 200 to 1000.
    #[serde(default = "half_a_second")]
    pub(crate) publish_every_ms: u64,
    /// Where the published log is served to everyone; nowhere, if left out.
    pub(crate) serve: Option<LogServe>,
    /// How often the journal lets go of what nobody needs any more, in hours.
    #[serde(default = "a_day")]
    pub(crate) compact_every_hours: u32,
    /// How many witnesses must have cosigned a checkpoint before it is shown.
    #[serde(default)]
    pub(crate) quorum: usize,
    /// Who watches this log.
    #[serde(default, rename = "witness")]
    pub(crate) witnesses: Vec<LogWitness>,
}

/// A listener for readers of the log, who need no certificate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogServe {
    pub(crate) listen: SocketAddr,
    /// The gateway's own certificate and key, if left out.
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

/// A witness (C2SP tlog-witness).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogWitness {
    /// Its verifier key.
    pub(crate) key: String,
    /// Its address, the part before `/add-checkpoint`.
    pub(crate) url: String,
    /// The authorities of its certificate; those of this machine, if left out.
    pub(crate) authorities: Option<PathBuf>,
}

fn a_day() -> u32 {
    24
}

fn five() -> u64 {
    5
}

fn half_a_second() -> u64 {
    500
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Secrets {
    /// Wraps the keys of all clients; at least 16 bytes.
    pub(crate) master: PathBuf,
    /// Keys the pseudonyms of receivers; 32 bytes.
    pub(crate) pseudonyms: PathBuf,
}

/// The operators' own listener.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Console {
    /// Where browsers come in.
    pub(crate) listen: SocketAddr,
    /// After so many minutes without a request a session ends.
    #[serde(default = "half_an_hour")]
    pub(crate) idle_minutes: u32,
}

fn half_an_hour() -> u32 {
    30
}

/// How long to keep records of a purpose in which something of a class passed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keeping {
    /// The purpose; any, if left out.
    pub(crate) purpose: Option<Purpose>,
    /// The classes; any record, if none is named.
    #[serde(default)]
    pub(crate) classes: Vec<DataClass>,
    /// How long after the record.
    pub(crate) days: u32,
}

/// Before the name of a credential that systemd hands over (`LoadCredential=`), where a path is expected.
const CREDENTIAL: &str = "credential:";

fn not_given(name: &str) -> String {
    format!(
        "{CREDENTIAL}{name}: systemd gave no credentials; start it as a service with LoadCredential={name}"
    )
}

/// Variables that are about something else than the file.
const OTHER_VARIABLES: [&str; 3] = ["VELDWACHT_CONFIG", "VELDWACHT_GATEWAY", "VELDWACHT_LOG"];

impl Config {
    /// Reads a configuration, with overrides from these environment variables.
    pub(crate) fn read(path: &Path, environment: impl Iterator<Item = (String, String)>) -> Outcome<Config> {
        let text = std::fs::read_to_string(path).wrong(path.display())?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Config::parse(&text, folder, environment)
            .map_err(|why| Failure::Use(format!("{}: {why}", path.display())))
    }

    fn parse(
        text: &str,
        folder: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, String> {
        let mut table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let mut credentials = None;
        for (name, value) in environment {
            if name == "CREDENTIALS_DIRECTORY" {
                credentials = Some(PathBuf::from(&value));
            }
            let Some(key) = name.strip_prefix("VELDWACHT_") else { continue };
            if !OTHER_VARIABLES.contains(&name.as_str()) && !name.starts_with("VELDWACHT_TEST_") {
                set(&mut table, &key.to_lowercase(), value).ok_or(format!("{name} overrides no key"))?;
            }
        }
        let mut config: Config =
            table.try_into().map_err(|error: toml::de::Error| nearest(error.message()))?;
        config.check()?;
        for path in config.paths() {
            *path = match path.to_str().and_then(|text| text.strip_prefix(CREDENTIAL)) {
                Some(name) => credentials.as_ref().ok_or_else(|| not_given(name))?.join(name),
                None => folder.join(&*path),
            };
        }
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if !(200..=1000).contains(&self.log.publish_every_ms) {
            return Err("log.publish_every_ms: 200 to 1000".into());
        }
        if self.log.compact_every_hours == 0 {
            return Err("log.compact_every_hours: 1 or more".into());
        }
        if self.log.quorum > self.log.witnesses.len() {
            return Err("log.quorum: more than there are witnesses".into());
        }
        if self.log.serve.as_ref().is_some_and(|serve| serve.certificate.is_some() != serve.key.is_some()) {
            return Err("log.serve: a certificate and its key go together".into());
        }
        if self.signers.is_none() && !self.test_mode {
            return Err(
                "signers: say whose signatures make a bundle; only test mode takes one without".into()
            );
        }
        if self.tls.revocation_lists.is_empty() {
            return Err(
                "tls.revocation_lists: name at least one; a certificate that cannot be checked is refused"
                    .into(),
            );
        }
        if !(0..=7 * 86_400).contains(&self.tls.revocation_grace_seconds) {
            return Err("tls.revocation_grace_seconds: 0 to 604800, a week".into());
        }
        if self.tls.look_every_seconds == 0 {
            return Err("tls.look_every_seconds: more than zero".into());
        }
        self.assertions.check()?;
        self.limits.check()?;
        self.http2.check()
    }

    fn paths(&mut self) -> Vec<&mut PathBuf> {
        let Config { data, bundle, shadow, signers, tls, log, secrets, routes, .. } = self;
        let keys = signers.iter_mut().flat_map(|signers| [&mut signers.policies, &mut signers.guardrails]);
        let keys = keys.flat_map(|signing| &mut signing.keys);
        let fixed = [
            data,
            bundle,
            &mut tls.certificate,
            &mut tls.key,
            &mut tls.authorities,
            &mut tls.registry,
            &mut log.key,
            &mut secrets.master,
            &mut secrets.pseudonyms,
        ];
        let of_routes = routes.iter_mut().flat_map(|route| {
            let own = [&mut route.authorities, &mut route.certificate, &mut route.key];
            own.into_iter().chain(route.assertion.as_mut().map(|assertion| &mut assertion.key))
        });
        let of_log = log.serve.iter_mut().flat_map(|serve| [&mut serve.certificate, &mut serve.key]);
        let of_log = of_log.chain(log.witnesses.iter_mut().map(|witness| &mut witness.authorities)).flatten();
        fixed
            .into_iter()
            .chain(shadow)
            .chain(&mut tls.revocation_lists)
            .chain(keys)
            .chain(of_routes)
            .chain(of_log)
            .collect()
    }
}

/// Sets a key, `tls__key` for `key` in `[tls]`; text stays text unless the file has another type there.
fn set(table: &mut toml::Table, key: &str, value: String) -> Option<()> {
    if let Some((head, rest)) = key.split_once("__") {
        let inner = table.entry(head).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        return set(inner.as_table_mut()?, rest, value);
    }
    let parsed = match value.parse::<i64>() {
        Ok(number) => toml::Value::Integer(number),
        Err(_) => match value.as_str() {
            "true" => toml::Value::Boolean(true),
            "false" => toml::Value::Boolean(false),
            _ => toml::Value::String(value),
        },
    };
    table.insert(key.to_owned(), parsed);
    Some(())
}

/// Adds the nearest known name to an error about an unknown one.
fn nearest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(unknown) = quoted.next().filter(|_| message.starts_with("unknown field")) else {
        return message.trim().to_owned();
    };
    let best = quoted.max_by(|one, other| {
        strsim::jaro_winkler(unknown, one).total_cmp(&strsim::jaro_winkler(unknown, other))
    });
    match best {
        Some(best) => format!("there is no key `{unknown}`; did you mean `{best}`?"),
        None => format!("there is no key `{unknown}`"),
    }
}

#[cfg(test)]
mod tests;
