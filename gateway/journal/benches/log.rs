//! `cargo bench -p journal`: the rows of `veldwacht bench log`, one a line.

#[path = "../../veldwacht/src/bench/log.rs"]
mod log;

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
