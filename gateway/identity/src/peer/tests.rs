use model::Reason;
use proptest::prelude::*;

use super::*;
use crate::testing::der::{integer, oid, sequence, tlv};
use crate::testing::draft::*;
use crate::testing::world::*;

/// One bad certificate: what it is, what was shown, and where the refusal must point. No place means
/// `ORGANISATION_UNKNOWN`, which is about nobody's certificate.
struct Bad {
    what: &'static str,
    presented: Vec<Vec<u8>>,
    place: Option<&'static str>,
}

fn bad(what: &'static str, place: &'static str, spoil: impl FnOnce(&mut Draft)) -> Bad {
    let leaf = world().overheid.leaf(GEMEENTE, "zaaksysteem", spoil);
    Bad { what, presented: vec![leaf], place: Some(place) }
}

fn shown(what: &'static str, place: &'static str, presented: Vec<Vec<u8>>) -> Bad {
    Bad { what, presented, place: Some(place) }
}

fn good() -> Vec<u8> {
    world().overheid.leaf(GEMEENTE, "zaaksysteem", |_| {})
}

fn unreadable() -> Vec<Bad> {
    let good = good();
    let place = "certificate";
    vec![
        shown("nothing", place, vec![]),
        shown("no bytes", place, vec![vec![]]),
        shown("text", place, vec![b"a certificate".to_vec()]),
        shown("an empty sequence", place, vec![vec![0x30, 0]]),
        shown("cut off", place, vec![good[..good.len() - 1].to_vec()]),
        shown("one byte more", place, vec![[good.as_slice(), &[0]].concat()]),
        shown("two in one", place, vec![[good.as_slice(), &good].concat()]),
        shown("PEM", place, vec![b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".to_vec()]),
        bad("over 16 kB", place, |draft| draft.set(&[1, 2, 3, 4], false, vec![0; 20_000])),
    ]
}

fn malformed() -> Vec<Bad> {
    let unique = |tag| move |draft: &mut Draft| draft.unique = tlv(tag, &[0, 1]);
    vec![
        bad("version 1", "version", |draft| {
            draft.version = None;
            draft.extensions.clear();
        }),
        bad("version 2", "version", |draft| draft.version = Some(1)),
        bad("version 4", "version", |draft| draft.version = Some(3)),
        bad("serial number zero", "serialNumber", |draft| draft.serial = vec![0]),
        bad("serial number negative", "serialNumber", |draft| draft.serial = vec![0x80, 1]),
        bad("serial number of 22 octets", "serialNumber", |draft| draft.serial = vec![1; 22]),
        bad("two signature algorithms", "signatureAlgorithm", |draft| {
            draft.outer_algorithm = sequence(&[&oid(&[1, 3, 101, 112])]);
        }),
        bad("issuer's unique id", "subjectUniqueID", unique(0x81)),
        bad("subject's unique id", "subjectUniqueID", unique(0x82)),
        bad("an extension twice", "extensions", |draft| {
            let twice = draft.extensions[1].clone();
            draft.extensions.push(twice);
        }),
        bad("an unknown extension twice", "extensions", |draft| {
            let unknown = (oid(&[1, 2, 3, 4]), false, vec![5, 0]);
            draft.extensions.extend([unknown.clone(), unknown]);
        }),
        bad("a critical extension nobody knows", "extensions", |draft| {
            draft.set(&[1, 2, 3, 4], true, vec![5, 0]);
        }),
        bad("broken basicConstraints", "extensions", |draft| {
            draft.set(BASIC_CONSTRAINTS, true, vec![0x30, 9])
        }),
        bad("broken extendedKeyUsage", "extensions", |draft| draft.set(EXTENDED_KEY_USAGE, false, vec![1])),
        bad("broken keyUsage", "extensions", |draft| draft.set(KEY_USAGE, true, vec![0x30, 0])),
    ]
}

fn weak() -> Vec<Bad> {
    let algorithm =
        |what, arcs: &'static [u64]| bad(what, "signatureAlgorithm", |draft| draft.algorithm(arcs));
    let key = |what, info: Vec<u8>| bad(what, "subjectPublicKeyInfo", |draft| draft.info = info);
    let point = Key::new().point();
    let compressed = [&[2], &point[1..33]].concat();
    vec![
        algorithm("MD5 with RSA", &[1, 2, 840, 113549, 1, 1, 4]),
        algorithm("SHA-1 with RSA", &[1, 2, 840, 113549, 1, 1, 5]),
        algorithm("SHA-1 with RSA, the other number", &[1, 3, 14, 3, 2, 29]),
        algorithm("SHA-1 with ECDSA", &[1, 2, 840, 10045, 4, 1]),
        algorithm("SHA-224 with ECDSA", &[1, 2, 840, 10045, 4, 3, 1]),
        algorithm("SHA-1 with DSA", &[1, 2, 840, 10040, 4, 3]),
        algorithm("an algorithm of nobody", &[1, 2, 3, 4]),
        key("RSA of 1024 bits", rsa_info(1024, &[1, 0, 1])),
        key("RSA of 2047 bits", rsa_info(2047, &[1, 0, 1])),
        key("RSA of 16384 bits", rsa_info(16_384, &[1, 0, 1])),
        key("RSA with exponent 3", rsa_info(3072, &[3])),
        key("RSA with an even exponent", rsa_info(3072, &[1, 0, 2])),
        key("RSA with a negative exponent", rsa_info(3072, &[0x81, 0, 1])),
        key("RSA that is no key", other_info(RSA, &[0x30, 9])),
        key("P-521", ec_info(Some(&[1, 3, 132, 0, 35]), &point)),
        key("secp256k1", ec_info(Some(&[1, 3, 132, 0, 10]), &point)),
        key("a curve without a name", ec_info(None, &point)),
        key("a compressed point", ec_info(Some(P256), &compressed)),
        key("half a point", ec_info(Some(P256), &point[..33])),
        key("no point", ec_info(Some(P256), &[])),
        key("Ed25519 of 31 bytes", other_info(&[1, 3, 101, 112], &[7; 31])),
        key("X25519, which signs nothing", other_info(&[1, 3, 101, 110], &[7; 32])),
        key("DSA", other_info(&[1, 2, 840, 10040, 4, 1], &integer(&[7]))),
    ]
}

fn at_the_wrong_time() -> Vec<Bad> {
    vec![
        // NOW is 2026-09-21 14:13:20.
        bad("expired a second ago", "validity.notAfter", |draft| draft.not_after = "260921141319Z"),
        bad("valid in a second", "validity.notBefore", |draft| draft.not_before = "260921141321Z"),
        bad("ends before it starts", "validity", |draft| draft.not_after = "250101000000Z"),
        bad("valid for ten years", "validity", |draft| draft.not_after = "360101000000Z"),
        bad("valid for ever", "validity", |draft| draft.not_after = "99991231235959Z"),
    ]
}

fn for_another_use() -> Vec<Bad> {
    let usage = |what, usages: &'static [&'static [u64]]| {
        bad(what, "extendedKeyUsage", |draft| draft.set_extended(usages))
    };
    vec![
        bad("an authority", "basicConstraints", |draft| draft.set_authority(None)),
        bad("without extendedKeyUsage", "extendedKeyUsage", |draft| draft.without(EXTENDED_KEY_USAGE)),
        usage("for servers", &[SERVER_AUTH]),
        usage("for code", &[CODE_SIGNING]),
        usage("for anything", &[ANY_USAGE]),
        usage("for servers and code", &[SERVER_AUTH, CODE_SIGNING]),
        bad("for key encipherment", "keyUsage", |draft| draft.set_key_usage(KEY_ENCIPHERMENT)),
        bad("may sign certificates", "keyUsage", |draft| {
            draft.set_key_usage(DIGITAL_SIGNATURE | KEY_CERT_SIGN);
        }),
        bad("may sign lists", "keyUsage", |draft| draft.set_key_usage(DIGITAL_SIGNATURE | CRL_SIGN)),
    ]
}

fn by_the_wrong_authority() -> Vec<Bad> {
    let overheid = &world().overheid;
    let below = |what, place, spoil: fn(&mut Draft)| {
        let between = overheid.intermediate("Tussen", spoil);
        let leaf = between.leaf(GEMEENTE, "zaaksysteem", |_| {});
        shown(what, place, vec![leaf, between.certificate])
    };
    let of = |authority: &Authority| authority.leaf(GEMEENTE, "zaaksysteem", |_| {});
    let (stranger, impostor) = (Authority::root("Vreemd", |_| {}), Authority::root("Overheid", |_| {}));
    let strict = overheid.intermediate("Streng", |draft| draft.set_authority(Some(0)));
    let below_strict = strict.intermediate("Te diep", |_| {});
    let [one, two] = [overheid.intermediate("Een", |_| {}), overheid.intermediate("Twee", |_| {})];
    let deep = one.intermediate("Drie", |_| {});
    let deeper = deep.intermediate("Vier", |_| {});
    let mut flipped = good();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    let mut renumbered = good();
    let serial = renumbered.windows(4).position(|bytes| bytes == [0x4d, 1, 2, 3]).unwrap();
    renumbered[serial + 3] ^= 1;
    let circle = {
        let (first, second) = (Authority::root("Rond", |_| {}), Authority::root("Om", |_| {}));
        let cross = second.intermediate("Rond", |draft| draft.info = first.key.info());
        let back = first.intermediate("Om", |draft| draft.info = second.key.info());
        vec![of(&first), cross.certificate, back.certificate]
    };
    let with_others = |others: usize| {
        std::iter::once(good()).chain((0..others).map(|_| two.certificate.clone())).collect::<Vec<_>>()
    };
    vec![
        shown("signed by a stranger", "issuer", vec![of(&stranger)]),
        shown(
            "with the stranger's root beside it",
            "issuer",
            vec![of(&stranger), stranger.certificate.clone()],
        ),
        shown("signed by a stranger with a trusted name", "issuer", vec![of(&impostor)]),
        shown(
            "with that stranger's root beside it",
            "issuer",
            vec![of(&impostor), impostor.certificate.clone()],
        ),
        shown("signed by itself", "issuer", {
            let key = Key::new();
            let subject = vec![(SERIAL_NUMBER, PRINTABLE, GEMEENTE.as_bytes().to_vec())];
            let mut draft = Draft::new(&subject, subject.clone(), key.info());
            draft.set_extended(&[CLIENT_AUTH]);
            vec![draft.sign(&key)]
        }),
        shown("a bit of the signature flipped", "issuer", vec![flipped]),
        shown("another serial number under the signature", "issuer", vec![renumbered]),
        bad("names another key of its authority", "issuer", |draft| draft.set_authority_key(b"another")),
        shown("without the authority between", "issuer", vec![of(&one)]),
        shown("with another authority between", "issuer", vec![of(&one), two.certificate.clone()]),
        shown("authorities that sign each other", "chain", circle),
        shown("rubbish beside it", "certificate", vec![good(), b"rubbish".to_vec()]),
        shown("too many beside it", "chain", with_others(9)),
        below("signed by a leaf", "issuer.basicConstraints", |draft| draft.without(BASIC_CONSTRAINTS)),
        below("signed by one that says it is none", "issuer.basicConstraints", |draft| {
            draft.set(BASIC_CONSTRAINTS, true, sequence(&[]));
        }),
        below("the authority may not sign certificates", "issuer.keyUsage", |draft| {
            draft.set_key_usage(CRL_SIGN);
        }),
        below("the authority has no key usage", "issuer.keyUsage", |draft| draft.without(KEY_USAGE)),
        below("the authority is for servers", "issuer.extendedKeyUsage", |draft| {
            draft.set_extended(&[SERVER_AUTH]);
        }),
        below("the authority has expired", "issuer.validity.notAfter", |draft| {
            draft.not_after = "260901000000Z";
        }),
        below("the authority is not valid yet", "issuer.validity.notBefore", |draft| {
            draft.not_before = "261001000000Z";
        }),
        below("the authority is malformed", "serialNumber", |draft| draft.serial = vec![0]),
        shown("a root that has expired", "issuer.validity.notAfter", vec![of(&world().verlopen)]),
        shown("a root that is not valid yet", "issuer.validity.notBefore", vec![of(&world().toekomstig)]),
        shown(
            "deeper than an authority allows",
            "issuer.basicConstraints",
            vec![of(&below_strict), below_strict.certificate.clone(), strict.certificate.clone()],
        ),
        shown(
            "four authorities",
            "chain",
            vec![of(&deeper), deeper.certificate.clone(), deep.certificate.clone(), one.certificate.clone()],
        ),
    ]
}

fn of_nobody() -> Vec<Bad> {
    let number = |what, tag, value: &'static [u8]| {
        bad(what, "subject.serialNumber", move |draft| draft.replace(SERIAL_NUMBER, tag, value))
    };
    let system = |what, value: &'static [u8]| {
        bad(what, "subject.commonName", move |draft| draft.replace(COMMON_NAME, UTF8, value))
    };
    let unknown = world().overheid.leaf("00000099000000007000", "zaaksysteem", |_| {});
    let (overheid, zorg) = (&world().overheid, &world().zorg);
    vec![
        bad("no OIN", "subject.serialNumber", |draft| {
            draft.subject.retain(|(kind, _, _)| *kind != SERIAL_NUMBER);
        }),
        bad("two OINs", "subject.serialNumber", |draft| {
            draft.subject.push((SERIAL_NUMBER, PRINTABLE, GGZ.as_bytes().to_vec()));
        }),
        bad("the OIN in the common name", "subject.serialNumber", |draft| {
            draft.subject = vec![(COMMON_NAME, UTF8, GEMEENTE.as_bytes().to_vec())];
        }),
        number("an empty OIN", PRINTABLE, b""),
        number("19 digits", PRINTABLE, b"0000009900000000100"),
        number("21 digits", PRINTABLE, b"000000990000000010000"),
        number("a letter", PRINTABLE, b"0000009900000000100O"),
        number("a space", PRINTABLE, b" 0000009900000000100"),
        number("a zero at the end", UTF8, b"00000099000000001000\0"),
        number("a prefix of nobody", PRINTABLE, b"12345678000000001000"),
        number("other people's digits", UTF8, "０0000099000000001000".as_bytes()),
        number("two bytes a character", BMP, b"\x00\x31\x00\x32"),
        Bad { what: "an OIN that is not registered", presented: vec![unknown], place: None },
        shown(
            "another authority than the pinned one",
            "issuer",
            vec![zorg.leaf(GEMEENTE, "zaaksysteem", |_| {})],
        ),
        shown("and the other way around", "issuer", vec![overheid.leaf(GGZ, "epd", |_| {})]),
        bad("no system", "subject.commonName", |draft| {
            draft.subject.retain(|(kind, _, _)| *kind != COMMON_NAME);
        }),
        bad("two systems", "subject.commonName", |draft| {
            draft.subject.push((COMMON_NAME, UTF8, b"portaal".to_vec()));
        }),
        system("a system that is not registered", b"speelgoed"),
        system("a system of another organisation", b"epd"),
        system("a system in capitals", b"ZAAKSYSTEEM"),
        system("an empty system", b""),
        system("a system with a zero in it", b"zaaksysteem\0"),
    ]
}

