//! The first document from Python, as an organisation's programmer would send it: ordinary grpcio and PyJWT.

use std::path::PathBuf;
use std::process::Command;

use crate::harness::{CLIENT, RIB, Ran, Stage, root, run};
use crate::member::bytes_of;

/// The Python that `tests/setup` makes.
pub(crate) fn python() -> PathBuf {
    let python = root().join("tests/.venv/bin/python");
    assert!(python.exists(), "run tests/setup first: it makes {}", python.display());
    python
}

fn first_document(stage: &Stage, kid: &str, role: &str) -> Ran {
    let file = stage.path("aanmelding.binpb");
    std::fs::write(&file, bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ())).unwrap();
    let mut command = Command::new(python());
    command
        .env("PYTHONPATH", root().join("tests/.venv/stubs"))
        .arg(root().join("tests/python/first_document.py"));
    command.arg(&stage.address).arg(stage.path("pki/gateway-ca.pem"));
    command
        .arg(stage.certificate("gemeente", "klantmanager"))
        .arg(stage.path("pki/gemeente/klantmanager.key.pem"));
    command.arg(stage.path("pki/gemeente/assert.key.pem")).args([kid, role, "aanmelding", CLIENT]);
    run(command.args([&format!("{RIB}:coach"), "werkfit.v1.Aanmelding"]).arg(file))
}

/// The name under which the registry knows the gemeente's key.
fn kid(stage: &Stage) -> String {
    let certificate = stage.certificate("gemeente", "klantmanager");
    let key = stage.path("pki/gemeente/assert.key.pem");
    let token = stage.run(&[
        "assert",
        "--key",
        key.to_str().unwrap(),
        "--cert",
        certificate.to_str().unwrap(),
        "--role",
        "klantmanager",
        "--user",
        "a.bakker",
        "--purpose",
        "aanmelding",
    ]);
    let header = token.done().split('.').next().unwrap().to_owned();
    use base64::Engine as _;
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

#[test]
fn a_programmer_sends_a_first_document_from_python_and_reads_why_another_is_refused() {
    let stage = Stage::start();
    let kid = kid(&stage);
    let sent = first_document(&stage, &kid, "klantmanager").done();
    assert!(sent.contains(&format!("{RIB}:coach will get")) && sent.contains("persoon"), "{sent}");
    assert_eq!(stage.collect("rib", "coach", &["--ack"]).len(), 1);
    let refused = first_document(&stage, &kid, "verzekeringsarts");
    assert_eq!(refused.status, 1, "{}", refused.said());
    assert!(
        refused.err.contains("PERMISSION_DENIED") && refused.err.contains("ROLE_NOT_ALLOWED"),
        "{}",
        refused.err
    );
    assert!(stage.collect("rib", "coach", &[]).is_empty());
}
