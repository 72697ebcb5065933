//! What one frame holds: a record with everything that became true with it, in one piece.
//!
//! Owns: the bytes of a payload, version 1: parts of `kind u8 · length u32 · bytes`. The record comes first, as the
//! very bytes that are published. Documents come last, so that they can be left out when nobody needs them.
//! What is sealed stays sealed here; opening is `read`'s.

use ledger::{DeliveryId, KeyId};
use model::{ClientPseudonym, Timestamp};

use crate::keys::{WRAPPED, Wrapped};

const VERSION: u8 = 1;

const RECORD: u8 = 1;
const TIES: u8 = 2;
const KEY: u8 = 3;
const SEALED: u8 = 4;
const DOCUMENT: u8 = 5;

/// By what a record is found again: keyed marks, never what they stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ties {
    /// The client.
    pub(crate) client: Option<ClientPseudonym>,
    /// The user.
    pub(crate) user: Option<[u8; 16]>,
    /// The request, so that a repeated exchange id can be told from a reused one.
    pub(crate) request: Option<[u8; 16]>,
}

/// A sealed box with its salt: what [`ledger::Digest::seal`] is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sealed<'a> {
    /// From which client's key the one is made that opens it: see `ClientKey::of_record`. Stands in frames only.
    pub(crate) key: KeyId,
    pub(crate) salt: &'a [u8; 32],
    pub(crate) ciphertext: &'a [u8],
}

/// One document for one receiver.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Document<'a> {
    pub(crate) delivery: DeliveryId,
    pub(crate) expires: Timestamp,
    pub(crate) sealed: Sealed<'a>,
}

/// A payload, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// The record's bytes, as published.
    pub(crate) record: &'a [u8],
    pub(crate) ties: Ties,
    /// A key that no file but this frame may have yet.
    pub(crate) key: Option<Wrapped>,
    pub(crate) sealed: Option<Sealed<'a>>,
    pub(crate) documents: Vec<Document<'a>>,
}

impl<'a> Entry<'a> {
    /// The payload's bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let documents: usize =
            self.documents.iter().map(|document| document.sealed.ciphertext.len() + 96).sum();
        let sealed = self.sealed.map_or(0, |sealed| sealed.ciphertext.len() + 64);
        let mut bytes = Vec::with_capacity(self.record.len() + documents + sealed + 256);
        bytes.push(VERSION);
        part(&mut bytes, RECORD, &[self.record]);
        let marks = [self.ties.client.map(|client| client.0), self.ties.user, self.ties.request];
        let flags = marks.iter().rev().fold(0, |flags, mark| flags << 1 | u8::from(mark.is_some()));
        let [client, user, request] =
            marks.each_ref().map(|mark| mark.as_ref().map_or(&[][..], <[u8; 16]>::as_slice));
        part(&mut bytes, TIES, &[&[flags], client, user, request]);
        if let Some(key) = &self.key {
            part(&mut bytes, KEY, &[&key.epoch.to_le_bytes(), &key.client.0, &key.id.0, &key.secret]);
        }
        if let Some(sealed) = &self.sealed {
            part(&mut bytes, SEALED, &[&sealed.key.0, sealed.salt, sealed.ciphertext]);
        }
        for document in &self.documents {
            let (sealed, expires) = (&document.sealed, document.expires.unix_millis().to_le_bytes());
            let head = [document.delivery.0.as_slice(), &expires, &sealed.key.0, sealed.salt];
            part(&mut bytes, DOCUMENT, &[head[0], head[1], head[2], head[3], sealed.ciphertext]);
        }
        bytes
    }

    /// Reads a payload whose frame was whole. `None`: it is of another version, or no payload.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Entry<'a>> {
        let mut rest = bytes.strip_prefix(&[VERSION])?;
        let (mut record, mut ties, mut key, mut sealed) = (None, Ties::default(), None, None);
        let mut documents = Vec::new();
        while let Some((kind, after)) = rest.split_first() {
            let (length, after) = after.split_first_chunk::<4>()?;
            let (body, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = after;
            match *kind {
                RECORD => record = Some(body),
                TIES => ties = Ties::read(body)?,
                KEY => key = Some(read_key(body)?),
                SEALED => sealed = Some(Sealed::read(body)?),
                DOCUMENT => documents.push(Document::read(body)?),
                _ => return None,
            }
        }
        Some(Entry { record: record?, ties, key, sealed, documents })
    }
}

