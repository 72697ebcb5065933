//! HTTP/2 abuse on real connections, frame by frame: the abuser is cut off or held back, and a neighbour is served.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::client::TlsStream;

use super::super::*;
use super::world::*;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A server with health behind the door of this world; gives what is needed to knock.
pub(super) async fn serving(http2: Http2) -> (SocketAddr, Client) {
    serving_within(Limits::default(), http2).await
}

pub(super) async fn serving_within(limits: Limits, http2: Http2) -> (SocketAddr, Client) {
    let World { authority, server: own, incoming, address, guard, turned_away, seconds, .. } =
        World::with(Setup { limits, ..Setup::default() }).await;
    let identity = authority.client(GEMEENTE, "suite", 7);
    let client = Client::trusting(&own, Some(&identity));
    let (_, health) = tonic_health::server::health_reporter();
    tokio::spawn(serve(
        incoming,
        http2,
        tonic::service::Routes::new(health).prepare(),
        std::future::pending(),
    ));
    // The world lives as long as the test's runtime.
    std::mem::forget((guard, turned_away, seconds));
    (address, client)
}

/// A connection that is spoken by hand.
pub(super) struct Raw(pub(super) TlsStream<TcpStream>);

impl Raw {
    pub(super) async fn connect(address: SocketAddr, client: &Client) -> Raw {
        let mut raw = Raw(client.connect(address).await.unwrap());
        raw.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        raw.send(SETTINGS, 0, 0, &[]).await.unwrap();
        raw
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> std::io::Result<()> {
        self.0.write_all(&frame(kind, flags, stream, payload)).await?;
        self.0.flush().await
    }

    /// Reads frames until one of this kind comes, or the connection ends.
    async fn until(&mut self, kind: u8) -> Option<Vec<u8>> {
        loop {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.ok()?;
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await.ok()?;
            if head[3] == kind {
                return Some(payload);
            }
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Header fields as HPACK literals without a table (RFC 7541, 6.2.2).
fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| {
        let length = text.len();
        let mut out = match length {
            0..=126 => vec![length as u8],
            _ => vec![127, ((length - 127) & 0x7f) as u8 | 0x80, ((length - 127) >> 7) as u8],
        };
        out.extend_from_slice(text.as_bytes());
        out
    };
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

fn request() -> Vec<u8> {
    fields(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/grpc.health.v1.Health/Check"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ])
}

/// One health check on this stream, to its answer.
pub(super) async fn check(raw: &mut Raw, stream: u32) {
    raw.send(HEADERS, END_HEADERS, stream, &request()).await.unwrap();
    raw.send(DATA, END_STREAM, stream, &[0; 5]).await.unwrap();
    assert!(raw.until(HEADERS).await.is_some());
    assert!(raw.until(HEADERS).await.is_some(), "the trailers");
}

/// A stream that is started and reset at once.
pub(super) fn reset(stream: u32) -> Vec<u8> {
    let start = frame(HEADERS, END_HEADERS, stream, &request());
    [start, frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())].concat()
}

/// A well-behaved neighbour: a health check on a connection of its own, within a second.
async fn neighbour_is_served(address: SocketAddr, client: &Client) {
    let served = async { check(&mut Raw::connect(address, client).await, 1).await };
    tokio::time::timeout(Duration::from_secs(2), served).await.expect("the neighbour waits");
}

/// Sends until the connection ends or nothing more is taken, and says which.
async fn flood(raw: &mut Raw, frames: &[u8], times: usize) -> Flooded {
    for _ in 0..times {
        match tokio::time::timeout(Duration::from_millis(500), raw.0.write_all(frames)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Flooded::Ended,
            Err(_) => return Flooded::HeldBack,
        }
    }
    Flooded::Taken
}

#[derive(Debug, PartialEq)]
enum Flooded {
    Ended,
    HeldBack,
    Taken,
}

#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let (address, client) = serving(Http2::default()).await;
    let mut raw = Raw::connect(address, &client).await;
    let mut ended = false;
    for stream in (1..20_000).step_by(2) {
        if raw.0.write_all(&reset(stream)).await.is_err() {
            ended = true;
            break;
        }
    }
    let goaway = tokio::time::timeout(Duration::from_secs(5), raw.until(GOAWAY)).await.unwrap();
    assert!(ended || goaway.is_some(), "cut off");
    if let Some(goaway) = goaway {
        assert_eq!(goaway[4..8], 11u32.to_be_bytes(), "ENHANCE_YOUR_CALM");
    }
    neighbour_is_served(address, &client).await;
}

#[tokio::test]
async fn headers_without_end_end_the_connection() {
    let (address, client) = serving(Http2::default()).await;
    let mut raw = Raw::connect(address, &client).await;
    raw.send(HEADERS, 0, 1, &request()).await.unwrap();
    let more = frame(CONTINUATION, 0, 1, &fields(&[("x", &"y".repeat(8_000))]));
    let flooded = flood(&mut raw, &more, 10_000).await;
    assert_ne!(flooded, Flooded::Taken, "80 MB of headers are not taken");
    neighbour_is_served(address, &client).await;
}

#[tokio::test]
async fn continuations_of_nothing_end_the_connection() {
    let (address, client) = serving(Http2::default()).await;
    let mut raw = Raw::connect(address, &client).await;
    raw.send(HEADERS, 0, 1, &request()).await.unwrap();
    let nothing = frame(CONTINUATION, 0, 1, &[]).repeat(1_000);
    assert_ne!(flood(&mut raw, &nothing, 10_000).await, Flooded::Taken);
    neighbour_is_served(address, &client).await;
}

#[tokio::test]
async fn a_header_list_over_the_limit_reaches_no_service() {
    let (address, client) = serving(Http2::default()).await;
    let mut raw = Raw::connect(address, &client).await;
    let large =
        [request(), fields(&[("x", &"y".repeat(8_000)), ("z", &"y".repeat(8_000)), ("q", "")])].concat();
    for (part, stream) in [(large.as_slice(), 1)] {
        let (first, rest) = part.split_at(10_000);
        raw.send(HEADERS, END_STREAM, stream, first).await.unwrap();
        raw.send(CONTINUATION, END_HEADERS, stream, rest).await.unwrap();
    }
    let answer = tokio::time::timeout(Duration::from_secs(2), async {
        let mut head = [0; 9];
        while raw.0.read_exact(&mut head).await.is_ok() {
            let length = usize::from(head[1]) << 8 | usize::from(head[2]);
            let mut payload = vec![0; length];
            raw.0.read_exact(&mut payload).await.ok()?;
            // 431, or a stream or connection that is reset: never a 200 of a service.
            if [HEADERS, RST_STREAM, GOAWAY].contains(&head[3]) {
                return Some((head[3], payload));
            }
        }
        None
    });
    if let Some((HEADERS, payload)) = answer.await.unwrap() {
        assert_ne!(payload.first(), Some(&0x88), "0x88 is `:status: 200` in HPACK");
    }
    neighbour_is_served(address, &client).await;
}

#[tokio::test]
async fn settings_and_pings_that_are_never_read_are_held_back() {
    let (address, client) = serving(Http2::default()).await;
    for flood_of in [frame(SETTINGS, 0, 0, &[]), frame(PING, 0, 0, &[7; 8])] {
        let mut raw = Raw::connect(address, &client).await;
        // Some 400 MB: what is not held back would stand in the memory of the gateway as answers.
        let flooded = flood(&mut raw, &flood_of.repeat(1_000), 30_000).await;
        assert_ne!(flooded, Flooded::Taken);
        neighbour_is_served(address, &client).await;
    }
}

#[tokio::test]
async fn streams_over_the_limit_are_refused() {
    let (address, client) = serving(Http2 { streams: 8, ..Http2::default() }).await;
    let mut raw = Raw::connect(address, &client).await;
    for stream in (1..60).step_by(2) {
        // Without END_STREAM: each waits for its message, and holds its place.
        raw.send(HEADERS, END_HEADERS, stream, &request()).await.unwrap();
    }
    let reset = tokio::time::timeout(Duration::from_secs(2), raw.until(RST_STREAM)).await.unwrap();
    assert_eq!(reset.unwrap(), 7u32.to_be_bytes(), "REFUSED_STREAM");
    neighbour_is_served(address, &client).await;
}

#[tokio::test]
async fn a_peer_that_answers_no_ping_is_let_go() {
    let http2 = Http2 {
        keepalive_interval: Duration::from_millis(100),
        keepalive_timeout: Duration::from_millis(100),
        ..Http2::default()
    };
    let (address, client) = serving(http2).await;
    let mut raw = Raw::connect(address, &client).await;
    raw.send(HEADERS, END_HEADERS, 1, &request()).await.unwrap();
    // Reads, and never answers: half open.
    let ended = tokio::time::timeout(Duration::from_secs(3), raw.until(0xff)).await;
    assert_eq!(ended.unwrap(), None);
}

#[tokio::test]
async fn a_connection_that_is_old_is_asked_to_come_back_through_the_door() {
    let (address, client) =
        serving(Http2 { connection_age: Duration::from_millis(200), ..Http2::default() }).await;
    let mut raw = Raw::connect(address, &client).await;
    let goaway = tokio::time::timeout(Duration::from_secs(3), raw.until(GOAWAY)).await.unwrap();
    assert_eq!(goaway.unwrap()[4..8], 0u32.to_be_bytes(), "NO_ERROR");
}

#[tokio::test]
async fn a_connection_that_does_not_come_back_is_ended() {
    let limits = Limits { connection_lifetime: Duration::from_millis(300), ..Limits::default() };
    let (address, client) = serving_within(limits, Http2::default()).await;
    let mut raw = Raw::connect(address, &client).await;
    raw.send(HEADERS, END_HEADERS, 1, &request()).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(3), raw.until(0xff)).await;
    assert_eq!(ended.unwrap(), None);
}

#[tokio::test]
async fn who_takes_no_answers_holds_its_own_streams_and_nobody_elses() {
    let (address, client) = serving(Http2 { streams: 16, ..Http2::default() }).await;
    let mut raw = Raw(client.connect(address).await.unwrap());
    raw.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    // SETTINGS_INITIAL_WINDOW_SIZE (4) = 0: no byte of any answer can be sent.
    raw.send(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]).await.unwrap();
    for stream in (1..100).step_by(2) {
        raw.send(HEADERS, END_HEADERS, stream, &request()).await.unwrap();
        raw.send(DATA, END_STREAM, stream, &[0; 5]).await.unwrap();
    }
    let refused = tokio::time::timeout(Duration::from_secs(2), raw.until(RST_STREAM)).await.unwrap();
    assert_eq!(
        refused.unwrap(),
        7u32.to_be_bytes(),
        "REFUSED_STREAM: sixteen are stuck, and no more come in"
    );
    neighbour_is_served(address, &client).await;
}

#[tokio::test]
async fn who_gives_requests_by_halves_is_let_go_when_it_falls_silent() {
    let http2 = Http2 {
        keepalive_interval: Duration::from_millis(200),
        keepalive_timeout: Duration::from_millis(200),
        ..Http2::default()
    };
    let (address, client) = serving(http2).await;
    let mut raw = Raw::connect(address, &client).await;
    for stream in (1..100).step_by(2) {
        raw.send(HEADERS, END_HEADERS, stream, &request()).await.unwrap();
        // The length says that more comes, and nothing does.
        raw.send(DATA, 0, stream, &[0, 0, 0]).await.unwrap();
    }
    neighbour_is_served(address, &client).await;
    // The socket stays open and nothing comes any more, as after a cable was pulled.
    let ended = tokio::time::timeout(Duration::from_secs(5), raw.until(0xff)).await;
    assert_eq!(ended.unwrap(), None);
    neighbour_is_served(address, &client).await;
}

#[tokio::test]
async fn who_does_not_read_its_socket_is_let_go_and_the_others_are_served() {
    let http2 = Http2 {
        keepalive_interval: Duration::from_millis(200),
        keepalive_timeout: Duration::from_millis(200),
        ..Http2::default()
    };
    let (address, client) = serving(http2).await;
    let mut raw = Raw::connect(address, &client).await;
    // Answers to pings pile up until the sockets are full; then the gateway reads no more of this one.
    let flooded = flood(&mut raw, &frame(PING, 0, 0, &[7; 8]).repeat(1_000), 30_000).await;
    assert_ne!(flooded, Flooded::Taken);
    neighbour_is_served(address, &client).await;
    let mut ended = false;
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        // Reading what is there, to see the end behind it.
        let mut rest = vec![0; 1 << 20];
        while let Ok(read) = tokio::time::timeout(Duration::from_millis(10), raw.0.read(&mut rest)).await {
            ended = matches!(read, Ok(0) | Err(_));
            if ended {
                break;
            }
        }
        if ended {
            break;
        }
    }
    assert!(ended, "let go");
}
