//! Working on a draft: its files as text, what is wrong with it, what it would change, and proposing it.
//!
//! A draft decides nothing. Signing happens in the officer's browser, with a key that never comes here; proposing it is
//! `oversight`'s, which reads, proves and records it.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect};
use model::{Name, Refusal};
use oversight::{Act, Which};
use policy::{Files, Proven, Replay, SIGNATURES};

use super::drafts::{Draft, Saved};
use super::shell;
use crate::audit::{Choice, choices};
use crate::fault::Fault;
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::visitor::Visitor;
use crate::{Console, show};

/// The longest title, in characters.
const TITLE: usize = 120;
/// So many changes of meaning are shown; the count says how many there are.
const SHOWN: usize = 300;

struct Listed {
    id: u64,
    title: String,
    by: String,
    at: String,
    files: usize,
}

#[derive(Template)]
#[template(path = "drafts.html")]
struct List {
    shell: Shell,
    drafts: Vec<Listed>,
}

/// One thing that would change.
struct Change {
    widens: bool,
    place: String,
    what: String,
    before: String,
    after: String,
    states: String,
}

/// What is to be said of a draft that proves itself.
struct Meaning {
    wider: usize,
    total: usize,
    changes: Vec<Change>,
    deliveries: u64,
    unchanged: u64,
    lost: Vec<String>,
    statement: String,
}

#[derive(Template)]
#[template(path = "draft.html")]
struct Page {
    shell: Shell,
    id: u64,
    version: u64,
    changed: Vec<String>,
    files: Vec<Choice>,
    file: String,
    text: String,
    read_only: bool,
    /// What someone else made of this file meanwhile, and who.
    theirs: Option<(String, String)>,
    problems: Vec<(String, String)>,
    meaning: Option<Meaning>,
    signatures: Vec<String>,
}

/// The list.
pub(super) async fn list(State(console): App, Extension(visitor): Who) -> Answer {
    console.oversight().may(&visitor.operator, Act::ChangePolicy).await?;
    let drafts = console.drafts.all().map_err(broken)?;
    let drafts = drafts.iter().map(|draft| Listed {
        id: draft.id,
        title: draft.title.clone(),
        by: draft.by.to_string(),
        at: show::moment(draft.at, visitor.language),
        files: draft.files.len(),
    });
    made(&List { drafts: drafts.collect(), shell: shell(&visitor, visitor.words().policies.drafts) })
}

/// Begins a draft, under the next number.
pub(super) async fn begin(State(console): App, Extension(visitor): Who, Extension(form): Typed) -> Answer {
    console.oversight().may(&visitor.operator, Act::ChangePolicy).await?;
    let running = console.oversight().files(&visitor.operator, Which::Running).await?;
    let (proven, at) = (console.oversight().proven(), console.oversight().now());
    let header = running.get("bundle.toml").map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let (now, next) = (format!("number = {}", proven.number()), format!("number = {}", proven.number() + 1));
    let header = header.ok_or(Fault::Broken)?.replacen(&now, &next, 1);
    let title: String = form.get("title").chars().take(TITLE).collect();
    let draft = Draft {
        id: u64::try_from(at.unix_millis()).unwrap_or_default(),
        title: if title.is_empty() { show::moment(at, visitor.language) } else { title },
        by: visitor.operator.name().clone(),
        at,
        base: proven.digest(),
        version: 1,
        last: visitor.operator.name().clone(),
        files: [("bundle.toml".to_owned(), header)].into(),
        signatures: std::collections::BTreeMap::new(),
    };
    console.drafts.begin(&draft).map_err(broken)?;
    Ok(Redirect::to(&format!("/policies/drafts/{}", draft.id)).into_response())
}

/// The page of a draft.
pub(super) async fn one(
    State(console): App,
    Extension(visitor): Who,
    Extension(query): Typed,
    Path(id): Path<u64>,
) -> Answer {
    console.oversight().may(&visitor.operator, Act::ChangePolicy).await?;
    let draft = console.drafts.get(id).map_err(broken)?.ok_or(Fault::NotFound)?;
    let mut page = opened(&console, &visitor, &draft, query.get("file")).await?;
    if query.get("check") == "yes" {
        check(&console, &visitor, &draft, &mut page).await?;
    }
    made(&page)
}

