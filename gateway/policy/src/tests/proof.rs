//! Assertions, the independent checker, and the comparison with unsliced Cedar.

use cedar_policy::{Authorizer, Decision, PolicySet};

use super::small::{files, with, with_more};
use crate::candidate::Candidate;
use crate::checker::check;
use crate::decision::{Circumstances, Decider, states};
use crate::{Files, Proven, Stage, Trust};

pub(super) fn candidate(files: &Files) -> Result<Candidate, crate::LoadError> {
    Candidate::compile(files, &Trust::Draft, &|| std::time::Duration::ZERO)
}

fn asserted(text: &str) -> Result<Proven, String> {
    Proven::load(&with_more("assertions.toml", text), &Trust::Draft).map_err(|error| {
        assert!(error.is_about(Stage::Assertion), "{error}");
        error.to_string()
    })
}

fn assertion(kind: &str, class: &str, to: &str, more: &str) -> String {
    format!(
        "[[{kind}]]\nid = \"eis\"\nnl = \"zin\"\nen = \"The demand.\"\nclass = [\"{class}\"]\nto = [\"{to}\"]\n{more}\n"
    )
}

#[test]
fn an_assertion_that_holds_says_what_it_was_held_against() {
    let proven = asserted(&assertion("never", "medisch.*", "*:*", "except = [\"*:medisch\"]")).unwrap();
    let held = &proven.report().held[0];
    assert!(held.never && held.cells > 100, "{held:?}");
    let proven = asserted(&assertion("must", "functioneel.beperking", "rib:coach", "")).unwrap();
    assert_eq!(proven.report().held[0].cells, 2, "two routes");
}

#[test]
fn a_never_that_fails_shows_one_request_and_the_rule_that_let_it_through() {
    let error = asserted(&assertion("never", "persoon.bsn", "rib:*", "")).unwrap_err();
    for part in [
        "The demand.",
        "when gemeente:klantmanager sends `test.v1.Verslag` to rib:coach for `aanmelding` (T05)",
        "gezondheidsgegevens verleend",
        "`client.bsn` (persoon.bsn) passes as `vol`",
        "`coach-persoon`: The coach knows the client.",
    ] {
        assert!(error.contains(part), "{error}\nlacks: {part}");
    }
}

#[test]
fn a_must_that_fails_says_what_is_missing_and_why() {
    let error =
        asserted(&assertion("must", "functioneel.uren", "werkgever:*", "form = [\"vol\"]")).unwrap_err();
    assert!(error.contains("`uren`: urenband, because of the rule `werkgever-uren`"), "{error}");
    let error = asserted(&assertion("must", "persoon.bsn", "werkgever:*", "")).unwrap_err();
    assert!(error.contains("`client.bsn`: does not pass"), "{error}");
}

#[test]
fn a_check_that_fails_still_says_what_holds() {
    let both = assertion("never", "medisch.*", "werkgever:*", "").replace("\"eis\"", "\"houdt\"")
        + &assertion("never", "persoon.bsn", "rib:*", "");
    let error = Proven::load(&with_more("assertions.toml", &both), &Trust::Draft).unwrap_err();
    let report = error.report.unwrap();
    assert_eq!(report.held.iter().map(|held| held.name.as_str()).collect::<Vec<_>>(), ["houdt"]);
    assert!(report.decisions > 1000);
}

#[test]
fn an_assertion_that_names_nothing_protects_nothing_and_is_refused() {
    for (text, says) in [
        (assertion("never", "medisch", "*:*", ""), "no data class"),
        (assertion("never", "medisch.*", "rib:choach", ""), "choach"),
        (assertion("never", "medisch.*", "*:*", "exchange = [\"T99\"]"), "no exchange"),
        (assertion("never", "medisch.*", "*:*", "purpose = [\"reclame\"]"), "no purpose"),
        (assertion("must", "arbeid", "rib:coach", ""), "selects nothing"),
        (
            assertion("must", "persoon", "rib:coach", "exchange = [\"T05\", \"T13\"]"),
            "selects nothing in the exchange `T13`",
        ),
    ] {
        let error = asserted(&text).unwrap_err();
        assert!(error.contains(says), "{error}\nlacks: {says}");
    }
}

#[test]
fn a_text_that_is_not_screened_for_a_class_breaks_a_never_about_that_class() {
    // The coach may have debts, so no text to the coach is screened for them.
    let mut files = with_more(
        "rules/alle.cedar",
        "\n@id(\"coach-schulden\") @nl(\"z\") @en(\"s\") @ground(\"g\")\npermit (principal in Rol::\"coach\", action, resource in Dataklasse::\"sociaal.*\");\n",
    );
    files.insert(
        "assertions.toml".into(),
        assertion("never", "sociaal.schulden", "rib:coach", "").into_bytes(),
    );
    let error = Proven::load(&files, &Trust::Draft).unwrap_err().to_string();
    assert!(
        error.contains("the text `toelichting` passes and is not screened for `sociaal.schulden`"),
        "{error}"
    );
}

