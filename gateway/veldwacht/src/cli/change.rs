//! `veldwacht policy …` against a running gateway: the life of a change, on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::ExchangeId;
use policy::Digest;

/// An operator of the gateway: a certificate without OIN, its key beside it.
#[derive(Args)]
pub(crate) struct Operator {
    /// The operator's certificate (PEM); its key stands beside it as `.key.pem`
    #[arg(long = "as", value_name = "CERT")]
    pub(crate) certificate: PathBuf,
    #[command(flatten)]
    pub(crate) at: Gateway,
}

/// Where the gateway is.
#[derive(Args)]
pub(crate) struct Gateway {
    /// The gateway, `host:port`
    #[arg(long, env = "VELDWACHT_GATEWAY", default_value = "localhost:8443")]
    pub(crate) gateway: String,
    /// The CA of the gateway (PEM); `gateway-ca.pem` of the development CA if left out
    #[arg(long)]
    pub(crate) ca: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Step {
    /// Propose a signed bundle in the place of the running one; prints what changes, and what approvers approve
    #[command(after_help = "Example:\n  veldwacht policy propose draft --as certs/dev/operators/anna.pem")]
    Propose {
        /// The bundle, signed
        bundle: PathBuf,
        #[command(flatten)]
        operator: Operator,
    },
    /// Approve a difference in meaning: two others than its author for a widening, one for a narrowing
    #[command(
        after_help = "Example:\n  veldwacht policy approve 01a1ee56-5e64-7909-8909-090909090909 --difference $(cat seen) --as certs/dev/operators/bram.pem"
    )]
    Approve {
        /// The change
        change: ExchangeId,
        /// The digest of the difference that you saw (`policy changes CHANGE` prints it)
        #[arg(long)]
        difference: Digest,
        #[command(flatten)]
        operator: Operator,
    },
    /// Reject a change, or take it back
    #[command(
        after_help = "Example:\n  veldwacht policy reject 01a1ee56-5e64-7909-8909-090909090909 --as certs/dev/operators/bram.pem"
    )]
    Reject {
        /// The change
        change: ExchangeId,
        #[command(flatten)]
        operator: Operator,
    },
    /// Put an approved change in force, while calls are in flight
    #[command(
        after_help = "Example:\n  veldwacht policy activate 01a1ee56-5e64-7909-8909-090909090909 --as certs/dev/operators/anna.pem"
    )]
    Activate {
        /// The change
        change: ExchangeId,
        #[command(flatten)]
        operator: Operator,
    },
    /// Propose to go back to what ran before, published again under a higher number
    #[command(
        after_help = "Examples:\n  veldwacht policy rollback --sign certs/dev/signers/officer-1.key.pem --as certs/dev/operators/anna.pem\n  veldwacht policy rollback signed-folder --as certs/dev/operators/anna.pem"
    )]
    Rollback {
        /// The old content under a higher number, signed; what ran before the running bundle, fetched and renumbered, if left out
        bundle: Option<PathBuf>,
        /// Sign what was fetched with this key; repeat for more
        #[arg(long, value_name = "KEY", conflicts_with = "bundle")]
        sign: Vec<PathBuf>,
        #[command(flatten)]
        operator: Operator,
    },
    /// The changes on their way and those before; one of them with what it changes
    #[command(after_help = "Example:\n  veldwacht policy changes --as certs/dev/operators/bram.pem")]
    Changes {
        /// Only this change, cell by cell
        change: Option<ExchangeId>,
        #[command(flatten)]
        operator: Operator,
    },
    /// What the draft in the shadow of the running bundle would have done otherwise
    #[command(after_help = "Example:\n  veldwacht policy shadow --as certs/dev/operators/bram.pem")]
    Shadow {
        #[command(flatten)]
        operator: Operator,
    },
    /// The emergencies that were called, the newest first: look at each
    #[command(after_help = "Example:\n  veldwacht policy escapes --as certs/dev/operators/bram.pem")]
    Escapes {
        #[command(flatten)]
        operator: Operator,
    },
    /// The bundle that decides now, and those that decided before
    #[command(after_help = "Example:\n  veldwacht policy running --as certs/dev/operators/bram.pem")]
    Running {
        /// Write its files to this folder
        #[arg(long)]
        out: Option<PathBuf>,
        #[command(flatten)]
        operator: Operator,
    },
}
