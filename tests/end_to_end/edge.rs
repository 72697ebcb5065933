//! Gateway to gateway: the same binary at the edge of two organisations. The employer's gateway asks UWV's gateway, which
//! stands before UWV's own service. The diagnosis stays in UWV's building, the employer's gateway checks again, and both
//! logs tell one story.

use std::path::Path;
use std::process::Command;

use ledger::{Decision, Event, Leaf, reconcile};
use model::DataClass;

use crate::harness::{Ran, Stage, UWV, document, files_below, root, run};
use crate::python::python;
use crate::source::{Papers, Service};

const SERVICE: &str = "uwv.doelgroep.v1.Register";
const DIAGNOSIS: &str = "depressie";
const TERMS: &str = r#"service = "uwv.doelgroep.v1.Register"
request = "werkfit.v1.DoelgroepVraag"
reply = "werkfit.v1.DoelgroepAntwoord"
organisation = "00000099000000002000"
purpose = "banenafspraak"
"#;

fn register(papers: &Papers) -> Service {
    let mut python = Command::new(python());
    python.env("PYTHONPATH", root().join("tests/.venv/stubs"));
    Service::start(python, &root().join("tests/python/register.py"), papers)
}

/// The employer's gateway: it asks at this port, with papers that the other side made for it and these keys of a route.
fn employers_gateway(route: &str) -> Stage {
    Stage::with(&format!("{route}\nwithheld = \"refuse\"\n{TERMS}"), "warn")
}

/// A route from the employer's gateway to UWV's, with the papers that UWV's registry knows the employer by.
fn to_uwvs_gateway(uwv: &Stage) -> String {
    let registry: toml::Table =
        std::fs::read_to_string(uwv.path("pki/registry.toml")).unwrap().parse().unwrap();
    let employer = registry["organisation"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["kind"].as_str() == Some("werkgever"));
    let kid = employer.unwrap()["key"][0]["kid"].as_str().unwrap();
    let (_, port) = uwv.address.rsplit_once(':').unwrap();
    let pki = uwv.path("pki");
    let [authorities, certificate, key, assert] = [
        "gateway-ca.pem",
        "werkgever/contactpersoon.pem",
        "werkgever/contactpersoon.key.pem",
        "werkgever/assert.key.pem",
    ]
    .map(|name| pki.join(name).display().to_string());
    format!(
        "[[route]]\nupstream = [\"127.0.0.1:{port}\"]\nserver_name = \"localhost\"\nauthorities = \"{authorities}\"\n\
         certificate = \"{certificate}\"\nkey = \"{key}\"\n\
         assertion = {{ key = \"{assert}\", kid = \"{kid}\", audience = \"veldwacht\" }}"
    )
}

/// An employer's own system asks its own gateway.
fn ask(employer: &Stage) -> Ran {
    let certificate = employer.certificate("werkgever", "contactpersoon");
    let method = format!("{SERVICE}/Zoek");
    let question = document("X21-doelgroep-vraag");
    employer.run(&[
        "ask",
        "--as",
        certificate.to_str().unwrap(),
        "--role",
        "contactpersoon",
        "--service",
        &method,
        "--purpose",
        "banenafspraak",
        "--request",
        "werkfit.v1.DoelgroepVraag",
        "--reply",
        "werkfit.v1.DoelgroepAntwoord",
        question.to_str().unwrap(),
    ])
}

fn asked(leaf: &Leaf) -> bool {
    matches!(leaf.event, Event::Ask(_))
}

fn withheld(records: &[Leaf]) -> Vec<DataClass> {
    let carried = records.iter().filter_map(|leaf| match &leaf.event {
        Event::Ask(carried) => Some(carried),
        _ => None,
    });
    let replies = carried.flat_map(|carried| &carried.to).filter(|to| to.to.oin.to_string() != UWV);
    replies.flat_map(|to| &to.withheld).filter_map(|one| one.class).collect()
}

