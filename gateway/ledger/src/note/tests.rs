use model::Timestamp;
use proptest::prelude::*;
use ring::signature::Ed25519KeyPair;

use super::*;

const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const SIGNED: &str = "This is an example message.\n\n— example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// A key pair from a number: tests need no randomness.
pub(crate) fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

#[test]
fn the_note_of_the_specification_verifies_and_prints_itself() {
    let note = Note::parse(SIGNED.as_bytes()).unwrap();
    let key: VerifierKey = VKEY.parse().unwrap();
    assert_eq!(note.verify([&key]).unwrap(), [&key]);
    assert_eq!(note.to_string(), SIGNED);
    assert_eq!(key.to_string(), VKEY);
}

#[test]
fn a_changed_text_is_forged_and_an_unknown_key_is_no_signature() {
    let key: VerifierKey = VKEY.parse().unwrap();
    let changed = Note::parse(SIGNED.replace("example message", "example massage").as_bytes()).unwrap();
    assert!(matches!(changed.verify([&key]), Err(NoteError::Forged { .. })));
    let log = name("log.example");
    let other = pair(1);
    let stranger = NoteSigner::new(&log, &other).verifier(Algorithm::Ed25519);
    let note = Note::parse(SIGNED.as_bytes()).unwrap();
    assert_eq!(note.verify([&stranger]), Err(NoteError::NotSigned));
    assert_eq!(note.verify([&stranger, &key]).unwrap(), [&key]);
}

#[test]
fn one_forged_line_of_a_known_key_spoils_a_note_that_another_line_would_carry() {
    let (log, key) = (name("log.example"), pair(1));
    let signer = NoteSigner::new(&log, &key);
    let mut note = Note::new("text\n".into()).unwrap();
    note.signatures.push(signer.sign("text\n"));
    note.signatures.push(signer.sign("other\n"));
    assert!(matches!(note.verify([&signer.verifier(Algorithm::Ed25519)]), Err(NoteError::Forged { .. })));
}

#[test]
fn a_note_is_split_at_its_last_empty_line() {
    let (log, key) = (name("log.example"), pair(1));
    let signer = NoteSigner::new(&log, &key);
    let text = "first\n\nsecond\n";
    let mut note = Note::new(text.into()).unwrap();
    note.signatures.push(signer.sign(text));
    let again = Note::parse(note.to_string().as_bytes()).unwrap();
    assert_eq!(again.text(), text);
    assert!(again.verify([&signer.verifier(Algorithm::Ed25519)]).is_ok());
}

#[test]
fn a_cosignature_holds_its_time_and_is_no_signature_of_a_log() {
    let (witness, key) = (name("witness.example/w1"), pair(2));
    let signer = NoteSigner::new(&witness, &key);
    let line = signer.cosign("text\n", Timestamp::from_unix_millis(1_795_000_000_900));
    assert_eq!(key::cosigned_at(&line), Some(Timestamp::from_unix_millis(1_795_000_000_000)));
    let cosigner = signer.verifier(Algorithm::CosignatureV1);
    assert!(cosigner.verifies("text\n", &line.bytes));
    let mut later = line.bytes.clone();
    later[7] ^= 1;
    assert!(!cosigner.verifies("text\n", &later), "the time is signed too");
    assert!(!signer.verifier(Algorithm::Ed25519).verifies("text\n", &line.bytes));
}

#[test]
fn a_verifier_key_with_another_id_or_algorithm_is_refused() {
    for bad in [
        "",
        "a",
        "a+b+c",
        &VKEY.replace("530d903a", "530d903b"),
        &VKEY.replace("+Aeky", "+Beky"),
        "a b+00000000+AA==",
    ] {
        assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
    }
}

#[test]
fn sixteen_signatures_are_taken_and_a_thousand_are_not() {
    let (log, key) = (name("log.example"), pair(1));
    let mut note = Note::new("text\n".into()).unwrap();
    note.signatures = vec![NoteSigner::new(&log, &key).sign("text\n"); 16];
    assert!(Note::parse(note.to_string().as_bytes()).is_ok());
    note.signatures = vec![note.signatures[0].clone(); 1000];
    assert!(Note::parse(note.to_string().as_bytes()).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Note::parse(&bytes);
    }

    #[test]
    fn another_maker_reads_what_we_sign(words in "[a-z ]{1,40}", seed: u8) {
        use signed_note::Verifier;
        let (log, key) = (name("log.example/werkfit"), pair(seed));
        let signer = NoteSigner::new(&log, &key);
        let mut note = Note::new(format!("{words}\n")).unwrap();
        note.signatures.push(signer.sign(note.text()));
        let theirs = signed_note::StandardVerifier::new(&signer.verifier(Algorithm::Ed25519).to_string()).unwrap();
        prop_assert_eq!(theirs.key_id().to_be_bytes(), signer.verifier(Algorithm::Ed25519).id());
        let read = signed_note::Note::from_bytes(note.to_string().as_bytes()).unwrap();
        let list = signed_note::VerifierList::new(vec![Box::new(theirs)]);
        let (verified, unverified) = read.verify(&list).unwrap();
        prop_assert_eq!((verified.len(), unverified.len()), (1, 0));
        prop_assert_eq!(read.text(), note.text().as_bytes());
    }

    #[test]
    fn a_note_that_we_read_is_read_alike_by_another_maker(text in "[a-z\n]{0,30}", cut in any::<prop::sample::Index>()) {
        let (log, key) = (name("log.example"), pair(1));
        let whole = format!("{text}\n\n{}\n", NoteSigner::new(&log, &key).sign(&text));
        let bytes = &whole.as_bytes()[..whole.len() - cut.index(3)];
        if let Ok(note) = Note::parse(bytes) {
            let theirs = signed_note::Note::from_bytes(bytes).unwrap();
            prop_assert_eq!(theirs.text(), note.text().as_bytes());
        }
    }
}
