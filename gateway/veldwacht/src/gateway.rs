//! From a configuration to a gateway that runs: the wiring, and nothing else.
//!
//! Owns: reading files and secrets, opening what the crates own, in the order in which they need each other. Used by
//! `serve` and by `demo`, so that the demo shows the real thing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use exchange::ask::{Asks, Routes};
use exchange::door::{self, Files, Guard, Http2, Tls};
use exchange::{Gateway, Rules, Shadow};
use journal::{Journal, LogKey, Options, Publisher, PublisherThread};
use model::Timestamp;
use oversight::{Bundle, InForce, Oversight, Reception, Setup, Shelf};
use policy::{Proven, Trust};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::net::TcpListener;

use crate::bundle;
use crate::commands::vault::oin_of;
use crate::config::Config;
use crate::failure::{Doing, Failure, Outcome};
use crate::operators::Operators;
use crate::public_log::PublicLog;
use crate::retention::Retention;
use crate::trust;

/// How often it is told what a draft would have done otherwise.
const SHADOW_EVERY: Duration = Duration::from_secs(60);

/// A gateway that is ready to serve.
pub(crate) struct Ready {
    pub(crate) gateway: Arc<Gateway>,
    /// What operators may do, for every door to it.
    pub(crate) oversight: Arc<Oversight>,
    /// The console, if there is one.
    pub(crate) operators: Option<Operators>,
    pub(crate) listener: TcpListener,
    /// Services of source organisations, to route to others while serving.
    pub(crate) asks: Arc<Asks>,
    pub(crate) public_log: PublicLog,
    retention: Retention,
    compact_every: Duration,
    door: Door,
}

/// What the door is opened with.
struct Door {
    guard: Arc<Guard>,
    files: Files,
    look_every: Duration,
    limits: door::Limits,
    http2: Http2,
}

/// What time it is.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_millis(jiff::Timestamp::now().as_millisecond())
}

impl Ready {
    /// Opens everything that a configuration names.
    pub(crate) async fn open(config: &Config) -> Outcome<Ready> {
        Ready::open_on(config, Options::new(&config.data, secret(&config.secrets.master)?.to_vec())).await
    }

    /// The same, on a journal that is opened so.
    pub(crate) async fn open_on(config: &Config, options: Options) -> Outcome<Ready> {
        let pseudonyms = secret(&config.secrets.pseudonyms)?;
        let pseudonyms: [u8; 32] = pseudonyms.as_slice().try_into().map_err(|_| {
            Failure::Use(format!("{}: 32 bytes are needed", config.secrets.pseudonyms.display()))
        })?;
        let files = door_files(config);
        let guard = guard(config, &files)?;
        let journal = Journal::open(options).unreachable(config.data.display())?;
        let journal = Arc::new(journal);
        // Before anything is recorded: an old copy must not get a record of its own.
        let public_log = PublicLog::open(config, &journal).await?;
        let trust = trust::of(config)?;
        let shelf = Shelf::open(&config.data.join("bundles")).unreachable("the bundles")?;
        let configured = bundle::read(&config.bundle)?;
        let started = oversight::start(&journal, &shelf, &trust, configured, now()).await;
        let Bundle { proven, screener } = started.wrong(config.bundle.display())?;
        let publisher =
            Publisher::open(Arc::clone(&journal), log_key(config)?, &[]).unreachable("the log")?;
        let every = Duration::from_millis(config.log.publish_every_ms);
        let publisher = PublisherThread::start(publisher, every).unreachable("the log")?;
        // Beside the log stands the key that others verify it with.
        let vkey = config.data.join("log.vkey");
        std::fs::write(&vkey, format!("{}\n", publisher.verifier())).unreachable(vkey.display())?;
        let limits = config.limits.of_calls();
        let rules = Rules::new(proven, screener);
        let gateway = Gateway::new(rules, Arc::clone(&journal), publisher, pseudonyms, Arc::new(now), limits);
        let gateway = Arc::new(gateway);
        public_log.cosigned().into_iter().for_each(|cosigned| gateway.show_cosigned(cosigned));
        let oversight = Oversight::open(Setup {
            journal,
            in_force: Arc::clone(&gateway) as Arc<dyn InForce>,
            reception: Arc::clone(&guard) as Arc<dyn Reception>,
            trust,
            shelf,
            organisation: oin_of(&config.tls.certificate)?,
            clock: Arc::new(now),
        });
        let oversight = oversight.unreachable("the log")?;
        let operators = Operators::open(config, &gateway, &oversight, public_log.collected()).await?;
        gateway.compare_with(config.shadow.as_deref().map(draft).transpose()?);
        let asks = Asks::new(routes(config)?);
        let listener = TcpListener::bind(config.listen).await.unreachable(config.listen)?;
        let door = Door {
            guard,
            files,
            look_every: Duration::from_secs(config.tls.look_every_seconds),
            limits: config.limits.of_door(),
            http2: config.http2.of_door(),
        };
        let retention = Retention::of(config);
        let compact_every = Duration::from_secs(u64::from(config.log.compact_every_hours) * 3600);
        Ok(Ready {
            gateway,
            oversight,
            operators,
            listener,
            asks,
            public_log,
            retention,
            compact_every,
            door,
        })
    }

