//! New material while connections are open.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use model::Reason;

use super::super::*;
use super::world::*;

#[tokio::test]
async fn an_open_connection_feels_a_revocation_at_its_next_request() {
    let mut world = World::new().await;
    let through = world.knock(&Client::new(&world, Some(&world.client()))).await.unwrap();
    let visitor = through.connection.visitor();
    visitor.peer().unwrap();
    world.guard.reload(world.material(&[7])).unwrap();
    assert_eq!(visitor.peer().map(|_| ()).unwrap_err().reason, Reason::CertificateRefused);
    world.guard.reload(world.material(&[])).unwrap();
    visitor.peer().unwrap();
}

#[tokio::test]
async fn an_open_connection_feels_that_its_organisation_or_authority_left() {
    let mut world = World::new().await;
    let through = world.knock(&Client::new(&world, Some(&world.client()))).await.unwrap();
    let visitor = through.connection.visitor();
    let mut left = world.material(&[]);
    left.registry = identity::Registry::default();
    world.guard.reload(left).unwrap();
    assert_eq!(visitor.peer().map(|_| ()).unwrap_err().reason, Reason::OrganisationUnknown);
    let mut pinned = world.material(&[]);
    pinned.registry = registry(authority("Een ander").pin, "");
    world.guard.reload(pinned).unwrap();
    assert_eq!(visitor.peer().map(|_| ()).unwrap_err().reason, Reason::CertificateRefused);
    let other = authority("Een ander");
    let mut elsewhere = world.material(&[]);
    elsewhere.authorities = vec![other.certificate.clone()];
    elsewhere.revocation_lists = vec![other.list(&[])];
    world.guard.reload(elsewhere).unwrap();
    assert_eq!(visitor.peer().map(|_| ()).unwrap_err().reason, Reason::CertificateRefused);
}

#[tokio::test]
async fn an_open_connection_ends_with_its_certificate_and_with_a_list_that_grows_stale() {
    let mut world = World::new().await;
    let through = world.knock(&Client::new(&world, Some(&world.client()))).await.unwrap();
    let ahead = |days: i64| world.seconds.fetch_add(days * 86_400, std::sync::atomic::Ordering::SeqCst);
    through.connection.visitor().peer().unwrap();
    ahead(20);
    through.connection.visitor().peer().unwrap_err();
}

#[tokio::test]
async fn a_renewed_certificate_of_the_gateway_is_shown_to_who_comes_next() {
    let mut world = World::new().await;
    let client = Client::new(&world, Some(&world.client()));
    let shown = |through: &Through| through.client.get_ref().1.peer_certificates().unwrap()[0].clone();
    let first = world.knock(&client).await.unwrap();
    world.guard.reload(world.material(&[])).unwrap();
    let second = world.knock(&client).await.unwrap();
    assert_ne!(shown(&first), shown(&second));
    first.connection.visitor().peer().unwrap();
}

#[tokio::test]
async fn material_that_is_not_good_is_not_taken_and_the_last_good_one_goes_on() {
    let mut world = World::new().await;
    let other = authority("Een ander");
    let mut other_key = world.material(&[]);
    other_key.key = world.client().key();
    let mut no_roots = world.material(&[]);
    no_roots.authorities.clear();
    let mut leaf_as_root = world.material(&[]);
    leaf_as_root.authorities = vec![world.client().certificate];
    let mut list_of_another = world.material(&[]);
    list_of_another.revocation_lists.push(other.list(&[]));
    for material in [other_key, no_roots, leaf_as_root, list_of_another] {
        world.guard.reload(material).unwrap_err();
    }
    let client = Client::new(&world, Some(&world.client()));
    world.knock(&client).await.unwrap();
}

