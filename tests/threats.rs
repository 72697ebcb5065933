//! `gateway/THREATS.md` is true: every row names a test that shows it, and every test that it names is there.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// Every function that stands under a test attribute, in all Rust files of the repository.
fn tests_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != "node_modules" && !name.starts_with('.') {
            tests_below(&path, found);
        } else if name.ends_with(".rs") {
            tests_in(&std::fs::read_to_string(&path).unwrap(), found);
        }
    }
}

fn tests_in(text: &str, found: &mut BTreeSet<String>) {
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        let attribute = line.starts_with("#[") || line.starts_with("#!");
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") || line.starts_with("#[rstest") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next();
            found.extend(name.map(str::to_owned));
            is_test = false;
        } else if !attribute && !line.starts_with("//") {
            is_test = false;
        }
    }
}

/// What stands between backticks and looks like the name of a test.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|word| {
        word.matches('_').count() >= 3 && word.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn every_threat_names_a_test_that_shows_it_and_every_test_is_there() {
    let text = std::fs::read_to_string(root().join("gateway/THREATS.md")).unwrap();
    let mut tests = BTreeSet::new();
    tests_below(&root(), &mut tests);
    assert!(tests.len() > 400, "only {} tests were found", tests.len());
    let missing: Vec<&str> = named(&text).filter(|name| !tests.contains(*name)).collect();
    assert!(missing.is_empty(), "named and not there: {missing:?}");
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let rows: Vec<&str> =
        rows.filter(|line| !line.starts_with("|---") && !line.starts_with("| wants |")).collect();
    assert!(rows.len() >= 30, "{} rows", rows.len());
    for row in rows {
        let shown_by = row.split('|').nth(3).unwrap_or_default();
        assert!(named(shown_by).next().is_some(), "no test shows this: {row}");
    }
}
