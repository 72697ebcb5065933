//! An authority, servers on this machine, and a journal with records in it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use journal::{Commit, Journal, LogKey, Options, Publisher, PublisherThread};
use ledger::{Access, BundleRef, Digest, Event, KeyName, Leaf, NoteSigner, Party, Version};
use model::{ExchangeId, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use ring::signature::Ed25519KeyPair;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tlog::{Collected, Http, Limits, ServedLog, Site, Transport, WitnessSite, serve, tls};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) const NOW: Timestamp = Timestamp::from_unix_millis(1_790_000_000_000);
pub(crate) const ORIGIN: &str = "log.test/2026";

/// An Ed25519 key of tests: its seed is 32 bytes of `seed`.
pub(crate) fn pkcs8(seed: u8) -> Vec<u8> {
    let mut pkcs8 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    pkcs8.extend([seed; 32]);
    pkcs8
}

pub(crate) fn log_key(seed: u8) -> LogKey {
    LogKey::new(ORIGIN.parse().unwrap(), &pkcs8(seed)).unwrap()
}

/// An authority of tests, with a certificate for this machine.
pub(crate) struct Authority {
    pub(crate) root: CertificateDer<'static>,
    leaf: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let root = issuer.der().clone();
        Authority { root, leaf: leaf.der().clone(), key: key.serialize_der() }
    }

    pub(crate) fn http(&self) -> Http {
        Http::new(tls::client(Some(vec![self.root.clone()])).unwrap(), Duration::from_secs(2))
    }

    fn transport(&self) -> Transport {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        let config = tls::server(vec![self.leaf.clone()], key).unwrap();
        Transport::Tls(Arc::new(ArcSwap::from_pointee(config)))
    }

    /// Serves a site over TLS; gives its address.
    pub(crate) async fn serve(&self, site: Arc<dyn Site>) -> (String, JoinHandle<()>) {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (format!("https://localhost:{port}"), tokio::spawn(self.serve_on(listener, site)))
    }

    pub(crate) fn serve_on(
        &self,
        listener: TcpListener,
        site: Arc<dyn Site>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let limits = Limits { patience: Duration::from_secs(2), ..Limits::default() };
        serve(listener, self.transport(), site, limits, std::future::pending())
    }

    /// A published log over TLS; gives its address, prefix and all.
    pub(crate) async fn serve_log(&self, log: &PublisherThread, collected: &Arc<Collected>) -> String {
        let served = ServedLog::new(&ORIGIN.parse().unwrap(), log.files(), Arc::clone(collected));
        let (url, _) = self.serve(Arc::new(served)).await;
        format!("{url}/2026")
    }
}

pub(crate) fn open(folder: &Path) -> Arc<Journal> {
    let options = Options::new(folder, b"a master secret of tests".as_slice());
    Arc::new(Journal::open(Options { segment_size: 1 << 20, ..options }).unwrap())
}

pub(crate) fn publish(journal: &Arc<Journal>) -> PublisherThread {
    let publisher = Publisher::open(Arc::clone(journal), log_key(1), &[]).unwrap();
    PublisherThread::start(publisher, Duration::from_millis(50)).unwrap()
}

/// A number that no other record of this run has: two copies that go on by themselves have different histories.
fn unlike() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// So many more records.
pub(crate) async fn record(journal: &Journal, count: u64) {
    for _ in 0..count {
        let number = journal.size();
        let by = Party { oin: "00000099000000001000".parse().unwrap(), role: "auditor".parse().unwrap() };
        let event = Event::Access(Access { by, what: "search".parse().unwrap(), records: unlike() });
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        let leaf = Leaf {
            v: Version::default(),
            time: NOW,
            exchange: ExchangeId::new(NOW, random),
            trace: None,
            bundle: BundleRef { number: 1, digest: Digest([1; 32]) },
            activity: None,
            client: None,
            event,
        };
        let _ = journal.commit(Commit::of(leaf)).await.unwrap();
    }
}

/// A witness of the log with key 1.
pub(crate) fn witness(folder: &Path, seed: u8) -> WitnessSite {
    let logs = vec![log_key(1).verifier()];
    WitnessSite::open(folder, witness_name(seed), &pkcs8(seed), logs, Box::new(|| NOW)).unwrap()
}

pub(crate) fn witness_name(seed: u8) -> KeyName {
    format!("w{seed}.test").parse().unwrap()
}

/// The log's checkpoint of this size and root, signed with the key of this seed.
pub(crate) fn signed(seed: u8, size: u64, root: Digest) -> String {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8(seed)).unwrap();
    let name = ORIGIN.parse().unwrap();
    let checkpoint = ledger::Checkpoint { origin: ORIGIN.parse().unwrap(), size, root };
    checkpoint.sign(&NoteSigner::new(&name, &pair)).unwrap().to_string()
}

/// Waits up to ten seconds for something to become true.
pub(crate) async fn until(what: impl Fn() -> bool) {
    for _ in 0..1000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come true within ten seconds");
}
