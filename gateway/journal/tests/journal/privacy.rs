//! Names, BSNs and diagnoses never stand in a file: planted ones are searched for in every file of the folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::{Consent, Timestamp};

use crate::support::*;

fn every_file(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(every_file(&path));
        } else {
            files.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    files
}

/// The forms in which a value could stand somewhere.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let utf16 = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let hexadecimal = hex::encode(value).into_bytes();
    let digest = ledger::Digest::of(value.as_bytes());
    let encoded = BASE64.encode(value).trim_end_matches('=').as_bytes().to_vec();
    let guesses = [encoded, hexadecimal, digest.0.to_vec(), hex::encode(digest.0).into_bytes()];
    [value.as_bytes().to_vec(), utf16].into_iter().chain(guesses).collect()
}

fn find_in(folder: &Path, planted: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, bytes) in every_file(folder) {
        for value in planted {
            for form in forms(value) {
                if bytes.windows(form.len()).any(|window| window == form) {
                    found.push(format!("{value} in {}", path.display()));
                }
            }
        }
    }
    found
}

#[tokio::test]
async fn nothing_that_identifies_stands_in_any_file_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let document = format!("{{\"bsn\":\"{BSN}\",\"diagnose\":\"{DIAGNOSIS}\"}}");
    let commit = sent(&journal, 1, BSN, &[arts(), coach()], document.as_bytes());
    let _ = journal.commit(commit).await.unwrap();
    let grant = consent(&journal, 2, ledger::ConsentKind::Beroepsgeheim, Consent::Verleend, None);
    let _ = journal.commit(grant).await.unwrap();
    let waiting = journal.waiting(&arts(), None, 1).unwrap().remove(0);
    let acknowledgement = acknowledged(&waiting);
    let _ = journal.acknowledge(acknowledgement, waiting.client, identified(BSN)).await.unwrap();
    let _ = journal.expire(Timestamp::from_unix_millis(i64::MAX)).await.unwrap();
    drop(publisher(&journal));
    drop(journal);
    drop(open(folder.path())); // and once more, for what start-up and the end write
    let planted = [BSN, DIAGNOSIS, USER, "Testenburg", document.as_str(), "a master secret of tests"];
    assert_eq!(find_in(folder.path(), &planted), Vec::<String>::new());
    let paths: Vec<_> = every_file(folder.path()).into_iter().map(|(path, _)| path).collect();
    for name in ["journal", "keys", "views", "log"] {
        assert!(
            paths.iter().any(|path| path.starts_with(folder.path().join(name))),
            "{name} was not searched"
        );
    }
    std::fs::write(folder.path().join("planted"), format!("x{DIAGNOSIS}y")).unwrap();
    assert_eq!(find_in(folder.path(), &planted).len(), 1, "the search itself must find what is there");
}

/// Every value in a public record, at whatever depth.
fn values(record: &serde_json::Value, found: &mut BTreeSet<String>) {
    match record {
        serde_json::Value::Object(fields) => fields.values().for_each(|value| values(value, found)),
        serde_json::Value::Array(items) => items.iter().for_each(|value| values(value, found)),
        value => drop(found.insert(value.to_string())),
    }
}

