//! How long a load takes with 50 and with 500 rules, how many requests are decided a second, and what the hot path
//! costs. Medians of five; `cargo bench -p policy`. The bundle is the shipped one; for 500 rules its own are repeated.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops when something is wrong"
)]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use policy::{Files, ProofReport, Proven, Trust, with_rules};

fn main() {
    let shipped = read_shipped();
    println!(
        "rules  decisions  load ms (read, evaluate, decide, compile, prove)  million decisions a second"
    );
    for rules in [50, 500] {
        let files = with_rules(&shipped, rules);
        let mut reports: Vec<ProofReport> = (0..5).map(|_| load(&files).report().clone()).collect();
        reports.sort_by_key(ProofReport::took);
        let report = reports.get(2).unwrap();
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        println!(
            "{:>5}  {:>9}  {:>7.1} ({:.1}, {:.1}, {:.1}, {:.1}, {:.1})  {:.1}",
            report.rules,
            report.decisions,
            ms(report.took()),
            ms(report.reading),
            ms(report.evaluating),
            ms(report.deciding),
            ms(report.compiling),
            ms(report.proving),
            report.decisions_per_second().unwrap_or_default() / 1e6,
        );
    }
    let proven = load(&shipped);
    let situations = proven.situations();
    let mut rounds: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..2000 {
                for situation in &situations {
                    let _ = black_box(proven.compiled(black_box(situation)));
                }
            }
            start.elapsed().as_secs_f64() * 1e9 / (2000 * situations.len()) as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("hot path: {:.1} ns a look-up over {} situations", rounds.get(2).unwrap(), situations.len());
}

fn load(files: &Files) -> Proven {
    let start = Instant::now();
    Proven::load_timed(files, &Trust::Draft, &|| start.elapsed()).unwrap()
}

fn read_shipped() -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Files::new();
    add(&mut files, &root.join("policies"), "");
    add(&mut files, &root.join("proto"), "contracts/");
    files.retain(|name, _| !name.starts_with("contracts/") || name.ends_with(".proto"));
    files
}

fn add(files: &mut Files, folder: &Path, prefix: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            add(files, &path, &format!("{name}/"));
        } else {
            files.insert(name, std::fs::read(path).unwrap());
        }
    }
}
