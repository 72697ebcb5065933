//! What was read of a client a moment ago: its consents and trajects, which every decision about it asks for.
//!
//! Owns: a bounded memory of them, forgotten when a record changes them. Holds nothing that the store does not; a miss
//! costs a look there.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::ClientPseudonym;

use super::{ConsentRecord, TrajectRecord};

/// At most so many clients are remembered; then it begins again.
const MOST: usize = 16_384;

/// What organisations stated about a client.
pub(crate) struct Stated {
    pub(crate) consents: Arc<[ConsentRecord]>,
    pub(crate) trajects: Arc<[TrajectRecord]>,
}

/// The memory.
#[derive(Default)]
pub(super) struct Remembered(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// How often something was forgotten: what was read before that may be old.
    forgotten: u64,
    clients: HashMap<ClientPseudonym, Arc<Stated>>,
}

impl Remembered {
    /// What is remembered of a client, or what `read` finds.
    pub(super) fn of(
        &self,
        client: ClientPseudonym,
        read: impl FnOnce() -> io::Result<Stated>,
    ) -> io::Result<Arc<Stated>> {
        let before = {
            let inner = self.lock();
            if let Some(stated) = inner.clients.get(&client) {
                return Ok(Arc::clone(stated));
            }
            inner.forgotten
        };
        let stated = Arc::new(read()?);
        let mut inner = self.lock();
        if inner.forgotten == before {
            if inner.clients.len() >= MOST {
                inner.clients.clear();
            }
            inner.clients.insert(client, Arc::clone(&stated));
        }
        Ok(stated)
    }

    /// Forgets a client, once the store has what changed.
    pub(super) fn forget(&self, client: ClientPseudonym) {
        let mut inner = self.lock();
        inner.forgotten += 1;
        inner.clients.remove(&client);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: ClientPseudonym = ClientPseudonym([7; 16]);

    fn nothing() -> Stated {
        Stated { consents: Arc::new([]), trajects: Arc::new([]) }
    }

    #[test]
    fn what_changed_while_it_was_read_is_not_remembered() {
        let remembered = Remembered::default();
        let read = || {
            remembered.forget(CLIENT);
            Ok(nothing())
        };
        let old = remembered.of(CLIENT, read).unwrap();
        let new = remembered.of(CLIENT, || Ok(nothing())).unwrap();
        assert!(!Arc::ptr_eq(&old, &new));
        let again = remembered.of(CLIENT, || Err(io::Error::other("not read again"))).unwrap();
        assert!(Arc::ptr_eq(&new, &again));
        remembered.forget(CLIENT);
        assert!(remembered.of(CLIENT, || Err(io::Error::other("read"))).is_err());
    }
}
