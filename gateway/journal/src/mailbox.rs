//! Store and forward: what waits for a receiver, its documents, and what becomes of what is never collected.
//!
//! Owns: at least once – a delivery is handed out again and again until it is acknowledged or expires. Whether a
//! receiver may still have it is decided outside, at that moment; here it is only opened.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{
    BundleRef, Carried, Decision, Delivery, DeliveryId, Digest, Event, Leaf, Party, Terms, Version,
};
use model::{ClientPseudonym, Consents, ExchangeId, Purpose, Reason, Timestamp};
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::commit::{Commit, Recorded, about_document};
use crate::entry::Entry;
use crate::error::{CommitError, ReadError};
use crate::journal::Journal;
use crate::seal;
use crate::views::{ConsentRecord, Due, TrajectRecord, hour};

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

/// A delivery that waits for its receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// The record with which it was sent.
    pub index: u64,
    /// Which of the receivers of that record.
    pub position: u16,
    /// The exchange.
    pub exchange: ExchangeId,
    /// Who sent it.
    pub from: Option<Party>,
    /// For whom it is.
    pub to: Party,
    /// On which terms it was sent: message type, purpose, grondslag.
    pub terms: Terms,
    /// The bundle under which it was sent.
    pub bundle: BundleRef,
    /// The processing activity.
    pub activity: Option<String>,
    /// The phase of the client's traject when it was sent, if the exchange asked for one.
    pub phase: Option<u8>,
    /// When it was sent.
    pub sent: Timestamp,
    /// When it is gone.
    pub expires: Timestamp,
    /// The seal of the document, as the record has it.
    pub digest: Option<Digest>,
    /// The client, by the pseudonym of this gateway.
    pub client: ClientPseudonym,
}

impl Waiting {
    /// Where to go on after this one: for [`Journal::waiting`].
    pub fn cursor(&self) -> Cursor {
        Cursor(self.index, self.position)
    }

    /// One of the deliveries of a record, as the record and its frame say.
    fn of(
        index: u64,
        leaf: &Leaf,
        client: ClientPseudonym,
        id: DeliveryId,
        expires: Timestamp,
    ) -> Option<Waiting> {
        let Event::Sent(carried) = &leaf.event else { return None };
        let (position, to) = carried.to.iter().enumerate().find(|(_, to)| to.delivery == Some(id))?;
        Some(Waiting {
            delivery: id,
            index,
            position: position.min(usize::from(u16::MAX)) as u16,
            exchange: leaf.exchange,
            from: carried.from.clone(),
            to: to.to.clone(),
            terms: carried.terms.clone(),
            bundle: leaf.bundle,
            activity: leaf.activity.clone(),
            phase: to.phase,
            sent: leaf.time,
            expires,
            digest: to.digest,
            client,
        })
    }
}

/// A place in a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(u64, u16);

impl Journal {
    /// What waits for a receiver, oldest first: at most `limit`, after the place `after` ([`Waiting::cursor`]).
    ///
    /// # Errors
    /// [`ReadError::Disk`]; [`ReadError::Damaged`] says where.
    pub fn waiting(
        &self,
        to: &Party,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Waiting>, ReadError> {
        let mut found = Vec::new();
        let from = after.map_or(0, |after| after.0);
        self.shared.views.mailbox(to, from, &mut |index| -> Result<bool, ReadError> {
            let more = self.waiting_or_damaged(index)?.unwrap_or_default().into_iter();
            found.extend(more.filter(|waiting| waiting.to == *to && Some(waiting.cursor()) > after));
            Ok(found.len() < limit)
        })?;
        found.truncate(limit);
        Ok(found)
    }

    /// One delivery, as long as it waits.
    ///
    /// # Errors
    /// [`ReadError::Disk`]; [`ReadError::Damaged`] says where.
    pub fn delivery(&self, id: &DeliveryId) -> Result<Option<Waiting>, ReadError> {
        let Some(spot) = self.shared.views.spot(id)? else { return Ok(None) };
        Ok(self.waiting_in(spot.index)?.into_iter().find(|waiting| waiting.delivery == *id))
    }

    /// As [`Journal::waiting_in`]; none where the frame is damaged. That is for an operator to mend: neither may one record
    /// close a mailbox, nor is what it holds ever said to be expired unread.
    fn waiting_or_damaged(&self, index: u64) -> Result<Option<Vec<Waiting>>, ReadError> {
        match self.waiting_in(index) {
            Err(ReadError::Damaged(damage)) => {
                tracing::error!(%damage, "what waits there is passed over");
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// What still waits of what was sent with a record, in the order of its receivers.
    fn waiting_in(&self, index: u64) -> Result<Vec<Waiting>, ReadError> {
        let payload = self.payload(index)?;
        let damaged = |what| ReadError::Damaged(self.damage(index, what));
        let entry = Entry::read(&payload).ok_or_else(|| damaged("has a frame of another version"))?;
        let Some(client) = entry.ties.client.filter(|_| !entry.documents.is_empty()) else {
            return Ok(Vec::new());
        };
        let views = &self.shared.views;
        if !views.lets_wait(client, index)? {
            return Ok(Vec::new());
        }
        let leaf = Leaf::from_bytes(entry.record).map_err(|_| damaged("has a record of another version"))?;
        let mut waiting = Vec::with_capacity(entry.documents.len());
        for document in &entry.documents {
            if views.spot(&document.delivery)?.is_some() {
                waiting.extend(Waiting::of(index, &leaf, client, document.delivery, document.expires));
            }
        }
        waiting.sort_by_key(|waiting| waiting.position);
        Ok(waiting)
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
        const AT_ONCE: usize = 64;
        let unreadable = |error| {
            tracing::error!(%error, "what expired cannot be read");
            CommitError::Unavailable
        };
        let (mut count, mut last) = (0, None);
        loop {
            let due = self
                .shared
                .views
                .due(now, last.as_ref(), AT_ONCE)
                .map_err(|error| unreadable(error.into()))?;
            for due in &due {
                let mut whole = true;
                for index in due.indexes() {
                    let waiting = self.waiting_or_damaged(index).map_err(unreadable)?;
                    whole &= waiting.is_some();
                    let waiting = waiting.unwrap_or_default();
                    for waiting in waiting.into_iter().filter(|waiting| waiting.expires <= now) {
                        let client = Some(waiting.client);
                        match self.commit(Commit { client, ..Commit::of(expired(waiting, now)) }).await {
                            Ok(_) => count += 1,
                            Err(CommitError::NotWaiting) => {} // collected at the last moment
                            Err(error) => return Err(error),
                        }
                    }
                }
                if whole && due.hour < hour(now) {
                    self.forget(due).map_err(unreadable)?;
                }
            }
            let Some(next) = due.into_iter().next_back() else { return Ok(count) };
            last = Some(next);
        }
    }

    /// Of a set of which nothing waits any more, what views still hold: deliveries of clients who were erased, mostly.
    fn forget(&self, due: &Due) -> Result<(), ReadError> {
        let views = &self.shared.views;
        let mut dead = Vec::new();
        for index in due.indexes() {
            let odd = |_| ReadError::Damaged(self.damage(index, "has a record of another version"));
            let Event::Sent(carried) = Leaf::from_bytes(&self.record(index)?).map_err(odd)?.event else {
                continue;
            };
            for id in carried.to.iter().filter_map(|to| to.delivery) {
                if views.spot(&id)?.is_some_and(|spot| spot.hour <= due.hour) {
                    dead.push((id, index));
                }
            }
        }
        views.forget(due, &dead);
        Ok(())
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