    /// Serves until `stop` resolves.
    pub(crate) async fn serve(self, stop: impl Future<Output = ()>) -> Outcome {
        let Ready {
            gateway,
            oversight,
            operators,
            listener,
            asks,
            public_log,
            retention,
            compact_every,
            door,
        } = self;
        let Door { guard, files, look_every, limits, http2 } = door;
        let told = |reloaded: Result<(), door::FilesError>| match reloaded {
            Ok(()) => tracing::info!("certificates, revocation lists or registry were renewed"),
            Err(error) => tracing::error!(%error, "renewed files cannot be used; the last good ones go on"),
        };
        let warning = tokio::spawn(warn_ahead(Arc::clone(&guard)));
        let watching = tokio::spawn(files.watch(Arc::downgrade(&guard), look_every, Arc::new(told)));
        let console = operators.map(|operators| tokio::spawn(operators.serve(Arc::clone(&guard))));
        let shadowing = tokio::spawn(tell_shadow(Arc::clone(&gateway)));
        let (journal, published) = (Arc::clone(gateway.journal()), gateway.publisher().published());
        let compacting =
            tokio::spawn(retention.compact_always(journal, published, compact_every, Arc::new(now)));
        let mut public_log = public_log.run(gateway.publisher());
        exchange::serve(Arc::clone(&gateway), oversight, asks, listener, guard, limits, http2, stop).await;
        watching.abort();
        warning.abort();
        console.inspect(tokio::task::JoinHandle::abort);
        compacting.abort();
        shadowing.abort();
        shadow_told(&gateway, 0);
        // Whoever reads the log after this finds all of it, not what the last interval published.
        gateway.publisher().publish_now();
        public_log.shutdown().await;
        Ok(())
    }
}

/// A draft to compare: it decides nothing, so it needs no signatures.
fn draft(folder: &Path) -> Outcome<Arc<Shadow>> {
    let proven = Proven::load(&bundle::read(folder)?, &Trust::Draft).wrong(folder.display())?;
    Ok(Arc::new(Shadow::new(proven)))
}

/// Tells what a draft would have done otherwise, whenever that is more than before.
async fn tell_shadow(gateway: Arc<Gateway>) {
    let (mut minute, mut known) = (tokio::time::interval(SHADOW_EVERY), 0);
    loop {
        minute.tick().await;
        known = shadow_told(&gateway, known);
    }
}

fn shadow_told(gateway: &Gateway, known: u64) -> u64 {
    let Some(shadow) = gateway.shadow() else { return known };
    let (decisions, differences) = shadow.told();
    let count = differences.iter().map(|(_, count)| count).sum();
    if count > known {
        let draft = shadow.number();
        tracing::info!(draft, decisions, differences = count, "the draft would have decided otherwise");
        for (difference, count) in differences {
            tracing::info!(count, place = %difference.place, what = %difference.what, "in the shadow");
        }
    }
    count
}

/// The routes to services of source organisations. Nobody is called yet.
pub(crate) fn routes(config: &Config) -> Outcome<Routes> {
    Routes::load(&config.routes, Path::new("")).wrong("the routes")
}

fn door_files(config: &Config) -> Files {
    Files {
        certificate: config.tls.certificate.clone(),
        key: config.tls.key.clone(),
        authorities: config.tls.authorities.clone(),
        revocation_lists: config.tls.revocation_lists.clone(),
        registry: config.tls.registry.clone(),
    }
}

fn guard(config: &Config, files: &Files) -> Outcome<Arc<Guard>> {
    let material = files.read().wrong("the door")?;
    let rules = identity::Rules {
        test_mode: config.test_mode,
        crl_grace_seconds: config.tls.revocation_grace_seconds,
        ..identity::Rules::default()
    };
    let tls = if config.tls.allow_tls12 { Tls::V12AndV13 } else { Tls::V13 };
    let assertions = config.assertions.of(&config.name);
    Guard::new(material, rules, tls, assertions, Arc::new(now)).wrong("the door")
}

/// The key that signs the log.
pub(crate) fn log_key(config: &Config) -> Outcome<LogKey> {
    let path = &config.log.key;
    let pem = secret(path)?;
    let key = PrivatePkcs8KeyDer::from_pem_slice(&pem).wrong(path.display())?;
    let origin = config.log.origin.parse().wrong("log.origin")?;
    LogKey::new(origin, key.secret_pkcs8_der()).wrong(path.display())
}

pub(crate) fn secret(path: &Path) -> Outcome<zeroize::Zeroizing<Vec<u8>>> {
    door::secret(path).wrong(path.display())
}

/// Says once a day which certificates and lists expire within 30 days.
async fn warn_ahead(guard: Arc<Guard>) {
    let mut day = tokio::time::interval(Duration::from_secs(86_400));
    loop {
        day.tick().await;
        for expiring in guard.expiring(now()) {
            let door::Expiring { what, until, step } = expiring;
            tracing::warn!(what, until = until.unix_seconds(), days = step, "expires soon; renew it");
        }
    }
}

/// Everything that `serve` would refuse to start on, without starting.
pub(crate) fn check(config: &Config) -> Outcome {
    guard(config, &door_files(config))?;
    log_key(config)?;
    PublicLog::check(config)?;
    routes(config)?;
    secret(&config.secrets.master)?;
    let files = bundle::read(&config.bundle)?;
    oversight::load(&files, &trust::of(config)?).map(|_| ()).wrong(config.bundle.display())
}
