//! The door: TCP and TLS up to a [`Connection`] whose [`Visitor`] is known. Everything before it is a stranger.
//!
//! Owns: accepting, the handshake with its time and its number bounded, the limits on connections, and telling who was
//! turned away. Who may come in is decided by `identity` and by the TLS library, both, in `door/knock.rs`, by what
//! `door/guard.rs` has loaded. Next: `door/serve.rs` takes requests from the connection, each with its [`Visitor`].

mod connection;
mod counts;
mod expiry;
mod files;
mod guard;
mod guest;
mod http2;
mod knock;
mod pace;
mod serve;
mod share;
mod throughput;
mod turned_away;
mod turns;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use model::{Name, Oin, Reason, Timestamp};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;

pub use connection::{Connection, Visitor};
pub use expiry::Expiring;
pub use files::{Files, FilesError, secret};
pub use guard::{AssertionUse, Assertions, Guard, GuardError, Material, Tls};
pub use http2::Http2;
pub use serve::serve;
pub use share::{Share, Shared, Shares, Tell};
pub use turned_away::{Stage, TurnedAway};
pub(crate) use turns::{InTurn, Turns, spawn_in_turn};

use connection::Places;
use counts::{Count, Counts};
use guard::Entrance;
use knock::Knock;
use pace::Pace;
use throughput::Throughput;
use turned_away::Report;

/// What the time is. The door asks it at every handshake and every request.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How much the door takes on at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a handshake may take, from the first byte of TCP to the last of TLS.
    pub handshake_timeout: Duration,
    /// Handshakes at once. Who comes later waits in the queue of the kernel.
    pub handshakes: usize,
    /// Handshakes at once from one address; more are closed at once.
    pub handshakes_per_address: usize,
    /// Handshakes a second from one address, in the long run; more are closed at once.
    pub handshakes_per_second_per_address: u32,
    /// So many seconds' worth of them may come in a burst, for systems that restart together behind one address.
    pub handshake_burst_seconds: u32,
    /// Connections at once. Who comes later waits in the queue of the kernel.
    pub connections: usize,
    /// Connections at once of one organisation; more are closed, and reported.
    pub connections_per_organisation: usize,
    /// Connections at once of one system of an organisation.
    pub connections_per_system: usize,
    /// After this a connection ends, whatever is on it.
    pub connection_lifetime: Duration,
    /// What one organisation may ask over all its connections, for [`Shares`] before the services.
    pub share: Share,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            handshake_timeout: Duration::from_secs(5),
            handshakes: 256,
            handshakes_per_address: 64,
            handshakes_per_second_per_address: 20,
            handshake_burst_seconds: 30,
            connections: 4_096,
            connections_per_organisation: 256,
            connections_per_system: 128,
            connection_lifetime: Duration::from_secs(3_600 + 300),
            share: Share::default(),
        }
    }
}

/// First and longest wait after an accept that failed: out of file descriptors, mostly. Waiting lets some close.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));
/// So many are accepted before others go on: closing is work too.
const AT_A_STRETCH: u32 = 8;
/// Connections that are through the door and not yet picked up.
const WAITING_ROOM: usize = 64;

/// Everything that one handshake needs.
struct Hall {
    guard: Arc<Guard>,
    limits: Limits,
    clock: Clock,
    handshakes: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    addresses: Arc<Counts<IpAddr>>,
    pace: Pace,
    organisations: Arc<Counts<Oin>>,
    systems: Arc<Counts<(Oin, Name)>>,
    throughput: Throughput,
    report: Report,
    through: mpsc::Sender<std::io::Result<Connection>>,
}

/// Opens the door. The stream yields connections whose visitor is known, for [`serve`]; when it
/// is dropped the door closes, and connections that are open stay.
///
/// `turned_away` is told of everyone who was refused; it must not block. Must be called within a tokio runtime.
pub fn open(
    listener: TcpListener,
    guard: Arc<Guard>,
    limits: Limits,
    clock: Clock,
    turned_away: Arc<dyn Fn(TurnedAway) + Send + Sync>,
) -> ReceiverStream<std::io::Result<Connection>> {
    let (through, incoming) = mpsc::channel(WAITING_ROOM);
    let hall = Arc::new(Hall {
        handshakes: Arc::new(Semaphore::new(limits.handshakes)),
        connections: Arc::new(Semaphore::new(limits.connections)),
        addresses: Counts::new(limits.handshakes_per_address),
        pace: Pace::new(limits.handshakes_per_second_per_address, limits.handshake_burst_seconds),
        organisations: Counts::new(limits.connections_per_organisation),
        systems: Counts::new(limits.connections_per_system),
        throughput: Throughput::new(&limits.share),
        report: Report::new(limits.share.told_per_minute, turned_away),
        guard,
        limits,
        clock,
        through,
    });
    tokio::spawn(accept(listener, hall));
    ReceiverStream::new(incoming)
}

