//! Doelbinding by the phase of a traject: what a bundle may say of it, and that the proof holds it.

use model::Reason;

use super::small::{RIB, WERKGEVER, files, load, situation, with};
use crate::{Diff, Files, Past, Proven, Trust, replay};

const TRAJECT: &str = r#"
[traject]
days = 30
opened_by = ["gemeente:klantmanager", "uwv:arbeidsdeskundige"]
told_by = ["rib:coach"]
phases = [{ number = 1, nl = "aanmelding", en = "registration" }, { number = 3, nl = "uitvoering", en = "execution" }]

[[purpose]]
id = "toets""#;

/// The small bundle, whose placement asks for phase 3.
fn phased() -> Files {
    let text = |files: &Files| String::from_utf8(files["exchanges.toml"].clone()).unwrap();
    let mut files = files();
    let exchanges = text(&files)
        .replacen("\n[[purpose]]\nid = \"toets\"", TRAJECT, 1)
        .replace("emergency = true", "emergency = true\ntraject = \"opens\"")
        + "traject = \"active\"\nphases = [3]\n";
    files.insert("exchanges.toml".into(), exchanges.into_bytes());
    files
}

fn changed(old: &str, new: &str) -> Files {
    let mut files = phased();
    let text = String::from_utf8(files["exchanges.toml"].clone()).unwrap();
    assert!(text.contains(old), "there is something to change: {old}");
    files.insert("exchanges.toml".into(), text.replacen(old, new, 1).into_bytes());
    files
}

fn refused(files: &Files) -> String {
    Proven::load(files, &Trust::Draft).unwrap_err().to_string()
}

fn asserting(files: &Files, assertion: &str) -> Files {
    let mut files = files.clone();
    let assertions = files.get("assertions.toml").map(|bytes| String::from_utf8(bytes.clone()).unwrap());
    files.insert("assertions.toml".into(), (assertions.unwrap_or_default() + assertion).into_bytes());
    files
}

#[test]
fn an_exchange_fits_the_phases_it_names_and_no_traject_is_no_phase() {
    let proven = load(&phased());
    let exchange = |id: &str| proven.exchanges().find(|exchange| &*exchange.id == id).unwrap().clone();
    assert_eq!(exchange("T13").admits(Some(3)), Ok(()));
    assert_eq!(exchange("T13").admits(Some(1)), Err(Reason::PhaseNotFitting));
    assert_eq!(exchange("T13").admits(None), Err(Reason::TrajectNotActive));
    assert_eq!(exchange("T05").admits(None), Ok(()), "what opens a traject needs none");
    assert_eq!(proven.trajects().first(), Some(1));
    let any = load(&changed("phases = [3]\n", ""));
    let any = any.exchanges().find(|exchange| &*exchange.id == "T13").unwrap().clone();
    assert_eq!((any.admits(Some(1)), any.admits(None)), (Ok(()), Err(Reason::TrajectNotActive)));
}

#[test]
fn what_a_bundle_says_wrongly_of_trajects_is_refused_with_its_name() {
    let cases = [
        (changed("phases = [3]", "phases = [4]"), "exchange `T13` fits phase 4, which is not declared"),
        (changed("traject = \"active\"", "traject = \"none\""), "only an active traject has a phase"),
        (changed("number = 3", "number = 1"), "phase 1 is declared twice"),
        (changed("number = 3", "number = 0"), "phase 0 is declared twice, or is 0"),
        (changed("\"rib:coach\"]\nphases", "\"rib:baas\"]\nphases"), "stated by `rib:baas`"),
        (
            changed(", \"uwv:arbeidsdeskundige\"]\ntold", "]\ntold"),
            "`uwv:arbeidsdeskundige` is not in `opened_by`",
        ),
        (changed("days = 30", "days = 0"), "has no phases or no days"),
        (changed("days = 30", "dagen = 30"), "dagen"),
        (with("exchanges.toml", "emergency = true", "traject = \"active\""), "has no phases or no days"),
    ];
    for (files, says) in cases {
        let said = refused(&files);
        assert!(said.contains(says), "`{says}` was expected: {said}");
    }
}

#[test]
fn an_assertion_holds_what_may_happen_in_a_phase() {
    let never = |phase: &str| {
        format!(
            "\n[[never]]\nid = \"fase\"\nnl = \"x\"\nen = \"nothing to the employer then\"\nclass = [\"functioneel.*\"]\n\
             to = [\"werkgever:*\"]\nphase = [{phase}]\n"
        )
    };
    load(&asserting(&phased(), &never("1")));
    let said = refused(&asserting(&phased(), &never("1, 3")));
    assert!(said.contains("does not hold") && said.contains("in phase 3 of the traject"), "{said}");
    let said = refused(&asserting(&phased(), &never("2")));
    assert!(said.contains("2 is no phase of a traject"), "{said}");
    let must = "\n[[must]]\nid = \"dan\"\nnl = \"x\"\nen = \"y\"\nclass = [\"functioneel.uren\"]\nto = [\"werkgever:*\"]\n\
                exchange = [\"T13\"]\nphase = [3]\n";
    load(&asserting(&phased(), must));
    let said = refused(&asserting(&phased(), &must.replace("[3]", "[1]")));
    assert!(said.contains("selects nothing in the exchange `T13`"), "{said}");
}

#[test]
fn a_draft_with_fewer_phases_is_seen_against_the_past() {
    let placement = situation("plaatsing", (RIB, "coach"), (WERKGEVER, "contactpersoon"));
    let past = |phase| Past { situation: placement.clone(), phase, passed: Vec::new() };
    let replayed = replay(&load(&phased()), [past(Some(1)), past(Some(3)), past(None)]);
    assert_eq!((replayed.deliveries, replayed.unchanged), (3, 2));
    assert_eq!(replayed.refused.get(Reason::PhaseNotFitting.name()), Some(&1));
}

#[test]
fn a_phase_more_a_teller_more_and_a_longer_traject_are_widenings() {
    let higher = |mut files: Files| {
        files.insert("bundle.toml".into(), b"number = 2\nguardrails = 1\nname = \"klein\"\n".to_vec());
        load(&files)
    };
    let old = load(&phased());
    let widens = |old: &str, new: &str| {
        let diff = Diff::between(&load(&phased()), &higher(changed(old, new)));
        assert_eq!(diff.changes.len(), 1, "{diff}");
        diff.widens()
    };
    assert!(widens("phases = [3]", "phases = [1, 3]"));
    assert!(widens("phases = [3]\n", ""));
    assert!(widens("told_by = [\"rib:coach\"]", "told_by = [\"rib:coach\", \"gemeente:klantmanager\"]"));
    assert!(!widens("told_by = [\"rib:coach\"]", "told_by = []"));
    assert!(widens("days = 30", "days = 31"));
    assert!(!widens("days = 30", "days = 29"));
    let none = Diff::between(&higher(files()), &old);
    assert!(
        none.changes.iter().any(|change| change.what == "phases in which it fits" && !change.widens),
        "{none}"
    );
}
