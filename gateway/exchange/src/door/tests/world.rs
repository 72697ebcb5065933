//! A door on loopback, an authority, and clients to knock with. It is 21 September 2026, and time stands still unless
//! a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use identity::{Pin, Registry, Rules};
use model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData as _,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime,
};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::super::*;

pub(super) const GEMEENTE: &str = "00000099000000001000";
const NOW: i64 = 1_790_000_000;

/// An authority and its key.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) certificate: CertificateDer<'static>,
    pub(super) pin: Pin,
}

pub(super) fn authority(name: &str) -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let pin = Pin::of(&key.subject_public_key_info());
    Authority { issuer: Issuer::new(params, key), certificate, pin }
}

/// A certificate with its key.
pub(super) struct Identity {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: KeyPair,
}

impl Identity {
    pub(super) fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

impl Authority {
    /// A client's certificate with this serial number.
    pub(super) fn client(&self, oin: &str, system: &str, serial: u8) -> Identity {
        self.identity(oin, system, serial, ExtendedKeyUsagePurpose::ClientAuth, &[])
    }

    pub(super) fn server(&self) -> Identity {
        let names = ["localhost".to_owned()];
        self.identity("00000099000000009000", "poort", 1, ExtendedKeyUsagePurpose::ServerAuth, &names)
    }

    pub(super) fn identity(
        &self,
        oin: &str,
        name: &str,
        serial: u8,
        usage: ExtendedKeyUsagePurpose,
        names: &[String],
    ) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), oin);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.serial_number = Some(SerialNumber::from_slice(&[serial]));
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2027, 1, 1);
        Identity { certificate: params.signed_by(&key, &self.issuer).unwrap().der().clone(), key }
    }

    /// A revocation list that is good until the first of October.
    pub(super) fn list(&self, revoked: &[u8]) -> CertificateRevocationListDer<'static> {
        let revoked_certs = revoked.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&[*serial]),
            revocation_time: date_time_ymd(2026, 9, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 9, 1),
            next_update: date_time_ymd(2026, 10, 1),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().der().clone()
    }
}

/// Who is registered: the gemeente, with its authority pinned.
pub(super) fn registry(pin: Pin, more: &str) -> Registry {
    let text = format!(
        "[[organisation]]\noin = \"{GEMEENTE}\"\nname = \"Gemeente\"\nkind = \"gemeente\"\nissuers = [\"{pin}\"]\nsystems = [\"suite\"]\n{more}"
    );
    Registry::parse(&text).unwrap()
}

/// How the door of a test is made.
pub(super) struct Setup {
    pub(super) limits: Limits,
    pub(super) tls: Tls,
    pub(super) assertion_use: AssertionUse,
    pub(super) grace: i64,
    pub(super) more: String,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            limits: Limits { handshake_timeout: Duration::from_secs(2), ..Limits::default() },
            tls: Tls::V13,
            assertion_use: AssertionUse::Call,
            grace: 0,
            more: String::new(),
        }
    }
}

/// The door, and everything around it.
pub(super) struct World {
    pub(super) authority: Authority,
    pub(super) server: Authority,
    pub(super) guard: Arc<Guard>,
    pub(super) address: SocketAddr,
    pub(super) incoming: ReceiverStream<std::io::Result<Connection>>,
    pub(super) turned_away: mpsc::UnboundedReceiver<TurnedAway>,
    pub(super) seconds: Arc<AtomicI64>,
    more: String,
}

impl World {
    pub(super) async fn new() -> World {
        World::with(Setup::default()).await
    }

    pub(super) async fn with(setup: Setup) -> World {
        let (authority, server) = (authority("Overheid"), authority("Poort"));
        let seconds = Arc::new(AtomicI64::new(NOW));
        let ticking = Arc::clone(&seconds);
        let clock: Clock =
            Arc::new(move || Timestamp::from_unix_millis(ticking.load(Ordering::SeqCst) * 1000));
        let rules = Rules { test_mode: true, crl_grace_seconds: setup.grace, ..Rules::default() };
        let first = material(&authority, &server, &[], &setup.more);
        let assertions = Assertions { used: setup.assertion_use, ..Assertions::of("veldwacht") };
        let guard = Guard::new(first, rules, setup.tls, assertions, Arc::clone(&clock)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, turned_away) = mpsc::unbounded_channel();
        let tell = Arc::new(move |one: TurnedAway| drop(tell.send(one)));
        let incoming = open(listener, Arc::clone(&guard), setup.limits, clock, tell);
        let more = setup.more;
        World { authority, server, guard, address, incoming, turned_away, seconds, more }
    }

    /// What the door is loaded with, with these serial numbers revoked.
    pub(super) fn material(&self, revoked: &[u8]) -> Material {
        material(&self.authority, &self.server, revoked, &self.more)
    }

    pub(super) fn client(&self) -> Identity {
        self.authority.client(GEMEENTE, "suite", 7)
    }

    /// Knocks, and waits until the door has decided.
    pub(super) async fn knock(&mut self, client: &Client) -> Result<Through, TurnedAway> {
        let connecting = client.connect(self.address);
        let decided = async {
            tokio::select! {
                connection = self.incoming.next() => Ok(connection.unwrap().unwrap()),
                turned_away = self.turned_away.recv() => Err(turned_away.unwrap()),
            }
        };
        let (client, decided) =
            tokio::time::timeout(Duration::from_secs(10), async { tokio::join!(connecting, decided) })
                .await
                .unwrap();
        Ok(Through { connection: decided?, client: client.unwrap() })
    }
}

fn material(authority: &Authority, server: &Authority, revoked: &[u8], more: &str) -> Material {
    let own = server.server();
    Material {
        certificates: vec![own.certificate.clone()],
        key: own.key(),
        authorities: vec![authority.certificate.clone()],
        revocation_lists: vec![authority.list(revoked)],
        registry: registry(authority.pin, more),
    }
}

/// Both ends of a connection that came through.
pub(super) struct Through {
    pub(super) connection: Connection,
    pub(super) client: tokio_rustls::client::TlsStream<TcpStream>,
}

#[derive(Debug)]
struct Still;

impl TimeProvider for Still {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(NOW as u64)))
    }
}

/// A client, set up well or badly.
pub(super) struct Client {
    pub(super) config: ClientConfig,
}

impl Client {
    /// One that trusts the door of this world and shows this certificate, if any.
    pub(super) fn new(world: &World, identity: Option<&Identity>) -> Client {
        Client::speaking(world, identity, rustls::ALL_VERSIONS)
    }

    pub(super) fn speaking(
        world: &World,
        identity: Option<&Identity>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Client {
        Client::made(&world.server, identity, versions)
    }

    /// The same, for a world that is given away already.
    pub(super) fn trusting(server: &Authority, identity: Option<&Identity>) -> Client {
        Client::made(server, identity, rustls::ALL_VERSIONS)
    }

    fn made(
        server: &Authority,
        identity: Option<&Identity>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(server.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_details(provider, Arc::new(Still))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match identity {
            Some(identity) => {
                builder.with_client_auth_cert(vec![identity.certificate.clone()], identity.key()).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Client { config }
    }

    pub(super) async fn connect(
        &self,
        address: SocketAddr,
    ) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(self.config.clone()));
        connector.connect(ServerName::try_from("localhost").unwrap(), stream).await
    }
}
