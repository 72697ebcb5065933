//! Whom an auditor believes (C2SP tlog-policy): logs, witnesses, and how many of them must agree.
//!
//! Owns: the trust file's form, and the one place where a note becomes a checkpoint that counts: `Trusted`
//! has no other constructor than `Trust::accept`.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;

use crate::checkpoint::Checkpoint;
use crate::note::{Algorithm, KeyName, Note, NoteError, VerifierKey, cosigned_at};

/// Whom to believe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    logs: Vec<VerifierKey>,
    witnesses: Vec<VerifierKey>,
    /// Where a log or witness is reached, by key name.
    urls: BTreeMap<KeyName, String>,
    quorum: Quorum,
}

/// Which witnesses must have cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Quorum {
    Nobody,
    /// A witness by its place in `Trust::witnesses`.
    Witness(usize),
    /// At least so many of these.
    Group(usize, Vec<Quorum>),
}

impl Quorum {
    fn is_reached(&self, cosigned: &BTreeSet<usize>) -> bool {
        match self {
            Quorum::Nobody => true,
            Quorum::Witness(place) => cosigned.contains(place),
            Quorum::Group(least, members) => {
                members.iter().filter(|member| member.is_reached(cosigned)).count() >= *least
            }
        }
    }
}

/// A line of a trust file that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("trust file, line {line}: {problem}")]
pub struct TrustError {
    /// Which line, from 1; the line after the last when something is missing.
    pub line: usize,
    /// What is wrong.
    pub problem: &'static str,
}

/// A checkpoint that is signed as the trust file wants it.
#[derive(Debug, PartialEq, Eq)]
pub struct Trusted {
    checkpoint: Checkpoint,
    witnesses: Vec<(KeyName, Timestamp)>,
}

impl Trusted {
    /// What was signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Which witnesses cosigned it, and when.
    pub fn witnesses(&self) -> &[(KeyName, Timestamp)] {
        &self.witnesses
    }
}

/// Why a checkpoint does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// The note itself.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Signed, but not a checkpoint.
    #[error("the signed text is not a checkpoint")]
    NotACheckpoint,
    /// A checkpoint of a log that is not trusted.
    #[error("this is a checkpoint of `{origin}`, which is another log than the one that is trusted")]
    OtherLog {
        /// What its first line says.
        origin: KeyName,
    },
    /// Too few witnesses.
    #[error("{cosigned} trusted witnesses have cosigned, which is not enough for the quorum")]
    NoQuorum {
        /// How many have.
        cosigned: usize,
    },
}

impl Trust {
    /// Trust in one log, without witnesses.
    pub fn in_log(key: VerifierKey) -> Trust {
        Trust { logs: vec![key], witnesses: Vec::new(), urls: BTreeMap::new(), quorum: Quorum::Nobody }
    }

    /// The same witnesses and quorum for this log alone: a key given by hand goes before the file's.
    pub fn only_log(self, key: VerifierKey) -> Trust {
        Trust { logs: vec![key], ..self }
    }

    /// The logs.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses.
    pub fn witnesses(&self) -> &[VerifierKey] {
        &self.witnesses
    }

    /// Where the log or witness of this name is reached, if the file says so.
    pub fn url(&self, name: &KeyName) -> Option<&str> {
        self.urls.get(name).map(String::as_str)
    }

    /// Reads a trust file.
    ///
    /// # Errors
    /// The first line that is not understood, and why.
    pub fn parse(text: &str) -> Result<Trust, TrustError> {
        let mut reader = Reader {
            trust: Trust {
                logs: Vec::new(),
                witnesses: Vec::new(),
                urls: BTreeMap::new(),
                quorum: Quorum::Nobody,
            },
            names: BTreeMap::new(),
            quorum: None,
        };
        let mut last = 0;
        for (number, line) in (1..).zip(text.lines()) {
            last = number;
            reader.line(line).map_err(|problem| TrustError { line: number, problem })?;
        }
        let missing =
            TrustError { line: last + 1, problem: "there is no `quorum` line; write `quorum none`" };
        reader.trust.quorum = reader.quorum.ok_or(missing)?;
        Ok(reader.trust)
    }

