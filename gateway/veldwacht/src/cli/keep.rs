//! Erasing, backup and restore on the command line.

use std::path::PathBuf;

use clap::Args;
use model::Name;

use super::log::Keys;

#[derive(Args)]
pub(crate) struct Erase {
    /// The client's BSN. Read as it is: a parser's error would repeat it
    #[arg(long, value_name = "BSN")]
    pub(crate) client: String,
    /// The ground of the erasure, `avg-17-1-b`
    #[arg(long)]
    pub(crate) ground: Name,
    #[command(flatten)]
    pub(crate) keys: Keys,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Backup {
    /// The folder of the copy: a new one to back up to, or the one to restore from
    pub(crate) dir: PathBuf,
    /// The configuration, which names the data folder
    #[arg(long, env = "VELDWACHT_CONFIG", default_value = "gateway.toml")]
    pub(crate) config: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
