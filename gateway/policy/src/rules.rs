//! Rules and guardrails as their writers wrote them, checked as far as one rule by itself can be.
//!
//! Owns: reading `rules/*.cedar` and `guardrails/*.cedar`, the four annotations, names out of the file instead of
//! positions, and Cedar's strict validation with warnings as errors. Whether the rules together are right is for
//! `enumeration`, `assertions` and `checker`.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{Effect, EntityUid, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;
use model::{Name, Oin};

use crate::bundle::{Files, Sentence, folder, text};
use crate::problem::{LoadError, Problem, Stage};
use crate::world::World;

/// The name that stands where no rule permits.
pub const NO_RULE: &str = "geen-regel";
/// The name that stands where a field has no class.
pub const NO_CLASS: &str = "zonder-klasse";

/// What a rule says, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    /// Its id, as records and the matrix show it.
    pub name: Name,
    /// The sentence of the rule.
    pub sentence: Sentence,
    /// The legal ground that it cites.
    pub ground: Arc<str>,
    /// File in the bundle.
    pub file: Arc<str>,
    /// Whether it forbids.
    pub forbids: bool,
    /// Whether it is a guardrail, signed by others than the rules.
    pub guardrail: bool,
}

/// One rule, still in Cedar.
pub(crate) struct Rule {
    pub(crate) text: RuleText,
    pub(crate) policy: Policy,
    /// The same rule as a set of its own, to ask it alone.
    pub(crate) alone: PolicySet,
}

pub(crate) fn read_schema(files: &Files) -> Result<Schema, LoadError> {
    const FILE: &str = "schema.cedarschema";
    let source = text(files, FILE)?;
    let (schema, warnings) = Schema::from_cedarschema_str(source)
        .map_err(|error| Problem::new(Stage::Rule, FILE, format!("{error:?}")))?;
    let problems = warnings.map(|warning| Problem::new(Stage::Rule, FILE, warning)).collect();
    LoadError::unless(problems, schema)
}

/// Every rule and guardrail, in the order of their files.
pub(crate) fn read_rules(files: &Files) -> Result<Vec<Rule>, LoadError> {
    let mut problems = Vec::new();
    let mut rules = Vec::new();
    for (prefix, guardrail) in [("rules/", false), ("guardrails/", true)] {
        for (file, source) in folder(files, prefix, ".cedar")? {
            read_file(file, source, guardrail, &mut rules, &mut problems);
        }
    }
    if !rules.iter().any(|rule| rule.text.guardrail) {
        let what = "there is not one guardrail; a bundle without them is not accepted";
        problems.push(Problem::new(Stage::Rule, "guardrails/", what));
    }
    let mut names = BTreeSet::new();
    for rule in &rules {
        if !names.insert(&rule.text.name) {
            problems.push(Problem::new(
                Stage::Name,
                &rule.text.file,
                format!("two rules are called `{}`", rule.text.name),
            ));
        }
    }
    LoadError::unless(problems, rules)
}

fn read_file(file: &str, source: &str, guardrail: bool, rules: &mut Vec<Rule>, problems: &mut Vec<Problem>) {
    let set = match PolicySet::from_str(source) {
        Ok(set) => set,
        Err(errors) => return problems.extend(errors.iter().map(|error| unreadable(file, source, error))),
    };
    if set.num_of_templates() > 0 {
        problems.push(Problem::new(
            Stage::Rule,
            file,
            "a rule has a slot (`?principal`); name the receiver instead",
        ));
    }
    // Cedar numbers the policies of a text `policy0`, `policy1` … and hands them out in no order.
    let mut policies: Vec<&Policy> = set.policies().collect();
    policies.sort_by_key(|policy| policy.id().to_string().trim_start_matches("policy").parse::<usize>().ok());
    for (index, policy) in policies.into_iter().enumerate() {
        match read_rule(file, policy, guardrail) {
            Ok(rule) => rules.push(rule),
            Err(what) => {
                let name =
                    policy.annotation("id").map_or_else(|| format!("rule {}", index + 1), str::to_owned);
                problems.push(Problem::new(Stage::Rule, format!("{file}, `{name}`"), what));
            }
        }
    }
}

