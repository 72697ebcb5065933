//! Store and forward: what waits for a receiver, its documents, and what becomes of what is never collected.
//!
//! Owns: at least once – a delivery is handed out again and again until it is acknowledged or expires. Whether a
//! receiver may still have it is decided outside, at that moment; here it is only opened.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{Carried, Decision, Delivery, DeliveryId, Digest, Event, Leaf, Party, Version};
use model::{ClientPseudonym, Consents, Purpose, Reason, Timestamp};
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::commit::{Commit, Recorded, about_document};
use crate::entry::Entry;
use crate::error::{CommitError, ReadError};
use crate::journal::Journal;
use crate::seal;
use crate::views::{ConsentRecord, Cursor, TrajectRecord, Waiting};

/// Who wants to hear that something arrived.
#[derive(Default)]
pub(crate) struct Arrivals(Mutex<HashMap<Party, watch::Sender<()>>>);

impl Arrivals {
    pub(crate) fn announce(&self, to: &Party) {
        let mut listening = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = listening.get(to)
            && listener.send(()).is_err()
        {
            listening.remove(to); // nobody listens any more
        }
    }

    fn listen(&self, to: &Party) -> watch::Receiver<()> {
        let mut listening = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listening.entry(to.clone()).or_insert_with(|| watch::channel(()).0).subscribe()
    }
}

impl Journal {
    /// What waits for a receiver, oldest first: at most `limit`, after the place `after` ([`Waiting::cursor`]).
    ///
    /// # Errors
    /// [`ReadError::Disk`].
    pub fn waiting(
        &self,
        to: &Party,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Waiting>, ReadError> {
        Ok(self.shared.views.waiting(to, after, limit)?)
    }

    /// One delivery, as long as it waits.
    ///
    /// # Errors
    /// [`ReadError::Disk`].
    pub fn delivery(&self, id: &DeliveryId) -> Result<Option<Waiting>, ReadError> {
        Ok(self.shared.views.delivery(id)?)
    }

    /// Changes whenever something arrives for this receiver. Listen first, then look: nothing is missed.
    pub fn arrivals(&self, to: &Party) -> watch::Receiver<()> {
        self.shared.arrivals.listen(to)
    }

    /// Opens the document of a delivery: checks its frame, its seal against the record's, and its cipher.
    ///
    /// # Errors
    /// [`ReadError::Erased`] when the client's key is gone, [`ReadError::Damaged`] when it is not what was sent.
    pub fn open_document(&self, waiting: &Waiting) -> Result<Zeroizing<Vec<u8>>, ReadError> {
        let payload = self.payload(waiting.index)?;
        let damaged = |what| ReadError::Damaged(self.damage(waiting.index, what));
        let entry = Entry::read(&payload).ok_or_else(|| damaged("has a frame of another version"))?;
        let document = entry.documents.iter().find(|document| document.delivery == waiting.delivery);
        let sealed = document.ok_or(ReadError::NotFound)?.sealed;
        if waiting.digest != Some(Digest::seal(sealed.salt, sealed.ciphertext)) {
            return Err(damaged("has a document that its record does not vouch for"));
        }
        let key = self.shared.keys.by_id(&sealed.key).ok_or(ReadError::Erased)?;
        let leaf = Leaf::from_bytes(entry.record).map_err(|_| damaged("has a record of another version"))?;
        let link = leaf.client.ok_or_else(|| damaged("has a document that belongs to nobody"))?;
        seal::open(&key.of_record(leaf.v, &link.key), &about_document(&waiting.delivery), sealed.ciphertext)
            .map_err(|_| damaged("has a document that its key does not open"))
    }

    /// Takes deliveries out of the mailbox: commits the record that the receiver has them. `leaf` is an
    /// `acknowledged` record that names them.
    ///
    /// # Errors
    /// [`CommitError::NotWaiting`] when one of them does not wait for that receiver (any more): an
    /// acknowledgement that is repeated may be answered as done.
    pub async fn acknowledge(
        &self,
        leaf: Leaf,
        client: ClientPseudonym,
        sealed: ledger::SealedPart,
    ) -> Result<Recorded, CommitError> {
        if !matches!(leaf.event, Event::Acknowledged(_)) {
            return Err(CommitError::Inconsistent("this is not an `acknowledged` record"));
        }
        self.commit(Commit { client: Some(client), sealed, ..Commit::of(leaf) }).await
    }

    /// Records that deliveries expired which nobody collected in time, and lets go of them. Each record stands
    /// under the exchange and the bundle of its sending. Returns how many.
    ///
    /// # Errors
    /// See [`CommitError`]; what was not recorded still waits, and is tried again at the next call.
    pub async fn expire(&self, now: Timestamp) -> Result<usize, CommitError> {
        const AT_ONCE: usize = 256;
        let mut count = 0;
        loop {
            let due = self.shared.views.expired(now, AT_ONCE).map_err(|_| CommitError::Unavailable)?;
            if due.is_empty() {
                return Ok(count);
            }
            for waiting in due {
                let client = waiting.client;
                match self.commit(Commit { client: Some(client), ..Commit::of(expired(waiting, now)) }).await
                {
                    Ok(_) => count += 1,
                    Err(CommitError::NotWaiting) => {} // collected at the last moment
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// What the client consented to, for this receiver and purpose, now. What is not known is no consent.
    ///
    /// # Errors
    /// [`ReadError::Disk`]: then there is no consent either.
    pub fn consents(
        &self,
        client: ClientPseudonym,
        receiver: &Party,
        purpose: &Purpose,
        now: Timestamp,
    ) -> Result<Consents, ReadError> {
        Ok(self.shared.views.consents(client, receiver, purpose, now)?)
    }

    /// Every change of a client's consents, oldest first.
    ///
    /// # Errors
    /// [`ReadError::Disk`].
    pub fn consent_changes(&self, client: ClientPseudonym) -> Result<Arc<[ConsentRecord]>, ReadError> {
        Ok(self.shared.views.consent_changes(client)?)
    }

    /// The newest statement about each of a client's trajects – one for the same organisations –, oldest first.
    ///
    /// # Errors
    /// [`ReadError::Disk`].
    pub fn trajects(&self, client: ClientPseudonym) -> Result<Arc<[TrajectRecord]>, ReadError> {
        Ok(self.shared.views.trajects(client)?)
    }
}

/// The record of a delivery that expired.
fn expired(waiting: Waiting, now: Timestamp) -> Leaf {
    let mut to = Delivery::new(waiting.to, Decision::Refused);
    (to.reason, to.delivery) = (Some(Reason::Expired), Some(waiting.delivery));
    let reason = Some(Reason::Expired);
    Leaf {
        v: Version::default(),
        time: now,
        exchange: waiting.exchange,
        trace: None,
        bundle: waiting.bundle,
        activity: waiting.activity,
        client: None,
        event: Event::Expired(Carried { from: waiting.from, terms: waiting.terms, reason, to: vec![to] }),
    }
}
