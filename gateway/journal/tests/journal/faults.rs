//! Every step of the disk fails once, in every way, while the log grows over the boundary of 256 records.
//!
//! Afterwards, as the process finds the disk and as a power cut leaves it: what was acknowledged is there,
//! there is one record for each exchange, what was published is still true, an erasure that was answered holds.

use std::sync::Arc;

use journal::{CommitError, Erased, Erasure, Journal, OpenError, Options, Publisher};
use ledger::{Checkpoint, Digest, TileSource, Trust};

use crate::simulated::{Fault, Simulated};
use crate::support::*;

/// How many records there are before anything fails.
const BEFORE: u64 = 254;
/// How many more while something fails.
const MORE: u64 = 5;

fn options_on(disk: &Simulated) -> Options {
    let disk = Arc::new(disk.clone());
    Options { disk, keep_views: false, segment_size: 96 << 10, ..options(std::path::Path::new("/data")) }
}

fn open_on(disk: &Simulated) -> Result<Arc<Journal>, OpenError> {
    Journal::open(options_on(disk)).map(Arc::new)
}

fn document(number: u64) -> Vec<u8> {
    number.to_be_bytes().repeat(100)
}

fn client(number: u64) -> &'static str {
    if number.is_multiple_of(5) { BSN } else { OTHER_BSN }
}

fn commit(journal: &Journal, number: u64) -> journal::Commit {
    sent(journal, number, client(number), &[arts()], &document(number))
}

/// What the outside world was told.
#[derive(Default, Clone)]
struct Told {
    recorded: Vec<(u64, u64, Digest)>,
    checkpoints: Vec<Checkpoint>,
    acknowledged: Vec<u64>,
    erased: bool,
}

impl Told {
    fn look(&mut self, disk: &Simulated) {
        for (path, bytes) in disk.files() {
            if path.ends_with("log/checkpoint") {
                let note = ledger::Note::parse(&bytes).unwrap();
                self.checkpoints.push(note.text().parse().unwrap());
            }
        }
    }
}

/// What happens while things fail: each step may, and the next is tried all the same.
async fn play(disk: &Simulated, told: &mut Told) {
    let Ok(journal) = open_on(disk) else { return };
    let mut publisher = Publisher::open(Arc::clone(&journal), log_key(), &[]).ok();
    for number in BEFORE..BEFORE + MORE {
        if let Ok(recorded) = journal.commit(commit(&journal, number)).await {
            told.recorded.push((number, recorded.index(), recorded.leaf()));
        }
        if let Some(publisher) = &mut publisher
            && publisher.publish().is_ok()
        {
            told.look(disk);
        }
        if number == BEFORE + 1 {
            let waiting = journal.waiting(&arts(), None, 1000).unwrap();
            let oldest = &waiting[1];
            if journal.acknowledge(acknowledged(oldest), oldest.client, identified(BSN)).await.is_ok() {
                told.acknowledged.push(oldest.index);
            }
        }
        if number == BEFORE + 3 {
            let erasure = Erasure {
                client: journal.pseudonym(&bsn(BSN)),
                leaf: erased(9000),
                sealed: Default::default(),
            };
            told.erased = matches!(journal.erase(erasure, &|_| None).await, Ok(Erased::Done(_)));
        }
    }
}

