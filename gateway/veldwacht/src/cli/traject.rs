//! `veldwacht traject …`: names and flags of what organisations state about a client's traject.

use clap::{Args, Subcommand};
use model::Oin;

use crate::cli::Caller;

#[derive(Subcommand)]
pub(crate) enum Traject {
    /// Open one, or say anew who takes part
    #[command(
        after_help = "Example:\n  veldwacht traject open --as certs/dev/gemeente/klantmanager.pem --client 999990019 --with 00000099000000004000"
    )]
    Open {
        #[command(flatten)]
        about: About,
        /// Another organisation that takes part; repeat for more
        #[arg(long = "with", value_name = "OIN", required = true)]
        parties: Vec<Oin>,
        /// The phase; the first of the bundle if left out
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        phase: u8,
    },
    /// State in which phase it is now
    #[command(
        after_help = "Example:\n  veldwacht traject enter --as certs/dev/rib/coach.pem --client 999990019 --phase 3"
    )]
    Enter {
        #[command(flatten)]
        about: About,
        /// The phase
        #[arg(long)]
        phase: u8,
        /// Which one, where the organisation has more with this client: another organisation in it
        #[arg(long, value_name = "OIN")]
        with: Option<Oin>,
    },
    /// State that it ended
    #[command(
        after_help = "Example:\n  veldwacht traject end --as certs/dev/rib/coach.pem --client 999990019"
    )]
    End {
        #[command(flatten)]
        about: About,
        /// As with `enter`
        #[arg(long, value_name = "OIN")]
        with: Option<Oin>,
    },
    /// The trajects of the own organisation with a client
    #[command(
        after_help = "Example:\n  veldwacht traject list --as certs/dev/rib/coach.pem --client 999990019"
    )]
    List {
        #[command(flatten)]
        about: About,
    },
}

/// Who states it, and about whom.
#[derive(Args)]
pub(crate) struct About {
    #[command(flatten)]
    pub(crate) caller: Caller,
    /// The client's BSN. Read as it is: a parser's error would repeat it
    #[arg(long, value_name = "BSN")]
    pub(crate) client: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
