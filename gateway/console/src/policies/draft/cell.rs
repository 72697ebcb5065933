//! A draft by its cells: the matrix that it would make, and one cell of it changed by a form.
//!
//! What is chosen becomes a rule in the draft (`rule`), beside those that people wrote; the draft's page shows it as text and
//! says what it means. A cell that a guardrail decides stays what it is, whatever is chosen: the check says so.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect};
use model::{Consent, Consents, DataClass, FieldKind, Form};
use oversight::{Act, Which};
use policy::{Files, Functie, MatrixRow, Proven};

use super::rule::{Place, Wish};
use super::{broken, files};
use crate::audit::{Choice, choices};
use crate::fault::Fault;
use crate::form::Form as Typing;
use crate::pages::{App, Typed, Who};
use crate::policies::drafts::{Draft, Saved};
use crate::policies::{matrix, shell};
use crate::shell::{Answer, Shell, page as made};
use crate::visitor::Visitor;
use crate::{Console, show, words};

/// The longest sentence of a rule.
const LONGEST: usize = 300;

#[derive(Template)]
#[template(path = "draft_cells.html")]
struct Cells {
    shell: Shell,
    id: u64,
    /// The draft does not prove itself, so it has no matrix.
    wrong: bool,
    /// The cells that were chosen in this draft: address, what they are.
    chosen: Vec<(String, String)>,
    purposes: Vec<Choice>,
    tables: Vec<matrix::Table>,
    rules: Vec<matrix::Rule>,
}

