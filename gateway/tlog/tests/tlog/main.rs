//! The log over HTTPS as its readers and its witnesses meet it: real TLS, real sockets, a real journal.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails by panicking")]

mod served;
mod witnessed;
mod witnesses;
mod world;
