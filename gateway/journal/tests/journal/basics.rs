//! The main line: commit, wait, collect, acknowledge, publish, verify.

use journal::{CommitError, Criteria, ReadError};
use ledger::{ConsentKind, Trust};
use model::{Consent, Consents};

use crate::support::*;

#[tokio::test]
async fn a_document_waits_until_it_is_acknowledged_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let recorded =
        journal.commit(sent(&journal, 1, BSN, &[arts(), coach()], DIAGNOSIS.as_bytes())).await.unwrap();
    assert_eq!((recorded.index(), recorded.deliveries().len(), recorded.is_repeated()), (0, 2, false));
    drop(journal);
    let journal = open(folder.path());
    assert_eq!(journal.size(), 1);
    let waiting = journal.waiting(&arts(), None, 10).unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(journal.open_document(&waiting[0]).unwrap().as_slice(), DIAGNOSIS.as_bytes());
    let client = waiting[0].client;
    let done = journal.acknowledge(acknowledged(&waiting[0]), client, identified(BSN)).await.unwrap();
    assert_eq!(done.index(), 1);
    assert!(journal.waiting(&arts(), None, 10).unwrap().is_empty());
    assert_eq!(journal.waiting(&coach(), None, 10).unwrap().len(), 1);
    let again = journal.acknowledge(acknowledged(&waiting[0]), client, identified(BSN)).await;
    assert_eq!(again.unwrap_err(), CommitError::NotWaiting);
    let opened = journal.open_record(0).unwrap();
    assert_eq!(opened.sealed.unwrap().user.as_deref(), Some(USER));
    drop(journal);
    let journal = open(folder.path());
    assert!(journal.waiting(&arts(), None, 10).unwrap().is_empty());
    assert_eq!(journal.waiting(&coach(), None, 10).unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_request_gets_the_first_answer_and_another_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let commit = |document: &[u8]| sent(&journal, 7, BSN, &[arts()], document);
    let (one, two) = tokio::join!(journal.commit(commit(b"a")), journal.commit(commit(b"a")));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.index(), one.leaf()), (two.index(), two.leaf()));
    assert!(one.is_repeated() != two.is_repeated());
    assert_eq!(journal.commit(commit(b"b")).await.unwrap_err(), CommitError::ExchangeIdReused);
    assert_eq!(journal.size(), 1);
    assert_eq!(journal.waiting(&arts(), None, 10).unwrap().len(), 1);
}

#[tokio::test]
async fn a_consent_holds_from_its_commit_to_its_withdrawal_or_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let client = journal.pseudonym(&bsn(BSN));
    let purpose = "re-integratie".parse().unwrap();
    let consents = |at| journal.consents(client, &coach(), &purpose, at).unwrap();
    assert_eq!(consents(NOW), Consents::default());
    let until = Some(NOW.plus_seconds(60));
    let grant = consent(&journal, 1, ConsentKind::Beroepsgeheim, Consent::Verleend, until);
    let _ = journal.commit(grant).await.unwrap();
    assert_eq!(consents(NOW).beroepsgeheim, Consent::Verleend);
    assert_eq!(consents(NOW).gezondheidsgegevens, Consent::Onbekend);
    assert_eq!(consents(NOW.plus_seconds(60)).beroepsgeheim, Consent::Onbekend);
    assert_eq!(
        journal.consents(client, &arts(), &purpose, NOW).unwrap(),
        Consents::default(),
        "for another receiver there is none"
    );
    let withdrawal = consent(&journal, 2, ConsentKind::Beroepsgeheim, Consent::Geweigerd, None);
    let _ = journal.commit(withdrawal).await.unwrap();
    assert_eq!(consents(NOW).beroepsgeheim, Consent::Geweigerd);
}

