//! The publisher on its own thread: at every interval, what has become durable is published.
//!
//! Owns: the interval, and telling everyone who serves the log or asks witnesses what was published.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
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
    publisher: Arc<Mutex<Publisher>>,
    published: watch::Sender<Published>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl PublisherThread {
    /// Lets a publisher publish at every `interval`: 200 ms to 1 s.
    ///
    /// # Errors
    /// When there is no thread to be had, or the first publishing fails.
    pub fn start(mut publisher: Publisher, interval: Duration) -> io::Result<PublisherThread> {
        let checkpoint = publisher.publish().map_err(|error| io::Error::other(error.to_string()))?;
        let (published, _) = watch::channel(Published { checkpoint, note: publisher.note().clone() });
        let publisher = Arc::new(Mutex::new(publisher));
        let (stop, stopped) = channel();
        let run = {
            let (publisher, published) = (Arc::clone(&publisher), published.clone());
            move || {
                loop {
                    let wait = stopped.recv_timeout(interval);
                    publish(&publisher, &published);
                    if !matches!(wait, Err(RecvTimeoutError::Timeout)) {
                        return;
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("journal-publish".into()).spawn(run)?;
        Ok(PublisherThread { publisher, published, stop: Some(stop), thread: Some(thread) })
    }

    /// What is published now, and whenever that changes.
    pub fn published(&self) -> watch::Receiver<Published> {
        self.published.subscribe()
    }

    /// Publishes at once what is durable: for who needs a proof now.
    pub fn publish_now(&self) {
        publish(&self.publisher, &self.published);
    }

    /// As [`Publisher::cosign`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn cosign(&self, text: &str, cosignatures: Vec<Signature>) -> io::Result<bool> {
        let mut publisher = self.publisher.lock().unwrap_or_else(PoisonError::into_inner);
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
        self.publisher.lock().unwrap_or_else(PoisonError::into_inner).files()
    }

    /// What others verify this log with.
    pub fn verifier(&self) -> VerifierKey {
        self.publisher.lock().unwrap_or_else(PoisonError::into_inner).verifier()
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
