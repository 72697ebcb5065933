//! A gateway of its own for a test: development CA, configuration and `veldwacht serve` in a temporary folder.
//!
//! Owns: starting, killing and stopping the process, running other commands against it, and reading its published
//! log back, verified. Two tests share nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use journal::LogKey;
use ledger::{Leaf, TileSource, Trust, Unreadable};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;

pub(crate) const GEMEENTE: &str = "00000099000000001000";
pub(crate) const UWV: &str = "00000099000000002000";
pub(crate) const GGZ: &str = "00000099000000003000";
pub(crate) const RIB: &str = "00000099000000004000";
/// The client of the documents in `tests/data/documents`.
pub(crate) const CLIENT: &str = "999990019";

const ORIGIN: &str = "veldwacht.example/test";
/// How long anything may take on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// A document of `tests/data/documents`.
pub(crate) fn document(name: &str) -> PathBuf {
    root().join("tests/data/documents").join(format!("{name}.json"))
}

/// How a command ended.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// It is done; what it printed.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.status, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// Everything that was said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// The binary under test, without what the environment of the tests says.
pub(crate) fn veldwacht() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veldwacht"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VELDWACHT_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { status: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// The folder of a bundle that a test makes.
pub(crate) struct Bundle(PathBuf);

impl Bundle {
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// A gateway that runs, and everything beside it.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    log_level: &'static str,
    running: Option<Child>,
    starts: u32,
    pub(crate) address: String,
}

impl Stage {
    /// Makes everything and starts.
    pub(crate) fn start() -> Stage {
        Stage::with("", "warn")
    }

    /// Starts with more in the configuration, and this level of log lines.
    pub(crate) fn with(more: &str, log_level: &'static str) -> Stage {
        let mut stage = Stage::set(more, log_level);
        stage.serve();
        stage
    }

