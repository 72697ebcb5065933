//! The web console: what passes, what may, what did. For officers, auditors and beheerders, in Dutch and English.
//!
//! Owns: the operators' listener, sessions, and pages. Every act and every look goes to `oversight`, which checks and
//! records it; nothing is decided here, and no document on its way is ever seen (no `exchange`). Everything a page
//! needs is in the binary: no other address is asked for anything.
//!
//! Reading order: `serve` (a connection) → `enter` (who is it, is the form theirs) → `pages` (which page) → the page.

mod serve;

mod enter;
mod fault;
mod form;
mod guard;
mod links;
mod pages;
mod session;
mod visitor;

mod assets;
mod marked;
mod shell;
mod show;
mod words;

mod live;
mod overview;

mod audit;
mod held;
mod inzage;
mod policies;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use journal::{LogFiles, Published};
use ledger::{Producer, VerifierKey};
use model::Timestamp;
use oversight::Oversight;
use rustls::ServerConfig;
use tokio::sync::watch;

pub use links::Link;
pub use serve::{serve, serve_loopback};

use session::Sessions;

/// Makes the TLS configuration of one connection, so that renewed certificates and lists count at once. It has to ask
/// clients for a certificate.
pub type Tls = Arc<dyn Fn() -> io::Result<Arc<ServerConfig>> + Send + Sync>;

/// Asks how many witnesses have to cosign, and how each of them does.
pub type Watched = Arc<dyn Fn() -> (usize, Vec<Witness>) + Send + Sync>;

/// Asks what a draft in the shadow would have done otherwise.
pub type Shadow = Arc<dyn Fn() -> Option<Shadowed> + Send + Sync>;

/// A witness of the published log.
pub struct Witness {
    /// The name of its key.
    pub name: String,
    /// How many records the last checkpoint had that it cosigned, and when.
    pub cosigned: Option<(u64, Timestamp)>,
    /// Why it does not cosign now.
    pub trouble: Option<String>,
}

/// What a draft would have done otherwise, by counts.
pub struct Shadowed {
    /// The draft's number.
    pub number: u64,
    /// How many decisions were compared.
    pub decisions: u64,
    /// Where, what, how often.
    pub differences: Vec<(String, String, u64)>,
}

/// What a console works with.
pub struct Setup {
    /// What operators may do.
    pub oversight: Arc<Oversight>,
    /// The published log.
    pub log: LogFiles,
    /// What of it is published.
    pub published: watch::Receiver<Published>,
    /// The key it is verified with.
    pub verifier: VerifierKey,
    /// Who exports.
    pub producer: Producer,
    /// How many witnesses have to cosign, and how each of them does.
    pub witnesses: Watched,
    /// What a draft in the shadow of the rules in force would have done otherwise; none when there is no draft.
    pub shadow: Shadow,
    /// After how long without a request a session ends.
    pub idle: Duration,
}

/// A console, shared by all connections.
pub struct Console {
    setup: Setup,
    sessions: Sessions,
    work_lists: audit::WorkLists,
    drafts: policies::Drafts,
    /// Held while the whole log is checked: by one visitor at a time.
    checking: tokio::sync::Mutex<()>,
}

impl Console {
    /// A console. It is served by [`serve`].
    pub fn new(setup: Setup) -> Arc<Console> {
        let sessions = Sessions::new(setup.idle);
        let data = setup.oversight.journal().folder().to_owned();
        let work_lists = audit::WorkLists::new(data.join("worklists"));
        let drafts = policies::Drafts::new(data.join("drafts"));
        Arc::new(Console { setup, sessions, work_lists, drafts, checking: tokio::sync::Mutex::default() })
    }

    fn oversight(&self) -> &Arc<Oversight> {
        &self.setup.oversight
    }
}