/// Keeps a file. When someone else was first, both texts are shown and nothing is lost.
pub(super) async fn save(
    State(console): App,
    Extension(visitor): Who,
    Extension(form): Typed,
    Path(id): Path<u64>,
) -> Answer {
    console.oversight().may(&visitor.operator, Act::ChangePolicy).await?;
    let (file, text) = (form.get("file").to_owned(), form.raw("text").replace("\r\n", "\n"));
    let version = form.parsed::<u64>("version").unwrap_or_default();
    if is_read_only(&file) {
        return Err(Fault::NotFound);
    }
    let me = visitor.operator.name().clone();
    let saved = console.drafts.change(id, version, |draft| {
        draft.files.insert(file.clone(), text.clone());
        draft.signatures.clear();
        draft.last = me;
    });
    match saved.map_err(broken)? {
        Saved::Kept => {
            let file: String = form_urlencoded::byte_serialize(file.as_bytes()).collect();
            Ok(Redirect::to(&format!("/policies/drafts/{id}?file={file}&check=yes#outcome")).into_response())
        }
        Saved::Gone => Err(Fault::NotFound),
        Saved::Overtaken(draft) => {
            let mut page = opened(&console, &visitor, &draft, &file).await?;
            page.theirs = Some((draft.last.to_string(), std::mem::replace(&mut page.text, text)));
            made(&page)
        }
    }
}

/// Takes a signature that was made in the officer's browser.
pub(super) async fn sign(
    State(console): App,
    Extension(visitor): Who,
    Extension(form): Typed,
    Path(id): Path<u64>,
) -> Answer {
    console.oversight().may(&visitor.operator, Act::ChangePolicy).await?;
    let key: Name = form.parsed("key").ok_or(Fault::NotFound)?;
    let signature = form.get("signature").to_owned();
    let well_formed = signature.len() == 128 && hex::decode(&signature).is_ok();
    let draft = console.drafts.get(id).map_err(broken)?.filter(|_| well_formed).ok_or(Fault::NotFound)?;
    let saved = console.drafts.change(id, draft.version, |draft| {
        draft.signatures.insert(key, signature);
    });
    saved.map_err(broken)?;
    Ok(Redirect::to(&format!("/policies/drafts/{id}?check=yes#outcome")).into_response())
}

/// Proposes the draft with its signatures; it is over then.
pub(super) async fn propose(State(console): App, Extension(visitor): Who, Path(id): Path<u64>) -> Answer {
    let draft = console.drafts.get(id).map_err(broken)?.ok_or(Fault::NotFound)?;
    let mut files = files(&console, &visitor, &draft).await?;
    let proven = console.oversight().prove(&visitor.operator, Which::Draft(files.clone())).await?;
    let signed = signatures(&files, &proven, &draft)?;
    files.insert(SIGNATURES.to_owned(), signed.into_bytes());
    let change = console.oversight().propose(&visitor.operator, files).await?;
    console.drafts.end(id).map_err(broken)?;
    Ok(Redirect::to(&format!("/policies/changes/{}", change.id)).into_response())
}

/// The files of a draft: those of the bundle that it changes, with what differs.
async fn files(console: &Console, visitor: &Visitor, draft: &Draft) -> Result<Files, Fault> {
    let mut files = console.oversight().files(&visitor.operator, Which::Shelved(draft.base)).await?;
    for (name, text) in &draft.files {
        files.insert(name.clone(), text.clone().into_bytes());
    }
    Ok(files)
}

/// `signatures.toml` with the signatures of this draft; those of the guardrails stay, for they did not change.
fn signatures(files: &Files, proven: &Proven, draft: &Draft) -> Result<String, Fault> {
    let old =
        files.get(SIGNATURES).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
    let guardrails = old.find("[[guardrails]]").and_then(|at| old.get(at..)).unwrap_or_default();
    let mut text = format!("matrix = \"{}\"\n", proven.matrix_digest());
    for (key, signature) in &draft.signatures {
        text.push_str(&format!("\n[[policies]]\nkey = \"{key}\"\nsignature = \"{signature}\"\n"));
    }
    text.push('\n');
    text.push_str(guardrails);
    Ok(text)
}

