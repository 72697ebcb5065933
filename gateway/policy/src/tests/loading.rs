//! From a bundle to an answer, and the exact reason where there is none.

use model::{Consent, Consents, Form, Reason};

use super::small::{GEMEENTE, RIB, UWV, WERKGEVER, files, load, situation, with, with_more};
use crate::Compiled;

fn form(compiled: &Compiled, path: &str) -> Option<Form> {
    let cell = compiled.cells.iter().find(|cell| cell.path.as_str() == path);
    cell.unwrap_or_else(|| panic!("no cell `{path}`")).form
}

#[test]
fn a_diagnosis_reaches_the_physician_and_nobody_else() {
    let proven = load(&files());
    let physician = ("toets", (UWV, "verzekeringsarts"), (UWV, "verzekeringsarts"));
    let others = [
        ("toets", (UWV, "verzekeringsarts"), (UWV, "arbeidsdeskundige")),
        ("aanmelding", (GEMEENTE, "klantmanager"), (RIB, "coach")),
        ("plaatsing", (RIB, "coach"), (WERKGEVER, "contactpersoon")),
    ];
    let compiled = proven.compiled(&situation(physician.0, physician.1, physician.2)).unwrap();
    assert_eq!(form(&compiled, "diagnose"), Some(Form::Vol));
    for (purpose, from, to) in others {
        let compiled = proven.compiled(&situation(purpose, from, to)).unwrap();
        assert_eq!(form(&compiled, "diagnose"), None, "{purpose}");
        assert!(compiled.screen_against.contains(model::DataClass::MedischDiagnose), "{purpose}");
    }
}

#[test]
fn the_most_revealing_permitted_form_wins_and_names_its_rule() {
    let proven = load(&files());
    let coach =
        proven.compiled(&situation("aanmelding", (GEMEENTE, "klantmanager"), (RIB, "coach"))).unwrap();
    assert_eq!(form(&coach, "client.naam"), Some(Form::Vol));
    assert_eq!(form(&coach, "client.geboortedatum"), Some(Form::Jaar));
    assert_eq!(form(&coach, "client.bsn"), Some(Form::Vol));
    let year = coach.cells.iter().find(|cell| cell.path.as_str() == "client.geboortedatum").unwrap();
    assert_eq!(year.rule.as_str(), "coach-jaar");
    assert!(year.sentence.en.contains("the year"));
    let employer =
        proven.compiled(&situation("plaatsing", (RIB, "coach"), (WERKGEVER, "contactpersoon"))).unwrap();
    assert_eq!(form(&employer, "uren"), Some(Form::Urenband));
    assert_eq!(form(&employer, "client.bsn"), None, "its container is withheld");
    assert_eq!(form(&employer, "toelichting"), None);
}

#[test]
fn a_plan_lets_through_what_its_cells_say() {
    let proven = load(&files());
    let coach =
        proven.compiled(&situation("aanmelding", (GEMEENTE, "klantmanager"), (RIB, "coach"))).unwrap();
    let contract = proven.message(&"test.v1.Verslag".parse().unwrap()).unwrap();
    let document = r#"{"client":{"bsn":"999990019","naam":"J","geboortedatum":"1980-02-03"},"diagnose":"x","beperkingen":["tillen"]}"#;
    let mut json = serde_json::Deserializer::from_str(document);
    let message = prost_reflect::DynamicMessage::deserialize(contract.clone(), &mut json).unwrap();
    let bytes = prost_reflect::prost::Message::encode_to_vec(&message);
    let (mut output, mut account) = (Vec::new(), fields::Account::new());
    let key = fields::PseudonymKey::for_receiver(&[0; 32], &RIB.parse().unwrap());
    coach.plan.filter(&bytes, &key, &mut output, &mut account).unwrap();
    let left = prost_reflect::DynamicMessage::decode(contract, output.as_slice()).unwrap();
    let left = serde_json::to_value(&left).unwrap();
    let expected =
        r#"{"client":{"bsn":"999990019","naam":"J","geboortedatum":"1980"},"beperkingen":["tillen"]}"#;
    assert_eq!(left, serde_json::from_str::<serde_json::Value>(expected).unwrap());
}

