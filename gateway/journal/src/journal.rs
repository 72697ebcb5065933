//! The journal as a whole: it opens, commits and closes.
//!
//! Owns: the order of start-up, the threads, and the rule that nobody is answered before the frame is flushed
//! and the views know of it. Bytes go down to `writer`; answers are read in `read`, `mailbox`, `erase`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use ledger::{Digest, Event, Leaf};
use model::{Bsn, ClientPseudonym, ExchangeId};
use tokio::sync::{OwnedRwLockReadGuard, RwLock, oneshot, watch};
use zeroize::Zeroizing;

use crate::applier::{Applier, Keeper};
use crate::claims::{Claim, Claims};
use crate::commit::{Commit, Recorded, Work, prepare, request_mark};
use crate::disk::{Disk, Folder, RealDisk};
use crate::entry::Entry;
use crate::error::{CommitError, Damage, OpenError};
use crate::frame::Payload;
use crate::keys::{KeyRing, RingError};
use crate::segments::Segments;
use crate::views::{Seen, Views};
use crate::writer::{Queue, Waits, Writer};

/// How a journal is opened.
#[derive(Clone)]
pub struct Options {
    /// The data folder: `journal/`, `keys/`, `views/` and `log/` stand in it.
    pub folder: PathBuf,
    /// The secret that wraps all keys, at least 16 bytes, kept apart from the data folder.
    pub master_secret: Zeroizing<Vec<u8>>,
    /// How long a segment is; 64 MiB.
    pub segment_size: u64,
    /// The files.
    pub disk: Arc<dyn Disk>,
    /// Whether the views stand in `views/`; if not, they are built at every start and gone afterwards.
    pub keep_views: bool,
    /// Whether nothing is recorded at all, to measure what everything else costs. Never in a gateway that serves: no key of
    /// the configuration leads here.
    pub discard: bool,
}

impl Options {
    /// The usual ones: the machine's own files, segments of 64 MiB.
    pub fn new(folder: impl Into<PathBuf>, master_secret: impl Into<Vec<u8>>) -> Options {
        Options {
            folder: folder.into(),
            master_secret: Zeroizing::new(master_secret.into()),
            segment_size: 64 << 20,
            disk: Arc::new(RealDisk),
            keep_views: true,
            discard: false,
        }
    }
}

/// What all parts of a journal share.
pub(crate) struct Shared {
    pub(crate) segments: Arc<Segments>,
    pub(crate) views: Views,
    pub(crate) keys: KeyRing,
    /// How many records are durable and in the views.
    pub(crate) size: watch::Sender<u64>,
    pub(crate) arrivals: crate::mailbox::Arrivals,
}

/// What became of a commit before it is written.
pub enum Prepared {
    /// It is sealed, and can be appended.
    Ready(Box<Ready>),
    /// It had been recorded before, by the same request.
    Repeated(Recorded),
}

/// A commit that is checked and sealed.
pub struct Ready {
    payload: Payload,
    work: Box<Work>,
    claim: Claim,
    gate: Option<OwnedRwLockReadGuard<()>>,
}

/// A commit on its way to the disk.
pub(crate) struct Ticket {
    pub(crate) work: Box<Work>,
    /// Gets the index of the record, and the work back: whoever made it is the one to let go of it.
    pub(crate) done: oneshot::Sender<Result<(u64, Box<Work>), CommitError>>,
    pub(crate) _claim: Claim,
    pub(crate) _gate: Option<OwnedRwLockReadGuard<()>>,
}

impl Waits for Ticket {
    fn refuse(self, why: CommitError) {
        let _ = self.done.send(Err(why)); // who does not wait any more needs no answer
    }

    fn keep(&mut self, spent: Payload) {
        self.work.spent = Some(spent);
    }
}

/// The durable log of one gateway.
pub struct Journal {
    pub(crate) shared: Arc<Shared>,
    pub(crate) folder: Folder,
    queue: Arc<Queue<Ticket>>,
    claims: Claims,
    /// Held for reading by every commit in flight, for writing by an erasure.
    pub(crate) gate: Arc<RwLock<()>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    keeper: Keeper,
    discards: bool,
    /// Keeps a second gateway off this folder.
    _lock: Box<dyn Send + Sync>,
}

