//! Measures this crate alone: how long the lexicon takes to be made ready, and MB/s on texts of 2 kB.
//!
//! `cargo run --release -p screening --example speed -- [--load] [FILE of prose…]`. CPU time of the thread; of loading, which
//! takes two threads, time by the clock on the wall. The best of the rounds counts, for a busy machine only adds. What the
//! gateway's own build reaches, `veldwacht bench screen` tells.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

mod shared;

use std::hint::black_box;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};
use screening::{Screener, default_against};

fn main() {
    let lexicon = shared::lexicon();
    let before = resident();
    let start = Instant::now();
    let screener = Screener::build(&lexicon).unwrap();
    println!("load {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    println!("resident {:.1} MB more", resident() - before);
    let (load_only, files): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word == "--load");
    if !load_only.is_empty() {
        return;
    }
    let again = (0..5).map(|_| {
        let start = Instant::now();
        black_box(Screener::build(&lexicon).unwrap());
        start.elapsed().as_secs_f64()
    });
    println!("load again {:.1} ms", again.fold(f64::INFINITY, f64::min) * 1e3);
    for name in ["tune", "heldout"] {
        let path = shared::root().join("tests/data/screening").join(name).with_extension("tsv");
        let sentences = std::fs::read_to_string(path).unwrap();
        for label in ["ok", "leak"] {
            let lines = sentences.lines().filter(|line| line.split('\t').next() == Some(label));
            let lines = lines.filter_map(|line| line.rsplit('\t').next());
            let of_label =
                |line: &&str| screener.screen(line, default_against()).is_clean() == (label == "ok");
            report(&format!("{name} {label}"), &screener, &texts(lines.filter(of_label)));
        }
    }
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        report(&file, &screener, &texts(text.lines()));
    }
}

/// Texts of 2 kB, made of whole lines.
fn texts<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut texts = vec![String::new()];
    for line in lines {
        if texts.last().is_some_and(|text| text.len() + line.len() > 2_000) {
            texts.push(String::new());
        }
        let text = texts.last_mut().unwrap();
        text.push_str(line);
        text.push(' ');
    }
    texts
}

fn report(name: &str, screener: &Screener, texts: &[String]) {
    let bytes: usize = texts.iter().map(String::len).sum();
    let times = 1 + 2_000_000 / bytes.max(1);
    let mut found = 0;
    let round = |found: &mut usize| {
        let start = now();
        for _ in 0..times {
            for text in texts {
                *found += black_box(screener.screen(black_box(text), default_against())).findings.len();
            }
        }
        now() - start
    };
    let best = (0..12).map(|_| round(&mut found)).fold(f64::INFINITY, f64::min);
    let speed = (bytes * times) as f64 / 1e6 / best;
    let found = found as f64 / (12 * times * bytes) as f64 * 2e3;
    println!("{name}: {speed:.1} MB/s, {:.1} kB, {found:.1} findings in 2 kB", bytes as f64 / 1e3);
}

/// Seconds of CPU time of this thread.
fn now() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Memory of this process, in MB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1e3
}
