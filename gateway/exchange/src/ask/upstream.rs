//! The way to a source: its addresses, one HTTP/2 connection to each, and which of them are well.
//!
//! Owns: connecting, reusing, and passing by an address that fails: after a failed connection or five failed calls in a
//! row it gets no calls for a while, longer each time, and then one to try it with. A call that may have reached the
//! source is never sent twice. Says nothing to anyone of what a source said.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::{Connection, ResponseFuture, SendRequest};
use http::Uri;
use http::uri::{Authority, Scheme};
use journal::Recorded;
use model::{Reason, Refusal};
use rustls::pki_types::ServerName;
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::gathered::{Gathered, READ_AT_ONCE, gathered};
use crate::streams::stays_silent;

/// How often an idle connection is asked whether it is there, and how long it may take to answer.
const ASKED_EVERY: Duration = Duration::from_secs(20);
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// So many failed calls in a row, and an address is passed by.
const FAILURES: u32 = 5;
/// For how long the first time; doubled until `LONGEST`.
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
/// So long a frame may be: most answers then come in one, and are not put together from pieces.
const FRAME: u32 = 64 << 10;

/// A source's service.
pub(crate) struct Upstream {
    addresses: Vec<Address>,
    name: ServerName<'static>,
    authority: Authority,
    tls: TlsConnector,
    turn: AtomicUsize,
}

/// Where the service stands, once.
pub(crate) struct Address {
    place: String,
    /// How long connecting may take, TLS and HTTP/2 included.
    connect: Duration,
    /// Held while connecting, so that calls that come together make one connection.
    connection: tokio::sync::Mutex<Option<SendRequest<Bytes>>>,
    health: Mutex<Health>,
}

#[derive(Default)]
struct Health {
    failures: u32,
    /// Gets no calls until then.
    away: Option<(Instant, Duration)>,
}

/// A call that is open at the source.
pub(crate) struct Opened<'u> {
    pub(crate) response: ResponseFuture,
    pub(crate) sending: h2::SendStream<Bytes>,
    /// To say how the call went.
    pub(crate) address: &'u Address,
}

impl Upstream {
    pub(crate) fn new(
        places: &[String],
        name: &str,
        tls: TlsConnector,
        connect: Duration,
    ) -> Result<Upstream, String> {
        let no_name = |_| format!("`{name}` is no name of a server");
        let authority = name.parse().map_err(|_| no_name(()))?;
        let name = ServerName::try_from(name.to_owned()).map_err(|_| no_name(()))?;
        let address = |place: &String| Address {
            place: place.clone(),
            connect,
            connection: tokio::sync::Mutex::default(),
            health: Mutex::default(),
        };
        let addresses = places.iter().map(address).collect();
        Ok(Upstream { addresses, name, authority, tls, turn: AtomicUsize::new(0) })
    }

    /// Where it stands.
    pub(crate) fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// A place for a question of the gateway's own, at one of the addresses.
    pub(crate) async fn sender(&self, number: usize) -> Option<SendRequest<Bytes>> {
        self.addresses.get(number)?.sender(&self.tls, &self.name).await.ok()
    }

    /// Where a request to this path goes. A query is not part of gRPC, and does not go.
    pub(crate) fn uri(&self, asked: &Uri) -> Uri {
        let path = match asked.path_and_query() {
            Some(path) if path.query().is_none() => Some(path.clone()),
            _ => asked.path().parse().ok(),
        };
        let mut parts = http::uri::Parts::default();
        (parts.scheme, parts.authority, parts.path_and_query) =
            (Some(Scheme::HTTPS), Some(self.authority.clone()), path);
        // With a scheme and an authority any path makes a URI.
        Uri::from_parts(parts).unwrap_or_default()
    }

    /// Opens a call at the first address that takes it, once its intent is recorded. `end`: nothing follows the head.
    pub(crate) async fn open(
        &self,
        _: &Recorded,
        head: http::Request<()>,
        end: bool,
    ) -> Result<Opened<'_>, Refusal> {
        let mut refusal: Refusal = Reason::UpstreamUnavailable.into();
        for address in self.in_turn() {
            match address.sender(&self.tls, &self.name).await {
                Ok(mut sender) => match sender.send_request(head.clone(), end) {
                    Ok((response, sending)) => return Ok(Opened { response, sending, address }),
                    Err(error) => {
                        tracing::warn!(place = %address.place, %error, "a call could not be opened at a source");
                        address.went(false);
                    }
                },
                Err(why) => {
                    address.unreachable();
                    refusal = why;
                }
            }
        }
        Err(refusal)
    }

    /// Every address: those that are well in turn, then those that are not, soonest back first.
    fn in_turn(&self) -> Vec<&Address> {
        if let [only] = self.addresses.as_slice() {
            return vec![only];
        }
        let start = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = self.addresses.len().max(1);
        let mut addresses: Vec<(Option<Instant>, &Address)> = self
            .addresses
            .iter()
            .cycle()
            .skip(start % count)
            .take(self.addresses.len())
            .map(|address| (address.away(), address))
            .collect();
        addresses.sort_by_key(|(away, _)| *away); // stable, and `None` first
        addresses.into_iter().map(|(_, address)| address).collect()
    }
}

