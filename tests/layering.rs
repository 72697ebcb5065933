//! The tree is the architecture: which crate may know which, read from `cargo metadata`, and which crates must stay
//! free of I/O, clocks and randomness. The arrows are those of `gateway/ARCHITECTURE.md`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    [
        ("proto", &[][..]),
        ("model", &[][..]),
        ("identity", &["model"][..]),
        ("fields", &["model"][..]),
        ("screening", &["model"][..]),
        ("ledger", &["model"][..]),
        ("policy", &["fields", "model"][..]),
        ("journal", &["ledger", "model"][..]),
        ("oversight", &["identity", "policy", "screening", "journal", "ledger", "model"][..]),
        ("tlog", &["journal", "ledger", "model"][..]),
        (
            "exchange",
            &[
                "proto",
                "oversight",
                "identity",
                "policy",
                "fields",
                "screening",
                "journal",
                "ledger",
                "model",
            ][..],
        ),
        ("console", &["oversight", "identity", "policy", "screening", "journal", "ledger", "model"][..]),
    ]
    .into()
}

const PURE: [&str; 6] = ["model", "identity", "fields", "screening", "ledger", "policy"];

fn packages() -> Vec<serde_json::Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// Names of the normal dependencies of a package.
fn dependencies(package: &serde_json::Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    let normal = all.filter(|dependency| dependency["kind"].is_null());
    normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn crates_know_only_what_the_architecture_allows() {
    let allowed = allowed();
    let packages = packages();
    let ours: BTreeSet<String> =
        packages.iter().map(|package| package["name"].as_str().unwrap().to_owned()).collect();
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        if name == "veldwacht" {
            continue;
        }
        let may = allowed.get(name).unwrap_or_else(|| panic!("`{name}` is not in the architecture"));
        for known in dependencies(package).intersection(&ours) {
            assert!(may.contains(&known.as_str()), "`{name}` may not know `{known}`");
        }
    }
}

#[test]
fn pure_crates_have_no_io_no_clock_and_no_randomness() {
    let forbidden_crates = ["tokio", "tonic", "rustls", "sled", "getrandom", "rand", "hyper", "axum"];
    let forbidden_paths = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime::now",
        "Instant::now",
        "Timestamp::now", // jiff may convert moments; what time it is, callers say
        "Zoned::now",
        "SystemRandom",
    ];
    // Scoped threads share out work and end before the function does: it still depends on its arguments alone.
    let scoped =
        ["std::thread::scope(", "std::thread::Builder::new().spawn_scoped(", "std::thread::ScopedJoinHandle"];
    for package in packages().iter().filter(|package| PURE.contains(&package["name"].as_str().unwrap())) {
        let name = package["name"].as_str().unwrap();
        for bad in forbidden_crates {
            assert!(!dependencies(package).contains(bad), "`{name}` is pure and may not use `{bad}`");
        }
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().join("src");
        for file in sources(&folder) {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code = scoped.iter().fold(code.to_owned(), |code, part| code.replace(part, ""));
            for bad in forbidden_paths {
                assert!(!code.contains(bad), "{} is pure and may not use `{bad}`", file.display());
            }
        }
    }
}

#[test]
fn one_tls_one_grpc_and_no_openssl_in_the_tree() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let count = |name: &str| lock.lines().filter(|line| *line == format!("name = \"{name}\"")).count();
    for banned in ["openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"] {
        assert_eq!(count(banned), 0, "`{banned}` does not belong here: ring only");
    }
    for once in ["tonic", "prost", "axum", "rustls", "h2"] {
        assert_eq!(count(once), 1, "one `{once}` in the tree");
    }
}

#[test]
fn every_file_says_what_it_owns() {
    for package in packages() {
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
        let folder = manifest.parent().unwrap();
        let src = folder.join("src");
        for file in sources(if src.is_dir() { &src } else { folder }) {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//!"), "{} has no header", file.display());
        }
    }
}

/// The Rust files below a folder, but for those that hold tests or their helpers.
#[test]
fn only_a_benchmark_opens_a_journal_that_keeps_nothing() {
    let naming: Vec<_> = sources(&root().join("gateway"))
        .into_iter()
        .filter(|path| std::fs::read_to_string(path).unwrap().contains("discard:"))
        .map(|path| path.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    let mut naming: Vec<_> = naming.iter().map(String::as_str).collect();
    naming.sort_unstable();
    assert_eq!(naming, ["gateway/journal/src/journal.rs", "gateway/veldwacht/src/bench/ask/world.rs"]);
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() && name != "tests" && name != "testing" {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    found
}
