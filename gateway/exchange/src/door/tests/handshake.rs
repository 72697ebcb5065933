//! Who comes through the door and who does not: real handshakes over loopback.

use model::Reason;
use rcgen::ExtendedKeyUsagePurpose;

use super::super::*;
use super::world::*;

fn reason(turned_away: &TurnedAway) -> Option<Reason> {
    turned_away.refusal.as_ref().map(|refusal| refusal.reason)
}

#[tokio::test]
async fn a_registered_system_comes_in_as_itself() {
    let mut world = World::new().await;
    let through = world.knock(&Client::new(&world, Some(&world.client()))).await.unwrap();
    let peer = through.connection.visitor().peer().unwrap();
    assert_eq!((peer.oin().as_str(), peer.system().as_str()), (GEMEENTE, "suite"));
    let (_, session) = through.client.get_ref();
    assert_eq!(session.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(session.alpn_protocol(), Some(b"h2".as_slice()));
}

#[tokio::test]
async fn a_client_without_certificate_is_turned_away() {
    let mut world = World::new().await;
    let turned_away = world.knock(&Client::new(&world, None)).await.map(|_| ()).unwrap_err();
    assert_eq!((turned_away.stage, turned_away.refusal), (Stage::Handshake, None));
}

#[tokio::test]
async fn a_stranger_is_told_apart_from_a_certificate_without_rights() {
    let mut world = World::new().await;
    let stranger = authority("Overheid").client(GEMEENTE, "suite", 7);
    let server = world.authority.identity(GEMEENTE, "suite", 8, ExtendedKeyUsagePurpose::ServerAuth, &[]);
    let unknown = world.authority.client("00000099000000005000", "suite", 9);
    let toy = world.authority.client(GEMEENTE, "speelgoed", 10);
    let cases = [
        (&stranger, Stage::Untrusted, Reason::CertificateRefused),
        (&server, Stage::Untrusted, Reason::CertificateRefused),
        (&unknown, Stage::WithoutRights, Reason::OrganisationUnknown),
        (&toy, Stage::WithoutRights, Reason::CertificateRefused),
    ];
    for (identity, stage, why) in cases {
        let turned_away = world.knock(&Client::new(&world, Some(identity))).await.map(|_| ()).unwrap_err();
        assert_eq!((turned_away.stage, reason(&turned_away)), (stage, Some(why)));
        assert_eq!(turned_away.fingerprint, Some(identity::Fingerprint::of(&identity.certificate)));
    }
}

#[tokio::test]
async fn a_certificate_is_worth_nothing_without_its_key() {
    let mut world = World::new().await;
    let (certificate, key) = (world.client().certificate, world.client().key);
    let thief = Identity { certificate, key };
    let provider = rustls::crypto::ring::default_provider();
    let stolen = rustls::sign::CertifiedKey::new(
        vec![thief.certificate.clone()],
        provider.key_provider.load_private_key(thief.key()).unwrap(),
    );
    let mut client = Client::new(&world, None);
    client.config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(stolen));
    let turned_away = world.knock(&client).await.map(|_| ()).unwrap_err();
    assert_eq!(turned_away.stage, Stage::Handshake, "the certificate was good, the signature was not");
}

#[tokio::test]
async fn tls_1_2_is_spoken_only_where_it_is_configured() {
    for (tls, comes_in) in [(Tls::V13, false), (Tls::V12AndV13, true)] {
        let mut world = World::with(Setup { tls, ..Setup::default() }).await;
        let client = Client::speaking(&world, Some(&world.client()), &[&rustls::version::TLS12]);
        assert_eq!(world.knock(&client).await.is_ok(), comes_in);
    }
}

#[tokio::test]
async fn a_client_that_does_not_speak_http_2_is_turned_away() {
    let mut world = World::new().await;
    for protocols in [vec![], vec![b"http/1.1".to_vec()]] {
        let mut client = Client::new(&world, Some(&world.client()));
        client.config.alpn_protocols = protocols;
        assert!(world.knock(&client).await.is_err());
    }
}

#[tokio::test]
async fn no_session_is_ever_resumed() {
    for tls in [Tls::V13, Tls::V12AndV13] {
        let versions: &[_] =
            if tls == Tls::V13 { &[&rustls::version::TLS13] } else { &[&rustls::version::TLS12] };
        let mut world = World::with(Setup { tls, ..Setup::default() }).await;
        let client = Client::speaking(&world, Some(&world.client()), versions);
        for _ in 0..3 {
            let mut through = world.knock(&client).await.unwrap();
            // Give a ticket the chance to arrive.
            let mut buffer = [0; 16];
            let read = tokio::io::AsyncReadExt::read(&mut through.client, &mut buffer);
            let _ = tokio::time::timeout(Duration::from_millis(50), read).await;
            let kind = through.client.get_ref().1.handshake_kind();
            assert_eq!(kind, Some(rustls::HandshakeKind::Full));
        }
    }
}

#[tokio::test]
async fn a_revoked_certificate_is_turned_away_and_the_record_knows_whose_it_is() {
    let mut world = World::new().await;
    world.guard.reload(world.material(&[7])).unwrap();
    let turned_away = world.knock(&Client::new(&world, Some(&world.client()))).await.map(|_| ()).unwrap_err();
    assert_eq!(
        (turned_away.stage, reason(&turned_away)),
        (Stage::WithoutRights, Some(Reason::CertificateRefused))
    );
    assert_eq!(turned_away.oin, Some(GEMEENTE.parse().unwrap()));
    assert_eq!(turned_away.refusal.unwrap().violations[0].field, "revocation");
}

#[tokio::test]
async fn a_stale_list_closes_the_door_after_the_grace() {
    // The list is good until 1 October, 9 days and some hours from now.
    let (before, after) = (9 * 86_400, 10 * 86_400);
    for (grace, ahead, comes_in) in
        [(0, before, true), (0, after, false), (86_400, after, true), (3_600, after, false)]
    {
        let mut world = World::with(Setup { grace, ..Setup::default() }).await;
        world.seconds.fetch_add(ahead, std::sync::atomic::Ordering::SeqCst);
        let client = Client::new(&world, Some(&world.client()));
        assert_eq!(world.knock(&client).await.is_ok(), comes_in, "grace {grace}, {ahead} seconds ahead");
    }
}

#[tokio::test]
async fn an_authority_whose_list_is_missing_lets_nobody_in() {
    let mut world = World::new().await;
    let mut material = world.material(&[]);
    material.revocation_lists.clear();
    world.guard.reload(material).unwrap();
    let client = Client::new(&world, Some(&world.client()));
    assert!(world.knock(&client).await.is_err());
}
