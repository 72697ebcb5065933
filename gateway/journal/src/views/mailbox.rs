//! The mailbox view: which deliveries wait, by id, by receiver and by the hour in which they expire.
//!
//! Owns: one small key for each delivery that waits – it is the truth – and two sets for each bundle of 256 records, which
//! say where looking is worth it. Everything else about a delivery stands in its record, and is read there when somebody
//! asks (`crate::mailbox`): most that is sent is never asked for one by one, and a key of its own costs more in sled than
//! all the sealing.

use std::io;

use ledger::{Carried, Decision, DeliveryId, Party};
use model::{ClientPseudonym, Timestamp};

use super::layer::{Bits, Young, has};
use super::{Seen, Views, key};

const HOUR_MILLIS: i64 = 3_600_000;

/// Sets are read so many keys at a time.
const AT_ONCE: usize = 64;

/// Where a delivery stands that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    /// The record with which it was sent.
    pub(crate) index: u64,
    /// In which hour it expires, counted from 1970.
    pub(crate) hour: u32,
    /// Whether nothing else of its record waits for the same receiver, or expires in the same hour: then what is set for
    /// the record goes with this delivery.
    alone: Alone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Alone {
    with_receiver: bool,
    in_hour: bool,
}

impl Spot {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(13);
        bytes.extend_from_slice(&self.index.to_be_bytes());
        bytes.extend_from_slice(&self.hour.to_be_bytes());
        bytes.push(u8::from(self.alone.with_receiver) | u8::from(self.alone.in_hour) << 1);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Spot> {
        let (index, rest) = bytes.split_first_chunk()?;
        let (hour, rest) = rest.split_first_chunk()?;
        let alone = rest.first()?;
        let alone = Alone { with_receiver: alone & 1 != 0, in_hour: alone & 2 != 0 };
        Some(Spot { index: u64::from_be_bytes(*index), hour: u32::from_be_bytes(*hour), alone })
    }
}

/// A delivery that a record ends, as that record names it.
pub(super) struct Ended {
    id: DeliveryId,
    to: Party,
    spot: Spot,
}

/// The records of one bundle of which something expires in one hour.
pub(crate) struct Due {
    pub(crate) hour: u32,
    bundle: u64,
    bits: Bits,
}

impl Due {
    /// The records.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = u64> + use<> {
        indexes(self.bundle, self.bits)
    }
}

/// The records of a bundle that are in a set.
fn indexes(bundle: u64, bits: Bits) -> impl Iterator<Item = u64> {
    (0..256).filter(move |at| has(&bits, *at)).map(move |at| bundle * 256 + at)
}

/// The hour of a moment, counted from 1970.
pub(crate) fn hour(time: Timestamp) -> u32 {
    u32::try_from(time.unix_millis().div_euclid(HOUR_MILLIS).max(0)).unwrap_or(u32::MAX)
}

/// Puts the deliveries of a sent document in the mailboxes.
pub(super) fn add(young: &mut Young<'_>, seen: &Seen<'_>, carried: &Carried) {
    if seen.ties.client.is_none() {
        return;
    }
    let (index, bundle, at) = (seen.index, seen.index / 256, seen.index % 256);
    for to in &carried.to {
        let document = seen.documents.iter().find(|(id, _)| Some(*id) == to.delivery);
        let (Some((id, expires)), Decision::Delivered | Decision::Returned) = (document, to.decision) else {
            continue;
        };
        let hour = hour(*expires);
        let alone = Alone {
            with_receiver: carried.to.iter().filter(|other| other.to == to.to).count() == 1,
            in_hour: seen.documents.iter().filter(|(_, expires)| self::hour(*expires) == hour).count() == 1,
        };
        let spot = Spot { index, hour, alone };
        young.put(key::delivery(id), spot.to_bytes());
        young.set(key::waiting(&to.to, bundle), at);
        young.set(key::expiry(spot.hour, bundle), at);
    }
}

