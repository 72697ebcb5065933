//! What the door judges by, loaded as one thing and swapped as one thing: the gateway's own certificate and key, the
//! trusted authorities, the revocation lists, the registry.
//!
//! Owns: loading (all of it is good, or the last good one stays) and the memory of used assertions, which outlives a
//! reload. A handshake uses one [`Entrance`] from start to end; a request asks the one of its own moment.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use identity::{
    AssertionRules, CrlError, Registry, ReplayMemory, Replays, Revocations, Rules, Seen, Trust, TrustError,
};
use model::{Oin, Timestamp};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, RootCertStore, ServerConfig};

use super::Clock;
use super::knock::Knock;

/// Which versions of TLS are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// TLS 1.3 only.
    #[default]
    V13,
    /// TLS 1.2 too, for a peer that cannot do better yet: ECDHE and AEAD only.
    V12AndV13,
}

/// How often one assertion may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AssertionUse {
    /// Once: for one call, or one stream.
    #[default]
    Call,
    /// For every call on the connection on which it was shown first, until it expires. On any other connection it is
    /// a replay. Spares a signature and its verification a call.
    Connection,
}

/// What is asked of assertions, and how many are remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertions {
    /// What each must be.
    pub rules: AssertionRules,
    /// How often each may be shown.
    pub used: AssertionUse,
    /// So many of one organisation are remembered at a time; they last under 6 minutes. More are refused as `BUSY`.
    pub remembered: usize,
}

impl Assertions {
    /// The usual, for a gateway of this name in `aud`.
    pub fn of(audience: impl Into<String>) -> Assertions {
        let rules = AssertionRules::of(audience);
        Assertions { rules, used: AssertionUse::Call, remembered: 500_000 }
    }
}

/// What a door is made of, as it comes from files.
pub struct Material {
    /// The gateway's certificate, leaf first.
    pub certificates: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// Authorities that issue certificates of clients: roots, and intermediates that clients may leave out.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Their revocation lists.
    pub revocation_lists: Vec<CertificateRevocationListDer<'static>>,
    /// Who is registered.
    pub registry: Registry,
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Material(…)")
    }
}

/// Why material was not taken. The last good one goes on.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// An authority.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A revocation list.
    #[error(transparent)]
    Crl(#[from] CrlError),
    /// The gateway's own certificate or key, or an authority that the TLS library does not take.
    #[error("the gateway's certificate and key cannot be used: {0}")]
    Tls(String),
}

/// One loaded state of the door.
pub(super) struct Entrance {
    /// Counts up with every load.
    pub(super) generation: u64,
    pub(super) trust: Trust,
    pub(super) registry: Arc<Registry>,
    pub(super) revocations: Revocations,
    pub(super) certificates: Vec<CertificateDer<'static>>,
    tls: Tls,
    provider: Arc<CryptoProvider>,
    time: Arc<LibraryClock>,
    resolver: Arc<dyn ResolvesServerCert>,
    intermediates: Vec<CertificateDer<'static>>,
    strict: Arc<dyn ClientCertVerifier>,
    /// Takes a revocation list that is too old: asked only when `strict` refuses for that reason, and within the
    /// grace, which `Revocations` has then checked.
    lenient: Arc<dyn ClientCertVerifier>,
}

impl Entrance {
    fn load(
        material: Material,
        rules: Rules,
        tls: Tls,
        clock: &Clock,
        generation: u64,
    ) -> Result<Entrance, GuardError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trust = Trust::new(&material.authorities, rules)?;
        let revocations = Revocations::new(&material.revocation_lists, &trust)?;
        let wrong = |error: &dyn fmt::Display| GuardError::Tls(error.to_string());
        let key = CertifiedKey::from_der(material.certificates.clone(), material.key, &provider)
            .map_err(|error| wrong(&error))?;
        let mut roots = RootCertStore::empty();
        for root in trust.roots() {
            roots.add(CertificateDer::from(root)).map_err(|error| wrong(&error))?;
        }
        let roots = Arc::new(roots);
        let verifier = |enforce: bool| {
            let builder =
                WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
                    .with_crls(material.revocation_lists.iter().cloned());
            let builder = if enforce { builder.enforce_revocation_expiration() } else { builder };
            builder.build().map_err(|error| wrong(&error))
        };
        Ok(Entrance {
            generation,
            strict: verifier(true)?,
            lenient: verifier(false)?,
            intermediates: trust.intermediates().map(|der| CertificateDer::from(der.to_vec())).collect(),
            trust,
            registry: Arc::new(material.registry),
            revocations,
            certificates: material.certificates,
            tls,
            time: Arc::new(LibraryClock(Arc::clone(clock))),
            resolver: Arc::new(SingleCertAndKey::from(key)),
            provider,
        })
    }

    /// The configuration of one connection, with its own verifier. No tickets and no sessions: a session that is
    /// resumed would skip the verification of the client.
    pub(super) fn server_config(&self, knock: Arc<Knock>) -> Result<ServerConfig, rustls::Error> {
        let versions: &[_] = match self.tls {
            Tls::V13 => &[&rustls::version::TLS13],
            Tls::V12AndV13 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        };
        let time = Arc::clone(&self.time) as Arc<dyn TimeProvider>;
        let mut config = ServerConfig::builder_with_details(Arc::clone(&self.provider), time)
            .with_protocol_versions(versions)?
            .with_client_cert_verifier(knock)
            .with_cert_resolver(Arc::clone(&self.resolver));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }

    /// As [`Entrance::server_config`] for operators, who come with a browser. Who they
    /// are, and whether their certificate still stands, is asked again at every request.
    fn operators_config(&self) -> Result<ServerConfig, rustls::Error> {
        let time = Arc::clone(&self.time) as Arc<dyn TimeProvider>;
        let mut config = ServerConfig::builder_with_details(Arc::clone(&self.provider), time)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(Arc::clone(&self.strict))
            .with_cert_resolver(Arc::clone(&self.resolver));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    pub(super) fn library(&self) -> &dyn ClientCertVerifier {
        self.strict.as_ref()
    }

    /// What the TLS library thinks of a client's certificates.
    pub(super) fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let known: Vec<CertificateDer<'_>> = intermediates
            .iter()
            .chain(&self.intermediates)
            .map(|der| CertificateDer::from(der.as_ref()))
            .collect();
        self.strict.verify_client_cert(leaf, &known, now).or_else(|error| match error {
            rustls::Error::InvalidCertificate(
                CertificateError::ExpiredRevocationList
                | CertificateError::ExpiredRevocationListContext { .. },
            ) => self.lenient.verify_client_cert(leaf, &known, now),
            other => Err(other),
        })
    }
}

