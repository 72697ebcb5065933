//! `veldwacht demo`: one traject between four organisations, on the real thing, and the proof of it afterwards.
//!
//! Owns: setting the stage in a folder – development CA, signed bundle, configuration, gateway on loopback – and taking
//! it down. What is played stands in `demo/story.rs`, how it is told in `demo/tell.rs`. Nothing here is a shortcut:
//! every organisation is a TLS client with its own certificate and assertions.

mod story;
mod tell;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{Name, Oin, Role};
use policy::{Part, Proven, Trust};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::bundle;
use crate::cli;
use crate::client::{Client, Files};
use crate::commands::log;
use crate::commands::policy::sign_folder;
use crate::config::Config;
use crate::failure::{Doing, Failure, Outcome};
use crate::gateway::{Ready, now};
use crate::pki::{KeyKind, NewOrganisation, Pki};

const GATEWAY_OIN: &str = "00000099000000099000";
const ORIGIN: &str = "veldwacht.example/demo";

/// The stage: a gateway that runs, and everything that its callers need.
pub(crate) struct Stage {
    pub(crate) folder: PathBuf,
    pub(crate) proven: Proven,
    address: String,
    console: Option<Arc<console::Console>>,
    log_address: Option<String>,
    console_address: String,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<Outcome>,
}

/// Plays the demo.
pub(crate) async fn run(demo: &cli::Demo, out: &mut impl Write) -> Outcome {
    let temporary =
        tempfile::Builder::new().prefix("veldwacht-demo-").tempdir().unreachable("a temporary folder")?;
    let folder = match &demo.dir {
        Some(folder) => folder.clone(),
        None => temporary.keep(),
    };
    let mut told = tell::Telling::new(demo.json, out);
    told.heading(&format!("Veldwacht demo in {}", folder.display()))?;
    let stage = Stage::set(&folder, "").await?;
    let played = story::play(&stage, &mut told).await;
    if played.is_err() || !demo.serve {
        stage.take_down().await?;
        played?;
        let verified = log::verify_folder(&folder.join("log"), &folder.join("log.vkey"), None)?;
        return told.verified(&verified, &folder);
    }
    played?;
    told.serving(&stage.address, stage.log_address.as_deref(), &folder)?;
    let desk = Desk::open(&stage).await?;
    told.console(&stage.console_address, &desk.links)?;
    tokio::signal::ctrl_c().await.unreachable("waiting for control-C")?;
    desk.serving.abort();
    stage.take_down().await
}

impl Stage {
    /// Makes everything in `folder`, and starts the gateway on a free port of the loopback interface. `more`: further
    /// tables of its configuration.
    pub(crate) async fn set(folder: &Path, more: &str) -> Outcome<Stage> {
        if folder.join("journal").exists() {
            let message =
                format!("{}: a demo was played here already; name a fresh folder", folder.display());
            return Err(Failure::Use(message));
        }
        std::fs::create_dir_all(folder).unreachable(folder.display())?;
        let files = bundle::shipped();
        let proven = Proven::load(&files, &Trust::Draft).wrong("the shipped bundle")?;
        bundle::write(&files, &folder.join("bundle"))?;
        issue_all(&folder.join("pki"), &proven, &[])?;
        let signers = [
            ("officer-1", Part::Policies),
            ("officer-2", Part::Policies),
            ("supervisor-1", Part::Guardrails),
        ];
        for (signer, part) in signers {
            let key = folder.join("pki/signers").join(format!("{signer}.key.pem"));
            sign_folder(&folder.join("bundle"), &key, part)?;
        }
        let config = configure(folder, more)?;
        let ready = Ready::open(&config).await?;
        let console = ready.operators.as_ref().map(|operators| Arc::clone(&operators.console));
        let console_port = match &ready.operators {
            Some(operators) => operators.listener.local_addr().unreachable("the console's listener")?.port(),
            None => 0,
        };
        let port = ready.listener.local_addr().unreachable("the listener")?.port();
        let log_address = ready.public_log.address();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(ready.serve(async move {
            let _ = stopped.await; // a stage that is dropped stops too
        }));
        let address = format!("localhost:{port}");
        let folder = folder.to_owned();
        let console_address = format!("localhost:{console_port}");
        Ok(Stage { folder, proven, address, console, console_address, log_address, stop, serving })
    }

    /// Connects as one system of an organisation.
    pub(crate) async fn client(&self, organisation: &str, system: &str) -> Outcome<Client> {
        let certificate = self.folder.join("pki").join(organisation).join(format!("{system}.pem"));
        Client::connect(&self.address, &Files::beside(&certificate)).await
    }

    /// What people call an organisation.
    pub(crate) fn name_of(&self, oin: &Oin) -> String {
        self.proven
            .organisation(oin)
            .map_or_else(|| oin.to_string(), |organisation| organisation.name.to_string())
    }

    pub(crate) async fn take_down(self) -> Outcome {
        let _ = self.stop.send(()); // who stopped already needs no telling
        self.serving.await.unreachable("the gateway")?
    }
}

/// Who may come in at the console of a demo, and as what: a widening takes two officers beside its author.
const OPERATORS: [(&str, &str); 5] = [
    ("officer-1", "officer"),
    ("officer-2", "officer"),
    ("officer-3", "officer"),
    ("auditor-1", "auditor"),
    ("beheerder-1", "beheerder"),
];

