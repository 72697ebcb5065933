use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use identity::{Operator, Peer, Registry, Revocations, Rules, Trust};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use super::*;

const NOW: Timestamp = Timestamp::from_unix_millis(1_790_000_000_000);

fn organisation(number: u8, kind: &str, key: KeyKind) -> NewOrganisation {
    NewOrganisation {
        oin: format!("0000009900000000{number}000").parse().unwrap(),
        name: format!("Een {kind} met \"aanhalingstekens\" en een é"),
        kind: kind.parse().unwrap(),
        folder: kind.parse().unwrap(),
        roles: ["behandelaar".parse().unwrap(), "coach".parse().unwrap()].into(),
        big_roles: ["behandelaar".parse().unwrap()].into(),
        systems: vec!["systeem".parse().unwrap(), "portaal".parse().unwrap()],
        key,
    }
}

fn gateway() -> Oin {
    "00000099000000009000".parse().unwrap()
}

fn made(dir: &Path) -> Pki {
    let organisations =
        [organisation(1, "gemeente", KeyKind::P256), organisation(2, "ggz", KeyKind::Ed25519)];
    Pki::init(dir, gateway(), &["poort.example.org".to_owned()], &organisations, NOW).unwrap()
}

struct World {
    trust: Trust,
    registry: Registry,
    revocations: Revocations,
}

/// What a gateway loads from the folder.
fn loaded(dir: &Path) -> World {
    let rules = Rules { test_mode: true, ..Rules::default() };
    let authorities: Vec<_> =
        CertificateDer::pem_file_iter(dir.join("authorities.pem")).unwrap().map(Result::unwrap).collect();
    let lists: Vec<_> = CertificateRevocationListDer::pem_file_iter(dir.join("revoked.pem"))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let trust = Trust::new(&authorities, rules).unwrap();
    let revocations = Revocations::new(&lists, &trust).unwrap();
    let registry = Registry::parse(&fs::read_to_string(dir.join("registry.toml")).unwrap()).unwrap();
    World { trust, registry, revocations }
}

fn peer(dir: &Path, file: &str, world: &World) -> Peer {
    let certificate = CertificateDer::from_pem_file(dir.join(file)).unwrap();
    Peer::from_certificate(&[certificate], &world.trust, &world.registry, NOW).unwrap()
}

#[test]
fn what_was_issued_is_let_in_and_what_was_revoked_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut pki = made(dir.path());
    let world = loaded(dir.path());
    for file in ["gemeente/systeem.pem", "gemeente/portaal.pem", "ggz/systeem.pem"] {
        let peer = peer(dir.path(), file, &world);
        world.revocations.check(&peer, &world.trust, NOW).unwrap();
    }
    assert_eq!(pki.revoke("ggz/systeem").unwrap(), 1);
    let world = loaded(dir.path());
    let revoked = peer(dir.path(), "ggz/systeem.pem", &world);
    world.revocations.check(&revoked, &world.trust, NOW).unwrap_err();
    let other = peer(dir.path(), "ggz/portaal.pem", &world);
    world.revocations.check(&other, &world.trust, NOW).unwrap();
    assert!(pki.revoke("ggz/systeem").is_err(), "it no longer stands");
}

#[test]
fn a_renewal_has_the_same_oin_and_another_certificate_and_survives_the_old_ones_revocation() {
    let dir = tempfile::tempdir().unwrap();
    drop(made(dir.path()));
    let world = loaded(dir.path());
    let before = peer(dir.path(), "gemeente/systeem.pem", &world);
    let mut pki = Pki::open(dir.path(), NOW).unwrap();
    let serial =
        pki.list().iter().find(|issued| issued.file == "gemeente/systeem.pem").unwrap().serial.clone();
    pki.issue_system(before.oin(), before.system()).unwrap();
    pki.revoke(&serial.unwrap()).unwrap();
    let world = loaded(dir.path());
    let after = peer(dir.path(), "gemeente/systeem.pem", &world);
    assert_eq!(before.oin(), after.oin());
    assert_ne!(before.fingerprint(), after.fingerprint());
    world.revocations.check(&before, &world.trust, NOW).unwrap_err();
    world.revocations.check(&after, &world.trust, NOW).unwrap();
}

#[test]
fn every_key_is_readable_by_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut pki = made(dir.path());
    pki.issue_operator(&"officer-1".parse().unwrap(), &["officer".parse().unwrap()].into()).unwrap();
    pki.issue_signer(&"policy-1".parse().unwrap()).unwrap();
    let mut folders = vec![dir.path().to_owned()];
    let mut keys = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let secret = fs::read_to_string(entry.path()).unwrap().contains("PRIVATE KEY");
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(secret, mode == 0o600, "{:?} has mode {mode:o}", entry.path());
            assert_eq!(secret, entry.path().to_string_lossy().ends_with(".key.pem"));
            keys += usize::from(secret);
        }
    }
    assert_eq!(keys, 4 + 1 + 4 + 2 + 1 + 1, "authorities, gateway, systems, assertion keys, officer, signer");
}

#[test]
fn an_operator_is_no_peer_and_a_peer_is_no_operator() {
    let dir = tempfile::tempdir().unwrap();
    let mut pki = made(dir.path());
    pki.issue_operator(&"officer-1".parse().unwrap(), &["officer".parse().unwrap()].into()).unwrap();
    let world = loaded(dir.path());
    let officer = [CertificateDer::from_pem_file(dir.path().join("operators/officer-1.pem")).unwrap()];
    let system = [CertificateDer::from_pem_file(dir.path().join("gemeente/systeem.pem")).unwrap()];
    let operator = Operator::from_certificate(&officer, &world.trust, &world.registry, NOW).unwrap();
    assert!(operator.is(&"officer".parse().unwrap()) && !operator.is(&"auditor".parse().unwrap()));
    Peer::from_certificate(&officer, &world.trust, &world.registry, NOW).unwrap_err();
    Operator::from_certificate(&system, &world.trust, &world.registry, NOW).unwrap_err();
}

#[test]
fn the_gateways_own_certificate_opens_no_door() {
    let dir = tempfile::tempdir().unwrap();
    drop(made(dir.path()));
    let world = loaded(dir.path());
    let server = [CertificateDer::from_pem_file(dir.path().join("gateway.pem")).unwrap()];
    Peer::from_certificate(&server, &world.trust, &world.registry, NOW).unwrap_err();
}

#[test]
fn a_second_init_and_a_second_organisation_of_one_oin_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut pki = made(dir.path());
    assert!(Pki::init(dir.path(), gateway(), &[], &[], NOW).is_err());
    assert!(pki.issue_organisation(&organisation(1, "uwv", KeyKind::P256)).is_err());
    pki.issue_organisation(&organisation(3, "uwv", KeyKind::P256)).unwrap();
    assert_eq!(loaded(dir.path()).registry.organisations().count(), 3);
}
