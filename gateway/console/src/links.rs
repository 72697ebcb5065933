//! One-time links: how a demo lets someone in on the machine it runs on, without a certificate in the browser.
//!
//! Owns: which links there are and that each opens once. A link stands for an operator's certificate, which is checked
//! at every request like any other. Only the loopback listener knows links.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::session::{Presented, random};

/// A link that opens the console once, as one operator.
pub struct Link {
    token: String,
    presented: Presented,
}

impl Link {
    /// A link for the operator with these certificates (DER, leaf first). None when the system has no random bytes.
    pub fn new(certificates: Vec<Vec<u8>>) -> Option<Link> {
        Some(Link { token: random()?, presented: Arc::new(certificates) })
    }

    /// The path of the link.
    pub fn path(&self) -> String {
        format!("{PREFIX}{}", self.token)
    }
}

/// What the path of a link begins with.
pub(crate) const PREFIX: &str = "/enter/";

/// The links that have not been used.
#[derive(Default)]
pub(crate) struct Links(Mutex<HashMap<String, Presented>>);

impl Links {
    pub(crate) fn new(links: Vec<Link>) -> Links {
        Links(Mutex::new(links.into_iter().map(|link| (link.token, link.presented)).collect()))
    }

    /// The certificates that a link stands for; the link is used up.
    pub(crate) fn take(&self, path: &str) -> Option<Presented> {
        let token = path.strip_prefix(PREFIX)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(token)
    }
}
