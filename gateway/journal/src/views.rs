//! Views: everything that is looked up rather than read in order. A pure function of the journal.
//!
//! Owns: the keys of the store, and which of them a record changes. Holds pseudonyms and keyed marks, never a
//! BSN, a name or a document. `mailbox`, `consents` and `search` read them; deleting the folder loses nothing.

mod figures;
mod flat;
mod key;
mod layer;
mod mailbox;
mod page;
mod remembered;
mod search;
mod store;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{Carried, ConsentChange, Decision, DeliveryId, Digest, Event, Leaf, Party, TrajectChange};
use model::{ClientPseudonym, Consent, Consents, ExchangeId, Oin, Purpose, Timestamp};
use serde::{Deserialize, Serialize};

use crate::entry::Ties;
use crate::segments::Place;
pub use figures::{Figures, Flow};
use layer::Young;
pub(crate) use mailbox::{Due, hour};
use remembered::{Remembered, Stated};
pub use search::Criteria;
use store::Store;

/// Every so many records the place of one is kept; from there the frames lead on.
const PLACES: u64 = 16;

/// Above so many keys in memory, some 20 MB, what is young is moved to sled.
const MANY: usize = 150_000;

/// Views are never further behind the journal than so many records: who commits waits for sled then. So a start replays no
/// more than these, whatever the disk was doing before the crash.
const MOST_BEHIND: u64 = 131_072;

/// A record with what the views need of its frame.
pub(crate) struct Seen<'a> {
    pub(crate) index: u64,
    pub(crate) place: Place,
    pub(crate) leaf: &'a Leaf,
    pub(crate) ties: Ties,
    /// The deliveries with a document, and when each expires.
    pub(crate) documents: &'a [(DeliveryId, Timestamp)],
    /// The Merkle hash of the record.
    pub(crate) hash: Digest,
}

/// What a record that claims its exchange id left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) index: u64,
    pub(crate) hash: Digest,
    pub(crate) request: [u8; 16],
}

/// All views of one journal.
pub(crate) struct Views {
    store: Store,
    figures: figures::FiguresView,
    remembered: Remembered,
    /// Held by who moves what is young into sled: one at a time, or a layer could be taken for settled that is not.
    settling: Mutex<()>,
}

impl Views {
    /// Opens the views, or makes them anew when they are of no use. `reserve`: how many bytes of disk are left free.
    pub(crate) fn open(folder: Option<&Path>, journal_end: u64, reserve: u64) -> io::Result<Views> {
        let store = Store::open(folder, journal_end, reserve)?;
        let figures = figures::FiguresView::open(&store)?;
        Ok(Views { store, figures, remembered: Remembered::default(), settling: Mutex::default() })
    }

    /// The first record that is not in the views yet.
    pub(crate) fn next(&self) -> u64 {
        self.store.next()
    }

