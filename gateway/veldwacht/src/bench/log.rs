//! `bench log`: the journal beside what its disk can do, and beside PostgreSQL with group commit.
//!
//! Owns: the load and the peers, all in one run on one disk: rounds are interleaved and the median counts. A record
//! here is what the gateway writes for one audited call: a sealed part, a public record, views. The raw peer writes
//! the same number of bytes, in the same batches, into a file that is there already: `pwrite`, `fdatasync`. `records` is the
//! whole – the record is made, sealed and written –; `appended` is the journal alone: commits that were sealed before the
//! clock ran, until they are durable, in the views, and answered.
//! Used by the command, and by `cargo bench -p journal`, which includes this file.

#[path = "log/postgres.rs"]
mod postgres; // named, for `cargo bench -p journal` includes this file from elsewhere

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use journal::{
    Commit, CommitError, Document, Journal, LogKey, Options, Prepared, Publisher, PublisherThread,
};
use ledger::{
    BundleRef, Carried, Decision, Delivery, Digest, Event, Leaf, Party, Passed, SealedPart, Terms, Trust,
    Version,
};
use model::{ClientPseudonym, DataClass, ExchangeId, Form, Timestamp};

/// One comparison, as `bench --json` prints it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) name: String,
    /// Ours.
    pub(crate) value: f64,
    /// Of both.
    pub(crate) unit: &'static str,
    /// Beside what.
    pub(crate) peer: &'static str,
    /// Theirs.
    pub(crate) peer_value: f64,
    /// How many times better than the peer.
    pub(crate) ratio: f64,
}

const RAW: &str = "pwrite + fdatasync";
const POSTGRES: &str = "PostgreSQL, group commit";

/// How many rounds of each are interleaved.
const ROUNDS: usize = 3;

/// Measures in a fresh folder below `dir`, each round for `time`.
///
/// # Errors
/// When the disk cannot be written, or the journal does not open.
pub(crate) async fn run(dir: &Path, time: Duration) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    // First, for resident memory is of the whole process, and the other loads keep commits in theirs.
    let published = published(dir, time).await?;
    let bytes = frame_bytes(dir, audited).await?;
    for writers in [1, 64, 1024] {
        let (mut ours, mut appended, mut raw) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            raw.push(raw_round(dir, writers, bytes, time / 2)?);
            ours.push(journal_round(dir, writers, time, audited).await?);
            appended.push(appended_round(dir, writers, time).await?);
        }
        let (ours, appended, raw) = (Round::median(ours), Round::median(appended), Round::median(raw));
        for (load, ours) in [("", ours), ("appended/", appended)] {
            let records = if load.is_empty() { "records/" } else { load };
            rows.push(more(format!("log/{records}{writers}"), "rps", ours.rate, RAW, raw.rate));
            rows.push(less(format!("log/{load}cpu/{writers}"), "µs", ours.cpu, RAW, raw.cpu));
            for (name, ours, raw) in [("p50", ours.p50, raw.p50), ("p99", ours.p99, raw.p99)] {
                rows.push(less(format!("log/{load}latency/{writers}/{name}"), "µs", ours, RAW, raw));
            }
        }
        if let Some(theirs) = postgres::rate(dir, writers, bytes, time) {
            rows.push(more(format!("log/records/{writers}/postgres"), "rps", ours.rate, POSTGRES, theirs));
        }
    }
    rows.extend(delivered(dir, time).await?);
    rows.extend(published);
    Ok(rows)
}

/// As `records`, of documents that wait for a receiver who never collects: what the views of a mailbox cost.
async fn delivered(dir: &Path, time: Duration) -> io::Result<Vec<Row>> {
    const WRITERS: usize = 64;
    let bytes = frame_bytes(dir, sent).await?;
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raw.push(raw_round(dir, WRITERS, bytes, time / 2)?);
        ours.push(journal_round(dir, WRITERS, time, sent).await?);
    }
    let (ours, raw) = (Round::median(ours), Round::median(raw));
    Ok(vec![
        more(format!("log/delivered/{WRITERS}"), "rps", ours.rate, RAW, raw.rate),
        less(format!("log/delivered/cpu/{WRITERS}"), "µs", ours.cpu, RAW, raw.cpu),
    ])
}

