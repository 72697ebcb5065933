//! The commands: one file each, named as on the command line.

pub(crate) mod ask;
pub(crate) mod collect;
pub(crate) mod filter;
pub(crate) mod log;
pub(crate) mod pki;
pub(crate) mod policy;
pub(crate) mod screen;
pub(crate) mod send;
pub(crate) mod serve;