#[derive(Template)]
#[template(path = "draft_cell.html")]
struct One {
    shell: Shell,
    id: u64,
    version: u64,
    /// Someone else was first: who.
    overtaken: Option<String>,
    wrong: Option<&'static str>,
    exchange: String,
    from: String,
    to: String,
    class: &'static str,
    place: Vec<(&'static str, String)>,
    now: String,
    rule: String,
    guardrail: bool,
    /// Something was chosen for it in this draft.
    chosen: bool,
    forms: Vec<Choice>,
    beroepsgeheim: bool,
    gezondheidsgegevens: bool,
    nl: String,
    en: String,
    ground: String,
}

/// The matrix that the draft would make.
pub(in crate::policies) async fn cells(
    State(console): App,
    Extension(visitor): Who,
    Extension(query): Typed,
    Path(id): Path<u64>,
) -> Answer {
    console.oversight().may(&visitor.operator, Act::ChangePolicy).await?;
    let draft = console.drafts.get(id).map_err(broken)?.ok_or(Fault::NotFound)?;
    let files = files(&console, &visitor, &draft).await?;
    let shell = shell(&visitor, draft.title.clone());
    let chosen = draft.files.values().flat_map(|text| Place::chosen(text)).map(|place| address(id, &place));
    let chosen: Vec<_> = chosen.collect();
    let Ok(proven) = console.oversight().prove(&visitor.operator, Which::Draft(files)).await else {
        let (purposes, tables, rules) = (Vec::new(), Vec::new(), Vec::new());
        return made(&Cells { shell, id, wrong: true, chosen, purposes, tables, rules });
    };
    let running = console.oversight().proven();
    let told = matrix::told(&proven, &query, &visitor, Some(&matrix::Draft { id, running: &running }));
    let matrix::Told { purposes, tables, rules } = told;
    made(&Cells { shell, id, wrong: false, chosen, purposes, tables, rules })
}

/// The address of a cell, and what it is.
fn address(id: u64, place: &Place) -> (String, String) {
    let mut at = form_urlencoded::Serializer::new(format!("/policies/drafts/{id}/cell?"));
    at.append_pair("exchange", &place.exchange).append_pair("from", &place.from.to_string());
    at.append_pair("to", &place.to.to_string()).append_pair("class", place.class.name());
    (at.finish(), format!("{} {} → {}: {}", place.exchange, place.from, place.to, place.class.name()))
}

/// One cell.
pub(in crate::policies) async fn cell(
    State(console): App,
    Extension(visitor): Who,
    Extension(query): Typed,
    Path(id): Path<u64>,
) -> Answer {
    console.oversight().may(&visitor.operator, Act::ChangePolicy).await?;
    let draft = console.drafts.get(id).map_err(broken)?.ok_or(Fault::NotFound)?;
    made(&opened(&console, &visitor, &draft, &query).await?)
}

/// Writes what was chosen into the draft. When someone else was first nothing is written, and nothing typed is lost.
pub(in crate::policies) async fn change(
    State(console): App,
    Extension(visitor): Who,
    Extension(form): Typed,
    Path(id): Path<u64>,
) -> Answer {
    console.oversight().may(&visitor.operator, Act::ChangePolicy).await?;
    let draft = console.drafts.get(id).map_err(broken)?.ok_or(Fault::NotFound)?;
    let version = form.parsed::<u64>("version").unwrap_or_default();
    let undo = form.get("undo") == "yes";
    if !undo && [form.get("nl"), form.get("en"), form.get("ground")].iter().any(|text| text.is_empty()) {
        let mut page = opened(&console, &visitor, &draft, &form).await?;
        page.wrong = Some(visitor.words().policies.cell_incomplete);
        return made(&page);
    }
    let (place, without, row, forms) = found(&console, &visitor, &draft, &form).await?;
    if is_guarded(&row, &console.oversight().proven()) {
        return made(&opened(&console, &visitor, &draft, &form).await?);
    }
    let wish = Wish {
        form: forms.iter().copied().find(|one| one.name() == form.get("form")),
        beroepsgeheim: form.get("beroepsgeheim") == "yes",
        gezondheidsgegevens: form.get("gezondheidsgegevens") == "yes",
        nl: form.get("nl").chars().take(LONGEST).collect(),
        en: form.get("en").chars().take(LONGEST).collect(),
        ground: form.get("ground").chars().take(LONGEST).collect(),
    };
    let rules = if undo { String::new() } else { place.rules(&wish, row.form, &forms, draft.version) };
    let (file, me) = (place.file(), visitor.operator.name().clone());
    let text = format!(
        "{}{rules}",
        without.get(&file).map_or_else(String::new, |bytes| String::from_utf8_lossy(bytes).into_owned())
    );
    let saved = console.drafts.change(id, Some(version), |draft| {
        draft.files.insert(file.clone(), text);
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
            let mut page = opened(&console, &visitor, &draft, &form).await?;
            page.overtaken = Some(draft.last.to_string());
            made(&page)
        }
    }
}

/// The cell that is meant, the draft without what was chosen for it before, what holds then, and the forms that it can have.
async fn found(
    console: &Console,
    visitor: &Visitor,
    draft: &Draft,
    form: &Typing,
) -> Result<(Place, Files, MatrixRow, Vec<Form>), Fault> {
    let place = Place {
        exchange: form.get("exchange").to_owned(),
        from: form.parsed::<Functie>("from").ok_or(Fault::NotFound)?,
        to: form.parsed::<Functie>("to").ok_or(Fault::NotFound)?,
        class: form.parsed::<DataClass>("class").ok_or(Fault::NotFound)?,
    };
    let mut files = files(console, visitor, draft).await?;
    if let Some(bytes) = files.get_mut(&place.file()) {
        *bytes = place.without(&String::from_utf8_lossy(bytes)).into_bytes();
    }
    let proven = console.oversight().prove(&visitor.operator, Which::Draft(files.clone())).await?;
    let is_it = |row: &MatrixRow| {
        *row.exchange == *place.exchange
            && (&row.sender, &row.receiver, row.class) == (&place.from, &place.to, place.class)
    };
    let row = proven.matrix(None, None).into_iter().find(is_it).ok_or(Fault::NotFound)?;
    let forms = forms(&proven, &place);
    Ok((place, files, row, forms))
}

/// The forms in which the fields of the class in this document can travel, the most revealing first.
fn forms(proven: &Proven, place: &Place) -> Vec<Form> {
    let exchange = proven.exchanges().find(|exchange| *exchange.id == *place.exchange);
    let situation = proven.situations().into_iter().find(|one| {
        exchange
            .is_some_and(|exchange| (&one.message, &one.purpose) == (&exchange.message, &exchange.purpose))
    });
    let Some(mut situation) = situation else { return Vec::new() };
    situation.consents =
        Consents { beroepsgeheim: Consent::Verleend, gezondheidsgegevens: Consent::Verleend };
    let Ok(compiled) = proven.compiled(&situation) else { return Vec::new() };
    let of_class = compiled.cells.iter().filter(|cell| {
        (cell.class == Some(place.class) || cell.subject == Some(place.class))
            && cell.kind != FieldKind::Bericht
    });
    let mut forms: Vec<Form> = of_class.flat_map(|cell| cell.kind.forms().iter().copied()).collect();
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Whether a guardrail decides the cell: then nothing passes, whatever the rules say.
fn is_guarded(row: &MatrixRow, proven: &Proven) -> bool {
    proven.rules().any(|text| text.guardrail && Some(&text.name) == row.rule.as_ref())
}

async fn opened(console: &Console, visitor: &Visitor, draft: &Draft, form: &Typing) -> Result<One, Fault> {
    let (t, language) = (&visitor.words().policies, visitor.language);
    let (place, _, row, forms) = found(console, visitor, draft, form).await?;
    let proven = console.oversight().proven();
    let functie = |functie: &Functie| {
        let kind = show::kind_of_organisation(&functie.kind, &proven, language);
        format!("{kind}, {}", show::role(&functie.role, &proven, language))
    };
    let told = |form: Option<Form>| form.map_or(t.nothing, |form| words::form(form, language)).to_owned();
    let wanted = form.get("form");
    let form_of = if wanted.is_empty() { row.form.map_or("-", Form::name) } else { wanted };
    let options = forms.iter().copied().map(Some).chain([None]);
    let chosen = draft.files.get(&place.file()).is_some_and(|text| place.is_chosen(text));
    Ok(One {
        id: draft.id,
        version: draft.version,
        overtaken: None,
        wrong: None,
        place: vec![
            (t.exchange, place.exchange.clone()),
            (t.purpose, show::purpose(&row.purpose, &proven, language)),
            (t.senders, functie(&place.from)),
            (t.receivers, functie(&place.to)),
            (t.class, words::class(place.class, language).to_owned()),
        ],
        exchange: place.exchange,
        from: place.from.to_string(),
        to: place.to.to_string(),
        class: place.class.name(),
        now: told(row.form),
        rule: row.sentence.as_ref().map_or_else(String::new, |said| language.sentence(said).to_owned()),
        guardrail: is_guarded(&row, &proven),
        chosen,
        forms: choices(options, form_of, |form| (form.map_or("-", Form::name).to_owned(), told(*form))),
        beroepsgeheim: form.get("beroepsgeheim") == "yes",
        gezondheidsgegevens: form.get("gezondheidsgegevens") == "yes",
        nl: form.get("nl").to_owned(),
        en: form.get("en").to_owned(),
        ground: form.get("ground").to_owned(),
        shell: shell(visitor, t.cell),
    })
}
