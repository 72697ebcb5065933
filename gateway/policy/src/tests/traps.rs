//! The traps of Cedar and of bundles, each planted and seen refused.

use super::small::{files, load, with, with_more};
use crate::{Files, LoadError, Proven, Stage, Trust};

fn refused(files: &Files, stage: Stage, says: &str) {
    let error: LoadError = match Proven::load(files, &Trust::Draft) {
        Ok(_) => panic!("loads, and should be refused: {says}"),
        Err(error) => error,
    };
    assert!(error.is_about(stage), "{error}");
    assert!(error.to_string().contains(says), "{error}\ndoes not say: {says}");
}

fn rule(id: &str, body: &str) -> Files {
    let text = format!("\n@id(\"{id}\") @nl(\"z\") @en(\"s\") @ground(\"g\")\n{body}\n");
    with_more("rules/alle.cedar", &text)
}

#[test]
fn a_forbid_that_fails_in_evaluation_is_not_skipped() {
    let overflow = "forbid (principal, action, resource in Dataklasse::\"persoon.bsn\") when { 9223372036854775807 + (if context.spoed then 1 else 2) > 0 };";
    refused(&rule("fout", overflow), Stage::Rule, "fails when evaluated");
}

#[test]
fn a_name_that_does_not_exist_is_refused_and_not_silently_never_true() {
    for literal in [
        "principal in Rol::\"coahc\"",
        "principal in Functie::\"rib:verzekeringsarts\"",
        "principal in Organisatie::\"00000099000000009000\"",
        "principal, action, resource in Dataklasse::\"medisch\"",
        "principal, action, resource in Bericht::\"test.v1.Verslagg\"",
        "principal, action, resource == Tekstveld::\"test.v1.Verslag.toelichtingen\"",
    ] {
        let rest = if literal.contains("action") { "" } else { ", action, resource" };
        refused(&rule("verschreven", &format!("forbid ({literal}{rest});")), Stage::Name, "does not exist");
    }
    let purpose =
        rule("doel", "forbid (principal, action, resource) when { context.doel == Doel::\"aanmeldign\" };");
    refused(&purpose, Stage::Name, "does not exist");
    let exchange = rule(
        "x",
        "forbid (principal, action, resource) when { context.uitwisseling == Uitwisseling::\"T5\" };",
    );
    refused(&exchange, Stage::Name, "does not exist");
}

#[test]
fn what_the_schema_does_not_know_is_refused() {
    for body in [
        "permit (principal, action == Action::\"alles\", resource);",
        "permit (principal, action, resource) when { context.grondslag == Grondslag::\"zin\" };",
        "permit (principal, action, resource) when { context.haast };",
        "permit (principal in Persoon::\"x\", action, resource);",
    ] {
        refused(&rule("woord", body), Stage::Rule, "woord");
    }
}

#[test]
fn an_impossible_rule_is_an_error_and_no_mere_warning() {
    let impossible = "permit (principal, action == Action::\"urenband\", resource is Datumveld);";
    refused(&rule("onmogelijk", impossible), Stage::Rule, "onmogelijk");
    let never_true = "permit (principal, action, resource) when { principal is Bericht };";
    refused(&rule("nooit", never_true), Stage::Rule, "nooit");
}

#[test]
fn a_rule_that_matches_no_request_is_an_error() {
    let idle = "permit (principal in Soort::\"gemeente\", action, resource in Dataklasse::\"arbeid\");";
    refused(&rule("zonder-effect", idle), Stage::Rule, "matches no request of any");
    let never =
        "permit (principal in Soort::\"rib\", action, resource) when { context.doel == Doel::\"toets\" };";
    refused(&rule("nooit-daar", never), Stage::Rule, "matches no request");
}

#[test]
fn a_guardrail_that_could_guard_nothing_is_an_error() {
    let idle = "\n@id(\"leeg\") @nl(\"z\") @en(\"s\") @ground(\"g\")\nforbid (principal in Soort::\"rib\", action, resource) when { principal in Rol::\"medisch\" };\n";
    refused(&with_more("guardrails/grenzen.cedar", idle), Stage::Rule, "guards nothing");
}