#[tokio::test]
async fn what_is_published_verifies_from_its_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut publisher = publisher(&journal);
    let trust = Trust::in_log(publisher.verifier());
    for upto in [1, 2, 255, 256, 257, 600] {
        while journal.size() < upto {
            let _ = journal
                .commit(sent(&journal, journal.size(), BSN, &[arts()], &journal.size().to_be_bytes()))
                .await
                .unwrap();
        }
        let checkpoint = publisher.publish().unwrap();
        assert_eq!(checkpoint.size, upto);
        let mut seen = 0;
        let verified = ledger::verify(&publisher.files(), &trust, &mut |index, record| {
            assert_eq!(journal.record(index).unwrap(), record);
            seen += 1;
        });
        assert_eq!(verified.unwrap().checkpoint(), &checkpoint);
        assert_eq!(seen, upto);
    }
    drop(publisher);
    drop(journal);
    let journal = open(folder.path());
    let publisher = crate::support::publisher(&journal);
    assert!(ledger::verify(&publisher.files(), &trust, &mut |_, _| ()).is_ok());
}

#[tokio::test]
async fn a_search_finds_what_has_every_attribute_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for number in 0..300 {
        let client = if number % 3 == 0 { BSN } else { OTHER_BSN };
        let to = if number % 2 == 0 { arts() } else { coach() };
        let _ = journal.commit(sent(&journal, number, client, &[to], &number.to_be_bytes())).await.unwrap();
    }
    let check = |journal: &journal::Journal| {
        let wanted = Criteria {
            client: Some(journal.pseudonym(&bsn(BSN))),
            organisation: Some(coach().oin),
            from: Some(NOW),
            ..Criteria::default()
        };
        let expected: Vec<u64> = (0..300).filter(|number| number % 3 == 0 && number % 2 == 1).collect();
        assert_eq!(journal.search(&wanted, None, 1000).unwrap(), expected);
        assert_eq!(journal.search(&wanted, Some(200), 2).unwrap(), [201, 207]);
        let later = Criteria { from: Some(NOW.plus_seconds(90_000)), ..Criteria::default() };
        assert!(journal.search(&later, None, 10).unwrap().is_empty());
    };
    check(&journal);
    drop(journal);
    std::fs::remove_dir_all(folder.path().join("views")).unwrap();
    check(&open(folder.path())); // the same answers from views that were built again
}

#[tokio::test]
async fn an_exchange_id_that_looks_alike_is_another_exchange() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut alike = sent(&journal, 1, OTHER_BSN, &[arts()], b"two");
    alike.leaf.exchange = model::ExchangeId::new(NOW.plus_seconds(1), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(alike.leaf.exchange.as_bytes()[8..], exchange(1).as_bytes()[8..]);
    let _ = journal.commit(sent(&journal, 1, BSN, &[arts()], b"one")).await.unwrap();
    let _ = journal.commit(alike).await.unwrap();
    let wanted = Criteria { exchange: Some(exchange(1)), ..Criteria::default() };
    assert_eq!(journal.search(&wanted, None, 10).unwrap(), [0]);
}

#[tokio::test]
async fn a_document_about_no_client_waits_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut commit = sent(&journal, 1, BSN, &[coach()], b"counts of a quarter");
    commit.client = Some(model::ClientPseudonym::NOBODY);
    commit.sealed = Default::default();
    let _ = journal.commit(commit).await.unwrap();
    let waiting = journal.waiting(&coach(), None, 10).unwrap();
    assert_eq!(journal.open_document(&waiting[0]).unwrap().as_slice(), b"counts of a quarter");
    let mut nowhere = sent(&journal, 2, BSN, &[coach()], b"x");
    nowhere.client = None;
    assert!(matches!(journal.commit(nowhere).await, Err(CommitError::Inconsistent(_))));
}

#[tokio::test]
async fn an_erased_client_is_gone_and_the_log_still_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let _ = journal.commit(sent(&journal, 1, BSN, &[arts()], DIAGNOSIS.as_bytes())).await.unwrap();
    let _ = journal.commit(sent(&journal, 2, OTHER_BSN, &[arts()], b"other")).await.unwrap();
    let waiting = journal.waiting(&arts(), None, 10).unwrap();
    let client = journal.pseudonym(&bsn(BSN));
    let erase = |number| journal::Erasure { client, leaf: erased(number), sealed: Default::default() };
    let until = NOW.plus_seconds(10);
    let kept = journal.erase(erase(3), &|_| Some(until)).await.unwrap();
    assert!(matches!(kept, journal::Erased::Forbidden(_, at) if at == until));
    assert!(journal.open_document(&waiting[0]).is_ok());
    let done = journal.erase(erase(4), &|_| None).await.unwrap();
    assert!(matches!(done, journal::Erased::Done(_)));
    let check = |journal: &journal::Journal| {
        assert!(matches!(journal.open_document(&waiting[0]), Err(ReadError::Erased)));
        assert!(journal.open_record(0).unwrap().erased);
        assert_eq!(journal.erased(client).unwrap(), Some(3));
        let left = journal.waiting(&arts(), None, 10).unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(journal.open_document(&left[0]).unwrap().as_slice(), b"other");
    };
    check(&journal);
    let publisher = publisher(&journal);
    assert!(ledger::verify(&publisher.files(), &Trust::in_log(publisher.verifier()), &mut |_, _| ()).is_ok());
    drop(publisher);
    drop(journal);
    check(&open(folder.path()));
}

