//! A changed bit, a cut or swapped file, another log, an old copy: each is found, named and refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{BackupError, Journal, LogKey, OpenError, Publisher, backup, check, restore};
use ledger::Trust;

use crate::simulated::Random;
use crate::support::*;

async fn filled(folder: &Path, records: u64) -> Trust {
    let journal = open(folder);
    fill(&journal, 0, records).await;
    publisher(&journal);
    Trust::in_log(log_key().verifier())
}

async fn fill(journal: &Journal, from: u64, to: u64) {
    for number in from..to {
        let document = number.to_be_bytes().repeat(40);
        let _ = journal.commit(sent(journal, number, BSN, &[arts()], &document)).await.unwrap();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn flip(path: &Path, bit: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[bit / 8] ^= 1 << (bit % 8);
    std::fs::write(path, bytes).unwrap();
}

/// How many bytes at the start of a segment were written to.
fn used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

#[tokio::test]
async fn a_flipped_bit_anywhere_is_found_and_its_file_named() {
    let folder = tempfile::tempdir().unwrap();
    let trust = filled(folder.path(), 258).await;
    let whole = check(folder.path(), &trust).unwrap();
    assert_eq!((whole.records, whole.published.unwrap().size), (258, 258));
    let mut random = Random(7);
    let mut tried = 0;
    for path in files(folder.path()) {
        let below = path.strip_prefix(folder.path()).unwrap().to_owned();
        let checked = ["journal", "keys", "log"].iter().any(|name| below.starts_with(name));
        if !checked || path.metadata().unwrap().len() == 0 {
            continue;
        }
        let length = used(&std::fs::read(&path).unwrap());
        for _ in 0..6 {
            let bit = random.next() as usize % (length * 8);
            flip(&path, bit);
            let damage =
                check(folder.path(), &trust).expect_err(&format!("bit {bit} of {below:?} is not seen"));
            let name = path.file_name().unwrap().to_str().unwrap();
            let named =
                damage.iter().any(|damage| damage.file.contains(name) || damage.file.contains("checkpoint"));
            assert!(named, "bit {bit} of {below:?}: {damage:?}");
            flip(&path, bit);
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
    assert!(check(folder.path(), &trust).is_ok());
}

#[tokio::test]
async fn a_broken_frame_before_durable_ones_is_fatal_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    fill(&journal, 0, 5).await;
    drop(journal);
    let segment = folder.path().join("journal/00000000000000000000.seg");
    flip(&segment, 8 * 200);
    std::fs::remove_dir_all(folder.path().join("views")).unwrap();
    let Err(OpenError::Damaged(damage)) = Journal::open(options(folder.path())) else { panic!("it opened") };
    assert_eq!(
        (damage.file.as_str(), damage.offset, damage.index),
        ("00000000000000000000.seg", 64, Some(0))
    );
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_never_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    fill(&journal, 0, 5).await;
    drop(journal);
    let segment = folder.path().join("journal/00000000000000000000.seg");
    let length = used(&std::fs::read(&segment).unwrap());
    flip(&segment, 8 * (length - 30)); // the last frame, as if half of it had not reached the disk
    std::fs::remove_dir_all(folder.path().join("views")).unwrap();
    let journal = open(folder.path());
    assert_eq!(journal.size(), 4);
    fill(&journal, 4, 5).await;
    drop(journal);
    assert_eq!(open(folder.path()).size(), 5);
}

#[tokio::test]
async fn an_old_copy_of_the_journal_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let trust = filled(folder.path(), 3).await;
    let old = tempfile::tempdir().unwrap();
    let copy = old.path().join("copy");
    backup(folder.path(), &copy, &trust).unwrap();
    let newer = {
        let journal = open(folder.path());
        fill(&journal, 3, 6).await;
        let mut publisher = publisher(&journal);
        publisher.publish().unwrap()
    };
    // The old journal beside the new published log.
    std::fs::remove_dir_all(folder.path().join("journal")).unwrap();
    std::fs::rename(copy.join("journal"), folder.path().join("journal")).unwrap();
    assert!(matches!(Journal::open(options(folder.path())), Err(OpenError::Stale { .. })));
    // All of it old: only a witness can tell.
    std::fs::rename(folder.path().join("journal"), copy.join("journal")).unwrap();
    let journal = open(&copy);
    let stale = Publisher::open(Arc::clone(&journal), log_key(), std::slice::from_ref(&newer));
    assert!(matches!(stale, Err(OpenError::Stale { .. })));
    // And one that went on by itself has another root at the same size.
    fill(&journal, 100, 103).await;
    let forked = Publisher::open(Arc::clone(&journal), log_key(), &[newer]);
    assert!(matches!(forked, Err(OpenError::Stale { .. })));
    assert!(check(&copy, &trust).unwrap().published.unwrap().size == 3, "nothing was signed on the way");
}

#[tokio::test]
async fn the_checkpoint_of_another_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 3).await;
    let journal = open(folder.path());
    let mut pkcs8 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    pkcs8.extend([8; 32]);
    let other_name = LogKey::new("log.test/other".parse().unwrap(), &pkcs8).unwrap();
    assert!(matches!(Publisher::open(Arc::clone(&journal), other_name, &[]), Err(OpenError::Stale { .. })));
    let other_key = LogKey::new("log.test/journal".parse().unwrap(), &pkcs8).unwrap();
    assert!(matches!(Publisher::open(Arc::clone(&journal), other_key, &[]), Err(OpenError::Damaged(_))));
}

