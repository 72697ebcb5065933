//! What may: the matrix, trying a document or a sentence, contracts, and changes with four eyes.
//!
//! Owns: the sections and their addresses. What may pass is `policy`'s answer, what an operator may do with it is
//! `oversight`'s. Documents that are tried are typed here by who holds them already; they are kept nowhere.

mod changes;
mod contracts;
mod draft;
mod drafts;
mod lexicon;
mod matrix;
mod shadow;
mod simulate;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use oversight::Act;

pub(crate) use drafts::Drafts;

use crate::Console;
use crate::shell::Shell;
use crate::visitor::Visitor;

pub(crate) fn router() -> Router<Arc<Console>> {
    Router::new()
        .route("/policies", get(matrix::page))
        .route("/policies/simulate", get(simulate::page).post(simulate::run))
        .route("/policies/lexicon", get(lexicon::page).post(lexicon::tried))
        .route("/policies/lexicon/term", get(lexicon::page).post(lexicon::term::add))
        .route("/policies/contracts", get(contracts::page))
        .route("/policies/shadow", get(shadow::page))
        .route("/policies/drafts", get(draft::list).post(draft::begin))
        .route("/policies/drafts/{id}", get(draft::one).post(draft::save))
        .route("/policies/drafts/{id}/cells", get(draft::cell::cells))
        .route("/policies/drafts/{id}/cell", get(draft::cell::cell).post(draft::cell::change))
        .route("/policies/drafts/{id}/past", post(draft::past::past))
        .route("/policies/drafts/{id}/sign", post(draft::sign))
        .route("/policies/drafts/{id}/propose", post(draft::propose))
        .route("/policies/changes", get(changes::page))
        .route("/policies/changes/back", post(draft::back))
        .route("/policies/changes/{id}", get(changes::one))
        .route("/policies/changes/{id}/{step}", post(changes::step))
}

/// The frame of a section.
fn shell(visitor: &Visitor, title: impl Into<String>) -> Shell {
    let t = &visitor.words().policies;
    let drafts = visitor.may(Act::ChangePolicy).then_some(("/policies/drafts", t.drafts));
    let tabs = [("/policies", t.matrix), ("/policies/simulate", t.simulate)].into_iter().chain(drafts);
    Shell::new(visitor, title).with_tabs(tabs.chain([
        ("/policies/changes", t.changes),
        ("/policies/shadow", t.shadow),
        ("/policies/lexicon", t.lexicon),
        ("/policies/contracts", t.contracts),
    ]))
}
