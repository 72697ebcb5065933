//! What a tool that is not ours says of the door: testssl.sh, against the running binary.

use std::process::Command;

use crate::harness::{Stage, root, run};

fn look(stage: &Stage, versions: &[&str]) {
    let mut command = Command::new(root().join("tests/testssl"));
    let address = stage.address.replace("localhost", "127.0.0.1");
    let said = run(command.arg(address).args(versions)).done();
    assert!(said.contains(" 0 wrong"), "{said}");
}

#[test]
fn testssl_finds_no_weakness() {
    look(&Stage::start(), &[]);
}

#[test]
fn testssl_finds_no_weakness_where_tls_1_2_is_allowed() {
    look(&Stage::started_with(|text| text.replace("[tls]\n", "[tls]\nallow_tls12 = true\n")), &["tls12"]);
}
