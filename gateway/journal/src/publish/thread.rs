//! The publisher on its own thread: at every interval, what has become durable is published.
//!
//! Owns: the interval, and telling everyone who serves the log or asks witnesses what was published.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ledger::{Checkpoint, Note, Signature, VerifierKey};
use tokio::sync::watch;

use super::{LogFiles, Publisher};

/// What is published now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// How large, with which root.
    pub checkpoint: Checkpoint,
    /// The same, signed, with the cosignatures it has got.
    pub note: Note,
}

/// A publisher that runs. Stops, after publishing once more, when dropped.
pub struct PublisherThread {
    log: PublishedLog,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The log as it is published, for whoever serves it or asks witnesses about it. Keeps the journal open.
#[derive(Clone)]
pub struct PublishedLog {
    publisher: Arc<Mutex<Publisher>>,
    published: watch::Sender<Published>,
    files: LogFiles,
}

impl PublisherThread {
    /// Lets a publisher publish at every `interval`: 200 ms to 1 s.
    ///
    /// # Errors
    /// When there is no thread to be had, or the first publishing fails.
    pub fn start(mut publisher: Publisher, interval: Duration) -> io::Result<PublisherThread> {
        let checkpoint = publisher.publish().map_err(|error| io::Error::other(error.to_string()))?;
        let (published, _) = watch::channel(Published { checkpoint, note: publisher.note().clone() });
        let files = publisher.files();
        let log = PublishedLog { publisher: Arc::new(Mutex::new(publisher)), published, files };
        let (stop, stopped) = channel();
        let run = {
            let log = log.clone();
            move || {
                loop {
                    let wait = stopped.recv_timeout(interval);
                    publish(&log.publisher, &log.published);
                    if !matches!(wait, Err(RecvTimeoutError::Timeout)) {
                        return;
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("journal-publish".into()).spawn(run)?;
        Ok(PublisherThread { log, stop: Some(stop), thread: Some(thread) })
    }

    /// The log, for others to hold.
    pub fn log(&self) -> PublishedLog {
        self.log.clone()
    }

    /// As [`PublishedLog::published`].
    pub fn published(&self) -> watch::Receiver<Published> {
        self.log.published()
    }

    /// Publishes at once what is durable: for who needs a proof now.
    pub fn publish_now(&self) {
        publish(&self.log.publisher, &self.log.published);
    }

    /// As [`PublishedLog::cosign`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn cosign(&self, text: &str, cosignatures: Vec<Signature>) -> io::Result<bool> {
        self.log.cosign(text, cosignatures)
    }

    /// The files of the log.
    pub fn files(&self) -> LogFiles {
        self.log.files()
    }

    /// What others verify this log with.
    pub fn verifier(&self) -> VerifierKey {
        self.log.lock().verifier()
    }
}

impl PublishedLog {
    /// What is published now, and whenever that changes.
    pub fn published(&self) -> watch::Receiver<Published> {
        self.published.subscribe()
    }

    /// As [`Publisher::cosign`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn cosign(&self, text: &str, cosignatures: Vec<Signature>) -> io::Result<bool> {
        let mut publisher = self.lock();
        let fits = publisher.cosign(text, cosignatures)?;
        let note = publisher.note().clone();
        self.published.send_if_modified(|published| {
            let changed = fits && published.note != note;
            published.note = note;
            changed
        });
        Ok(fits)
    }

    /// The files of the log.
    pub fn files(&self) -> LogFiles {
        self.files.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Publisher> {
        self.publisher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn publish(publisher: &Mutex<Publisher>, published: &watch::Sender<Published>) {
    let mut publisher = publisher.lock().unwrap_or_else(PoisonError::into_inner);
    match publisher.publish() {
        Ok(checkpoint) => {
            let note = publisher.note().clone();
            let new = Published { checkpoint, note };
            published.send_if_modified(|old| {
                let changed = *old != new;
                *old = new;
                changed
            });
        }
        Err(error) => tracing::error!(%error, "nothing was published this time"),
    }
}

impl Drop for PublisherThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
