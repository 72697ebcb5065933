//! The published log over HTTPS, as C2SP has it: others read it (tlog-tiles) and witness it (tlog-witness).
//!
//! Owns: HTTP and TLS of everything public. No client certificate is asked for: what is served here is for everybody.
//! Never does: decide what is in the log (`journal`), or by which rule a witness answers (`ledger::witness`).
//!
//! Reading order: `site` (one request, one answer), `served` (the log as a site), `remote` (a log elsewhere),
//! `witness` (being one), `ask` (asking them), `collected` (what they answered),
//! `standing` (how each of them does).

mod ask;
mod client;
mod collected;
mod remote;
mod served;
mod site;
mod standing;
pub mod tls;
mod witness;

pub use ask::{Forbidden, Witness, ask_always, may_start};
pub use client::{Http, HttpError};
pub use collected::Collected;
pub use remote::RemoteLog;
pub use served::ServedLog;
pub use site::{Limits, Site, Transport, serve};
pub use standing::Standing;
pub use witness::{WitnessError, WitnessSite};
