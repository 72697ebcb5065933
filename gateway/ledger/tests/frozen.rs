//! What was once written stays readable: the frozen examples of `testdata`, read from disk as an auditor would.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its examples has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ledger::{
    Census, Digest, Kind, Leaf, Receipt, SealedPart, TileSource, Trust, Unreadable, VerifierKey, verify,
    verify_records,
};

/// Files of sums, which together have those of all other files, and the digest of each. When this test fails, an
/// example was changed: put it back, and give the new form a version and a file of sums of its own.
const SUMS: [(&str, &str); 4] = [
    ("SHA256SUMS", "c239e249a7f563ae9896447c4041fcee7bfefc899659ff3e9e2cceec111eb6ef"),
    ("SHA256SUMS-v2", "7010a094aa3553621cfb6d7ba55343b42d3e2fb9368a1412432c2ff6ea42a301"),
    ("SHA256SUMS-v2-change", "70df5f154e3ca3d5f73b68c161da3f204eacf4165c88910380a60e9664412e96"),
    ("SHA256SUMS-v2-traject", "4f25997907f34b964cee8623d6ca54a8a31ef7e2254c3002f3e1a705e71f4185"),
];

/// Kinds that came to the record when version 2 was the newest.
const LATER: [Kind; 3] = [Kind::Change, Kind::Escape, Kind::Traject];

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn text(name: &str) -> String {
    fs::read_to_string(testdata().join(name)).unwrap()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// A folder as a source of tiles.
struct Folder(PathBuf);

impl TileSource for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable> {
        fs::read(self.0.join(path)).map_err(|_| Unreadable::Missing)
    }
}

/// The files of the frozen log in memory, to be damaged.
fn log() -> BTreeMap<String, Vec<u8>> {
    let root = testdata().join("log-v1");
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    files_below(&root).iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

fn policy() -> Trust {
    Trust::parse(&text("log-v1.policy")).unwrap()
}

#[test]
fn no_frozen_file_was_changed_added_or_removed() {
    let mut wanted = Vec::new();
    for (name, digest) in SUMS {
        let sums = text(name);
        assert_eq!(Digest::of(sums.as_bytes()).to_string(), digest, "{name}");
        wanted.extend(sums.lines().map(str::to_owned));
    }
    let listed = |path: &Path| {
        let name = path.strip_prefix(testdata()).unwrap().to_str().unwrap().to_owned();
        (!name.starts_with("SHA256SUMS") && !["README.md", ".gitattributes"].contains(&name.as_str()))
            .then(|| format!("{}  {name}", Digest::of(&fs::read(path).unwrap())))
    };
    let mut found: Vec<String> = files_below(&testdata()).iter().filter_map(|path| listed(path)).collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn every_frozen_record_is_read_and_written_alike() {
    let was_there = |(version, kind): &(&str, &Kind)| *version != "v1" || !LATER.contains(kind);
    let all = ["v1", "v2"].into_iter().flat_map(|version| Kind::ALL.iter().map(move |kind| (version, kind)));
    for (version, kind) in all.filter(was_there) {
        let bytes = fs::read(testdata().join(format!("record-{version}/{kind}.json"))).unwrap();
        let leaf = Leaf::from_bytes(&bytes).unwrap();
        assert_eq!((leaf.kind(), format!("v{}", u16::from(leaf.v))), (*kind, version.to_owned()));
        assert_eq!(leaf.to_bytes().unwrap(), bytes, "{kind}");
    }
    let bytes = fs::read(testdata().join("sealed-v1/sent.json")).unwrap();
    assert_eq!(*SealedPart::from_bytes(&bytes).unwrap().to_bytes().unwrap(), bytes);
}

#[test]
fn the_frozen_log_verifies_with_its_key_and_with_its_trust_file() {
    let key: VerifierKey = text("log-v1.vkey").trim().parse().unwrap();
    let mut census = Census::default();
    let folder = Folder(testdata().join("log-v1"));
    let verified = verify_records(&folder, &Trust::in_log(key), &mut |_, leaf| census.add(&leaf)).unwrap();
    assert_eq!((verified.checkpoint().size, census.records), (300, 300));
    assert_eq!(
        census.kinds.len(),
        Kind::ALL.len() - LATER.len(),
        "every kind that there was when it was written"
    );
    let verified = verify(&folder, &policy(), &mut |_, _| ()).unwrap();
    assert_eq!(verified.trusted().witnesses().len(), 2);
}

#[test]
fn a_frozen_log_without_one_of_its_witnesses_is_not_enough() {
    let mut files = log();
    let checkpoint = String::from_utf8(files["checkpoint"].clone()).unwrap();
    let without: String = checkpoint
        .lines()
        .filter(|line| !line.contains("w2.example"))
        .map(|line| format!("{line}\n"))
        .collect();
    files.insert("checkpoint".into(), without.into_bytes());
    let error = verify(&files, &policy(), &mut |_, _| ()).unwrap_err();
    assert!(error.to_string().contains("1 trusted witnesses have cosigned"), "{error}");
}

#[test]
fn the_frozen_receipt_proves_its_record() {
    let text = text("log-v1-record-257.tlog-proof");
    let receipt = Receipt::parse(text.as_bytes()).unwrap();
    assert_eq!(receipt, Receipt { note: receipt.note.clone(), ..Receipt::make(&log(), 257).unwrap() });
    let proven = receipt.check(&policy(), None).unwrap();
    assert_eq!(proven.index(), 257);
    assert!(Leaf::from_bytes(proven.record()).is_ok());
}

#[test]
fn every_damaged_copy_is_told_apart() {
    let cases = text("log-v1-damaged.tsv");
    let mut seen = 0;
    for case in cases.lines().filter(|line| !line.starts_with('#')) {
        let [how, file, detail, says]: [&str; 4] = case.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let mut files = log();
        match how {
            "flip" => files.get_mut(file).unwrap()[detail.parse::<usize>().unwrap()] ^= 1,
            "cut" => files.get_mut(file).unwrap().truncate(detail.parse().unwrap()),
            "gone" => drop(files.remove(file).unwrap()),
            "swap" => {
                let (one, other) = (files.remove(file).unwrap(), files.remove(detail).unwrap());
                files.insert(file.into(), other);
                files.insert(detail.into(), one);
            }
            other => unreachable!("{other}"),
        }
        let error = verify(&files, &policy(), &mut |_, _| ()).unwrap_err().to_string();
        assert!(error.contains(says), "{how} {file} {detail}: {error}");
        seen += 1;
    }
    assert_eq!(seen, 14);
}
