//! The command line: names, flags and examples. Scripts and auditors call these names; they are never renamed.
//!
//! Owns: parsing. What a command does stands in `commands/`, one file a command.

mod change;
mod held;
mod keep;
mod log;
mod pki;
mod policy;
mod traject;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use model::{Consent, ExchangeId, MessageType, Oin, Purpose, Role};

pub(crate) use change::{Gateway, Operator, Step};
pub(crate) use held::Held;
pub(crate) use keep::{Backup, Erase};
pub(crate) use log::{Keys, Log, LogSource, Reconcile, Search, Witness};
pub(crate) use pki::{Assert, Pki};
pub(crate) use policy::{MatrixFormat, Policy};
pub(crate) use traject::{About as TrajectAbout, Traject};

/// Field guard: what an organisation may not have never leaves, and the log proves what did.
#[derive(Parser)]
#[command(name = "veldwacht", version, arg_required_else_help = true, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Play one traject between four organisations, and verify the log
    #[command(after_help = "Example:\n  veldwacht demo --dir /tmp/demo")]
    Demo(Demo),
    /// Run the gateway
    #[command(after_help = "Example:\n  veldwacht serve --config gateway.toml --check")]
    Serve(Serve),
    /// A development CA: organisations, systems, officers, auditors, signers of assertions
    #[command(subcommand, after_help = "Example:\n  veldwacht pki init --dir certs/dev")]
    Pki(Pki),
    /// Make a role assertion (JWT, bound to a certificate, five minutes)
    #[command(
        after_help = "Example:\n  veldwacht assert --key ggz.assert.pem --cert ggz.pem --role behandelaar --user jansen --purpose beoordeling_belastbaarheid"
    )]
    Assert(Assert),
    /// Send a document; prints the receipt, or what was sent back
    #[command(
        after_help = "Example:\n  veldwacht send --as certs/dev/rib/coach.pem --to 00000099000000001000:klantmanager --purpose voortgang --client 999990019 --type werkfit.v1.Voortgangsrapportage report.json"
    )]
    Send(Send),
    /// Collect what waits
    #[command(after_help = "Example:\n  veldwacht collect --as certs/dev/gemeente/klantmanager.pem --ack")]
    Collect(Collect),
    /// Ask a source organisation's own service, through the gateway
    #[command(
        after_help = "Example:\n  veldwacht ask --as certs/dev/werkgever/contactpersoon.pem --service uwv.doelgroep.v1.Register/Zoek --purpose banenafspraak --request werkfit.v1.DoelgroepVraag --reply werkfit.v1.DoelgroepAntwoord vraag.json"
    )]
    Ask(Ask),
    /// State that a client's traject opened, came into a phase or ended; most exchanges ask for one
    #[command(
        subcommand,
        after_help = "Example:\n  veldwacht traject enter --as certs/dev/rib/coach.pem --client 999990019 --phase 2"
    )]
    Traject(Traject),
    /// The filter alone, offline: bytes in, bytes out
    #[command(
        after_help = "Example:\n  veldwacht filter --bundle policies --type werkfit.v1.MedischVerslag --sender 00000099000000003000 --receiver 00000099000000002000:arbeidsdeskundige --purpose beoordeling_belastbaarheid --consent verleend verslag.json"
    )]
    Filter(Filter),
    /// Check, show, compare and publish policies
    #[command(subcommand, after_help = "Example:\n  veldwacht policy check policies")]
    Policy(Policy),
    /// What a text says that may not be told
    #[command(
        after_help = "Examples:\n  echo 'kan 20 uur werken' | veldwacht screen --lines\n  veldwacht screen --as certs/dev/rib/coach.pem --to 00000099000000001000:klantmanager --purpose voortgang --type werkfit.v1.Voortgangsrapportage report.txt"
    )]
    Screen(Box<Screen>),
    /// Texts that were held back: what officers do about them, four eyes
    #[command(subcommand, after_help = "Example:\n  veldwacht held list --as certs/dev/operators/anna.pem")]
    Held(Held),
    /// Verify, prove and read the log
    #[command(subcommand, after_help = "Example:\n  veldwacht log verify demo/log --key demo/log.vkey")]
    Log(Log),
    /// Erase a client: the key goes, the log stays whole; the gateway must be stopped
    #[command(
        after_help = "Example:\n  veldwacht erase --client 999990019 --ground avg-17-1-b --config demo/gateway.toml"
    )]
    Erase(Erase),
    /// Copy the data folder, of a gateway that may be running, and check the copy
    #[command(after_help = "Example:\n  veldwacht backup /backup/2026-11-22 --config gateway.toml")]
    Backup(Backup),
    /// Put a copy in place of a data folder that is not there, checked before and after
    #[command(after_help = "Example:\n  veldwacht restore /backup/2026-11-22 --config gateway.toml")]
    Restore(Backup),
    /// What the README quotes: ours beside peers, in one run
    #[command(after_help = "Example:\n  veldwacht bench fields --json")]
    Bench(Bench),
}