/// Writes what the door is made of into a folder, as an operator would.
fn write(folder: &Path, world: &World, revoked: &[u8]) -> Files {
    let (own, authority) = (world.server.server(), &world.authority);
    let pem = |label: &str, der: &[u8]| {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    };
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let registry = format!(
        "[[organisation]]\noin = \"{GEMEENTE}\"\nname = \"G\"\nkind = \"gemeente\"\nissuers = [\"{}\"]\nsystems = [\"suite\"]\n[[organisation.key]]\njwks = \"gemeente.jwks\"\nroles = [\"coach\"]\n",
        authority.pin
    );
    let set = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    write("gemeente.jwks", set.to_owned());
    Files {
        certificate: write("gateway.pem", pem("CERTIFICATE", &own.certificate)),
        key: write("gateway.key.pem", own.key.serialize_pem()),
        authorities: write("authorities.pem", pem("CERTIFICATE", &authority.certificate)),
        revocation_lists: vec![write("revoked.pem", pem("X509 CRL", &authority.list(revoked)))],
        registry: write("registry.toml", registry),
    }
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path(), &world, &[]);
    files.read().unwrap();
    for mode in [0o604, 0o644, 0o660, 0o606] {
        std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = files.read().unwrap_err().to_string();
        assert!(error.contains("others"), "{error}");
        assert!(secret(&files.key).is_err());
    }
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o400)).unwrap();
    assert!(secret(&files.key).unwrap().starts_with(b"-----BEGIN"));
}

#[tokio::test]
async fn files_that_are_missing_or_rubbish_are_named() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path(), &world, &[]);
    let all =
        [&files.certificate, &files.key, &files.authorities, &files.revocation_lists[0], &files.registry];
    for path in all {
        let good = std::fs::read(path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        std::fs::write(path, "rubbish").unwrap();
        assert!(files.read().unwrap_err().to_string().contains(&name));
        std::fs::remove_file(path).unwrap();
        assert!(files.read().unwrap_err().to_string().contains(&name));
        std::fs::write(path, good).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let outside =
        std::fs::read_to_string(&files.registry).unwrap().replace("gemeente.jwks", "../../etc/passwd");
    std::fs::write(&files.registry, outside).unwrap();
    files.read().unwrap_err();
}

#[tokio::test]
async fn a_file_that_changes_is_taken_without_a_restart_and_a_broken_one_is_told() {
    let mut world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path(), &world, &[]);
    world.guard.reload(files.read().unwrap()).unwrap();
    let (tell, mut told) = mpsc::unbounded_channel();
    let told_to = Arc::new(move |outcome: Result<(), FilesError>| {
        let _ = tell.send(outcome.is_ok());
    });
    tokio::spawn(files.clone().watch(Arc::downgrade(&world.guard), Duration::from_millis(20), told_to));
    let client = Client::new(&world, Some(&world.client()));
    let through = world.knock(&client).await.unwrap();

    std::fs::write(&files.revocation_lists[0], "half a list").unwrap();
    assert_eq!(told.recv().await, Some(false));
    through.connection.visitor().peer().unwrap();

    write(folder.path(), &world, &[7]);
    while told.recv().await != Some(true) {}
    through.connection.visitor().peer().unwrap_err();

    std::fs::write(folder.path().join("gemeente.jwks"), r#"{"keys":[]}"#).unwrap();
    assert_eq!(told.recv().await, Some(true), "a key set counts too");
}

#[tokio::test]
async fn what_expires_soon_is_known_ahead() {
    let world = World::new().await;
    let in_days = |days: i64| Timestamp::from_unix_millis((1_790_000_000 + days * 86_400) * 1000);
    let expiring = world.guard.expiring(in_days(0));
    // The revocation list, in ten days; the certificates, in January.
    assert_eq!(expiring.iter().map(|one| one.step).collect::<Vec<_>>(), [30]);
    assert_eq!(world.guard.expiring(in_days(4)).first().unwrap().step, 7);
    assert_eq!(world.guard.expiring(in_days(12)).first().unwrap().step, 0);
    assert_eq!(world.guard.expiring(in_days(80)).len(), 3);
}
