//! Texts that were held back: the queue, one of them opened with what was found marked in it, and what an officer decides.
//!
//! Owns: the pages and the grounds that they offer. Who may decide what after whom is `oversight`'s, checked and recorded
//! there. Opening a text is an act, so it is a form and not a link; nothing of a text stands in an address.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::{get, post};
use axum::{Extension, Router};
use ledger::{DeliveryId, Label};
use model::ClassSet;
use oversight::{Act, Held, HeldText, State as HeldState, is_releasable};
use policy::Proven;

use crate::Console;
use crate::audit::{Choice, choices};
use crate::fault::Fault;
use crate::marked::{Part, marked};
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made, sentence};
use crate::visitor::Visitor;
use crate::{show, words};

pub(crate) fn router() -> Router<Arc<Console>> {
    Router::new()
        .route("/held", get(queue))
        // Going back to a text, or to the other language, is not opening it again.
        .route("/held/{delivery}", get(|| async { Redirect::to("/held") }).post(open))
        .route("/held/{delivery}/{step}", post(decide))
}

/// How long a page waits for the first look through a long log; then it says that this is still going on.
const PATIENCE: Duration = Duration::from_millis(100);

/// Why a text is released or stays held, as the log has it.
const GROUNDS: [(&str, &[&str]); 2] = [
    ("release", &["vals-alarm", "nodig-voor-het-doel", "client-wil-dit"]),
    ("refuse", &["bijzonder-gegeven", "afzender-herschrijft", "niet-nodig"]),
];

/// One held delivery as a row.
struct Row {
    id: String,
    from: String,
    to: String,
    purpose: String,
    sent: String,
    machine: String,
    expires: String,
    places: Vec<String>,
    state: String,
    mark: &'static str,
    /// Nothing is to be decided any more.
    over: bool,
}

#[derive(Template)]
#[template(path = "held.html")]
struct Queue {
    shell: Shell,
    said: Option<&'static str>,
    /// The log was looked through: else there may be more.
    known: bool,
    open: Vec<Row>,
    over: Vec<Row>,
}