#[test]
fn a_guardrail_only_forbids_and_there_has_to_be_one() {
    let permit =
        "\n@id(\"mag\") @nl(\"z\") @en(\"s\") @ground(\"g\")\npermit (principal, action, resource);\n";
    refused(&with_more("guardrails/grenzen.cedar", permit), Stage::Rule, "only forbids");
    let mut without = files();
    without.remove("guardrails/grenzen.cedar");
    refused(&without, Stage::Rule, "not one guardrail");
}

#[test]
fn a_template_is_refused() {
    refused(&rule("sjabloon", "permit (principal in ?principal, action, resource);"), Stage::Rule, "slot");
}

#[test]
fn a_rule_names_no_party_because_an_organisation_with_a_name_would_slip_past() {
    let party = "forbid (principal == Partij::\"rib:coach\", action, resource);";
    refused(&rule("partij", party), Stage::Name, "names no party");
}

#[test]
fn a_rule_needs_its_own_name_its_sentences_and_its_ground() {
    let text = "\n@id(\"x\") @nl(\"z\") @ground(\"g\")\npermit (principal, action, resource);\n";
    refused(&with_more("rules/alle.cedar", text), Stage::Rule, "`@en(\"…\")` is missing");
    refused(
        &rule("arts-alles", "permit (principal, action, resource);"),
        Stage::Name,
        "two rules are called",
    );
    let unknown = "\n@id(\"x\") @nl(\"z\") @en(\"s\") @ground(\"g\") @vorm(\"jaar\")\npermit (principal, action, resource);\n";
    refused(&with_more("rules/alle.cedar", unknown), Stage::Rule, "`@vorm` is unknown");
    refused(&rule("geen-regel", "permit (principal, action, resource);"), Stage::Rule, "absence of a rule");
}

#[test]
fn contract_and_mapping_have_to_agree_on_a_class() {
    let softer = with("mapping.toml", "2 = \"medisch.diagnose\"", "2 = \"organisatie\"");
    refused(&softer, Stage::Classification, "test.v1.Verslag.diagnose");
    let contract = "contracts/test/v1/verslag.proto";
    let softer = with(
        contract,
        "diagnose = 2 [(veldwacht.klasse) = MEDISCH_DIAGNOSE]",
        "diagnose = 2 [(veldwacht.klasse) = ARBEID]",
    );
    refused(&softer, Stage::Classification, "agree on one");
    let about = with("mapping.toml", "subject = \"functioneel.beperking\"", "subject = \"arbeid\"");
    refused(&about, Stage::Classification, "subject");
}

#[test]
fn a_new_field_without_class_withholds_itself_and_fails_the_check_by_name() {
    let contract = "contracts/test/v1/verslag.proto";
    let more = "Verslag vorige = 6 [(veldwacht.klasse) = ORGANISATIE];\n  string nieuw = 7;\n  string voorgesteld = 8 [(veldwacht.klasse) = ARBEID];";
    let mut files = with(contract, "Verslag vorige = 6 [(veldwacht.klasse) = ORGANISATIE];", more);
    let all = "\n@id(\"alles\") @nl(\"z\") @en(\"s\") @ground(\"g\")\npermit (principal in Functie::\"rib:coach\", action, resource in Bericht::\"test.v1.Verslag\");\n";
    files.get_mut("rules/alle.cedar").unwrap().extend_from_slice(all.as_bytes());
    let proven = load(&files);
    let fields = ["test.v1.Verslag.nieuw", "test.v1.Verslag.voorgesteld"];
    assert_eq!(proven.report().unclassified, fields, "an option alone gives no class");
    assert!(!proven.report().is_complete());
    assert!(proven.report().to_string().contains("WITHOUT CLASS  test.v1.Verslag.nieuw"));
    for compiled in proven.candidate.checked().map(|one| one.compiled) {
        let cell = compiled.cells.iter().find(|cell| cell.path.as_str() == "nieuw").unwrap();
        assert_eq!((cell.form, cell.rule.as_str()), (None, "zonder-klasse"));
    }
}

