//! Working on a draft: its files as text, what is wrong with it, what it would change, and proposing it.
//!
//! A draft decides nothing. Signing happens in the officer's browser, with a key that never comes here; proposing it is
//! `oversight`'s, which reads, proves and records it. Next: `check` says what a draft is worth, `cell` changes it by the matrix.

pub(super) mod cell;
pub(super) mod check;
pub(super) mod past;
mod rule;

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect};
use model::Name;
use oversight::{Act, Which};
use policy::{Digest, Files, Proven, SIGNATURES};

use self::check::{Changed, Meaning, Wrong};
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
    /// Someone else changed the draft while this visitor signed it.
    unsigned: bool,
    /// It goes back to what held before.
    back: bool,
    checked: bool,
    problems: Vec<Wrong>,
    meaning: Option<Meaning>,
    /// It changes the words that texts are screened for.
    words: bool,
    /// The lines that differ from the bundle it changes.
    lines: Vec<Changed>,
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

/// Begins a draft of the rules in force.
pub(super) async fn begin(State(console): App, Extension(visitor): Who, Extension(form): Typed) -> Answer {
    let running = console.oversight().proven().digest();
    let id = new(&console, &visitor, form.get("title"), running, false).await?;
    Ok(Redirect::to(&format!("/policies/drafts/{id}")).into_response())
}

/// Begins a draft that goes back to a bundle that decided before: its content, to be signed and published again.
pub(super) async fn back(State(console): App, Extension(visitor): Who, Extension(form): Typed) -> Answer {
    let digest: Digest = form.parsed("digest").ok_or(Fault::NotFound)?;
    let before = console.oversight().history(&visitor.operator).await?;
    let before = before.iter().find(|bundle| bundle.digest.0 == digest.0).ok_or(Fault::NotFound)?;
    let title = show::fill(visitor.words().policies.back_title, &[&before.number.to_string()]);
    let id = new(&console, &visitor, &title, digest, true).await?;
    Ok(Redirect::to(&format!("/policies/drafts/{id}?check=yes")).into_response())
}

/// A new draft of a bundle, under the next number; gives its name.
pub(super) async fn new(
    console: &Console,
    visitor: &Visitor,
    title: &str,
    base: Digest,
    back: bool,
) -> Result<u64, Fault> {
    let oversight = console.oversight();
    oversight.may(&visitor.operator, Act::ChangePolicy).await?;
    let files = oversight.files(&visitor.operator, Which::Shelved(base)).await?;
    let header =
        files.get("bundle.toml").and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or(Fault::Broken)?;
    let header = renumbered(header, oversight.proven().number() + 1);
    let at = oversight.now();
    let title: String = title.chars().filter(|character| !character.is_control()).take(TITLE).collect();
    let draft = Draft {
        id: u64::try_from(at.unix_millis()).unwrap_or_default(),
        title: if title.is_empty() { show::moment(at, visitor.language) } else { title },
        by: visitor.operator.name().clone(),
        at,
        base,
        back,
        version: 1,
        last: visitor.operator.name().clone(),
        files: [("bundle.toml".to_owned(), header)].into(),
        signatures: BTreeMap::new(),
    };
    console.drafts.begin(&draft).map_err(broken)?;
    Ok(draft.id)
}

