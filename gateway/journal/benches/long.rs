//! `cargo bench -p journal --bench long`: a log of ten million records, from growing it to starting after a crash.
//!
//! Owns: two processes. One grows the log under load, published as it grows, and dies in the middle of a write without
//! closing anything. The other starts on what is left, and measures: the start, resident memory, a proof, verifying.
//! `BENCH_RECORDS` says how many, `BENCH_DIR` where; about 1.2 kB of disk a record. `BENCH_MIXED=yes` makes every third record a
//! delivery to two receivers, so that views have something to say (`tests/bench-console`).

use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use journal::{Commit, CommitError, Criteria, Journal, LogKey, Options, Publisher, PublisherThread};
use ledger::{
    Access, BundleRef, Carried, Decision, Delivery, Digest, Event, Leaf, Party, Passed, Receipt, SealedPart,
    Trust, Version,
};
use model::{ClientPseudonym, DataClass, ExchangeId, Form, Timestamp};

/// The one that the binary has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WRITERS: u64 = 512;
const CLIENTS: u64 = 10_000;

fn main() -> io::Result<()> {
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(()); // `cargo test` runs it too: nothing to measure there
    }
    let number =
        |name, otherwise| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let records: u64 = number("BENCH_RECORDS", 10_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match (std::env::var("BENCH_PART").as_deref(), std::env::var_os("BENCH_FOLDER")) {
        (Ok("grow"), Some(folder)) => runtime.block_on(grow(Path::new(&folder), records)),
        (Ok("start"), Some(folder)) => runtime.block_on(start(Path::new(&folder))),
        _ => {
            let folder = tempfile::tempdir_in(std::env::var("BENCH_DIR").unwrap_or_else(|_| "/tmp".into()))?;
            for part in ["grow", "start"] {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("--bench").env("BENCH_PART", part).env("BENCH_FOLDER", folder.path());
                command.status()?; // the first one dies: that is what it is for
            }
            Ok(())
        }
    }
}

async fn grow(folder: &Path, records: u64) -> io::Result<()> {
    let journal = open(folder)?;
    let publisher = Publisher::open(Arc::clone(&journal), key()?, &[]).map_err(io::Error::other)?;
    let _publishing = PublisherThread::start(publisher, Duration::from_secs(1))?;
    let next = Arc::new(AtomicU64::new(0));
    // A record every second and a half, up to now.
    let begin = std::env::var_os("BENCH_MIXED").map(|_| now().plus_seconds(-((records * 3 / 2) as i64)));
    for _ in 0..WRITERS {
        let (journal, next) = (Arc::clone(&journal), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let commit = match begin {
                    None => looked(number, moment(number)),
                    Some(begin) => mixed(number, begin.plus_seconds((number * 3 / 2) as i64)),
                };
                while let Err(CommitError::Busy) = journal.commit(commit.clone()).await {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        });
    }
    let (mut sizes, mut last, step) = (journal.sizes(), (Instant::now(), 0), records / 10);
    for tenth in 1..=10 {
        sizes.wait_for(|size| *size >= tenth * step).await.map_err(io::Error::other)?;
        let (now, size) = (Instant::now(), journal.size());
        let rate = (size - last.1) as f64 / (now - last.0).as_secs_f64();
        last = (now, size);
        say(&format!("{size} records: {rate:.0} a second, {:.0} MB resident", resident()))?;
    }
    std::process::abort()
}