#[test]
fn the_mapping_may_not_name_what_is_not_there() {
    refused(
        &with("mapping.toml", "6 = \"organisatie\"", "6 = \"organisatie\"\n60 = \"arbeid\""),
        Stage::Classification,
        "no field with number `60`",
    );
    refused(
        &with_more("mapping.toml", "[\"test.v1.Weg\"]\n1 = \"arbeid\"\n"),
        Stage::Classification,
        "test.v1.Weg",
    );
    refused(
        &with("mapping.toml", "2 = \"medisch.diagnose\"", "2 = \"medisch\""),
        Stage::Format,
        "mapping.toml",
    );
}

#[test]
fn a_class_has_to_fit_its_field() {
    let kind = with(
        "mapping.toml",
        "3 = \"functioneel.beperking\"",
        "3 = { class = \"functioneel.beperking\", kind = \"uren\" }",
    );
    refused(&kind, Stage::Classification, "cannot hold");
    let text = with(
        "mapping.toml",
        "5 = { class = \"tekst\", subject = \"functioneel.beperking\" }",
        "5 = \"tekst\"",
    );
    refused(&text, Stage::Classification, "needs a subject");
}

#[test]
fn a_file_with_a_misspelt_key_or_a_missing_file_refuses_the_bundle() {
    refused(&with("bundle.toml", "number", "nummer"), Stage::Format, "nummer");
    refused(&with("exchanges.toml", "consents = ", "consent = "), Stage::Format, "consent");
    for name in ["bundle.toml", "schema.cedarschema", "organisations.toml", "exchanges.toml", "mapping.toml"]
    {
        let mut without = files();
        without.remove(name);
        refused(&without, Stage::Format, name);
    }
    let mut half = files();
    let text = half["rules/alle.cedar"].clone();
    half.insert("rules/alle.cedar".to_owned(), text[..text.len() - 40].to_vec());
    refused(&half, Stage::Rule, "rules/alle.cedar");
    let mut bytes = files();
    bytes.insert("rules/alle.cedar".to_owned(), vec![0xff]);
    refused(&bytes, Stage::Format, "UTF-8");
}

#[test]
fn exchanges_name_what_exists_and_share_no_route() {
    refused(
        &with("exchanges.toml", "purpose = \"toets\"", "purpose = \"toetsing\""),
        Stage::Name,
        "toetsing",
    );
    refused(&with("exchanges.toml", "to = [\"rib:coach\"]", "to = [\"rib:arts\"]"), Stage::Name, "rib:arts");
    refused(
        &with("exchanges.toml", "type = \"test.v1.Verslag\"", "type = \"test.v1.Weg\""),
        Stage::Contract,
        "test.v1.Weg",
    );
    let shared =
        with("exchanges.toml", "purpose = \"plaatsing\"\ngrondslag", "purpose = \"aanmelding\"\ngrondslag");
    let text = String::from_utf8(shared["exchanges.toml"].clone()).unwrap();
    let text = text.replace(
        "from = [\"rib:coach\"]\nto = [\"werkgever:contactpersoon\"]",
        "from = [\"gemeente:klantmanager\"]\nto = [\"rib:coach\"]",
    );
    let mut files = shared;
    files.insert("exchanges.toml".to_owned(), text.into_bytes());
    refused(&files, Stage::Name, "share the route");
}

#[test]
fn a_bundle_cut_off_or_scrambled_anywhere_is_refused_or_loads_and_never_panics() {
    for (name, bytes) in files() {
        for part in 1..6 {
            let cut = bytes.len() * part / 6;
            let mut half = files();
            half.insert(name.clone(), bytes[..cut].to_vec());
            let _ = Proven::load(&half, &Trust::Draft);
            let mut scrambled = files();
            let mut other = bytes.clone();
            other[cut] ^= 0x11;
            scrambled.insert(name.clone(), other);
            let _ = Proven::load(&scrambled, &Trust::Draft);
        }
    }
}
