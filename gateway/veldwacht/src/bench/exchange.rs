//! `bench exchange`: whole audited exchanges over mutual TLS, beside what the same disk does with the same bytes.
//!
//! Owns: the load (64 calls in flight over four connections of one system, in this process, on the same processors) and the
//! raw peer: `pwrite` and `fdatasync` of as many bytes as the journal wrote for one exchange, in batches of 64. Rounds are
//! interleaved and the median counts. The gateway is the demo's, with nothing switched off, and takes an assertion for
//! as long as its connection (`use = "connection"`); `asserted` is the same with a fresh one for every call, signed and
//! verified while it is measured.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Purpose;
use proto::veldwacht::exchange::v1 as wire;

use crate::bench::log::Row;
use crate::client::{Acting, Client};
use crate::demo::Stage;
use crate::document;
use crate::failure::{Doing, Failure, Outcome};

const IN_FLIGHT: usize = 64;
const CONNECTIONS: usize = 4;
const ROUNDS: usize = 3;
const ONE_ASSERTION: &str = "[assertions]\nuse = \"connection\"\n";
const DOCUMENT: &[u8] = include_bytes!("../../../../tests/data/documents/X05-aanmelding.json");

/// What everyone sends.
struct Load {
    clients: Vec<Client>,
    acting: Acting,
    purpose: Purpose,
    request: wire::SendRequest,
}

/// How many assertions are made.
#[derive(Clone, Copy)]
enum Assertions {
    /// One for each of the calls in flight, in every round.
    AConnection,
    ACall,
}

/// Measures each round for `time`, with everything in a fresh folder below `dir`.
pub(crate) async fn run(dir: &Path, time: Duration) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(dir).unreachable(dir.display())?;
    let stage = Stage::set(folder.path(), ONE_ASSERTION).await?;
    let load = Arc::new(load(&stage).await?);
    let warm = round(&load, Assertions::AConnection, time / 4).await?.len();
    let bytes = written(folder.path())? / warm.max(1);
    let (mut raw, mut ours, mut asserted) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raw.push(raw_round(dir, bytes, time / 2).unreachable(dir.display())?);
        ours.push(figures(&load, Assertions::AConnection, time).await?);
        asserted.push(figures(&load, Assertions::ACall, time / 2).await?);
    }
    stage.take_down().await?;
    raw.sort_by(f64::total_cmp);
    let raw = raw.get(ROUNDS / 2).copied().unwrap_or(f64::NAN);
    let one = 1e6 / raw * IN_FLIGHT as f64;
    let row = |name: &str, value: f64, unit: &'static str, peer_value: f64, ratio: f64| {
        let name = format!("exchange/2.5kB/{IN_FLIGHT}/{name}");
        Row { name, value, unit, peer: "pwrite + fdatasync", peer_value, ratio }
    };
    let rows = [("", ours), ("asserted/", asserted)].into_iter().flat_map(|(load, mut rounds)| {
        rounds.sort_by(|one: &Figures, other| one.rps.total_cmp(&other.rps));
        let Figures { rps, p50, p99 } = rounds.get(ROUNDS / 2).copied().unwrap_or_default();
        [
            row(&format!("{load}rps"), rps, "rps", raw, rps / raw),
            row(&format!("{load}p50"), p50, "µs", one, one / p50),
            row(&format!("{load}p99"), p99, "µs", one, one / p99),
        ]
    });
    Ok(rows.collect())
}

/// Of one round: exchanges a second, and microseconds.
#[derive(Clone, Copy, Default)]
struct Figures {
    rps: f64,
    p50: f64,
    p99: f64,
}

async fn figures(load: &Arc<Load>, assertions: Assertions, time: Duration) -> Outcome<Figures> {
    let begun = Instant::now();
    let mut took = round(load, assertions, time).await?;
    let rps = took.len() as f64 / begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let at =
        |part: usize| took.get(took.len() * part / 100).map_or(f64::NAN, |took| took.as_secs_f64() * 1e6);
    Ok(Figures { rps, p50: at(50), p99: at(99) })
}

