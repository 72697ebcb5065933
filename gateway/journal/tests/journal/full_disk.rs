//! A disk that is really full: a small file system of its own, filled to the last byte, and then made larger.
//!
//! The test runs itself again in a mount namespace of its own (`unshare`), where that is allowed.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use journal::{CommitError, PublisherThread};
use ledger::{Kind, Trust};

use crate::support::*;

const FOLDER: &str = "VELDWACHT_FULL_DISK";

/// A shell in which a file system of `size` can be mounted; none where that is not allowed.
fn inside(folder: &Path) -> Option<Command> {
    let mount = format!("mount -t tmpfs -o size=12m veldwacht {} && exec \"$0\" \"$@\"", folder.display());
    [&["-m"][..], &["-r", "-m"][..]].into_iter().find_map(|flags| {
        let tried = Command::new("unshare").args(flags).args(["sh", "-c", &mount, "true"]).output().ok()?;
        let mut command = Command::new("unshare");
        command.args(flags).args(["sh", "-c", &mount]);
        tried.status.success().then_some(command)
    })
}

#[test]
fn a_disk_that_is_really_full_refuses_loses_nothing_and_recovers_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut command) = inside(folder.path()) else {
        return; // no namespaces here: `faults.rs` fills a disk of its own making
    };
    let again = std::env::current_exe().unwrap();
    command.arg(again).args(["--exact", "full_disk::child", "--nocapture"]).env(FOLDER, folder.path());
    let ended = command.output().unwrap();
    let said =
        [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(ended.status.success() && said.contains("it recovered"), "{said}");
}

/// Not a test of its own: what the other one runs on the small disk.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = Path::new(&folder);
    let journal = open(folder);
    let publishing = PublisherThread::start(publisher(&journal), Duration::from_millis(50)).unwrap();
    let document = vec![0x5a; 20_000];
    let (mut number, mut recorded, mut refused) = (0, Vec::new(), 0);
    // Full, and for a while: everything that writes beside the commits finds no room either.
    let begun = Instant::now();
    while refused < 50 || begun.elapsed() < Duration::from_secs(4) {
        number += 1;
        match journal.commit(sent(&journal, number, BSN, &[arts()], &document)).await {
            Ok(done) => recorded.push((number, done.index())),
            Err(CommitError::DiskFull) => {
                refused += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("a full disk is told as one, not: {error}"),
        }
    }
    assert!(recorded.len() > 50, "{}", recorded.len());
    // What is there can be read, also now.
    let waiting = journal.waiting(&arts(), None, usize::MAX).unwrap();
    assert_eq!(waiting.len(), recorded.len());
    assert_eq!(journal.open_document(waiting.last().unwrap()).unwrap().as_slice(), document);

    let larger = Command::new("mount").args(["-o", "remount,size=64m"]).arg(folder).status().unwrap();
    assert!(larger.success());
    let begun = Instant::now();
    loop {
        number += 1;
        match journal.commit(sent(&journal, number, BSN, &[arts()], &document)).await {
            Ok(done) => break recorded.push((number, done.index())),
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(10), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..100 {
        number += 1;
        let done = journal.commit(sent(&journal, number, BSN, &[arts()], &document)).await.unwrap();
        recorded.push((number, done.index()));
    }
    let mut published = publishing.published();
    let size = journal.size();
    let all = published.wait_for(|published| published.checkpoint.size == size);
    drop(tokio::time::timeout(Duration::from_secs(10), all).await.unwrap().unwrap());
    drop((publishing, journal));
    // Every acknowledged exchange, once, in a log that verifies, after a start as well; none that was refused.
    let journal = open(folder);
    let sends = journal::Criteria { kind: Some(Kind::Sent), ..Default::default() };
    assert_eq!(journal.search(&sends, None, usize::MAX).unwrap().len(), recorded.len());
    for (number, index) in recorded {
        assert_eq!(journal.open_record(index).unwrap().leaf.exchange, exchange(number));
    }
    let publisher = publisher(&journal);
    assert!(ledger::verify(&publisher.files(), &Trust::in_log(log_key().verifier()), &mut |_, _| ()).is_ok());
    println!("it recovered");
}
