//! The keys of the store: one letter for the view, then fixed-width parts, numbers big-endian so that they sort.

use ledger::{DeliveryId, Party};
use model::{ClientPseudonym, ExchangeId, Oin};

fn join(view: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    key.push(view);
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// The view of places.
pub(super) const PLACE: u8 = b'p';

/// Where the frame of a record stands.
pub(super) fn place(number: u64) -> Vec<u8> {
    join(PLACE, &[&number.to_be_bytes()])
}

/// Who claimed an exchange id.
pub(super) fn claim(exchange: &ExchangeId) -> Vec<u8> {
    join(b'x', &[exchange.as_bytes()])
}

/// A receiver's mailbox; roles hold no byte 0.
pub(super) fn mailbox(to: &Party) -> Vec<u8> {
    join(b'm', &[to.oin.as_str().as_bytes(), to.role.as_str().as_bytes(), &[0]])
}

/// Where a delivery waits.
pub(super) fn delivery(id: &DeliveryId) -> Vec<u8> {
    join(b'd', &[&id.0])
}

/// The records of a bundle in which something waits for a receiver.
pub(super) fn waiting(to: &Party, bundle: u64) -> Vec<u8> {
    let mut key = mailbox(to);
    key.extend_from_slice(&bundle.to_be_bytes());
    key
}

/// Deliveries by the hour in which they expire.
pub(super) fn expiries() -> Vec<u8> {
    join(b't', &[])
}

/// The records of a bundle in which something expires in an hour.
pub(super) fn expiry(hour: u32, bundle: u64) -> Vec<u8> {
    join(b't', &[&hour.to_be_bytes(), &bundle.to_be_bytes()])
}

/// The consents of a client.
pub(super) fn consents(client: ClientPseudonym) -> Vec<u8> {
    join(b'c', &[&client.0])
}

/// One change of a consent.
pub(super) fn consent(client: ClientPseudonym, index: u64) -> Vec<u8> {
    join(b'c', &[&client.0, &index.to_be_bytes()])
}

/// The trajects of a client.
pub(super) fn trajects(client: ClientPseudonym) -> Vec<u8> {
    join(b'j', &[&client.0])
}

/// The newest statement about the traject of these organisations.
pub(super) fn traject(client: ClientPseudonym, parties: &[Oin]) -> Vec<u8> {
    let mut key = trajects(client);
    parties.iter().for_each(|oin| key.extend_from_slice(oin.as_str().as_bytes()));
    key
}

/// The tombstone of a client.
pub(super) fn erased(client: ClientPseudonym) -> Vec<u8> {
    join(b'e', &[&client.0])
}

/// The records in which an attribute has a value.
pub(super) fn attribute(attribute: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().min(255) as u8;
    join(b's', &[&[attribute, length], value])
}

/// The marks of an attribute, for every record.
pub(super) fn marks(attribute: u8) -> Vec<u8> {
    join(b'v', &[&[attribute]])
}

/// The sums of all hours.
pub(super) fn hours() -> Vec<u8> {
    join(b'h', &[])
}

/// The sums of one hour.
pub(super) fn hour(hour: u32) -> Vec<u8> {
    join(b'h', &[&hour.to_be_bytes()])
}

/// The sums between organisations of all days.
pub(super) fn flows() -> Vec<u8> {
    join(b'n', &[])
}

/// The sums between two organisations on one day; twenty zero bytes stand for nobody.
pub(super) fn flow(day: u32, from: Option<&Oin>, to: Option<&Oin>) -> Vec<u8> {
    let mut key = join(b'n', &[&day.to_be_bytes()]);
    for oin in [from, to] {
        key.extend_from_slice(oin.map_or(&[0; 20], |oin| oin.as_str().as_bytes()));
    }
    key
}

/// What a key of [`flow`] stands for.
pub(super) fn flow_of(key: &[u8]) -> Option<(u32, Option<Oin>, Option<Oin>)> {
    let (day, rest) = key.get(1..)?.split_first_chunk()?;
    let (from, to) = rest.split_at_checked(20)?;
    let oin = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse().ok();
    Some((u32::from_be_bytes(*day), oin(from), oin(to)))
}