    /// Starts with a configuration that is changed as a test likes.
    pub(crate) fn started_with(change: impl FnOnce(String) -> String) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let mut stage = Stage::make(folder, &root().join("policies"), "", "warn", change);
        stage.serve();
        stage
    }

    /// Makes everything, and does not start yet.
    pub(crate) fn set(more: &str, log_level: &'static str) -> Stage {
        Stage::make(tempfile::tempdir().unwrap(), &root().join("policies"), more, log_level, |text| text)
    }

    /// Starts with another bundle than the shipped one: its files as `write` makes them.
    pub(crate) fn with_bundle(more: &str, log_level: &'static str, write: impl Fn(&Bundle)) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let bundle = Bundle(folder.path().join("bundle"));
        write(&bundle);
        let mut stage = Stage::make(folder, &bundle.0, more, log_level, |text| text);
        stage.serve();
        stage
    }

    fn make(
        folder: tempfile::TempDir,
        bundle: &Path,
        more: &str,
        log_level: &'static str,
        change: impl FnOnce(String) -> String,
    ) -> Stage {
        let mut pki = veldwacht();
        pki.args(["pki", "init", "--dir"]).arg(folder.path().join("pki"));
        run(pki.arg("--bundle").arg(bundle)).done();
        for (number, name) in [(7, "master.secret"), (9, "pseudonyms.secret")] {
            let path = folder.path().join(name);
            std::fs::write(&path, [number; 32]).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let text = format!(
            r#"listen = "127.0.0.1:0"
name = "veldwacht"
test_mode = true
data = "data"
bundle = "{}"

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

[secrets]
master = "master.secret"
pseudonyms = "pseudonyms.secret"

{more}"#,
            bundle.display()
        );
        std::fs::write(folder.path().join("gateway.toml"), change(text)).unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let stage = Stage { folder, log_level, running: None, starts: 0, address: String::new() };
        std::fs::write(stage.path("log.vkey"), format!("{}\n", stage.log_key().verifier())).unwrap();
        stage
    }

    /// A file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The certificate of an organisation's system.
    pub(crate) fn certificate(&self, organisation: &str, system: &str) -> PathBuf {
        self.path("pki").join(organisation).join(format!("{system}.pem"))
    }

    /// Starts `serve`, the first time or again.
    pub(crate) fn serve(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        self.starts += 1;
        let file = |ending: &str| {
            std::fs::File::create(self.path(&format!("serve-{}.{ending}", self.starts))).unwrap()
        };
        let mut command = veldwacht();
        command
            .args(["serve", "--config"])
            .arg(self.path("gateway.toml"))
            .env("VELDWACHT_LOG", self.log_level);
        let mut child = command.stdout(file("out")).stderr(file("err")).spawn().unwrap();
        let said = self.path(&format!("serve-{}.out", self.starts));
        let started = Instant::now();
        self.address = loop {
            let text = std::fs::read_to_string(&said).unwrap();
            if let Some(port) =
                text.strip_prefix("listening on 127.0.0.1:").and_then(|rest| rest.strip_suffix('\n'))
            {
                break format!("localhost:{port}");
            }
            if started.elapsed() > PATIENCE || child.try_wait().unwrap().is_some() {
                let why = std::fs::read_to_string(said.with_extension("err")).unwrap();
                panic!("`serve` does not listen: {why}");
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        self.running = Some(child);
    }

    /// What the gateway wrote to standard error since it was started last.
    pub(crate) fn complaints(&self) -> String {
        std::fs::read_to_string(self.path(&format!("serve-{}.err", self.starts))).unwrap()
    }

    /// The process.
    pub(crate) fn process(&self) -> u32 {
        self.running.as_ref().unwrap().id()
    }

    /// Memory of the process that is resident, in kB.
    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS").trim_end_matches("kB").trim().parse().unwrap()
    }

    /// What the kernel says of the process (proc(5), `status`).
    pub(crate) fn status(&self, key: &str) -> String {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.process())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.unwrap().trim().to_owned()
    }

    /// What it says of each thread.
    pub(crate) fn every_thread(&self, key: &str) -> Vec<String> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.process())).unwrap();
        let status =
            threads.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap());
        let said = |text: String| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            line.unwrap().trim().to_owned()
        };
        status.map(said).collect()
    }

    /// The limits that the kernel holds the process to.
    pub(crate) fn limits(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/limits", self.process())).unwrap()
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        let mut child = self.running.take().unwrap();
        child.kill().unwrap(); // SIGKILL on Unix
        child.wait().unwrap();
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub(crate) fn stop(&mut self) {
        let mut child = self.running.take().unwrap();
        run(Command::new("kill").arg(child.id().to_string())).done();
        assert!(child.wait().unwrap().success());
    }

    /// Runs a command of the binary against this gateway.
    pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Ran {
        let mut command = veldwacht();
        run(command.args(arguments).env("VELDWACHT_GATEWAY", &self.address).current_dir(self.folder.path()))
    }

    /// `send` of an aanmelding by the gemeente to the coach: needs no consent, and opens a traject.
    pub(crate) fn register(&self, more: &[&str], file: &Path) -> Ran {
        let certificate = self.certificate("gemeente", "klantmanager");
        let to = format!("{RIB}:coach");
        let mut arguments =
            vec!["send", "--as", certificate.to_str().unwrap(), "--to", &to, "--purpose", "aanmelding"];
        arguments.extend(["--client", CLIENT, "--type", "werkfit.v1.Aanmelding", "--json"]);
        arguments.extend(more);
        arguments.push(file.to_str().unwrap());
        self.run(&arguments)
    }

    /// Opens a traject of the client between everyone, in this phase.
    pub(crate) fn traject(&self, phase: u8) {
        let certificate = self.certificate("gemeente", "klantmanager");
        let phase = phase.to_string();
        let mut arguments = vec!["traject", "open", "--as", certificate.to_str().unwrap()];
        arguments.extend(["--client", CLIENT, "--phase", &phase]);
        [UWV, GGZ, RIB].iter().for_each(|oin| arguments.extend(["--with", oin]));
        self.run(&arguments).done();
    }

    /// `collect`, one JSON document a delivery.
    pub(crate) fn collect(&self, organisation: &str, role: &str, more: &[&str]) -> Vec<serde_json::Value> {
        let certificate = self.certificate(organisation, role);
        let mut arguments = vec!["collect", "--json", "--as", certificate.to_str().unwrap()];
        if role == "behandelaar" || role == "verzekeringsarts" {
            arguments.extend(["--big", "19012345601"]);
        }
        arguments.extend(more);
        let printed = self.run(&arguments).done();
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn log_key(&self) -> LogKey {
        let key = PrivatePkcs8KeyDer::from_pem_file(self.path("pki/signers/log.key.pem")).unwrap();
        LogKey::new(ORIGIN.parse().unwrap(), key.secret_pkcs8_der()).unwrap()
    }

    /// The published records that calls left behind, once they are as awaited, read back and verified. Which bundle the
    /// gateway starts on is its own record, and not among them.
    pub(crate) fn records_when(&self, awaited: impl Fn(&[Leaf]) -> bool) -> Vec<Leaf> {
        self.published_when(|leaf| !matches!(leaf.event, ledger::Event::Bundle(_)), awaited)
    }

    /// All published records, the gateway's own too, once they are as awaited.
    pub(crate) fn whole_log_when(&self, awaited: impl Fn(&[Leaf]) -> bool) -> Vec<Leaf> {
        self.published_when(|_| true, awaited)
    }

    fn published_when(&self, counts: impl Fn(&Leaf) -> bool, awaited: impl Fn(&[Leaf]) -> bool) -> Vec<Leaf> {
        let started = Instant::now();
        loop {
            let records = self.records(&counts);
            if records.as_deref().is_ok_and(&awaited) {
                return records.unwrap();
            }
            if started.elapsed() > PATIENCE {
                panic!("the log does not say what it should: {records:?}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn records(&self, counts: impl Fn(&Leaf) -> bool) -> Result<Vec<Leaf>, String> {
        let trust = Trust::in_log(self.log_key().verifier());
        let mut leaves = Vec::new();
        let read = |_: u64, bytes: &[u8]| {
            let leaf = Leaf::from_bytes(bytes).unwrap();
            if counts(&leaf) {
                leaves.push(leaf);
            }
        };
        let verified = ledger::verify(&Published(self.path("data/log")), &trust, &mut { read });
        verified.map(|_| leaves).map_err(|damaged| damaged.to_string())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill(); // a test that failed leaves nothing running
            let _ = child.wait();
        }
    }
}

/// A published log in a folder.
struct Published(PathBuf);

impl TileSource for Published {
    fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable> {
        std::fs::read(self.0.join(path)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Unreadable::Missing,
            kind => Unreadable::Failed(kind.to_string()),
        })
    }
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}