impl Ties {
    fn read(body: &[u8]) -> Option<Ties> {
        let (flags, mut rest) = body.split_first()?;
        let mut mark = |bit: u8| -> Option<Option<[u8; 16]>> {
            if flags & (1 << bit) == 0 {
                return Some(None);
            }
            let (mark, after) = rest.split_first_chunk()?;
            rest = after;
            Some(Some(*mark))
        };
        Some(Ties { client: mark(0)?.map(ClientPseudonym), user: mark(1)?, request: mark(2)? })
    }
}

impl<'a> Sealed<'a> {
    fn read(body: &'a [u8]) -> Option<Sealed<'a>> {
        let (key, rest) = body.split_first_chunk()?;
        let (salt, ciphertext) = rest.split_first_chunk()?;
        Some(Sealed { key: KeyId(*key), salt, ciphertext })
    }
}

impl<'a> Document<'a> {
    fn read(body: &'a [u8]) -> Option<Document<'a>> {
        let (delivery, rest) = body.split_first_chunk()?;
        let (expires, rest) = rest.split_first_chunk()?;
        let expires = Timestamp::from_unix_millis(i64::from_le_bytes(*expires));
        Some(Document { delivery: DeliveryId(*delivery), expires, sealed: Sealed::read(rest)? })
    }
}

fn read_key(body: &[u8]) -> Option<Wrapped> {
    let (epoch, rest) = body.split_first_chunk()?;
    (rest.len() == 32 + WRAPPED).then(|| Wrapped::read(u64::from_le_bytes(*epoch), rest))?
}

fn part(bytes: &mut Vec<u8>, kind: u8, pieces: &[&[u8]]) {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    bytes.push(kind);
    bytes.extend_from_slice(&(length as u32).to_le_bytes()); // INVARIANT: below a segment's size, so below 4 GiB
    pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Bytes come from a disk: whatever they are, there is an answer, and it is never more than the bytes say.
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let versioned = [&[VERSION], bytes.as_slice()].concat();
            for bytes in [bytes.as_slice(), &versioned] {
                let _ = crate::frame::look(bytes);
                let _ = crate::keys::check_form(bytes);
                if let Some(entry) = Entry::read(bytes) {
                    prop_assert!(entry.record.len() < bytes.len());
                }
            }
        }
    }

    #[test]
    fn a_payload_is_read_as_it_was_written() {
        let (salt, key) = ([5; 32], KeyId([6; 16]));
        let sealed = |ciphertext| Sealed { key, salt: &salt, ciphertext };
        let expires = Timestamp::from_unix_millis(-7);
        let entry = Entry {
            record: b"{}",
            ties: Ties { client: Some(ClientPseudonym([1; 16])), user: None, request: Some([3; 16]) },
            key: Some(Wrapped { epoch: 4, client: ClientPseudonym([1; 16]), id: key, secret: [9; WRAPPED] }),
            sealed: Some(sealed(b"who")),
            documents: vec![
                Document { delivery: DeliveryId([7; 16]), expires, sealed: sealed(b"one") },
                Document { delivery: DeliveryId([8; 16]), expires, sealed: sealed(b"") },
            ],
        };
        let bytes = entry.to_bytes();
        assert!(Entry::read(&bytes).unwrap() == entry);
        for length in 0..bytes.len() {
            let _ = Entry::read(&bytes[..length]); // cut anywhere: an answer, never a panic
        }
        assert!(Entry::read(&[&[2], &bytes[1..]].concat()).is_none(), "another version is not guessed at");
    }
}
