//! What the journal promises, played on real files: one binary, one file for each promise.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test fails by panicking"
)]

mod basics;
mod damage;
mod faults;
mod frozen;
mod full_disk;
mod limits;
mod mailbox;
mod privacy;
mod simulated;
mod support;