/// Who has the public log must not be able to group the records of one unnamed client: two exchanges of one client
/// have nothing in common that two exchanges of two clients have not.
#[tokio::test]
async fn two_exchanges_of_one_client_share_nothing_in_public() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for (number, client) in [(1, BSN), (2, BSN), (3, OTHER_BSN)] {
        let _ = journal.commit(sent(&journal, number, client, &[arts()], b"the same")).await.unwrap();
    }
    let grants = [(4, Consent::Verleend), (5, Consent::Verleend)];
    for (number, state) in grants {
        let kind = ledger::ConsentKind::Beroepsgeheim;
        let _ = journal.commit(consent(&journal, number, kind, state, None)).await.unwrap();
    }
    drop(publisher(&journal));
    let public = std::fs::read(folder.path().join("log/tile/entries/000.p/5")).unwrap();
    let records: Vec<BTreeSet<String>> = ledger::entries(&public)
        .map(|entry| {
            let mut found = BTreeSet::new();
            values(&serde_json::from_slice(entry.unwrap().1).unwrap(), &mut found);
            found
        })
        .collect();
    let shared = |one: usize, other: usize| &records[one] & &records[other];
    assert_eq!(shared(0, 1), shared(0, 2), "a client's two exchanges have more in common than two clients'");
    let keyed =
        |value: &String| value.len() >= 32 && value.trim_matches('"').bytes().all(|b| b.is_ascii_hexdigit());
    let bundle = format!("\"{}\"", ledger::Digest([1; 32]));
    for (one, other) in (0..5).flat_map(|one| (0..one).map(move |other| (one, other))) {
        let alike: Vec<_> =
            shared(one, other).into_iter().filter(|value| keyed(value) && *value != bundle).collect();
        assert_eq!(alike, Vec::<String>::new(), "records {one} and {other}");
    }
    // Within the gateway they are found together all the same, also by views that are built again.
    drop(journal);
    std::fs::remove_dir_all(folder.path().join("views")).unwrap();
    let journal = open(folder.path());
    let client = Some(journal.pseudonym(&bsn(BSN)));
    let wanted = journal::Criteria { client, ..Default::default() };
    assert_eq!(journal.search(&wanted, None, 10).unwrap(), [0, 1, 3, 4]);
}

#[tokio::test]
async fn no_error_and_no_debug_form_shows_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let commit = sent(&journal, 1, BSN, &[arts()], DIAGNOSIS.as_bytes());
    let shown = format!("{commit:?}");
    let _ = journal.commit(commit).await.unwrap();
    let reused = journal.commit(sent(&journal, 1, BSN, &[arts()], b"other")).await.unwrap_err();
    let opened = journal.open_record(0).unwrap();
    let waiting = journal.waiting(&arts(), None, 1).unwrap();
    let shown = format!("{shown} {reused} {reused:?} {opened:?} {waiting:?}");
    for value in [BSN, DIAGNOSIS, USER] {
        assert!(!shown.contains(value));
    }
}

/// Every wrap and every box that was made under an ended epoch stays closed, whatever copy it stands in.
#[tokio::test]
async fn after_an_erasure_no_key_is_left_that_opens_the_client() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let _ = journal.commit(sent(&journal, 1, BSN, &[arts()], DIAGNOSIS.as_bytes())).await.unwrap();
    let old_ring = std::fs::read(folder.path().join("keys/ring")).unwrap();
    let client = journal.pseudonym(&bsn(BSN));
    let erasure = journal::Erasure { client, leaf: erased(2), sealed: Default::default() };
    let _ = journal.erase(erasure, &|_| None).await.unwrap();
    drop(journal);
    let ring = std::fs::read(folder.path().join("keys/ring")).unwrap();
    assert_ne!(old_ring[16..64], ring[16..64], "the epoch has ended");
    let journal = open(folder.path());
    assert!(journal.open_record(0).unwrap().erased);
    // The views are built again from frames that still hold the old wrap: it opens nothing.
    drop(journal);
    std::fs::remove_dir_all(folder.path().join("views")).unwrap();
    let journal = open(folder.path());
    assert!(journal.open_record(0).unwrap().erased);
    assert!(journal.waiting(&arts(), None, 10).unwrap().is_empty());
    // The same person may come back, under a new key.
    let _ = journal.commit(sent(&journal, 3, BSN, &[arts()], b"new")).await.unwrap();
    drop(journal);
    let journal: Arc<journal::Journal> = open(folder.path());
    let waiting = journal.waiting(&arts(), None, 10).unwrap();
    assert_eq!(journal.open_document(&waiting[0]).unwrap().as_slice(), b"new");
    assert!(journal.open_record(0).unwrap().erased);
}