impl Address {
    /// A place for one more call on this address's connection, connecting if there is none.
    async fn sender(
        &self,
        tls: &TlsConnector,
        name: &ServerName<'static>,
    ) -> Result<SendRequest<Bytes>, Refusal> {
        let mut connection = self.connection.lock().await;
        if let Some(sender) = connection.as_ref() {
            let sender = sender.clone();
            drop(connection);
            if let Ok(ready) = sender.ready().await {
                return Ok(ready);
            }
            connection = self.connection.lock().await;
            // Whoever came first may have connected again meanwhile.
            if let Some(sender) = connection.as_ref()
                && let Ok(ready) = sender.clone().ready().await
            {
                return Ok(ready);
            }
            *connection = None;
        }
        let connected = tokio::time::timeout(self.connect, connect(&self.place, tls, name)).await;
        let sender = connected.unwrap_or_else(|_| {
            tracing::warn!(place = %self.place, "a source does not answer");
            Err(Reason::UpstreamUnavailable.into())
        })?;
        let ready = sender.clone().ready().await.map_err(|_| Refusal::from(Reason::UpstreamUnavailable))?;
        *connection = Some(sender);
        Ok(ready)
    }

    fn away(&self) -> Option<Instant> {
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.away.map(|(until, _)| until).filter(|until| *until > Instant::now())
    }

    /// What an address says of itself, or that it says nothing. Not well: it gets no calls for so long.
    pub(crate) fn is_said_to_be(&self, well: bool, so_long: Duration) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        match (well, health.away) {
            (true, Some(_)) => *health = Health::default(),
            (true, None) => {}
            (false, _) => {
                tracing::warn!(place = %self.place, "a source is not well");
                health.away = Some((Instant::now() + so_long, SHORTEST));
            }
        }
    }

    /// Says how a call went.
    pub(crate) fn went(&self, well: bool) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if well {
            *health = Health::default();
            return;
        }
        health.failures += 1;
        if health.failures >= FAILURES {
            health.send_away();
        }
    }

    fn unreachable(&self) {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).send_away();
    }
}

impl Health {
    fn send_away(&mut self) {
        let pause = self.away.map_or(SHORTEST, |(_, pause)| (pause * 2).min(LONGEST));
        self.away = Some((Instant::now() + pause, pause));
        self.failures = 0;
    }
}

async fn connect(
    place: &str,
    tls: &TlsConnector,
    name: &ServerName<'static>,
) -> Result<SendRequest<Bytes>, Refusal> {
    let away = |error: std::io::Error| {
        tracing::warn!(place, kind = ?error.kind(), "a source cannot be reached");
        Refusal::from(Reason::UpstreamUnavailable)
    };
    let stream = TcpStream::connect(place).await.map_err(away)?;
    stream.set_nodelay(true).map_err(away)?;
    let stream = BufReader::with_capacity(READ_AT_ONCE, stream);
    let stream = tls.connect(name.clone(), stream).await.map_err(|error| {
        let ours = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match ours {
            Some(rustls::Error::InvalidCertificate(_)) | Some(rustls::Error::NoApplicationProtocol) => {
                tracing::warn!(place, "a source shows a certificate that its route does not believe");
                Reason::UpstreamInvalid.into()
            }
            _ => away(error),
        }
    })?;
    let not_h2 = |_| Refusal::from(Reason::UpstreamInvalid);
    if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err(Reason::UpstreamInvalid.into());
    }
    let (stream, driver) = gathered(stream);
    let (sender, connection) = h2::client::Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_send_buffer_size(1 << 20)
        .handshake(stream)
        .await
        .map_err(not_h2)?;
    tokio::spawn(driver.drive(drive(connection)));
    Ok(sender)
}

/// Moves a connection on until it ends, or no longer answers.
async fn drive(mut connection: Connection<Gathered<TlsStream<BufReader<TcpStream>>>, Bytes>) {
    let pings = connection.ping_pong();
    tokio::select! {
        _ = connection => {}
        () = stays_silent(pings, ASKED_EVERY, ANSWERED_WITHIN) => tracing::warn!("a connection to a source went silent and was closed"),
    }
}