#[test]
fn every_bad_certificate_gets_the_refusal_it_must_get() {
    let tables = [
        unreadable(),
        malformed(),
        weak(),
        at_the_wrong_time(),
        for_another_use(),
        by_the_wrong_authority(),
        of_nobody(),
    ];
    let cases: Vec<Bad> = tables.into_iter().flatten().collect();
    assert!(cases.len() >= 60, "{}", cases.len());
    for case in &cases {
        let refusal = world().peer(&case.presented).map(|_| ()).unwrap_err();
        let place = refusal.violations.first().map(|violation| violation.field.as_str());
        assert_eq!(place, case.place, "{}", case.what);
        let reason = if place.is_some() { Reason::CertificateRefused } else { Reason::OrganisationUnknown };
        assert_eq!(refusal.reason, reason, "{}", case.what);
        let told = serde_json::to_string(&refusal).unwrap();
        assert!(!told.contains(GEMEENTE), "a refusal tells no value: {}", case.what);
    }
}

#[test]
fn a_good_certificate_is_let_in_as_what_it_says() {
    let peer = world().peer(&[good()]).unwrap();
    assert_eq!((peer.oin().as_str(), peer.system().as_str()), (GEMEENTE, "zaaksysteem"));
    assert_eq!(peer.organisation().kind().as_str(), "gemeente");
    let key = |info: Vec<u8>| world().overheid.leaf(GEMEENTE, "portaal", |draft| draft.info = info);
    for info in [
        rsa_info(2048, &[1, 0, 1]),
        rsa_info(4096, &[1, 0, 1]),
        other_info(&[1, 3, 101, 112], &[7; 32]),
        ec_info(Some(&[1, 3, 132, 0, 34]), &[&[4], [7; 96].as_slice()].concat()),
    ] {
        world().peer(&[key(info)]).unwrap();
    }
    for (spoil, why) in [
        ((|draft| draft.without(KEY_USAGE)) as fn(&mut Draft), "no key usage"),
        (|draft| draft.set_extended(&[SERVER_AUTH, CLIENT_AUTH]), "for servers too"),
        (|draft| draft.not_after = "260921141320Z", "its last second"),
        (|draft| draft.not_before = "260921141320Z", "its first second"),
        (|draft| draft.set(&[1, 2, 3, 4], false, vec![5, 0]), "an unknown extension that is not critical"),
        (|draft| draft.set_authority_key(b"Overheid"), "the right key of its authority"),
    ] {
        let leaf = world().overheid.leaf(GEMEENTE, "zaaksysteem", spoil);
        assert!(world().peer(&[leaf]).is_ok(), "{why}");
    }
}

