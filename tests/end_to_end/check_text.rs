//! A text that is checked beforehand: judged by who will read it, and forgotten.

use ledger::Kind;
use serde_json::Value;

use crate::harness::{GEMEENTE, GGZ, RIB, Ran, Stage, UWV, files_below};

const TEXT: &str =
    "Één ochtend per week, want mevrouw is bekend met een zwaluwenfobie en kampt met een depressie.";

/// `screen` on behalf of a system, for these readers; what stands on standard output, a reader a line.
fn check(stage: &Stage, system: (&str, &str), text: &str, to: &[String], rest: &[&str]) -> (Ran, Vec<Value>) {
    let file = stage.path("text.txt");
    std::fs::write(&file, text).unwrap();
    let certificate = stage.certificate(system.0, system.1);
    let mut arguments = vec!["screen", "--json", "--as", certificate.to_str().unwrap()];
    for reader in to {
        arguments.extend(["--to", reader]);
    }
    arguments.extend(rest);
    arguments.push(file.to_str().unwrap());
    let ran = stage.run(&arguments);
    std::fs::remove_file(&file).unwrap();
    let readers = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (ran, readers)
}

#[test]
fn an_arts_may_read_what_an_arbeidsdeskundige_may_not_and_the_sender_hears_so_beforehand() {
    let stage = Stage::start();
    let to = ["verzekeringsarts", "arbeidsdeskundige"].map(|role| format!("{UWV}:{role}"));
    let to = [&to[..], &[format!("{RIB}:coach"), format!("{GEMEENTE}:wethouder")]].concat();
    let rest = ["--big", "19012345601", "--purpose", "beoordeling_belastbaarheid"];
    let rest = [&rest[..], &["--type", "werkfit.v1.MedischVerslag"]].concat();
    let (ran, readers) = check(&stage, ("ggz", "behandelaar"), TEXT, &to, &rest);
    assert_eq!(ran.status, 1, "{}", ran.said());
    let [doctor, expert, coach, nobody] = readers.try_into().unwrap();
    assert_eq!(doctor["findings"].as_array().unwrap().len(), 0, "{doctor}");
    assert_eq!(doctor["refused"], Value::Null);
    let mut found = expert["findings"].as_array().unwrap().iter();
    let found = found.find(|found| found["class"] == "medisch.diagnose").unwrap();
    assert!(found["rule"].as_str().unwrap().contains('.'));
    let (start, end) = (found["start"].as_u64().unwrap() as usize, found["end"].as_u64().unwrap() as usize);
    let words: String = TEXT.chars().skip(start).take(end - start).collect();
    let bytes = found["start_byte"].as_u64().unwrap() as usize..found["end_byte"].as_u64().unwrap() as usize;
    assert_eq!(words, TEXT[bytes], "both kinds of places are the same place");
    assert!(!found["advice"]["nl"].as_str().unwrap().is_empty());
    assert_eq!(coach["withheld"], true, "no text of this report goes to a coach: {coach}");
    assert!(!nobody["refused"].is_null(), "there is no exchange with this role: {nobody}");
}

#[test]
fn what_may_go_is_said_to_and_what_cannot_be_judged_is_held_back() {
    let stage = Stage::start();
    let to = [format!("{GEMEENTE}:klantmanager"), format!("{UWV}:arbeidsdeskundige")];
    let rest = ["--purpose", "voortgang", "--type", "werkfit.v1.Voortgangsrapportage"];
    let (ran, readers) =
        check(&stage, ("rib", "coach"), "Kan 24 uur werken, vier dagen per week.", &to, &rest);
    assert_eq!(ran.status, 0, "{}", ran.said());
    assert!(readers.iter().all(|reader| reader["findings"].as_array().unwrap().is_empty()));
    let (ran, _) =
        check(&stage, ("rib", "coach"), "The client has been feeling unwell since march.", &to, &rest);
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("niet-te-screenen.andere-taal"), "{}", ran.said());
}

#[test]
fn of_a_text_that_was_checked_nothing_stays_behind() {
    let mut stage = Stage::with("", "trace");
    let to = [format!("{GEMEENTE}:klantmanager")];
    let rest = ["--purpose", "voortgang", "--type", "werkfit.v1.Voortgangsrapportage"];
    for _ in 0..3 {
        assert_eq!(check(&stage, ("rib", "coach"), TEXT, &to, &rest).0.status, 1);
    }
    // A check is no exchange; one that was refused is a refusal like any other.
    let bad = ["--purpose", "voortgang", "--type", "werkfit.v1.BestaatNiet"];
    let (refused, readers) = check(&stage, ("rib", "coach"), TEXT, &[format!("{GGZ}:behandelaar")], &bad);
    assert_eq!(refused.status, 1);
    assert!(refused.out.contains("TYPE_UNKNOWN") || readers.is_empty(), "{}", refused.said());
    let bad = ["--purpose", "voortgang", "--type", "werkfit.v1.Voortgangsrapportage", "--field", "verzonnen"];
    assert_eq!(check(&stage, ("rib", "coach"), TEXT, &to, &bad).0.status, 2);
    let refused = |records: &[ledger::Leaf]| records.iter().any(|leaf| leaf.kind() == Kind::Refused);
    let records = stage.records_when(refused);
    let of_calls = records.iter().filter(|leaf| leaf.kind() != Kind::Bundle).count();
    assert_eq!(of_calls, 1, "one refused call, no check: {records:?}");
    stage.stop();
    for file in files_below(stage.path("data").as_path()).into_iter().chain([stage.path("serve-1.err")]) {
        let bytes = std::fs::read(&file).unwrap();
        let word = b"zwaluwenfobie";
        let found = bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
        assert!(!found, "{} holds a word of a text that was only checked", file.display());
    }
}
