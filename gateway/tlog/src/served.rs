//! The published log as a site (C2SP tlog-tiles): `GET <prefix>/checkpoint`, `<prefix>/tile/…`.
//!
//! Owns: the prefix, media types and how long an answer may be kept. A tile never changes, so it may be kept for ever; a
//! checkpoint a second; that something is not there, not at all: it may come. Reads `LogFiles`, writes nothing.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use journal::LogFiles;
use ledger::{KeyName, TileSource, Unreadable};

use crate::collected::Collected;
use crate::site::{Site, set, text};

const CHECKPOINT: &str = "checkpoint";

/// The log of one gateway.
pub struct ServedLog {
    prefix: String,
    files: LogFiles,
    collected: Arc<Collected>,
}

impl ServedLog {
    /// The log in these files. Its prefix is the path of its origin, `/2026` of `log.veldwacht.example/2026`: the origin
    /// with `https://` before it is its address. Of the checkpoints that are known the one is shown that witnesses have
    /// cosigned.
    pub fn new(origin: &KeyName, files: LogFiles, collected: Arc<Collected>) -> ServedLog {
        ServedLog { prefix: prefix_of(origin), files, collected }
    }

    /// The path before `/checkpoint`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

fn prefix_of(origin: &KeyName) -> String {
    let path = origin.as_str().split_once('/').map_or("", |(_, path)| path.trim_end_matches('/'));
    if path.is_empty() { String::new() } else { format!("/{path}") }
}

impl Site for ServedLog {
    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "a log is only read: GET or HEAD");
            refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        let path = request.uri().path().strip_prefix(&self.prefix).and_then(|path| path.strip_prefix('/'));
        let Some(path) = path else { return text(StatusCode::NOT_FOUND, "there is no such log here") };
        if path == CHECKPOINT
            && let Some(note) = self.collected.note()
        {
            return checkpoint(note.to_string().into());
        }
        match self.files.read(path) {
            Ok(bytes) if path == CHECKPOINT => checkpoint(bytes.into()),
            Ok(bytes) => {
                let mut response = Response::new(bytes.into());
                set(&mut response, "application/octet-stream", "public, max-age=31536000, immutable");
                response
            }
            Err(Unreadable::Missing) => text(StatusCode::NOT_FOUND, "this log has no such file"),
            Err(Unreadable::Failed(why)) => {
                tracing::error!(path, why, "a file of the published log cannot be read");
                text(StatusCode::INTERNAL_SERVER_ERROR, "the file cannot be read now; try again")
            }
        }
    }
}

fn checkpoint(bytes: Bytes) -> Response<Bytes> {
    let mut response = Response::new(bytes);
    set(&mut response, "text/plain; charset=utf-8", "public, max-age=1");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_log_is_its_origin() {
        let prefix = |origin: &str| prefix_of(&origin.parse().unwrap());
        assert_eq!(prefix("log.example/2026"), "/2026");
        assert_eq!(prefix("log.example/regio/2026/"), "/regio/2026");
        assert_eq!(prefix("log.example"), "");
    }
}
