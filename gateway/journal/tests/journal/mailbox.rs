//! Mailboxes over many records: pages, restarts, erasure, expiry, and the same answers from views that are built again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use journal::{Cursor, Erasure, Journal, Waiting};
use ledger::Party;
use model::ExchangeId;

use crate::support::*;

/// Everything that waits, read in small pages.
fn paged(journal: &Journal, to: &Party) -> Vec<Waiting> {
    let (mut all, mut after): (Vec<Waiting>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let page = journal.waiting(to, after, 7).unwrap();
        let Some(last) = page.last() else { return all };
        after = Some(last.cursor());
        all.extend(page);
    }
}

async fn acknowledge(journal: &Journal, waiting: &[Waiting]) {
    for one in waiting {
        let _ = journal.acknowledge(acknowledged(one), one.client, identified(BSN)).await.unwrap();
    }
}

#[tokio::test]
async fn a_mailbox_is_read_page_by_page_with_nothing_twice_and_nothing_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for number in 0..600 {
        let to: &[Party] = if number % 3 == 0 { &[arts(), coach()] } else { &[arts()] };
        let _ = journal.commit(sent(&journal, number, BSN, to, b"x")).await.unwrap();
    }
    let all = paged(&journal, &arts());
    assert_eq!(all.len(), 600);
    let even: Vec<Waiting> = all.iter().step_by(2).cloned().collect();
    acknowledge(&journal, &even[..150]).await;
    drop(journal);
    let journal = open(folder.path()); // from now on the views of those before are on disk
    acknowledge(&journal, &even[150..]).await;
    let expected: Vec<ExchangeId> = (0..600).filter(|number| number % 2 == 1).map(exchange).collect();
    let check = |journal: &Journal| {
        let left = paged(journal, &arts());
        assert_eq!(left.iter().map(|one| one.exchange).collect::<Vec<_>>(), expected);
        assert_eq!(paged(journal, &coach()).len(), 200);
        assert!(left.iter().all(|one| journal.delivery(&one.delivery).unwrap().as_ref() == Some(one)));
        assert!(even.iter().all(|one| journal.delivery(&one.delivery).unwrap().is_none()));
    };
    check(&journal);
    drop(journal);
    let journal = open(folder.path());
    check(&journal);
    drop(journal);
    std::fs::remove_dir_all(folder.path().join("views")).unwrap();
    check(&open(folder.path()));
}

#[tokio::test]
async fn what_waited_about_an_erased_client_neither_comes_back_nor_expires() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for number in 0..3 {
        let _ = journal.commit(sent(&journal, number, BSN, &[arts()], b"x")).await.unwrap();
    }
    let _ = journal.commit(sent(&journal, 3, OTHER_BSN, &[arts()], b"x")).await.unwrap();
    let before = journal.waiting(&arts(), None, 10).unwrap();
    let client = journal.pseudonym(&bsn(BSN));
    let _ = journal
        .erase(Erasure { client, leaf: erased(4), sealed: Default::default() }, &|_| None)
        .await
        .unwrap();
    // The same person comes back.
    let _ = journal.commit(sent(&journal, 5, BSN, &[arts()], b"new")).await.unwrap();
    let check = |journal: &Journal| {
        let left = journal.waiting(&arts(), None, 10).unwrap();
        let left: Vec<ExchangeId> = left.iter().map(|one| one.exchange).collect();
        assert_eq!(left, [exchange(3), exchange(5)]);
        assert!(before[..3].iter().all(|one| journal.delivery(&one.delivery).unwrap().is_none()));
    };
    check(&journal);
    drop(journal);
    std::fs::remove_dir_all(folder.path().join("views")).unwrap();
    let journal = open(folder.path());
    check(&journal);
    assert_eq!(journal.expire(NOW.plus_seconds(3600 - 1)).await.unwrap(), 0);
    let size = journal.size();
    assert_eq!(journal.expire(NOW.plus_seconds(3 * 3600)).await.unwrap(), 2);
    assert_eq!(journal.expire(NOW.plus_seconds(9 * 3600)).await.unwrap(), 0);
    assert_eq!(journal.size(), size + 2, "one record for each that expired, none for the erased");
    assert!(journal.waiting(&arts(), None, 10).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_can_be_read_from_the_moment_that_it_is_found() {
    const EACH: u64 = 400;
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let over = Arc::new(AtomicBool::new(false));
    let reads = |_| {
        let (journal, over) = (Arc::clone(&journal), Arc::clone(&over));
        std::thread::spawn(move || {
            let mut after = None;
            while !over.load(Ordering::Relaxed) {
                for waiting in journal.waiting(&arts(), after, 64).unwrap() {
                    journal.open_document(&waiting).unwrap();
                    after = Some(waiting.cursor());
                }
            }
        })
    };
    let readers: Vec<_> = (0..4).map(reads).collect();
    let writes = |writer| {
        let journal = Arc::clone(&journal);
        tokio::spawn(async move {
            for number in writer * EACH..(writer + 1) * EACH {
                let _ = journal.commit(sent(&journal, number, BSN, &[arts()], b"x")).await.unwrap();
            }
        })
    };
    let writers: Vec<_> = (0..8).map(writes).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
}
