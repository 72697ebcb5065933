//! Exports: every record of a period in the words of a norm, as a file, streamed from the journal.

use askama::Template;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use journal::{Criteria, Journal};
use ledger::{Format, Producer, Record};
use oversight::{Act, Look};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::days::Days;
use super::shell;
use crate::fault::Fault;
use crate::form::Form;
use crate::pages::{App, Typed, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::visitor::Visitor;

/// So many bytes are gathered before they are handed to the browser.
const CHUNK: usize = 64 << 10;
/// A reason says something.
const REASON: usize = 10;

#[derive(Template)]
#[template(path = "export.html")]
struct Page {
    shell: Shell,
    wrong: Option<&'static str>,
    formats: Vec<(&'static str, &'static str, bool)>,
    from: String,
    until: String,
    reason: String,
}

/// The question.
pub(super) async fn page(State(console): App, Extension(visitor): Who) -> Answer {
    console.oversight().may(&visitor.operator, Act::Export).await?;
    shown(&visitor, &Form::default(), None)
}

fn shown(visitor: &Visitor, form: &Form, wrong: Option<&'static str>) -> Answer {
    let t = &visitor.words().audit;
    let told = |format: &Format| match format {
        Format::Fsc => t.export_fsc,
        Format::Ldv => t.export_ldv,
        Format::Adl => t.export_adl,
        Format::Nen7513 => t.export_nen7513,
        Format::Csv => t.export_csv,
    };
    let chosen = form.parsed::<Format>("format").unwrap_or(Format::Csv);
    made(&Page {
        formats: Format::ALL.iter().map(|format| (format.name(), told(format), *format == chosen)).collect(),
        wrong,
        from: form.get("from").to_owned(),
        until: form.get("until").to_owned(),
        reason: form.get("reason").to_owned(),
        shell: shell(visitor, t.exports),
    })
}

/// The file. It is recorded with how many records it will hold, before the first byte.
pub(super) async fn export(State(console): App, Extension(visitor): Who, Extension(form): Typed) -> Answer {
    let (reason, format) = (form.get("reason"), form.parsed::<Format>("format").ok_or(Fault::NotFound)?);
    if reason.chars().count() < REASON {
        return shown(&visitor, &form, Some(visitor.words().inzage.reason_short));
    }
    let look = match format {
        Format::Fsc => Look::ExportFsc,
        Format::Ldv => Look::ExportLdv,
        Format::Adl => Look::ExportAdl,
        Format::Nen7513 => Look::ExportNen7513,
        Format::Csv => Look::ExportCsv,
    };
    let (days, mut criteria) = (Days::of(&form), Criteria::default());
    days.narrow(&mut criteria);
    let journal = Arc::clone(console.oversight().journal());
    let found = days.trim(&journal, journal.search(&criteria, None, usize::MAX)?)?;
    console.oversight().look(&visitor.operator, look, found.len() as u64, None, Some(reason)).await?;
    let producer = console.setup.producer.clone();
    let (send, receive) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || write(&journal, &found, format, &producer, &send));
    let name = format!(
        "attachment; filename=\"veldwacht-{}.{}\"",
        format.name(),
        if format == Format::Csv { "csv" } else { "jsonl" }
    );
    let head =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    let file: Response = (head, Body::from_stream(ReceiverStream::new(receive))).into_response();
    Ok(file)
}

/// Writes line by line. Whoever goes away ends it; a record that cannot be read breaks the file off, rather than that it
/// seems complete.
fn write(
    journal: &Journal,
    found: &[u64],
    format: Format,
    producer: &Producer,
    send: &mpsc::Sender<std::io::Result<Bytes>>,
) {
    let mut chunk = format.header().map_or_else(String::new, |header| format!("{header}\n"));
    for index in found {
        let read = match journal.open_record(*index) {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(%error, "an export broke off");
                let _ = send.blocking_send(Err(std::io::Error::other("a record cannot be read")));
                return;
            }
        };
        let sealed = read.sealed.filter(|_| format.shows_users());
        for line in format.lines(&Record { index: *index, leaf: read.leaf, sealed }, producer) {
            chunk.push_str(&line);
            chunk.push('\n');
        }
        if chunk.len() >= CHUNK && send.blocking_send(Ok(std::mem::take(&mut chunk).into())).is_err() {
            return;
        }
    }
    let _ = send.blocking_send(Ok(chunk.into()));
}
