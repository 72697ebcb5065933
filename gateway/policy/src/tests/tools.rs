//! Simulate, replay, and tests beside policies.

use model::{DataClass, Form};

use super::small::{GEMEENTE, RIB, WERKGEVER, files, load, situation, with, with_more};
use crate::{NotSimulated, Past, Replay, Shadow, replay, run_tests, shadow, simulate};

fn document(json: &str) -> Vec<u8> {
    let contract = load(&files()).message(&"test.v1.Verslag".parse().unwrap()).unwrap();
    let mut json = serde_json::Deserializer::from_str(json);
    let message = prost_reflect::DynamicMessage::deserialize(contract, &mut json).unwrap();
    prost_reflect::prost::Message::encode_to_vec(&message)
}

#[test]
fn a_simulation_lays_before_beside_after_and_says_why() {
    let proven = load(&files());
    let document = document(
        r#"{"client":{"naam":"Jan","geboortedatum":"1980-02-03"},"diagnose":"x","uren":20,"toelichting":"kan tillen",
            "beperkingen":["a","b"]}"#,
    );
    let key = fields::PseudonymKey::for_receiver(&[0; 32], &RIB.parse().unwrap());
    let coach = situation("aanmelding", (GEMEENTE, "klantmanager"), (RIB, "coach"));
    let shown = simulate(&proven, &coach, &document, &key).unwrap();
    let row = |path: &str| shown.fields.iter().find(|field| field.path == path).unwrap();
    let date = row("client.geboortedatum");
    assert_eq!(
        (date.before.as_str(), date.after.as_ref().and_then(|after| after.as_str())),
        (Some("1980-02-03"), Some("1980"))
    );
    assert_eq!((date.form, date.rule.as_str()), (Some(Form::Jaar), "coach-jaar"));
    let diagnose = row("diagnose");
    assert!(diagnose.after.is_none() && diagnose.rule.as_str() == "grens-medisch");
    assert!(diagnose.sentence.en.contains("No medical data"));
    assert!(row("toelichting").screened && row("beperkingen").after == Some(serde_json::json!(["a", "b"])));
    let employer = situation("aanmelding", (GEMEENTE, "klantmanager"), (WERKGEVER, "contactpersoon"));
    assert!(matches!(simulate(&proven, &employer, &document, &key), Err(NotSimulated::Refused(_))));
    assert!(matches!(simulate(&proven, &coach, &[0xff], &key), Err(NotSimulated::Malformed)));
}

#[test]
fn a_replay_counts_what_would_have_gone_otherwise() {
    let coach = situation("aanmelding", (GEMEENTE, "klantmanager"), (RIB, "coach"));
    let employer = situation("plaatsing", (RIB, "coach"), (WERKGEVER, "contactpersoon"));
    let to_coach = vec![
        (DataClass::PersoonBsn, Form::Vol),
        (DataClass::Persoon, Form::Vol),
        (DataClass::Persoon, Form::Jaar),
    ];
    let past = |count: usize| {
        let coach = Past { situation: coach.clone(), phase: None, passed: to_coach.clone() };
        let employer = Past {
            situation: employer.clone(),
            phase: None,
            passed: vec![(DataClass::FunctioneelUren, Form::Urenband)],
        };
        [vec![coach; count], vec![employer; 2]].concat()
    };
    let same = replay(&load(&files()), past(3));
    assert_eq!(same, Replay { deliveries: 5, unchanged: 5, ..Replay::default() });
    let band =
        load(&with("rules/alle.cedar", "action == Action::\"urenband\"", "action == Action::\"ja_nee\""));
    let lost = replay(&band, past(3));
    assert_eq!(lost.lost.get(&("T13".into(), DataClass::FunctioneelUren)), Some(&2));
    assert!(lost.to_string().contains("2 of T13 would have lost functioneel.uren"));
    let full = load(&with("rules/alle.cedar", "action == Action::\"urenband\"", "action == Action::\"vol\""));
    assert_eq!(replay(&full, past(0)).gained.get(&("T13".into(), DataClass::FunctioneelUren)), Some(&2));
    let strict = load(&with(
        "exchanges.toml",
        "consents = [\"gezondheidsgegevens\"]",
        "consents = [\"beroepsgeheim\"]",
    ));
    let mut unasked = past(1);
    unasked.iter_mut().for_each(|past| past.situation.consents.beroepsgeheim = model::Consent::Onbekend);
    assert_eq!(replay(&strict, unasked).refused.get("CONSENT_MISSING"), Some(&1));
}

