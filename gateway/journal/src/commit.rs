//! What is recorded in one piece, and the proof that it was.
//!
//! Owns: `Commit`, how it is sealed into a frame, and `Recorded`. Sealing runs on the caller's thread, so that
//! the writer has nothing to do but write. The frame goes to `writer`, the answer comes from `journal`.

use ledger::{
    ClientLink, Decision, DeliveredBytes, DeliveryId, Digest, Event, KeyId, Leaf, Party, SealedPart, Version,
};
use model::{ClientPseudonym, ExchangeId, Timestamp};

use crate::entry::{self, Entry, Ties};
use crate::error::CommitError;
use crate::frame::Payload;
use crate::keys::{ClientKey, KeyRing, NOBODY};
use crate::seal::{self, SealError, told};

/// Everything that becomes true together, or not at all.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The record. Its `client`, and the `delivery` and `digest` of what is delivered, are filled in here.
    pub leaf: Leaf,
    /// The client: [`crate::Journal::pseudonym`]. None where no client is concerned or known.
    pub client: Option<ClientPseudonym>,
    /// What identifies people. The digests of what is delivered are filled in here.
    pub sealed: SealedPart,
    /// Digest of the whole request of a `sent` record: the same exchange id with the same digest is the same
    /// request again, and gets the first answer.
    pub request: Option<Digest>,
    /// What receivers get, at most one for each receiver of the record that is `delivered` something, or to whom
    /// something is `returned` that is kept for an officer to release.
    pub documents: Vec<Document>,
}

impl Commit {
    /// A commit of a record and nothing else.
    pub fn of(leaf: Leaf) -> Commit {
        Commit { leaf, client: None, sealed: SealedPart::default(), request: None, documents: Vec::new() }
    }
}

/// A document for one receiver.
#[derive(Clone)]
pub struct Document {
    /// The receiver, as in the record.
    pub to: Party,
    /// What it gets, filtered. Sealed under the client's key before it reaches a file.
    pub bytes: Vec<u8>,
    /// When it is gone if nobody collected it.
    pub expires: Timestamp,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document(for {}, {} bytes)", self.to, self.bytes.len())
    }
}

/// Proof that a commit is durable: nothing leaves without one. Only the journal makes it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a delivery takes its record with it"]
pub struct Recorded {
    index: u64,
    leaf: Digest,
    exchange: ExchangeId,
    repeated: bool,
    deliveries: Vec<(Party, DeliveryId)>,
}

impl Recorded {
    /// Which record of the log.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The Merkle hash of the record's bytes ([`ledger::leaf_hash`]).
    pub fn leaf(&self) -> Digest {
        self.leaf
    }

    /// The exchange.
    pub fn exchange(&self) -> ExchangeId {
        self.exchange
    }

    /// Whether it had been recorded before, by the same request.
    pub fn is_repeated(&self) -> bool {
        self.repeated
    }

    /// The deliveries that wait now, by receiver; empty for a repeated request.
    pub fn deliveries(&self) -> &[(Party, DeliveryId)] {
        &self.deliveries
    }

    pub(crate) fn new(index: u64, work: Work) -> Recorded {
        let Work { hash, leaf, deliveries, .. } = work;
        Recorded { index, leaf: hash, exchange: leaf.exchange, repeated: false, deliveries }
    }

    pub(crate) fn again(index: u64, leaf: Digest, exchange: ExchangeId) -> Recorded {
        Recorded { index, leaf, exchange, repeated: true, deliveries: Vec::new() }
    }
}

/// What is left to do with a commit once its frame is durable.
pub(crate) struct Work {
    pub(crate) leaf: Leaf,
    pub(crate) hash: Digest,
    pub(crate) ties: Ties,
    pub(crate) documents: Vec<(DeliveryId, Timestamp)>,
    pub(crate) deliveries: Vec<(Party, DeliveryId)>,
    /// What was written, until the commit is answered.
    pub(crate) spent: Option<Payload>,
}

struct SealedBox {
    salt: [u8; 32],
    ciphertext: Vec<u8>,
}

impl SealedBox {
    fn new(key: &[u8; 32], about: &[u8], plain: &[u8]) -> Result<SealedBox, SealError> {
        Ok(SealedBox { salt: told()?, ciphertext: seal::seal(key, about, plain)? })
    }

    fn digest(&self) -> Digest {
        Digest::seal(&self.salt, &self.ciphertext)
    }

    fn part(&self, key: &ClientKey) -> entry::Sealed<'_> {
        entry::Sealed { key: key.id, salt: &self.salt, ciphertext: &self.ciphertext }
    }
}

/// A new id: 48 bits of the moment, which stands in the record anyway, then 80 random ones. So ids of one time stand
/// together in the views, and putting one there touches no page that has been cold for long.
fn delivery_id(now: Timestamp) -> Result<DeliveryId, SealError> {
    let mut id: [u8; 16] = told()?;
    let moment = now.unix_millis().to_be_bytes();
    id.iter_mut().zip(moment.iter().skip(2)).for_each(|(to, from)| *to = *from);
    Ok(DeliveryId(id))
}

