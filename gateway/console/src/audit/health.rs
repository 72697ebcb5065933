//! How the log does: published how far, signed and cosigned by whom, and the whole of it checked again on demand.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use ledger::{Census, Leaf, Trust, verify_records};
use model::Timestamp;
use oversight::Act;

use super::shell;
use crate::fault::Fault;
use crate::pages::{App, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::visitor::Visitor;
use crate::{Console, show};

struct Signer {
    name: String,
    when: Option<String>,
    own: bool,
}

/// A witness that is asked: what it cosigned last, and whether it hangs.
struct Watching {
    name: String,
    cosigned: Option<String>,
    trouble: Option<String>,
}

/// What came of checking all of it.
enum Checked {
    Not,
    Right { counts: Vec<(String, String)> },
    Wrong(String),
}

#[derive(Template)]
#[template(path = "health.html")]
struct Health {
    shell: Shell,
    size: String,
    published: String,
    behind: u64,
    root: String,
    origin: String,
    key: String,
    signers: Vec<Signer>,
    cosigned: bool,
    /// When the newest published record was made, and how long ago that is.
    newest: Option<(String, String)>,
    /// How many witnesses have to cosign.
    quorum: String,
    watching: Vec<Watching>,
    note: String,
    checked: Checked,
}

/// The page.
pub(super) async fn page(State(console): App, Extension(visitor): Who) -> Answer {
    console.oversight().may(&visitor.operator, Act::LookAtMachine).await?;
    shown(&console, &visitor, Checked::Not)
}

/// The page, with all files of the log read and computed again.
pub(super) async fn check(State(console): App, Extension(visitor): Who) -> Answer {
    console.oversight().may(&visitor.operator, Act::LookAtMachine).await?;
    let (log, trust) = (console.setup.log.clone(), Trust::in_log(console.setup.verifier.clone()));
    let one_at_a_time = console.checking.lock().await;
    let checked = tokio::task::spawn_blocking(move || {
        let mut census = Census::default();
        verify_records(&log, &trust, &mut |_, leaf| census.add(&leaf)).map(|_| census)
    });
    let checked = checked.await.map_err(|_| Fault::Broken)?;
    drop(one_at_a_time);
    let checked = match checked {
        Ok(census) => Checked::Right { counts: counts(&census, &visitor) },
        Err(damaged) => Checked::Wrong(damaged.to_string()),
    };
    shown(&console, &visitor, checked)
}

fn counts(census: &Census, visitor: &Visitor) -> Vec<(String, String)> {
    let number = |count| show::number(count, visitor.language);
    let kinds = census
        .kinds
        .iter()
        .map(|(kind, count)| (crate::words::kind(*kind, visitor.language).to_owned(), number(*count)));
    kinds.chain([(visitor.words().audit.clock_back.to_owned(), number(census.clock_went_back))]).collect()
}

/// When the last record was made that is published.
fn newest(console: &Console, size: u64) -> Result<Option<Timestamp>, Fault> {
    let Some(last) = size.checked_sub(1) else { return Ok(None) };
    let bytes = console.oversight().journal().record(last)?;
    Ok(Leaf::from_bytes(&bytes).ok().map(|leaf| leaf.time))
}

fn shown(console: &Console, visitor: &Visitor, checked: Checked) -> Answer {
    let published = console.setup.published.borrow().clone();
    let size = console.oversight().journal().size();
    let verifier = &console.setup.verifier;
    let signers: Vec<Signer> = published
        .note
        .signatures
        .iter()
        .map(|line| {
            // A cosignature begins with its moment, in seconds (C2SP tlog-cosignature).
            let seconds = line.bytes.split_first_chunk().filter(|(_, rest)| rest.len() == 64);
            let seconds = seconds.and_then(|(seconds, _)| i64::try_from(u64::from_be_bytes(*seconds)).ok());
            let time = seconds.map(|seconds| Timestamp::from_unix_millis(seconds.saturating_mul(1000)));
            Signer {
                name: line.name.to_string(),
                when: time.map(|time| show::moment(time, visitor.language)),
                own: line.id == verifier.id() && line.name == *verifier.name(),
            }
        })
        .collect();
    let t = &visitor.words().audit;
    let now = console.oversight().now();
    let newest = newest(console, published.checkpoint.size)?
        .map(|time| (show::moment(time, visitor.language), show::ago(time, now, visitor.language)));
    let (quorum, witnesses) = (console.setup.witnesses)();
    let watching = witnesses.into_iter().map(|witness| Watching {
        name: witness.name,
        cosigned: witness.cosigned.map(|(size, at)| {
            let size = show::number(size, visitor.language);
            show::fill(t.witness_last, &[&size, &show::ago(at, now, visitor.language)])
        }),
        trouble: witness.trouble,
    });
    made(&Health {
        newest,
        quorum: show::fill(t.quorum, &[&quorum.to_string()]),
        watching: watching.collect(),
        size: show::number(size, visitor.language),
        published: show::number(published.checkpoint.size, visitor.language),
        behind: size.saturating_sub(published.checkpoint.size),
        root: hex::encode(published.checkpoint.root.0),
        origin: published.checkpoint.origin.to_string(),
        key: verifier.to_string(),
        cosigned: signers.iter().any(|signer| !signer.own),
        signers,
        note: published.note.to_string(),
        checked,
        shell: shell(visitor, visitor.words().audit.health),
    })
}