    /// Takes in records that are durable, in order. One that is in already changes nothing.
    pub(crate) fn apply(&self, seen: &[Seen<'_>]) -> io::Result<()> {
        let known = self.next();
        let mut rest = seen.get(seen.partition_point(|seen| seen.index < known)..).unwrap_or_default();
        while let Some((first, more)) = rest.split_first() {
            // What a record ends is looked up before the change, so a batch goes on to the next one that ends something.
            let ended = match &first.leaf.event {
                Event::Acknowledged(carried) | Event::Expired(carried) => self.ended(carried)?,
                _ => Vec::new(),
            };
            let plain = more.iter().take_while(|seen| !ends_deliveries(seen)).count();
            let (now, later) = rest.split_at(1 + plain);
            let next = now.last().map_or(0, |last| last.index + 1);
            self.store.change(next, |young| {
                for seen in now {
                    add(young, seen);
                    self.figures.add(seen.leaf);
                }
                ended.iter().for_each(|ended| mailbox::remove(young, ended));
            });
            now.iter().filter(|seen| states_something(seen)).for_each(|seen| {
                self.remembered.forget(seen.ties.client.unwrap_or(ClientPseudonym::NOBODY));
            });
            rest = later;
        }
        Ok(())
    }

    /// Whether so much is young that it should be put into sled now.
    pub(crate) fn is_full(&self) -> bool {
        self.store.young() > MANY
    }

    /// Whether records come faster than sled takes their views: then who commits has to wait.
    pub(crate) fn is_overfull(&self) -> bool {
        self.store.young() > 4 * MANY || self.store.behind() > MOST_BEHIND
    }

    /// Moves what is young into sled.
    pub(crate) fn settle(&self) -> io::Result<()> {
        if !self.store.has_room() {
            return Ok(());
        }
        let _settling = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        self.store.settle()?; // what an earlier error left aside
        if self.store.freeze(|young| self.figures.put(young)) { self.store.settle() } else { Ok(()) }
    }

    /// Lets sled write what it has.
    pub(crate) fn flush(&self) {
        self.store.flush();
    }

    /// A place at or before the record, where looking for its frame may begin.
    pub(crate) fn place(&self, index: u64) -> io::Result<Option<Place>> {
        let value = self.store.get(&key::place(index / PLACES))?;
        Ok(value.and_then(|value| {
            let (segment, rest) = value.split_first_chunk()?;
            let offset = rest.first_chunk()?;
            Some(Place { segment: u64::from_be_bytes(*segment), offset: u64::from_be_bytes(*offset) })
        }))
    }

    /// Takes note that records stand elsewhere now.
    pub(crate) fn moved(&self, places: &[(u64, Place)]) {
        self.store.change(0, |young| {
            for (index, place) in places.iter().filter(|(index, _)| index.is_multiple_of(PLACES)) {
                young.put(key::place(index / PLACES), place_bytes(*place));
            }
        });
    }

    /// The record that claimed this exchange id.
    pub(crate) fn claimed(&self, exchange: &ExchangeId) -> io::Result<Option<Claimed>> {
        let value = self.store.get(&key::claim(exchange))?;
        Ok(value.and_then(|value| {
            let (index, rest) = value.split_first_chunk()?;
            let (hash, rest) = rest.split_first_chunk()?;
            let request = *rest.first_chunk()?;
            Some(Claimed { index: u64::from_be_bytes(*index), hash: Digest(*hash), request })
        }))
    }

    /// What the client consented to, for this receiver and purpose, at this moment.
    pub(crate) fn consents(
        &self,
        client: ClientPseudonym,
        receiver: &Party,
        purpose: &Purpose,
        now: Timestamp,
    ) -> io::Result<Consents> {
        let mut consents = Consents::default();
        for change in self.consent_changes(client)?.iter() {
            if change.change.receiver == *receiver && change.change.purpose == *purpose {
                let state = match change.change.state {
                    Consent::Verleend if change.change.until.is_some_and(|until| until <= now) => {
                        Consent::Onbekend
                    }
                    state => state,
                };
                match change.change.kind {
                    ledger::ConsentKind::Beroepsgeheim => consents.beroepsgeheim = state,
                    ledger::ConsentKind::Gezondheidsgegevens => consents.gezondheidsgegevens = state,
                }
            }
        }
        Ok(consents)
    }

    /// The sums of each hour in this stretch.
    pub(crate) fn hours(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Figures)> {
        self.figures.hours(from, until)
    }

    /// The sums between organisations of each day in this stretch.
    pub(crate) fn flows(&self, from: Timestamp, until: Timestamp) -> Vec<Flow> {
        self.figures.flows(from, until)
    }

    /// Every change of a client's consents, in order.
    pub(crate) fn consent_changes(&self, client: ClientPseudonym) -> io::Result<Arc<[ConsentRecord]>> {
        Ok(Arc::clone(&self.stated(client)?.consents))
    }

    /// The newest statement about each of a client's trajects, in order.
    pub(crate) fn trajects(&self, client: ClientPseudonym) -> io::Result<Arc<[TrajectRecord]>> {
        Ok(Arc::clone(&self.stated(client)?.trajects))
    }

    fn stated(&self, client: ClientPseudonym) -> io::Result<Arc<Stated>> {
        self.remembered.of(client, || {
            let consents = self.store.scan(&key::consents(client), None, usize::MAX)?;
            let trajects = self.store.scan(&key::trajects(client), None, usize::MAX)?;
            let mut trajects = trajects
                .iter()
                .map(|(_, value)| decode(value))
                .collect::<io::Result<Vec<TrajectRecord>>>()?;
            trajects.sort_by_key(|traject| traject.index);
            Ok(Stated {
                consents: consents.iter().map(|(_, value)| decode(value)).collect::<io::Result<_>>()?,
                trajects: trajects.into(),
            })
        })
    }

    /// The record of the client's erasure, if there was one.
    pub(crate) fn erased(&self, client: ClientPseudonym) -> io::Result<Option<u64>> {
        let value = self.store.get(&key::erased(client))?;
        Ok(value.and_then(|value| value.first_chunk().map(|index| u64::from_be_bytes(*index))))
    }
}

/// A change of consent with its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRecord {
    /// Which record.
    pub index: u64,
    /// When.
    pub time: Timestamp,
    /// What changed.
    pub change: ConsentChange,
}