impl Journal {
    /// Opens the journal in a folder, or makes one where there is none: cuts a torn tail, brings keys and views up
    /// to date, and starts the threads.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] says which file is not what it was, and where.
    pub fn open(options: Options) -> Result<Journal, OpenError> {
        if options.master_secret.len() < 16 {
            return Err(OpenError::WrongMasterSecret);
        }
        let folder = Folder::new(Arc::clone(&options.disk), options.folder)?;
        let lock = options.disk.lock(&folder.path().join("lock"))?;
        let published = crate::publish::published_size(&folder)?;
        let journal = folder.inside("journal")?;
        let new = !journal.list()?.iter().any(|name| name.ends_with(".seg"));
        let (keys, keys_through) = KeyRing::open(folder.inside("keys")?, &options.master_secret, new)?;
        let (segments, tail) = Segments::open(journal, options.segment_size, published)?;
        let views_folder = options.keep_views.then(|| folder.path().join("views"));
        let views = Views::open(views_folder.as_deref(), tail.next, 2 * options.segment_size)
            .map_err(|error| OpenError::Views(error.to_string()))?;
        catch_up(&segments, &keys, keys_through, &views, tail.next)?;
        if keys_through > tail.next {
            // A copy of a running gateway has a ring that is ahead: it must not say so of records to come.
            keys.save(tail.next).map_err(io::Error::other)?;
        }
        let (size, _) = watch::channel(tail.next);
        let arrivals = crate::mailbox::Arrivals::default();
        let shared = Arc::new(Shared { segments: Arc::new(segments), views, keys, size, arrivals });
        let queue = Arc::new(Queue::new(options.segment_size));
        let (flushed, batches) = std::sync::mpsc::sync_channel(2);
        let writer = Writer::new(
            Arc::clone(&queue),
            Arc::clone(&shared.segments),
            tail,
            options.segment_size,
            flushed,
        );
        let applier = Applier::new(Arc::clone(&shared), Arc::clone(&queue), batches);
        let threads = vec![
            std::thread::Builder::new().name("journal-writer".into()).spawn(move || writer.run())?,
            std::thread::Builder::new().name("journal-views".into()).spawn(move || applier.run())?,
        ];
        let keeper = Keeper::start(Arc::clone(&shared))?;
        let gate = Arc::default();
        let discards = options.discard;
        let claims = Claims::default();
        let threads = Mutex::new(threads);
        Ok(Journal { shared, folder, queue, claims, gate, threads, keeper, discards, _lock: lock })
    }

    /// Records a commit: waits until it is durable. The same request again gets the first answer again.
    ///
    /// Fine to drop while it waits: the commit is then recorded or not, as after a broken connection.
    ///
    /// # Errors
    /// See [`CommitError`]; whatever it is, nothing may leave.
    pub async fn commit(&self, commit: Commit) -> Result<Recorded, CommitError> {
        match self.prepare(commit).await? {
            Prepared::Ready(ready) => self.append(ready).await,
            Prepared::Repeated(recorded) => Ok(recorded),
        }
    }