#[tokio::test]
async fn what_nobody_collects_expires_with_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let _ = journal.commit(sent(&journal, 1, BSN, &[arts(), coach()], b"x")).await.unwrap();
    assert_eq!(journal.expire(NOW).await.unwrap(), 0);
    assert_eq!(journal.expire(NOW.plus_seconds(3600)).await.unwrap(), 2);
    assert!(journal.waiting(&arts(), None, 10).unwrap().is_empty());
    assert_eq!(journal.size(), 3);
}

#[tokio::test]
async fn a_receiver_that_listens_hears_of_a_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut arrivals = journal.arrivals(&coach());
    assert!(!arrivals.has_changed().unwrap());
    let _ = journal.commit(sent(&journal, 1, BSN, &[coach()], b"x")).await.unwrap();
    arrivals.changed().await.unwrap();
}

#[tokio::test]
async fn figures_count_every_record_once_also_after_restarts_and_without_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (mut expected, mut journal) = (0, open(folder.path()));
    for round in 0..3 {
        for number in 0..5 {
            let commit = sent(&journal, 100 * round + number, BSN, &[arts(), coach()], b"x");
            let _ = journal.commit(commit).await.unwrap();
            expected += 1;
        }
        let (day, hour) = (NOW.plus_seconds(86_400), NOW.plus_seconds(3_600));
        let delivered = |flows: Vec<journal::Flow>, to: &ledger::Party| -> u64 {
            flows.iter().filter(|flow| flow.to == Some(to.oin)).map(|flow| flow.figures.delivered).sum()
        };
        let receivers = if arts().oin == coach().oin { 2 } else { 1 };
        assert_eq!(delivered(journal.flows(NOW, day), &arts()), expected * receivers);
        let hours = journal.hours(NOW, hour);
        assert_eq!(hours.iter().map(|(_, figures)| figures.delivered).sum::<u64>(), expected * 2);
        drop(journal);
        if round == 1 {
            std::fs::remove_dir_all(folder.path().join("views")).unwrap();
        }
        journal = open(folder.path());
    }
    assert_eq!(journal.search_back(&Criteria::default(), u64::MAX, 3).unwrap(), [14, 13, 12]);
    let of_coach = Criteria { organisation: Some(coach().oin), ..Criteria::default() };
    assert_eq!(journal.search_back(&of_coach, 10, 2).unwrap(), [9, 8]);
}

#[tokio::test]
async fn figures_of_a_day_are_those_between_two_midnights_in_the_netherlands() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let midnight = ledger::midnight("2026-07-01".parse().unwrap()).unwrap();
    for (number, seconds) in [-1, 0, 3 * 3_600, 86_399, 86_400].into_iter().enumerate() {
        let mut commit = sent(&journal, number as u64, BSN, &[arts()], b"x");
        commit.leaf.time = midnight.plus_seconds(seconds);
        let _ = journal.commit(commit).await.unwrap();
    }
    let flows = journal.flows(midnight, midnight.plus_seconds(86_399));
    assert_eq!(flows.iter().map(|flow| flow.figures.delivered).sum::<u64>(), 3, "22:00 to 22:00 in UTC");
    let hours = journal.hours(midnight, midnight.plus_seconds(86_399));
    assert_eq!(
        hours.iter().map(|(_, figures)| figures.delivered).sum::<u64>(),
        3,
        "the hours add up to the day"
    );
}