async fn load(stage: &Stage) -> Outcome<Load> {
    let mut clients = Vec::new();
    for _ in 0..2 * CONNECTIONS {
        clients.push(stage.client("gemeente", "klantmanager").await?);
    }
    let message = "werkfit.v1.Aanmelding".parse().wrong("the type")?;
    let message = stage.proven.message(&message).ok_or_else(|| Failure::Use("no such contract".into()))?;
    let request = wire::SendRequest {
        client_bsn: "999990019".into(),
        message_type: message.full_name().to_owned(),
        document: document::from_json(DOCUMENT, &message).map_err(Failure::Use)?.into(),
        receivers: vec![wire::Party { oin: "00000099000000004000".into(), role: "coach".into() }],
        ..Default::default()
    };
    let role = "klantmanager".parse().wrong("the role")?;
    let acting = Acting { role, user: "bench".into(), big: None, spoed: None };
    Ok(Load { clients, acting, purpose: "aanmelding".parse().wrong("the purpose")?, request })
}

/// How long each exchange took that was recorded and answered. One that is refused ends the benchmark.
async fn round(load: &Arc<Load>, assertions: Assertions, time: Duration) -> Outcome<Vec<Duration>> {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..IN_FLIGHT)
        .map(|number| {
            let load = Arc::clone(load);
            tokio::spawn(async move { one_after_the_other(&load, assertions, number, begun + time).await })
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.unreachable("a task of the load")??);
    }
    Ok(took)
}

async fn one_after_the_other(
    load: &Load,
    assertions: Assertions,
    number: usize,
    end: Instant,
) -> Outcome<Vec<Duration>> {
    // Each way on connections of its own: a connection remembers so many assertions and no more.
    let own = match assertions {
        Assertions::AConnection => 0,
        Assertions::ACall => CONNECTIONS,
    };
    let Some(client) = load.clients.get(own + number % CONNECTIONS) else { return Ok(Vec::new()) };
    let asserted = || client.asserted(load.request.clone(), &load.acting, Some(&load.purpose));
    let (first, mut calls, mut took) = (asserted()?, client.exchange(), Vec::new());
    while Instant::now() < end {
        let request = match assertions {
            Assertions::ACall => asserted()?,
            Assertions::AConnection => {
                let mut request = tonic::Request::new(load.request.clone());
                *request.metadata_mut() = first.metadata().clone();
                request
            }
        };
        let start = Instant::now();
        match calls.send(request).await {
            Ok(_) => took.push(start.elapsed()),
            // Over the share of one system: what the gateway lets through is what counts.
            Err(status) if status.code() == tonic::Code::ResourceExhausted => tokio::task::yield_now().await,
            Err(status) => return Err(crate::client::told(&status)),
        }
    }
    Ok(took)
}

/// How many bytes stand in the journal: segments are longer than what is written in them.
fn written(folder: &Path) -> Outcome<usize> {
    let mut written = 0;
    for entry in std::fs::read_dir(folder.join("journal")).unreachable("the journal")? {
        let path = entry.unreachable("the journal")?.path();
        if path.extension().is_some_and(|ending| ending == "seg") {
            let bytes = std::fs::read(&path).unreachable(path.display())?;
            written += bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        }
    }
    Ok(written)
}

/// Records a second of this many bytes, flushed in batches of as many as are in flight.
fn raw_round(dir: &Path, bytes: usize, time: Duration) -> io::Result<f64> {
    let folder = tempfile::tempdir_in(dir)?;
    let file = File::create(folder.path().join("raw"))?;
    let size: usize = 64 << 20;
    file.write_all_at(&vec![0; size], 0)?;
    file.sync_all()?;
    let batch = vec![0x5a; IN_FLIGHT * bytes];
    let (mut records, mut offset) = (0_usize, 0_usize);
    let begun = Instant::now();
    while begun.elapsed() < time {
        file.write_all_at(&batch, offset as u64)?;
        file.sync_data()?;
        records += IN_FLIGHT;
        offset = if offset + 2 * batch.len() > size { 0 } else { offset + batch.len() };
    }
    Ok(records as f64 / begun.elapsed().as_secs_f64())
}
