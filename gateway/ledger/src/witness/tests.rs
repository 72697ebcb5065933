use proptest::prelude::*;

use super::*;
use crate::note::Algorithm;
use crate::note::tests::pair;
use crate::proof::{ProofError, prove_consistency};
use crate::tree::{leaf_hash, root_of};

fn origin() -> KeyName {
    "log.example/werkfit".parse().unwrap()
}

fn hashes(count: u64, fork: u8) -> Vec<Digest> {
    (0..count).map(|leaf| leaf_hash(&[leaf as u8, if leaf == 2 { fork } else { 0 }])).collect()
}

fn log_key() -> VerifierKey {
    NoteSigner::new(&origin(), &pair(1)).verifier(Algorithm::Ed25519)
}

/// A request of the log that has grown from `old` to `new`, on the branch `fork`.
fn request(old: u64, new: u64, fork: u8) -> AddCheckpoint {
    let all = hashes(new, fork);
    let node = |level: u32, index: u64| -> Result<Digest, ProofError> {
        let from = (index << level) as usize;
        Ok(root_of(&all[from..from + (1 << level)]))
    };
    let checkpoint = Checkpoint { origin: origin(), size: new, root: root_of(&all) };
    let note = checkpoint.sign(&NoteSigner::new(&origin(), &pair(1))).unwrap();
    AddCheckpoint { old, proof: prove_consistency(old.min(new), new, node).unwrap(), note }
}

fn seen(size: u64) -> Seen {
    Seen { size, root: root_of(&hashes(size, 0)) }
}

fn ask(request: &AddCheckpoint, last: Option<Seen>) -> Result<Grown, Answer> {
    consider(request.to_string().as_bytes(), &[log_key()], |_| last)
}

#[test]
fn a_log_that_grew_is_cosigned_and_the_log_hears_it() {
    let request = request(3, 7, 0);
    let grown = ask(&request, Some(seen(3))).unwrap();
    assert_eq!((grown.before(), grown.after()), (seen(3), seen(7)));
    let (name, key) = ("w.example".parse().unwrap(), pair(2));
    let signer = NoteSigner::new(&name, &key);
    let answer = grown.cosign(&signer, Timestamp::from_unix_millis(9_000));
    assert_eq!(answer.status(), 200);
    let witness = signer.verifier(Algorithm::CosignatureV1);
    let heard = hear(answer.status(), answer.body().as_bytes(), &request.note, &witness);
    assert!(matches!(heard, Heard::Cosignatures(lines) if lines.len() == 1));
}

#[test]
fn the_first_checkpoint_of_a_log_needs_no_proof() {
    assert!(ask(&request(0, 5, 0), None).is_ok());
}

#[test]
fn a_stale_log_is_told_the_size_and_a_fork_is_refused() {
    assert_eq!(ask(&request(3, 7, 0), Some(seen(5))).unwrap_err(), Answer::Stale(5));
    assert_eq!(ask(&request(3, 7, 0), None).unwrap_err(), Answer::Stale(0));
    assert_eq!(ask(&request(5, 7, 1), Some(seen(5))).unwrap_err(), Answer::Inconsistent);
    assert_eq!(
        ask(&request(5, 5, 1), Some(seen(5))).unwrap_err(),
        Answer::Inconsistent,
        "same size, other root"
    );
    assert!(ask(&request(5, 5, 0), Some(seen(5))).is_ok(), "the same again is cosigned again");
    assert_eq!(ask(&request(9, 7, 0), Some(seen(9))).unwrap_err(), Answer::BadRequest);
    assert_eq!(Answer::Stale(5).body(), "5\n");
    assert_eq!(Answer::Stale(5).content_type(), "text/x.tlog.size");
}

