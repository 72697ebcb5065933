//! The log as outsiders have it: read over HTTPS, cosigned by a witness that is killed and comes back, and a gateway
//! that does not start from an older copy.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Ran, Stage, document, run, veldwacht};

const PATIENCE: Duration = Duration::from_secs(60);

/// A witness process.
pub(crate) struct Witness {
    child: Child,
    url: String,
    pub(crate) key: String,
}

impl Witness {
    fn start(state: &Path, listen: &str, log: &Path) -> Witness {
        let mut command = veldwacht();
        command.args(["log", "witness", "--name", "w.example", "--listen", listen, "--state"]).arg(state);
        let mut child = command.arg("--log").arg(log).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (key, url) = line.trim().strip_prefix("witness ").unwrap().split_once(", listening on ").unwrap();
        Witness { child, url: url.to_owned(), key: key.to_owned() }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn copy(from: &Path, to: &Path) {
    run(std::process::Command::new("cp").arg("-r").args([from, to])).done();
}

struct Reader<'s> {
    stage: &'s Stage,
    url: String,
    trust: PathBuf,
}

impl Reader<'_> {
    fn log(&self, arguments: &[&str]) -> Ran {
        let ca = self.stage.path("pki/gateway-ca.pem");
        self.stage.run(&[&["log"], arguments, &["--ca", ca.to_str().unwrap()]].concat())
    }

    fn verify(&self) -> Ran {
        let (key, trust) = (self.stage.path("log.vkey"), self.trust.to_str().unwrap());
        self.log(&["verify", &self.url, "--key", key.to_str().unwrap(), "--policy", trust, "--json"])
    }

    /// The log's size, once a checkpoint of at least so many records verifies with its quorum.
    fn verified(&self, least: u64) -> u64 {
        let begun = Instant::now();
        loop {
            let ran = self.verify();
            let told: Value = serde_json::from_str(&ran.out).unwrap_or_default();
            if ran.status == 0 && told["size"].as_u64() >= Some(least) {
                assert_eq!(told["witnesses"], 1, "{told}");
                return told["size"].as_u64().unwrap();
            }
            assert!(begun.elapsed() < PATIENCE, "{}", ran.said());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Lets a gateway serve its log, with a witness beside it whose cosignature is wanted. The witness, where the log is, and
/// the trust file that wants both.
pub(crate) fn watched(stage: &mut Stage) -> (Witness, String, PathBuf) {
    stage.stop();
    let witness = Witness::start(&stage.path("witness"), "127.0.0.1:0", &stage.path("log.vkey"));
    let port = free_port();
    let config = std::fs::read_to_string(stage.path("gateway.toml")).unwrap();
    let config = config.replace("publish_every_ms = 200", "publish_every_ms = 200\nquorum = 1");
    let more = format!(
        "[log.serve]\nlisten = \"127.0.0.1:{port}\"\n[[log.witness]]\nkey = \"{}\"\nurl = \"{}\"\n",
        witness.key, witness.url
    );
    std::fs::write(stage.path("gateway.toml"), format!("{config}\n{more}")).unwrap();
    let trust = stage.path("trust.policy");
    let log = std::fs::read_to_string(stage.path("log.vkey")).unwrap();
    std::fs::write(&trust, format!("log {log}witness w {}\nquorum w\n", witness.key)).unwrap();
    stage.serve();
    (witness, format!("https://localhost:{port}/test"), trust)
}

#[test]
fn outsiders_verify_the_served_log_with_its_witness_and_an_old_copy_does_not_start() {
    let mut stage = Stage::start();
    let (witness, url, trust) = watched(&mut stage);
    let state = stage.path("witness");

    let send = |stage: &Stage| stage.register(&[], &document("X05-aanmelding")).done();
    send(&stage);
    let reader = Reader { stage: &stage, url: url.clone(), trust: trust.clone() };
    let size = reader.verified(1);
    // Everything else that outsiders do, from the address alone.
    let receipt = reader.log(&["prove", "0", "--log", &url]).done();
    std::fs::write(stage.path("0.tlog-proof"), receipt).unwrap();
    let key = stage.path("log.vkey");
    let key = key.to_str().unwrap();
    stage
        .run(&["log", "check-proof", "0.tlog-proof", "--key", key, "--policy", trust.to_str().unwrap()])
        .done();
    let table = reader.log(&[
        "export",
        "--format",
        "csv",
        "--log",
        &url,
        "--key",
        key,
        "--by",
        "00000099000000099000:auditor",
    ]);
    assert!(table.done().lines().count() > 1);
    let drawn =
        reader.log(&["sample", "--seed", "x", "--n", "1", "--log", &url, "--key", key, "--json"]).done();
    assert_eq!(serde_json::from_str::<Value>(&drawn).unwrap()["sample"].as_array().unwrap().len(), 1);
    let stranger = stage.run(&["log", "verify", &url, "--key", key]);
    assert_eq!(stranger.status, 1, "whoever does not know the authority believes nothing");

    // The witness is killed; exchanges go on without it, and it goes on where it was.
    let listen = witness.url.trim_start_matches("http://").to_owned();
    witness.kill();
    let old = stage.path("old");
    copy(&stage.path("data"), &old);
    send(&stage);
    send(&stage);
    let witness = Witness::start(&state, &listen, &stage.path("log.vkey"));
    let grown = reader.verified(size + 2);
    stage.stop();

    // An older copy is not taken for the log, and the newest one still is.
    std::fs::rename(stage.path("data"), stage.path("newest")).unwrap();
    std::fs::rename(&old, stage.path("data")).unwrap();
    let refused = stage.run(&["serve", "--config", stage.path("gateway.toml").to_str().unwrap()]);
    assert_eq!(refused.status, 3, "{}", refused.said());
    assert!(refused.err.contains("witness w.example has seen"), "{}", refused.err);
    std::fs::rename(stage.path("data"), &old).unwrap();
    std::fs::rename(stage.path("newest"), stage.path("data")).unwrap();
    stage.serve();
    send(&stage);
    Reader { stage: &stage, url, trust }.verified(grown + 1);
    witness.kill();
}
