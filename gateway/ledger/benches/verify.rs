//! How fast a whole log is verified on one core, and whether memory grows with it: `cargo bench -p ledger`.
//!
//! The log is made of a frozen record with every optional part. Peer in the same run: SHA-256 of the same bytes and
//! nothing else, the least that any verifier must do. Times are CPU time of the one thread, so that a busy machine
//! does not change them much; where the system does not tell it, the clock on the wall.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark prints, and may stop"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use ledger::{
    Algorithm, Checkpoint, Content, Digest, Frontier, KeyName, Leaf, NoteSigner, TILE_WIDTH, Trust,
    encode_entries, encode_hashes, leaf_hash, root_of, tiles_to_publish, verify,
};
use model::{ExchangeId, Timestamp};
use ring::signature::Ed25519KeyPair;

const ROUNDS: usize = 5;

fn main() {
    for (name, frozen) in [
        ("access", include_bytes!("../testdata/record-v1/access.json").as_slice()),
        ("sent", include_bytes!("../testdata/record-v1/sent.json").as_slice()),
    ] {
        for count in [20_000u64, 100_000] {
            measure(name, frozen, count);
        }
        convert(name, frozen);
    }
}

fn measure(name: &str, frozen: &[u8], count: u64) {
    let records = records(frozen, count);
    let (files, trust) = publish(&records);
    let memory = resident();
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let start = cpu_time();
        let mut bytes = 0;
        verify(&files, &trust, &mut |_, record| bytes += record.len()).expect("the log verifies");
        let ours = cpu_time() - start;
        let start = cpu_time();
        records.iter().for_each(|record| {
            black_box(Digest::of(record));
        });
        rates.push((count as f64 / ours, count as f64 / (cpu_time() - start), bytes));
    }
    rates.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (ours, peer, bytes) = rates[ROUNDS / 2];
    println!(
        "verify/{name}: {count} records of {} bytes: {ours:.0} records/s, SHA-256 alone {peer:.0} records/s, \
         ratio {:.2}; resident memory grew by {} kB",
        bytes as u64 / count,
        ours / peer,
        resident().saturating_sub(memory)
    );
}

/// A record to bytes and back: what the journal pays for each, and an auditor who reads instead of only verifying.
fn convert(name: &str, frozen: &[u8]) {
    const TIMES: u32 = 50_000;
    let leaf = Leaf::from_bytes(frozen).expect("a frozen record is read");
    let mut best = [f64::MAX; 2];
    for _ in 0..ROUNDS {
        let start = cpu_time();
        (0..TIMES).for_each(|_| assert!(black_box(&leaf).to_bytes().is_ok()));
        let written = cpu_time() - start;
        let start = cpu_time();
        (0..TIMES).for_each(|_| assert!(Leaf::from_bytes(black_box(frozen)).is_ok()));
        let times = [written, cpu_time() - start].map(|time| time * 1e9 / f64::from(TIMES));
        best = [best[0].min(times[0]), best[1].min(times[1])];
    }
    println!("leaf/{name}: to bytes {:.0} ns, from bytes {:.0} ns", best[0], best[1]);
}

fn records(frozen: &[u8], count: u64) -> Vec<Vec<u8>> {
    let mut leaf = Leaf::from_bytes(frozen).expect("a frozen record is read");
    let all = (0..count).map(|number| {
        leaf.exchange = ExchangeId::new(Timestamp::from_unix_millis(number as i64), [3; 10]);
        leaf.to_bytes().expect("the record fits")
    });
    all.collect()
}

fn publish(records: &[Vec<u8>]) -> (BTreeMap<String, Vec<u8>>, Trust) {
    let origin: KeyName = "log.example".parse().expect("a name");
    let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("a key");
    let signer = NoteSigner::new(&origin, &pair);
    let mut levels: Vec<Vec<Digest>> = vec![records.iter().map(|record| leaf_hash(record)).collect()];
    while let Some(below) = levels.last().filter(|below| below.len() >= 256) {
        levels.push(below.chunks_exact(256).map(root_of).collect());
    }
    let mut frontier = Frontier::new();
    levels[0].iter().for_each(|leaf| frontier.push(*leaf));
    let mut files = BTreeMap::new();
    for tile in tiles_to_publish(0, records.len() as u64) {
        let from = (tile.index * TILE_WIDTH) as usize;
        let range = from..from + usize::from(tile.width);
        let bytes = match tile.content {
            Content::Entries => {
                encode_entries(records[range].iter().map(Vec::as_slice)).expect("entries fit")
            }
            Content::Hashes(level) => encode_hashes(&levels[usize::from(level)][range]),
        };
        files.insert(tile.to_string(), bytes);
    }
    let checkpoint = Checkpoint { origin: origin.clone(), size: records.len() as u64, root: frontier.root() };
    let note = checkpoint.sign(&signer).expect("a note");
    files.insert("checkpoint".into(), note.to_string().into_bytes());
    (files, Trust::in_log(signer.verifier(Algorithm::Ed25519)))
}

/// Seconds that this thread has run.
fn cpu_time() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| START.get_or_init(Instant::now).elapsed().as_secs_f64(), |time| time / 1e9)
}

/// Resident memory in kB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
