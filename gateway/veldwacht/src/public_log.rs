//! The published log to the outside: its listener and its witnesses, from the configuration to tasks that run.
//!
//! Owns: reading keys, certificates and authorities for `tlog`, and a certificate that is renewed while it serves. What
//! is published is `journal`'s.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use exchange::Cosigned;
use journal::{Journal, PublisherThread, last_signed};
use ledger::{Algorithm, KeyName, VerifierKey};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tlog::{Collected, Http, Limits, ServedLog, Transport, Witness};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::config::{Config, LogServe};
use crate::failure::{Doing, Failure, Outcome};
use crate::gateway::{log_key, secret};

/// How long a witness or a log elsewhere is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How often the certificate is read again.
const RENEWED_EVERY: Duration = Duration::from_secs(60);

/// What serves the log, and who watches it.
pub(crate) struct PublicLog {
    origin: KeyName,
    witnesses: Vec<Witness>,
    collected: Arc<Collected>,
    wants_quorum: bool,
    serving: Option<Serving>,
}

struct Serving {
    listener: TcpListener,
    tls: Arc<ArcSwap<ServerConfig>>,
    read: Box<dyn Fn() -> Outcome<ServerConfig> + Send + Sync>,
}

impl PublicLog {
    /// Asks the witnesses whether this log may go on, before anything more of it is published, and takes the listener.
    pub(crate) async fn open(config: &Config, journal: &Journal) -> Outcome<PublicLog> {
        let key = log_key(config)?;
        let witnesses = witnesses(config)?;
        let (checkpoint, note, files) = last_signed(journal, &key).unreachable("the log")?;
        tlog::may_start(&witnesses, &files, &note, checkpoint.size).await.unreachable("the log")?;
        let serving = match &config.log.serve {
            Some(serve) => Some(Serving::open(config, serve).await?),
            None => None,
        };
        let collected = Arc::new(Collected::new(config.log.quorum));
        let (origin, wants_quorum) = (key.name().clone(), config.log.quorum > 0);
        Ok(PublicLog { origin, witnesses, collected, wants_quorum, serving })
    }

    /// Everything that opening would refuse, without the network.
    pub(crate) fn check(config: &Config) -> Outcome {
        witnesses(config)?;
        config.log.serve.as_ref().map_or(Ok(()), |serve| server(config, serve)().map(|_| ()))
    }

    /// What its witnesses answer.
    pub(crate) fn collected(&self) -> Arc<Collected> {
        Arc::clone(&self.collected)
    }

    /// What a quorum of witnesses has cosigned, where one is wanted.
    pub(crate) fn cosigned(&self) -> Option<Cosigned> {
        let collected = Arc::clone(&self.collected);
        self.wants_quorum.then(|| -> Cosigned { Box::new(move || collected.note()) })
    }

    /// Where the log is served: its address, prefix and all, if the certificate is for this machine's name.
    pub(crate) fn address(&self) -> Option<String> {
        let address: SocketAddr = self.serving.as_ref()?.listener.local_addr().ok()?;
        let path = self.origin.as_str().split_once('/').map_or("", |(_, path)| path);
        Some(format!("https://localhost:{}/{path}", address.port()))
    }

    /// Serves and asks until the tasks are stopped.
    pub(crate) fn run(self, publisher: &PublisherThread) -> JoinSet<()> {
        if let Some(address) = self.address() {
            tracing::info!(address, "the log is served");
        }
        let mut tasks = JoinSet::new();
        for witness in self.witnesses {
            tasks.spawn(tlog::ask_always(witness, publisher.log(), Arc::clone(&self.collected)));
        }
        if let Some(Serving { listener, tls, read }) = self.serving {
            let site = Arc::new(ServedLog::new(&self.origin, publisher.files(), self.collected));
            let transport = Transport::Tls(Arc::clone(&tls));
            tasks.spawn(tlog::serve(listener, transport, site, Limits::default(), std::future::pending()));
            tasks.spawn(renew(tls, read));
        }
        tasks
    }
}

impl Serving {
    async fn open(config: &Config, serve: &LogServe) -> Outcome<Serving> {
        let read = server(config, serve);
        let tls = Arc::new(ArcSwap::from_pointee(read()?));
        let listener = TcpListener::bind(serve.listen).await.unreachable(serve.listen)?;
        Ok(Serving { listener, tls, read: Box::new(read) })
    }
}

fn server(config: &Config, serve: &LogServe) -> impl Fn() -> Outcome<ServerConfig> + Send + Sync + use<> {
    let certificate = serve.certificate.clone().unwrap_or_else(|| config.tls.certificate.clone());
    let key = serve.key.clone().unwrap_or_else(|| config.tls.key.clone());
    move || server_of(&certificate, &key)
}

/// TLS with a certificate and a key from files.
pub(crate) fn server_of(certificate: &Path, key: &Path) -> Outcome<ServerConfig> {
    let pem = secret(key)?;
    let private = PrivateKeyDer::from_pem_slice(&pem).wrong(key.display())?;
    tlog::tls::server(certificates(certificate)?, private).wrong(certificate.display())
}

fn certificates(path: &Path) -> Outcome<Vec<CertificateDer<'static>>> {
    let all = CertificateDer::pem_file_iter(path).wrong(path.display())?;
    all.collect::<Result<_, _>>().wrong(path.display())
}

/// A client that believes the authorities in a file, or those of this machine.
pub(crate) fn client(authorities: Option<&Path>) -> Outcome<Http> {
    let authorities = authorities.map(certificates).transpose()?;
    Ok(Http::new(tlog::tls::client(authorities).wrong("the authorities")?, PATIENCE))
}

fn witnesses(config: &Config) -> Outcome<Vec<Witness>> {
    let witnesses = config.log.witnesses.iter().map(|witness| {
        let key: VerifierKey = witness.key.parse().wrong("log.witness.key")?;
        if key.algorithm() != Algorithm::CosignatureV1 {
            return Err(Failure::Use("log.witness.key: a witness cosigns with algorithm 4".into()));
        }
        let http = client(witness.authorities.as_deref())?;
        Ok(Witness { key, url: witness.url.clone(), http })
    });
    witnesses.collect()
}

/// Takes a renewed certificate; one that cannot be read changes nothing.
async fn renew(tls: Arc<ArcSwap<ServerConfig>>, read: Box<dyn Fn() -> Outcome<ServerConfig> + Send + Sync>) {
    loop {
        tokio::time::sleep(RENEWED_EVERY).await;
        match read() {
            Ok(config) => tls.store(Arc::new(config)),
            Err(error) => {
                tracing::error!(%error, "the log's certificate cannot be read; the last good one goes on")
            }
        }
    }
}
