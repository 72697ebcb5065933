//! An emergency: for a reason of the bundle's list, said by the assertion, an answer comes without waiting for a consent. An
//! officer sees each. And a draft in the shadow of the bundle that decides: compared, counted, nothing kept.

use ledger::{Event, Kind, Leaf};
use model::{Grondslag, Reason};
use serde_json::Value;

use crate::harness::{CLIENT, RIB, Ran, Stage, document};
use crate::officers::{narrower, policy, stage, told};

/// The behandelaar's answer to the coach, with more on the command line.
fn answer(stage: &Stage, purpose: &str, message: &str, name: &str, more: &[&str]) -> Ran {
    let certificate = stage.certificate("ggz", "behandelaar");
    let (to, file) = (format!("{RIB}:coach"), document(name));
    let mut arguments =
        vec!["send", "--as", certificate.to_str().unwrap(), "--to", &to, "--purpose", purpose];
    arguments.extend(["--client", CLIENT, "--type", message, "--big", "19012345601", "--json"]);
    arguments.extend(more);
    arguments.push(file.to_str().unwrap());
    stage.run(&arguments)
}

fn says(ran: &Ran, reason: Reason) {
    assert_eq!(ran.status, 1, "{}", ran.said());
    assert!(ran.said().contains(reason.name()), "{}", ran.said());
}

#[test]
fn an_emergency_passes_for_a_listed_reason_never_medical_data_and_an_officer_sees_it() {
    let stage = stage();
    stage.register(&[], &document("X05-aanmelding")).done();
    stage.traject(3);
    let consultation =
        |more: &[&str]| answer(&stage, "afstemming", "werkfit.v1.Afstemming", "X10-antwoord", more);
    says(&consultation(&[]), Reason::ConsentMissing);
    says(&consultation(&["--spoed", "haast"]), Reason::EmergencyNotAllowed);
    let report = |more: &[&str]| {
        answer(&stage, "beoordeling_belastbaarheid", "werkfit.v1.MedischVerslag", "M1-medisch-verslag", more)
    };
    says(&report(&["--spoed", "gevaar_voor_client"]), Reason::EmergencyNotAllowed);
    let passed: Value =
        serde_json::from_str(&consultation(&["--spoed", "gevaar_voor_client"]).done()).unwrap();
    let classes = passed["outcomes"][0]["delivered"]["passed"].to_string();
    assert!(classes.contains("functioneel.beperking") && !classes.contains("medisch"), "{passed}");
    let collected = stage.collect("rib", "coach", &["--ack"]);
    assert_eq!(collected.len(), 2, "the aanmelding, and the answer while the escape holds");

    assert!(stage.complaints().contains("an escape was opened"), "whoever watches is told");
    let seen = told(&stage, "bram", &["escapes"]);
    assert_eq!((&seen["reason"], &seen["user"]), (&"gevaar_voor_client".into(), &"behandelaar".into()));
    let minutes = seen["until"].as_i64().unwrap() - seen["called_at"].as_i64().unwrap();
    assert_eq!(minutes, 3600, "it ends by itself");

    let records = stage.records_when(|records| records.iter().any(|leaf| leaf.kind() == Kind::Access));
    let at = |kind: &dyn Fn(&Leaf) -> bool| records.iter().position(kind).unwrap();
    let called = at(&|leaf| leaf.kind() == Kind::Escape);
    let sent = at(&|leaf| matches!(&leaf.event, Event::Sent(carried) if carried.terms.spoed));
    assert!(called < sent, "called before it is used");
    assert_eq!(records[called].exchange, records[sent].exchange);
    let Event::Sent(carried) = &records[sent].event else { panic!("not sent") };
    assert_eq!(carried.terms.grondslag, Some(Grondslag::VitaalBelang));
    let looked = records
        .iter()
        .filter(|leaf| matches!(&leaf.event, Event::Access(access) if access.what.as_str() == "escapes"));
    assert_eq!(looked.count(), 1, "looking is on record too");
}

#[test]
fn a_draft_in_the_shadow_is_compared_on_live_decisions_and_decides_nothing() {
    let mut stage = stage();
    stage.stop();
    narrower(&stage, "draft", 2);
    let config = std::fs::read_to_string(stage.path("gateway.toml")).unwrap();
    std::fs::write(stage.path("gateway.toml"), format!("shadow = \"desk/draft\"\n{config}")).unwrap();
    stage.serve();
    let none = told(&stage, "dirk", &["shadow"]);
    assert_eq!((&none["draft"], &none["decisions"]), (&2.into(), &0.into()));
    stage.register(&[], &document("X05-aanmelding")).done();
    stage.traject(3);
    let collected = stage.collect("rib", "coach", &["--ack"]);
    assert_eq!(collected[0]["document"]["opleiding"]["rijbewijs"], true, "the draft decides nothing");
    let seen = told(&stage, "dirk", &["shadow"]);
    assert_eq!(seen["decisions"], 2, "at sending and at collecting: {seen}");
    let [difference] = seen["differences"].as_array().unwrap().as_slice() else { panic!("{seen}") };
    assert_eq!(difference["what"], "`opleiding.rijbewijs`: vol → nothing");
    assert_eq!(difference["count"], 2);
    assert!(policy(&stage, "dirk", &["running"]).done().contains("\"number\":1"));
    stage.stop();
    assert!(stage.complaints().contains("the draft would have decided otherwise"), "{}", stage.complaints());
    assert!(!stage.complaints().contains(CLIENT), "nothing of a client is kept");
}