    /// The first half of [`Journal::commit`]: checks the commit and seals it. Nothing is recorded yet, but its exchange is
    /// claimed, and no erasure begins, until it is appended or dropped.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub async fn prepare(&self, commit: Commit) -> Result<Prepared, CommitError> {
        let sealer = commit.client;
        // Boxed, for it goes through many hands.
        let commit = Box::new(commit);
        let gate = Arc::clone(&self.gate).read_owned().await;
        self.prepare_behind(commit, sealer, Some(gate)).await
    }

    /// The second half of [`Journal::commit`]: waits until what was prepared is durable.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub async fn append(&self, ready: Box<Ready>) -> Result<Recorded, CommitError> {
        let Ready { payload, work, claim, gate } = *ready;
        let (done, answer) = oneshot::channel();
        self.queue.push(payload, Ticket { work, done, _claim: claim, _gate: gate });
        let (index, work) = answer.await.unwrap_or(Err(CommitError::Unavailable))?;
        Ok(Recorded::new(index, *work))
    }

    /// What stands for a record in a journal that was opened to discard them; nothing in any other.
    pub fn discarded(&self, exchange: ExchangeId) -> Option<Recorded> {
        self.discards.then(|| Recorded::again(u64::MAX, Digest([0; 32]), exchange))
    }

    /// As [`Journal::commit`], by who holds the gate already.
    pub(crate) async fn commit_behind(
        &self,
        commit: Box<Commit>,
        sealer: Option<ClientPseudonym>,
    ) -> Result<Recorded, CommitError> {
        match self.prepare_behind(commit, sealer, None).await? {
            Prepared::Ready(ready) => self.append(ready).await,
            Prepared::Repeated(recorded) => Ok(recorded),
        }
    }

    async fn prepare_behind(
        &self,
        commit: Box<Commit>,
        sealer: Option<ClientPseudonym>,
        gate: Option<OwnedRwLockReadGuard<()>>,
    ) -> Result<Prepared, CommitError> {
        let claim = self.claims.claim(&commit.leaf).await;
        if let Some(recorded) = self.check(&commit)? {
            return Ok(Prepared::Repeated(recorded));
        }
        if !self.queue.has_room() {
            return Err(CommitError::Busy);
        }
        let (payload, work) = prepare(&self.shared.keys, commit, sealer)?;
        Ok(Prepared::Ready(Box::new(Ready { payload, work, claim, gate })))
    }

    /// Whether a commit may be recorded as things stand; a repeated request has its answer already.
    fn check(&self, commit: &Commit) -> Result<Option<Recorded>, CommitError> {
        let views = &self.shared.views;
        match &commit.leaf.event {
            Event::Sent(_) => {
                let Some(claimed) = views.claimed(&commit.leaf.exchange).map_err(unreadable)? else {
                    return Ok(None);
                };
                let request = request_mark(&self.shared.keys, commit.request.as_ref());
                if commit.request.is_none() || request != claimed.request {
                    return Err(CommitError::ExchangeIdReused);
                }
                Ok(Some(Recorded::again(claimed.index, claimed.hash, commit.leaf.exchange)))
            }
            Event::Acknowledged(carried) | Event::Expired(carried) => {
                for to in &carried.to {
                    let id = to.delivery.ok_or(CommitError::Inconsistent("a delivery without its id"))?;
                    let waiting = self.delivery(&id).map_err(|error| {
                        tracing::error!(%error, "a delivery cannot be read");
                        CommitError::Unavailable
                    })?;
                    if waiting.is_none_or(|waiting| waiting.to != to.to) {
                        return Err(CommitError::NotWaiting);
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Records nothing any more, until a new start has found out what is on disk.
    pub(crate) fn stop(&self) {
        self.queue.close(CommitError::Unavailable);
    }

    /// How many records are durable.
    pub fn size(&self) -> u64 {
        *self.shared.size.borrow()
    }

    /// Tells of every batch that becomes durable: how many records there are then.
    pub fn sizes(&self) -> watch::Receiver<u64> {
        self.shared.size.subscribe()
    }

    /// How this gateway's views know a client.
    pub fn pseudonym(&self, bsn: &Bsn) -> ClientPseudonym {
        self.shared.keys.pseudonym(bsn)
    }

    /// How this gateway's views know a user.
    pub fn user_mark(&self, user: &str) -> [u8; 16] {
        self.shared.keys.mark("user", user.as_bytes())
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Journal {
    /// Lets what waits be written, and joins the threads.
    fn drop(&mut self) {
        self.queue.close(CommitError::Unavailable);
        for thread in self.threads.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = thread.join();
        }
        self.keeper.stop();
    }
}

fn unreadable(error: io::Error) -> CommitError {
    tracing::error!(%error, "the views cannot be read");
    CommitError::Unavailable
}

/// Replays what keys and views have not seen yet. A crash during this changes nothing: it is done again.
fn catch_up(
    segments: &Segments,
    keys: &KeyRing,
    keys_through: u64,
    views: &Views,
    end: u64,
) -> Result<(), OpenError> {
    let from = keys_through.min(views.next());
    let mut erased = false;
    let hint = views.place(from)?;
    segments.replay(from, end, hint, &mut |index, place, payload| -> Result<(), OpenError> {
        let broken = |what| Damage { file: "journal".into(), offset: place.offset, index: Some(index), what };
        let entry = Entry::read(payload).ok_or_else(|| broken("has a frame of another version"))?;
        let leaf = Leaf::from_bytes(entry.record).map_err(|_| broken("has a record of another version"))?;
        if index >= keys_through {
            if let Some(wrapped) = &entry.key {
                keys.replay(wrapped).map_err(|_| broken("has a key that cannot be unwrapped"))?;
            }
            if let (Event::Erased(erasure), Some(client)) = (&leaf.event, entry.ties.client)
                && erasure.reason.is_none()
            {
                keys.forget(client);
                erased = true;
            }
        }
        let documents: Vec<_> = entry.documents.iter().map(|doc| (doc.delivery, doc.expires)).collect();
        let hash = ledger::leaf_hash(entry.record);
        let seen = Seen { index, place, leaf: &leaf, ties: entry.ties, documents: &documents, hash };
        views.apply(&[seen])?;
        if views.is_full() { Ok(views.settle()?) } else { Ok(()) }
    })?;
    if erased {
        keys.end_epoch(end).map_err(|error| match error {
            RingError::Disk(error) => OpenError::Disk(error),
            RingError::Seal(_) => OpenError::WrongMasterSecret,
        })?;
    }
    Ok(())
}
