//! `veldwacht log …` on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use ledger::{Decision, Format, KeyName, Kind};
use model::{DataClass, ExchangeId, Oin, Role, Timestamp};

use super::party;

#[derive(Subcommand)]
pub(crate) enum Log {
    /// Recompute everything from tiles and entries, and check signatures and witnesses, offline
    #[command(
        after_help = "Examples:\n  veldwacht log verify demo/log --key demo/log.vkey\n  veldwacht log verify https://log.example/2026 --key log.vkey --policy trust.policy"
    )]
    Verify {
        /// The published log: a folder, or the address before `/checkpoint`
        #[arg(value_name = "DIR|URL")]
        log: PathBuf,
        /// The log's verifier key: a file, or the key itself
        #[arg(long, value_name = "VKEY")]
        key: String,
        /// A trust file (C2SP tlog-policy) with witnesses and a quorum
        #[arg(long, value_name = "TRUST")]
        policy: Option<PathBuf>,
        #[command(flatten)]
        ca: Ca,
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
        #[arg(long, value_name = "DIR|URL")]
        log: PathBuf,
        #[command(flatten)]
        ca: Ca,
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
    /// Records by client, organisation, user, time, class or decision; that someone searched is recorded
    #[command(
        after_help = "Example:\n  veldwacht log search --organisation 00000099000000004000 --decision refused --from 2026-11-01 --config demo/gateway.toml"
    )]
    Search(Box<Search>),
    /// Two gateways' logs side by side: what one says it delivered and the other did not get; 1 when they differ
    #[command(
        after_help = "Example:\n  veldwacht log reconcile https://log.uwv.example/2026 https://log.werkgever.example/2026 --key uwv.vkey --other-key werkgever.vkey --between 00000099000000002000 --between 00000099000000005000"
    )]
    Reconcile(Box<Reconcile>),
    /// Be a witness of other logs (C2SP tlog-witness): cosign what verifiably grew, and nothing else
    #[command(
        after_help = "Example:\n  veldwacht log witness --listen 127.0.0.1:8600 --state witness --name witness.gemeente.example --log demo/log.vkey"
    )]
    Witness(Witness),
}

/// Two published logs to compare. Both are verified first.
#[derive(Args)]
pub(crate) struct Reconcile {
    /// The one log
    #[arg(value_name = "DIR|URL")]
    pub(crate) first: PathBuf,
    /// The other log
    #[arg(value_name = "DIR|URL")]
    pub(crate) second: PathBuf,
    /// The one's verifier key: a file, or the key itself; `DIR.vkey` beside it if left out
    #[arg(long, value_name = "VKEY")]
    pub(crate) key: Option<String>,
    /// The other's verifier key
    #[arg(long, value_name = "VKEY")]
    pub(crate) other_key: Option<String>,
    /// Only deliveries between these organisations, which use both gateways; repeat. Every delivery, if left out
    #[arg(long, value_name = "OIN")]
    pub(crate) between: Vec<Oin>,
    #[command(flatten)]
    pub(crate) ca: Ca,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Whom to believe about an address.
#[derive(Args)]
pub(crate) struct Ca {
    /// The authorities (PEM) of a log that is read over HTTPS; those of this machine, if left out
    #[arg(long, value_name = "PEM")]
    pub(crate) ca: Option<PathBuf>,
}

/// What to search for; a record is found when it has all that is given.
#[derive(Args)]
pub(crate) struct Search {
    /// The client's BSN. Read as it is: a parser's error would repeat it
    #[arg(long, value_name = "BSN")]
    pub(crate) client: Option<String>,
    /// The user who acted, as assertions name them
    #[arg(long, value_name = "USER")]
    pub(crate) of_user: Option<String>,
    /// The exchange
    #[arg(long)]
    pub(crate) exchange: Option<ExchangeId>,
    /// An organisation that took part
    #[arg(long, value_name = "OIN")]
    pub(crate) organisation: Option<Oin>,
    /// A class of which something passed, was withheld or was held back
    #[arg(long)]
    pub(crate) class: Option<DataClass>,
    /// A decision for some receiver: delivered, returned or refused
    #[arg(long, value_parser = decision)]
    pub(crate) decision: Option<Decision>,
    /// The kind of record: sent, handed_out, refused, …
    #[arg(long, value_parser = kind)]
    pub(crate) kind: Option<Kind>,
    /// From this day on, `2026-11-22`
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub(crate) from: Option<Timestamp>,
    /// Up to and with this day
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub(crate) until: Option<Timestamp>,
    /// At most so many
    #[arg(long, default_value_t = 1000)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) keys: Keys,
    /// One JSON document a record
    #[arg(long)]
    pub(crate) json: bool,
}

fn decision(text: &str) -> Result<Decision, String> {
    let all = [Decision::Delivered, Decision::Returned, Decision::Refused];
    all.into_iter().find(|decision| decision.name() == text).ok_or("delivered, returned or refused".into())
}

fn kind(text: &str) -> Result<Kind, String> {
    let names = || Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    Kind::ALL.iter().copied().find(|kind| kind.name() == text).ok_or_else(names)
}

/// The first moment of a day, UTC: the views know days.
fn day(text: &str) -> Result<Timestamp, String> {
    let date: jiff::civil::Date = text.parse().map_err(|_| "a day, `2026-11-22`")?;
    let moment = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| "a day that there is")?;
    Ok(Timestamp::from_unix_millis(moment.timestamp().as_millisecond()))
}

/// A witness of other organisations' logs.
#[derive(Args)]
pub(crate) struct Witness {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// What it remembers, and its key: made at the first start, never to be lost or copied back
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// A log that it watches: its verifier key, or a file with it; repeat for more. Those in `logs` in the state folder,
    /// one a line, are watched too
    #[arg(long = "log", value_name = "VKEY")]
    pub(crate) logs: Vec<String>,
    /// Its name, a URL without scheme; kept with the key
    #[arg(long)]
    pub(crate) name: Option<KeyName>,
    /// Its certificate (PEM); without one it speaks HTTP, on this machine only, for a proxy before it
    #[arg(long, value_name = "PEM", requires = "tls_key")]
    pub(crate) certificate: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "PEM", requires = "certificate")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the log is read: its published files, or the data folder of a gateway that is stopped.
#[derive(Args)]
pub(crate) struct LogSource {
    /// The published log, instead of the data folder: what is sealed stays closed
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) log: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ca: Ca,
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