#[test]
fn what_a_test_does_not_mention_is_expected_not_to_arrive() {
    let tested = |passes: &str| {
        let case = format!(
            "exchange = \"T05\"\n[[case]]\nname = \"coach\"\nfrom = \"gemeente:klantmanager\"\nto = \"rib:coach\"\nconsent = {{ gezondheidsgegevens = \"verleend\" }}\n{passes}\n"
        );
        let files = with_more("tests/T05.toml", &case);
        let trial = run_tests(&load(&files), &files).unwrap();
        assert_eq!(trial.untested.iter().map(|id| &**id).collect::<Vec<_>>(), ["T01", "T13"]);
        trial.tests[0].failures.clone()
    };
    let all = r#"passes = ["client.bsn", "client.naam", "client.geboortedatum=jaar", "beperkingen", "uren", "toelichting"]"#;
    assert_eq!(tested(all), Vec::<String>::new());
    let silent = tested(&all.replace("\"uren\", ", ""));
    assert_eq!(silent.len(), 1);
    assert!(
        silent[0].contains("`uren`: expected nothing, and it is vol because of `beperkingen-functioneel`"),
        "{silent:?}"
    );
    assert!(tested(&all.replace("=jaar", ""))[0].contains("expected vol, and it is jaar"));
    assert!(tested(&all.replace("\"uren\"", "\"uren\", \"weg\""))[0].contains("`weg` is no field"));
    assert!(tested("refused = \"CONSENT_MISSING\"")[0].contains("something passes"));
}

#[test]
fn a_refusal_is_tested_by_its_reason() {
    let case = "exchange = \"T05\"\n[[case]]\nname = \"without consent\"\nfrom = \"gemeente:klantmanager\"\nto = \"rib:coach\"\nrefused = \"CONSENT_MISSING\"\n[[case]]\nname = \"nobody else\"\nfrom = \"gemeente:klantmanager\"\nto = \"werkgever:contactpersoon\"\nrefused = \"EXCHANGE_NOT_DECLARED\"\n";
    let files = with_more("tests/T05.toml", case);
    let trial = run_tests(&load(&files), &files).unwrap();
    assert!(trial.tests.iter().all(|test| test.failures.is_empty()), "{:?}", trial.tests);
}

#[test]
fn a_shadow_tells_what_a_draft_would_do_without_a_document() {
    let running = load(&files());
    let employer = situation("plaatsing", (RIB, "coach"), (WERKGEVER, "contactpersoon"));
    assert_eq!(shadow(&running, &running, &employer), Shadow::Same);
    let full = load(&with("rules/alle.cedar", "action == Action::\"urenband\"", "action == Action::\"vol\""));
    let differs = vec![("uren".parse().unwrap(), Some(Form::Urenband), Some(Form::Vol))];
    assert_eq!(shadow(&running, &full, &employer), Shadow::Fields(differs));
    let strict = load(&with(
        "exchanges.toml",
        "consents = [\"gezondheidsgegevens\"]",
        "consents = [\"beroepsgeheim\"]",
    ));
    let mut coach = situation("aanmelding", (GEMEENTE, "klantmanager"), (RIB, "coach"));
    coach.consents.beroepsgeheim = model::Consent::Onbekend;
    let refusal = Shadow::Refusal { running: None, draft: Some(model::Reason::ConsentMissing) };
    assert_eq!(shadow(&running, &strict, &coach), refusal);
}