#[test]
fn a_diagnosis_never_leaves_the_building_and_both_logs_tell_one_story() {
    let papers = Papers::new();
    let service = register(&papers);
    let uwv = Stage::with(&papers.route(&[service.port], TERMS), "warn");
    let employer = employers_gateway(&to_uwvs_gateway(&uwv));

    for _ in 0..3 {
        let answer = ask(&employer).done();
        assert!(answer.contains("telt_mee") && !answer.contains(DIAGNOSIS), "{answer}");
    }
    let there = uwv.records_when(|records| records.iter().filter(|leaf| asked(leaf)).count() == 6);
    let here = employer.records_when(|records| records.iter().filter(|leaf| asked(leaf)).count() == 6);
    assert_eq!(withheld(&there), [DataClass::MedischDiagnose; 3], "it was dropped in UWV's building");
    assert!(withheld(&here).is_empty(), "nothing was left to drop at the employer's");
    let exchanges = |records: &[Leaf]| {
        records.iter().filter(|leaf| asked(leaf)).map(|leaf| leaf.exchange).collect::<Vec<_>>()
    };
    assert_eq!(exchanges(&here), exchanges(&there), "both logs name the same transactions");
    let story = reconcile(&here, &there, |_| true);
    assert!(story.is_clean() && story.agreed == 6, "{story:#?}");

    // The same from the published logs alone, as an auditor compares them.
    let logs = |stage: &Stage| (stage.path("data/log"), stage.path("log.vkey"));
    let ((first, key), (second, other_key)) = (logs(&employer), logs(&uwv));
    let compare = |first: &Path, second: &Path| {
        let keys = ["--key", key.to_str().unwrap(), "--other-key", other_key.to_str().unwrap(), "--json"];
        let logs = ["log", "reconcile", first.to_str().unwrap(), second.to_str().unwrap()];
        employer.run(&[logs.as_slice(), &keys].concat())
    };
    let told: serde_json::Value = serde_json::from_str(&compare(&first, &second).done()).unwrap();
    assert_eq!((&told["clean"], &told["agreed"]), (&true.into(), &6.into()));
    // A copy of UWV's log, and what only the employer's gateway knows of.
    let copy = uwv.path("copy");
    run(std::process::Command::new("cp").arg("-r").args([&second, &copy])).done();
    let answer = ask(&employer).done();
    assert!(answer.contains("telt_mee"), "{answer}");
    employer.records_when(|records| records.iter().filter(|leaf| asked(leaf)).count() == 8);
    let missing = compare(&first, &copy);
    assert_eq!(missing.status, 1, "{}", missing.said());
    let told: serde_json::Value = serde_json::from_str(&missing.out).unwrap();
    assert_eq!((&told["clean"], &told["agreed"]), (&false.into(), &6.into()));
    let only = told["only_first"].as_array().unwrap();
    assert!(!only.is_empty() && told["only_second"].as_array().unwrap().is_empty(), "{told}");
    assert_eq!(only[0]["decision"], "delivered");
    let other = employer.run(&[
        "log",
        "reconcile",
        first.to_str().unwrap(),
        "/nowhere",
        "--key",
        key.to_str().unwrap(),
    ]);
    assert_eq!(other.status, 2, "{}", other.said());
    // A log that was touched is not compared at all.
    for bundle in files_below(&copy.join("tile/entries")) {
        let mut bytes = std::fs::read(&bundle).unwrap();
        bytes[40] ^= 1;
        std::fs::write(&bundle, bytes).unwrap();
    }
    let touched = compare(&first, &copy);
    assert!(touched.status > 1 && touched.out.is_empty(), "{}", touched.said());
}

#[test]
fn a_gateway_at_the_edge_refuses_what_the_other_side_should_have_kept() {
    let papers = Papers::new();
    let service = register(&papers);
    // Nothing filters on the other side: the service itself, where a gateway should stand.
    let employer = employers_gateway(&papers.route(&[service.port], ""));
    let refused = ask(&employer);
    assert_ne!(refused.status, 0);
    assert!(refused.err.contains("WITHHELD_ELSEWHERE"), "{}", refused.said());
    assert!(!refused.said().contains(DIAGNOSIS) && !refused.said().contains("telt_mee"));
    let records = employer.records_when(|records| records.iter().filter(|leaf| asked(leaf)).count() == 2);
    let Event::Ask(outcome) = &records.iter().rfind(|leaf| asked(leaf)).unwrap().event else { panic!() };
    assert_eq!(outcome.reason.unwrap().name(), "WITHHELD_ELSEWHERE");
    assert_eq!(outcome.to[0].decision, Decision::Refused);
}

#[test]
fn a_route_that_is_written_while_the_gateway_runs_is_taken_into_use_and_a_bad_one_changes_nothing() {
    let papers = Papers::new();
    let service = register(&papers);
    let stage = Stage::start();
    assert!(ask(&stage).err.contains("NOT_FOUND"), "nobody serves it yet");
    let before = std::fs::read_to_string(stage.path("gateway.toml")).unwrap();
    let write = |text: &str| std::fs::write(stage.path("gateway.toml"), format!("{before}\n{text}")).unwrap();
    write(&papers.route(&[service.port], TERMS));
    let started = std::time::Instant::now();
    while ask(&stage).status != 0 {
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "the route is never used");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    write("[[route]]\nservice = \"nothing else\"");
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert!(ask(&stage).done().contains("telt_mee"), "the last good routes go on");
}
