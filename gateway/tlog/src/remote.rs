//! A published log elsewhere, read over HTTPS: what `log verify URL` and every auditor's tool does.
//!
//! Owns: paths to requests. Believes nothing: what comes back is checked by `ledger` as files on disk are.

use ledger::{TileSource, Unreadable};
use tokio::runtime::Handle;

use crate::client::{Http, HttpError};

/// The largest file of a log: a bundle of 256 entries of 65,535 bytes, each with its length.
const LONGEST: usize = 256 * (65_535 + 2);

/// A log at an address. Reads by blocking its thread: for worker threads of a runtime with several, not for tasks.
pub struct RemoteLog {
    http: Http,
    prefix: String,
    runtime: Handle,
}

impl RemoteLog {
    /// The log at `url`, the address before `/checkpoint`.
    ///
    /// # Errors
    /// [`HttpError::Address`].
    pub fn new(http: Http, url: &str, runtime: Handle) -> Result<RemoteLog, HttpError> {
        let prefix = url.trim_end_matches('/').to_owned();
        crate::client::address(&prefix).ok_or_else(|| HttpError::Address(url.to_owned()))?;
        Ok(RemoteLog { http, prefix, runtime })
    }
}

impl TileSource for RemoteLog {
    fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable> {
        let url = format!("{}/{path}", self.prefix);
        let get = || self.runtime.block_on(self.http.get(&url, LONGEST));
        let answer =
            tokio::task::block_in_place(get).map_err(|error| Unreadable::Failed(error.to_string()))?;
        match answer.status().as_u16() {
            200 => Ok(answer.into_body().into()),
            404 | 410 => Err(Unreadable::Missing),
            status => Err(Unreadable::Failed(format!("status {status}"))),
        }
    }
}