/// What Cedar cannot read, at its line and column.
fn unreadable(file: &str, source: &str, error: &(impl Diagnostic + std::fmt::Display)) -> Problem {
    let label = error.labels().and_then(|mut labels| labels.next());
    let before = label.and_then(|label| source.get(..label.offset()));
    let place = before.map_or_else(
        || file.to_owned(),
        |before| {
            let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
            format!("{file}:{}:{column}", before.matches('\n').count() + 1)
        },
    );
    let help = error.help().map_or_else(String::new, |help| format!("; {help}"));
    Problem::new(Stage::Rule, place, format!("{error}{help}"))
}

fn read_rule(file: &str, policy: &Policy, guardrail: bool) -> Result<Rule, String> {
    const ANNOTATIONS: [&str; 4] = ["id", "nl", "en", "ground"];
    if let Some((other, _)) = policy.annotations().find(|(key, _)| !ANNOTATIONS.contains(key)) {
        return Err(format!("the annotation `@{other}` is unknown; a rule has @id, @nl, @en and @ground"));
    }
    let annotation = |key: &str| match policy.annotation(key).map(str::trim) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(format!("the annotation `@{key}(\"…\")` is missing or empty")),
    };
    let name: Name = annotation("id")?.parse().map_err(|error| format!("{error}"))?;
    if [NO_RULE, NO_CLASS].contains(&name.as_str()) {
        return Err("this name stands for the absence of a rule; choose another".to_owned());
    }
    let forbids = policy.effect() == Effect::Forbid;
    if guardrail && !forbids {
        return Err("a guardrail only forbids; put a permit under `rules/`".to_owned());
    }
    let policy = policy.new_id(PolicyId::new(name.as_str()));
    let alone = PolicySet::from_policies([policy.clone()]).map_err(|error| error.to_string())?;
    let sentence = Sentence::new(annotation("nl")?, annotation("en")?);
    let ground = annotation("ground")?.into();
    let text = RuleText { name, sentence, ground, file: file.into(), forbids, guardrail };
    Ok(Rule { text, policy, alone })
}

/// The organisations that rules name by OIN; each becomes a receiver of its own in the enumeration.
pub(crate) fn named_organisations(rules: &[Rule]) -> BTreeSet<Oin> {
    let literals = rules.iter().flat_map(|rule| rule.policy.entity_literals());
    let named = literals.filter(|uid| uid.type_name().to_string() == "Organisatie");
    named.filter_map(|uid| uid.id().unescaped().parse().ok()).collect()
}

/// Strict validation, warnings included, and a look at every entity that a rule names.
pub(crate) fn check_rules(rules: &[Rule], world: &World) -> Result<(), LoadError> {
    let mut problems = Vec::new();
    let all = PolicySet::from_policies(rules.iter().map(|rule| rule.policy.clone()))
        .map_err(|error| Problem::new(Stage::Rule, "rules/", error))?;
    let result = Validator::new(world.schema.clone()).validate(&all, ValidationMode::Strict);
    problems
        .extend(result.validation_errors().map(|error| Problem::new(Stage::Rule, error.policy_id(), error)));
    problems.extend(
        result.validation_warnings().map(|warning| Problem::new(Stage::Rule, warning.policy_id(), warning)),
    );
    for rule in rules {
        for literal in rule.policy.entity_literals() {
            if let Some(what) = check_literal(&literal, world) {
                problems.push(Problem::new(
                    Stage::Name,
                    format!("{}, `{}`", rule.text.file, rule.text.name),
                    what,
                ));
            }
        }
    }
    LoadError::unless(problems, ())
}

/// Cedar lets an unknown id of an ordinary entity type pass as valid; a rule that names one would silently do
/// nothing.
fn check_literal(literal: &EntityUid, world: &World) -> Option<String> {
    match literal.type_name().to_string().as_str() {
        "Partij" => Some("a rule names no party; use Soort, Rol, Functie or Organisatie".to_owned()),
        // Of these the ids stand in the schema, and the validator knows them.
        "Action" | "Grondslag" | "Toestemming" => None,
        _ if world.entities.get(literal).is_some() => None,
        _ => Some(format!("`{literal}` does not exist in this bundle; is it misspelt?")),
    }
}
