//! The filter beside its peers, by criterion. `veldwacht bench fields` says the same in one line a comparison.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fields::{Account, PseudonymKey};
use prost::Message;
use prost_reflect::DynamicMessage;

mod dossier;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn filter(criterion: &mut Criterion) {
    let contract = dossier::contract().unwrap();
    let clearing = dossier::Clearing::of(contract);
    let key = PseudonymKey::for_receiver(&[0; 32], &"00000099000000001000".parse().unwrap());
    let mut group = criterion.benchmark_group("fields");
    for size in [2_000, 20_000, 1_000_000] {
        let input = dossier::dossier(size).encode_to_vec();
        let parsed = DynamicMessage::decode(contract.clone(), input.as_slice()).unwrap();
        group.throughput(Throughput::Elements(dossier::count_fields(&parsed) as u64));
        let (mut output, mut account) = (Vec::new(), Account::new());
        for (name, plan) in
            [("filter", dossier::filtering(contract)), ("keep-all", dossier::keeping(contract))]
        {
            let plan = plan.unwrap();
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| plan.filter(&input, &key, &mut output, &mut account).unwrap());
            });
        }
        group.bench_function(BenchmarkId::new("memcpy", size), |bencher| {
            bencher.iter(|| {
                output.clear();
                output.extend_from_slice(std::hint::black_box(&input));
            });
        });
        group.bench_function(BenchmarkId::new("prost", size), |bencher| {
            bencher.iter(|| {
                let mut message = dossier::types::Dossier::decode(input.as_slice()).unwrap();
                dossier::clear(&mut message);
                output.clear();
                message.encode(&mut output).unwrap();
            });
        });
        group.bench_function(BenchmarkId::new("prost-reflect", size), |bencher| {
            bencher.iter(|| {
                let mut message = DynamicMessage::decode(contract.clone(), input.as_slice()).unwrap();
                clearing.clear(&mut message);
                output.clear();
                message.encode(&mut output).unwrap();
            });
        });
        let json = serde_json::to_vec(&dossier::dossier(size)).unwrap();
        group.bench_function(BenchmarkId::new("serde_json", size), |bencher| {
            bencher.iter(|| {
                let mut message: dossier::types::Dossier = serde_json::from_slice(&json).unwrap();
                dossier::clear(&mut message);
                output.clear();
                serde_json::to_writer(&mut output, &message).unwrap();
            });
        });
    }
}

criterion_group!(benches, filter);
criterion_main!(benches);
