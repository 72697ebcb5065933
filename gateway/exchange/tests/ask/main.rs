//! Asks over real TLS, from an employer through the gateway to UWV's own service and back.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails by panicking")]

mod bad;
mod calls;
mod source;
mod world;