/// Guardrails and signatures are others' to change.
fn is_read_only(file: &str) -> bool {
    file.starts_with("guardrails/") || file == SIGNATURES
}

async fn opened(console: &Console, visitor: &Visitor, draft: &Draft, wanted: &str) -> Result<Page, Fault> {
    let files = files(console, visitor, draft).await?;
    let first = "rules/gemeente.cedar";
    let name = if files.contains_key(wanted) { wanted } else { first };
    let bytes = files.get(name).map(Vec::as_slice).unwrap_or_default();
    let texts =
        files.iter().filter(|(name, bytes)| *name != SIGNATURES && std::str::from_utf8(bytes).is_ok());
    Ok(Page {
        id: draft.id,
        version: draft.version,
        changed: draft.files.keys().cloned().collect(),
        files: choices(texts, name, |(name, _)| ((*name).clone(), (*name).clone())),
        file: name.to_owned(),
        text: String::from_utf8_lossy(bytes).into_owned(),
        read_only: is_read_only(name),
        theirs: None,
        problems: Vec::new(),
        meaning: None,
        signatures: draft.signatures.keys().map(ToString::to_string).collect(),
        shell: shell(visitor, draft.title.clone()),
    })
}

/// Proves the draft, and says what it changes and would have changed.
async fn check(console: &Console, visitor: &Visitor, draft: &Draft, page: &mut Page) -> Result<(), Fault> {
    let files = files(console, visitor, draft).await?;
    let (oversight, who) = (console.oversight(), &visitor.operator);
    let proven = match oversight.prove(who, Which::Draft(files.clone())).await {
        Ok(proven) => proven,
        Err(Refusal { violations, .. }) if !violations.is_empty() => {
            page.problems = violations.into_iter().map(|at| (at.field, at.description)).collect();
            return Ok(());
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let difference = oversight.difference(who, Which::Running, Which::Draft(files.clone())).await?;
    let replay = oversight.replay(who, Which::Draft(files)).await?;
    let mut changes: Vec<Change> = difference
        .changes
        .iter()
        .map(|change| Change {
            widens: change.widens,
            place: change.place.clone(),
            what: change.what.replace('`', ""),
            before: change.before.clone(),
            after: change.after.clone(),
            states: change.states.clone(),
        })
        .collect();
    let (total, wider) = (changes.len(), changes.iter().filter(|change| change.widens).count());
    changes.sort_by_key(|change| !change.widens);
    changes.truncate(SHOWN);
    page.meaning = Some(Meaning {
        wider,
        total,
        changes,
        deliveries: replay.deliveries,
        unchanged: replay.unchanged,
        lost: lost(&replay, visitor),
        statement: statement(&proven),
    });
    Ok(())
}

/// What of the past would have gone otherwise, a line each.
fn lost(replay: &Replay, visitor: &Visitor) -> Vec<String> {
    let t = &visitor.words().policies;
    let class = |class| crate::words::class(class, visitor.language);
    let refused = replay
        .refused
        .iter()
        .map(|(reason, count)| show::fill(t.would_refuse, &[&count.to_string(), reason]));
    let lost = replay.lost.iter().map(|((exchange, what), count)| {
        show::fill(t.would_lose, &[&count.to_string(), exchange, class(*what)])
    });
    let gained = replay.gained.iter().map(|((exchange, what), count)| {
        show::fill(t.would_gain, &[&count.to_string(), exchange, class(*what)])
    });
    refused.chain(lost).chain(gained).collect()
}

/// What an officer signs (`policy::signature`): short, and readable by who signs it.
fn statement(proven: &Proven) -> String {
    let (name, number) = (proven.name(), proven.number());
    let (files, matrix) = (proven.digest(), proven.matrix_digest());
    format!("veldwacht bundle v1\nname {name}\nnumber {number}\nfiles {files}\nmatrix {matrix}\n")
}

fn broken(error: std::io::Error) -> Fault {
    tracing::error!(%error, "a draft could not be read or kept");
    Fault::Broken
}
