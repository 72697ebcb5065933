//! The commands: one file each, named as on the command line.

pub(crate) mod ask;
pub(crate) mod backup;
mod change;
mod check;
pub(crate) mod collect;
pub(crate) mod erase;
mod export;
pub(crate) mod filter;
pub(crate) mod held;
mod inzage;
pub(crate) mod log;
pub(crate) mod pki;
pub(crate) mod policy;
mod reading;
mod receivers;
mod reconcile;
mod replay;
mod sample;
pub(crate) mod screen;
mod search;
pub(crate) mod send;
pub(crate) mod serve;
mod source;
pub(crate) mod traject;
pub(crate) mod vault;
mod witness;