async fn accept(listener: TcpListener, hall: Arc<Hall>) {
    let mut wait = BACKOFF.0;
    for number in (0..AT_A_STRETCH).cycle() {
        if number == 0 {
            tokio::task::yield_now().await;
        }
        // Places are taken before accepting: who finds none waits in the kernel's queue and costs nothing here.
        let places = tokio::select! {
            () = hall.through.closed() => return,
            places = hall.places() => places,
        };
        let Some(places) = places else { return };
        let accepted = tokio::select! {
            () = hall.through.closed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                wait = BACKOFF.0;
                // An address that has its share of handshakes gets no more: the socket is closed by dropping it.
                let in_pace = hall.pace.allows(address.ip(), (hall.clock)());
                if let Some(count) = hall.addresses.take(address.ip()).filter(|_| in_pace) {
                    tokio::spawn(Arc::clone(&hall).welcome(stream, address, places, count));
                }
            }
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), wait = ?wait, "a connection could not be accepted; waiting");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(BACKOFF.1);
            }
        }
    }
}

/// A place among the handshakes and one among the connections.
struct Entering {
    handshake: OwnedSemaphorePermit,
    connection: OwnedSemaphorePermit,
}

impl Hall {
    async fn places(&self) -> Option<Entering> {
        let connection = Arc::clone(&self.connections).acquire_owned().await.ok()?;
        let handshake = Arc::clone(&self.handshakes).acquire_owned().await.ok()?;
        Some(Entering { handshake, connection })
    }

    async fn welcome(
        self: Arc<Hall>,
        stream: TcpStream,
        address: SocketAddr,
        entering: Entering,
        of_address: Count<IpAddr>,
    ) {
        let entrance = self.guard.entrance();
        let knock = Knock::new(Arc::clone(&entrance), Arc::clone(&self.clock));
        let shaken =
            tokio::time::timeout(self.limits.handshake_timeout, shake_hands(stream, &entrance, &knock));
        let shaken = shaken.await;
        drop((entering.handshake, of_address));
        let now = (self.clock)();
        let stream = match shaken {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) => return self.report.handshake(now, address, &knock),
            Err(_) => return self.report.slow(now, address),
        };
        let Some(peer) = knock.guest() else { return self.report.handshake(now, address, &knock) };
        let of_organisation = self.organisations.take(peer.oin());
        let of_system = self.systems.take((peer.oin(), peer.system().clone()));
        let (Some(of_organisation), Some(of_system)) = (of_organisation, of_system) else {
            self.report.peer(now, address, &peer, Reason::Busy.into());
            let mut stream = stream;
            // The goodbye is a courtesy; a peer that does not read it gets none.
            let _ = tokio::time::timeout(Duration::from_secs(1), stream.shutdown()).await;
            return;
        };
        let flow = self.throughput.of(peer.oin(), peer.system());
        let presented = knock.presented();
        let visitor = Visitor::new(peer, address, Arc::clone(&self.guard), entrance, presented, flow.toll());
        let places = Places { of_all: entering.connection, of_organisation, of_system };
        let connection = Connection::new(stream, visitor, places, flow, self.limits.connection_lifetime);
        // A door that closed meanwhile has nobody to serve it: dropping it closes the connection.
        let _ = self.through.send(Ok(connection)).await;
    }
}

async fn shake_hands(
    stream: TcpStream,
    entrance: &Entrance,
    knock: &Arc<Knock>,
) -> std::io::Result<connection::Stream> {
    stream.set_nodelay(true)?;
    let config = entrance.server_config(Arc::clone(knock)).map_err(std::io::Error::other)?;
    let stream =
        tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(connection::read_much(stream)).await?;
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Ok(stream),
        _ => Err(std::io::Error::other("no HTTP/2 was agreed on")),
    }
}

#[cfg(test)]
mod tests;
