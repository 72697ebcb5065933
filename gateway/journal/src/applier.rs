//! After the flush: views first, then whoever waited; and the housekeeping that nobody waits for.
//!
//! Owns: two threads. The applier takes flushed batches in order, while the next flush is under way. The keeper
//! copies new keys to the ring's file and moves young views into sled. Neither can lose a record: what they
//! did not get to is replayed at the next start.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::commit::Recorded;
use crate::error::CommitError;
use crate::journal::{Shared, Ticket};
use crate::views::Seen;
use crate::writer::{Flushed, Queue};

/// Keys in frames since the last copy are replayed at start-up; this bounds how many records that is.
const KEEP_EVERY: u64 = 4096;

/// How often the keeper looks.
const TICK: Duration = Duration::from_millis(250);

pub(crate) struct Applier {
    shared: Arc<Shared>,
    queue: Arc<Queue<Ticket>>,
    batches: Receiver<Flushed<Ticket>>,
}

impl Applier {
    pub(crate) fn new(
        shared: Arc<Shared>,
        queue: Arc<Queue<Ticket>>,
        batches: Receiver<Flushed<Ticket>>,
    ) -> Applier {
        Applier { shared, queue, batches }
    }

    /// Runs until the writer is gone.
    pub(crate) fn run(self) {
        while let Ok(batch) = self.batches.recv() {
            if let Err(error) = self.apply(batch) {
                tracing::error!(%error, "the views cannot be changed: nothing is recorded until a new start");
                self.queue.close(CommitError::Unavailable);
            }
        }
    }

    fn apply(&self, batch: Flushed<Ticket>) -> io::Result<()> {
        let Some(size) = batch.last().map(|(index, _, _)| index + 1) else { return Ok(()) };
        let seen: Vec<Seen<'_>> = batch
            .iter()
            .map(|(index, place, ticket)| Seen {
                index: *index,
                place: *place,
                leaf: &ticket.work.leaf,
                ties: ticket.work.ties,
                documents: &ticket.work.documents,
                hash: ticket.work.hash,
            })
            .collect();
        self.shared.views.apply(&seen)?;
        drop(seen);
        self.shared.size.send_replace(size);
        for (index, _, mut ticket) in batch {
            let recorded = Recorded::new(index, &mut ticket.work);
            let receivers = recorded.deliveries().iter().map(|(party, _)| party);
            receivers.for_each(|party| self.shared.arrivals.announce(party));
            let Ticket { done, _claim, _gate, .. } = ticket;
            drop(_claim); // before the answer, so that who gets it finds nothing claimed
            let _ = done.send(Ok(recorded));
        }
        // Readers still see everything, but memory is bounded: who commits waits for sled here.
        if self.shared.views.is_overfull() { self.shared.views.settle() } else { Ok(()) }
    }
}

/// The housekeeper.
pub(crate) struct Keeper {
    stop: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Keeper {
    pub(crate) fn start(shared: Arc<Shared>) -> io::Result<Keeper> {
        let (stop, stopped) = channel();
        let run = move || {
            let mut kept = (0, shared.views.next());
            loop {
                let wait = stopped.recv_timeout(TICK);
                let last = !matches!(wait, Err(RecvTimeoutError::Timeout));
                keep(&shared, &mut kept, last);
                if last {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("journal-keeper".into()).spawn(run)?;
        Ok(Keeper { stop: Mutex::new(Some(stop)), thread: Mutex::new(Some(thread)) })
    }

    /// Keeps house once more, and stops.
    pub(crate) fn stop(&self) {
        drop(self.stop.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// `kept`: up to which record keys and views were copied.
fn keep(shared: &Shared, kept: &mut (u64, u64), last: bool) {
    let size = *shared.size.borrow();
    if shared.keys.has_fresh() || size >= kept.0 + KEEP_EVERY || (last && size > kept.0) {
        match shared.keys.save(size) {
            Ok(saved) => kept.0 = if saved { size } else { kept.0 },
            Err(error) => tracing::warn!(%error, "new keys stay in the journal's frames for now"),
        }
    }
    if shared.views.is_full() || size >= kept.1 + KEEP_EVERY || (last && size > kept.1) {
        match shared.views.settle() {
            Ok(()) => kept.1 = size,
            Err(error) => tracing::warn!(%error, "young views stay in memory for now"),
        }
    }
    if last {
        shared.views.flush();
    }
}