/// Takes a delivery out of its mailbox.
pub(super) fn remove(young: &mut Young<'_>, ended: &Ended) {
    let Ended { id, to, spot } = ended;
    let (bundle, at) = (spot.index / 256, spot.index % 256);
    young.delete(key::delivery(id), spot.index);
    if spot.alone.with_receiver {
        young.unset(key::waiting(to, bundle), at);
    }
    if spot.alone.in_hour {
        young.unset(key::expiry(spot.hour, bundle), at);
    }
}

impl Views {
    /// Where a delivery stands, as long as it waits. One whose client was erased since does not: see [`Views::lets_wait`].
    pub(crate) fn spot(&self, id: &DeliveryId) -> io::Result<Option<Spot>> {
        Ok(self.store.get(&key::delivery(id))?.and_then(|value| Spot::from_bytes(&value)))
    }

    /// Whether what was sent about a client with this record may still wait: not when the client was erased after it.
    pub(crate) fn lets_wait(&self, client: ClientPseudonym, index: u64) -> io::Result<bool> {
        Ok(self.erased(client)?.is_none_or(|erased| erased < index))
    }

    /// Visits the records, from one on, in which something may wait for a receiver, until the visitor has enough.
    pub(crate) fn mailbox<E: From<io::Error>>(
        &self,
        to: &Party,
        from: u64,
        visit: &mut dyn FnMut(u64) -> Result<bool, E>,
    ) -> Result<(), E> {
        let prefix = key::mailbox(to);
        // The key before that of the first bundle that is wanted.
        let mut after = (from / 256).checked_sub(1).map(|bundle| key::waiting(to, bundle));
        loop {
            let found = self.store.scan(&prefix, after.as_deref(), AT_ONCE)?;
            let Some((last, _)) = found.last() else { return Ok(()) };
            after = Some(last.clone());
            for (key, value) in found {
                for index in indexes(number(&key), bits(&value)).filter(|index| *index >= from) {
                    if !visit(index)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Where something may have expired, soonest first: at most `limit` sets after `after`.
    pub(crate) fn due(&self, now: Timestamp, after: Option<&Due>, limit: usize) -> io::Result<Vec<Due>> {
        let after = after.map(|due| key::expiry(due.hour, due.bundle));
        let found = self.store.scan(&key::expiries(), after.as_deref(), limit)?;
        let due = found.iter().map(|(key, value)| {
            let hour = key.get(1..5).and_then(|hour| hour.first_chunk());
            let hour = hour.map_or(0, |hour| u32::from_be_bytes(*hour));
            Due { hour, bundle: number(key), bits: bits(value) }
        });
        Ok(due.take_while(|due| due.hour <= hour(now)).collect())
    }

    /// Takes away what is left of a set of which nothing waits any more.
    pub(crate) fn forget(&self, due: &Due, dead: &[(DeliveryId, u64)]) {
        self.store.change(0, |young| {
            for (id, index) in dead {
                young.delete(key::delivery(id), *index);
            }
            for index in due.indexes() {
                young.unset(key::expiry(due.hour, due.bundle), index % 256);
            }
        });
    }

    /// Which deliveries a record ends. Looked up before the change, for a lookup cannot be made during it.
    pub(super) fn ended(&self, carried: &Carried) -> io::Result<Vec<Ended>> {
        let mut ended = Vec::with_capacity(carried.to.len());
        for delivery in &carried.to {
            let Some(id) = delivery.delivery else { continue };
            if let Some(spot) = self.spot(&id)? {
                ended.push(Ended { id, to: delivery.to.clone(), spot });
            }
        }
        Ok(ended)
    }
}

fn number(key: &[u8]) -> u64 {
    key.last_chunk().map_or(0, |number| u64::from_be_bytes(*number))
}

fn bits(value: &[u8]) -> Bits {
    value.first_chunk().copied().unwrap_or_default()
}
