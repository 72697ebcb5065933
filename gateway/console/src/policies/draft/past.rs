//! Which past texts the words of a draft would have stopped: by record, hash and rule, never by content.
//!
//! Owns: the page. What is compared with what, and that the question stands in the log before its answer, is `oversight`'s.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use oversight::{Act, PastPlace, PastTexts, lexicon};

use super::super::shell;
use super::{broken, files};
use crate::fault::Fault;
use crate::pages::{App, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::visitor::Visitor;
use crate::{show, words};

/// So many places of each list are shown; its title says how many there are.
const SHOWN: usize = 200;

/// A text at which the words of the draft and those in force differ.
struct Place {
    record: u64,
    field: String,
    class: &'static str,
    rule: String,
    digest: String,
}

struct List {
    title: String,
    mark: &'static str,
    places: Vec<Place>,
}

#[derive(Template)]
#[template(path = "draft_past.html")]
struct Page {
    shell: Shell,
    id: u64,
    draft: String,
    looked: String,
    /// What could not be looked at: no text is kept longer than it waits.
    unseen: Vec<String>,
    /// Why no place is listed: a mark and a sentence.
    same: Option<(&'static str, &'static str)>,
    lists: Vec<List>,
    on_record: Vec<(String, String)>,
}

/// The answer. It is recorded before it is shown.
pub(in crate::policies) async fn past(
    State(console): App,
    Extension(visitor): Who,
    Path(id): Path<u64>,
) -> Answer {
    console.oversight().may(&visitor.operator, Act::ChangePolicy).await?;
    let draft = console.drafts.get(id).map_err(broken)?.ok_or(Fault::NotFound)?;
    let words = lexicon(&files(&console, &visitor, &draft).await?);
    let past = console.oversight().past_texts(&visitor.operator, words).await?;
    made(&told(&visitor, id, draft.title, past))
}

fn told(visitor: &Visitor, id: u64, draft: String, past: PastTexts) -> Page {
    let t = &visitor.words().policies;
    let number = |count: u64| show::number(count, visitor.language);
    let filled = |text: &str, count: u64| (count > 0).then(|| show::fill(text, &[&number(count)]));
    let list = |title: &str, mark, places: Vec<PastPlace>| List {
        title: show::fill(title, &[&number(places.len() as u64)]),
        mark,
        places: places.into_iter().take(SHOWN).map(|at| place(at, visitor)).collect(),
    };
    let mut on_record: Vec<_> = past.on_record.into_iter().collect();
    on_record.sort_by_key(|(rule, count)| (std::cmp::Reverse(*count), rule.clone()));
    let mut lists = vec![list(t.past_stopped, "stop", past.stopped), list(t.past_freed, "mind", past.freed)];
    lists.retain(|list| !list.places.is_empty());
    Page {
        id,
        draft,
        looked: show::fill(t.past_looked, &[&number(past.opened), &number(past.texts)]),
        unseen: filled(t.past_gone, past.gone).into_iter().chain(filled(t.past_left, past.left)).collect(),
        same: match (lists.is_empty(), past.texts) {
            (false, _) => None,
            (true, 0) => Some(("mind", t.past_nothing)),
            (true, _) => Some(("pass", t.past_same)),
        },
        lists,
        on_record: on_record
            .into_iter()
            .take(SHOWN)
            .map(|(rule, count)| (rule.to_string(), number(count)))
            .collect(),
        shell: shell(visitor, t.past),
    }
}

fn place(at: PastPlace, visitor: &Visitor) -> Place {
    let unknown = visitor.words().shell.unknown;
    Place {
        record: at.index,
        field: at.field,
        class: at.class.map_or(unknown, |class| words::class(class, visitor.language)),
        rule: at.rule.to_string(),
        digest: at.digest.map_or_else(String::new, |digest| digest.to_string()),
    }
}
