//! What is too much, too late or out of order is refused, and nothing is lost by it.

use std::sync::Arc;

use journal::{CommitError, Criteria, Publisher};
use ledger::{Algorithm, KeyName, NoteSigner, Trust};
use model::Timestamp;

use crate::support::*;

#[tokio::test]
async fn a_full_queue_answers_busy_and_what_was_accepted_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let document = vec![7; 600 << 10];
    let commits = (0..60).map(|number| {
        let (journal, document) = (Arc::clone(&journal), document.clone());
        tokio::spawn(async move { journal.commit(sent(&journal, number, BSN, &[arts()], &document)).await })
    });
    let commits: Vec<_> = commits.collect();
    let (mut recorded, mut busy) = (Vec::new(), 0);
    for commit in commits {
        match commit.await.unwrap() {
            Ok(done) => recorded.push(done.index()),
            Err(CommitError::Busy) => busy += 1,
            Err(error) => panic!("{error}"),
        }
    }
    recorded.sort_unstable();
    assert_eq!(recorded, (0..60 - busy).collect::<Vec<u64>>());
    assert!(busy > 0, "sixty large documents at once never filled the queue");
    assert_eq!(journal.waiting(&arts(), None, 100).unwrap().len(), recorded.len());
    let later = sent(&journal, 100, BSN, &[arts()], &document);
    assert!(journal.commit(later).await.is_ok(), "it is not busy any more");
}

#[tokio::test]
async fn more_than_a_frame_can_hold_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let large = sent(&journal, 1, BSN, &[arts(), coach()], &vec![7; 600 << 10]);
    assert_eq!(journal.commit(large).await.unwrap_err(), CommitError::TooLarge);
    let small = sent(&journal, 1, BSN, &[arts()], b"the same exchange, sent again");
    assert_eq!(journal.commit(small).await.unwrap().index(), 0);
}

#[tokio::test]
async fn a_commit_that_contradicts_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut stray = sent(&journal, 1, BSN, &[arts()], b"x");
    stray.documents[0].to = coach();
    assert!(matches!(journal.commit(stray).await, Err(CommitError::Inconsistent(_))));
    let _ = journal.commit(sent(&journal, 2, BSN, &[arts()], b"x")).await.unwrap();
    let mut waiting = journal.waiting(&arts(), None, 1).unwrap().remove(0);
    waiting.to = coach(); // someone else's delivery
    let taken = journal.acknowledge(acknowledged(&waiting), waiting.client, identified(BSN)).await;
    assert_eq!(taken.unwrap_err(), CommitError::NotWaiting);
}

#[tokio::test]
async fn a_clock_that_goes_back_changes_no_order_and_hides_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for (number, days) in [3, 0, -3].into_iter().enumerate() {
        let mut commit = sent(&journal, number as u64, BSN, &[arts()], b"x");
        commit.leaf.time = NOW.plus_seconds(days * 86_400);
        assert_eq!(journal.commit(commit).await.unwrap().index(), number as u64);
    }
    let from = |days: i64| Criteria { from: Some(NOW.plus_seconds(days * 86_400)), ..Criteria::default() };
    assert_eq!(journal.search(&from(-9), None, 10).unwrap(), [0, 1, 2]);
    assert_eq!(journal.search(&from(0), None, 10).unwrap(), [0, 1]);
    let until = Criteria { until: Some(Timestamp::from_unix_millis(0)), ..Criteria::default() };
    assert!(journal.search(&until, None, 10).unwrap().is_empty());
}

#[tokio::test]
async fn a_cosignature_stands_beside_the_logs_own_until_the_log_grows() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let _ = journal.commit(sent(&journal, 1, BSN, &[arts()], b"x")).await.unwrap();
    let mut publisher: Publisher = publisher(&journal);
    let mut pkcs8 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    pkcs8.extend([5; 32]);
    let pair = ring::signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).unwrap();
    let name: KeyName = "witness.test/one".parse().unwrap();
    let witness = NoteSigner::new(&name, &pair);
    let text = publisher.note().text().to_owned();
    assert!(publisher.cosign(&text, vec![witness.cosign(&text, NOW)]).unwrap());
    assert!(publisher.cosign(&text, vec![witness.cosign(&text, NOW.plus_seconds(1))]).unwrap());
    assert_eq!(publisher.note().signatures.len(), 2, "a witness has one line, the newest");
    let key = witness.verifier(Algorithm::CosignatureV1);
    let published = std::fs::read(folder.path().join("log/checkpoint")).unwrap();
    let note = ledger::Note::parse(&published).unwrap();
    assert_eq!(note.verify([&key, &publisher.verifier()]).unwrap().len(), 2);
    let _ = journal.commit(sent(&journal, 2, BSN, &[arts()], b"y")).await.unwrap();
    publisher.publish().unwrap();
    assert_eq!(publisher.note().signatures.len(), 1);
    assert!(!publisher.cosign(&text, vec![witness.cosign(&text, NOW)]).unwrap(), "that was the last one");
    let trust = Trust::in_log(publisher.verifier());
    assert!(ledger::verify(&publisher.files(), &trust, &mut |_, _| ()).is_ok());
}
