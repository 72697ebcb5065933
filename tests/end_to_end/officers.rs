//! Privacy officers at work: bundles on their desks, signed and proposed with the binary's own commands.
//!
//! Owns: a stage whose gateway takes signed bundles only, drafts made from the shipped bundle, and running `policy …` as
//! one of the operators: anna, bram and carla are officers, dirk is an auditor.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Ran, Stage, root, run, veldwacht};

const SIGNERS: &str = r#"
[signers.policies]
threshold = 2
keys = ["pki/signers/officer-1.pub.pem", "pki/signers/officer-2.pub.pem"]

[signers.guardrails]
threshold = 1
keys = ["pki/signers/supervisor-1.pub.pem"]
"#;

/// The coach no longer learns of a driving licence.
pub(crate) const NARROWER: &str = r#"
@id("rib-geen-rijbewijs")
@nl("Of iemand een rijbewijs heeft, gaat niet naar het re-integratiebedrijf.")
@en("Whether someone has a driving licence does not go to the re-integration company.")
@ground("AP, De zieke werknemer: het RIB alleen wat de opdracht vraagt")
forbid (
  principal in Soort::"rib",
  action in Action::"doorgeven",
  resource == Waardeveld::"werkfit.v1.Opleiding.rijbewijs"
);
"#;

/// A stage that takes signed bundles only; serves the shipped one, signed, as number 1.
pub(crate) fn stage() -> Stage {
    let mut stage = Stage::set(SIGNERS, "info");
    let config = std::fs::read_to_string(stage.path("gateway.toml")).unwrap();
    let shipped = root().join("policies").display().to_string();
    std::fs::write(stage.path("gateway.toml"), config.replace(&shipped, "desk/shipped")).unwrap();
    let proto = stage.path("desk/proto");
    std::fs::create_dir_all(&proto).unwrap();
    for name in ["veldwacht", "werkfit"] {
        run(Command::new("cp").arg("-r").arg(root().join("proto").join(name)).arg(&proto)).done();
    }
    run(Command::new("cp").arg("-r").arg(root().join("policies")).arg(stage.path("desk/shipped"))).done();
    sign(&stage, "shipped");
    for (name, role) in [("anna", "officer"), ("bram", "officer"), ("carla", "officer"), ("dirk", "auditor")]
    {
        let mut issue = veldwacht();
        issue.args(["pki", "issue", "--operator", name, "--role", role, "--dir"]).arg(stage.path("pki"));
        run(&mut issue).done();
    }
    stage.serve();
    stage
}

/// A draft on the desk: the shipped bundle under another number, changed in some files. Not signed yet.
pub(crate) fn draft(
    stage: &Stage,
    name: &str,
    number: u64,
    change: impl Fn(&str, String) -> String,
) -> PathBuf {
    let folder = stage.path("desk").join(name);
    run(Command::new("cp").arg("-r").arg(root().join("policies")).arg(&folder)).done();
    for file in ["bundle.toml", "rules/rib.cedar", "exchanges.toml", "guardrails/guardrails.cedar"] {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("number = 1\n", &format!("number = {number}\n"));
        std::fs::write(&path, change(file, text)).unwrap();
    }
    folder
}

/// A draft with these rules more.
pub(crate) fn narrower(stage: &Stage, name: &str, number: u64) -> PathBuf {
    draft(stage, name, number, |file, text| match file {
        "rules/rib.cedar" => text + NARROWER,
        _ => text,
    })
}

/// Everyone who has to sign signs.
pub(crate) fn sign(stage: &Stage, name: &str) {
    for (signer, more) in [("officer-1", None), ("officer-2", None), ("supervisor-1", Some("--guardrails"))] {
        let key = stage.path(&format!("pki/signers/{signer}.key.pem"));
        let mut command = veldwacht();
        command.args(["policy", "sign"]).arg(stage.path("desk").join(name)).arg("--key").arg(key).args(more);
        run(&mut command).done();
    }
}

/// `policy …` as one of the operators.
pub(crate) fn policy(stage: &Stage, who: &str, arguments: &[&str]) -> Ran {
    let certificate = format!("pki/operators/{who}.pem");
    let mut all = vec!["policy"];
    all.extend(arguments);
    all.extend(["--json", "--as", &certificate]);
    stage.run(&all)
}

/// The same, done; the one JSON document that it printed.
pub(crate) fn told(stage: &Stage, who: &str, arguments: &[&str]) -> Value {
    serde_json::from_str(&policy(stage, who, arguments).done()).unwrap()
}

/// A bundle is signed, proposed, tried on what was sent before, and approved; the change waits to be activated.
pub(crate) fn approved(stage: &Stage, name: &str, approvers: &[&str]) -> String {
    sign(stage, name);
    let change = told(stage, "anna", &["propose", &format!("desk/{name}")]);
    let (id, difference) = (text(&change, "change"), text(&change, "difference"));
    told(stage, "anna", &["replay", &id]);
    for approver in approvers {
        told(stage, approver, &["approve", &id, "--difference", &difference]);
    }
    id
}

pub(crate) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}
