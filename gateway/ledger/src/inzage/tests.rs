use proptest::prelude::*;

use super::*;
use crate::leaf::tests::{party, sent};
use crate::{BundleRef, ClientLink, ConsentChange, ConsentKind, Erasure, KeyId};

const KEY: [u8; 32] = [9; 32];

fn now() -> Timestamp {
    Timestamp::from_unix_millis(1_795_100_000_000)
}

fn of(leaves: &[Leaf]) -> Inzage {
    inzage(leaves, |oin| (*oin == party(4, "x").oin).then(|| "RIB <Delft> & Zn".to_owned()), None, now())
}

#[test]
fn only_the_holder_of_the_key_finds_the_records_of_a_client() {
    let mut leaf = sent();
    let link = Digest::link(&KEY, &leaf.exchange);
    leaf.client = Some(ClientLink { key: KeyId([1; 16]), link, seal: None });
    assert!(leaf.is_of(&KEY));
    assert!(!leaf.is_of(&[8; 32]));
    leaf.client = None;
    assert!(!leaf.is_of(&KEY));
}

#[test]
fn a_client_reads_who_got_what_for_which_doel_on_which_ground() {
    let answer = of(&[sent()]);
    assert_eq!(answer.events.len(), 1);
    let event = &answer.events[0];
    assert_eq!(event.purpose.as_ref().unwrap().as_str(), "re-integratie");
    assert_eq!(event.grondslag, Some(Grondslag::WettelijkeTaak));
    assert_eq!(event.bundle, 12);
    assert_eq!(event.receivers[0].passed, [(DataClass::FunctioneelUren, Form::Urenband, 2)]);
    let page = answer.page();
    for text in [
        "Overzicht van uw gegevens",
        "wettelijke taak",
        "hoeveel uur u kunt werken (alleen ongeveer hoeveel uur)",
        "diagnose",
        "niet-ingedeelde gegevens",
        "teruggestuurd naar de afzender",
        "RIB &lt;Delft&gt; &amp; Zn (coach)",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn no_employee_is_named_and_no_code_is_left_in_the_sentences() {
    let change = ConsentChange {
        by: party(4, "coach"),
        kind: ConsentKind::Beroepsgeheim,
        state: model::Consent::Geweigerd,
        receiver: party(4, "coach"),
        purpose: "re-integratie".parse().unwrap(),
        until: None,
    };
    let consent = Leaf { event: Event::Consent(change), ..sent() };
    let erasure = Erasure {
        by: party(1, "klantmanager"),
        ground: "avg-17-1-b".parse().unwrap(),
        reason: None,
        until: None,
    };
    let erased = Leaf { event: Event::Erased(erasure), ..sent() };
    let answer = of(&[consent, erased]);
    assert!(
        answer.events[0]
            .sentence
            .starts_with("U hebt toestemming geweigerd of ingetrokken voor het doorbreken")
    );
    assert_eq!(answer.events[1].sentence, "Uw gegevens zijn gewist.");
    let json = serde_json::to_string(&answer).unwrap();
    assert!(!json.contains("user") && json.contains("\"purpose\":\"re-integratie\""));
}

#[test]
fn an_erased_client_reads_when_and_nothing_else() {
    let answer = inzage(&[], |_| None, Some(Timestamp::from_unix_millis(1_795_000_000_000)), now());
    let page = answer.page();
    assert!(
        page.contains("gewist op 18-11-2026") && page.contains("Er is niets over u vastgelegd."),
        "{page}"
    );
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let page = of(&[sent()]).page();
    for foreign in ["<script", "http://", "https://", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.starts_with("<!doctype html>\n<html lang=\"nl\">"));
}

#[test]
fn events_stand_in_the_order_of_time() {
    let later = Leaf {
        bundle: BundleRef { number: 13, ..sent().bundle },
        time: sent().time.plus_seconds(60),
        ..sent()
    };
    let answer = of(&[later, sent()]);
    assert_eq!(answer.events.iter().map(|event| event.bundle).collect::<Vec<_>>(), [12, 13]);
}

proptest! {
    #[test]
    fn no_name_can_break_out_of_the_page(name in ".*") {
        let hostile = format!("{name}<img onerror=alert(1)>\"'");
        let page = inzage(&[sent()], |_| Some(hostile.clone()), None, now()).page();
        prop_assert!(!page.contains("<img"));
        let escaped = page::escape(&hostile);
        let raw = escaped.contains('<') || escaped.contains('"') || escaped.contains('\'');
        prop_assert!(!raw && page.contains(&escaped));
    }
}
