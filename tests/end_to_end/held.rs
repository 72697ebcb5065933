//! Texts that were held back: kept sealed, released by two officers, within limits that no officer can lift.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use ledger::{Event, Kind, ReleaseStep};
use serde_json::Value;

use crate::harness::{self, CLIENT, GEMEENTE, GGZ, RIB, Ran, Stage, UWV, document};
use crate::member::Member;
use crate::officers;

const REPORT: &str = "X11-voortgangsrapportage-verslaving-in-tekst";

/// `held …` as an operator.
fn held(stage: &Stage, operator: &str, arguments: &[&str]) -> Ran {
    let certificate = stage.path(&format!("pki/operators/{operator}.pem"));
    let mut all = vec!["held"];
    all.extend(arguments);
    all.extend(["--json", "--as", certificate.to_str().unwrap()]);
    stage.run(&all)
}

fn list(stage: &Stage) -> Vec<Value> {
    let printed = held(stage, "anna", &["list"]).done();
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `send` for the client, held if it comes back; the delivery that is held, if one is.
fn send(stage: &Stage, system: (&str, &str), purpose: &str, message: &str, to: &str, file: &str) -> String {
    let certificate = stage.certificate(system.0, system.1);
    let document = document(file);
    let mut arguments = vec!["send", "--hold-for-release", "--json", "--as", certificate.to_str().unwrap()];
    arguments.extend(["--to", to, "--purpose", purpose, "--client", CLIENT, "--type", message]);
    if system.1 == "behandelaar" {
        arguments.extend(["--big", "19012345601"]);
    }
    arguments.push(document.to_str().unwrap());
    let ran = stage.run(&arguments);
    let answer: Value =
        serde_json::from_str(ran.out.lines().next().unwrap_or_else(|| panic!("{}", ran.said()))).unwrap();
    answer["outcomes"][0]["held"].as_str().unwrap_or_else(|| panic!("nothing came back: {answer}")).to_owned()
}

fn report(stage: &Stage) -> String {
    stage.register(&[], &document("X05-aanmelding")).done();
    stage.traject(3);
    let to = format!("{GEMEENTE}:klantmanager");
    send(stage, ("rib", "coach"), "voortgang", "werkfit.v1.Voortgangsrapportage", &to, REPORT)
}

#[test]
fn a_held_text_goes_out_only_when_a_second_officer_agrees() {
    let stage = officers::stage();
    let delivery = report(&stage);
    assert!(!delivery.is_empty(), "it is kept");
    assert!(stage.collect("gemeente", "klantmanager", &[]).is_empty(), "held is not delivered");
    assert_eq!(list(&stage)[0]["state"], "waiting");
    let refused = held(&stage, "dirk", &["show", &delivery]);
    assert!(refused.status != 0 && refused.said().contains("ROLE_NOT_ALLOWED"), "{}", refused.said());
    let shown: Value = serde_json::from_str(&held(&stage, "anna", &["show", &delivery]).done()).unwrap();
    let text = &shown["texts"][0];
    assert!(text["findings"].as_array().is_some_and(|found| !found.is_empty()), "{shown}");
    let release = ["release", &delivery, "--ground", "vals-alarm"];
    assert!(held(&stage, "anna", &release).done().contains("proposed"));
    let alone = held(&stage, "anna", &release);
    assert!(alone.status != 0 && alone.said().contains("FOUR_EYES"), "{}", alone.said());
    assert!(stage.collect("gemeente", "klantmanager", &[]).is_empty(), "one officer is not enough");
    assert_eq!(list(&stage)[0]["proposed_by"], "anna");
    assert!(held(&stage, "bram", &release).done().contains("released"));
    let collected = stage.collect("gemeente", "klantmanager", &["--ack"]);
    assert_eq!(collected.len(), 1);
    assert!(collected[0].to_string().contains(text["text"].as_str().unwrap()), "the very text");
    assert!(list(&stage).is_empty(), "nothing waits any more");
    let records = stage.records_when(|records| records.iter().any(|leaf| leaf.kind() == Kind::Acknowledged));
    let steps: Vec<ReleaseStep> = records
        .iter()
        .filter_map(|leaf| if let Event::Release(release) = &leaf.event { Some(release.step) } else { None })
        .collect();
    assert_eq!(steps, [ReleaseStep::Proposed, ReleaseStep::Released]);
    let looked = |leaf: &&ledger::Leaf| matches!(&leaf.event, Event::Access(access) if access.what.as_str() == "held-text");
    assert_eq!(records.iter().filter(looked).count(), 1, "who read it is on record");
}

#[test]
fn what_an_officer_refused_and_what_was_erased_never_goes_out() {
    let mut stage = officers::stage();
    let delivery = report(&stage);
    let refuse = ["refuse", &delivery, "--ground", "bijzonder-gegeven"];
    assert!(held(&stage, "anna", &refuse).done().contains("refused"));
    let late = held(&stage, "bram", &["release", &delivery, "--ground", "vals-alarm"]);
    assert_ne!(late.status, 0, "{}", late.said());
    let second = report(&stage);
    for officer in ["anna", "bram"] {
        held(&stage, officer, &["release", &second, "--ground", "vals-alarm"]).done();
    }
    stage.stop();
    let config = stage.path("gateway.toml");
    let erase = ["erase", "--client", CLIENT, "--ground", "avg-17-1-b", "--config", config.to_str().unwrap()];
    stage.run(&erase).done();
    stage.serve();
    assert!(list(&stage).is_empty(), "erasure reaches what is held");
    assert!(stage.collect("gemeente", "klantmanager", &[]).is_empty(), "released or not");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_reaches_what_two_officers_released() {
    let stage = officers::stage();
    stage.register(&[], &document("X05-aanmelding")).done();
    stage.traject(3);
    let coach = Member::connect(&stage, "rib", RIB, "coach").await;
    let purpose = "beoordeling_belastbaarheid";
    coach.grant(UWV, "arbeidsdeskundige", purpose).await;
    let to = format!("{UWV}:arbeidsdeskundige");
    let file = "M1-medisch-verslag-diagnose-in-tekst";
    let delivery = send(&stage, ("ggz", "behandelaar"), purpose, "werkfit.v1.MedischVerslag", &to, file);
    assert!(!delivery.is_empty(), "{GGZ} asked to keep it");
    for officer in ["anna", "bram"] {
        held(&stage, officer, &["release", &delivery, "--ground", "vals-alarm"]).done();
    }
    coach.withdraw(UWV, "arbeidsdeskundige", purpose).await;
    assert!(stage.collect("uwv", "arbeidsdeskundige", &[]).is_empty(), "released, and the consent is gone");
    coach.grant(UWV, "arbeidsdeskundige", purpose).await;
    assert_eq!(stage.collect("uwv", "arbeidsdeskundige", &[]).len(), 1);
}

#[test]
fn a_new_term_tells_which_texts_it_would_have_stopped_and_no_word_of_them() {
    let stage = officers::stage();
    stage.register(&[], &document("X05-aanmelding")).done();
    stage.traject(3);
    let (sent, certificate) =
        (document("X11-voortgangsrapportage-verbeterd"), stage.certificate("rib", "coach"));
    let (sent, certificate, to) =
        (sent.to_str().unwrap(), certificate.to_str().unwrap(), format!("{GEMEENTE}:klantmanager"));
    let terms = ["--purpose", "voortgang", "--client", CLIENT, "--type", "werkfit.v1.Voortgangsrapportage"];
    stage.run(&[&["send", "--as", certificate, "--to", &to], &terms[..], &[sent]].concat()).done();
    let lexicon = stage.path("lexicon");
    std::fs::create_dir_all(&lexicon).unwrap();
    for file in std::fs::read_dir(harness::root().join("policies/lexicon")).unwrap() {
        let file = file.unwrap().path();
        std::fs::copy(&file, lexicon.join(file.file_name().unwrap())).unwrap();
    }
    let folder = lexicon.to_str().unwrap();
    let ask = |officer: &str| held(&stage, officer, &["would-stop", "--lexicon", folder]);
    let same: Value = serde_json::from_str(&ask("anna").done()).unwrap();
    assert!(same["texts"].as_u64() > Some(0), "{same}");
    assert_eq!(same["stopped"], serde_json::json!([]), "the lexicon that runs stops what it stopped");
    let text = std::fs::read_to_string(sent).unwrap();
    let word = "planningsafdeling";
    assert!(text.contains(word), "a word of the report");
    let list = lexicon.join("termen-proef.tsv");
    std::fs::write(&list, format!("{word}\tmedisch.klacht\teigen\n")).unwrap();
    let printed = ask("anna").done();
    let other: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(other["stopped"][0]["rule"], "proef.woord", "{other}");
    assert!(other["stopped"][0]["digest"].as_str().is_some_and(|digest| digest.len() == 64), "{other}");
    assert!(!printed.contains(word), "no word of a text: {printed}");
    let refused = ask("dirk");
    assert!(refused.status != 0 && refused.said().contains("ROLE_NOT_ALLOWED"), "{}", refused.said());
    std::fs::write(&list, "zomaar iets\n").unwrap();
    let wrong = ask("anna");
    assert!(wrong.status != 0 && wrong.said().contains("termen-proef.tsv"), "{}", wrong.said());
    let looked = |leaf: &&ledger::Leaf| matches!(&leaf.event, Event::Access(access) if access.what.as_str() == "past-texts");
    let records = stage.records_when(|records| records.iter().filter(looked).count() == 2);
    assert_eq!(records.iter().filter(looked).count(), 2, "who looked is on record");
}

#[test]
fn who_follows_gets_a_released_delivery_without_coming_back() {
    let stage = officers::stage();
    let delivery = report(&stage);
    let certificate = stage.certificate("gemeente", "klantmanager");
    let mut follow = harness::veldwacht();
    follow.args(["collect", "--follow", "--json", "--as", certificate.to_str().unwrap()]);
    let mut follow = follow
        .env("VELDWACHT_GATEWAY", &stage.address)
        .current_dir(stage.path(""))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The refusal at collecting is in the log: the stream looked at it, and passed it over.
    stage.records_when(|records| records.iter().any(|leaf| leaf.kind() == Kind::HandedOut));
    for officer in ["anna", "bram"] {
        held(&stage, officer, &["release", &delivery, "--ground", "vals-alarm"]).done();
    }
    let mut line = String::new();
    BufReader::new(follow.stdout.take().unwrap()).read_line(&mut line).unwrap();
    follow.kill().unwrap();
    follow.wait().unwrap();
    assert!(line.contains(&delivery), "{line}");
}
