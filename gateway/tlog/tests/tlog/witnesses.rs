//! Being a witness: every answer of the specification, and that it never forgets.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use ledger::witness::{AddCheckpoint, Heard, hear};
use ledger::{Digest, KeyName, Note, leaf_hash, node_hash};
use tlog::WitnessError;

use crate::world::*;

fn roots() -> [Digest; 3] {
    let (one, two) = (leaf_hash(b"one"), leaf_hash(b"two"));
    [ledger::empty_root(), one, node_hash(&one, &two)]
}

/// A request with a proof from `old` to the log of two leaves.
fn request(old: u64, note: &str) -> Bytes {
    let grows = old == 1 && note.contains("\n2\n");
    let proof = if grows { vec![leaf_hash(b"two")] } else { Vec::new() };
    let note = Note::parse(note.as_bytes()).unwrap();
    AddCheckpoint { old, proof, note }.to_string().into()
}

async fn post(authority: &Authority, url: &str, body: Bytes) -> Response<Bytes> {
    authority.http().post(&format!("{url}/add-checkpoint"), body, 10_000).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_gives_every_answer_of_the_specification() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let site = Arc::new(witness(folder.path(), 5));
    let key = site.verifier();
    let (url, _) = authority.serve(Arc::clone(&site) as _).await;
    let [_, one, two] = roots();
    let other = "other.test/log".parse::<KeyName>().unwrap();
    let unknown = signed(1, 1, one).replace(ORIGIN, other.as_str());
    let cases: [(&str, Bytes, u16); 10] = [
        ("not a request", "hello".into(), 400),
        ("a log that it does not watch", request(0, &unknown), 404),
        ("a key that is not trusted", request(0, &signed(2, 1, one)), 403),
        ("old is past new", request(2, &signed(1, 1, one)), 400),
        ("old is not what was seen", request(1, &signed(1, 2, two)), 409),
        ("the first", request(0, &signed(1, 1, one)), 200),
        ("the same again", request(1, &signed(1, 1, one)), 200),
        ("the same size, another root", request(1, &signed(1, 1, two)), 422),
        ("growth", request(1, &signed(1, 2, two)), 200),
        ("what was seen before", request(0, &signed(1, 1, one)), 409),
    ];
    for (what, body, status) in cases {
        let answer = post(&authority, &url, body.clone()).await;
        assert_eq!(answer.status().as_u16(), status, "{what}: {:?}", answer.body());
        let media = answer.headers()["content-type"].to_str().unwrap();
        assert_eq!(media == "text/x.tlog.size", status == 409, "{what}");
        if status == 200 {
            let note = AddCheckpoint::parse(&body).unwrap().note;
            let heard = hear(200, answer.body(), &note, &key);
            assert!(matches!(heard, Heard::Cosignatures(lines) if lines.len() == 1), "{what}");
        }
    }
    assert_eq!(post(&authority, &url, request(0, &signed(1, 1, one))).await.body(), "2\n");
    let evidence: Vec<_> = std::fs::read_dir(folder.path().join("evidence")).unwrap().collect();
    assert_eq!(evidence.len(), 1, "what a two-faced log signed is kept");
    let elsewhere = authority.http().get(&format!("{url}/"), 1000).await.unwrap();
    assert_eq!(elsewhere.status().as_u16(), 404);
    let got = authority.http().get(&format!("{url}/add-checkpoint"), 1000).await.unwrap();
    assert_eq!(got.status().as_u16(), 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_starts_again_remembers_and_one_that_cannot_does_not_start() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let [_, one, two] = roots();
    let site = Arc::new(witness(folder.path(), 5));
    let reopen = |folder: &Path| {
        let logs = vec![log_key(1).verifier()];
        tlog::WitnessSite::open(folder, witness_name(5), &pkcs8(5), logs, Box::new(|| NOW))
    };
    assert!(matches!(reopen(folder.path()), Err(WitnessError::Disk(_))), "two on one folder");
    let (url, serving) = authority.serve(Arc::clone(&site) as _).await;
    assert_eq!(post(&authority, &url, request(0, &signed(1, 1, one))).await.status().as_u16(), 200);
    serving.abort();
    let _ = serving.await;
    until(|| Arc::strong_count(&site) == 1).await;
    drop(site);
    std::fs::write(folder.path().join("seen/next.tmp"), "half of a fi").unwrap(); // as a crash leaves it
    let again = Arc::new(reopen(folder.path()).unwrap());
    assert_eq!(again.seen(&ORIGIN.parse().unwrap()).unwrap().size, 1);
    let (url, serving) = authority.serve(Arc::clone(&again) as _).await;
    let forked = post(&authority, &url, request(1, &signed(1, 1, two))).await;
    assert_eq!(forked.status().as_u16(), 422);
    serving.abort();
    let _ = serving.await;
    until(|| Arc::strong_count(&again) == 1).await;
    drop(again);
    // Any bit of what it remembers: it does not start rather than let the log show it another history.
    let path = std::fs::read_dir(folder.path().join("seen")).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&path).unwrap();
    for bit in 0..whole.len() * 8 {
        let mut broken = whole.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, broken).unwrap();
        let error = reopen(folder.path()).err();
        assert!(matches!(error, Some(WitnessError::Damaged { .. })), "bit {bit}");
    }
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(reopen(folder.path()), Err(WitnessError::Damaged { .. })));
    std::fs::write(&path, whole).unwrap();
    assert!(reopen(folder.path()).is_ok());
}

/// Many requests at once for the same step: one history comes out of it, whoever is first.
#[tokio::test(flavor = "multi_thread")]
async fn two_histories_at_once_are_never_both_cosigned() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let (url, _) = authority.serve(Arc::new(witness(folder.path(), 5))).await;
    let (one, other) = (leaf_hash(b"one"), leaf_hash(b"other"));
    let (http, mut asking) = (authority.http(), tokio::task::JoinSet::new());
    for number in 0..40 {
        let root = if number % 2 == 0 { one } else { other };
        let (http, url) = (http.clone(), format!("{url}/add-checkpoint"));
        let body = request(0, &signed(1, 1, root));
        asking.spawn(async move {
            let status = http.post(&url, body, 10_000).await.unwrap().status().as_u16();
            (number % 2, status)
        });
    }
    let answers = asking.join_all().await;
    let sides: std::collections::BTreeSet<_> =
        answers.iter().filter(|(_, status)| *status == 200).map(|(side, _)| side).collect();
    assert_eq!(sides.len(), 1, "{answers:?}");
}