fn more(name: String, unit: &'static str, value: f64, peer: &'static str, peer_value: f64) -> Row {
    Row { name, value, unit, peer, peer_value, ratio: value / peer_value }
}

fn less(name: String, unit: &'static str, value: f64, peer: &'static str, peer_value: f64) -> Row {
    Row { name, value, unit, peer, peer_value, ratio: peer_value / value }
}

/// Records a second; how long one took and how much of the processors, all threads together, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Round {
    rate: f64,
    p50: f64,
    p99: f64,
    cpu: f64,
}

/// Processor time of this process so far.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

impl Round {
    fn of(mut took: Vec<Duration>, records: usize, elapsed: Duration, used: Duration) -> Round {
        took.sort_unstable();
        let at = |part: f64| {
            let place = (took.len() as f64 * part) as usize;
            took.get(place.min(took.len().saturating_sub(1))).map_or(0.0, |took| took.as_secs_f64() * 1e6)
        };
        let cpu = used.as_secs_f64() * 1e6 / records.max(1) as f64;
        Round { rate: records as f64 / elapsed.as_secs_f64(), p50: at(0.5), p99: at(0.99), cpu }
    }

    /// The round in the middle, by rate.
    fn median(mut rounds: Vec<Round>) -> Round {
        rounds.sort_by(|one, two| one.rate.total_cmp(&two.rate));
        rounds.get(rounds.len() / 2).copied().unwrap_or(Round { rate: 0.0, p50: 0.0, p99: 0.0, cpu: 0.0 })
    }
}

/// What the disk can do: batches of `writers` records, one after the other.
fn raw_round(dir: &Path, writers: usize, bytes: usize, time: Duration) -> io::Result<Round> {
    let folder = tempfile::tempdir_in(dir)?;
    let file = File::create(folder.path().join("raw"))?;
    let size = 64 << 20;
    file.write_all_at(&vec![0; size], 0)?;
    file.sync_all()?;
    // A thread of its own, as the journal's writer is: one that had just written 64 MiB would be scheduled last.
    let flush = std::thread::spawn(move || raw_flushes(&file, size, writers, bytes, time));
    flush.join().unwrap_or_else(|_| Err(io::Error::other("the raw peer gave up")))
}

fn raw_flushes(file: &File, size: usize, writers: usize, bytes: usize, time: Duration) -> io::Result<Round> {
    let batch = vec![0x5a; writers * bytes];
    let (mut took, mut offset) = (Vec::new(), 0);
    let (begun, used) = (Instant::now(), cpu());
    while begun.elapsed() < time {
        let start = Instant::now();
        file.write_all_at(&batch, offset as u64)?;
        file.sync_data()?;
        took.push(start.elapsed());
        offset = if offset + 2 * batch.len() > size { 0 } else { offset + batch.len() };
    }
    let records = took.len() * writers;
    Ok(Round::of(took, records, begun.elapsed(), cpu() - used))
}

async fn journal_round(
    dir: &Path,
    writers: usize,
    time: Duration,
    make: fn(u64) -> Commit,
) -> io::Result<Round> {
    let folder = tempfile::tempdir_in(dir)?;
    let journal = open(folder.path())?;
    let next = Arc::new(AtomicU64::new(0));
    let writer = |_| {
        let (journal, next) = (Arc::clone(&journal), Arc::clone(&next));
        move || {
            let (journal, commit) = (Arc::clone(&journal), make(next.fetch_add(1, Ordering::Relaxed)));
            Some(async move { journal.commit(commit).await.map(drop) })
        }
    };
    writing((0..writers).map(writer).collect(), time).await
}