#[test]
fn a_chain_of_three_authorities_is_followed_in_any_order_and_with_or_without_the_root() {
    let overheid = &world().overheid;
    let one = overheid.intermediate("Een", |draft| draft.set_authority(Some(1)));
    let two = one.intermediate("Twee", |draft| draft.set_authority(Some(0)));
    let leaf = two.leaf(GEMEENTE, "zaaksysteem", |_| {});
    let [root, one, two] = [&overheid.certificate, &one.certificate, &two.certificate].map(Clone::clone);
    for chain in [
        vec![leaf.clone(), two.clone(), one.clone()],
        vec![leaf.clone(), two.clone(), one.clone(), root],
        vec![leaf, one, two],
    ] {
        world().peer(&chain).unwrap();
    }
}

#[test]
fn a_number_for_tests_is_refused_outside_tests() {
    let strict = Trust::new(&[&world().overheid.certificate], crate::Rules::default()).unwrap();
    let refusal = Peer::from_certificate(&[good()], &strict, &world().registry, NOW).map(|_| ()).unwrap_err();
    assert_eq!(refusal.violations[0].field, "subject.serialNumber");
}

#[test]
fn a_renewed_certificate_is_the_same_organisation() {
    let (before, after) = (world().peer(&[good()]).unwrap(), world().peer(&[good()]).unwrap());
    assert_ne!(before.fingerprint(), after.fingerprint());
    assert_eq!(before.oin(), after.oin());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_let_them_in(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(world().peer(&[bytes]).is_err());
    }
}

#[test]
fn no_flipped_bit_of_a_good_certificate_lets_another_one_in() {
    let leaf = good();
    for (at, bit) in (0..leaf.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut flipped = leaf.clone();
        flipped[at] ^= 1 << bit;
        assert!(world().peer(&[flipped]).is_err(), "byte {at} bit {bit}");
    }
}