    /// Takes a note for what it is: a checkpoint of a trusted log, cosigned by enough witnesses.
    ///
    /// # Errors
    /// Why not.
    pub fn accept(&self, note: &Note) -> Result<Trusted, Untrusted> {
        let checkpoint: Result<Checkpoint, _> = note.text().parse();
        let checkpoint = checkpoint.map_err(|_| Untrusted::NotACheckpoint)?;
        let logs: Vec<&VerifierKey> =
            self.logs.iter().filter(|log| *log.name() == checkpoint.origin).collect();
        if logs.is_empty() {
            return Err(Untrusted::OtherLog { origin: checkpoint.origin });
        }
        note.verify(logs)?;
        let cosigned = match note.verify(&self.witnesses) {
            Ok(cosigned) => cosigned,
            Err(NoteError::NotSigned) => Vec::new(),
            Err(forged) => return Err(forged.into()),
        };
        let places = self.witnesses.iter().enumerate().filter(|(_, key)| cosigned.contains(key));
        let places: BTreeSet<usize> = places.map(|(place, _)| place).collect();
        if !self.quorum.is_reached(&places) {
            return Err(Untrusted::NoQuorum { cosigned: places.len() });
        }
        let lines = cosigned.iter().filter_map(|key| {
            let line = note.signatures.iter().find(|line| line.name == *key.name() && line.id == key.id());
            line.and_then(cosigned_at).map(|time| (key.name().clone(), time))
        });
        Ok(Trusted { checkpoint, witnesses: lines.collect() })
    }
}

/// What has been read of a trust file so far.
struct Reader {
    trust: Trust,
    /// Witnesses and groups by name, and whether a group has them already: a name counts in one group only.
    names: BTreeMap<String, (Quorum, bool)>,
    quorum: Option<Quorum>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        if line.chars().any(|character| character.is_ascii_control() && character != '\t') {
            return Err("control characters are not allowed");
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["group", name, least, members @ ..] if !members.is_empty() => self.group(name, least, members),
            ["quorum", name] => self.quorum(name),
            _ => Err("not a `log`, `witness`, `group` or `quorum` line with the right number of words"),
        }
    }

    fn key(
        &mut self,
        key: &str,
        algorithm: Algorithm,
        url: Option<&&str>,
    ) -> Result<VerifierKey, &'static str> {
        let key: VerifierKey = key.parse().map_err(|_| "not a verifier key")?;
        let mut known = self.trust.logs.iter().chain(&self.trust.witnesses);
        if key.algorithm() != algorithm {
            return Err("a log signs with algorithm 1 and a witness cosigns with algorithm 4");
        }
        if known.any(|other| other.public() == key.public() && other.algorithm() == algorithm) {
            return Err("this public key was listed before");
        }
        if let Some(url) = url {
            self.trust.urls.insert(key.name().clone(), (*url).to_owned());
        }
        Ok(key)
    }

    fn log(&mut self, key: &str, url: Option<&&str>) -> Result<(), &'static str> {
        let key = self.key(key, Algorithm::Ed25519, url)?;
        self.trust.logs.push(key);
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&&str>) -> Result<(), &'static str> {
        let key = self.key(key, Algorithm::CosignatureV1, url)?;
        self.define(name, Quorum::Witness(self.trust.witnesses.len()))?;
        self.trust.witnesses.push(key);
        Ok(())
    }

    fn define(&mut self, name: &str, quorum: Quorum) -> Result<(), &'static str> {
        if name == "none" || self.names.contains_key(name) {
            return Err("this name is taken");
        }
        self.names.insert(name.to_owned(), (quorum, false));
        Ok(())
    }

    fn group(&mut self, name: &str, least: &str, members: &[&str]) -> Result<(), &'static str> {
        let least = match least {
            "any" => 1,
            "all" => members.len(),
            number => {
                crate::checkpoint::decimal(number).and_then(|number| number.try_into().ok()).unwrap_or(0)
            }
        };
        if !(1..=members.len()).contains(&least) {
            return Err("a group wants `any`, `all` or a number from 1 to its number of members");
        }
        let mut found = Vec::new();
        for member in members {
            let known = self.names.get_mut(*member);
            let (quorum, taken) = known.ok_or("a member is not defined on a line before")?;
            if std::mem::replace(taken, true) {
                return Err("a member is in a group already");
            }
            found.push(quorum.clone());
        }
        self.define(name, Quorum::Group(least, found))
    }

    fn quorum(&mut self, name: &str) -> Result<(), &'static str> {
        if self.quorum.is_some() {
            return Err("there is a `quorum` line already");
        }
        let quorum = match name {
            "none" => Quorum::Nobody,
            name => self.names.get(name).ok_or("the quorum is not defined on a line before")?.0.clone(),
        };
        self.quorum = Some(quorum);
        Ok(())
    }
}
