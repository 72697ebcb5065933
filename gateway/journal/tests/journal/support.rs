//! Records, parties and journals for the tests.

use std::path::Path;
use std::sync::Arc;

use journal::{Commit, Document, Journal, LogKey, Options, Publisher};
use ledger::{
    BundleRef, Carried, ClientIdentifier, ConsentChange, ConsentKind, Decision, Delivery, Digest, Erasure,
    Event, Leaf, Party, Passed, SealedPart, Terms, Version,
};
use model::{Bsn, Consent, DataClass, ExchangeId, Form, Timestamp};

pub(crate) const BSN: &str = "999990019";
pub(crate) const OTHER_BSN: &str = "123456782";
pub(crate) const DIAGNOSIS: &str = "depressieve episode, ernstig, met psychotische kenmerken";
pub(crate) const USER: &str = "dr. Wilhelmina van Testenburg";
pub(crate) const NOW: Timestamp = Timestamp::from_unix_millis(1_790_000_000_000);

pub(crate) fn options(folder: &Path) -> Options {
    Options { segment_size: 1 << 20, ..Options::new(folder, b"a master secret of tests".as_slice()) }
}

pub(crate) fn open(folder: &Path) -> Arc<Journal> {
    Arc::new(Journal::open(options(folder)).unwrap())
}

pub(crate) fn log_key() -> LogKey {
    // A key of tests: the seed of PKCS#8 v1 is 32 bytes of 7.
    let mut pkcs8 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    pkcs8.extend([7; 32]);
    LogKey::new("log.test/journal".parse().unwrap(), &pkcs8).unwrap()
}

pub(crate) fn publisher(journal: &Arc<Journal>) -> Publisher {
    Publisher::open(Arc::clone(journal), log_key(), &[]).unwrap()
}

pub(crate) fn exchange(number: u64) -> ExchangeId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    ExchangeId::new(NOW, random)
}

pub(crate) fn party(oin: &str, role: &str) -> Party {
    Party { oin: format!("000000990000000{oin}").parse().unwrap(), role: role.parse().unwrap() }
}

pub(crate) fn arts() -> Party {
    party("01000", "verzekeringsarts")
}

pub(crate) fn coach() -> Party {
    party("02000", "coach")
}

pub(crate) fn behandelaar() -> Party {
    party("03000", "behandelaar")
}

pub(crate) fn leaf(exchange: ExchangeId, event: Event) -> Leaf {
    Leaf {
        v: Version::default(),
        time: NOW,
        exchange,
        trace: None,
        bundle: BundleRef { number: 1, digest: Digest([1; 32]) },
        activity: None,
        client: None,
        event,
    }
}

pub(crate) fn bsn(text: &str) -> Bsn {
    text.parse().unwrap()
}

pub(crate) fn identified(bsn: &str) -> SealedPart {
    let client = vec![ClientIdentifier { kind: "bsn".into(), value: bsn.into() }];
    SealedPart { user: Some(USER.into()), responsible: None, reason: None, client, delivered: Vec::new() }
}

pub(crate) fn terms() -> Terms {
    let message = Some("werkfit.v1.MedischVerslag".parse().unwrap());
    let purpose = Some("re-integratie".parse().unwrap());
    Terms { message, purpose, ..Terms::default() }
}

/// A document for these receivers.
pub(crate) fn sent(journal: &Journal, number: u64, bsn_text: &str, to: &[Party], document: &[u8]) -> Commit {
    let deliveries = to.iter().map(|to| {
        let passed = vec![Passed { class: DataClass::MedischDiagnose, form: Form::Vol, count: 1 }];
        Delivery { passed, ..Delivery::new(to.clone(), Decision::Delivered) }
    });
    let carried =
        Carried { from: Some(behandelaar()), terms: terms(), reason: None, to: deliveries.collect() };
    let expires = NOW.plus_seconds(3600);
    let documents = to.iter().map(|to| Document { to: to.clone(), bytes: document.to_vec(), expires });
    Commit {
        client: Some(journal.pseudonym(&bsn(bsn_text))),
        sealed: identified(bsn_text),
        request: Some(Digest::of(document)),
        documents: documents.collect(),
        ..Commit::of(leaf(exchange(number), Event::Sent(carried)))
    }
}

/// The record that a receiver has a delivery.
pub(crate) fn acknowledged(waiting: &journal::Waiting) -> Leaf {
    let mut to = Delivery::new(waiting.to.clone(), Decision::Delivered);
    to.delivery = Some(waiting.delivery);
    let carried = Carried { to: vec![to], from: waiting.from.clone(), terms: terms(), reason: None };
    leaf(waiting.exchange, Event::Acknowledged(carried))
}

pub(crate) fn consent(
    journal: &Journal,
    number: u64,
    kind: ConsentKind,
    state: Consent,
    until: Option<Timestamp>,
) -> Commit {
    let purpose = "re-integratie".parse().unwrap();
    let change = ConsentChange { by: coach(), kind, state, receiver: coach(), purpose, until };
    Commit {
        client: Some(journal.pseudonym(&bsn(BSN))),
        sealed: identified(BSN),
        ..Commit::of(leaf(exchange(number), Event::Consent(change)))
    }
}

pub(crate) fn erased(number: u64) -> Leaf {
    let ground = "avg-17-1-b".parse().unwrap();
    leaf(exchange(number), Event::Erased(Erasure { by: arts(), ground, reason: None, until: None }))
}
