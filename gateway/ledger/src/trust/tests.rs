use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::note::NoteSigner;
use crate::note::tests::pair;
use crate::tree::{leaf_hash, root_of};

fn key(name: &str, seed: u8, algorithm: Algorithm) -> VerifierKey {
    NoteSigner::new(&name.parse().unwrap(), &pair(seed)).verifier(algorithm)
}

fn file(quorum: &str) -> String {
    let mut file =
        format!("# who we believe\nlog {} https://log.example/\n", key("log.example", 1, Algorithm::Ed25519));
    for seed in 2..=6 {
        let witness = key(&format!("w{seed}.example"), seed, Algorithm::CosignatureV1);
        file += &format!("witness W{seed} {witness}\n");
    }
    file + "\tgroup two 2 W2 W3 W4\ngroup one any W5 W6\ngroup both all two one\n\nquorum " + quorum + "\n"
}

/// A checkpoint of one leaf, signed by the log and cosigned by these.
fn note(cosigners: &[u8]) -> Note {
    let (origin, log) = ("log.example".parse().unwrap(), pair(1));
    let checkpoint = Checkpoint { origin, size: 1, root: root_of(&[leaf_hash(b"x")]) };
    let mut note = checkpoint.sign(&NoteSigner::new(&checkpoint.origin, &log)).unwrap();
    for seed in cosigners {
        let name = format!("w{seed}.example").parse().unwrap();
        let line =
            NoteSigner::new(&name, &pair(*seed)).cosign(note.text(), Timestamp::from_unix_millis(5_000));
        note.signatures.push(line);
    }
    note
}

#[rstest]
#[case("none", &[], true)]
#[case("W2", &[], false)]
#[case("W2", &[2], true)]
#[case("W2", &[3], false)]
#[case("two", &[2, 4], true)]
#[case("two", &[2], false)]
#[case("both", &[2, 3, 6], true)]
#[case("both", &[2, 3, 4], false)]
#[case("both", &[2, 5, 6], false)]
fn a_quorum_is_reached_by_whom_it_names(
    #[case] quorum: &str,
    #[case] cosigners: &[u8],
    #[case] reached: bool,
) {
    let trust = Trust::parse(&file(quorum)).unwrap();
    let answer = trust.accept(&note(cosigners));
    assert_eq!(answer.is_ok(), reached, "{answer:?}");
    if let Ok(trusted) = answer {
        assert_eq!(trusted.witnesses().len(), cosigners.len());
        assert!(trusted.witnesses().iter().all(|(_, time)| time.unix_seconds() == 5));
    }
}

#[test]
fn one_witness_that_signs_twice_counts_once() {
    let trust = Trust::parse(&file("two")).unwrap();
    assert_eq!(trust.accept(&note(&[2, 2])), Err(Untrusted::NoQuorum { cosigned: 1 }));
}

#[test]
fn a_checkpoint_of_another_log_is_told_apart_from_a_forged_one() {
    let trust = Trust::in_log(key("other.example", 1, Algorithm::Ed25519));
    assert!(matches!(trust.accept(&note(&[])), Err(Untrusted::OtherLog { .. })));
    let trust = Trust::in_log(key("log.example", 9, Algorithm::Ed25519));
    assert_eq!(trust.accept(&note(&[])), Err(Untrusted::Note(NoteError::NotSigned)));
}

#[test]
fn a_witness_that_lies_is_not_silently_left_out() {
    let trust = Trust::parse(&file("none")).unwrap();
    let mut note = note(&[2]);
    if let Some(line) = note.signatures.last_mut() {
        line.bytes[20] ^= 1;
    }
    assert!(matches!(trust.accept(&note), Err(Untrusted::Note(NoteError::Forged { .. }))));
}

#[test]
fn a_mistake_in_the_file_is_named_by_its_line() {
    let good = file("both");
    let problem = |text: &str| Trust::parse(text).unwrap_err();
    assert_eq!(
        problem(&good.replace("quorum both\n", "")).problem,
        "there is no `quorum` line; write `quorum none`"
    );
    assert_eq!(problem(&good.replace("quorum both", "quorum nobody")).line, 12);
    assert_eq!(problem(&format!("{good}quorum none\n")).line, 13);
    assert_eq!(problem(&good.replace("2 W2 W3 W4", "4 W2 W3 W4")).line, 8);
    assert_eq!(problem(&good.replace("any W5 W6", "any W5 W2")).problem, "a member is in a group already");
    assert_eq!(problem(&good.replace("any W5 W6", "any W5 W7")).line, 9);
    assert_eq!(problem(&good.replace("group one", "group W2")).problem, "this name is taken");
    assert_eq!(problem(&good.replace("quorum", "quorums")).line, 12);
    let twice = key("another.name", 2, Algorithm::CosignatureV1);
    assert_eq!(problem(&good.replace("group one", &format!("witness again {twice}\ngroup one"))).line, 9);
    let wrong = key("log.example", 1, Algorithm::CosignatureV1);
    assert_eq!(problem(&format!("log {wrong}\nquorum none\n")).line, 1);
}

#[test]
fn where_a_log_is_reached_stands_in_the_file() {
    let trust = Trust::parse(&file("none")).unwrap();
    assert_eq!(trust.url(trust.logs()[0].name()), Some("https://log.example/"));
    assert_eq!(trust.url(trust.witnesses()[0].name()), None);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(log|witness|group|quorum|none|any|all|[0-9a-z#+ \t\n])*") {
        let _ = Trust::parse(&text);
    }
}