/// What a sealed part is bound to.
pub(crate) fn about_part(exchange: &ExchangeId) -> [u8; 17] {
    bound(b'p', exchange.as_bytes())
}

/// What a sealed document is bound to.
pub(crate) fn about_document(delivery: &DeliveryId) -> [u8; 17] {
    bound(b'd', &delivery.0)
}

fn bound(what: u8, to: &[u8; 16]) -> [u8; 17] {
    let mut about = [what; 17];
    about.iter_mut().skip(1).zip(to).for_each(|(to, from)| *to = *from);
    about
}

/// Seals a commit into a frame's payload. `sealer`: whose key seals it; a tombstone is not sealed under the
/// key that it ends.
pub(crate) fn prepare(
    keys: &KeyRing,
    commit: Box<Commit>,
    sealer: Option<ClientPseudonym>,
) -> Result<(Payload, Box<Work>), CommitError> {
    let Commit { mut leaf, client, mut sealed, request, documents } = *commit;
    leaf.v = Version::default();
    if client.is_none() && !documents.is_empty() {
        let what = "a document is about a client, or about `ClientPseudonym::NOBODY`";
        return Err(CommitError::Inconsistent(what));
    }
    let (key, wrapped) = keys.key(sealer.unwrap_or(NOBODY)).map_err(unsealed)?;
    let id = KeyId(told().map_err(unsealed)?);
    let record_key = key.of_record(leaf.v, &id);
    let mut boxes = Vec::with_capacity(documents.len());
    let mut deliveries = Vec::with_capacity(documents.len());
    for document in documents {
        let delivery = delivery_id(leaf.time).map_err(unsealed)?;
        let about = about_document(&delivery);
        let boxed = SealedBox::new(&record_key, &about, &document.bytes).map_err(unsealed)?;
        let to = receiver(&mut leaf, &document.to)?;
        (to.delivery, to.digest) = (Some(delivery), Some(boxed.digest()));
        sealed.delivered.push(DeliveredBytes { delivery, digest: Digest::of(&document.bytes) });
        deliveries.push((document.to, delivery));
        boxes.push((delivery, document.expires, boxed));
    }
    let part = if sealed == SealedPart::default() {
        None
    } else {
        let plain = sealed.to_bytes().map_err(|_| CommitError::Inconsistent("a sealed part has no bytes"))?;
        Some(SealedBox::new(&record_key, &about_part(&leaf.exchange), &plain).map_err(unsealed)?)
    };
    if sealer.is_some() || part.is_some() {
        let link = Digest::link(key.link(), &leaf.exchange);
        leaf.client = Some(ClientLink { key: id, link, seal: part.as_ref().map(SealedBox::digest) });
    }
    let record = leaf.to_bytes().map_err(|_| CommitError::TooLarge)?;
    let ties = Ties {
        client,
        user: sealed.user.as_ref().map(|user| keys.mark("user", user.as_bytes())),
        request: matches!(leaf.event, Event::Sent(_)).then(|| request_mark(keys, request.as_ref())),
    };
    let entry = Entry {
        record: &record,
        ties,
        key: wrapped,
        sealed: part.as_ref().map(|part| part.part(&key)),
        documents: boxes
            .iter()
            .map(|(delivery, expires, boxed)| entry::Document {
                delivery: *delivery,
                expires: *expires,
                sealed: boxed.part(&key),
            })
            .collect(),
    };
    let payload = Payload::new(entry.to_bytes());
    let documents = boxes.iter().map(|(delivery, expires, _)| (*delivery, *expires)).collect();
    let hash = ledger::leaf_hash(&record);
    Ok((payload, Box::new(Work { leaf, hash, ties, documents, deliveries, spent: None })))
}

/// The mark by which a repeated request is known; a request without digest is like no other.
pub(crate) fn request_mark(keys: &KeyRing, request: Option<&Digest>) -> [u8; 16] {
    request.map_or([0; 16], |digest| keys.mark("request", &digest.0))
}

fn receiver<'l>(leaf: &'l mut Leaf, to: &Party) -> Result<&'l mut ledger::Delivery, CommitError> {
    let Event::Sent(carried) = &mut leaf.event else {
        return Err(CommitError::Inconsistent("only a `sent` record has documents"));
    };
    let free = |delivery: &&mut ledger::Delivery| delivery.to == *to && delivery.delivery.is_none();
    carried
        .to
        .iter_mut()
        .find(free)
        // what was returned may be kept for an officer to release; until then every hand-out refuses it again
        .filter(|delivery| matches!(delivery.decision, Decision::Delivered | Decision::Returned))
        .ok_or(CommitError::Inconsistent("a document's receiver is refused in the record"))
}

fn unsealed(_: SealError) -> CommitError {
    tracing::error!("the cipher or the random generator of this machine does not work");
    CommitError::Unavailable
}
