//! `bench exchange`: whole audited exchanges over mutual TLS, beside what the same disk does with the same bytes.
//!
//! Owns: the load (64 calls in flight over four connections of one system, each with its own assertion, signed while it is
//! measured) and the raw peer: `pwrite` and `fdatasync` of as many bytes as the journal wrote for one exchange, in batches
//! of 64. Rounds are interleaved and the median counts. The gateway is the demo's: nothing is switched off.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proto::veldwacht::exchange::v1 as wire;

use crate::bench::log::Row;
use crate::client::{Acting, Client};
use crate::demo::Stage;
use crate::document;
use crate::failure::{Doing, Failure, Outcome};

const IN_FLIGHT: usize = 64;
const CONNECTIONS: usize = 4;
const ROUNDS: usize = 3;
const DOCUMENT: &[u8] = include_bytes!("../../../../tests/data/documents/X05-aanmelding.json");

/// What everyone sends.
struct Load {
    clients: Vec<Client>,
    acting: Acting,
    request: wire::SendRequest,
}

/// Measures each round for `time`, with everything in a fresh folder below `dir`.
pub(crate) async fn run(dir: &Path, time: Duration) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(dir).unreachable(dir.display())?;
    let stage = Stage::set(folder.path()).await?;
    let load = Arc::new(load(&stage).await?);
    let (records, written) = (round(&load, time / 4).await?.len(), written(folder.path())?);
    let bytes = written / records.max(1);
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raw.push(raw_round(dir, bytes, time / 2).unreachable(dir.display())?);
        let begun = Instant::now();
        let mut took = round(&load, time).await?;
        let elapsed = begun.elapsed().as_secs_f64();
        took.sort_unstable();
        let at = |part: usize| took.get(took.len() * part / 100).map_or(f64::NAN, Duration::as_secs_f64);
        ours.push((took.len() as f64 / elapsed, at(50) * 1e6, at(99) * 1e6));
    }
    stage.take_down().await?;
    raw.sort_by(|one, other| one.total_cmp(other));
    ours.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (Some(raw), Some((rate, p50, p99))) = (raw.get(ROUNDS / 2), ours.get(ROUNDS / 2)) else {
        return Ok(Vec::new());
    };
    let row =
        |name: &str, value: f64, unit: &'static str, peer: &'static str, peer_value: f64, ratio: f64| {
            let name = format!("exchange/2.5kB/{IN_FLIGHT}/{name}");
            Row { name, value, unit, peer, peer_value, ratio }
        };
    let one = 1e6 / raw * IN_FLIGHT as f64;
    Ok(vec![
        row("rps", *rate, "rps", "pwrite + fdatasync", *raw, rate / raw),
        row("p50", *p50, "µs", "pwrite + fdatasync", one, one / p50),
        row("p99", *p99, "µs", "pwrite + fdatasync", one, one / p99),
    ])
}

async fn load(stage: &Stage) -> Outcome<Load> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
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
    Ok(Load { clients, acting: Acting { role, user: "bench".into(), big: None, spoed: None }, request })
}

/// How long each exchange took that was recorded and answered. One that is refused ends the benchmark.
async fn round(load: &Arc<Load>, time: Duration) -> Outcome<Vec<Duration>> {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..IN_FLIGHT)
        .map(|number| {
            let load = Arc::clone(load);
            tokio::spawn(async move { one_after_the_other(&load, number, begun, time).await })
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
    number: usize,
    begun: Instant,
    time: Duration,
) -> Outcome<Vec<Duration>> {
    let Some(client) = load.clients.get(number % CONNECTIONS) else { return Ok(Vec::new()) };
    let purpose = "aanmelding".parse().wrong("the purpose")?;
    let (mut calls, mut took) = (client.exchange(), Vec::new());
    while begun.elapsed() < time {
        let request = client.asserted(load.request.clone(), &load.acting, Some(&purpose))?;
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
