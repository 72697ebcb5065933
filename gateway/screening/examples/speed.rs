//! Where the time goes: building, and screening 2 kB texts with and without findings.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]
use screening::{Screener, default_against};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files: BTreeMap<String, Vec<u8>> = std::fs::read_dir(root.join("policies/lexicon"))
        .unwrap()
        .map(|e| e.unwrap())
        .map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap()))
        .collect();
    for _ in 0..3 {
        let t = Instant::now();
        let _s = Screener::build(&files).unwrap();
        println!("build {:?}", t.elapsed());
    }
    let s = Screener::build(&files).unwrap();
    let mut clean = String::new();
    let mut full = String::new();
    for f in ["tune.tsv", "heldout.tsv"] {
        for line in
            std::fs::read_to_string(root.join("tests/data/screening").join(f)).unwrap().lines().skip(1)
        {
            let c: Vec<&str> = line.split('\t').collect();
            if c[0] == "ok" && s.screen(c[3], default_against()).is_clean() {
                clean.push_str(c[3]);
                clean.push(' ');
            }
            if c[0] == "leak" {
                full.push_str(c[3]);
                full.push(' ');
            }
        }
    }
    for (n, text) in [("clean", &clean), ("full", &full)] {
        let texts: Vec<String> =
            text.as_bytes().chunks(2048).map(|c| String::from_utf8_lossy(c).into_owned()).collect();
        let bytes: usize = texts.iter().map(String::len).sum();
        let mut best = f64::MAX;
        let mut found = 0;
        for _ in 0..200 {
            let t = Instant::now();
            found = 0;
            for x in &texts {
                found += s.screen(x, default_against()).findings.len();
            }
            best = best.min(t.elapsed().as_secs_f64());
        }
        println!(
            "{n} {} texts {bytes} bytes {found} findings {:.1} MB/s",
            texts.len(),
            bytes as f64 / best / 1e6
        );
    }
}
