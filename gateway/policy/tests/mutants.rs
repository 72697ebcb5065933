//! What if somebody changes one thing in the shipped bundle? Every change that would let a diagnosis or a BSN out is
//! refused at load. `policy check` does and prints the same for any bundle.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use policy::{Files, Tally, mutants};

fn files() -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Files::new();
    add(&mut files, &root.join("policies"), "", |_| true);
    add(&mut files, &root.join("proto"), "contracts/", |name| name.ends_with(".proto"));
    files
}

fn add(files: &mut Files, folder: &Path, prefix: &str, wanted: fn(&str) -> bool) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            add(files, &path, &format!("{name}/"), wanted);
        } else if wanted(&name) {
            files.insert(name, std::fs::read(path).unwrap());
        }
    }
}

fn judged(files: &Files) -> Tally {
    let mutants = mutants(files);
    let next = AtomicUsize::new(0);
    let tally = Mutex::new(Tally::default());
    let work = || {
        while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
            let verdict = mutant.judge();
            tally.lock().unwrap().add(mutant, verdict);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    tally.into_inner().unwrap()
}

#[test]
fn no_single_change_of_the_shipped_bundle_lets_a_diagnosis_or_a_bsn_out() {
    let tally = judged(&files());
    println!("{tally}");
    assert!(tally.leaks.is_empty(), "{tally}");
    assert!(
        tally.tried() > 250 && tally.proof > 30 && tally.before > 0,
        "mutants really are caught: {tally}"
    );
}
