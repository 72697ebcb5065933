//! A published log, wherever it is: a folder, or an address that is read over HTTPS.
//!
//! Owns: telling the two apart. Neither is believed: `ledger` checks what comes from both alike.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ledger::{TileSource, Unreadable};
use tlog::RemoteLog;
use tokio::runtime::Handle;

use crate::failure::{Doing, Outcome};
use crate::public_log::client;

/// Where a published log is read.
pub(crate) enum Source {
    Folder(PathBuf),
    Remote(Box<RemoteLog>),
}

impl Source {
    /// A folder, or what begins with `https://` (`http://` for this machine); `ca` is for the latter.
    pub(crate) fn open(log: &Path, ca: Option<&Path>) -> Outcome<Source> {
        match address(log) {
            Some(url) => {
                let remote = RemoteLog::new(client(ca)?, url, Handle::current()).wrong(url)?;
                Ok(Source::Remote(Box::new(remote)))
            }
            None => Ok(Source::Folder(log.to_owned())),
        }
    }
}

/// The address, if it is one.
pub(crate) fn address(log: &Path) -> Option<&str> {
    log.to_str().filter(|text| text.starts_with("https://") || text.starts_with("http://"))
}

impl TileSource for Source {
    fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable> {
        match self {
            Source::Remote(remote) => remote.read(path),
            Source::Folder(folder) => std::fs::read(folder.join(path)).map_err(|error| match error.kind() {
                ErrorKind::NotFound => Unreadable::Missing,
                kind => Unreadable::Failed(kind.to_string()),
            }),
        }
    }
}
