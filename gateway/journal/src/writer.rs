//! The one thread that writes: it drains the queue, writes once, flushes once, and hands the batch on.
//!
//! Owns: group commit without a timer – the flush in flight forms the next batch, and those whom it answers may
//! still join –, the bounded queue, and the rule that a failed flush is the end: after a failed fsync the kernel may call lost pages clean, so
//! nothing is retried, everyone who waits is told, and the process must start again.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::DiskFile;
use crate::error::CommitError;
use crate::frame::Payload;
use crate::segment::START;
use crate::segments::{Place, Segments, Tail};

/// At most so many commits wait.
pub(crate) const QUEUE_COMMITS: usize = 1024;
/// Nothing more is admitted while so many bytes wait.
pub(crate) const QUEUE_BYTES: usize = 1 << 20;

/// Whoever waits for a frame to be durable.
pub(crate) trait Waits: Send + 'static {
    /// It will not be.
    fn refuse(self, why: CommitError);
    /// It is; `spent` is what was written, for whoever made it to let go of: the writer has no time for that.
    fn keep(&mut self, spent: Payload);
}

/// Frames that are durable, with whoever waits for them.
pub(crate) type Flushed<T> = Vec<(u64, Place, T)>;

struct Waiting<T> {
    tickets: VecDeque<(Payload, T)>,
    bytes: usize,
    closed: Option<CommitError>,
    /// The writer sleeps until so many wait: pushing wakes it once, not at every commit.
    wanted: usize,
}

impl<T> Waiting<T> {
    fn is_full(&self) -> bool {
        self.tickets.len() >= QUEUE_COMMITS || self.bytes >= QUEUE_BYTES
    }

    fn is_enough(&self) -> bool {
        self.tickets.len() >= self.wanted || self.is_full() || self.closed.is_some()
    }
}

/// The bounded queue before the writer.
pub(crate) struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    filled: Condvar,
    largest: usize,
}

impl<T: Waits> Queue<T> {
    pub(crate) fn new(segment_size: u64) -> Queue<T> {
        let largest = usize::try_from(segment_size.saturating_sub(START)).unwrap_or(usize::MAX);
        let waiting = Waiting { tickets: VecDeque::new(), bytes: 0, closed: None, wanted: 1 };
        Queue { waiting: Mutex::new(waiting), filled: Condvar::new(), largest }
    }

    /// Whether there is room, for who would rather know before sealing anything.
    pub(crate) fn has_room(&self) -> bool {
        let waiting = self.lock();
        waiting.closed.is_some() || !waiting.is_full()
    }

    /// Lets a frame wait for the next batch.
    pub(crate) fn push(&self, payload: Payload, ticket: T) {
        let refusal = {
            let mut waiting = self.lock();
            match waiting.closed.clone() {
                Some(why) => Some((ticket, why)),
                None if payload.frame_len() > self.largest => Some((ticket, CommitError::TooLarge)),
                None if waiting.is_full() => Some((ticket, CommitError::Busy)),
                None => {
                    waiting.bytes += payload.frame_len();
                    waiting.tickets.push_back((payload, ticket));
                    if waiting.is_enough() {
                        self.filled.notify_one();
                    }
                    None
                }
            }
        };
        if let Some((ticket, why)) = refusal {
            ticket.refuse(why);
        }
    }

    /// Admits nothing any more.
    pub(crate) fn close(&self, why: CommitError) {
        self.lock().closed.get_or_insert(why);
        self.filled.notify_one();
    }

    /// Everything that waits; blocks while nothing does. `None` when closed and empty.
    fn drain(&self, last: &Last) -> Option<Vec<(Payload, T)>> {
        let mut waiting = self.lock();
        while waiting.tickets.is_empty() {
            if waiting.closed.is_some() {
                return None;
            }
            waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting = self.gather(waiting, last);
        let mut batch = Vec::with_capacity(waiting.tickets.len());
        let mut bytes = 0;
        // One batch goes into one segment; what does not fit beside the first ones goes into the next batch.
        while let Some((payload, _)) = waiting.tickets.front() {
            if bytes + payload.frame_len() > self.largest {
                break;
            }
            bytes += payload.frame_len();
            batch.extend(waiting.tickets.pop_front());
        }
        waiting.bytes -= bytes;
        Some(batch)
    }

    /// Those whom the last flush answered are on their way back. Without them the first one alone would be
    /// flushed, and everyone else would wait for two flushes: give them up to half a flush to come.
    fn gather<'w>(&self, mut waiting: MutexGuard<'w, Waiting<T>>, last: &Last) -> MutexGuard<'w, Waiting<T>> {
        waiting.wanted = last.commits / 4 * 3;
        let begun = Instant::now();
        while !waiting.is_enough()
            && let Some(left) = (last.flush / 2).checked_sub(begun.elapsed())
        {
            let waited = self.filled.wait_timeout(waiting, left);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        waiting.wanted = 1;
        waiting
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the last batch was like.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    commits: usize,
    flush: Duration,
}

type Prepared = JoinHandle<io::Result<Arc<dyn DiskFile>>>;

/// The writer's own state; nobody else writes segments.
pub(crate) struct Writer<T> {
    queue: Arc<Queue<T>>,
    segments: Arc<Segments>,
    tail: Tail,
    segment_size: u64,
    batch: Vec<u8>,
    last: Last,
    next_segment: Option<Prepared>,
    no_room_since: Option<Instant>,
    flushed: SyncSender<Flushed<T>>,
}

enum Failure {
    /// Nothing was written.
    NoRoom,
    /// Something may have been.
    Broken(io::Error),
}

impl<T: Waits> Writer<T> {
    pub(crate) fn new(
        queue: Arc<Queue<T>>,
        segments: Arc<Segments>,
        tail: Tail,
        segment_size: u64,
        flushed: SyncSender<Flushed<T>>,
    ) -> Writer<T> {
        let batch = Vec::with_capacity(QUEUE_BYTES);
        Writer {
            queue,
            segments,
            tail,
            segment_size,
            batch,
            last: Last::default(),
            next_segment: None,
            no_room_since: None,
            flushed,
        }
    }

