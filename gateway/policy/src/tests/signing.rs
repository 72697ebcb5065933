//! Signatures and numbers: whose bundle it is, and that it is not an old one.

use ring::signature::{Ed25519KeyPair, KeyPair};

use super::small::{files, load, with};
use crate::{Digest, Files, Keys, LoadError, Part, Proven, SIGNATURES, Seen, Signers, Stage, Trust, sign};

const OFFICERS: [(&str, [u8; 32]); 2] = [("anna", [1; 32]), ("bram", [2; 32])];
const SUPERVISORS: [(&str, [u8; 32]); 2] = [("carla", [3; 32]), ("dirk", [4; 32])];

fn signers(people: &[(&str, [u8; 32])], threshold: usize) -> Signers {
    let key = |seed: &[u8; 32]| {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
        pair.public_key().as_ref().try_into().unwrap()
    };
    Signers {
        threshold,
        keys: people.iter().map(|(name, seed)| (name.parse().unwrap(), key(seed))).collect(),
    }
}

fn keys() -> Keys {
    Keys { policies: signers(&OFFICERS, 2), guardrails: signers(&SUPERVISORS, 1), seen: Seen::default() }
}

fn signed(mut files: Files, people: &[(&str, [u8; 32], Part)]) -> Files {
    let proven = load(&files);
    for (name, seed, part) in people {
        let signatures = sign(&files, &proven, *part, &name.parse().unwrap(), seed).unwrap();
        files.insert(SIGNATURES.to_owned(), signatures);
    }
    files
}

fn well_signed(files: Files) -> Files {
    let [(anna, a), (bram, b)] = OFFICERS;
    let (carla, c) = SUPERVISORS[0];
    signed(files, &[(anna, a, Part::Policies), (bram, b, Part::Policies), (carla, c, Part::Guardrails)])
}

fn refused(files: &Files, keys: Keys, stage: Stage, says: &str) {
    let error: LoadError = match Proven::load(files, &Trust::Signed(keys)) {
        Ok(_) => panic!("loads, and should be refused: {says}"),
        Err(error) => error,
    };
    assert!(error.is_about(stage) && error.to_string().contains(says), "{error}\nlacks: {says}");
}

#[test]
fn a_bundle_signed_by_enough_of_both_is_accepted() {
    let proven = Proven::load(&well_signed(files()), &Trust::Signed(keys())).unwrap();
    assert_eq!(proven.number(), 1);
    assert_eq!(proven.digest(), load(&files()).digest(), "the signatures are no part of it");
}

#[test]
fn a_bundle_whose_signatures_were_stripped_is_refused() {
    refused(&files(), keys(), Stage::Signature, "taken off");
    let mut empty = well_signed(files());
    empty.insert(SIGNATURES.to_owned(), Vec::new());
    refused(&empty, keys(), Stage::Signature, "signed by 0 of the 2");
}

#[test]
fn one_voice_is_not_two_and_rules_do_not_sign_guardrails() {
    let [(anna, a), _] = OFFICERS;
    let (carla, c) = SUPERVISORS[0];
    let one = signed(
        files(),
        &[(anna, a, Part::Policies), (anna, a, Part::Policies), (carla, c, Part::Guardrails)],
    );
    refused(&one, keys(), Stage::Signature, "the bundle is signed by 1 of the 2");
    let [(bram, b)] = [OFFICERS[1]];
    let own =
        signed(files(), &[(anna, a, Part::Policies), (bram, b, Part::Policies), (anna, a, Part::Guardrails)]);
    refused(&own, keys(), Stage::Signature, "the guardrails is signed by 0 of the 1");
    let mut both = keys();
    both.guardrails = signers(&OFFICERS, 1);
    refused(&well_signed(files()), both, Stage::Signature, "that takes two people");
    let mut none = keys();
    none.policies.threshold = 0;
    refused(&well_signed(files()), none, Stage::Signature, "threshold");
}

#[test]
fn any_changed_byte_breaks_the_signatures() {
    let good = well_signed(files());
    for name in good.keys().filter(|name| *name != SIGNATURES) {
        let mut changed = good.clone();
        changed.get_mut(name).unwrap().push(b'\n');
        refused(&changed, keys(), Stage::Signature, "is not right");
    }
    let mut more = good.clone();
    more.insert("lexicon/extra.tsv".to_owned(), Vec::new());
    refused(&more, keys(), Stage::Signature, "is not right");
}

#[test]
fn the_matrix_that_was_signed_has_to_come_out() {
    let good = well_signed(files());
    let text = String::from_utf8(good[SIGNATURES].clone()).unwrap();
    let matrix = load(&files()).matrix_digest().to_string();
    let mut other = good.clone();
    other.insert(SIGNATURES.to_owned(), text.replace(&matrix, &Digest([7; 32]).to_string()).into_bytes());
    refused(&other, keys(), Stage::Signature, "is not right");
}

#[test]
fn signatures_over_other_content_are_dropped_when_someone_signs_again() {
    let mut changed = well_signed(files());
    let other = with("rules/alle.cedar", "Action::\"urenband\"", "Action::\"ja_nee\"");
    changed.insert("rules/alle.cedar".to_owned(), other["rules/alle.cedar"].clone());
    let [(anna, a), _] = OFFICERS;
    let again = signed(changed, &[(anna, a, Part::Policies)]);
    refused(&again, keys(), Stage::Signature, "signed by 1 of the 2");
}

#[test]
fn an_old_bundle_is_not_replayed_and_going_back_takes_a_higher_number() {
    let running = Proven::load(&well_signed(files()), &Trust::Signed(keys())).unwrap();
    let with_seen = |seen| Keys { seen, ..keys() };
    Proven::load(&well_signed(files()), &Trust::Signed(with_seen(running.seen())))
        .expect("the same again, after a restart");
    let same_number = well_signed(with("rules/alle.cedar", "De arts krijgt alles.", "De arts krijgt het."));
    refused(&same_number, with_seen(running.seen()), Stage::Number, "accepted before with other content");
    let later = Seen { bundle: Some((2, Digest([0; 32]))), guardrails: None };
    refused(&well_signed(files()), with_seen(later), Stage::Number, "lower than 2");
    let weaker = Seen { bundle: None, guardrails: Some((2, Digest([0; 32]))) };
    refused(&well_signed(files()), with_seen(weaker), Stage::Number, "guardrails number 1 is lower than 2");
    let again = well_signed(with("bundle.toml", "number = 1", "number = 3"));
    Proven::load(&again, &Trust::Signed(with_seen(later))).expect("old content under a higher number");
}
