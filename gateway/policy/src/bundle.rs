//! A bundle as it comes in: named bytes, before anything in them is believed.
//!
//! Owns: which files there are, their digest, and `bundle.toml`. Reads no disk: the binary hands over a map. The
//! digest covers every file but the signatures; next, `signature` decides whether to go on.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use model::{Invalid, Name};
use ring::digest::{Context, SHA256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::problem::{LoadError, Problem, Stage};

/// The files of a bundle: name relative to its folder → bytes.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The file that holds the signatures; the only one outside the digest.
pub const SIGNATURES: &str = "signatures.toml";

/// A SHA-256 digest; as text 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl FromStr for Digest {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mut bytes = [0; 32];
        let invalid = Invalid { what: "digest", expected: "64 hexadecimal digits" };
        hex::decode_to_slice(text, &mut bytes).map_err(|_| invalid)?;
        Ok(Digest(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Digests parts one by one, each with its length before it, so that no two lists of parts collide.
pub(crate) struct Digester(Context);

impl Digester {
    pub(crate) fn new(domain: &str) -> Digester {
        let mut digester = Digester(Context::new(&SHA256));
        digester.part(domain.as_bytes());
        digester
    }

    pub(crate) fn part(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Digest {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.finish().as_ref());
        Digest(bytes)
    }
}

/// The digest of a bundle's files, all but the signatures: what policy signers sign, and what records call the bundle.
pub fn digest_of_all(files: &Files) -> Digest {
    digest("veldwacht bundle files v1", files, |name| name != SIGNATURES)
}

/// What the guardrail signers sign: the guardrails alone.
pub(crate) fn digest_of_guardrails(files: &Files) -> Digest {
    digest("veldwacht guardrail files v1", files, |name| name.starts_with("guardrails/"))
}

/// The words that screening knows.
pub(crate) fn digest_of_lexicon(files: &Files) -> Digest {
    digest("veldwacht lexicon files v1", files, |name| name.starts_with("lexicon/"))
}

fn digest(domain: &str, files: &Files, mut wanted: impl FnMut(&str) -> bool) -> Digest {
    let mut digester = Digester::new(domain);
    for (name, bytes) in files.iter().filter(|(name, _)| wanted(name)) {
        digester.part(name.as_bytes());
        digester.part(bytes);
    }
    digester.finish()
}

/// `bundle.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// Goes up by every publication.
    pub(crate) number: u64,
    /// Number of the set of guardrails; goes up when they change.
    pub(crate) guardrails: u64,
    /// What the bundle is called.
    pub(crate) name: Name,
}

impl Header {
    pub(crate) fn read(files: &Files) -> Result<Header, LoadError> {
        toml_file(files, "bundle.toml")
    }
}

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Sentence {
    /// Dutch.
    pub nl: Arc<str>,
    /// English.
    pub en: Arc<str>,
}

impl Sentence {
    pub(crate) fn new(nl: impl Into<Arc<str>>, en: impl Into<Arc<str>>) -> Sentence {
        Sentence { nl: nl.into(), en: en.into() }
    }
}

/// The text of a file that has to be there.
pub(crate) fn text<'a>(files: &'a Files, name: &str) -> Result<&'a str, Problem> {
    let missing = || Problem::new(Stage::Format, name, "the file is missing; every bundle has one");
    utf8(name, files.get(name).ok_or_else(missing)?)
}

/// The files of a folder with this ending, as text.
pub(crate) fn folder<'a>(
    files: &'a Files,
    prefix: &str,
    ending: &str,
) -> Result<Vec<(&'a str, &'a str)>, Problem> {
    let inside = files.iter().filter(|(name, _)| name.starts_with(prefix));
    let mut texts = Vec::new();
    for (name, bytes) in inside {
        if !name.ends_with(ending) {
            let what = format!("only files ending in `{ending}` belong in `{prefix}`; move it or rename it");
            return Err(Problem::new(Stage::Format, name, what));
        }
        texts.push((name.as_str(), utf8(name, bytes)?));
    }
    Ok(texts)
}

/// Reads a TOML file that has to be there; unknown keys are errors.
pub(crate) fn toml_file<T: DeserializeOwned>(files: &Files, name: &str) -> Result<T, LoadError> {
    parse_toml(name, text(files, name)?).map_err(LoadError::from)
}

/// Reads TOML; the problem says where.
pub(crate) fn parse_toml<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Problem> {
    toml::from_str(text).map_err(|error| Problem::new(Stage::Format, name, error.to_string().trim_end()))
}

fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, Problem> {
    std::str::from_utf8(bytes)
        .map_err(|_| Problem::new(Stage::Format, name, "not UTF-8 text; save it as UTF-8"))
}