#[test]
fn every_no_has_its_own_reason() {
    let proven = load(&files());
    let good = situation("aanmelding", (GEMEENTE, "klantmanager"), (RIB, "coach"));
    let reason = |change: &dyn Fn(&mut crate::Situation)| {
        let mut situation = good.clone();
        change(&mut situation);
        proven.compiled(&situation).map(|_| ()).map_err(|refusal| refusal.reason)
    };
    let unknown = "00000099000000009000".parse().unwrap();
    assert_eq!(reason(&|_| ()), Ok(()));
    assert_eq!(reason(&|s| s.sender.0 = unknown), Err(Reason::OrganisationUnknown));
    assert_eq!(reason(&|s| s.sender.1 = "verzekeringsarts".parse().unwrap()), Err(Reason::RoleNotAllowed));
    assert_eq!(reason(&|s| s.sender.1 = model::Role::systeem()), Err(Reason::RoleRequired));
    assert_eq!(reason(&|s| s.message = "test.v1.Anders".parse().unwrap()), Err(Reason::TypeUnknown));
    assert_eq!(reason(&|s| s.purpose = "reclame".parse().unwrap()), Err(Reason::PurposeUnknown));
    assert_eq!(reason(&|s| s.receiver.0 = unknown), Err(Reason::ReceiverUnknown));
    assert_eq!(reason(&|s| s.receiver.1 = "klantmanager".parse().unwrap()), Err(Reason::ReceiverUnknown));
    assert_eq!(reason(&|s| s.purpose = "toets".parse().unwrap()), Err(Reason::ExchangeNotDeclared));
    assert_eq!(reason(&|s| s.consents = Consents::default()), Err(Reason::ConsentMissing));
    assert_eq!(
        reason(&|s| s.consents.gezondheidsgegevens = Consent::Geweigerd),
        Err(Reason::ConsentWithdrawn)
    );
    assert_eq!(reason(&|s| s.consents.beroepsgeheim = Consent::Onbekend), Ok(()), "not asked for here");
    assert_eq!(reason(&|s| s.spoed = true), Ok(()), "T05 has emergency access");
    let mut urgent = situation("toets", (UWV, "verzekeringsarts"), (UWV, "arbeidsdeskundige"));
    urgent.spoed = true;
    assert_eq!(proven.compiled(&urgent).unwrap_err().reason, Reason::EmergencyNotAllowed);
}

#[test]
fn a_rule_for_one_organisation_is_for_no_other_of_its_kind() {
    const OTHER: &str = "00000099000000003001";
    let second = format!(
        "[[organisation]]\noin = \"{OTHER}\"\nname = \"RIB 2\"\nkind = \"rib\"\n[[organisation]]\noin = \"{RIB}\""
    );
    let mut files = with("organisations.toml", &format!("[[organisation]]\noin = \"{RIB}\""), &second);
    let own = format!(
        "\n@id(\"een\") @nl(\"z\") @en(\"s\") @ground(\"g\")\nforbid (principal in Organisatie::\"{OTHER}\", action, resource in Dataklasse::\"persoon.bsn\");\n"
    );
    files.get_mut("rules/alle.cedar").unwrap().extend_from_slice(own.as_bytes());
    let proven = load(&files);
    let bsn = |oin| {
        let compiled =
            proven.compiled(&situation("aanmelding", (GEMEENTE, "klantmanager"), (oin, "coach"))).unwrap();
        form(&compiled, "client.bsn")
    };
    assert_eq!((bsn(RIB), bsn(OTHER)), (Some(Form::Vol), None));
}

#[test]
fn consent_decides_a_cell_where_a_rule_says_so() {
    let more = "\n@id(\"na-toestemming\") @nl(\"z\") @en(\"s\") @ground(\"g\")\npermit (principal in Soort::\"werkgever\", action == Action::\"vol\", resource == Berichtveld::\"test.v1.Verslag.client\") when { context.beroepsgeheim == Toestemming::\"verleend\" };\n@id(\"naam-na-toestemming\") @nl(\"z\") @en(\"s\") @ground(\"g\")\npermit (principal in Soort::\"werkgever\", action == Action::\"vol\", resource == Waardeveld::\"test.v1.Persoon.naam\");\n";
    let proven = load(&with_more("rules/alle.cedar", more));
    let mut situation = situation("plaatsing", (RIB, "coach"), (WERKGEVER, "contactpersoon"));
    assert_eq!(form(&proven.compiled(&situation).unwrap(), "client.naam"), Some(Form::Vol));
    for state in [Consent::Onbekend, Consent::Geweigerd] {
        situation.consents.beroepsgeheim = state;
        assert_eq!(form(&proven.compiled(&situation).unwrap(), "client.naam"), None, "unknown is no");
    }
}

#[test]
fn an_emergency_follows_rules_of_its_own() {
    let more = "\n@id(\"spoed-niet\") @nl(\"z\") @en(\"s\") @ground(\"g\")\nforbid (principal, action, resource in Dataklasse::\"persoon.bsn\") when { context.spoed && context.grondslag == Grondslag::\"vitaal_belang\" };\n";
    let proven = load(&with_more("rules/alle.cedar", more));
    let mut situation = situation("aanmelding", (GEMEENTE, "klantmanager"), (RIB, "coach"));
    assert_eq!(form(&proven.compiled(&situation).unwrap(), "client.bsn"), Some(Form::Vol));
    situation.spoed = true;
    assert_eq!(form(&proven.compiled(&situation).unwrap(), "client.bsn"), None);
    situation.consents = Consents::default();
    assert!(proven.compiled(&situation).is_ok(), "an emergency waits for no consent");
}
