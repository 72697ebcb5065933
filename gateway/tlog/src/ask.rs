//! Asking witnesses: each on its own, beside everything else, and none believed further than its key goes.
//!
//! Owns: what a gateway makes of an answer, of a wrong one and of none. A witness that hangs or lies costs nothing but its
//! cosignature, and is told of once. Only at the start can a witness say no: when it has seen more of this log.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use journal::{LogFiles, PublishedLog};
use ledger::witness::{AddCheckpoint, Heard, RequestError, hear};
use ledger::{Note, VerifierKey};
use model::Timestamp;

use crate::client::{Http, HttpError};
use crate::collected::Collected;

/// An answer is a few lines.
const LONGEST: usize = 16 << 10;

/// First and longest pause after a witness did not do what it should.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

/// A witness of this log.
#[derive(Clone)]
pub struct Witness {
    /// The key of its cosignatures.
    pub key: VerifierKey,
    /// Its address, the part before `/add-checkpoint`.
    pub url: String,
    /// How it is reached.
    pub http: Http,
}

/// Why a gateway must not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "witness {witness} {what}: this data folder is an older or another copy; restore the newest one, never publish \
     from this. If the witness is wrong, leave it out of the configuration"
)]
pub struct Forbidden {
    /// Who says so.
    pub witness: String,
    /// What.
    pub what: String,
}

/// Why a witness has not cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(
        "it says that it has seen {0} records, more than there are: it lies, or another copy of this gateway runs"
    )]
    SeenMore(u64),
    #[error("it says that it has seen another history: it lies, or another copy of this gateway runs")]
    OtherHistory,
    #[error("it refused, with status {0}")]
    Refused(u16),
    #[error("its answer is no answer, or is not signed with its key")]
    Nonsense,
    #[error("the log's own files do not prove its growth: {0}")]
    Files(#[from] RequestError),
}

impl Witness {
    /// Shows a checkpoint of `size` records; `last` is what the witness saw last, as far as is known.
    async fn show(&self, files: &LogFiles, note: &Note, size: u64, last: &mut u64) -> Result<Heard, Trouble> {
        let url = format!("{}/add-checkpoint", self.url.trim_end_matches('/'));
        for _ in 0..3 {
            let (files, note, old) = (files.clone(), note.clone(), *last);
            let shown = note.clone();
            let made = tokio::task::spawn_blocking(move || AddCheckpoint::make(&files, old, note)).await;
            let request = made.map_err(|_| Trouble::Nonsense)??;
            let answer = self.http.post(&url, request.to_string().into(), LONGEST).await?;
            match hear(answer.status().as_u16(), answer.body(), &shown, &self.key) {
                // It knows better what it has seen: prove from there.
                Heard::Seen(seen) if seen <= size && seen != *last => *last = seen,
                heard => return Ok(heard),
            }
        }
        Ok(Heard::Nonsense)
    }

    /// Asks for a cosignature, and adds it. Gives true when there is one.
    async fn ask(&self, log: &PublishedLog, collected: &Collected, last: &mut u64) -> Result<bool, Trouble> {
        let (note, size) = {
            let published = log.published();
            let published = published.borrow();
            (published.note.clone(), published.checkpoint.size)
        };
        match self.show(&log.files(), &note, size, last).await? {
            Heard::Cosignatures(lines) if !lines.is_empty() => {
                *last = size;
                collected.add(note.text(), &lines);
                let (log, text) = (log.clone(), note.text().to_owned());
                let written = tokio::task::spawn_blocking(move || log.cosign(&text, lines)).await;
                if let Ok(Err(error)) = written {
                    tracing::warn!(%error, "a cosignature could not be written beside the checkpoint");
                }
                Ok(true)
            }
            Heard::Cosignatures(_) | Heard::Nonsense => Err(Trouble::Nonsense),
            Heard::Seen(seen) if seen > size => Err(Trouble::SeenMore(seen)),
            Heard::Seen(seen) => {
                *last = seen;
                Err(Trouble::Nonsense)
            }
            Heard::Refused(422) => Err(Trouble::OtherHistory),
            Heard::Refused(status) => Err(Trouble::Refused(status)),
        }
    }
}

/// Asks all witnesses, in parallel, whether this log may go on from a checkpoint of `size` records. One that cannot be
/// reached has nothing to say.
///
/// # Errors
/// [`Forbidden`] by the first that has seen more, or another history.
pub async fn may_start(
    witnesses: &[Witness],
    files: &LogFiles,
    note: &Note,
    size: u64,
) -> Result<(), Forbidden> {
    let mut asking = tokio::task::JoinSet::new();
    for witness in witnesses.iter().cloned() {
        let (files, note) = (files.clone(), note.clone());
        asking.spawn(async move {
            let heard = witness.show(&files, &note, size, &mut { size }).await;
            (witness, heard)
        });
    }
    while let Some(asked) = asking.join_next().await {
        let Ok((witness, heard)) = asked else { continue };
        let name = witness.key.name().to_string();
        match heard {
            Ok(heard) if heard.forbids_start(size) => {
                let what = match heard {
                    Heard::Seen(seen) => format!("has seen {seen} records, here are {size}"),
                    _ => format!("has seen another history of these {size} records"),
                };
                return Err(Forbidden { witness: name, what });
            }
            Ok(_) => {}
            Err(trouble) => {
                tracing::warn!(witness = name, %trouble, "a witness cannot be asked; starting without it")
            }
        }
    }
    Ok(())
}

/// Asks one witness whenever something was published, until it is dropped.
pub async fn ask_always(witness: Witness, log: PublishedLog, collected: Arc<Collected>) {
    let name = witness.key.name().to_string();
    let mut published = log.published();
    let (mut last, mut pause, mut told) = (0, PAUSE.0, None);
    let mut done = String::new();
    collected.standings.begin(witness.key.name());
    loop {
        let text = {
            let published = published.borrow_and_update();
            collected.publish(&published.note);
            published.note.text().to_owned()
        };
        if text != done {
            match witness.ask(&log, &collected, &mut last).await {
                Ok(_) => {
                    collected.standings.cosigned(witness.key.name(), last, now());
                    (done, pause) = (text, PAUSE.0);
                    if told.take().is_some() {
                        tracing::info!(witness = name, "a witness cosigns again");
                    }
                }
                Err(trouble) => {
                    if told.as_ref() != Some(&trouble) {
                        tracing::error!(witness = name, %trouble, "a witness does not cosign");
                    }
                    collected.standings.hangs(witness.key.name(), trouble.to_string());
                    told = Some(trouble);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE.1);
                    continue;
                }
            }
        }
        if published.changed().await.is_err() {
            return;
        }
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
