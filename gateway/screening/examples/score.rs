//! Scores labelled sentences: recall of leaks, flagged ok sentences, situational told from medical, per category.
//!
//! `cargo run --release -p screening --example score -- FILE… [--show]`: files of label, category, span and sentence.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a tool for developers")]

mod shared;

use std::collections::BTreeMap;

use screening::{Screener, default_against};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let show = arguments.iter().any(|argument| argument == "--show");
    let files = shared::lexicon();
    let start = std::time::Instant::now();
    let screener = Screener::build(&files).unwrap();
    println!("built in {:?}", start.elapsed());
    for file in arguments.iter().filter(|argument| !argument.starts_with("--")) {
        score(&screener, file, show);
    }
}

fn score(screener: &Screener, file: &str, show: bool) {
    let text = std::fs::read_to_string(file).unwrap();
    let mut table: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for line in text.lines().skip(1).filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [label, category, span, sentence] = columns.as_slice() else { panic!("four columns: {line}") };
        let sentence = &sentence.replace("\\n", "\n");
        let screened = screener.screen(sentence, default_against());
        let medical = screened.findings.iter().any(|finding| finding.class.is_medical());
        let situational = screened.findings.iter().any(|finding| !finding.class.is_medical());
        let right = match *label {
            "leak" => medical,
            "ok" => screened.is_clean(),
            "situational" => situational && !medical,
            "unscreenable" => screened.unscreenable.is_some() || medical,
            other => panic!("label {other}"),
        };
        for key in [(*label, *category), (*label, "(all)")] {
            let cell = table.entry((key.0.to_owned(), key.1.to_owned())).or_default();
            cell.0 += usize::from(right);
            cell.1 += 1;
        }
        if show && !right {
            let found: Vec<String> = screened
                .findings
                .iter()
                .map(|finding| {
                    format!("{}={}", finding.rule, sentence.get(finding.start..finding.end).unwrap_or("?"))
                })
                .collect();
            println!("{label}\t{category}\t{span}\t{sentence}\t{found:?} {:?}", screened.unscreenable);
        }
    }
    println!("{file}");
    for ((label, category), (right, all)) in &table {
        if category == "(all)" || !show {
            println!("  {label:12} {category:28} {right:4}/{all:4} {:.3}", *right as f64 / *all as f64);
        }
    }
}