    /// Writes until the queue is closed, or a flush fails.
    pub(crate) fn run(mut self) {
        while let Some(tickets) = self.queue.drain(&self.last) {
            match self.write(&tickets) {
                Ok(places) => {
                    let flushed =
                        places.into_iter().zip(tickets).map(|((index, place), (payload, mut ticket))| {
                            ticket.keep(payload);
                            (index, place, ticket)
                        });
                    if self.flushed.send(flushed.collect()).is_err() {
                        self.queue.close(CommitError::Unavailable);
                    }
                }
                Err(Failure::NoRoom) => refuse_all(tickets, &CommitError::DiskFull),
                Err(Failure::Broken(error)) => {
                    tracing::error!(%error, "a flush failed: nothing is recorded until the gateway starts again");
                    self.queue.close(CommitError::Unavailable);
                    refuse_all(tickets, &CommitError::Unavailable);
                }
            }
        }
        if let Some(prepared) = self.next_segment.take() {
            let _ = prepared.join();
        }
    }

    /// One write, one flush. A crash in between leaves a torn tail that start-up cuts.
    fn write(&mut self, tickets: &[(Payload, T)]) -> Result<Vec<(u64, Place)>, Failure> {
        let length: usize = tickets.iter().map(|(payload, _)| payload.frame_len()).sum();
        if self.tail.offset + length as u64 > self.tail.segment.size {
            self.roll()?;
        }
        let Tail { segment, offset, next: durable } = &self.tail;
        self.batch.clear();
        let mut places = Vec::with_capacity(tickets.len());
        for (index, (payload, _)) in (*durable..).zip(tickets) {
            places.push((index, Place { segment: segment.first, offset: offset + self.batch.len() as u64 }));
            payload.write(index, *durable, &mut self.batch);
        }
        let begun = Instant::now();
        segment.file.write_at(&self.batch, *offset).map_err(Failure::Broken)?;
        segment.file.sync().map_err(Failure::Broken)?;
        self.last = Last { commits: places.len(), flush: begun.elapsed() };
        self.tail.offset += self.batch.len() as u64;
        self.tail.next += places.len() as u64;
        self.batch.shrink_to(4 * QUEUE_BYTES);
        if self.next_segment.is_none() && self.tail.offset > self.tail.segment.size / 2 {
            self.prepare_next();
        }
        Ok(places)
    }

    /// Goes on in a new segment.
    fn roll(&mut self) -> Result<(), Failure> {
        const PAUSE: Duration = Duration::from_millis(500);
        if self.no_room_since.is_some_and(|since| since.elapsed() < PAUSE) {
            return Err(Failure::NoRoom);
        }
        if self.next_segment.is_none() {
            self.prepare_next();
        }
        let prepared = self.next_segment.take().map(JoinHandle::join);
        let file = match prepared {
            Some(Ok(Ok(file))) => file,
            Some(Ok(Err(error))) => {
                tracing::warn!(%error, "a next segment cannot be made: nothing is recorded until there is room");
                let _ = self.segments.folder().remove("next.tmp"); // gives back the room it took
                self.no_room_since = Some(Instant::now());
                return Err(Failure::NoRoom);
            }
            Some(Err(_)) | None => {
                return Err(Failure::Broken(io::Error::other("no thread to prepare with")));
            }
        };
        self.no_room_since = None;
        let first = self.tail.next;
        let segment = Segments::begin(self.segments.folder(), file, first, self.segment_size)
            .map_err(Failure::Broken)?;
        self.segments.insert(segment.clone());
        self.tail = Tail { segment, offset: START, next: first };
        Ok(())
    }

    fn prepare_next(&mut self) {
        let (folder, size) = (self.segments.folder().clone(), self.segment_size);
        let thread = std::thread::Builder::new().name("journal-next".into());
        self.next_segment = thread.spawn(move || Segments::prepare(&folder, size)).ok();
    }
}

fn refuse_all<T: Waits>(tickets: Vec<(Payload, T)>, why: &CommitError) {
    tickets.into_iter().for_each(|(_, ticket)| ticket.refuse(why.clone()));
}