/// The console of a demo, open on the loopback interface by links that work once.
struct Desk {
    /// Who, and the address.
    links: Vec<(&'static str, String)>,
    serving: tokio::task::JoinHandle<()>,
}

impl Desk {
    async fn open(stage: &Stage) -> Outcome<Desk> {
        let console = stage.console.clone().ok_or_else(|| Failure::Use("the demo has no console".into()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await.unreachable("the loopback interface")?;
        let port = listener.local_addr().unreachable("the loopback interface")?.port();
        let (mut links, mut opened) = (Vec::new(), Vec::new());
        for (name, _) in OPERATORS {
            let path = stage.folder.join("pki/operators").join(format!("{name}.pem"));
            let certificates = CertificateDer::pem_file_iter(&path).wrong(path.display())?;
            let certificates = certificates.map(|der| der.map(|der| der.to_vec())).collect::<Result<_, _>>();
            let link = console::Link::new(certificates.wrong(path.display())?);
            let link = link.ok_or_else(|| Failure::Reach("the system has no random bytes".into()))?;
            links.push((name, format!("http://localhost:{port}{}", link.path())));
            opened.push(link);
        }
        let serving = tokio::spawn(async move {
            let served = console::serve_loopback(console, listener, opened, std::future::pending()).await;
            if let Err(error) = served {
                tracing::error!(%error, "the console is not open");
            }
        });
        Ok(Desk { links, serving })
    }
}

/// A development CA with every organisation of the bundle: one system a role.
pub(crate) fn issue_all(folder: &Path, proven: &Proven, hosts: &[String]) -> Outcome<Pki> {
    let gateway = GATEWAY_OIN.parse().wrong("the gateway's OIN")?;
    let mut taken: BTreeSet<Name> = BTreeSet::new();
    let mut organisations = Vec::new();
    for organisation in proven.organisations() {
        let folder = (1..).map(|number| match number {
            1 => organisation.kind.to_string(),
            number => format!("{}-{number}", organisation.kind),
        });
        let folder = folder.filter_map(|name| name.parse::<Name>().ok()).find(|name| !taken.contains(name));
        let folder = folder.ok_or_else(|| Failure::Use("an organisation's kind is no folder name".into()))?;
        taken.insert(folder.clone());
        let roles: BTreeSet<Role> = proven.roles_of(&organisation.kind).cloned().collect();
        let systems = roles.iter().map(|role| role.as_str().parse());
        organisations.push(NewOrganisation {
            oin: organisation.oin,
            name: organisation.name.to_string(),
            kind: organisation.kind.clone(),
            folder,
            systems: systems.collect::<Result<_, _>>().wrong("a role's name")?,
            big_roles: roles.iter().filter(|role| proven.is_in(role, "medisch")).cloned().collect(),
            roles: roles.into_iter().filter(|role| *role != Role::systeem()).collect(),
            key: KeyKind::Ed25519,
        });
    }
    let mut pki = Pki::init(folder, gateway, hosts, &organisations, now())?;
    for signer in ["log", "officer-1", "officer-2", "supervisor-1"] {
        pki.issue_signer(&signer.parse().wrong("a signer's name")?)?;
    }
    for (operator, role) in OPERATORS {
        let roles = BTreeSet::from([role.parse().wrong("an operator's role")?]);
        pki.issue_operator(&operator.parse().wrong("an operator's name")?, &roles)?;
    }
    Ok(pki)
}

/// Writes a file that only its owner can read.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Outcome {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes)).unreachable(path.display())
}

/// Writes `gateway.toml` and the secrets that it names, as an operator would.
fn configure(folder: &Path, more: &str) -> Outcome<Config> {
    for (name, length) in [("master.secret", 32), ("pseudonyms.secret", 32)] {
        let mut bytes = vec![0; length];
        getrandom::fill(&mut bytes).unreachable("random bytes")?;
        write_secret(&folder.join(name), &bytes)?;
    }
    let text = format!(
        r#"listen = "127.0.0.1:0"
name = "veldwacht"
test_mode = true
data = "."
bundle = "bundle"

[signers.policies]
threshold = 2
keys = ["pki/signers/officer-1.pub.pem", "pki/signers/officer-2.pub.pem"]

[signers.guardrails]
threshold = 1
keys = ["pki/signers/supervisor-1.pub.pem"]

[tls]
certificate = "pki/gateway.pem"
key = "pki/gateway.key.pem"
authorities = "pki/authorities.pem"
revocation_lists = ["pki/revoked.pem"]
registry = "pki/registry.toml"

[log]
origin = "{ORIGIN}"
key = "pki/signers/log.key.pem"
publish_every_ms = 200

[console]
listen = "127.0.0.1:0"

[log.serve]
listen = "127.0.0.1:0"

[limits]
calls_per_second = 1000000
calls_per_second_of_a_system = 1000000

[secrets]
master = "master.secret"
pseudonyms = "pseudonyms.secret"
{more}"#
    );
    let path = folder.join("gateway.toml");
    std::fs::write(&path, text).unreachable(path.display())?;
    Config::read(&path, std::iter::empty())
}

/// The JSON that programs read: `deliveries`, `returned`, `refused`, `log`.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) deliveries: Vec<Value>,
    pub(crate) returned: Vec<Value>,
    pub(crate) refused: Vec<Value>,
}

impl Account {
    pub(crate) fn json(&self, log: &Value) -> Value {
        json!({ "deliveries": self.deliveries, "returned": self.returned, "refused": self.refused, "log": log })
    }
}
