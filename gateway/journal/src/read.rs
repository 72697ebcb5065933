//! Reading what was recorded: records by index, what is sealed in them, and the search over both.
//!
//! Owns: the way from an index to checked bytes. What a client, an auditor or a researcher may see of them is
//! decided outside, and is itself recorded there.

use ledger::{Digest, Leaf, SealedPart};
use model::{ClientPseudonym, Timestamp};

use crate::commit::about_part;
use crate::entry::Entry;
use crate::error::{Damage, ReadError};
use crate::journal::Journal;
use crate::seal;
use crate::segment::Segment;
use crate::views::{Criteria, Figures, Flow};

/// A record with what its sealed part says, if it still can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Which record.
    pub index: u64,
    /// The public record.
    pub leaf: Leaf,
    /// Who and about whom; none when there is no sealed part, or the client was erased.
    pub sealed: Option<SealedPart>,
    /// Whether there is a sealed part whose key is gone.
    pub erased: bool,
    /// The client, by the pseudonym of this gateway.
    pub client: Option<ClientPseudonym>,
}

impl Journal {
    /// The bytes of a record, as they are published.
    ///
    /// # Errors
    /// [`ReadError::NotFound`] beyond the end; [`ReadError::Damaged`] says where.
    pub fn record(&self, index: u64) -> Result<Vec<u8>, ReadError> {
        let payload = self.payload(index)?;
        let entry = Entry::read(&payload);
        entry.map(|entry| entry.record.to_vec()).ok_or_else(|| self.odd(index))
    }

    /// A record with its sealed part.
    ///
    /// # Errors
    /// As [`Journal::record`]; a sealed part that is not the one the record vouches for is damage.
    pub fn open_record(&self, index: u64) -> Result<Opened, ReadError> {
        let payload = self.payload(index)?;
        let entry = Entry::read(&payload).ok_or_else(|| self.odd(index))?;
        let leaf = Leaf::from_bytes(entry.record).map_err(|_| self.odd(index))?;
        let mut opened = Opened { index, leaf, sealed: None, erased: false, client: entry.ties.client };
        let Some(sealed) = entry.sealed else { return Ok(opened) };
        let seal = Some(Digest::seal(sealed.salt, sealed.ciphertext));
        let Some(link) = opened.leaf.client.filter(|client| client.seal == seal) else {
            return Err(self.damage(index, "has a sealed part that its record does not vouch for").into());
        };
        let Some(key) = self.shared.keys.by_id(&sealed.key) else {
            opened.erased = true;
            return Ok(opened);
        };
        let key = key.of_record(opened.leaf.v, &link.key);
        let plain = seal::open(&key, &about_part(&opened.leaf.exchange), sealed.ciphertext);
        let plain = plain.map_err(|_| self.damage(index, "has a sealed part that its key does not open"))?;
        opened.sealed = Some(SealedPart::from_bytes(&plain).map_err(|_| self.odd(index))?);
        Ok(opened)
    }

    /// The records that meet all criteria, oldest first, after the record `after`, at most `limit`.
    ///
    /// # Errors
    /// [`ReadError::Disk`].
    pub fn search(
        &self,
        criteria: &Criteria,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<u64>, ReadError> {
        let Some(exchange) = criteria.exchange else {
            return Ok(self.shared.views.search(criteria, after, limit)?);
        };
        // Senders choose exchange ids, also ones that look alike to the view: the record itself decides.
        let mut found = Vec::new();
        for index in self.shared.views.search(criteria, after, usize::MAX)? {
            let record = self.record(index)?;
            let leaf = Leaf::from_bytes(&record).map_err(|_| self.odd(index))?;
            if leaf.exchange == exchange {
                found.push(index);
            }
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    /// As [`Journal::search`], newest first: the records before the record `before`.
    ///
    /// # Errors
    /// [`ReadError::Disk`].
    pub fn search_back(&self, criteria: &Criteria, before: u64, limit: usize) -> Result<Vec<u64>, ReadError> {
        if criteria.exchange.is_some() {
            let found = self.search(criteria, None, usize::MAX)?;
            return Ok(found.into_iter().rev().filter(|index| *index < before).take(limit).collect());
        }
        Ok(self.shared.views.search_back(criteria, before, limit)?)
    }

    /// The figures of each hour in this stretch, in order; hours in which nothing happened are left out.
    pub fn hours(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Figures)> {
        self.shared.views.hours(from, until)
    }

    /// The figures between organisations, of each day in the Netherlands that this stretch touches.
    pub fn flows(&self, from: Timestamp, until: Timestamp) -> Vec<Flow> {
        self.shared.views.flows(from, until)
    }

    /// The record of the client's erasure, if there was one.
    ///
    /// # Errors
    /// [`ReadError::Disk`].
    pub fn erased(&self, client: ClientPseudonym) -> Result<Option<u64>, ReadError> {
        Ok(self.shared.views.erased(client)?)
    }

    pub(crate) fn payload(&self, index: u64) -> Result<Vec<u8>, ReadError> {
        // What is found in the views may be read, though it is counted a moment later.
        if index >= self.size() && index >= self.shared.views.next() {
            return Err(ReadError::NotFound);
        }
        self.shared.segments.read(index, self.shared.views.place(index)?)
    }

    /// Damage of a record, by its segment.
    pub(crate) fn damage(&self, index: u64, what: &'static str) -> Damage {
        let segment = self.shared.segments.holding(index);
        let file = segment.map_or("journal".into(), |segment| Segment::name(segment.first));
        Damage { file, offset: 0, index: Some(index), what }
    }

    fn odd(&self, index: u64) -> ReadError {
        self.damage(index, "has a record of another version").into()
    }
}
