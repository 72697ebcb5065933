//! The log for auditors: search, a record with its proof, samples, reports, exports, health.
//!
//! Owns: the sections and their addresses. What is shown of records is their public part, which holds no person and which
//! anyone may have; whatever opens a sealed part is an act with a reason, asked of `oversight`, and recorded.

mod days;
mod escapes;
mod export;
mod health;
mod person;
mod proof;
mod record;
mod report;
mod sample;
mod search;
mod tell;
mod worklist;

pub(crate) use search::{Choice, choices};
pub(crate) use tell::{consent, mark, party};
pub(crate) use worklist::WorkLists;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use oversight::Act;

use crate::Console;
use crate::shell::Shell;
use crate::visitor::Visitor;

pub(crate) fn router() -> Router<Arc<Console>> {
    Router::new()
        .route("/audit", get(search::page))
        .route("/audit/person", get(person::page).post(person::search))
        .route("/audit/record/{index}", get(record::page))
        .route("/audit/record/{index}/proof", get(proof::receipt))
        .route("/audit/record/{index}/entry", get(proof::entry))
        .route("/audit/key", get(proof::key))
        .route("/audit/sample", get(sample::page).post(sample::draw))
        .route("/audit/sample/{id}", get(sample::one))
        .route("/audit/sample/{id}/{index}", post(sample::note))
        .route("/audit/reports", get(report::page).post(report::report))
        .route("/audit/escapes", get(escapes::page))
        .route("/audit/export", get(export::page).post(export::export))
        .route("/audit/health", get(health::page).post(health::check))
}

/// The frame of a section.
fn shell(visitor: &Visitor, title: impl Into<String>) -> Shell {
    let t = &visitor.words().audit;
    let tabs = [
        ("/audit", Act::Search, t.search),
        ("/audit/person", Act::Search, t.by_client_open),
        ("/audit/sample", Act::Export, t.samples),
        ("/audit/reports", Act::Search, t.reports),
        ("/audit/escapes", Act::Search, t.escapes),
        ("/audit/export", Act::Export, t.exports),
        ("/audit/health", Act::LookAtMachine, t.health),
    ];
    let tabs = tabs.into_iter().filter(|(_, act, _)| visitor.may(*act));
    Shell::new(visitor, title).with_tabs(tabs.map(|(href, _, label)| (href, label)))
}
