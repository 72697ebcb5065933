//! Trying a sentence: what the screener reads in it, marked in place; with the words in force, or with those of a draft.
//!
//! What is typed is kept nowhere. Adding a word is `term`'s: it goes into a draft like every change of policy.

pub(super) mod term;

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use model::DataClass;
use oversight::Act;
use policy::Files;
use screening::{Screener, default_against};

use super::{draft, shell};
use crate::audit::{Choice, choices};
use crate::fault::Fault;
use crate::form::Form;
use crate::marked::{Part, marked};
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made, sentence};
use crate::visitor::Visitor;
use crate::{Console, words};

struct Found {
    text: String,
    class: &'static str,
    rule: String,
    advice: String,
}

#[derive(Template)]
#[template(path = "lexicon.html")]
struct Page {
    shell: Shell,
    text: String,
    tried: bool,
    /// Whose words: empty for an auditor, who has no drafts.
    with: Vec<Choice>,
    /// The words of the draft that was chosen cannot be used.
    unusable: Option<String>,
    parts: Vec<Part>,
    found: Vec<Found>,
    unscreenable: Option<String>,
    decides: bool,
    add: term::Adding,
}

/// The form.
pub(super) async fn page(State(console): App, Extension(visitor): Who, Extension(query): Typed) -> Answer {
    console.oversight().may(&visitor.operator, Act::LookAtPolicy).await?;
    made(&empty(&console, &visitor, &query)?)
}

/// The form with what was found.
pub(super) async fn tried(State(console): App, Extension(visitor): Who, Extension(form): Typed) -> Answer {
    console.oversight().may(&visitor.operator, Act::LookAtPolicy).await?;
    let mut page = empty(&console, &visitor, &form)?;
    let screener = match screener(&console, &visitor, &form).await? {
        Ok(screener) => screener,
        Err(wrong) => {
            page.unusable = Some(wrong);
            return made(&page);
        }
    };
    let language = visitor.language;
    let screened = screener.screen(&page.text, default_against());
    let found = screened.findings.iter().map(|finding| Found {
        text: page.text.get(finding.start..finding.end).unwrap_or_default().to_owned(),
        class: words::class(finding.class, language),
        rule: finding.rule.to_string(),
        advice: screener
            .advice(finding.class)
            .map_or_else(String::new, |advice| language.pick(&advice.nl, &advice.en).to_owned()),
    });
    page.found = found.collect();
    page.unscreenable = screened.unscreenable.map(|why| {
        let (nl, en) = why.advice();
        sentence(language.pick(nl, en))
    });
    page.parts = marked(&page.text, &screened.findings);
    page.tried = !page.text.trim().is_empty();
    made(&page)
}

/// The screener that was chosen: of the policy in force, or of a draft; or why that one cannot be used.
async fn screener(
    console: &Console,
    visitor: &Visitor,
    form: &Form,
) -> Result<Result<Arc<Screener>, String>, Fault> {
    let Some(id) = form.parsed::<u64>("with") else { return Ok(Ok(console.oversight().screener())) };
    screener_of(&draft::files_of(console, visitor, id).await?).await
}

/// The screener of a draft's words, or why they cannot be used.
pub(super) async fn screener_of(files: &Files) -> Result<Result<Arc<Screener>, String>, Fault> {
    let words = oversight::lexicon(files);
    let built = tokio::task::spawn_blocking(move || Screener::build(&words)).await;
    let built = built.map_err(|_| Fault::Broken)?;
    Ok(built.map(Arc::new).map_err(|error| error.to_string()))
}

fn empty(console: &Console, visitor: &Visitor, form: &Form) -> Result<Page, Fault> {
    let t = &visitor.words().policies;
    Ok(Page {
        text: form.raw("text").to_owned(),
        tried: false,
        with: draft::choose(console, visitor, t.words_in_force, form.get("with"))?,
        unusable: None,
        parts: Vec::new(),
        found: Vec::new(),
        unscreenable: None,
        decides: visitor.may(Act::ChangePolicy),
        add: term::Adding {
            term: form.raw("term").to_owned(),
            classes: choices(
                DataClass::ALL.iter().filter(|class| default_against().contains(**class)),
                form.get("class"),
                |class| (class.name().to_owned(), words::class(**class, visitor.language).to_owned()),
            ),
            kinds: term::kinds(visitor, form.get("kind")),
            drafts: draft::choose(console, visitor, t.term_new_draft, form.get("draft"))?,
            wrong: None,
        },
        shell: shell(visitor, t.lexicon),
    })
}
