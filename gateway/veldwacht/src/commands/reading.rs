//! Where a command reads the log: in its published files, or in a data folder that is opened with its keys.
//!
//! Owns: that a published log is verified before a record of it is shown, and that a reading with keys is recorded
//! before anything is shown. Both are read as a stream: a long log needs no more memory than a short one.

use std::path::{Path, PathBuf};

use ledger::{Producer, Record, Trust, Verified, verify, verify_records};
use model::{Oin, Timestamp};

use super::log::trust;
use super::source::{Source, address};
use super::vault::{Vault, oin_of};
use crate::cli::LogSource;
use crate::config::Config;
use crate::failure::{Doing, Failure, Outcome};

/// A log that can be read.
pub(crate) enum Reading {
    /// Published files, verified.
    Published(Box<Published>),
    /// A data folder.
    Vault(Box<Vault>),
}

/// A published log that was verified.
pub(crate) struct Published {
    place: PathBuf,
    source: Source,
    trust: Trust,
    verified: Verified,
}

impl Published {
    /// Verifies a log, with the key beside it unless another is given.
    pub(crate) fn open(log: &Path, ca: Option<&Path>, key: Option<&str>) -> Outcome<Published> {
        if key.is_none() && address(log).is_some() {
            return Err(Failure::Use("give the log's verifier key: --key VKEY".into()));
        }
        let beside = log.with_extension("vkey");
        let key = key.map_or_else(|| beside.to_string_lossy().into_owned(), str::to_owned);
        let (trust, source) = (trust(&key, None)?, Source::open(log, ca)?);
        let verified = verify(&source, &trust, &mut |_, _| {}).wrong(log.display())?;
        Ok(Published { place: log.to_owned(), source, trust, verified })
    }

    /// Every record, in order.
    pub(crate) fn each(&self, visit: &mut dyn FnMut(Record) -> Outcome) -> Outcome {
        let mut outcome = Ok(());
        let size = self.verified.checkpoint().size;
        verify_records(&self.source, &self.trust, &mut |index, leaf| {
            if outcome.is_ok() && index < size {
                outcome = visit(Record { index, leaf, sealed: None });
            }
        })
        .wrong(self.place.display())?;
        outcome
    }
}

impl Reading {
    /// Opens the log that the command line names.
    pub(crate) fn open(source: &LogSource) -> Outcome<Reading> {
        match &source.log {
            Some(log) => Ok(Reading::Published(Box::new(Published::open(
                log,
                source.ca.ca.as_deref(),
                source.key.as_deref(),
            )?))),
            None => Ok(Reading::Vault(Box::new(Vault::open(&source.keys)?))),
        }
    }

    /// How many records there are.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Reading::Published(published) => published.verified.checkpoint().size,
            Reading::Vault(vault) => vault.journal.size(),
        }
    }

    /// The first `size` records in order; with their sealed parts if `opened` and there are keys.
    pub(crate) fn each(&self, size: u64, opened: bool, visit: &mut dyn FnMut(Record) -> Outcome) -> Outcome {
        match self {
            Reading::Published(published) => published.each(visit),
            Reading::Vault(vault) => (0..size).try_for_each(|index| {
                let read = vault.journal.open_record(index).unreachable("the journal")?;
                visit(Record { index, leaf: read.leaf, sealed: read.sealed.filter(|_| opened) })
            }),
        }
    }

    /// Records the reading, where there is a journal to record it in.
    pub(crate) async fn note(&self, what: &str, records: u64) -> Outcome {
        match self {
            Reading::Published(_) => Ok(()),
            Reading::Vault(vault) => vault.note(what, records, None).await,
        }
    }

    /// Who exports. The OIN: the one given, or that of the gateway's certificate.
    pub(crate) fn producer(&self, source: &LogSource, activity: Option<&str>) -> Outcome<Producer> {
        let (oin, name) = match self {
            Reading::Vault(vault) => (vault.by.oin, vault.config.log.origin.clone()),
            Reading::Published(published) => {
                (producer_of(source, &published.place)?, published.verified.checkpoint().origin.to_string())
            }
        };
        let activity =
            activity.map_or_else(|| format!("https://{name}/verwerkingsactiviteit"), str::to_owned);
        Ok(Producer { oin, name, version: env!("CARGO_PKG_VERSION").to_owned(), activity })
    }

    /// Publishes what was recorded of the reading.
    pub(crate) fn close(self) -> Outcome {
        match self {
            Reading::Published(_) => Ok(()),
            Reading::Vault(vault) => vault.close(),
        }
    }
}

fn producer_of(source: &LogSource, log: &Path) -> Outcome<Oin> {
    if let Some((oin, _)) = &source.keys.by {
        return Ok(*oin);
    }
    // A log that stands in its gateway's own folder, as in the demo's, is that gateway's.
    let config = log.with_file_name("gateway.toml");
    if !config.is_file() {
        return Err(Failure::Use("say whose log this is: --by OIN:ROLE".into()));
    }
    oin_of(&Config::read(&config, std::env::vars())?.tls.certificate)
}

/// A moment as people read it (RFC 3339, UTC).
pub(crate) fn moment(time: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(time.unix_millis())
        .map_or_else(|_| "?".to_owned(), |time| time.to_string())
}