/// The head of a bundle under another number.
fn renumbered(header: &str, number: u64) -> String {
    let is_number = |line: &str| line.split('=').next().is_some_and(|key| key.trim() == "number");
    let lines = header
        .lines()
        .map(|line| if is_number(line) { format!("number = {number}") } else { line.to_owned() });
    lines.map(|line| line + "\n").collect()
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
        check::check(&console, &visitor, &draft, &mut page).await?;
    }
    page.unsigned = query.get("unsigned") == "yes";
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
    let saved = console.drafts.change(id, Some(version), |draft| {
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
    let version = form.parsed::<u64>("version").filter(|_| well_formed).ok_or(Fault::NotFound)?;
    let saved = console.drafts.change(id, Some(version), |draft| {
        draft.signatures.insert(key, signature);
    });
    // What was signed is not what the draft is by now: it is shown as it is, to be signed again.
    let unsigned = match saved.map_err(broken)? {
        Saved::Kept => "",
        Saved::Gone => return Err(Fault::NotFound),
        Saved::Overtaken(_) => "&unsigned=yes",
    };
    Ok(Redirect::to(&format!("/policies/drafts/{id}?check=yes{unsigned}#outcome")).into_response())
}

/// Proposes the draft with its signatures; it is over then.
pub(super) async fn propose(State(console): App, Extension(visitor): Who, Path(id): Path<u64>) -> Answer {
    let draft = console.drafts.get(id).map_err(broken)?.ok_or(Fault::NotFound)?;
    let mut files = files(&console, &visitor, &draft).await?;
    let proven = console.oversight().prove(&visitor.operator, Which::Draft(files.clone())).await?;
    let signed = signatures(&files, &proven, &draft)?;
    files.insert(SIGNATURES.to_owned(), signed.into_bytes());
    let change = match draft.back {
        true => console.oversight().rollback(&visitor.operator, files).await?,
        false => console.oversight().propose(&visitor.operator, files).await?,
    };
    console.drafts.end(id).map_err(broken)?;
    Ok(Redirect::to(&format!("/policies/changes/{}", change.id)).into_response())
}

/// The files of a draft: those of the bundle that it changes, with what differs.
pub(super) async fn files(console: &Console, visitor: &Visitor, draft: &Draft) -> Result<Files, Fault> {
    let mut files = console.oversight().files(&visitor.operator, Which::Shelved(draft.base)).await?;
    for (name, text) in &draft.files {
        files.insert(name.clone(), text.clone().into_bytes());
    }
    Ok(files)
}

/// The files of the draft of this number.
pub(super) async fn files_of(console: &Console, visitor: &Visitor, id: u64) -> Result<Files, Fault> {
    console.oversight().may(&visitor.operator, Act::ChangePolicy).await?;
    let draft = console.drafts.get(id).map_err(broken)?.ok_or(Fault::NotFound)?;
    files(console, visitor, &draft).await
}

/// What is in force and every draft, to choose from; nothing where there is no choice.
pub(super) fn choose(
    console: &Console,
    visitor: &Visitor,
    first: &str,
    chosen: &str,
) -> Result<Vec<Choice>, Fault> {
    let decides = visitor.may(Act::ChangePolicy);
    let drafts = if decides { console.drafts.all().map_err(broken)? } else { Vec::new() };
    let first = (!drafts.is_empty()).then(|| (String::new(), first.to_owned()));
    let drafts = drafts.into_iter().map(|draft| (draft.id.to_string(), draft.title));
    Ok(choices(first.into_iter().chain(drafts), chosen, Clone::clone))
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

/// Whether it changes the words that texts are screened for.
fn changes_words(draft: &Draft) -> bool {
    draft.files.keys().any(|name| name.starts_with("lexicon/"))
}

/// Guardrails and signatures are others' to change.
fn is_read_only(file: &str) -> bool {
    file.starts_with("guardrails/") || file == SIGNATURES
}

async fn opened(console: &Console, visitor: &Visitor, draft: &Draft, wanted: &str) -> Result<Page, Fault> {
    let files = files(console, visitor, draft).await?;
    // What was asked for, or else what the draft is about.
    let about = draft.files.keys().map(String::as_str).find(|name| *name != "bundle.toml");
    let name = if files.contains_key(wanted) { wanted } else { about.unwrap_or("rules/gemeente.cedar") };
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
        unsigned: false,
        back: draft.back,
        checked: false,
        problems: Vec::new(),
        meaning: None,
        words: draft.back || changes_words(draft),
        lines: Vec::new(),
        signatures: draft.signatures.keys().map(ToString::to_string).collect(),
        shell: shell(visitor, draft.title.clone()),
    })
}

pub(super) fn broken(error: std::io::Error) -> Fault {
    tracing::error!(%error, "a draft could not be read or kept");
    Fault::Broken
}
