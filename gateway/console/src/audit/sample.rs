//! Drawing a sample that anyone can draw again, and working through it.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect};
use ledger::Leaf;
use oversight::{Act, Look};

use super::shell;
use super::tell::{Told, tell};
use super::worklist::{Note, WorkItem, WorkList};
use crate::fault::Fault;
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::show;

/// The largest sample.
const MOST: u64 = 500;
/// The longest seed and remark, in characters.
const LONGEST: usize = 500;

struct Summary {
    id: u64,
    seed: String,
    at: String,
    by: String,
    progress: String,
    complete: bool,
}

#[derive(Template)]
#[template(path = "samples.html")]
struct Samples {
    shell: Shell,
    lists: Vec<Summary>,
    seed: String,
    size: String,
}

struct Item {
    told: Told,
    done: Option<String>,
    remark: String,
}

#[derive(Template)]
#[template(path = "sample.html")]
struct Sample {
    shell: Shell,
    id: u64,
    seed: String,
    size: String,
    progress: String,
    command: String,
    items: Vec<Item>,
}

/// The lists, and a form to draw a new one. The seed that it proposes is the root of the published log: nobody could
/// know it before.
pub(super) async fn page(State(console): App, Extension(visitor): Who) -> Answer {
    console.oversight().may(&visitor.operator, Act::Export).await?;
    let t = &visitor.words().audit;
    let lists = console.work_lists.all().map_err(broken)?;
    let summary = |list: &WorkList| {
        let done = list.items.iter().filter(|item| item.done.is_some()).count();
        Summary {
            id: list.id,
            seed: list.seed.clone(),
            at: show::moment(list.at, visitor.language),
            by: list.by.to_string(),
            progress: show::fill(t.progress, &[&done.to_string(), &list.items.len().to_string()]),
            complete: done == list.items.len(),
        }
    };
    let checkpoint = console.setup.published.borrow().checkpoint.clone();
    made(&Samples {
        lists: lists.iter().map(summary).collect(),
        seed: hex::encode(checkpoint.root.0),
        size: show::number(checkpoint.size, visitor.language),
        shell: shell(&visitor, t.samples),
    })
}

/// Draws.
pub(super) async fn draw(State(console): App, Extension(visitor): Who, Extension(form): Typed) -> Answer {
    let seed: String = form.get("seed").chars().take(LONGEST).collect();
    let count = form.parsed::<u64>("n").filter(|count| (1..=MOST).contains(count)).ok_or(Fault::NotFound)?;
    let size = console.setup.published.borrow().checkpoint.size;
    let drawn = ledger::sample(&seed, size, count);
    console.oversight().look(&visitor.operator, Look::Sample, drawn.len() as u64, None, None).await?;
    let at = console.oversight().now();
    let items = drawn.into_iter().map(|index| WorkItem { index, done: None, remark: String::new() });
    let list = WorkList {
        id: u64::try_from(at.unix_millis()).unwrap_or_default(),
        seed,
        size,
        by: visitor.operator.name().clone(),
        at,
        items: items.collect(),
    };
    console.work_lists.put(&list).map_err(broken)?;
    Ok(Redirect::to(&format!("/audit/sample/{}", list.id)).into_response())
}

/// One list.
pub(super) async fn one(State(console): App, Extension(visitor): Who, Path(id): Path<u64>) -> Answer {
    console.oversight().may(&visitor.operator, Act::Export).await?;
    let t = &visitor.words().audit;
    let list = console.work_lists.get(id).map_err(broken)?.ok_or(Fault::NotFound)?;
    let proven = console.oversight().proven();
    let mut items = Vec::new();
    for item in &list.items {
        let bytes = console.oversight().journal().record(item.index)?;
        let leaf = Leaf::from_bytes(&bytes).map_err(|_| Fault::Broken)?;
        items.push(Item {
            told: tell(item.index, &leaf, &proven, &visitor),
            done: item.done.as_ref().map(ToString::to_string),
            remark: item.remark.clone(),
        });
    }
    let done = items.iter().filter(|item| item.done.is_some()).count();
    made(&Sample {
        id,
        progress: show::fill(t.progress, &[&done.to_string(), &items.len().to_string()]),
        command: format!(
            "veldwacht log sample --seed {} --n {} # size {}",
            quoted(&list.seed),
            items.len(),
            list.size
        ),
        size: show::number(list.size, visitor.language),
        seed: list.seed,
        items,
        shell: shell(&visitor, t.samples),
    })
}

/// Ticks a record off, or takes the tick back, with a remark.
pub(super) async fn note(
    State(console): App,
    Extension(visitor): Who,
    Extension(form): Typed,
    Path((id, index)): Path<(u64, u64)>,
) -> Answer {
    console.oversight().may(&visitor.operator, Act::Export).await?;
    let note = Note {
        remark: form.get("remark").chars().take(LONGEST).collect(),
        was: form.get("was").to_owned(),
        done: (form.get("done") == "yes").then(|| visitor.operator.name().clone()),
    };
    if !console.work_lists.note(id, index, note).map_err(broken)? {
        return Err(Fault::NotFound);
    }
    Ok(Redirect::to(&format!("/audit/sample/{id}#record-{index}")).into_response())
}

/// A word for a shell: an auditor copies the command, and a seed is whatever someone typed.
fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_.:/".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn broken(error: std::io::Error) -> Fault {
    tracing::error!(%error, "a work list could not be read or kept");
    Fault::Broken
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_seed_in_a_command_is_one_word_and_no_command() {
        assert_eq!(quoted("9f2c"), "9f2c");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("'; rm -rf ~ #"), r"''\''; rm -rf ~ #'");
        assert_eq!(quoted(""), "''");
    }
}
