//! A gateway on loopback with the shipped bundle, an employer that asks, and UWV's service behind a route. All real:
//! certificates, TLS on both legs, the journal's files.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use exchange::ask::{Asks, RouteConfig, Routes, StatusPass, Streaming, Withheld};
use exchange::door::{AssertionUse, Assertions, Guard, Http2, Limits, Material, Tls};
use exchange::{Gateway, Rules};
use identity::{Pin, Registry};
use journal::{Disk, DiskFile, Journal, LogKey, Options, Publisher, PublisherThread, RealDisk};
use ledger::Leaf;
use model::Timestamp;
use oversight::{InForce, Oversight, Reception, Setup, Shelf};
use policy::{Proven, Trust};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData as _,
    SerialNumber, date_time_ymd,
};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::net::TcpListener;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

pub(crate) const EMPLOYER: &str = "00000099000000007000";
pub(crate) const UWV: &str = "00000099000000002000";
pub(crate) const BSN: &str = "999990019";
pub(crate) const SERVICE: &str = "uwv.doelgroep.v1.Register";

/// An authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
    der: rustls::pki_types::CertificateDer<'static>,
    pin: Pin,
}

/// A certificate and its key, PEM.
pub(crate) struct Papers {
    pub(crate) certificate: String,
    pub(crate) key: String,
    der: rustls::pki_types::CertificateDer<'static>,
    key_der: Vec<u8>,
}

fn year() -> i32 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    1970 + i32::try_from(now / 31_556_952).unwrap()
}

impl Authority {
    pub(crate) fn new(name: &str) -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) =
            (date_time_ymd(year() - 1, 1, 1), date_time_ymd(year() + 1, 12, 30));
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        let pin = Pin::of(&key.subject_public_key_info());
        Authority { issuer: Issuer::new(params, key), pem, der, pin }
    }

    pub(crate) fn papers(&self, oin: &str, system: &str, usage: ExtendedKeyUsagePurpose) -> Papers {
        let names =
            if usage == ExtendedKeyUsagePurpose::ServerAuth { vec!["localhost".to_owned()] } else { vec![] };
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, system);
        params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), oin);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        (params.not_before, params.not_after) =
            (date_time_ymd(year() - 1, 1, 1), date_time_ymd(year() + 1, 12, 30));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Papers { certificate: pem, key: key.serialize_pem(), der, key_der: key.serialize_der() }
    }

    fn list(&self) -> rustls::pki_types::CertificateRevocationListDer<'static> {
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(year() - 1, 1, 1),
            next_update: date_time_ymd(year() + 1, 12, 30),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().der().clone()
    }
}

/// Files of the journal that fail when they are told to.
#[derive(Clone, Default)]
pub(crate) struct Breakable(pub(crate) Arc<AtomicBool>);

struct BreakableFile(Arc<dyn DiskFile>, Arc<AtomicBool>);

impl Disk for Breakable {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }
    fn open(&self, path: &Path, create: bool) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(BreakableFile(RealDisk.open(path, create)?, Arc::clone(&self.0))))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        RealDisk.lock(path)
    }
}

impl DiskFile for BreakableFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }
    fn sync(&self) -> io::Result<()> {
        if self.1.load(Ordering::SeqCst) { Err(io::Error::other("the disk is gone")) } else { self.0.sync() }
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
}

/// Everything around a gateway.
pub(crate) struct World {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) asks: Arc<Asks>,
    pub(crate) address: SocketAddr,
    pub(crate) disk: Breakable,
    pub(crate) folder: tempfile::TempDir,
    clients: Authority,
    gateways: Authority,
    pub(crate) sources: Authority,
    employer: Papers,
    signer: Ed25519KeyPair,
}

pub(crate) fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    Timestamp::from_unix_millis(i64::try_from(millis).unwrap())
}

/// The shipped bundle.
pub(crate) fn bundle() -> BTreeMap<String, Vec<u8>> {
    fn add(files: &mut BTreeMap<String, Vec<u8>>, folder: &Path, prefix: &str) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                add(files, &path, &format!("{name}/"));
            } else if !["md", "rs", "lock"].iter().any(|end| name.ends_with(end))
                && !name.ends_with("Cargo.toml")
            {
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = BTreeMap::new();
    add(&mut files, &root.join("policies"), "");
    add(&mut files, &root.join("proto"), "contracts/");
    files
}

