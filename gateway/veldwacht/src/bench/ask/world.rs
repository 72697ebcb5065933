//! The world of `bench ask`: organisations, a source, and gateways of our own in this process, pinned to the proxy's core.
//!
//! Owns: making certificates, bundle and configuration in a folder, as an operator would, and starting what runs there. A
//! gateway that keeps no records can be made here and nowhere else: no configuration leads to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use journal::Options;
use policy::{Proven, Trust};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rust_embed::RustEmbed;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::assert::{Asserter, Assertion, DEFAULT_AUDIENCE, DEFAULT_LIFETIME_SECONDS};
use crate::bench::ask::cores::{self, LOAD, PROXY};
use crate::bench::ask::load::{self, Answers, framed};
use crate::bundle;
use crate::config::Config;
use crate::demo::{issue_all, write_secret};
use crate::failure::{Doing, Failure, Outcome};
use crate::gateway::{Ready, now};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/src/bench/ask/bundle"]
struct BenchBundle;

const BSN: &str = "999990019";

/// Everything but the proxies.
pub(super) struct World {
    pub(super) folder: PathBuf,
    pub(super) source: u16,
    pub(super) load: Runtime,
}

impl World {
    pub(super) fn new(folder: &Path) -> Outcome<World> {
        let mut files: bundle::Files = BenchBundle::iter()
            .filter_map(|name| Some((name.to_string(), BenchBundle::get(&name)?.data.into_owned())))
            .collect();
        let shipped = bundle::shipped().into_iter();
        files.extend(shipped.filter(|(name, _)| {
            name.starts_with("lexicon/")
                || name == "schema.cedarschema"
                || name == "contracts/veldwacht/klasse.proto"
        }));
        let proven = Proven::load(&files, &Trust::Draft).wrong("the bundle of the benchmark")?;
        bundle::write(&files, &folder.join("bundle"))?;
        issue_all(&folder.join("pki"), &proven, &[])?;
        papers(folder)?;
        for name in ["master.secret", "pseudonyms.secret"] {
            write_secret(&folder.join(name), &[7; 32])?;
        }
        let load = runtime("load", LOAD)?;
        let answers = Arc::new(Answers { small: dossier(17), large: dossier(345) });
        let tls = source_tls(folder)?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unreachable("a port")?;
        listener.set_nonblocking(true).unreachable("a port")?;
        let source = listener.local_addr().unreachable("a port")?.port();
        load.spawn(async move {
            if let Ok(listener) = TcpListener::from_std(listener) {
                load::serve(listener, tls, answers).await;
            }
        });
        Ok(World { folder: folder.to_owned(), source, load })
    }

    /// What a caller shows to a proxy.
    pub(super) fn caller_tls(&self) -> Outcome<TlsConnector> {
        connector(&self.folder, "pki/gateway-ca.pem", "pki/rib/coach.pem")
    }

    /// What a caller shows that goes to the source directly, as a proxy does.
    pub(super) fn direct_tls(&self) -> Outcome<TlsConnector> {
        connector(&self.folder, "source-ca.pem", "to-source.pem")
    }

    /// A fresh assertion, good for one connection.
    pub(super) fn bearer(&self) -> Outcome<String> {
        let read = |name: &str| std::fs::read_to_string(self.folder.join(name)).wrong(name);
        let asserter = Asserter::new(&read("pki/rib/assert.key.pem")?, &read("pki/rib/coach.pem")?)?;
        let assertion = Assertion {
            role: &"coach".parse().wrong("a role")?,
            user: "bench",
            purpose: Some(&"voortgang".parse().wrong("a purpose")?),
            big: None,
            spoed: None,
            audience: DEFAULT_AUDIENCE,
            lifetime: DEFAULT_LIFETIME_SECONDS,
        };
        Ok(format!("Bearer {}", asserter.token(&assertion, now())?))
    }

    /// A question about the client.
    pub(super) fn question() -> Bytes {
        let mut message = text(1, BSN);
        message.extend([0x10, 7]);
        framed(&message)
    }
}

/// A gateway of our own.
pub(super) struct Own {
    pub(super) port: u16,
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    stopped: oneshot::Receiver<()>,
}

impl Own {
    /// Starts one; `records`: whether it keeps them, as every gateway but this one does.
    pub(super) async fn start(world: &World, name: &str, records: bool) -> Outcome<Own> {
        let config = configure(&world.folder, name, world.source)?;
        let runtime = runtime("gateway", PROXY)?;
        let options = Options::new(&config.data, vec![7; 32]);
        // On the pinned thread: the journal's own threads inherit its core.
        let opening = runtime.spawn(async move {
            let ready = Ready::open_on(&config, Options { discard: !records, ..options }).await?;
            let address = ready.listener.local_addr().unreachable("the listener")?;
            Ok::<_, Failure>((ready, address.port()))
        });
        let (ready, port) = opening.await.unreachable("the gateway")??;
        let (stop, stopping) = oneshot::channel();
        let (gone, stopped) = oneshot::channel();
        runtime.spawn(async move {
            let _ = ready.serve(async { drop(stopping.await) }).await;
            drop(gone);
        });
        Ok(Own { port, runtime, stop, stopped })
    }

