//! The gRPC services: generated types on the outside, the line on the inside.
//!
//! Owns: translation. No decision is made here, and no generated type travels further in than the step that parses it.

pub(crate) mod audit;
pub(crate) mod collect;
pub(crate) mod consent;
pub(crate) mod exchange;
pub(crate) mod held;
mod operator;
pub(crate) mod own;
pub(crate) mod policy;
pub(crate) mod reflection;
pub(crate) mod screening;
pub(crate) mod traject;
