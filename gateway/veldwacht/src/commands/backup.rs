//! `veldwacht backup` and `veldwacht restore`: a copy of the data folder that is checked before anyone relies on it.
//!
//! Owns: nothing but the words. The master secret and the log's signing key are not in a copy: keep them elsewhere.

use std::io::Write;

use journal::{BackupError, Checked};
use ledger::Trust;
use serde_json::json;

use crate::cli;
use crate::config::Config;
use crate::failure::{Doing, Failure, Outcome};
use crate::gateway::log_key;

/// Copies the data folder to a new folder.
pub(crate) fn backup(backup: &cli::Backup, out: &mut impl Write) -> Outcome {
    let (config, trust) = configured(backup)?;
    let copied = journal::backup(&config.data, &backup.dir, &trust);
    tell(backup, copied, "copied", out)
}

/// Puts a copy in place of a data folder that is not there.
pub(crate) fn restore(backup: &cli::Backup, out: &mut impl Write) -> Outcome {
    let (config, trust) = configured(backup)?;
    let copied = journal::restore(&backup.dir, &config.data, &trust);
    tell(backup, copied, "restored", out)
}

fn configured(backup: &cli::Backup) -> Outcome<(Config, Trust)> {
    let config = Config::read(&backup.config, std::env::vars())?;
    let trust = Trust::in_log(log_key(&config)?.verifier());
    Ok((config, trust))
}

fn tell(
    backup: &cli::Backup,
    copied: Result<Checked, BackupError>,
    done: &str,
    out: &mut impl Write,
) -> Outcome {
    let checked = match copied {
        Ok(checked) => checked,
        Err(error @ (BackupError::NotEmpty | BackupError::NoJournal)) => {
            return Err(Failure::Use(error.to_string()));
        }
        Err(error @ BackupError::Disk(_)) => return Err(Failure::Reach(error.to_string())),
        Err(BackupError::Damaged { damage }) => {
            let problems: Vec<String> = damage.iter().map(ToString::to_string).collect();
            let told = json!({ "verified": false, "problems": problems });
            let text = if backup.json { told.to_string() } else { problems.join("\n") };
            writeln!(out, "{text}").unreachable("standard output")?;
            return Err(Failure::No);
        }
    };
    let published = checked.published.map_or(0, |checkpoint| checkpoint.size);
    let text = if backup.json {
        json!({ "verified": true, "records": checked.records, "published": published }).to_string()
    } else {
        format!("{done} and checked: {} records, {published} of them published", checked.records)
    };
    writeln!(out, "{text}").unreachable("standard output")
}
