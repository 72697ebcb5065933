//! Kills under load: a child process commits, acknowledges and publishes as fast as it can, and is killed with
//! SIGKILL at any moment. What it had said is there, with one record for each exchange, and the log verifies.
//!
//! A short form runs with the tests; `VELDWACHT_KILLS=1000 cargo test -p journal --release --test kills` is the
//! whole one. `tests/faults/strace` at the root uses the same child and the same check while it injects faults into
//! its system calls. What a power cut forgets is not seen by this: that is `tests/journal/faults.rs`.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

#[path = "../journal/support.rs"]
#[expect(dead_code, reason = "shared with the other test binary")]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use journal::{Criteria, Journal, PublisherThread};
use ledger::{Kind, Trust};

use support::*;

const FOLDER: &str = "VELDWACHT_KILLS_FOLDER";
const FROM: &str = "VELDWACHT_KILLS_FROM";
/// How many commits the child makes when nobody kills it; without end if this is not set.
const LIMIT: &str = "VELDWACHT_KILLS_LIMIT";
/// A file with what a child said, to be checked.
const SAID: &str = "VELDWACHT_KILLS_SAID";

/// How many commits are in flight in the child.
const WRITERS: u64 = 32;

/// A log is left behind for a new one after so many kills.
const KILLS_A_LOG: u64 = 100;

fn document(number: u64) -> Vec<u8> {
    number.to_be_bytes().repeat(1 + (number % 50) as usize)
}

fn commit(journal: &Journal, number: u64) -> journal::Commit {
    let receivers: &[ledger::Party] = if number.is_multiple_of(3) { &[arts(), coach()] } else { &[coach()] };
    let client = if number.is_multiple_of(2) { BSN } else { OTHER_BSN };
    sent(journal, number, client, receivers, &document(number))
}

/// Not a test of its own: what the killed process does, when the other test starts it.
#[test]
fn child() {
    let (Ok(folder), Ok(from)) = (std::env::var(FOLDER), std::env::var(FROM)) else { return };
    let from: u64 = from.parse().unwrap();
    let end = std::env::var(LIMIT).map_or(u64::MAX, |limit| from + limit.parse::<u64>().unwrap());
    let next = Arc::new(AtomicU64::new(from));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let journal = open(Path::new(&folder));
        let publisher = publisher(&journal);
        let _publishing = PublisherThread::start(publisher, Duration::from_millis(5)).unwrap();
        let mut tasks = Vec::new();
        for _ in 0..WRITERS {
            let (journal, next) = (Arc::clone(&journal), Arc::clone(&next));
            tasks.push(tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        return;
                    }
                    say(format!("try {number}\n"));
                    let recorded = journal.commit(commit(&journal, number)).await.unwrap();
                    say(format!("sent {number} {} {}\n", recorded.index(), recorded.leaf()));
                    if number.is_multiple_of(4) {
                        let (_, id) = recorded.deliveries().last().unwrap().clone();
                        let waiting = journal.delivery(&id).unwrap().unwrap();
                        let _ = journal
                            .acknowledge(acknowledged(&waiting), waiting.client, identified(BSN))
                            .await
                            .unwrap();
                        say(format!("has {number} {id}\n"));
                    }
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
}

fn say(line: String) {
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap(); // one write a line, so none is half
}

/// What the child said before it was killed.
#[derive(Default)]
struct Said {
    tried: BTreeSet<u64>,
    sent: BTreeMap<u64, (u64, String)>,
    has: Vec<String>,
}

fn kill_one(folder: &Path, from: u64, after: Duration) -> Said {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    let begun = Instant::now();
    while !text.contains("try ") && begun.elapsed() < Duration::from_secs(20) {
        lines.read_line(&mut text).unwrap();
    }
    let reader = std::thread::spawn(move || {
        let mut rest = Vec::new();
        lines.read_to_end(&mut rest).unwrap();
        rest
    });
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    text.push_str(&String::from_utf8(reader.join().unwrap()).unwrap());
    read_said(&text)
}

fn read_said(text: &str) -> Said {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut said = Said::default();
    for line in whole.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        // The test harness writes its own words before the first line.
        match words.iter().rev().take(4).rev().copied().collect::<Vec<_>>().as_slice() {
            [.., "try", number] => drop(said.tried.insert(number.parse().unwrap())),
            ["sent", number, index, leaf] => {
                said.sent.insert(number.parse().unwrap(), (index.parse().unwrap(), (*leaf).to_owned()));
            }
            [.., "has", _, id] => said.has.push((*id).to_owned()),
            _ => {}
        }
    }
    said
}

async fn check(folder: &Path, said: &Said) {
    let journal = open(folder);
    for (number, (index, leaf)) in &said.sent {
        let record = journal.record(*index).unwrap();
        assert_eq!(&ledger::leaf_hash(&record).to_string(), leaf, "{number}");
    }
    for number in &said.tried {
        let again = journal.commit(commit(&journal, *number)).await.unwrap();
        if let Some((index, _)) = said.sent.get(number) {
            assert!(again.is_repeated() && again.index() == *index, "{number} was recorded twice");
        }
        let wanted =
            Criteria { exchange: Some(exchange(*number)), kind: Some(Kind::Sent), ..Criteria::default() };
        assert_eq!(journal.search(&wanted, None, 10).unwrap(), [again.index()], "{number}");
    }
    for id in &said.has {
        assert!(journal.delivery(&id.parse().unwrap()).unwrap().is_none(), "{id} waits again");
    }
    if let Some(waiting) = journal.waiting(&coach(), None, usize::MAX).unwrap().last() {
        journal.open_document(waiting).unwrap();
    }
}

fn verify(folder: &Path) -> u64 {
    let journal = open(folder);
    drop(publisher(&journal));
    drop(journal);
    let checked = journal::check(folder, &Trust::in_log(log_key().verifier())).unwrap();
    assert_eq!(checked.published.unwrap().size, checked.records);
    checked.records
}

/// Not a test of its own: checks what another child left behind.
#[tokio::test]
async fn checked() {
    let (Ok(folder), Ok(said)) = (std::env::var(FOLDER), std::env::var(SAID)) else { return };
    let said = read_said(&String::from_utf8_lossy(&std::fs::read(said).unwrap()));
    check(Path::new(&folder), &said).await;
    verify(Path::new(&folder));
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_once_and_the_log_verifies() {
    let kills: u64 = std::env::var("VELDWACHT_KILLS").map_or(20, |number| number.parse().unwrap());
    let (mut done, mut sent, mut records) = (0, 0, 0);
    while done < kills {
        let folder = tempfile::tempdir().unwrap();
        let mut next = 0;
        let (first, last) = (done, kills.min(done + KILLS_A_LOG));
        for kill in first..last {
            // From the very first moment to some batches later, in uneven steps.
            let after = Duration::from_micros(kill * 7919 % 60_000);
            let said = kill_one(folder.path(), next, after);
            check(folder.path(), &said).await;
            next = said.tried.last().map_or(next, |last| last + 1);
            sent += said.sent.len();
            done += 1;
        }
        records += verify(folder.path());
    }
    assert!(sent > 0, "no child ever got to commit anything");
    eprintln!("{done} kills, {sent} commits acknowledged, {records} records verified");
}