    pub(super) async fn end(self) {
        let _ = self.stop.send(());
        // Callers that stay connected are not waited for.
        let _ = tokio::time::timeout(Duration::from_secs(2), self.stopped).await;
        self.runtime.shutdown_background();
    }
}

fn runtime(name: &str, core: usize) -> Outcome<Runtime> {
    let mut builder = crate::runtime();
    builder.worker_threads(1).thread_name(name).on_thread_start(move || cores::pin(core));
    builder.build().unreachable("a runtime")
}

fn configure(folder: &Path, name: &str, source: u16) -> Outcome<Config> {
    std::fs::create_dir(folder.join(name)).unreachable(name)?;
    let text = format!(
        r#"listen = "127.0.0.1:0"
name = "veldwacht"
test_mode = true
data = "{name}"
bundle = "bundle"

[tls]
certificate = "pki/gateway.pem"
key = "pki/gateway.key.pem"
authorities = "pki/authorities.pem"
revocation_lists = ["pki/revoked.pem"]
registry = "pki/registry.toml"

[log]
origin = "veldwacht.example/bench"
key = "pki/signers/log.key.pem"

[assertions]
use = "connection"

[limits]
handshakes_per_second_per_address = 1000000
calls_per_second = 1000000
calls_per_second_of_a_system = 1000000
bytes_per_second = 1099511627776
bytes_per_second_of_a_system = 1099511627776

[secrets]
master = "master.secret"
pseudonyms = "pseudonyms.secret"

[[route]]
service = "bench.v1.Bron"
request = "bench.v1.Vraag"
reply = "bench.v1.Dossier"
organisation = "00000099000000002000"
purpose = "voortgang"
upstream = ["127.0.0.1:{source}"]
server_name = "localhost"
authorities = "source-ca.pem"
certificate = "to-source.pem"
key = "to-source.key.pem"
"#
    );
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, text).unreachable(path.display())?;
    Config::read(&path, std::iter::empty())
}

/// An answer with so many limitations, 61 bytes each, of which a diagnosis of 17 does not pass.
fn dossier(count: usize) -> Bytes {
    let mut dossier = text(1, BSN);
    for number in 0..count {
        let mut item = text(1, "III.04.2 traplopen, beperkt");
        item.extend([0x10, u8::try_from(number % 4).unwrap_or_default()]);
        item.extend(text(3, "2026-11-22"));
        item.extend(text(4, "F33.1 depressie"));
        dossier.extend([0x12, u8::try_from(item.len()).unwrap_or_default()]);
        dossier.extend(item);
    }
    framed(&dossier)
}

/// A short string field.
fn text(number: u8, text: &str) -> Vec<u8> {
    let mut field = vec![number << 3 | 2, u8::try_from(text.len()).unwrap_or_default()];
    field.extend(text.as_bytes());
    field
}

/// The source's authority, its certificate, and the one that a proxy shows it.
fn papers(folder: &Path) -> Outcome {
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unreachable(name);
    let key = KeyPair::generate().unreachable("a key")?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Bron");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    write("source-ca.pem", params.self_signed(&key).unreachable("a certificate")?.pem())?;
    let issuer = Issuer::new(params, key);
    for (name, usage) in
        [("source", ExtendedKeyUsagePurpose::ServerAuth), ("to-source", ExtendedKeyUsagePurpose::ClientAuth)]
    {
        let key = KeyPair::generate().unreachable("a key")?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).wrong("a name")?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        write(&format!("{name}.pem"), params.signed_by(&key, &issuer).unreachable("a certificate")?.pem())?;
        write_secret(&folder.join(format!("{name}.key.pem")), key.serialize_pem().as_bytes())?;
    }
    Ok(())
}

/// Certificates, the key beside them, and who is believed.
fn read(
    folder: &Path,
    authorities: &str,
    certificate: &str,
) -> Outcome<(RootCertStore, Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let pem = |name: &str| {
        CertificateDer::pem_file_iter(folder.join(name)).and_then(Iterator::collect::<Result<Vec<_>, _>>)
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(pem(authorities).wrong(authorities)?);
    let own = pem(certificate).wrong(certificate)?;
    let key = PrivateKeyDer::from_pem_file(folder.join(certificate).with_extension("key.pem"))
        .wrong(certificate)?;
    Ok((roots, own, key))
}

fn connector(folder: &Path, authorities: &str, certificate: &str) -> Outcome<TlsConnector> {
    let (roots, own, key) = read(folder, authorities, certificate)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]);
    let builder = builder.wrong("TLS")?.with_root_certificates(roots);
    let mut config = builder.with_client_auth_cert(own, key).wrong(certificate)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn source_tls(folder: &Path) -> Outcome<TlsAcceptor> {
    let (roots, own, key) = read(folder, "source-ca.pem", "source.pem")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let builder =
        ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]);
    let builder =
        builder.wrong("TLS")?.with_client_cert_verifier(verifier.build().wrong("the source's authority")?);
    let mut config = builder.with_single_cert(own, key).wrong("the source's certificate")?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
