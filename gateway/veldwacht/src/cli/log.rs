//! `veldwacht log …` on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ledger::Format;
use model::{ExchangeId, Oin, Role};

use super::party;

#[derive(Subcommand)]
pub(crate) enum Log {
    /// Recompute everything from tiles and entries, and check signatures and witnesses, offline
    #[command(after_help = "Example:\n  veldwacht log verify demo/log --key demo/log.vkey")]
    Verify {
        /// The published log
        log: PathBuf,
        /// The log's verifier key: a file, or the key itself
        #[arg(long, value_name = "VKEY")]
        key: String,
        /// A trust file (C2SP tlog-policy) with witnesses and a quorum
        #[arg(long, value_name = "TRUST")]
        policy: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The receipt of one record (C2SP tlog-proof)
    #[command(after_help = "Example:\n  veldwacht log prove 3 --log demo/log > 3.tlog-proof")]
    Prove {
        /// Index of the record
        index: u64,
        /// The published log
        #[arg(long)]
        log: PathBuf,
    },
    /// Check a receipt, offline
    #[command(after_help = "Example:\n  veldwacht log check-proof 3.tlog-proof --key demo/log.vkey")]
    CheckProof {
        /// The receipt
        file: PathBuf,
        /// The log's verifier key: a file, or the key itself
        #[arg(long, value_name = "VKEY")]
        key: String,
        /// A trust file with witnesses and a quorum
        #[arg(long, value_name = "TRUST")]
        policy: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Every record in the words of a norm: one JSON document a line, or a table
    #[command(
        after_help = "Examples:\n  veldwacht log export --format ldv --log demo/log\n  veldwacht log export --format nen7513 --config demo/gateway.toml --user a.auditor"
    )]
    Export {
        /// fsc, ldv, adl, nen7513 (has users, so it needs `--config`) or csv
        #[arg(long)]
        format: Format,
        /// URI of the gateway's own verwerkingsactiviteit, for records without one; made of the origin if left out
        #[arg(long, value_name = "URI")]
        activity: Option<String>,
        #[command(flatten)]
        source: LogSource,
        /// One JSON document a line: every format but csv, which is a table, always does
        #[arg(long)]
        json: bool,
    },
    /// Records to look at: a draw that anyone can repeat, and the ones that stand out
    #[command(
        after_help = "Example:\n  veldwacht log sample --seed 'trekking 2026-11-22' --n 25 --risks --log demo/log"
    )]
    Sample {
        /// Published after the checkpoint was signed: then neither side could steer the draw
        #[arg(long)]
        seed: String,
        /// How many records to draw
        #[arg(long)]
        n: u64,
        /// Also those that stand out: off-hours, refusals, escapes; with `--config` many clients by one user
        #[arg(long)]
        risks: bool,
        #[command(flatten)]
        source: LogSource,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// For one client: who got what, when, why (AVG 15); a page to print, in Dutch
    #[command(
        after_help = "Example:\n  veldwacht log inzage --client 999990019 --config demo/gateway.toml > inzage.html"
    )]
    Inzage {
        /// The client's BSN. Read as it is: a parser's error would repeat it
        #[arg(long, value_name = "BSN")]
        client: String,
        #[command(flatten)]
        keys: Keys,
        /// Print the page; it does, unless `--json` is given
        #[arg(long, conflicts_with = "json")]
        html: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Who has got an exchange: for corrections (AVG 19) and leaks (AVG 33)
    #[command(
        after_help = "Example:\n  veldwacht log receivers --exchange 01931f2e-7c1a-7e55-8c4b-1d2f3a4b5c6d --log demo/log"
    )]
    Receivers {
        /// The exchange
        #[arg(long)]
        exchange: ExchangeId,
        #[command(flatten)]
        source: LogSource,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Where the log is read: its published files, or the data folder of a gateway that is stopped.
#[derive(Args)]
pub(crate) struct LogSource {
    /// The published log, instead of the data folder: what is sealed stays closed
    #[arg(long, value_name = "DIR")]
    pub(crate) log: Option<PathBuf>,
    /// Its verifier key: a file, or the key itself; `DIR.vkey` beside the log if left out
    #[arg(long, value_name = "VKEY", requires = "log")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) keys: Keys,
}

/// A gateway's data folder and keys, and who reads in them: that is recorded.
#[derive(Args)]
pub(crate) struct Keys {
    /// The configuration of the gateway, which must be stopped
    #[arg(long, env = "VELDWACHT_CONFIG", default_value = "gateway.toml")]
    pub(crate) config: PathBuf,
    /// Who acts, as the log records it; the organisation of the gateway's certificate as beheerder, if left out
    #[arg(long, value_name = "OIN:ROLE", value_parser = party)]
    pub(crate) by: Option<(Oin, Role)>,
    /// The user, who stands sealed in the record of this act
    #[arg(long, env = "USER", hide_env_values = true)]
    pub(crate) user: Option<String>,
}
