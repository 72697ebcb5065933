//! `veldwacht pki …` and `veldwacht assert` on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{Name, Oin, Purpose, Role};

#[derive(Subcommand)]
pub(crate) enum Pki {
    /// Make a CA with every organisation of a bundle, one system a role
    #[command(after_help = "Example:\n  veldwacht pki init --dir certs/dev")]
    Init {
        /// A fresh folder
        #[arg(long)]
        dir: PathBuf,
        /// The bundle whose organisations join; the shipped one if left out
        #[arg(long)]
        bundle: Option<PathBuf>,
        /// A name of the gateway beside `localhost`; repeat for more
        #[arg(long)]
        host: Vec<String>,
    },
    /// Issue a certificate for a system or an operator, or a key for a signer
    #[command(
        after_help = "Example:\n  veldwacht pki issue --dir certs/dev --oin 00000099000000004000 --system planning"
    )]
    Issue {
        /// The folder of the CA
        #[arg(long)]
        dir: PathBuf,
        #[command(flatten)]
        whom: IssueTo,
        /// A role that the operator has, or that the organisation's key may assert; repeat for more
        #[arg(long)]
        role: Vec<Role>,
        /// The kind of a new organisation: gemeente, uwv, ggz, rib …
        #[arg(long, requires = "organisation")]
        kind: Option<Name>,
    },
    /// Take back a certificate, by its file or serial number, and write the revocation lists
    #[command(after_help = "Example:\n  veldwacht pki revoke --dir certs/dev rib/coach.pem")]
    Revoke {
        /// The folder of the CA
        #[arg(long)]
        dir: PathBuf,
        /// File in the folder, or serial number
        which: String,
    },
    /// Everything that was issued
    #[command(after_help = "Example:\n  veldwacht pki list --dir certs/dev --json")]
    List {
        /// The folder of the CA
        #[arg(long)]
        dir: PathBuf,
        /// Print one JSON document a line
        #[arg(long)]
        json: bool,
    },
}

/// To whom: exactly one of these.
#[derive(Args)]
#[group(required = true)]
pub(crate) struct IssueTo {
    /// A system, with `--oin`
    #[arg(long, requires = "oin")]
    pub(crate) system: Option<Name>,
    /// The organisation of the system, or the number of a new organisation
    #[arg(long)]
    pub(crate) oin: Option<Oin>,
    /// The name of a new organisation, with `--oin`, `--kind`, `--role` and `--system`
    #[arg(long, requires_all = ["oin", "system"], value_name = "NAME")]
    pub(crate) organisation: Option<String>,
    /// An operator, with `--role`
    #[arg(long, conflicts_with_all = ["system", "oin"])]
    pub(crate) operator: Option<Name>,
    /// Someone who signs bundles, guardrails or checkpoints
    #[arg(long, conflicts_with_all = ["system", "oin", "operator"])]
    pub(crate) signer: Option<Name>,
}

#[derive(Args)]
pub(crate) struct Assert {
    /// The key that signs (PEM)
    #[arg(long)]
    pub(crate) key: PathBuf,
    /// The certificate that the assertion is bound to (PEM)
    #[arg(long)]
    pub(crate) cert: PathBuf,
    /// The role
    #[arg(long)]
    pub(crate) role: Role,
    /// The user
    #[arg(long)]
    pub(crate) user: String,
    /// The purpose; an assertion without one is good for collecting only
    #[arg(long)]
    pub(crate) purpose: Option<Purpose>,
    /// BIG number, for a role that needs one
    #[arg(long)]
    pub(crate) big: Option<String>,
    /// Call an emergency, for this reason of the bundle's list: consents are not waited for, an officer is told
    #[arg(long, value_name = "REASON")]
    pub(crate) spoed: Option<Name>,
    /// The gateway's name
    #[arg(long, default_value = "veldwacht")]
    pub(crate) audience: String,
    /// Seconds that it lasts, at most 300
    #[arg(long, default_value_t = 300)]
    pub(crate) lifetime: i64,
}
