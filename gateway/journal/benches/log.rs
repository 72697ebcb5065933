//! `cargo bench -p journal`: the rows of `veldwacht bench log`, one a line.

#[path = "../../veldwacht/src/bench/log.rs"]
mod log;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The one that the binary has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::io::Result<()> {
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(()); // `cargo test` runs it too: nothing to measure there
    }
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(2);
    let folder = tempfile::tempdir_in(std::env::var("BENCH_DIR").unwrap_or_else(|_| "/tmp".into()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // `BENCH_COUNT=20000`, and `BENCH_SENT=yes`: so many records and nothing else, for callgrind. What a record costs is the
    // difference of two counts.
    if let Some(records) = std::env::var("BENCH_COUNT").ok().and_then(|records| records.parse().ok()) {
        let make = if std::env::var_os("BENCH_SENT").is_some() { log::sent } else { log::audited };
        return runtime.block_on(counted(folder.path(), records, make));
    }
    // `BENCH_LONG=120`: only how a log that grew for so long is published, verified and opened again.
    let long = std::env::var("BENCH_LONG").ok().and_then(|seconds| seconds.parse().ok());
    let rows = match long {
        Some(long) => runtime.block_on(log::published(folder.path(), Duration::from_secs(long))),
        None => runtime.block_on(log::run(folder.path(), Duration::from_secs(seconds))),
    }?;
    for row in rows {
        let line = serde_json::to_string(&row).map_err(std::io::Error::other)?;
        std::io::Write::write_all(&mut std::io::stdout().lock(), format!("{line}\n").as_bytes())?;
    }
    Ok(())
}

/// Records so many, 64 at a time, and closes the journal.
async fn counted(folder: &Path, records: u64, make: fn(u64) -> journal::Commit) -> std::io::Result<()> {
    let journal = log::open(folder)?;
    let next = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..64)
        .map(|_| {
            let (journal, next) = (Arc::clone(&journal), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= records {
                        return std::io::Result::Ok(());
                    }
                    let _ = journal.commit(make(number)).await.map_err(std::io::Error::other)?;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.map_err(std::io::Error::other)??;
    }
    Ok(())
}
