//! Erasing a client: the key goes, and with it everything that was sealed under it; the log stays whole.
//!
//! Owns: the order of an erasure. First the tombstone is durable, then the key is destroyed: a crash in between is
//! made good at the next start. No commit is in flight meanwhile, so none can be left under a key that is gone.

use std::io;
use std::sync::Arc;

use ledger::{Event, Leaf, SealedPart};
use model::{ClientPseudonym, Reason, Timestamp};

use crate::commit::{Commit, Recorded};
use crate::error::{CommitError, ReadError};
use crate::journal::Journal;
use crate::keys::NOBODY;
use crate::views::Criteria;

/// What is to be erased.
pub struct Erasure {
    /// The client.
    pub client: ClientPseudonym,
    /// The record, an `erased` one: time, bundle, who and on which ground. Its outcome is filled in here.
    pub leaf: Leaf,
    /// Who did it. Not the client: this part is not erased.
    pub sealed: SealedPart,
}

/// What became of it.
#[derive(Debug)]
pub enum Erased {
    /// It is done; the tombstone.
    Done(Recorded),
    /// A retention duty forbids it until then; the record of the refusal.
    Forbidden(Recorded, Timestamp),
}

/// Why an erasure did not happen.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// It could not be recorded, so it was not done.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The client's records could not be read, so no duty could be looked for.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It was recorded, and the key ring could not be written. The next start does it.
    #[error("the erasure is recorded, but the key ring cannot be written: start the gateway again")]
    KeyRing,
}

impl Journal {
    /// Erases a client, unless some record must be kept: `keep_until` says for each of the client's records until
    /// when, if at all. What waited about the client is gone; what was recorded before cannot be opened any more.
    ///
    /// # Errors
    /// See [`EraseError`].
    pub async fn erase(
        &self,
        erasure: Erasure,
        keep_until: &(dyn Fn(&Leaf) -> Option<Timestamp> + Sync),
    ) -> Result<Erased, EraseError> {
        let Erasure { client, mut leaf, sealed } = erasure;
        if client == NOBODY || !matches!(leaf.event, Event::Erased(_)) {
            return Err(
                CommitError::Inconsistent("an erasure is of a client, with an `erased` record").into()
            );
        }
        let gate = Arc::clone(&self.gate).write_owned().await; // every commit before this one is durable now
        let duty = self.longest_duty(client, leaf.time, keep_until)?;
        if let (Event::Erased(outcome), Some(until)) = (&mut leaf.event, duty) {
            (outcome.reason, outcome.until) = (Some(Reason::RetentionDuty), Some(until));
        }
        let commit = Commit { client: Some(client), sealed, ..Commit::of(leaf) };
        self.shared.keys.hold(duty.is_none());
        let recorded = match self.commit_behind(Box::new(commit), Some(NOBODY)).await {
            Ok(recorded) => recorded,
            Err(error) => {
                // Whether the tombstone stands is not known then; the next start knows.
                self.shared.keys.hold(error == CommitError::Unavailable);
                return Err(error.into());
            }
        };
        if let Some(until) = duty {
            return Ok(Erased::Forbidden(recorded, until));
        }
        let (shared, through) = (Arc::clone(&self.shared), recorded.index() + 1);
        let destroyed = tokio::task::spawn_blocking(move || {
            shared.keys.forget(client);
            shared.keys.end_epoch(through)
        });
        match destroyed.await {
            Ok(Ok(())) => {
                drop(gate);
                Ok(Erased::Done(recorded))
            }
            // Which epoch the file is of is not known now: a key wrapped from here on could be lost.
            failed => {
                tracing::error!(?failed, "a key could not be destroyed; the next start does it");
                self.stop();
                Err(EraseError::KeyRing)
            }
        }
    }

    /// The last moment until which a record of this client must be kept, if that is still to come.
    fn longest_duty(
        &self,
        client: ClientPseudonym,
        now: Timestamp,
        keep_until: &(dyn Fn(&Leaf) -> Option<Timestamp> + Sync),
    ) -> Result<Option<Timestamp>, ReadError> {
        let wanted = Criteria { client: Some(client), ..Criteria::default() };
        let mut longest = None;
        for index in self.search(&wanted, None, usize::MAX)? {
            let record = self.record(index)?;
            let leaf = Leaf::from_bytes(&record).map_err(io::Error::other)?;
            longest = longest.max(keep_until(&leaf).filter(|until| *until > now));
        }
        Ok(longest)
    }
}