#[test]
fn the_checker_alone_stops_medical_data_when_no_guardrail_does() {
    let mut files = with(
        "guardrails/grenzen.cedar",
        "unless { principal in Rol::\"medisch\" }",
        "when { context.spoed }",
    );
    let leak = "\n@id(\"lek\") @nl(\"z\") @en(\"s\") @ground(\"g\")\npermit (principal in Rol::\"coach\", action, resource in Dataklasse::\"medisch.*\");\n";
    files.get_mut("rules/alle.cedar").unwrap().extend_from_slice(leak.as_bytes());
    let error = Proven::load(&files, &Trust::Draft).unwrap_err();
    assert!(error.is_about(Stage::Checker), "{error}");
    let says = "`test.v1.Verslag.diagnose` is medical and passes outside the medical roles (T05, gemeente:klantmanager → rib:coach)";
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn nothing_medical_passes_in_an_emergency_not_even_to_a_physician() {
    let exchanges = with(
        "exchanges.toml",
        "collect_within_days = 14\nretention_days = 730\n",
        "collect_within_days = 14\nretention_days = 730\nemergency = true\n",
    );
    let error = Proven::load(&exchanges, &Trust::Draft).unwrap_err();
    assert!(error.to_string().contains("is medical and passes in an emergency"), "{error}");
}

#[test]
fn the_checker_sees_a_class_that_the_compiler_got_wrong() {
    // The plans of one bundle, checked with the mapping of another: as if the compiler had mixed up two fields.
    let compiled = candidate(&files()).unwrap();
    let other = with("mapping.toml", "3 = \"functioneel.beperking\"", "3 = \"medisch.klacht\"");
    let (_, breaches) = check(&other, compiled.checked());
    assert!(
        breaches.iter().any(|what| what.contains("not in the class that the mapping gives it")),
        "{breaches:?}"
    );
    let nothing = with("mapping.toml", "3 = \"functioneel.beperking\"\n", "");
    let (_, breaches) = check(&nothing, compiled.checked());
    assert!(breaches.iter().any(|what| what.contains("passes without a class")), "{breaches:?}");
    let text = with(
        "mapping.toml",
        "3 = \"functioneel.beperking\"",
        "3 = { class = \"tekst\", subject = \"functioneel.beperking\" }",
    );
    let (_, breaches) = check(&text, compiled.checked());
    assert!(breaches.iter().any(|what| what.contains("is a text and passes unscreened")), "{breaches:?}");
}

/// Asks Cedar without slicing: the most revealing form that all rules together allow. Returns how many were compared.
pub(super) fn compare_with_cedar(candidate: &Candidate, every: usize) -> usize {
    let rules = PolicySet::from_policies(candidate.rules.iter().map(|rule| rule.policy.clone())).unwrap();
    let world = &candidate.world;
    let mut decider = Decider::new(world, &candidate.rules, &|| std::time::Duration::ZERO).unwrap();
    let (mut count, mut compared) = (0, 0);
    for route in &candidate.routes {
        let exchanges = &candidate.exchanges.exchanges;
        let index = exchanges.iter().position(|exchange| exchange.id == route.exchange.id).unwrap();
        for (consents, spoed) in states() {
            let circumstances =
                Circumstances { exchange: &route.exchange, index, sender: route.from, consents, spoed };
            let view = decider.view(route.to, circumstances).unwrap();
            for (resource, of) in world.resources.iter().enumerate() {
                count += 1;
                if count % every != 0 {
                    continue;
                }
                compared += 1;
                let sliced = decider.decide(&view, resource).unwrap();
                let allowed = of.kind.forms().iter().find(|form| {
                    let request =
                        decider.request(route.to, **form as usize, resource, &circumstances).unwrap();
                    let response = Authorizer::new().is_authorized(&request, &rules, &world.entities);
                    assert_eq!(response.diagnostics().errors().count(), 0);
                    response.decision() == Decision::Allow
                });
                assert_eq!(sliced.form, allowed.copied(), "{} {}", route.exchange.id, of.uid);
            }
        }
    }
    compared
}

#[test]
fn sliced_decisions_are_cedars_decisions() {
    assert!(compare_with_cedar(&candidate(&files()).unwrap(), 1) > 3000);
}
