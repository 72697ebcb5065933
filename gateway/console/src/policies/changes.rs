//! Changes of policy on their way: who proposed what, who approved, and the buttons that this visitor may press.
//!
//! What a step needs is judged by `oversight`, again and on the record, whatever this page offered.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect};
use model::ExchangeId;
use oversight::{Act, Change, Which};
use policy::State as Stand;

use super::draft::check;
use super::shell;
use crate::fault::Fault;
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::show;
use crate::visitor::Visitor;

struct Told {
    id: String,
    title: String,
    author: String,
    at: String,
    machine: String,
    state: &'static str,
    mark: &'static str,
    widens: bool,
    rollback: bool,
    approvers: Vec<String>,
    difference: String,
    open: bool,
    untried: bool,
    own: bool,
    approved: bool,
    /// How many approvals it still needs.
    lacking: usize,
    /// It can be put in force.
    ready: bool,
}

#[derive(Template)]
#[template(path = "changes.html")]
struct List {
    shell: Shell,
    changes: Vec<Told>,
    /// The bundles that decided, the newest first; empty while there was only one.
    before: Vec<Before>,
    decides: bool,
}

struct Before {
    number: u64,
    digest: String,
    running: bool,
}

#[derive(Template)]
#[template(path = "change.html")]
struct One {
    shell: Shell,
    change: Told,
    decides: bool,
    difference: Vec<check::Change>,
    /// What would have gone otherwise, when it was asked.
    past: Option<check::Past>,
}

/// The list.
pub(super) async fn page(State(console): App, Extension(visitor): Who) -> Answer {
    let changes = console.oversight().changes(&visitor.operator).await?;
    let changes = changes.iter().map(|change| tell(change, &visitor)).collect();
    let running = console.oversight().proven().number();
    let history = console.oversight().history(&visitor.operator).await?;
    let before = history.iter().rev().map(|bundle| Before {
        number: bundle.number,
        digest: bundle.digest.to_string(),
        running: bundle.number == running,
    });
    let mut before: Vec<Before> = before.collect();
    if before.len() < 2 {
        before.clear();
    }
    let decides = visitor.may(Act::ChangePolicy);
    made(&List { changes, before, decides, shell: shell(&visitor, visitor.words().policies.changes) })
}

/// One change.
pub(super) async fn one(
    State(console): App,
    Extension(visitor): Who,
    Extension(query): Typed,
    Path(id): Path<String>,
) -> Answer {
    let id: ExchangeId = id.parse().map_err(|_| Fault::NotFound)?;
    let changes = console.oversight().changes(&visitor.operator).await?;
    let change = changes.iter().find(|change| change.id == id).ok_or(Fault::NotFound)?;
    let change = tell(change, &visitor);
    let decides = visitor.may(Act::ChangePolicy);
    // What is over has nothing to be compared with any more.
    let difference = match change.open {
        true => {
            let to = Which::Change(id);
            check::told(
                &console.oversight().difference(&visitor.operator, Which::Running, to).await?,
                &visitor,
            )
        }
        false => Vec::new(),
    };
    // As a draft: looking again is not trying it again.
    let past = match change.open && decides && query.get("past") == "yes" {
        true => {
            let (oversight, who) = (console.oversight(), &visitor.operator);
            let files = oversight.files(who, Which::Change(id)).await?;
            Some(check::past(&oversight.replay(who, Which::Draft(files)).await?, &visitor))
        }
        false => None,
    };
    made(&One { shell: shell(&visitor, change.title.clone()), change, decides, difference, past })
}

/// A step.
pub(super) async fn step(
    State(console): App,
    Extension(visitor): Who,
    Extension(form): Typed,
    Path((id, step)): Path<(String, String)>,
) -> Answer {
    let id: ExchangeId = id.parse().map_err(|_| Fault::NotFound)?;
    let (oversight, who) = (console.oversight(), &visitor.operator);
    match step.as_str() {
        "try" => {
            drop(oversight.replay(who, Which::Change(id)).await?);
            return Ok(Redirect::to(&format!("/policies/changes/{id}?past=yes")).into_response());
        }
        "approve" => {
            let difference = form.parsed::<policy::Digest>("difference").ok_or(Fault::NotFound)?;
            drop(oversight.approve(who, id, difference).await?);
        }
        "reject" => drop(oversight.reject(who, id).await?),
        "activate" => drop(oversight.activate(who, id).await?),
        _ => return Err(Fault::NotFound),
    }
    Ok(Redirect::to(&format!("/policies/changes/{id}")).into_response())
}

fn tell(change: &Change, visitor: &Visitor) -> Told {
    let t = &visitor.words().policies;
    let proposed = change.approval.proposed();
    let (state, mark) = match change.approval.state() {
        Stand::Proposed => (t.state_proposed, "mind"),
        Stand::Simulated => (t.state_simulated, "mind"),
        Stand::Approved => (t.state_approved, "pass"),
        Stand::Active => (t.state_active, "pass"),
        Stand::Rejected => (t.state_rejected, "stop"),
    };
    let approvers: Vec<String> = change.approval.approvers().map(ToString::to_string).collect();
    let me = visitor.operator.name();
    Told {
        id: change.id.to_string(),
        title: show::fill(t.change, &[&proposed.number.to_string()]),
        author: change.approval.author().to_string(),
        at: show::moment(change.at, visitor.language),
        machine: show::machine(change.at),
        state,
        mark,
        widens: proposed.widens,
        rollback: proposed.undoes.is_some(),
        difference: proposed.diff.to_string(),
        open: !matches!(change.approval.state(), Stand::Active | Stand::Rejected),
        untried: change.approval.state() == Stand::Proposed,
        own: change.approval.author() == me,
        lacking: change.approval.needed().saturating_sub(approvers.len()),
        ready: change.approval.state() == Stand::Approved,
        approved: approvers.iter().any(|approver| approver == me.as_str()),
        approvers,
    }
}