pub(crate) fn rules(files: &BTreeMap<String, Vec<u8>>) -> Rules {
    let lexicon = files.iter().filter_map(|(name, bytes)| {
        let rest = name.strip_prefix("lexicon/")?;
        Some((rest.to_owned(), bytes.clone()))
    });
    let screener = screening::Screener::build(&lexicon.collect()).unwrap();
    Rules::new(Proven::load(files, &Trust::Draft).unwrap(), screener)
}

impl World {
    pub(crate) async fn new() -> World {
        let (clients, gateways) = (Authority::new("Overheid"), Authority::new("Poort"));
        let sources = Authority::new("UWV");
        let employer = clients.papers(EMPLOYER, "hr", ExtendedKeyUsagePurpose::ClientAuth);
        let own = gateways.papers("00000099000000009000", "poort", ExtendedKeyUsagePurpose::ServerAuth);
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let signer = Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap();
        let x = URL_SAFE_NO_PAD.encode(signer.public_key());
        let registry = format!(
            "[[organisation]]\noin = \"{EMPLOYER}\"\nname = \"Kweker\"\nkind = \"werkgever\"\nissuers = [\"{}\"]\n\
             systems = [\"hr\"]\n[[organisation.key]]\nkid = \"k\"\nroles = [\"contactpersoon\", \"werkbegeleider\"]\n\
             jwk = {{ kty = \"OKP\", crv = \"Ed25519\", x = \"{x}\" }}\n",
            clients.pin
        );
        let material = Material {
            certificates: vec![own.der.clone()],
            key: PrivatePkcs8KeyDer::from(own.key_der.clone()).into(),
            authorities: vec![clients.der.clone()],
            revocation_lists: vec![clients.list()],
            registry: Registry::parse(&registry).unwrap(),
        };
        let identity_rules = identity::Rules { test_mode: true, ..identity::Rules::default() };
        let guard = Guard::new(
            material,
            identity_rules,
            Tls::V13,
            Assertions { used: AssertionUse::Connection, ..Assertions::of("veldwacht") },
            Arc::new(now),
        );
        let folder = tempfile::tempdir().unwrap();
        let disk = Breakable::default();
        let options = Options::new(folder.path().join("data"), b"a master secret of tests".as_slice());
        let journal = Arc::new(Journal::open(Options { disk: Arc::new(disk.clone()), ..options }).unwrap());
        let log_key = LogKey::new("log.test/ask".parse().unwrap(), key.as_ref()).unwrap();
        let publisher = Publisher::open(Arc::clone(&journal), log_key, &[]).unwrap();
        let publisher = PublisherThread::start(publisher, Duration::from_millis(500)).unwrap();
        let limits = exchange::Limits::default();
        let rules = rules(&bundle());
        let gateway = Arc::new(Gateway::new(rules, journal, publisher, [7; 32], Arc::new(now), limits));
        let asks = Asks::new(Routes::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let guard = guard.unwrap();
        let oversight = Oversight::open(Setup {
            journal: Arc::clone(gateway.journal()),
            in_force: Arc::clone(&gateway) as Arc<dyn InForce>,
            reception: Arc::clone(&guard) as Arc<dyn Reception>,
            trust: Trust::Draft,
            shelf: Shelf::open(&folder.path().join("bundles")).unwrap(),
            organisation: "00000099000000009000".parse().unwrap(),
            clock: Arc::new(now),
        });
        let serving = exchange::serve(
            Arc::clone(&gateway),
            oversight.unwrap(),
            Arc::clone(&asks),
            listener,
            guard,
            Limits::default(),
            Http2::default(),
            std::future::pending(),
        );
        tokio::spawn(serving);
        let to_source = sources.papers("00000099000000009000", "poort", ExtendedKeyUsagePurpose::ClientAuth);
        for (name, text) in [
            ("source-ca.pem", &sources.pem),
            ("poort.pem", &to_source.certificate),
            ("poort.key.pem", &to_source.key),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        World { gateway, asks, address, disk, folder, clients, gateways, sources, employer, signer }
    }

    /// A route for a method of the source at this address.
    pub(crate) fn route(&self, method: &str, streaming: Streaming, upstream: &[SocketAddr]) -> RouteConfig {
        RouteConfig {
            service: SERVICE.into(),
            method: Some(method.into()),
            request: Some("werkfit.v1.DoelgroepVraag".parse().unwrap()),
            reply: Some("werkfit.v1.DoelgroepAntwoord".parse().unwrap()),
            streaming,
            organisation: UWV.parse().unwrap(),
            role: model::Role::systeem(),
            purpose: "banenafspraak".parse().unwrap(),
            activity: None,
            upstream: upstream.iter().map(ToString::to_string).collect(),
            server_name: Some("localhost".into()),
            authorities: "source-ca.pem".into(),
            certificate: "poort.pem".into(),
            key: "poort.key.pem".into(),
            request_metadata: vec!["x-kenmerk".into(), "x-spoor-bin".into()],
            reply_metadata: vec!["x-register".into(), "x-stand-bin".into()],
            status: StatusPass::Code,
            withheld: Withheld::Drop,
            assertion: None,
            compression: false,
            message_bytes: 64 << 10,
            timeout_seconds: 20,
            connect_seconds: 5,
            health_seconds: 0,
        }
    }

    pub(crate) fn serve(&self, routes: &[RouteConfig]) {
        self.asks.replace(Routes::load(routes, self.folder.path()).unwrap());
    }

    /// A connection of the employer.
    pub(crate) async fn connect(&self) -> Channel {
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&self.gateways.pem))
            .identity(Identity::from_pem(&self.employer.certificate, &self.employer.key))
            .domain_name("localhost");
        let endpoint = Endpoint::from_shared(format!("https://localhost:{}", self.address.port())).unwrap();
        endpoint.tls_config(tls).unwrap().connect().await.unwrap()
    }

