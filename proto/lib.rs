//! The contracts as generated code: the gateway's own services (`veldwacht`) and the shipped domain (`werkfit`).
//!
//! Generated only: nothing is written here by hand but this file. No message has a `Debug`, so that none can be
//! printed by accident: what a document holds never reaches a log line.

#[allow(missing_docs, clippy::all)]
mod contracts {
    include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
}

pub use contracts::*;

/// Every contract as an encoded `google.protobuf.FileDescriptorSet`, with the options `(veldwacht.klasse)` in it.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));
