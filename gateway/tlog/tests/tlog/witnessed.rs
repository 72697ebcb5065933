//! A log and its witnesses: good ones, ones that hang, lie or are away, and an old copy that must not start.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use journal::{Journal, LogKey, Publisher, PublisherThread, last_signed};
use ledger::{Trust, VerifierKey, verify};
use tlog::{Collected, RemoteLog, Site, Witness, ask_always, may_start};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::world::*;

/// A site that always says the same.
struct Always(u16, &'static str);

impl Site for Always {
    fn answer(&self, _: &Request<Bytes>) -> Response<Bytes> {
        Response::builder().status(self.0).body(Bytes::from(self.1)).unwrap()
    }
}

fn of(authority: &Authority, url: &str, key: VerifierKey) -> Witness {
    Witness { key, url: url.to_owned(), http: authority.http() }
}

fn key_of(seed: u8) -> VerifierKey {
    witness(tempfile::tempdir().unwrap().path(), seed).verifier()
}

fn watch(log: &PublisherThread, collected: &Arc<Collected>, witnesses: &[Witness]) {
    for witness in witnesses {
        tokio::spawn(ask_always(witness.clone(), log.log(), Arc::clone(collected)));
    }
}

fn trust(log: &PublisherThread, witnesses: &[VerifierKey], least: usize) -> Trust {
    let mut text = format!("log {}\n", log.verifier());
    let mut names = String::new();
    for (number, key) in witnesses.iter().enumerate() {
        text += &format!("witness w{number} {key}\n");
        names += &format!(" w{number}");
    }
    Trust::parse(&format!("{text}group all {least}{names}\nquorum all\n")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_gets_its_quorum_beside_witnesses_that_lie_hang_or_are_away() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = open(folder.path());
    record(&journal, 3).await;
    let log = publish(&journal);
    let mut witnesses = Vec::new();
    for (folder, seed) in [(&one, 5), (&two, 6)] {
        let site = witness(folder.path(), seed);
        let key = site.verifier();
        witnesses.push(of(&authority, &authority.serve(Arc::new(site)).await.0, key));
    }
    // One that signs with another key than it says, and ones with all manner of answers.
    let spare = tempfile::tempdir().unwrap();
    let (url, _) = authority.serve(Arc::new(witness(spare.path(), 8))).await;
    witnesses.push(of(&authority, &url, key_of(7)));
    let nonsense = [
        (200, ""),
        (200, "— w5.test AAAA\n"),
        (200, "\u{0}"),
        (409, "x\n"),
        (409, "999999999\n"),
        (422, ""),
        (500, ""),
    ];
    for (status, body) in nonsense {
        let (url, _) = authority.serve(Arc::new(Always(status, body))).await;
        witnesses.push(of(&authority, &url, key_of(9)));
    }
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap(); // takes connections, says nothing
    witnesses.push(of(&authority, &format!("https://{}", hanging.local_addr().unwrap()), key_of(10)));
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    witnesses.push(of(&authority, &format!("https://localhost:{}", gone.port()), key_of(11)));

    let collected = Arc::new(Collected::new(2));
    watch(&log, &collected, &witnesses);
    let url = authority.serve_log(&log, &collected).await;
    let remote = RemoteLog::new(authority.http(), &url, Handle::current()).unwrap();
    let good: Vec<VerifierKey> = witnesses[..2].iter().map(|witness| witness.key.clone()).collect();
    let both = trust(&log, &good, 2);
    for _ in 0..5 {
        let begun = Instant::now();
        record(&journal, 60).await;
        let size = journal.size();
        loop {
            let verified = verify(&remote, &both, &mut |_, _| ());
            if verified.as_ref().is_ok_and(|verified| verified.checkpoint().size == size) {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "{verified:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    // Once there was a quorum, a reader never sees a checkpoint without, however fast the log grows.
    for _ in 0..12 {
        record(&journal, 5).await;
        verify(&remote, &both, &mut |_, _| ()).unwrap();
    }
    let liars = [good[0].clone(), good[1].clone(), key_of(9)];
    let error = verify(&remote, &trust(&log, &liars, 3), &mut |_, _| ()).unwrap_err().to_string();
    assert!(error.contains("2 trusted witnesses have cosigned"), "{error}");
    // The receipt of the file beside the log has them too, as soon as nothing more comes.
    let files = log.files();
    until(|| {
        let receipt = ledger::Receipt::make(&files, 1).unwrap();
        receipt.check(&both, None).is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_comes_late_catches_up() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let state = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    record(&journal, 300).await;
    let log = publish(&journal);
    let site = Arc::new(witness(state.path(), 5));
    let key = site.verifier();
    let collected = Arc::new(Collected::new(1));
    let place = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    watch(&log, &collected, &[of(&authority, &format!("https://localhost:{}", place.port()), key)]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    record(&journal, 10).await;
    let listener = TcpListener::bind(place).await.unwrap();
    let serving = authority.serve_on(listener, Arc::clone(&site) as _);
    tokio::spawn(serving);
    until(|| site.seen(&ORIGIN.parse().unwrap()).is_some_and(|seen| seen.size == 310)).await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name))
        } else {
            std::fs::copy(&path, to.join(name)).map(|_| ()).unwrap()
        }
    }
}

async fn may(journal: &Journal, key: &LogKey, witnesses: &[Witness]) -> Result<(), String> {
    let (checkpoint, note, files) = last_signed(journal, key).unwrap();
    may_start(witnesses, &files, &note, checkpoint.size).await.map_err(|forbidden| forbidden.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_and_another_history_do_not_start_once_a_witness_has_seen_more() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let (state, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let site = Arc::new(witness(state.path(), 5));
    let witness = of(&authority, &authority.serve(Arc::clone(&site) as _).await.0, site.verifier());
    let all = [witness.clone()];
    let seen = |size| {
        until({
            let site = Arc::clone(&site);
            move || site.seen(&ORIGIN.parse().unwrap()).is_some_and(|seen| seen.size == size)
        })
    };
    {
        let journal = open(folder.path());
        assert_eq!(may(&journal, &log_key(1), &all).await, Ok(()), "the first start");
        record(&journal, 5).await;
        let log = publish(&journal);
        watch(&log, &Arc::new(Collected::new(1)), &all);
        seen(5).await;
        copy(folder.path(), old.path());
        record(&journal, 5).await;
        seen(10).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    // The newest copy goes on; the older one does not, and neither does one that went on by itself.
    let newest = tempfile::tempdir().unwrap();
    copy(folder.path(), newest.path());
    assert_eq!(may(&open(newest.path()), &log_key(1), &all).await, Ok(()));
    let journal = open(old.path());
    let error = may(&journal, &log_key(1), &all).await.unwrap_err();
    assert!(error.contains("w5.test has seen 10 records, here are 5"), "{error}");
    record(&journal, 5).await;
    drop(Publisher::open(Arc::clone(&journal), log_key(1), &[]).unwrap());
    let error = may(&journal, &log_key(1), &all).await.unwrap_err();
    assert!(error.contains("w5.test has seen another history of these 10 records"), "{error}");
    // A log folder that was lost, with a witness that knows better.
    let lost = tempfile::tempdir().unwrap();
    copy(folder.path(), lost.path());
    std::fs::remove_dir_all(lost.path().join("log")).unwrap();
    let error = may(&open(lost.path()), &log_key(1), &all).await.unwrap_err();
    assert!(error.contains("has seen 10 records, here are 0"), "{error}");
    // One that is away has nothing to say, and does not hold up the start for long.
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = of(&authority, &format!("https://{}", hanging.local_addr().unwrap()), key_of(10));
    let begun = Instant::now();
    assert_eq!(may(&open(newest.path()), &log_key(1), &[hanging]).await, Ok(()));
    assert!(begun.elapsed() < Duration::from_secs(5));
}
