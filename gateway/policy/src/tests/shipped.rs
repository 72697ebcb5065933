//! The bundle that is shipped in `policies/`, with the contracts of `proto/`.

use std::path::Path;

use crate::{Files, Proven, Trust};

/// The shipped bundle, as the binary reads it.
pub(crate) fn shipped() -> Files {
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

#[test]
fn the_shipped_bundle_is_proven() {
    let start = std::time::Instant::now();
    let loaded = Proven::load_timed(&shipped(), &Trust::Draft, &|| start.elapsed());
    let proven = loaded.unwrap_or_else(|error| panic!("{error}"));
    println!("{}", proven.report());
    assert_eq!(proven.report().unclassified, Vec::<String>::new());
}

#[test]
fn every_test_beside_the_shipped_policies_passes() {
    let files = shipped();
    let proven = Proven::load(&files, &Trust::Draft).unwrap_or_else(|error| panic!("{error}"));
    let trial = crate::run_tests(&proven, &files).unwrap();
    let failures = trial.tests.iter().filter(|test| !test.failures.is_empty());
    let text: Vec<String> = failures
        .map(|test| format!("{} {}\n    {}", test.file, test.name, test.failures.join("\n    ")))
        .collect();
    assert!(trial.passed(), "untested: {:?}\n{}", trial.untested, text.join("\n"));
}

#[test]
fn sliced_decisions_on_the_shipped_bundle_are_cedars_decisions() {
    let candidate = super::proof::candidate(&shipped()).unwrap_or_else(|error| panic!("{error}"));
    let compared = super::proof::compare_with_cedar(&candidate, 4_999);
    assert!(compared > 100, "{compared}");
}

#[test]
fn the_matrix_gives_medical_data_to_medical_roles_only() {
    let proven = Proven::load(&shipped(), &Trust::Draft).unwrap_or_else(|error| panic!("{error}"));
    let rows = proven.matrix(None, None);
    let medical = rows.iter().filter(|row| row.class.is_medical() && row.form.is_some());
    let roles: std::collections::BTreeSet<&str> = medical.map(|row| row.role.as_str()).collect();
    assert_eq!(roles.into_iter().collect::<Vec<_>>(), ["behandelaar", "verzekeringsarts"]);
    let csv = crate::matrix_csv(&rows);
    assert!(csv.starts_with("purpose,sender,role,class,form,rule"));
    let line = "aanmelding,gemeente:klantmanager,coach,medisch.klacht,-,grens-medisch,rib:coach,X05,";
    assert!(csv.lines().any(|row| row == line), "{csv}");
    assert!(csv.lines().skip(1).all(|row| row.split(',').count() == 9));
    let html = crate::matrix_html(&rows);
    assert!(html.contains("<td>grens-medisch</td>") && html.contains("lang=\"nl\""));
    assert!(crate::matrix_table(&rows).contains("X05  aanmelding: gemeente:klantmanager → rib:coach"));
    let coach = proven.matrix(Some(&"aanmelding".parse().unwrap()), Some(&"coach".parse().unwrap()));
    assert!(!coach.is_empty() && coach.iter().all(|row| row.role.as_str() == "coach"));
}
