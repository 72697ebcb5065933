//! Trying a document: field by field before and after, and why. What is typed is kept nowhere and goes to no log.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use model::{Consent, Consents, Oin, Refusal, Role};
use oversight::{Act, Which};
use policy::{NotSimulated, Proven, Simulation, Situation, simulate_json};
use screening::Screener;

use super::{draft, lexicon, shell};
use crate::Console;
use crate::audit::{Choice, choices};
use crate::fault::Fault;
use crate::form::Form;
use crate::marked::{Part, marked};
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made, sentence};
use crate::visitor::Visitor;
use crate::{show, words};

/// One field before and after.
struct Field {
    path: String,
    class: String,
    before: Vec<Part>,
    after: Option<String>,
    form: &'static str,
    text: &'static str,
    why: String,
    mark: &'static str,
}

#[derive(Template)]
#[template(path = "simulate.html")]
struct Page {
    shell: Shell,
    /// Whose rules: empty for an auditor, who has no drafts.
    with: Vec<Choice>,
    exchanges: Vec<Choice>,
    ways: Vec<Choice>,
    secrecy: Vec<Choice>,
    health: Vec<Choice>,
    document: String,
    wrong: Option<String>,
    refused: Option<String>,
    summary: Option<String>,
    fields: Vec<Field>,
}

/// The form.
pub(super) async fn page(State(console): App, Extension(visitor): Who, Extension(query): Typed) -> Answer {
    console.oversight().may(&visitor.operator, Act::LookAtPolicy).await?;
    let page = match rules(&console, &visitor, &query).await? {
        Ok((proven, _)) => empty(&console, &proven, &visitor, &query)?,
        Err(wrong) => unusable(&console, &visitor, &query, wrong)?,
    };
    made(&page)
}

/// The form with what came of it.
pub(super) async fn run(State(console): App, Extension(visitor): Who, Extension(form): Typed) -> Answer {
    console.oversight().may(&visitor.operator, Act::LookAtPolicy).await?;
    let (proven, screener) = match rules(&console, &visitor, &form).await? {
        Ok(rules) => rules,
        Err(wrong) => return made(&unusable(&console, &visitor, &form, wrong)?),
    };
    let mut page = empty(&console, &proven, &visitor, &form)?;
    // Another exchange was chosen, and the lists follow it; what was typed stays.
    if form.get("choose") == "yes" {
        return made(&page);
    }
    let t = &visitor.words().policies;
    let Some(situation) = situation(&proven, &form) else {
        return made(&page);
    };
    match simulate_json(&proven, &situation, form.raw("document")) {
        Ok(simulation) => {
            let left = simulation.fields.iter().filter(|field| field.after.is_none()).count();
            let through = simulation.fields.len() - left;
            page.summary = Some(show::fill(t.summary, &[&through.to_string(), &left.to_string()]));
            page.fields = fields(&simulation, &screener, &visitor);
        }
        Err((NotSimulated::Refused(refusal), _)) => {
            page.refused = Some(sentence(words::reason(refusal.reason, visitor.language)));
        }
        Err((NotSimulated::Malformed, at)) => {
            let place = at.map_or_else(String::new, |(line, column)| format!(" ({line}:{column})"));
            page.wrong = Some(format!("{}{place}.", t.not_json));
        }
    }
    made(&page)
}