/// A text as it was sent, with what was found in it.
struct Text {
    field: String,
    parts: Vec<Part>,
    found: Vec<(String, &'static str, String)>,
    unscreenable: Option<String>,
}

#[derive(Template)]
#[template(path = "held_text.html")]
struct Opened {
    shell: Shell,
    row: Row,
    texts: Vec<Text>,
    /// Who proposed it, and why, if someone did.
    proposed: Option<(String, String)>,
    own: bool,
    releasable: bool,
    release_grounds: Vec<Choice>,
    refuse_grounds: Vec<Choice>,
}

/// What waits for an officer.
async fn queue(State(console): App, Extension(visitor): Who, Extension(query): Typed) -> Answer {
    console.oversight().may(&visitor.operator, Act::ReleaseText).await?;
    let known = is_known(&console).await?;
    let held = if known { console.oversight().held(&visitor.operator).await? } else { Vec::new() };
    let proven = console.oversight().proven();
    let rows = held.iter().map(|held| row(held, &proven, &visitor));
    let (over, open) = rows.partition(|row| row.over);
    let t = &visitor.words().held;
    let said = match query.get("said") {
        "proposed" => Some(t.said_proposed),
        "released" => Some(t.said_released),
        "refused" => Some(t.said_refused),
        _ => None,
    };
    made(&Queue { said, known, open, over, shell: Shell::new(&visitor, t.title) })
}

/// One of them, opened: it stands in the log before it is shown.
async fn open(State(console): App, Extension(visitor): Who, Path(id): Path<String>) -> Answer {
    let delivery: DeliveryId = id.parse().map_err(|_| Fault::NotFound)?;
    let (held, texts) = console.oversight().open_held(&visitor.operator, delivery).await?;
    let proven = console.oversight().proven();
    let classes: ClassSet = held.places.iter().filter_map(|place| place.class).collect();
    let releasable = is_releasable(&proven, &held.waiting.to, held.waiting.terms.spoed, classes);
    let (proposed, own) = match &held.state {
        HeldState::Proposed { by, ground } => {
            let own = by.as_deref() == Some(visitor.operator.name().as_str());
            let by = by.clone().unwrap_or_else(|| visitor.words().shell.unknown.to_owned());
            (Some((by, words::release_ground(ground.as_str(), visitor.language))), own)
        }
        _ => (None, false),
    };
    let [release_grounds, refuse_grounds] = GROUNDS.map(|(_, grounds)| {
        choices(grounds, "", |ground| {
            ((*ground).to_string(), words::release_ground(ground, visitor.language))
        })
    });
    made(&Opened {
        row: row(&held, &proven, &visitor),
        texts: texts.iter().map(|text| told(text, &visitor)).collect(),
        proposed,
        own,
        releasable,
        release_grounds,
        refuse_grounds,
        shell: Shell::new(&visitor, visitor.words().held.one),
    })
}

/// Releases, or keeps held.
async fn decide(
    State(console): App,
    Extension(visitor): Who,
    Extension(form): Typed,
    Path((id, step)): Path<(String, String)>,
) -> Answer {
    let delivery: DeliveryId = id.parse().map_err(|_| Fault::NotFound)?;
    let (_, grounds) = GROUNDS.iter().find(|(known, _)| *known == step).ok_or(Fault::NotFound)?;
    let ground = form.get("ground");
    let ground: Label = match grounds.contains(&ground) {
        true => ground.parse().map_err(|_| Fault::NotFound)?,
        false => return Err(Fault::NotFound),
    };
    let (oversight, who) = (console.oversight(), &visitor.operator);
    let state = match step.as_str() {
        "release" => oversight.release(who, delivery, ground).await?,
        _ => oversight.refuse_release(who, delivery, ground).await?,
    };
    Ok(Redirect::to(&format!("/held?said={}", state.name())).into_response())
}

/// Whether the log was looked through for what is held: after a start that takes a while on a long log.
async fn is_known(console: &Console) -> Result<bool, Fault> {
    let oversight = Arc::clone(console.oversight());
    let looking = tokio::task::spawn_blocking(move || oversight.find_held());
    match tokio::time::timeout(PATIENCE, looking).await {
        Ok(looked) => Ok(looked.map_err(|_| Fault::Broken)?.map(|()| true)?),
        Err(_) => Ok(false),
    }
}

/// How many wait for this officer to decide; none while that is not known.
pub(crate) async fn waiting(console: &Console, visitor: &Visitor) -> Result<Option<usize>, Fault> {
    if !visitor.may(Act::ReleaseText) {
        return Ok(Some(0));
    }
    if !is_known(console).await? {
        return Ok(None);
    }
    let me = visitor.operator.name().as_str();
    let held = console.oversight().held(&visitor.operator).await?;
    let mine = |held: &&Held| match &held.state {
        HeldState::Waiting => true,
        HeldState::Proposed { by, .. } => by.as_deref() != Some(me),
        _ => false,
    };
    Ok(Some(held.iter().filter(mine).count()))
}

fn row(held: &Held, proven: &Proven, visitor: &Visitor) -> Row {
    let (t, language) = (&visitor.words().held, visitor.language);
    let waiting = &held.waiting;
    let party = |party: &ledger::Party| crate::audit::party(party, proven, visitor);
    let class = |class: Option<model::DataClass>| {
        class.map_or(visitor.words().shell.unknown, |class| words::class(class, language))
    };
    let (state, mark, over) = match &held.state {
        HeldState::Waiting => (t.state_waiting.to_owned(), "mind", false),
        HeldState::Proposed { by, .. } => {
            let by = by.as_deref().unwrap_or(visitor.words().shell.unknown);
            (show::fill(t.state_proposed, &[by]), "mind", false)
        }
        HeldState::Released => (t.state_released.to_owned(), "pass", true),
        HeldState::Refused => (t.state_refused.to_owned(), "stop", true),
    };
    Row {
        id: waiting.delivery.to_string(),
        from: waiting.from.as_ref().map_or_else(String::new, party),
        to: party(&waiting.to),
        purpose: waiting
            .terms
            .purpose
            .as_ref()
            .map_or_else(String::new, |purpose| show::purpose(purpose, proven, language)),
        sent: show::moment(waiting.sent, language),
        machine: show::machine(waiting.sent),
        expires: show::date(waiting.expires, language),
        places: held
            .places
            .iter()
            .map(|place| format!("{}: {}", show::plain(&place.field.to_string()), class(place.class)))
            .collect(),
        state,
        mark,
        over,
    }
}

fn told(text: &HeldText, visitor: &Visitor) -> Text {
    let language = visitor.language;
    let found = text.findings().iter().map(|finding| {
        let words_of = text.text.get(finding.start..finding.end).unwrap_or_default();
        (words_of.to_owned(), words::class(finding.class, language), finding.rule.to_string())
    });
    Text {
        field: show::plain(&text.field),
        parts: marked(&text.text, text.findings()),
        found: found.collect(),
        unscreenable: text.screened.unscreenable.map(|why| {
            let (nl, en) = why.advice();
            sentence(language.pick(nl, en))
        }),
    }
}
