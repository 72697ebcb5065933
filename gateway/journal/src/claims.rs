//! Claims: at most one commit at a time for one exchange id or one delivery.
//!
//! Owns: who is first between the check and the flush. A second one waits, and then finds the first one's record.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{Event, Leaf};
use tokio::sync::Notify;

type Names = HashSet<[u8; 16]>;

/// What commits in flight have claimed.
#[derive(Clone, Default)]
pub(crate) struct Claims {
    taken: Arc<Mutex<Names>>,
    given_back: Arc<Notify>,
}

/// A claim; given back when dropped.
pub(crate) struct Claim {
    claims: Claims,
    names: Vec<[u8; 16]>,
}

impl Claims {
    /// Claims what this record may be the only one to say; waits as long as another has it.
    pub(crate) async fn claim(&self, leaf: &Leaf) -> Claim {
        let names: Vec<[u8; 16]> = match &leaf.event {
            Event::Sent(_) => vec![*leaf.exchange.as_bytes()],
            Event::Acknowledged(carried) | Event::Expired(carried) => {
                carried.to.iter().filter_map(|to| to.delivery).map(|delivery| delivery.0).collect()
            }
            _ => Vec::new(),
        };
        if names.is_empty() {
            return Claim { claims: self.clone(), names };
        }
        loop {
            let given_back = self.given_back.notified();
            if self.take(&names) {
                return Claim { claims: self.clone(), names };
            }
            given_back.await;
        }
    }

    fn take(&self, names: &[[u8; 16]]) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let free = names.iter().all(|name| !taken.contains(name));
        if free {
            taken.extend(names);
        }
        free
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.names.is_empty() {
            return;
        }
        let mut taken = self.claims.taken.lock().unwrap_or_else(PoisonError::into_inner);
        self.names.iter().for_each(|name| {
            taken.remove(name);
        });
        drop(taken);
        self.claims.given_back.notify_waiters();
    }
}
