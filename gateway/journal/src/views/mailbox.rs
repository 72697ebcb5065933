//! The mailbox view: which deliveries wait, by receiver, by the moment they expire, and by client.
//!
//! Owns: four keys for each waiting delivery, put and taken away together. A delivery that is acknowledged soon
//! never reaches sled. Documents are not here: they are read from the journal.

use std::io;

use ledger::{BundleRef, Carried, Decision, DeliveryId, Digest, Party, Terms};
use model::{ClientPseudonym, ExchangeId, Timestamp};
use serde::{Deserialize, Serialize};

use super::store::Young;
use super::{Seen, Views, decode, encode, key};

/// A delivery that waits for its receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<Party>,
    /// For whom it is.
    pub to: Party,
    /// On which terms it was sent: message type, purpose, grondslag.
    pub terms: Terms,
    /// The bundle under which it was sent.
    pub bundle: BundleRef,
    /// The processing activity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub activity: Option<String>,
    /// The phase of the client's traject when it was sent, if the exchange asked for one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phase: Option<u8>,
    /// When it was sent.
    pub sent: Timestamp,
    /// When it is gone.
    pub expires: Timestamp,
    /// The seal of the document, as the record has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<Digest>,
    /// The client, by the pseudonym of this gateway.
    #[serde(with = "super::search::pseudonym")]
    pub client: ClientPseudonym,
}

impl Waiting {
    /// Where to go on after this one: for [`crate::Journal::waiting`].
    pub fn cursor(&self) -> Cursor {
        Cursor(self.index, self.position)
    }
}

/// A place in a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub(crate) u64, pub(crate) u16);

/// Puts the deliveries of a sent document in the mailboxes.
pub(super) fn add(young: &mut Young<'_>, seen: &Seen<'_>, carried: &Carried) {
    let Some(client) = seen.ties.client else { return };
    for (position, to) in carried.to.iter().enumerate() {
        let document = seen.documents.iter().find(|(id, _)| Some(*id) == to.delivery);
        let (Some((delivery, expires)), Decision::Delivered | Decision::Returned) = (document, to.decision)
        else {
            continue;
        };
        let waiting = Waiting {
            delivery: *delivery,
            index: seen.index,
            position: position.min(usize::from(u16::MAX)) as u16,
            exchange: seen.leaf.exchange,
            from: carried.from.clone(),
            to: to.to.clone(),
            terms: carried.terms.clone(),
            bundle: seen.leaf.bundle,
            activity: seen.leaf.activity.clone(),
            phase: to.phase,
            sent: seen.leaf.time,
            expires: *expires,
            digest: to.digest,
            client,
        };
        let place = key::waiting(&waiting.to, waiting.index, waiting.position);
        young.put(key::delivery(delivery), place.clone());
        young.put(key::expiry(*expires, delivery), place.clone());
        young.put(key::client_delivery(client, delivery), place.clone());
        young.put(place, encode(&waiting));
    }
}

/// Takes a delivery out of its mailbox.
pub(super) fn remove(young: &mut Young<'_>, waiting: &Waiting) {
    let born = waiting.index;
    young.delete(key::waiting(&waiting.to, waiting.index, waiting.position), born);
    young.delete(key::delivery(&waiting.delivery), born);
    young.delete(key::expiry(waiting.expires, &waiting.delivery), born);
    young.delete(key::client_delivery(waiting.client, &waiting.delivery), born);
}

impl Views {
    /// What waits for a receiver, oldest first.
    pub(crate) fn waiting(
        &self,
        to: &Party,
        after: Option<Cursor>,
        limit: usize,
    ) -> io::Result<Vec<Waiting>> {
        let after = after.map(|Cursor(index, position)| key::waiting(to, index, position));
        let found = self.store.scan(&key::mailbox(to), after.as_deref(), limit)?;
        found.iter().map(|(_, value)| decode(value)).collect()
    }

    /// A delivery, as long as it waits.
    pub(crate) fn delivery(&self, id: &DeliveryId) -> io::Result<Option<Waiting>> {
        match self.store.get(&key::delivery(id))? {
            Some(place) => self.at(&place),
            None => Ok(None),
        }
    }

    /// What waits and has expired, soonest first.
    pub(crate) fn expired(&self, now: Timestamp, limit: usize) -> io::Result<Vec<Waiting>> {
        let found = self.store.scan(&key::expiries(), None, limit)?;
        let due = found.iter().take_while(|(key, _)| {
            let expires =
                key.get(1..9).and_then(|bytes| bytes.first_chunk()).map(|at| i64::from_be_bytes(*at));
            expires.is_some_and(|expires| expires <= now.unix_millis())
        });
        due.filter_map(|(_, place)| self.at(place).transpose()).collect()
    }

    /// What waits about a client.
    pub(crate) fn waiting_of(&self, client: ClientPseudonym) -> io::Result<Vec<Waiting>> {
        let found = self.store.scan(&key::of_client(client), None, usize::MAX)?;
        found.iter().filter_map(|(_, place)| self.at(place).transpose()).collect()
    }

    fn at(&self, place: &[u8]) -> io::Result<Option<Waiting>> {
        self.store.get(place)?.map(|value| decode(&value)).transpose()
    }
}