/// As [`journal_round`], of commits that are sealed before the clock runs: for `time`, or until all of them are durable. They
/// are enough for the views to be moved to their store on the way.
async fn appended_round(dir: &Path, writers: usize, time: Duration) -> io::Result<Round> {
    const PREPARED: usize = 160_000;
    let folder = tempfile::tempdir_in(dir)?;
    let journal = open(folder.path())?;
    let each = (PREPARED / writers).min(8_000);
    let mut ready = Vec::new();
    for writer in 0..writers {
        let mut prepared = Vec::new();
        for number in 0..each {
            match journal.prepare(audited((writer * each + number) as u64)).await.map_err(io::Error::other)? {
                Prepared::Ready(commit) => prepared.push(commit),
                Prepared::Repeated(_) => return Err(io::Error::other("no exchange is made twice here")),
            }
        }
        let (journal, mut prepared) = (Arc::clone(&journal), prepared.into_iter());
        ready.push(move || {
            let (journal, commit) = (Arc::clone(&journal), prepared.next()?);
            Some(async move { journal.append(commit).await.map(drop) })
        });
    }
    writing(ready, time).await
}

/// Each writer writes one after the other, for `time` or until it has nothing more.
async fn writing<F, W>(writers: Vec<F>, time: Duration) -> io::Result<Round>
where
    F: FnMut() -> Option<W> + Send + 'static,
    W: Future<Output = Result<(), CommitError>> + Send + 'static,
{
    let (begun, used) = (Instant::now(), cpu());
    let writer = |mut next: F| async move {
        let mut took = Vec::new();
        while begun.elapsed() < time {
            let Some(write) = next() else { break };
            let start = Instant::now();
            match write.await {
                Ok(()) => took.push(start.elapsed()),
                Err(CommitError::Busy) => tokio::task::yield_now().await,
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(took)
    };
    let tasks: Vec<_> = writers.into_iter().map(|next| tokio::spawn(writer(next))).collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.map_err(io::Error::other)??);
    }
    let records = took.len();
    Ok(Round::of(took, records, begun.elapsed(), cpu() - used))
}

/// How many bytes of disk one record takes.
async fn frame_bytes(dir: &Path, make: fn(u64) -> Commit) -> io::Result<usize> {
    const RECORDS: u64 = 200;
    let folder = tempfile::tempdir_in(dir)?;
    let journal = open(folder.path())?;
    for number in 0..RECORDS {
        let _ = journal.commit(make(number)).await.map_err(io::Error::other)?;
    }
    drop(journal);
    let segment = std::fs::read(folder.path().join("journal/00000000000000000000.seg"))?;
    let used = segment.iter().rposition(|byte| *byte != 0).unwrap_or_default();
    Ok(used / RECORDS as usize)
}

/// Publishing lag under load, how fast what was published is verified from its files, and the next start.
pub(crate) async fn published(dir: &Path, time: Duration) -> io::Result<Vec<Row>> {
    const INTERVAL: Duration = Duration::from_millis(200);
    let folder = tempfile::tempdir_in(dir)?;
    let journal = open(folder.path())?;
    let publisher = Publisher::open(Arc::clone(&journal), log_key()?, &[]).map_err(io::Error::other)?;
    let thread = PublisherThread::start(publisher, INTERVAL)?;
    let next = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let load: Vec<_> = (0..64)
        .map(|_| {
            let (journal, next) = (Arc::clone(&journal), Arc::clone(&next));
            tokio::spawn(async move {
                while begun.elapsed() < time {
                    let _ = journal.commit(audited(next.fetch_add(1, Ordering::Relaxed))).await;
                }
            })
        })
        .collect();
    let mut lags = Vec::new();
    let mut checkpoints = thread.published();
    while begun.elapsed() < time {
        let Ok(recorded) = journal.commit(audited(next.fetch_add(1, Ordering::Relaxed))).await else {
            continue;
        };
        let start = Instant::now();
        let published = checkpoints.wait_for(|published| published.checkpoint.size > recorded.index());
        drop(published.await.map_err(io::Error::other)?);
        lags.push(start.elapsed());
    }
    for task in load {
        task.await.map_err(io::Error::other)?;
    }
    thread.publish_now();
    let lag = Round::of(lags, 0, time, Duration::ZERO);
    let interval = INTERVAL.as_secs_f64() * 1e6;
    let trust = Trust::in_log(thread.verifier());
    let (mut records, start) = (0_u64, Instant::now());
    ledger::verify(&thread.files(), &trust, &mut |_, _| records += 1).map_err(io::Error::other)?;
    let verified = records as f64 / start.elapsed().as_secs_f64();
    drop(thread);
    drop(journal);
    let start = Instant::now();
    let journal = open(folder.path())?;
    let started = start.elapsed().as_secs_f64() * 1e6;
    let place = records.saturating_sub(1);
    journal.record(place).map_err(io::Error::other)?;
    Ok(vec![
        less(format!("log/start/{records} records"), "µs", started, "the goal", 5e6),
        less(
            format!("log/memory/{records} records"),
            "MB",
            resident().unwrap_or(f64::NAN),
            "the goal",
            512.0,
        ),
        less("log/publishing lag/p50".into(), "µs", lag.p50, "the interval", interval),
        less("log/publishing lag/p99".into(), "µs", lag.p99, "the interval", interval),
        more("log/verify".into(), "rps", verified, "the goal", 500_000.0),
    ])
}

