//! HTTP/2 within limits: what one connection may ask of the gateway.
//!
//! Owns: the settings of the HTTP/2 layer that stand against abuse (rapid reset, CVE-2023-44487; floods of headers and
//! continuations, CVE-2024-27316; half-open connections), in one place, each with its reason. Limits on what an
//! organisation may do over all its connections are not here.

use std::time::Duration;

/// What one connection may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http2 {
    /// Streams at once. A caller with more to do waits, or opens another connection.
    pub streams: u32,
    /// Bytes of one request's headers; an assertion takes about 700 of them.
    pub header_bytes: u32,
    /// Streams that were reset and not yet handled; more and the connection is closed.
    pub pending_resets: usize,
    /// Streams that this side reset for errors of the other; more and the connection is closed.
    pub error_resets: usize,
    /// Bytes in flight to the gateway for one stream.
    pub stream_window: u32,
    /// Bytes in flight to the gateway for one connection: with the number of connections, the bound on memory.
    pub connection_window: u32,
    /// How often a silent peer is asked whether it is there.
    pub keepalive_interval: Duration,
    /// How long it may take to answer.
    pub keepalive_timeout: Duration,
    /// After this a connection is asked to end (GOAWAY), and comes back through the door. What calls it then has get
    /// time: until [`Limits::connection_lifetime`](super::Limits::connection_lifetime).
    pub connection_age: Duration,
    /// Whether messages may be compressed (gzip), both ways. Off: the length of what is compressed tells of its content.
    pub compression: bool,
}

impl Default for Http2 {
    fn default() -> Http2 {
        Http2 {
            streams: 128,
            header_bytes: 16 * 1024,
            pending_resets: 20,
            error_resets: 64,
            stream_window: 256 * 1024,
            connection_window: 1024 * 1024,
            keepalive_interval: Duration::from_secs(20),
            keepalive_timeout: Duration::from_secs(10),
            connection_age: Duration::from_secs(3_600),
            compression: false,
        }
    }
}