#[tokio::test]
async fn the_wrong_master_secret_and_a_missing_ring_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 1).await;
    let wrong = journal::Options {
        master_secret: b"another master secret".to_vec().into(),
        ..options(folder.path())
    };
    assert!(matches!(Journal::open(wrong), Err(OpenError::WrongMasterSecret)));
    std::fs::remove_file(folder.path().join("keys/ring")).unwrap();
    assert!(matches!(Journal::open(options(folder.path())), Err(OpenError::Damaged(_))));
}

#[tokio::test]
async fn two_gateways_cannot_use_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _journal = open(folder.path());
    assert!(Journal::open(options(folder.path())).is_err());
}

#[tokio::test]
async fn views_that_are_broken_or_gone_are_built_again() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 20).await;
    let expected = open(folder.path()).waiting(&arts(), None, 100).unwrap();
    assert_eq!(expected.len(), 20);
    for path in files(&folder.path().join("views")) {
        std::fs::write(&path, b"not sled").unwrap();
    }
    assert_eq!(open(folder.path()).waiting(&arts(), None, 100).unwrap(), expected);
    std::fs::remove_dir_all(folder.path().join("views")).unwrap();
    assert_eq!(open(folder.path()).waiting(&arts(), None, 100).unwrap(), expected);
}

#[tokio::test]
async fn a_restored_backup_is_the_journal_it_was_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let trust = filled(folder.path(), 300).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let (copy, restored) = (elsewhere.path().join("copy"), elsewhere.path().join("restored"));
    let running = open(folder.path());
    let checked = backup(folder.path(), &copy, &trust).unwrap(); // while the gateway runs
    assert_eq!(checked.records, 300);
    assert_eq!(restore(&copy, &restored, &trust).unwrap(), checked);
    assert!(matches!(restore(&copy, &restored, &trust), Err(BackupError::NotEmpty)));
    let journal = open(&restored);
    let waiting = journal.waiting(&arts(), None, 1000).unwrap();
    assert_eq!(waiting, running.waiting(&arts(), None, 1000).unwrap());
    assert!(journal.open_document(&waiting[299]).is_ok());
    flip(&copy.join("journal/00000000000000000000.seg"), 8 * 5000);
    let broken = restore(&copy, &elsewhere.path().join("broken"), &trust);
    assert!(matches!(broken, Err(BackupError::Damaged { .. })));
}

/// A copy of a running gateway may have a ring that has seen more than its journal: keys of records that come
/// after it stand in frames only, and must be found there.
#[tokio::test]
async fn a_ring_that_is_ahead_of_its_journal_loses_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    fill(&journal, 0, 3).await;
    drop(journal);
    let old = std::fs::read(folder.path().join("journal/00000000000000000000.seg")).unwrap();
    let journal = open(folder.path());
    fill(&journal, 3, 9).await;
    drop(journal);
    std::fs::write(folder.path().join("journal/00000000000000000000.seg"), old).unwrap();
    let journal = open(folder.path());
    let _ = journal.commit(sent(&journal, 3, OTHER_BSN, &[coach()], b"x")).await.unwrap();
    // As a crash would leave it: a copy of the files, before the ring's file gets the new key.
    let crashed = tempfile::tempdir().unwrap();
    for file in ["journal/00000000000000000000.seg", "keys/ring"] {
        std::fs::create_dir_all(crashed.path().join(file).parent().unwrap()).unwrap();
        std::fs::copy(folder.path().join(file), crashed.path().join(file)).unwrap();
    }
    let journal = open(crashed.path());
    let waiting = journal.waiting(&coach(), None, 10).unwrap();
    assert_eq!(journal.open_document(&waiting[0]).unwrap().as_slice(), b"x");
}

#[tokio::test]
async fn compaction_frees_what_nobody_needs_and_changes_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let document = vec![b'd'; 60 << 10];
    for number in 0..60 {
        let _ = journal.commit(sent(&journal, number, BSN, &[arts()], &document)).await.unwrap();
    }
    let mut publisher = publisher(&journal);
    let waiting = journal.waiting(&arts(), None, 100).unwrap();
    for one in waiting.iter().filter(|one| one.index != 7) {
        let _ = journal.acknowledge(acknowledged(one), one.client, identified(BSN)).await.unwrap();
    }
    assert_eq!(journal.compact(0, &|_| true).unwrap().segments, 0, "nothing is published so far");
    let published = publisher.publish().unwrap().size;
    let compacted = journal.compact(published, &|_| true).unwrap();
    assert!(compacted.segments >= 3 && compacted.freed > 2 << 20, "{compacted:?}");
    let check_answers = |journal: &Journal| {
        let left = journal.waiting(&arts(), None, 100).unwrap();
        assert_eq!(left, [waiting[7].clone()]);
        assert_eq!(*journal.open_document(&left[0]).unwrap(), document);
        for index in 0..60 {
            assert_eq!(journal.open_record(index).unwrap().sealed.unwrap().user.as_deref(), Some(USER));
        }
    };
    check_answers(&journal);
    let settled = journal.compact(published, &|_| true).unwrap();
    assert_eq!(settled.segments, 0, "a second time there is nothing to do: {settled:?}");
    drop(publisher);
    drop(journal);
    std::fs::remove_dir_all(folder.path().join("views")).unwrap();
    let journal = open(folder.path());
    check_answers(&journal);
    // What must not be kept any longer goes as well, and the log still verifies.
    journal.compact(published, &|_| false).unwrap();
    assert!(journal.open_record(0).unwrap().sealed.is_none());
    drop(journal);
    assert!(check(folder.path(), &Trust::in_log(log_key().verifier())).is_ok());
}
