//! What the journal promises, played on real files: one binary, one file for each promise.

mod basics;
mod faults;
mod simulated;
mod support;
