//! Frozen folders of every version of the files, whole and damaged: never changed, always told apart.
//!
//! `VELDWACHT_FREEZE=v3 cargo test -p journal --test journal freeze` writes the folders of a new version. Version 1 has
//! records of version 1, with one key id for each client; version 2 has one for each record.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{Journal, Options, Publisher, check};
use ledger::{ConsentKind, Trust};
use model::Consent;

use crate::support::*;

const VERSIONS: [&str; 2] = ["v1", "v2"];

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn options_of(folder: &Path) -> Options {
    Options { segment_size: 16 << 10, keep_views: false, ..options(folder) }
}

/// A copy to open: opening a folder may cut a torn tail, and a frozen one is never changed.
fn copy(name: &str) -> tempfile::TempDir {
    let target = tempfile::tempdir().unwrap();
    copy_folder(&testdata().join(name), target.path());
    target
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy_folder(&path, &to.join(name));
        } else if name != "lock" && name != "next.tmp" {
            std::fs::copy(path, to.join(name)).unwrap();
        }
    }
}

fn trust() -> Trust {
    Trust::in_log(log_key().verifier())
}

/// Ten records: seven documents, one of them collected, a consent, and an erasure.
async fn make(folder: &Path) {
    let journal = Arc::new(Journal::open(options_of(folder)).unwrap());
    for number in 0..7 {
        let client = if number == 2 { OTHER_BSN } else { BSN };
        let document = format!("document {number}");
        let _ = journal.commit(sent(&journal, number, client, &[arts()], document.as_bytes())).await.unwrap();
    }
    let first = journal.waiting(&arts(), None, 1).unwrap().remove(0);
    let _ = journal.acknowledge(acknowledged(&first), first.client, identified(BSN)).await.unwrap();
    let _ = journal
        .commit(consent(&journal, 8, ConsentKind::Beroepsgeheim, Consent::Verleend, None))
        .await
        .unwrap();
    let erasure = journal::Erasure {
        client: journal.pseudonym(&bsn(OTHER_BSN)),
        leaf: erased(9),
        sealed: Default::default(),
    };
    let _ = journal.erase(erasure, &|_| None).await.unwrap();
    drop(Publisher::open(journal, log_key(), &[]).unwrap());
}

#[tokio::test]
async fn freeze() {
    let Ok(version) = std::env::var("VELDWACHT_FREEZE") else { return };
    let folder = testdata().join(version);
    let whole = folder.join("whole");
    assert!(!whole.exists(), "frozen folders are never changed");
    let made = tempfile::tempdir().unwrap();
    make(made.path()).await;
    copy_folder(made.path(), &whole);
    let segment = "journal/00000000000000000000.seg";
    let damaged = |name: &str, file: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let target = folder.join(name);
        copy_folder(&whole, &target);
        let mut bytes = std::fs::read(target.join(file)).unwrap();
        change(&mut bytes);
        std::fs::write(target.join(file), bytes).unwrap();
    };
    damaged("broken-frame", segment, &|bytes| bytes[64 + 100] ^= 1);
    damaged("broken-last-frame", segment, &|bytes| {
        let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[last - 20] ^= 1;
    });
    damaged("other-version", segment, &|bytes| bytes[8] = 99);
    damaged("short-journal", segment, &|bytes| {
        let frame = |at: usize| {
            (24 + u32::from_le_bytes(*bytes[at..].first_chunk().unwrap()) as usize).next_multiple_of(8)
        };
        let third = (0..3).fold(64, |at, _| at + frame(at));
        bytes[third..].fill(0);
    });
    damaged("broken-ring", "keys/ring", &|bytes| bytes[30] ^= 1);
    damaged("ring-of-another-version", "keys/ring", &|bytes| bytes[8] = 99);
    damaged("flipped-hash", "log/tile/0/000.p/10", &|bytes| bytes[3 * 32] ^= 1);
    damaged("other-entry", "log/tile/entries/000.p/10", &|bytes| {
        let at = bytes.windows(9).position(|window| window == b"\"count\":1").unwrap();
        bytes[at + 8] = b'2';
    });
    damaged("forged-checkpoint", "log/checkpoint", &|bytes| {
        let at = bytes.windows(4).position(|window| window == b"\n10\n").unwrap();
        bytes[at + 2] = b'1';
    });
    std::fs::rename(folder.join("whole/log"), folder.join("kept")).unwrap();
    copy_folder(&whole, &folder.join("torn-tail")); // nothing was published yet, and the last flush was lost
    std::fs::rename(folder.join("kept"), folder.join("whole/log")).unwrap();
    let torn = folder.join("torn-tail").join(segment);
    let mut bytes = std::fs::read(&torn).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[last - 20] ^= 1;
    std::fs::write(torn, bytes).unwrap();
}