/// Resident memory of this process, in megabytes.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}

pub(crate) fn open(folder: &Path) -> io::Result<Arc<Journal>> {
    let options = Options::new(folder, b"the master secret of a benchmark".as_slice());
    Journal::open(options).map(Arc::new).map_err(io::Error::other)
}

fn log_key() -> io::Result<LogKey> {
    let mut pkcs8 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    pkcs8.extend([9; 32]); // signs nothing that outlives the benchmark
    let name = "bench.invalid/log".parse().map_err(io::Error::other)?;
    LogKey::new(name, &pkcs8).map_err(io::Error::other)
}

/// The record of one audited call; a thousand clients in turn.
pub(crate) fn audited(number: u64) -> Commit {
    let party = |oin: &str, role: &str| Some(Party { oin: oin.parse().ok()?, role: role.parse().ok()? });
    let random = number.to_be_bytes();
    let mut tail = [0; 10];
    tail.iter_mut().skip(2).zip(random).for_each(|(to, from)| *to = from);
    let now = Timestamp::from_unix_millis(1_790_000_000_000 + number as i64);
    let to = party("00000099000000002000", "coach").map(|to| Delivery {
        passed: vec![Passed { class: DataClass::FunctioneelBeperking, form: Form::Vol, count: 12 }],
        ..Delivery::new(to, Decision::Delivered)
    });
    let terms = Terms {
        message: "werkfit.v1.Voortgangsrapportage".parse().ok(),
        purpose: "re-integratie".parse().ok(),
        ..Terms::default()
    };
    let from = party("00000099000000001000", "verzekeringsarts");
    let carried = Carried { from, terms, reason: None, to: to.into_iter().collect() };
    let mut client = [0; 16];
    client.iter_mut().skip(8).zip((1 + number % 1000).to_be_bytes()).for_each(|(to, from)| *to = from);
    let mut sealed = SealedPart::default();
    sealed.user = Some("gebruiker-0123456789".into());
    let leaf = Leaf {
        v: Version::default(),
        time: now,
        exchange: ExchangeId::new(now, tail),
        trace: None,
        bundle: BundleRef { number: 1, digest: Digest([1; 32]) },
        activity: None,
        client: None,
        event: Event::Ask(carried),
    };
    Commit { client: Some(ClientPseudonym(client)), sealed, ..Commit::of(leaf) }
}

/// A document of 300 bytes for one receiver.
pub(crate) fn sent(number: u64) -> Commit {
    let mut commit = audited(number);
    let Event::Ask(carried) = commit.leaf.event else { return commit };
    let expires = commit.leaf.time.plus_seconds(30 * 24 * 3600);
    let documents = carried.to.iter().map(|to| Document { to: to.to.clone(), bytes: vec![7; 300], expires });
    (commit.documents, commit.request) = (documents.collect(), Some(Digest([2; 32])));
    commit.leaf.event = Event::Sent(carried);
    commit
}