#[test]
fn who_is_not_watched_or_has_not_signed_gets_no_cosignature() {
    let good = request(0, 3, 0);
    let stranger = NoteSigner::new(&"other.example".parse().unwrap(), &pair(1)).verifier(Algorithm::Ed25519);
    let answer = consider(good.to_string().as_bytes(), &[stranger], |_| None).unwrap_err();
    assert_eq!((answer.clone(), answer.status()), (Answer::UnknownLog, 404));
    let rotated = NoteSigner::new(&origin(), &pair(8)).verifier(Algorithm::Ed25519);
    let answer = consider(good.to_string().as_bytes(), &[rotated], |_| None).unwrap_err();
    assert_eq!((answer.clone(), answer.status()), (Answer::Forbidden, 403));
}

#[test]
fn a_witness_that_lies_is_not_believed() {
    let request = request(0, 3, 0);
    let (name, key) = ("w.example".parse().unwrap(), pair(2));
    let witness = NoteSigner::new(&name, &key).verifier(Algorithm::CosignatureV1);
    let forged = NoteSigner::new(&name, &key).cosign("something else\n", Timestamp::from_unix_millis(0));
    let heard = |status, body: &str| hear(status, body.as_bytes(), &request.note, &witness);
    assert_eq!(heard(200, &format!("{forged}\n")), Heard::Nonsense);
    assert_eq!(heard(200, ""), Heard::Nonsense);
    assert_eq!(heard(409, "not a number\n"), Heard::Nonsense);
    assert_eq!(heard(409, "12\n"), Heard::Seen(12));
    assert_eq!(heard(422, ""), Heard::Refused(422));
}

#[test]
fn a_request_made_from_tiles_is_accepted_by_a_witness_that_saw_any_earlier_size() {
    use crate::verify::tests as log;
    let records = log::records(300);
    let files = log::publish(&records);
    let note = Note::parse(&files["checkpoint"]).unwrap();
    let key = log::trust().logs()[0].clone();
    for old in [0, 1, 255, 256, 299, 300] {
        let leaves: Vec<Digest> = records[..old].iter().map(|record| leaf_hash(record)).collect();
        let seen = Seen { size: old as u64, root: root_of(&leaves) };
        let request = AddCheckpoint::make(&files, old as u64, note.clone()).unwrap();
        let grown =
            consider(request.to_string().as_bytes(), std::slice::from_ref(&key), |_| Some(seen)).unwrap();
        assert_eq!(grown.after().size, 300);
    }
    let stale = AddCheckpoint::make(&files, 301, note).unwrap_err();
    assert!(stale.to_string().contains("cannot have grown"), "{stale}");
}

#[test]
fn a_restored_log_does_not_start_when_a_witness_has_seen_more_or_something_else() {
    assert!(Heard::Seen(301).forbids_start(300));
    assert!(!Heard::Seen(300).forbids_start(300));
    assert!(Heard::Refused(422).forbids_start(300));
    assert!(!Heard::Refused(404).forbids_start(300));
}

#[test]
fn the_request_of_the_specification_is_read() {
    let body = "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\nexample.com/behind-the-sofa\n20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa \
        Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let request = AddCheckpoint::parse(body.as_bytes()).unwrap();
    assert_eq!((request.old, request.proof.len()), (20_852_014, 1));
    assert_eq!(request.to_string(), body);
    let long = body.replace(
        "\n\nexample",
        &("\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=".repeat(63) + "\n\nexample"),
    );
    assert_eq!(AddCheckpoint::parse(long.as_bytes()), Err(Answer::BadRequest));
    assert_eq!(AddCheckpoint::parse(body.replace("old 2", "old 02").as_bytes()), Err(Answer::BadRequest));
}

proptest! {
    #[test]
    fn no_order_of_requests_makes_a_witness_cosign_two_branches(steps in prop::collection::vec((0u64..12, 1u64..12, 0u8..2), 1..20)) {
        let mut last: Option<Seen> = None;
        for (old, new, fork) in steps {
            if let Ok(grown) = ask(&request(old, new, fork), last) {
                if let Some(last) = last {
                    prop_assert!(grown.after().size >= last.size);
                    let is_one_branch = [0, 1].iter().any(|branch| {
                        let root = |size| root_of(&hashes(size, *branch));
                        last.root == root(last.size) && grown.after().root == root(new)
                    });
                    prop_assert!(is_one_branch);
                }
                last = Some(grown.after());
            }
        }
    }
}
