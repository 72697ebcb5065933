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

use crate::error::CommitError;
use crate::journal::{Shared, Ticket};
use crate::views::Seen;
use crate::writer::{Flushed, Queue};

/// After so many records keys are copied and young views settled: start-up replays no more than about this.
const KEEP_EVERY: u64 = 65_536;

/// After so many ticks without a record they are too: a gateway that is idle starts at once.
const IDLE_TICKS: u32 = 8;

/// New keys are copied after so many ticks; until then each stands in every frame that uses it.
const KEY_TICKS: u64 = 4;

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
        for (index, _, Ticket { work, done, _claim, _gate }) in batch {
            work.deliveries.iter().for_each(|(party, _)| self.shared.arrivals.announce(party));
            drop(_claim); // before the answer, so that who gets it finds nothing claimed
            let _ = done.send(Ok((index, work)));
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
            let (mut seen, mut idle, mut ticks) = (0, 0, 0);
            loop {
                let wait = stopped.recv_timeout(TICK);
                let last = !matches!(wait, Err(RecvTimeoutError::Timeout));
                let size = *shared.size.borrow();
                idle = if size == seen { idle + 1 } else { 0 };
                seen = size;
                ticks += 1;
                let quiet = last || idle == IDLE_TICKS;
                keep_keys(&shared, &mut kept.0, quiet || (ticks % KEY_TICKS == 0 && shared.keys.has_fresh()));
                keep_views(&shared, &mut kept.1, quiet);
                if last {
                    shared.views.flush();
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

/// `kept`: up to which record this was done; `now`: whether there is time or need for it.
fn keep_keys(shared: &Shared, kept: &mut u64, now: bool) {
    let size = *shared.size.borrow();
    if size >= *kept + KEEP_EVERY || (now && size > *kept) {
        match shared.keys.save(size) {
            Ok(saved) => *kept = if saved { size } else { *kept },
            Err(error) => tracing::warn!(%error, "new keys stay in the journal's frames for now"),
        }
    }
}

/// As [`keep_keys`].
fn keep_views(shared: &Shared, kept: &mut u64, now: bool) {
    let size = *shared.size.borrow();
    if shared.views.is_full() || size >= *kept + KEEP_EVERY || (now && size > *kept) {
        match shared.views.settle() {
            Ok(()) => *kept = size,
            Err(error) => tracing::warn!(%error, "young views stay in memory for now"),
        }
    }
}
