//! `veldwacht held …`: names and flags of what officers do about held texts.

use std::path::PathBuf;

use clap::Subcommand;
use ledger::DeliveryId;

use crate::cli::Operator;

#[derive(Subcommand)]
pub(crate) enum Held {
    /// What is held, oldest first; opens no text
    #[command(after_help = "Example:\n  veldwacht held list --as certs/dev/operators/anna.pem")]
    List {
        #[command(flatten)]
        operator: Operator,
    },
    /// The texts of one held delivery in which something was found; recorded before it is shown
    #[command(
        after_help = "Example:\n  veldwacht held show 5f0c1de2a3b44c55d6e7f8090a1b2c3d --as certs/dev/operators/anna.pem"
    )]
    Show {
        /// The delivery
        delivery: DeliveryId,
        #[command(flatten)]
        operator: Operator,
    },
    /// Propose a release; from another officer: confirm it, and the receiver may collect
    #[command(
        after_help = "Example:\n  veldwacht held release 5f0c1de2a3b44c55d6e7f8090a1b2c3d --ground vals-alarm --as certs/dev/operators/bram.pem"
    )]
    Release {
        /// The delivery
        delivery: DeliveryId,
        /// Why, as a code
        #[arg(long)]
        ground: String,
        #[command(flatten)]
        operator: Operator,
    },
    /// Keep it held, for good
    #[command(
        after_help = "Example:\n  veldwacht held refuse 5f0c1de2a3b44c55d6e7f8090a1b2c3d --ground bijzonder-gegeven --as certs/dev/operators/bram.pem"
    )]
    Refuse {
        /// The delivery
        delivery: DeliveryId,
        /// Why, as a code
        #[arg(long)]
        ground: String,
        #[command(flatten)]
        operator: Operator,
    },
    /// Which past texts another lexicon would have stopped: by hash and rule, never by content
    ///
    /// Texts are not kept. Only deliveries that still wait have one to look at; of the others the answer says how many they
    /// are, and which rules held texts back. That you looked is recorded.
    #[command(
        after_help = "Example:\n  veldwacht held would-stop --lexicon policies/lexicon --as certs/dev/operators/anna.pem"
    )]
    WouldStop {
        /// The folder of the other lexicon
        #[arg(long)]
        lexicon: PathBuf,
        #[command(flatten)]
        operator: Operator,
    },
}
