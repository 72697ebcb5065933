//! The demo, as its users see it: who received what, what was withheld and why, and a log that verifies.

use std::path::Path;

use serde_json::Value;

use crate::harness::{GEMEENTE, RIB, Ran, UWV, run, veldwacht};

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn all<'v>(told: &'v Value, key: &str) -> &'v [Value] {
    told[key].as_array().unwrap()
}

/// What a receiver got of the medisch verslag.
fn projection<'v>(told: &'v Value, oin: &str, role: &str) -> &'v Value {
    let medical = |delivery: &&Value| {
        let withheld = all(delivery, "withheld").iter();
        let passed = all(delivery, "passed").iter();
        let classes = withheld.chain(passed).map(|cell| text(cell, "class"));
        text(delivery, "receiver") == oin
            && text(delivery, "role") == role
            && classes.into_iter().any(|class| class == "medisch.diagnose")
    };
    all(told, "deliveries").iter().find(medical).unwrap()
}

fn verify(folder: &Path) -> Ran {
    let key = folder.join("log.vkey");
    run(veldwacht().args(["log", "verify", "--json", "--key"]).arg(key).arg(folder.join("log")))
}

/// Everything that the demo promises, of one run of it: a run costs seconds.
#[test]
fn a_diagnosis_stays_home_and_the_record_proves_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("demo");
    let printed = run(veldwacht().args(["demo", "--json", "--dir"]).arg(&folder)).done();
    let told: Value = serde_json::from_str(&printed).unwrap();
    each_receiver_has_its_own_projection(&told);
    what_was_withheld_is_named_with_its_reason(&told);
    a_text_that_names_an_addiction_came_back(&told);
    a_pretender_and_a_withdrawal_got_nothing(&told);
    the_log_verifies_until_a_byte_changes(&told, &folder);
}

fn each_receiver_has_its_own_projection(told: &Value) {
    const MEDICAL: [&str; 5] = ["diagnoses", "klachten", "behandeling", "medicatie", "middelengebruik"];
    for (oin, role) in [(UWV, "arbeidsdeskundige"), (GEMEENTE, "klantmanager"), (RIB, "coach")] {
        let document = &projection(told, oin, role)["document"];
        assert!(document.as_object().is_some_and(|members| !members.is_empty()), "{role} got nothing");
        for field in MEDICAL {
            assert!(document.get(field).is_none(), "{role} reads {field}");
        }
        for word in ["Depressieve", "F32.1", "Sertraline", "alcoholgebruik", "gedragstherapie"] {
            assert!(!document.to_string().contains(word), "{role} reads a medical word");
        }
    }
    let doctor = &projection(told, UWV, "verzekeringsarts")["document"];
    for field in MEDICAL {
        assert!(doctor.get(field).is_some(), "the verzekeringsarts misses {field}");
    }
    let planned = |delivery: &&Value| delivery["document"].get("bezwaar_tot").is_some();
    assert!(
        all(told, "deliveries").iter().filter(planned).count() >= 4,
        "four IDO members read the werkplan"
    );
}

fn what_was_withheld_is_named_with_its_reason(told: &Value) {
    let cells = all(projection(told, RIB, "coach"), "withheld");
    assert!(!cells.is_empty());
    for cell in cells {
        let complete = ["field", "class", "reason"].iter().all(|key| !text(cell, key).is_empty());
        assert!(complete, "{cell}");
    }
    assert!(
        cells
            .iter()
            .any(|cell| text(cell, "field") == "diagnoses" && text(cell, "class") == "medisch.diagnose")
    );
}

fn a_text_that_names_an_addiction_came_back(told: &Value) {
    let returned = &all(told, "returned")[0];
    let finding =
        all(returned, "findings").iter().find(|finding| text(finding, "class") == "medisch.verslaving");
    let finding = finding.unwrap();
    assert_eq!(text(finding, "field"), "toelichting");
    assert!(finding["start"].as_u64() < finding["end"].as_u64());
    assert!(!text(&finding["advice"], "nl").is_empty() && !text(&finding["advice"], "en").is_empty());
    let arrived = |delivery: &&Value| text(&delivery["document"], "toelichting").contains("Vaste taken");
    assert_eq!(all(told, "deliveries").iter().filter(arrived).count(), 1, "the corrected report arrived");
    assert!(!told["deliveries"].to_string().contains("cocaïne"));
}

fn a_pretender_and_a_withdrawal_got_nothing(told: &Value) {
    let refused =
        |reason: &str| all(told, "refused").iter().find(|refused| text(refused, "reason") == reason);
    assert_eq!(text(refused("ROLE_NOT_ALLOWED").unwrap(), "role"), "verzekeringsarts");
    assert_eq!(text(refused("CONSENT_WITHDRAWN").unwrap(), "role"), "coach");
    assert!(refused("CONSENT_MISSING").is_some(), "before the consents nothing medical passes");
    let answers = |delivery: &&Value| delivery["document"].get("antwoord").is_some();
    assert_eq!(
        all(told, "deliveries").iter().filter(answers).count(),
        0,
        "the answer of X10 is not handed out"
    );
}

fn the_log_verifies_until_a_byte_changes(told: &Value, folder: &Path) {
    assert_eq!(told["log"]["verified"], true);
    let verified: Value = serde_json::from_str(&verify(folder).done()).unwrap();
    assert_eq!(verified["size"], told["log"]["size"]);
    assert_eq!(verified["root"], told["log"]["root"]);
    let proof = run(veldwacht().args(["log", "prove", "3", "--log"]).arg(folder.join("log"))).done();
    let receipt = folder.join("3.tlog-proof");
    std::fs::write(&receipt, proof).unwrap();
    let key = folder.join("log.vkey");
    run(veldwacht().args(["log", "check-proof"]).arg(&receipt).arg("--key").arg(&key)).done();

    let entries = crate::harness::files_below(&folder.join("log/tile/entries"));
    for entry in &entries {
        let honest = std::fs::read(entry).unwrap();
        let mut forged = honest.clone();
        forged[honest.len() / 2] ^= 1;
        std::fs::write(entry, &forged).unwrap();
        let found = verify(folder);
        std::fs::write(entry, &honest).unwrap();
        // An older partial tile may stand beside the one that is read: only the one that counts has to be noticed.
        if found.status != 0 {
            assert_eq!(found.status, 1, "{}", found.said());
            let told: Value = serde_json::from_str(&found.out).unwrap();
            assert_eq!(told["verified"], false);
            assert_eq!(verify(folder).status, 0);
            return;
        }
    }
    panic!("a changed byte was not noticed in any of {} entry tiles", entries.len());
}