#[derive(Args)]
pub(crate) struct Demo {
    /// Where to put everything; a fresh temporary folder if left out
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep the gateway up afterwards
    #[arg(long)]
    pub(crate) serve: bool,
}

#[derive(Args)]
pub(crate) struct Serve {
    /// The configuration, TOML; see `gateway/veldwacht/veldwacht.example.toml`
    #[arg(long, env = "VELDWACHT_CONFIG")]
    pub(crate) config: PathBuf,
    /// Only read the configuration and say what is wrong
    #[arg(long)]
    pub(crate) check: bool,
}

/// Who calls: a certificate with its key beside it, and how to make its assertions.
#[derive(Args)]
pub(crate) struct Caller {
    /// The client certificate (PEM); its key stands beside it as `.key.pem`
    #[arg(long = "as", value_name = "CERT")]
    pub(crate) certificate: PathBuf,
    #[command(flatten)]
    pub(crate) how: How,
}

/// Where to call, and how to make assertions.
#[derive(Args)]
pub(crate) struct How {
    /// The gateway, `host:port`
    #[arg(long, env = "VELDWACHT_GATEWAY", default_value = "localhost:8443")]
    pub(crate) gateway: String,
    /// The CA of the gateway (PEM); `gateway-ca.pem` of the development CA if left out
    #[arg(long)]
    pub(crate) ca: Option<PathBuf>,
    /// The role to act in; the only one that the assertion key may assert, if left out
    #[arg(long)]
    pub(crate) role: Option<Role>,
    /// The user to act for
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// BIG number, for a role that needs one
    #[arg(long)]
    pub(crate) big: Option<String>,
    /// The key that signs assertions (PEM); `assert.key.pem` beside the certificate if left out
    #[arg(long)]
    pub(crate) assertion_key: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Send {
    #[command(flatten)]
    pub(crate) caller: Caller,
    /// A receiver, `OIN:ROLE`; repeat for more
    #[arg(long, required = true, value_name = "OIN:ROLE", value_parser = party)]
    pub(crate) to: Vec<(Oin, Role)>,
    /// What for
    #[arg(long)]
    pub(crate) purpose: Purpose,
    /// The client's BSN. Read as it is: a parser's error would repeat it
    #[arg(long, value_name = "BSN")]
    pub(crate) client: String,
    /// The document's message type
    #[arg(long = "type", value_name = "T")]
    pub(crate) message: MessageType,
    /// Call an emergency, for this reason of the bundle's list: consents are not waited for, an officer is told
    #[arg(long, value_name = "REASON")]
    pub(crate) spoed: Option<model::Name>,
    /// The exchange id, to send the same thing again
    #[arg(long)]
    pub(crate) exchange: Option<ExchangeId>,
    /// Keep what comes back because of a text, sealed, so that officers can release it
    #[arg(long)]
    pub(crate) hold_for_release: bool,
    /// The bundle with the contract that turns text into bytes; the shipped one if left out
    #[arg(long)]
    pub(crate) bundle: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// The document: protobuf JSON (`.json`), text format (`.txtpb`) or binary
    pub(crate) file: PathBuf,
}

#[derive(Args)]
pub(crate) struct Ask {
    #[command(flatten)]
    pub(crate) caller: Caller,
    /// What to call, `package.Service/Method`
    #[arg(long, value_name = "S/M")]
    pub(crate) service: String,
    /// What for
    #[arg(long)]
    pub(crate) purpose: Purpose,
    /// Type of the request, where no contract of the bundle declares the service
    #[arg(long, value_name = "T", requires = "reply")]
    pub(crate) request: Option<MessageType>,
    /// Type of the replies
    #[arg(long, value_name = "T", requires = "request")]
    pub(crate) reply: Option<MessageType>,
    /// The bundle with the contract; the shipped one if left out
    #[arg(long)]
    pub(crate) bundle: Option<PathBuf>,
    /// Print JSON, one reply a line; it always does
    #[arg(long)]
    pub(crate) json: bool,
    /// The request: protobuf JSON (`.json`), text format (`.txtpb`) or binary
    pub(crate) file: PathBuf,
}

#[derive(Args)]
pub(crate) struct Collect {
    #[command(flatten)]
    pub(crate) caller: Caller,
    /// Only deliveries for this purpose
    #[arg(long)]
    pub(crate) purpose: Option<Purpose>,
    /// Keep the stream open and print what arrives
    #[arg(long)]
    pub(crate) follow: bool,
    /// Acknowledge what was printed, so that it does not come again
    #[arg(long)]
    pub(crate) ack: bool,
    /// The bundle with the contract that turns bytes into text; the shipped one if left out
    #[arg(long)]
    pub(crate) bundle: Option<PathBuf>,
    /// Print one JSON document a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// From whom to whom, for what, in which state of consent.
#[derive(Args)]
pub(crate) struct Route {
    /// The document's message type
    #[arg(long = "type", value_name = "T")]
    pub(crate) message: MessageType,
    /// The sender, `OIN` or `OIN:ROLE`; the role is needed where several may send this
    #[arg(long, value_name = "OIN[:ROLE]", value_parser = sender)]
    pub(crate) sender: (Oin, Option<Role>),
    /// The receiver
    #[arg(long, value_name = "OIN:ROLE", value_parser = party)]
    pub(crate) receiver: (Oin, Role),
    /// What for
    #[arg(long)]
    pub(crate) purpose: Purpose,
    /// State of both consents: verleend, geweigerd or onbekend
    #[arg(long, default_value = "onbekend")]
    pub(crate) consent: Consent,
    /// The phase of the client's traject, 0 for none; one that fits, if left out
    #[arg(long)]
    pub(crate) phase: Option<u8>,
}

#[derive(Args)]
pub(crate) struct Filter {
    /// The bundle
    #[arg(long)]
    pub(crate) bundle: PathBuf,
    #[command(flatten)]
    pub(crate) route: Route,
    /// How to write what may leave
    #[arg(long, default_value = "json")]
    pub(crate) format: DocumentFormat,
    /// Say field by field what happened and why
    #[arg(long)]
    pub(crate) explain: bool,
    /// Print the account as JSON on standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// The document: protobuf JSON, text format or binary
    pub(crate) file: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocumentFormat {
    /// Protobuf JSON
    Json,
    /// The bytes
    Binary,
}

#[derive(Args)]
pub(crate) struct Screen {
    /// The lexicon: a folder; the shipped one if left out
    #[arg(long)]
    pub(crate) lexicon: Option<PathBuf>,
    /// Print findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Take every line as its own text; prints one JSON document a line
    #[arg(long, conflicts_with = "to")]
    pub(crate) lines: bool,
    /// Ask a gateway what this reader may not have, `OIN:ROLE`; repeat for more
    #[arg(long, value_name = "OIN:ROLE", value_parser = party, requires_all = ["certificate", "purpose", "message"])]
    pub(crate) to: Vec<(Oin, Role)>,
    /// The client certificate to ask with (PEM); its key stands beside it as `.key.pem`
    #[arg(long = "as", value_name = "CERT", requires = "to")]
    pub(crate) certificate: Option<PathBuf>,
    /// What they read it for
    #[arg(long, requires = "to")]
    pub(crate) purpose: Option<Purpose>,
    /// The type of the document that the text will stand in
    #[arg(long = "type", value_name = "T", requires = "to")]
    pub(crate) message: Option<MessageType>,
    /// The field that it will stand in, names joined by dots; any that the reader gets, if left out
    #[arg(long, default_value = "")]
    pub(crate) field: String,
    #[command(flatten)]
    pub(crate) how: How,
    /// The text; `-` or nothing reads standard input
    pub(crate) file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Bench {
    /// What to measure; everything if left out
    pub(crate) what: Option<Benchmark>,
    /// Print one JSON document a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Benchmark {
    /// Mediated calls, beside nginx, HAProxy and Envoy
    Ask,
    /// The field filter
    Fields,
    /// Durable audited exchanges over mutual TLS
    Exchange,
    /// The log
    Log,
    /// Screening
    Screen,
}

fn party(text: &str) -> Result<(Oin, Role), String> {
    match sender(text)? {
        (oin, Some(role)) => Ok((oin, role)),
        (_, None) => Err("expected OIN:ROLE".into()),
    }
}

fn sender(text: &str) -> Result<(Oin, Option<Role>), String> {
    let (oin, role) = text.split_once(':').map_or((text, None), |(oin, role)| (oin, Some(role)));
    let oin = oin.parse().map_err(|error: model::Invalid| error.to_string())?;
    let role = role.map(str::parse).transpose().map_err(|error: model::Invalid| error.to_string())?;
    Ok((oin, role))
}
