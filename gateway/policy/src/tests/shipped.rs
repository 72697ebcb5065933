//! The bundle that is shipped in `policies/`, with the contracts of `proto/`.

use std::path::Path;

use policy::{Files, Proven, Trust};

/// The shipped bundle, as the binary reads it.
fn shipped() -> Files {
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
    let proven = Proven::load(&shipped(), &Trust::Draft).unwrap_or_else(|error| panic!("{error}"));
    println!("{:?}", proven.report());
    assert_eq!(proven.report().unclassified, Vec::<String>::new());
}
