//! The main job, end to end: the real binary as separate processes, real mutual TLS, real files.
//!
//! `harness` makes a development CA and runs a gateway; `member` is an organisation's own client, for what the command
//! line would never send; `officers` makes bundles and signs them. Each other file holds one promise of the gateway. `VELDWACHT_KILLS=100` kills it more often.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test fails by panicking"
)]

mod harness;
mod member;
mod source;
mod trajects;

mod check_text;
mod commands;
mod crash;
mod damaged_bundles;
mod demo;
mod edge;
mod escape;
mod foreign;
mod held;
mod interop;
mod mailbox;
mod officers;
mod policies;
mod pressure;
mod python;
mod receipts;
mod records;
mod reflection;
mod refusals;
mod renewal;
mod secrecy;
mod soak;
mod weakness;
mod witness;