async fn start(folder: &Path) -> io::Result<()> {
    let begun = Instant::now();
    let journal = open(folder)?;
    say(&format!(
        "start after the crash: {} records in {:.2} s ({:.2} s of processor), {:.0} MB resident",
        journal.size(),
        begun.elapsed().as_secs_f64(),
        cpu().as_secs_f64(),
        resident()
    ))?;
    let begun = Instant::now();
    let publisher = Publisher::open(Arc::clone(&journal), key()?, &[]).map_err(io::Error::other)?;
    let publishing = PublisherThread::start(publisher, Duration::from_millis(500))?;
    say(&format!("what was not published yet is, after {:.2} s", begun.elapsed().as_secs_f64()))?;
    let begun = Instant::now();
    let recorded = journal.commit(looked(u64::MAX, moment(u64::MAX))).await.map_err(io::Error::other)?;
    let mut published = publishing.published();
    drop(
        published
            .wait_for(|published| published.checkpoint.size > recorded.index())
            .await
            .map_err(io::Error::other)?,
    );
    let receipt = Receipt::make(&publishing.files(), recorded.index()).map_err(io::Error::other)?;
    let trust = Trust::in_log(publishing.verifier());
    receipt.check(&trust, None).map_err(io::Error::other)?;
    say(&format!("a record, and its receipt checked: {:.2} s", begun.elapsed().as_secs_f64()))?;
    let begun = Instant::now();
    let client = Some(client(7));
    let found = journal
        .search(&Criteria { client, ..Criteria::default() }, None, usize::MAX)
        .map_err(io::Error::other)?;
    say(&format!("search of one client: {} records in {:.2} s", found.len(), begun.elapsed().as_secs_f64()))?;
    let (begun, used) = (Instant::now(), cpu());
    let mut records = 0_u64;
    ledger::verify(&publishing.files(), &trust, &mut |_, _| records += 1).map_err(io::Error::other)?;
    let (took, used) = (begun.elapsed().as_secs_f64(), (cpu() - used).as_secs_f64());
    let rates = (records as f64 / took, records as f64 / used);
    say(&format!(
        "verified {records} records: {:.0} a second, {:.0} a second of processor",
        rates.0, rates.1
    ))?;
    say(&format!("{:.0} MB resident at the end", resident()))
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Resident memory of this process, in megabytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().map_or(f64::NAN, |kilobytes| kilobytes / 1024.0)
}

fn open(folder: &Path) -> io::Result<Arc<Journal>> {
    let options = Options::new(folder, b"the master secret of a benchmark".as_slice());
    Journal::open(options).map(Arc::new).map_err(io::Error::other)
}

fn key() -> io::Result<LogKey> {
    let mut pkcs8 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    pkcs8.extend([9; 32]); // signs nothing that outlives the benchmark
    let name = "bench.invalid/log".parse().map_err(io::Error::other)?;
    LogKey::new(name, &pkcs8).map_err(io::Error::other)
}

fn client(number: u64) -> ClientPseudonym {
    let mut client = [0; 16];
    client.iter_mut().skip(8).zip((1 + number % CLIENTS).to_be_bytes()).for_each(|(to, from)| *to = from);
    ClientPseudonym(client)
}

/// A small record: someone looked at what there is about a client.
fn looked(number: u64, now: Timestamp) -> Commit {
    let mut tail = [0; 10];
    tail.iter_mut().skip(2).zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    let names = ("00000099000000001000".parse(), "auditor".parse(), "search".parse());
    let (Ok(oin), Ok(role), Ok(what)) = names else { unreachable!() };
    let leaf = Leaf {
        v: Version::default(),
        time: now,
        exchange: ExchangeId::new(now, tail),
        trace: None,
        bundle: BundleRef { number: 1, digest: Digest([1; 32]) },
        activity: None,
        client: None,
        event: Event::Access(Access { by: Party { oin, role }, what, records: number % 1000 }),
    };
    Commit { client: Some(client(number)), sealed: SealedPart::default(), ..Commit::of(leaf) }
}

fn moment(number: u64) -> Timestamp {
    Timestamp::from_unix_millis(1_790_000_000_000 + (number % 1_000_000_000) as i64)
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_millis(since.as_millis() as i64)
}

/// Every third record a delivery to two receivers, of which one in twenty is sent back; the others looks.
fn mixed(number: u64, now: Timestamp) -> Commit {
    let mut commit = looked(number, now);
    if !number.is_multiple_of(3) {
        return commit;
    }
    let party = |oin: &str, role: &str| match (oin.parse(), role.parse()) {
        (Ok(oin), Ok(role)) => Party { oin, role },
        _ => unreachable!(),
    };
    let decision = if number.is_multiple_of(60) { Decision::Returned } else { Decision::Delivered };
    let passed = [DataClass::Organisatie, DataClass::Arbeid, DataClass::FunctioneelUren];
    let to = [("00000099000000001000", "klantmanager"), ("00000099000000002000", "arbeidsdeskundige")];
    let to = to.map(|(oin, role)| Delivery {
        passed: passed.map(|class| Passed { class, form: Form::Vol, count: 3 }).into(),
        ..Delivery::new(party(oin, role), decision)
    });
    let from = Some(party("00000099000000004000", "coach"));
    commit.leaf.event = Event::Sent(Carried { from, to: to.into(), ..Carried::default() });
    commit
}
