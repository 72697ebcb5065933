//! The door under pressure: what one does, others do not feel.

use tokio::io::AsyncReadExt as _;

use super::super::*;
use super::world::*;

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_ended_and_told() {
    let limits = Limits { handshake_timeout: Duration::from_millis(200), ..Limits::default() };
    let mut world = World::with(Setup { limits, ..Setup::default() }).await;
    let mut silent = TcpStream::connect(world.address).await.unwrap();
    let turned_away = world.turned_away.recv().await.unwrap();
    assert_eq!(turned_away.stage, Stage::Handshake);
    assert_eq!(silent.read(&mut [0; 8]).await.unwrap_or(0), 0, "closed");
    let client = Client::new(&world, Some(&world.client()));
    world.knock(&client).await.unwrap();
}

#[tokio::test]
async fn who_opens_handshakes_and_leaves_them_takes_its_own_share_only() {
    let limits = Limits {
        handshake_timeout: Duration::from_secs(2),
        handshakes: 16,
        handshakes_per_address: 8,
        ..Limits::default()
    };
    let world = World::with(Setup { limits, ..Setup::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(world.address).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut ninth = TcpStream::connect(world.address).await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(1), ninth.read(&mut [0; 8])).await.unwrap();
    assert_eq!(closed.unwrap_or(0), 0, "the share of this address is taken");

    // From another address of the loopback network there is room.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let stream = socket.connect(world.address).await.unwrap();
    let client = Client::new(&world, Some(&world.client()));
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client.config));
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    connector.connect(name, stream).await.unwrap();
}

#[tokio::test]
async fn an_organisation_has_so_many_connections_and_gets_a_place_back_when_one_closes() {
    let limits = Limits { connections_per_organisation: 2, ..Limits::default() };
    let mut world = World::with(Setup { limits, ..Setup::default() }).await;
    let client = Client::new(&world, Some(&world.client()));
    let first = world.knock(&client).await.unwrap();
    let _second = world.knock(&client).await.unwrap();
    let turned_away = world.knock(&client).await.map(|_| ()).unwrap_err();
    assert_eq!(turned_away.refusal.unwrap().reason, Reason::Busy);
    assert_eq!(turned_away.oin, Some(GEMEENTE.parse().unwrap()));
    drop(first);
    world.knock(&client).await.unwrap();
}

#[tokio::test]
async fn over_the_limit_on_connections_who_comes_waits_and_is_served_when_one_closes() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let mut world = World::with(Setup { limits, ..Setup::default() }).await;
    let client = Client::new(&world, Some(&world.client()));
    let first = world.knock(&client).await.unwrap();
    let mut waiting = Box::pin(world.knock(&client));
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut waiting).await.is_err());
    drop(first);
    waiting.await.unwrap();
}

#[tokio::test]
async fn a_flood_of_strangers_is_told_with_a_bound_and_counted_beyond_it() {
    let mut world = World::new().await;
    for _ in 0..130 {
        drop(Client::new(&world, None).connect(world.address).await);
    }
    let mut told = 0;
    while tokio::time::timeout(Duration::from_millis(500), world.turned_away.recv()).await.is_ok() {
        told += 1;
    }
    assert_eq!(told, 120, "so many a minute");
    world.seconds.fetch_add(60, std::sync::atomic::Ordering::SeqCst);
    let next = world.knock(&Client::new(&world, None)).await.map(|_| ()).unwrap_err();
    assert_eq!(next.untold, 10);
}

#[tokio::test]
async fn rubbish_instead_of_tls_is_turned_away_without_an_answer_that_helps() {
    use tokio::io::AsyncWriteExt as _;
    let mut world = World::new().await;
    for rubbish in
        [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), vec![0xff; 4096], vec![0x16, 3, 1, 0xff, 0xff]]
    {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(&rubbish).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(world.turned_away.recv().await.unwrap().stage, Stage::Handshake);
    }
    let client = Client::new(&world, Some(&world.client()));
    world.knock(&client).await.unwrap();
}

#[tokio::test]
async fn the_door_closes_when_nobody_serves_it_any_more() {
    let World { incoming, address, .. } = World::new().await;
    drop(incoming);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_system_has_so_many_connections_of_those_of_its_organisation() {
    let limits = Limits { connections_per_system: 1, ..Limits::default() };
    let mut world = World::with(Setup { limits, ..Setup::default() }).await;
    let client = Client::new(&world, Some(&world.client()));
    let first = world.knock(&client).await.unwrap();
    let turned_away = world.knock(&client).await.map(|_| ()).unwrap_err();
    assert_eq!(turned_away.refusal.unwrap().reason, Reason::Busy);
    drop(first);
    world.knock(&client).await.unwrap();
}

#[tokio::test]
async fn a_connection_over_its_share_of_bytes_is_slowed_down_and_not_cut_off() {
    use tokio::io::AsyncWriteExt as _;
    let share = Share { bytes_per_second: 400_000, burst_seconds: 1, ..Share::default() };
    let limits = Limits { share, ..Limits::default() };
    let mut world = World::with(Setup { limits, ..Setup::default() }).await;
    let client = Client::new(&world, Some(&world.client()));
    let Through { mut connection, client: mut peer } = world.knock(&client).await.unwrap();
    let sending = tokio::spawn(async move {
        peer.write_all(&[7; 1_000_000]).await.unwrap();
        peer
    });
    let (begun, mut read) = (std::time::Instant::now(), 0);
    while read < 1_000_000 {
        read += connection.read(&mut [0; 16_384]).await.unwrap();
    }
    assert!(begun.elapsed() > Duration::from_millis(1_300), "{:?}", begun.elapsed());
    sending.await.unwrap();
}