/// A statement about a traject with its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrajectRecord {
    /// Which record.
    pub index: u64,
    /// When.
    pub time: Timestamp,
    /// What was stated.
    pub change: TrajectChange,
}

/// Whether a record ends deliveries that wait. An erasure does too, but nothing is taken away for it: what was sent about the
/// client before is passed over by whoever looks ([`Views::lets_wait`]).
fn ends_deliveries(seen: &Seen<'_>) -> bool {
    matches!(&seen.leaf.event, Event::Acknowledged(_) | Event::Expired(_))
}

/// Adds everything that a record says.
fn add(young: &mut Young<'_>, seen: &Seen<'_>) {
    let index = seen.index;
    if index.is_multiple_of(PLACES) {
        young.put(key::place(index / PLACES), place_bytes(seen.place));
    }
    if let (Event::Sent(_), Some(request)) = (&seen.leaf.event, seen.ties.request) {
        let value = [index.to_be_bytes().as_slice(), &seen.hash.0, &request].concat();
        young.put(key::claim(&seen.leaf.exchange), value);
    }
    search::add(young, seen);
    match &seen.leaf.event {
        Event::Sent(carried) => {
            mailbox::add(young, seen, carried);
            if let Some(change) = opened(carried) {
                add_traject(young, seen, change);
            }
        }
        Event::Traject(change) => add_traject(young, seen, change.clone()),
        Event::Consent(change) => {
            if let Some(client) = seen.ties.client {
                let record = ConsentRecord { index, time: seen.leaf.time, change: change.clone() };
                young.put(key::consent(client, index), encode(&record));
            }
        }
        Event::Erased(erasure) if erasure.reason.is_none() => {
            if let Some(client) = seen.ties.client {
                young.put(key::erased(client), index.to_be_bytes().to_vec());
            }
        }
        _ => {}
    }
}

/// The traject that a document opens, between its sender and who gets it.
fn opened(carried: &Carried) -> Option<TrajectChange> {
    let (phase, by) = (carried.terms.opens?, carried.from.clone()?);
    let receivers = carried.to.iter().filter(|to| to.decision == Decision::Delivered).map(|to| to.to.oin);
    let mut parties: Vec<Oin> = std::iter::once(by.oin).chain(receivers).collect();
    parties.sort();
    parties.dedup();
    Some(TrajectChange { by, phase: Some(phase), parties })
}

/// Whether a record changes what is known of a client's consents or trajects.
fn states_something(seen: &Seen<'_>) -> bool {
    match &seen.leaf.event {
        Event::Sent(carried) => carried.terms.opens.is_some(),
        Event::Traject(_) | Event::Consent(_) | Event::Erased(_) => true,
        _ => false,
    }
}

fn add_traject(young: &mut Young<'_>, seen: &Seen<'_>, change: TrajectChange) {
    let Some(client) = seen.ties.client else { return };
    let (index, time) = (seen.index, seen.leaf.time);
    // The newest one of the same organisations takes the place of those before it.
    let key = key::traject(client, &change.parties);
    young.put(key, encode(&TrajectRecord { index, time, change }));
}

fn place_bytes(place: Place) -> Vec<u8> {
    [place.segment.to_be_bytes(), place.offset.to_be_bytes()].concat()
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // INVARIANT: the types of views are structs of plain values, which always have a JSON form.
    serde_json::to_vec(value).unwrap_or_default()
}

fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> io::Result<T> {
    serde_json::from_slice(bytes).map_err(|_| io::Error::other("a view is broken: delete the folder `views`"))
}
