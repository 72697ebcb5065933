//! `bench screen`: screening of caseworkers' text in texts of 2 kB, without and with findings, beside DEDUCE.
//!
//! Owns: the texts (the sentences of tests/data/screening), the rounds (CPU time of one thread; the best counts, for a
//! busy machine only adds), and the run of the peer. DEDUCE looks for names, not for illness: it is the best-known
//! tool for Dutch text, not an equal. Without it on `python3` (or on `VELDWACHT_DEDUCE_PYTHON`) its rows are left out.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;
use std::process::{Command, Stdio};

use rustix::time::{ClockId, clock_gettime};
use screening::{LexiconError, Screener, default_against};

/// One comparison, as `bench --json` prints it; ours alone when there is no peer.
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
    /// Theirs, if it could be run.
    pub(crate) peer_value: Option<f64>,
    /// How many times better than the peer.
    pub(crate) ratio: Option<f64>,
}

const SENTENCES: &str = include_str!("../../../../tests/data/screening/tune.tsv");
const PEER: &str = include_str!("screen_peer.py");
const TEXT: usize = 2_000;
const ROUNDS: usize = 60;

/// Measures with this lexicon (file name to content); some ten seconds. The second part is a note for the reader.
pub(crate) fn run(lexicon: &BTreeMap<String, Vec<u8>>) -> Result<(Vec<Row>, Option<String>), LexiconError> {
    // by the clock on the wall: loading takes two threads
    let start = std::time::Instant::now();
    let screener = Screener::build(lexicon)?;
    let load = start.elapsed().as_secs_f64();
    let mut rows = vec![row("screen/load", load * 1e3, "ms", "goal", Some(200.0), |ours, goal| goal / ours)];
    let mut note = None;
    for (name, label) in [("screen/2kB/clean", "ok"), ("screen/2kB/findings", "leak")] {
        let texts = texts(&screener, label);
        let ours = megabytes_a_second(&screener, &texts);
        let peer = deduce(&texts);
        if peer.is_none() {
            note = Some("DEDUCE is not installed for python3; `pip install deduce` to compare".to_owned());
        }
        rows.push(row(name, ours, "MB/s", "DEDUCE 3", peer, |ours, peer| ours / peer));
    }
    Ok((rows, note))
}

fn row(
    name: &str,
    value: f64,
    unit: &'static str,
    peer: &'static str,
    peer_value: Option<f64>,
    ratio: fn(f64, f64) -> f64,
) -> Row {
    let ratio = peer_value.map(|peer| ratio(value, peer));
    Row { name: name.to_owned(), value, unit, peer, peer_value, ratio }
}

/// Texts of about 2 kB out of the sentences with this label; ok ones only if they are.
fn texts(screener: &Screener, label: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    for line in SENTENCES.lines().filter(|line| line.split('\t').next() == Some(label)) {
        let sentence = line.rsplit('\t').next().unwrap_or_default();
        if label == "ok" && !screener.screen(sentence, default_against()).is_clean() {
            continue;
        }
        if texts.last().is_some_and(|text| text.len() + sentence.len() > TEXT) {
            texts.push(String::new());
        }
        if let Some(text) = texts.last_mut() {
            text.push_str(sentence);
            text.push(' ');
        }
    }
    texts
}

fn megabytes_a_second(screener: &Screener, texts: &[String]) -> f64 {
    let bytes: usize = texts.iter().map(String::len).sum();
    let round = || {
        let start = now();
        for _ in 0..10 {
            for text in texts {
                black_box(screener.screen(black_box(text), default_against()));
            }
        }
        now() - start
    };
    let best = (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min);
    bytes as f64 * 10.0 / 1e6 / best
}

/// Seconds of CPU time of this thread.
fn now() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// What DEDUCE does on the same texts, in MB/s of CPU time.
fn deduce(texts: &[String]) -> Option<f64> {
    let python = std::env::var("VELDWACHT_DEDUCE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut peer = Command::new(python)
        .args(["-c", PEER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let lines: Vec<String> = texts.iter().filter_map(|text| serde_json::to_string(text).ok()).collect();
    // a peer that has given up does not read; its exit status says so below
    let _ = peer.stdin.take()?.write_all((lines.join("\n") + "\n").as_bytes());
    let output = peer.wait_with_output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