/// The rules and the words that were chosen: those in force, or those of a draft; or why these cannot be used.
async fn rules(
    console: &Console,
    visitor: &Visitor,
    form: &Form,
) -> Result<Result<(Arc<Proven>, Arc<Screener>), String>, Fault> {
    let oversight = console.oversight();
    let Some(id) = form.parsed::<u64>("with") else {
        return Ok(Ok((oversight.proven(), oversight.screener())));
    };
    let files = draft::files_of(console, visitor, id).await?;
    let screener = match lexicon::screener_of(&files).await? {
        Ok(screener) => screener,
        Err(wrong) => return Ok(Err(wrong)),
    };
    match oversight.prove(&visitor.operator, Which::Draft(files)).await {
        Ok(proven) => Ok(Ok((proven, screener))),
        Err(Refusal { violations, .. }) if !violations.is_empty() => {
            let told = violations.into_iter().map(|at| format!("{} {}", at.field, at.description));
            Ok(Err(told.collect::<Vec<_>>().join("; ")))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// The form of the rules in force, with why a draft cannot be used.
fn unusable(console: &Console, visitor: &Visitor, form: &Form, wrong: String) -> Result<Page, Fault> {
    let mut page = empty(console, &console.oversight().proven(), visitor, form)?;
    page.wrong = Some(format!("{} {wrong}", visitor.words().policies.rules_wrong));
    Ok(page)
}

/// The lists as they were chosen; the first exchange where none was.
fn empty(console: &Console, proven: &Arc<Proven>, visitor: &Visitor, form: &Form) -> Result<Page, Fault> {
    let language = visitor.language;
    let first = proven.exchanges().next().map(|exchange| exchange.id.to_string()).unwrap_or_default();
    let chosen = if form.get("exchange").is_empty() { first } else { form.get("exchange").to_owned() };
    let exchanges = choices(proven.exchanges(), &chosen, |exchange| {
        let title = language.pick(&exchange.nl, &exchange.en);
        (exchange.id.to_string(), format!("{} {title}", exchange.id))
    });
    let party = |(oin, role): &(Oin, Role)| {
        format!("{} ({})", show::organisation(oin, proven), show::role(role, proven, language))
    };
    let ways = choices(ways(proven, &chosen), form.get("way"), |situation| {
        (way(situation), format!("{} → {}", party(&situation.sender), party(&situation.receiver)))
    });
    let consents = |name| {
        let chosen = if form.get(name).is_empty() { "verleend" } else { form.get(name) };
        choices(Consent::ALL, chosen, |consent| {
            (consent.name().to_owned(), crate::audit::consent(**consent, language).to_owned())
        })
    };
    let t = &visitor.words().policies;
    Ok(Page {
        with: draft::choose(console, visitor, t.words_in_force, form.get("with"))?,
        exchanges,
        ways,
        secrecy: consents("secrecy"),
        health: consents("health"),
        document: form.raw("document").to_owned(),
        wrong: None,
        refused: None,
        summary: None,
        fields: Vec::new(),
        shell: shell(visitor, t.simulate),
    })
}

/// Every pair of registered parties between whom this exchange goes.
fn ways(proven: &Proven, exchange: &str) -> Vec<Situation> {
    let Some(exchange) = proven.exchanges().find(|known| &*known.id == exchange) else { return Vec::new() };
    let mut all = proven.situations();
    all.retain(|one| one.message == exchange.message && one.purpose == exchange.purpose);
    all
}

fn way(situation: &Situation) -> String {
    let Situation { sender, receiver, .. } = situation;
    format!("{}:{}>{}:{}", sender.0, sender.1, receiver.0, receiver.1)
}

fn situation(proven: &Proven, form: &Form) -> Option<Situation> {
    let mut all = ways(proven, form.get("exchange"));
    let at = all.iter().position(|one| way(one) == form.get("way"))?;
    let mut situation = all.swap_remove(at);
    let consent =
        |name| Consent::ALL.iter().copied().find(|one| one.name() == form.get(name)).unwrap_or_default();
    situation.consents =
        Consents { beroepsgeheim: consent("secrecy"), gezondheidsgegevens: consent("health") };
    Some(situation)
}

fn fields(simulation: &Simulation, screener: &Screener, visitor: &Visitor) -> Vec<Field> {
    let t = &visitor.words().policies;
    let against = simulation.compiled.screen_against;
    let field = |field: &policy::SimulatedField| {
        let before = shown(&field.before);
        let screened = field.screened.then(|| screener.screen(&before, against));
        let (mark, text) = match &screened {
            Some(screened) if !screened.is_clean() => ("mind", t.text_returned),
            Some(_) => ("pass", t.text_clean),
            None if field.after.is_some() => ("pass", ""),
            None => ("none", ""),
        };
        Field {
            path: field.path.clone(),
            class: field
                .class
                .map_or_else(String::new, |class| words::class(class, visitor.language).to_owned()),
            before: screened
                .map_or_else(|| vec![Part::plain(&before)], |screened| marked(&before, &screened.findings)),
            after: field.after.as_ref().map(shown),
            form: field.form.map_or("", |form| words::form(form, visitor.language)),
            text,
            why: visitor.language.sentence(&field.sentence).to_owned(),
            mark,
        }
    };
    simulation.fields.iter().map(field).collect()
}

fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