struct LibraryClock(Clock);

impl fmt::Debug for LibraryClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LibraryClock")
    }
}

impl TimeProvider for LibraryClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from((self.0)().unix_seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

/// Keeps the door: what it judges by now, and what was shown before.
pub struct Guard {
    current: ArcSwap<Entrance>,
    rules: Rules,
    tls: Tls,
    clock: Clock,
    pub(super) assertions: Assertions,
    /// Locked for a look-up only.
    replays: Mutex<Replays>,
}

impl Guard {
    /// A guard with its first material.
    ///
    /// # Errors
    /// [`GuardError`], naming what cannot be used.
    pub fn new(
        material: Material,
        rules: Rules,
        tls: Tls,
        assertions: Assertions,
        clock: Clock,
    ) -> Result<Arc<Guard>, GuardError> {
        let entrance = Entrance::load(material, rules.clone(), tls, &clock, 0)?;
        let current = ArcSwap::from_pointee(entrance);
        let replays = Mutex::new(Replays::new(assertions.remembered));
        Ok(Arc::new(Guard { current, rules, tls, clock, assertions, replays }))
    }

    /// Takes new material. Handshakes under way finish on the old one; the next request of an open connection is
    /// judged by the new one.
    ///
    /// # Errors
    /// [`GuardError`]; the last good material goes on.
    pub fn reload(&self, material: Material) -> Result<(), GuardError> {
        let generation = self.entrance().generation + 1;
        let entrance = Entrance::load(material, self.rules.clone(), self.tls, &self.clock, generation)?;
        self.current.store(Arc::new(entrance));
        Ok(())
    }

    /// The registry as it is now.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.current.load().registry)
    }

    /// The authorities and rules as they are now.
    pub fn trust(&self) -> Trust {
        self.current.load().trust.clone()
    }

    /// TLS for the operators' own listener, as things are now: the same certificate, authorities and revocation lists.
    ///
    /// # Errors
    /// When the TLS library does not take it.
    pub fn operators_tls(&self) -> std::io::Result<Arc<ServerConfig>> {
        self.entrance().operators_config().map(Arc::new).map_err(std::io::Error::other)
    }

    pub(super) fn entrance(&self) -> Arc<Entrance> {
        self.current.load_full()
    }

    /// The current state, without counting a reference: for one request.
    pub(super) fn glance(&self) -> arc_swap::Guard<Arc<Entrance>> {
        self.current.load()
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The memory of used assertions, shared by all connections.
    pub(super) fn memory(&self) -> Memory<'_> {
        Memory(&self.replays)
    }
}

/// Locks the memory for as long as it is asked, and no longer.
pub(super) struct Memory<'a>(&'a Mutex<Replays>);

impl ReplayMemory for Memory<'_> {
    fn remember(&mut self, oin: Oin, jti: &str, expires: Timestamp, now: Timestamp) -> Seen {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remember(oin, jti, expires, now)
    }
}

impl oversight::Reception for Guard {
    fn operator(&self, presented: &[&[u8]], now: Timestamp) -> Result<identity::Operator, model::Refusal> {
        let entrance = self.entrance();
        let operator =
            identity::Operator::from_certificate(presented, &entrance.trust, &entrance.registry, now)?;
        entrance.revocations.check_operator(&operator, &entrance.trust, now)?;
        Ok(operator)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("generation", &self.entrance().generation).finish_non_exhaustive()
    }
}