/// Opens what is left and checks everything that was told.
async fn check(disk: &Simulated, told: &Told, what: &str) {
    let journal = open_on(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    for (number, index, leaf) in &told.recorded {
        let record = journal.record(*index).unwrap_or_else(|error| panic!("{what}: {number}: {error}"));
        assert_eq!(ledger::leaf_hash(&record), *leaf, "{what}: record {index}");
    }
    if told.erased {
        assert!(journal.open_record(0).unwrap().erased, "{what}: an erased client came back");
    } else if let Some((number, index, _)) = told.recorded.iter().find(|(number, ..)| client(*number) == BSN)
    {
        let opened = journal.open_record(*index).unwrap();
        assert!(opened.erased || opened.sealed.is_some(), "{what}: {number} cannot be opened");
    }
    let waiting = journal.waiting(&arts(), None, 1000).unwrap();
    for index in &told.acknowledged {
        assert!(waiting.iter().all(|waiting| waiting.index != *index), "{what}: {index} waits again");
    }
    for waiting in &waiting {
        match journal.open_document(waiting) {
            Ok(bytes) => {
                assert_eq!(bytes.as_slice(), document(u64::from(bytes[7]) | u64::from(bytes[6]) << 8))
            }
            Err(error) => panic!("{what}: {error}"),
        }
    }
    // Everyone tries again what they had no answer to: one record for each exchange.
    for number in BEFORE..BEFORE + MORE {
        let recorded = journal.commit(commit(&journal, number)).await.unwrap();
        if let Some((_, index, leaf)) = told.recorded.iter().find(|(told, ..)| *told == number) {
            assert_eq!((recorded.index(), recorded.leaf()), (*index, *leaf), "{what}: {number}");
        }
        let wanted = journal::Criteria {
            exchange: Some(exchange(number)),
            kind: Some(ledger::Kind::Sent),
            ..Default::default()
        };
        assert_eq!(journal.search(&wanted, None, 10).unwrap(), [recorded.index()], "{what}: {number}");
    }
    let publisher = Publisher::open(Arc::clone(&journal), log_key(), &told.checkpoints)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let files = publisher.files();
    let trust = Trust::in_log(publisher.verifier());
    let verified =
        ledger::verify(&files, &trust, &mut |_, _| ()).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(verified.checkpoint().size, journal.size(), "{what}");
    assert!(files.read("lock").is_err());
}

async fn before() -> (Simulated, Told) {
    let disk = Simulated::default();
    let journal = open_on(&disk).unwrap();
    let mut told = Told::default();
    for number in 0..BEFORE {
        let recorded = journal.commit(commit(&journal, number)).await.unwrap();
        told.recorded.push((number, recorded.index(), recorded.leaf()));
    }
    drop(publisher(&journal));
    told.look(&disk);
    drop(journal);
    (disk, told)
}

async fn every_step(fault: Fault) {
    let (base, told_before) = before().await;
    let mut step = 1;
    loop {
        let disk = base.copy();
        let mut told = told_before.clone();
        disk.fail_at(step, fault);
        play(&disk, &mut told).await;
        let Some(failed) = disk.failed() else { break };
        disk.heal();
        let what = format!("{fault:?} at step {step}, {failed}");
        // In turn, for time's sake: what a power cut leaves of it, and what the next process finds.
        if fault == Fault::PowerOff || step % 2 == 0 {
            check(&disk.after_power_cut(step), &told, &format!("{what}, then a power cut")).await;
        } else {
            check(&disk.copy(), &told, &what).await;
        }
        step += 1;
    }
    assert!(step > 60, "only {step} steps failed");
}

#[tokio::test]
async fn a_step_that_fails_loses_and_forks_nothing() {
    every_step(Fault::Failed).await;
}

#[tokio::test]
async fn a_step_that_fails_but_is_done_loses_and_forks_nothing() {
    every_step(Fault::FailedButPersisted).await;
}

#[tokio::test]
async fn a_power_cut_at_any_step_loses_and_forks_nothing() {
    every_step(Fault::PowerOff).await;
}

#[tokio::test]
async fn after_a_failed_flush_nothing_is_recorded_any_more() {
    let (disk, _) = before().await;
    let journal = open_on(&disk).unwrap();
    disk.fail_at(2, Fault::Failed); // a write, then its flush
    let failed = journal.commit(commit(&journal, 500)).await.unwrap_err();
    assert_eq!(failed, CommitError::Unavailable);
    assert!(disk.failed().unwrap().starts_with("flush"), "{:?}", disk.failed());
    disk.heal();
    assert_eq!(journal.commit(commit(&journal, 501)).await.unwrap_err(), CommitError::Unavailable);
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers_when_there_is_room() {
    let disk = Simulated::default();
    let journal = open_on(&disk).unwrap();
    disk.fail_at(1, Fault::Full);
    let mut number = 0;
    let refused = loop {
        match journal.commit(commit(&journal, number)).await {
            Ok(_) => number += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, CommitError::DiskFull);
    assert_eq!(journal.size(), number);
    disk.heal();
    let patience = std::time::Instant::now();
    while journal.commit(commit(&journal, number)).await.is_err() {
        assert!(patience.elapsed().as_secs() < 5, "it does not recover");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(journal.size(), number + 1);
    drop(journal);
    assert_eq!(open_on(&disk).unwrap().size(), number + 1);
}
