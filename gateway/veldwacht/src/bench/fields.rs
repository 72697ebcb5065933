//! `bench fields`: the filter beside other ways to take fields out of a message, on one nested dossier.
//!
//! Owns: the rounds. All ways run in one process with one allocator, interleaved, on the CPU time of one thread; the
//! median counts. Peers: `memcpy` (what cannot be beaten), prost on generated types, prost-reflect, and serde_json
//! on typed values (reading JSON of the same dossier). Used by the command, and by `cargo bench -p fields`, which
//! includes this file.

use std::hint::black_box;
use std::time::Duration;

use fields::{Account, Plan, PseudonymKey};
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use rustix::time::{ClockId, clock_gettime};

#[path = "../../../fields/benches/dossier.rs"]
mod dossier;

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

/// How many rounds of each are interleaved, and about how long one round of one way takes.
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(12);

const SIZES: [(&str, usize); 3] = [("2kB", 2_000), ("20kB", 20_000), ("1MB", 1_000_000)];

/// Measures; about ten seconds. Nothing, if the dossier cannot be filtered at all.
pub(crate) fn run() -> Option<Vec<Row>> {
    let contract = dossier::contract()?;
    let key = PseudonymKey::for_receiver(&[0; 32], &"00000099000000001000".parse().ok()?);
    let mut rows = Vec::new();
    for (name, size) in SIZES {
        rows.extend(beside_peers(contract, &key, name, size)?);
    }
    rows.push(many_rules(contract, &key)?);
    rows.push(large(contract, &key)?);
    Some(rows)
}

fn row(name: String, unit: &'static str, value: f64, peer: &'static str, peer_value: f64) -> Row {
    Row { name, value, unit, peer, peer_value, ratio: peer_value / value }
}

/// One way to do it, and what it took in each round, in nanoseconds a pass.
struct Way<'a> {
    pass: Box<dyn FnMut() -> Option<()> + 'a>,
    took: Vec<f64>,
}

impl<'a> Way<'a> {
    fn new(pass: impl FnMut() -> Option<()> + 'a) -> Way<'a> {
        Way { pass: Box::new(pass), took: Vec::new() }
    }

    /// Filters over and over into the same output.
    fn filter(plan: &'a Plan, input: &'a [u8], key: &'a PseudonymKey) -> Way<'a> {
        let (mut output, mut account) = (Vec::new(), Account::new());
        Way::new(move || plan.filter(black_box(input), key, &mut output, &mut account).ok())
    }

    fn round(&mut self, passes: usize) -> Option<f64> {
        let start = cpu_time();
        for _ in 0..passes {
            (self.pass)()?;
        }
        Some((cpu_time() - start).as_nanos() as f64 / passes as f64)
    }
}

/// The CPU time of this thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// The medians of all ways, in nanoseconds a pass.
fn measure(mut ways: Vec<Way<'_>>) -> Option<Vec<f64>> {
    let mut passes = Vec::new();
    for way in &mut ways {
        way.round(2)?;
        passes.push((ROUND.as_nanos() as f64 / way.round(3)?.max(1.0)).ceil() as usize);
    }
    for _ in 0..ROUNDS {
        for (way, passes) in ways.iter_mut().zip(&passes) {
            let took = way.round(*passes)?;
            way.took.push(took);
        }
    }
    for way in &mut ways {
        way.took.sort_by(f64::total_cmp);
    }
    ways.iter().map(|way| way.took.get(ROUNDS / 2).copied()).collect()
}

fn beside_peers(
    contract: &MessageDescriptor,
    key: &PseudonymKey,
    name: &str,
    size: usize,
) -> Option<Vec<Row>> {
    let made = dossier::dossier(size);
    let (input, json) = (made.encode_to_vec(), serde_json::to_vec(&made).ok()?);
    let parsed = DynamicMessage::decode(contract.clone(), input.as_slice()).ok()?;
    let count = dossier::count_fields(&parsed) as f64;
    let (filtering, keeping) = (dossier::filtering(contract).ok()?, dossier::keeping(contract).ok()?);
    let clearing = dossier::Clearing::of(contract);
    let [mut copy, mut typed, mut reflected, mut text] = [const { Vec::new() }; 4];
    let medians = measure(vec![
        Way::filter(&filtering, &input, key),
        Way::filter(&keeping, &input, key),
        Way::new(|| {
            copy.clear();
            copy.extend_from_slice(black_box(&input));
            black_box(&copy);
            Some(())
        }),
        Way::new(|| {
            let mut message = dossier::types::Dossier::decode(black_box(input.as_slice())).ok()?;
            dossier::clear(&mut message);
            typed.clear();
            message.encode(&mut typed).ok()
        }),
        Way::new(|| {
            let mut message = DynamicMessage::decode(contract.clone(), black_box(input.as_slice())).ok()?;
            clearing.clear(&mut message);
            reflected.clear();
            message.encode(&mut reflected).ok()
        }),
        Way::new(|| {
            let mut message: dossier::types::Dossier = serde_json::from_slice(black_box(&json)).ok()?;
            dossier::clear(&mut message);
            text.clear();
            serde_json::to_writer(&mut text, &message).ok()
        }),
    ])?;
    let [filter, keep, memcpy, prost, reflect, json] = medians.try_into().ok()?;
    let micros = |peer, what: &str, value: f64, peer_value: f64| {
        row(format!("fields/{name}/{what}"), "µs", value / 1e3, peer, peer_value / 1e3)
    };
    Some(vec![
        micros("prost decode, clear, encode", "filter/prost", filter, prost),
        micros("prost-reflect decode, clear, encode", "filter/prost-reflect", filter, reflect),
        micros("serde_json read, clear, write", "filter/serde_json", filter, json),
        micros("memcpy", "filter/memcpy", filter, memcpy),
        micros("filtering", "keep-all", keep, filter),
        row(format!("fields/{name}/a-field"), "ns", filter / count, "prost", prost / count),
    ])
}

/// The same dossier under a contract and a policy of 2,000 more fields.
fn many_rules(contract: &MessageDescriptor, key: &PseudonymKey) -> Option<Row> {
    let input = dossier::dossier(20_000).encode_to_vec();
    let large = dossier::contract_with(100)?;
    let (few, many) = (dossier::filtering(contract).ok()?, dossier::filtering(&large).ok()?);
    let medians = measure(vec![Way::filter(&many, &input, key), Way::filter(&few, &input, key)])?;
    let [many, few] = medians.try_into().ok()?;
    Some(row("fields/20kB/2000-more-rules".into(), "µs", many / 1e3, "without them", few / 1e3))
}

/// 64 MB, by the byte.
fn large(contract: &MessageDescriptor, key: &PseudonymKey) -> Option<Row> {
    let (large, small) =
        (dossier::dossier(64_000_000).encode_to_vec(), dossier::dossier(1_000_000).encode_to_vec());
    let plan = dossier::filtering(contract).ok()?;
    let medians = measure(vec![Way::filter(&plan, &large, key), Way::filter(&plan, &small, key)])?;
    let [of_large, of_small] = medians.try_into().ok()?;
    let (value, peer) = (of_large / large.len() as f64, of_small / small.len() as f64);
    Some(row("fields/64MB/a-byte".into(), "ns", value, "of 1 MB", peer))
}