#[tokio::test]
async fn a_whole_folder_of_every_version_gives_every_answer_and_goes_on() {
    for version in VERSIONS {
        gives_every_answer(version).await;
    }
}

async fn gives_every_answer(version: &str) {
    let folder = copy(&format!("{version}/whole"));
    let checked = check(folder.path(), &trust()).unwrap();
    assert_eq!((checked.records, checked.published.unwrap().size), (10, 10));
    let journal = Arc::new(Journal::open(options_of(folder.path())).unwrap());
    let waiting = journal.waiting(&arts(), None, 100).unwrap();
    assert_eq!(waiting.iter().map(|waiting| waiting.index).collect::<Vec<_>>(), [1, 3, 4, 5, 6]);
    for one in &waiting {
        let document = format!("document {}", one.index);
        assert_eq!(journal.open_document(one).unwrap().as_slice(), document.as_bytes());
    }
    assert_eq!(journal.open_record(0).unwrap().sealed.unwrap().user.as_deref(), Some(USER));
    assert_eq!(format!("v{}", u16::from(journal.open_record(0).unwrap().leaf.v)), version);
    assert!(journal.open_record(2).unwrap().erased);
    assert_eq!(journal.erased(journal.pseudonym(&bsn(OTHER_BSN))).unwrap(), Some(9));
    let purpose = "re-integratie".parse().unwrap();
    let consents = journal.consents(journal.pseudonym(&bsn(BSN)), &coach(), &purpose, NOW).unwrap();
    assert_eq!(
        (consents.beroepsgeheim, consents.gezondheidsgegevens),
        (Consent::Verleend, Consent::Onbekend)
    );
    let mut publisher = Publisher::open(Arc::clone(&journal), log_key(), &[]).unwrap();
    let _ = journal.commit(sent(&journal, 50, BSN, &[arts()], b"goes on")).await.unwrap();
    assert_eq!(publisher.publish().unwrap().size, 11);
    assert!(ledger::verify(&publisher.files(), &trust(), &mut |_, _| ()).is_ok());
    // Records of the old version and of the new one, side by side: each opens, and all are found.
    let client = Some(journal.pseudonym(&bsn(BSN)));
    let found = journal.search(&journal::Criteria { client, ..Default::default() }, None, 100).unwrap();
    assert_eq!(found, [0, 1, 3, 4, 5, 6, 7, 8, 10]);
    assert!(found.iter().all(|index| journal.open_record(*index).unwrap().sealed.is_some()));
    let last = journal.waiting(&arts(), None, 100).unwrap().pop().unwrap();
    assert_eq!(journal.open_document(&last).unwrap().as_slice(), b"goes on");
    assert_eq!(u16::from(journal.open_record(10).unwrap().leaf.v), 2);
}

#[test]
fn a_torn_tail_of_every_version_is_cut_at_the_start() {
    for version in VERSIONS {
        let folder = copy(&format!("{version}/torn-tail"));
        assert!(check(folder.path(), &trust()).is_ok(), "a torn tail is no damage");
        // The last record is the tombstone: its key ring is ahead of what is left, which is no harm.
        assert_eq!(Journal::open(options_of(folder.path())).unwrap().size(), 9);
    }
}

#[test]
fn every_damaged_folder_of_every_version_is_told_apart() {
    let opened = |name: &str| {
        let folder = copy(name);
        let journal = Journal::open(options_of(folder.path()));
        let published = journal.and_then(|journal| Publisher::open(Arc::new(journal), log_key(), &[]));
        let error = published.err().map(|error| error.to_string()).unwrap_or_default();
        let named = check(folder.path(), &trust()).unwrap_err();
        (error, named.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    };
    let cases: [(&str, &str, &str); 9] = [
        ("broken-frame", "byte 64, record 0", "byte 64, record 0"),
        ("broken-last-frame", "record 9", "record 9"),
        ("other-version", "of another version", "of another version"),
        ("short-journal", "10 records were published", "fewer records than were published"),
        ("broken-ring", "`keys/ring` has a damaged header", "`keys/ring` has a damaged header"),
        ("ring-of-another-version", "`keys/ring` is of another version", "`keys/ring` is of another version"),
        ("flipped-hash", "tile/0", "tile/0/000.p/10"),
        ("other-entry", "tile/0", "tile/entries/000.p/10"),
        ("forged-checkpoint", "11 records were published", "log: checkpoint"),
    ];
    for (version, (name, start, offline)) in VERSIONS.iter().flat_map(|v| cases.map(|case| (v, case))) {
        let (error, named) = opened(&format!("{version}/{name}"));
        assert!(error.contains(start), "{version}/{name}: {error}");
        assert!(named.contains(offline), "{version}/{name}: {named}");
    }
}
