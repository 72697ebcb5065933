use super::*;
use crate::Rules;
use crate::testing::der::{oid, sequence, tlv};
use crate::testing::draft::{CRL_SIGN, KEY_CERT_SIGN};
use crate::testing::world::*;

const SOON: &str = "261001000000Z";
const LEAF_SERIAL: &[u8] = &[0x4d, 1, 2, 3];

fn peer() -> Peer {
    world().peer(&[world().overheid.leaf(GEMEENTE, "zaaksysteem", |_| {})]).unwrap()
}

fn check(lists: &[Vec<u8>], grace: i64) -> Result<(), String> {
    let rules = Rules { crl_grace_seconds: grace, test_mode: true, ..Rules::default() };
    let authorities = [&world().overheid.certificate, &world().zorg.certificate];
    let trust = Trust::new(&authorities, rules).unwrap();
    let revocations = Revocations::new(lists, &trust).map_err(|error| error.problem.to_owned())?;
    revocations.check(&peer(), &trust, NOW).map_err(|refusal| refusal.violations[0].description.clone())
}

fn refused(lists: &[Vec<u8>], why: &str) {
    let told = check(lists, 0).unwrap_err();
    assert!(told.contains(why), "expected `{why}`, got `{told}`");
}

#[test]
fn a_certificate_stands_until_its_serial_number_is_on_the_list() {
    let overheid = &world().overheid;
    check(&[overheid.list(SOON, &[], &[])], 0).unwrap();
    check(&[overheid.list(SOON, &[&[1], &[0x4d, 1, 2, 4], &[0x4d, 1, 2]], &[])], 0).unwrap();
    refused(&[overheid.list(SOON, &[&[1], LEAF_SERIAL], &[])], "revoked");
}

#[test]
fn an_authority_without_a_list_has_no_valid_certificates() {
    refused(&[], "no revocation list");
    refused(&[world().zorg.list(SOON, &[], &[])], "no revocation list");
}

#[test]
fn a_stale_list_is_good_for_the_grace_and_not_a_second_longer() {
    // NOW is 2026-09-21 14:13:20; this list ended a minute before.
    let lists = [world().overheid.list("260921141220Z", &[], &[])];
    assert!(check(&lists, 0).unwrap_err().contains("too old"));
    assert!(check(&lists, 59).unwrap_err().contains("too old"));
    check(&lists, 60).unwrap();
    let revoked = [world().overheid.list("260921141220Z", &[LEAF_SERIAL], &[])];
    assert!(check(&revoked, 3_600).unwrap_err().contains("revoked"), "the grace forgives no revocation");
}

#[test]
fn a_list_that_says_less_than_it_seems_is_refused_when_it_is_loaded() {
    let overheid = &world().overheid;
    let point = |content: &[u8]| {
        let value = tlv(0x04, &sequence(&[content]));
        sequence(&[&oid(&[2, 5, 29, 28]), &[1, 1, 0xff], &value])
    };
    let delta = sequence(&[&oid(&[2, 5, 29, 27]), &[1, 1, 0xff], &tlv(0x04, &[2, 1, 1])]);
    let good = overheid.list(SOON, &[], &[]);
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    refused(&[overheid.list(SOON, &[], &point(&[0x82, 1, 0xff]))], "a part of");
    refused(&[overheid.list(SOON, &[], &point(&[0x83, 2, 4, 0x40]))], "a part of");
    refused(&[overheid.list(SOON, &[], &point(&[0x84, 1, 0xff]))], "a part of");
    refused(&[overheid.list(SOON, &[], &point(&[0x85, 1, 0xff]))], "a part of");
    refused(&[overheid.list(SOON, &[], &delta)], "critical extension");
    refused(&[overheid.list("", &[], &[])], "nextUpdate");
    refused(&[flipped], "not signed by");
    refused(&[[good.as_slice(), &[0]].concat()], "bytes follow");
    refused(&[good[..good.len() - 1].to_vec()], "not a revocation list");
    refused(&[b"a list".to_vec()], "not a revocation list");
    check(&[overheid.list(SOON, &[], &point(&[0x81, 1, 0xff]))], 0).unwrap();
}

#[test]
fn a_list_counts_only_from_a_trusted_authority_that_may_sign_lists() {
    let impostor = Authority::root("Overheid", |_| {});
    refused(&[impostor.list(SOON, &[], &[])], "not signed by");
    let silent = Authority::root("Zwijgt", |draft| draft.set_key_usage(KEY_CERT_SIGN));
    let trust = Trust::new(&[&silent.certificate], Rules::default()).unwrap();
    Revocations::new(&[silent.list(SOON, &[], &[])], &trust).unwrap_err();
    let speaks = Authority::root("Spreekt", |draft| draft.set_key_usage(KEY_CERT_SIGN | CRL_SIGN));
    let trust = Trust::new(&[&speaks.certificate], Rules::default()).unwrap();
    Revocations::new(&[speaks.list(SOON, &[], &[])], &trust).unwrap();
}

#[test]
fn an_authority_between_that_is_revoked_takes_its_leaves_along() {
    let (overheid, rules) = (&world().overheid, Rules { test_mode: true, ..Rules::default() });
    let between = overheid.intermediate("Tussen", |draft| draft.serial = vec![0x11]);
    let trust = Trust::new(&[&overheid.certificate, &between.certificate], rules).unwrap();
    let leaf = between.leaf(GEMEENTE, "zaaksysteem", |_| {});
    let peer = Peer::from_certificate(&[leaf], &trust, &world().registry, NOW).unwrap();
    let check = |lists: &[Vec<u8>]| Revocations::new(lists, &trust).unwrap().check(&peer, &trust, NOW);
    let of_leaves = between.list(SOON, &[], &[]);
    check(&[overheid.list(SOON, &[], &[]), of_leaves.clone()]).unwrap();
    check(&[overheid.list(SOON, &[&[0x11]], &[]), of_leaves.clone()]).unwrap_err();
    check(&[of_leaves]).unwrap_err();
}