    /// A role assertion of the employer.
    pub(crate) fn bearer(&self, role: &str, purpose: &str) -> String {
        let thumbprint = identity::Fingerprint::of(&self.employer.der).thumbprint();
        let (from, jti) = (now().unix_seconds(), rand());
        let claims = format!(
            r#"{{"iss":"{EMPLOYER}","sub":"jansen","aud":"veldwacht","iat":{from},"exp":{},"jti":"{jti}","role":"{role}","purpose":"{purpose}","cnf":{{"x5t#S256":"{thumbprint}"}}}}"#,
            from + 290,
        );
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"k"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(self.signer.sign(signed.as_bytes())))
    }

    /// Every record in the log, in order.
    pub(crate) fn records(&self) -> Vec<Leaf> {
        let journal = self.gateway.journal();
        (0..journal.size()).map(|index| Leaf::from_bytes(&journal.record(index).unwrap()).unwrap()).collect()
    }

    /// Waits until there are so many records.
    pub(crate) async fn records_when(&self, count: u64) -> Vec<Leaf> {
        for _ in 0..200 {
            if self.gateway.journal().size() >= count {
                return self.records();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{} records, not {count}", self.gateway.journal().size());
    }

    /// Another gateway's papers from an authority that no route believes.
    pub(crate) fn stranger(&self) -> Papers {
        self.clients.papers(UWV, "register", ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// TLS of a source that speaks HTTP/2 by hand.
    pub(crate) fn source_acceptor(&self) -> tokio_rustls::TlsAcceptor {
        let papers = self.source_papers();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap();
        let key = PrivatePkcs8KeyDer::from(papers.key_der.clone()).into();
        let mut config = builder.with_no_client_auth().with_single_cert(vec![papers.der], key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        tokio_rustls::TlsAcceptor::from(Arc::new(config))
    }

    pub(crate) fn source_papers(&self) -> Papers {
        self.sources.papers(UWV, "register", ExtendedKeyUsagePurpose::ServerAuth)
    }
}

fn rand() -> String {
    use ring::rand::SecureRandom as _;
    let mut bytes = [0; 12];
    SystemRandom::new().fill(&mut bytes).unwrap();
    URL_SAFE_NO_PAD.encode(bytes)
}
