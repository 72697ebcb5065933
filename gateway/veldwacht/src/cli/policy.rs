//! `veldwacht policy …` on the command line.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use model::{Purpose, Role};

use super::{Gateway, Route, Step};

#[derive(Subcommand)]
pub(crate) enum Policy {
    /// Validate, enumerate and prove a bundle; then measure its load, and make mistakes in it to see that they are caught
    #[command(after_help = "Example:\n  veldwacht policy check policies")]
    Check {
        /// The bundle
        bundle: PathBuf,
        /// Only the proof: without loads of more rules, and without mutants
        #[arg(long)]
        quick: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Class × role
    #[command(after_help = "Example:\n  veldwacht policy matrix policies --purpose voortgang --format csv")]
    Matrix {
        /// The bundle
        bundle: PathBuf,
        /// Only this purpose
        #[arg(long)]
        purpose: Option<Purpose>,
        /// Only this role of the receiver
        #[arg(long)]
        role: Option<Role>,
        /// Layout
        #[arg(long, default_value = "table")]
        format: MatrixFormat,
        /// Print one JSON document a row
        #[arg(long)]
        json: bool,
    },
    /// What one receiver would get of a document: field by field, with rule and sentence
    #[command(
        after_help = "Examples:\n  veldwacht policy simulate policies --type werkfit.v1.MedischVerslag --sender 00000099000000003000 --receiver 00000099000000004000:coach --purpose beoordeling_belastbaarheid --consent verleend verslag.json\n  veldwacht policy simulate CHANGE --as certs/dev/operators/anna.pem --type … verslag.json"
    )]
    Simulate {
        /// The bundle; with `--as`, a change that was proposed to the gateway
        bundle: PathBuf,
        #[command(flatten)]
        route: Route,
        /// Try the change of this id, at the gateway, as this operator: that is its simulation
        #[arg(long = "as", value_name = "CERT")]
        certificate: Option<PathBuf>,
        #[command(flatten)]
        at: Gateway,
        /// The document
        file: PathBuf,
    },
    /// Cells that change between two bundles; 1 when anything widens
    #[command(after_help = "Example:\n  veldwacht policy diff policies draft")]
    Diff {
        /// The bundle as it is
        old: PathBuf,
        /// The bundle as it would be
        new: PathBuf,
        /// Print one JSON document a change
        #[arg(long)]
        json: bool,
    },
    /// Run the tests beside the policies
    #[command(after_help = "Example:\n  veldwacht policy test policies")]
    Test {
        /// The bundle
        bundle: PathBuf,
        /// Print one JSON document a test
        #[arg(long)]
        json: bool,
    },
    /// A draft over what was delivered in the past, from the published log
    #[command(after_help = "Example:\n  veldwacht policy replay draft --log demo/log")]
    Replay {
        /// The draft; with `--as`, a change that was proposed to the gateway
        bundle: PathBuf,
        /// The published log
        #[arg(long, required_unless_present = "certificate", conflicts_with = "certificate")]
        log: Option<PathBuf>,
        /// Over the log of the gateway itself, as this operator: that is the change's simulation
        #[arg(long = "as", value_name = "CERT")]
        certificate: Option<PathBuf>,
        /// Its verifier key: a file, or the key itself; `LOG.vkey` beside the log if left out
        #[arg(long, value_name = "VKEY")]
        key: Option<String>,
        #[command(flatten)]
        at: Gateway,
    },
    /// Sign a bundle, or its guardrails
    #[command(
        after_help = "Example:\n  veldwacht policy sign policies --key certs/dev/signers/officer-1.key.pem"
    )]
    Sign {
        /// The bundle
        bundle: PathBuf,
        /// The signer's key, Ed25519 (PEM); the signer is called after its file
        #[arg(long)]
        key: PathBuf,
        /// Sign the guardrails instead of the policies
        #[arg(long)]
        guardrails: bool,
    },
    #[command(flatten)]
    Step(Step),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatrixFormat {
    /// For the eye
    Table,
    /// purpose,sender,role,class,form,rule
    Csv,
    /// A page to print
    Html,
}
