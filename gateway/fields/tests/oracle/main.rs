//! The filter against an oracle: what a standard parser sees after the filter is what it would see after parsing,
//! clearing what is withheld, and serialising. Over generated contracts, policies and bytes.
//!
//! The same cases serve the fuzzer (`fuzz/`), whose corpus is replayed here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

mod bytes;
mod check;
mod choices;
mod reference;
mod world;

use check::{Case, check};
use choices::noise;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_bytes_give_what_the_oracle_gives(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        check(&data);
    }
}

/// Cases that once told the two apart, and what the fuzzer found worth keeping.
#[test]
fn the_corpus_of_the_fuzzer_gives_what_the_oracle_gives() {
    let mut replayed = 0;
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/same")).unwrap() {
        check(&std::fs::read(file.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed >= 7, "the corpus is not there");
}

/// `FIELDS_CASES=10000000 cargo test -p fields --test oracle --release -- many` runs for long.
#[test]
fn many_cases_give_what_the_oracle_gives_and_most_of_them_pass_something() {
    let cases = std::env::var("FIELDS_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60_000u64);
    let first = std::env::var("FIELDS_FIRST").ok().and_then(|first| first.parse().ok()).unwrap_or(0u64);
    let (mut passed, mut refused, mut bytes) = (0u64, 0u64, 0usize);
    for seed in first..first + cases {
        let noise = noise(seed, 64 + seed as usize % 700);
        let case = std::panic::catch_unwind(|| check(&noise)).unwrap_or_else(|_| panic!("case {seed} fails"));
        match case {
            Case::Refused => refused += 1,
            Case::Passed { bytes: len } => (passed, bytes) = (passed + u64::from(len > 0), bytes + len),
        }
    }
    println!("{cases} cases: {passed} passed something, {refused} were refused, {bytes} bytes came out");
    assert!(passed * 3 > cases, "too few cases pass anything");
    assert!(refused * 50 > cases, "too few cases are refused");
}
