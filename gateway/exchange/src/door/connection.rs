//! A connection that came through the door, and who is at the other end.
//!
//! Owns: the bytes, and who they are from: every request gets its [`Visitor`]. A connection outlives a revocation list: so each
//! request asks again whether the peer is still welcome, by what the guard has loaded by then. Its places among the
//! connections come back when it is dropped.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use identity::{Actor, Certified, Operator, Peer};
use model::{Name, Oin, Reason, Refusal, Timestamp};
use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;

use super::counts::Count;
use super::guard::{AssertionUse, Entrance, Guard};
use super::guest::Guest;
use super::throughput::{Flow, Toll};
use crate::gathered::READ_AT_ONCE;

/// TLS over a socket that is read in large pieces.
pub(super) type Stream = TlsStream<BufReader<TcpStream>>;

pub(super) fn read_much(stream: TcpStream) -> BufReader<TcpStream> {
    BufReader::with_capacity(READ_AT_ONCE, stream)
}

/// One TLS connection of an identified peer.
pub struct Connection {
    stream: Stream,
    visitor: Visitor,
    ends: Pin<Box<Sleep>>,
    reading: Flow,
    writing: Flow,
    /// Bytes that were read one after the other, without a pause.
    at_a_stretch: usize,
    _places: Places,
}

/// A connection's places: among all of them, and among those of its organisation and its system.
#[expect(dead_code, reason = "a place is held, not read")]
pub(super) struct Places {
    pub(super) of_all: OwnedSemaphorePermit,
    pub(super) of_organisation: Count<Oin>,
    pub(super) of_system: Count<(Oin, Name)>,
}

impl Connection {
    pub(super) fn new(
        stream: Stream,
        visitor: Visitor,
        places: Places,
        flow: Flow,
        lifetime: Duration,
    ) -> Connection {
        let ends = Box::pin(tokio::time::sleep(lifetime));
        Connection {
            stream,
            visitor,
            ends,
            reading: flow.other_way(),
            writing: flow,
            at_a_stretch: 0,
            _places: places,
        }
    }

    /// An error from the moment at which the connection ends. Whoever serves it is woken then.
    fn still_open(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.ends.as_mut().poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Who is at the other end.
    pub fn visitor(&self) -> &Visitor {
        &self.visitor
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.visitor).finish()
    }
}

/// Who is at the other end of a connection. A tonic service finds it in the extensions of a request.
#[derive(Clone)]
pub struct Visitor(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    guard: Arc<Guard>,
    presented: Arc<[CertificateDer<'static>]>,
    toll: Toll,
    /// Who it is by the guard's latest material. Locked for a moment, once a request.
    known: Mutex<Known>,
}

struct Known {
    generation: u64,
    peer: Guest,
    /// In which second no list had revoked the peer: lists are good until a second, so in the same one none has.
    stood: Option<i64>,
    /// Actors of assertions that were shown on this connection, the latest last, by the SHA-256 of the token: a token may be
    /// long. Used with [`AssertionUse::Connection`] only.
    actors: VecDeque<([u8; 32], Arc<Actor>)>,
    /// The token that was shown last, which mostly is the next one too, and its actor.
    latest: Option<(Box<str>, Arc<Actor>)>,
}

impl Known {
    fn new(generation: u64, peer: Guest) -> Known {
        Known { generation, peer, stood: None, actors: VecDeque::new(), latest: None }
    }

    /// Who acts by a token that was shown before, and is still good.
    fn actor(&mut self, token: &str, now: Timestamp) -> Option<Arc<Actor>> {
        let good = |actor: &&Arc<Actor>| now <= actor.until();
        if let Some((_, actor)) = self.latest.as_ref().filter(|(shown, _)| **shown == *token) {
            return Some(actor).filter(good).cloned();
        }
        if self.actors.is_empty() {
            return None;
        }
        let token_digest = sha256(token);
        let (_, actor) = self.actors.iter().find(|(shown, _)| *shown == token_digest)?;
        let actor = Some(actor).filter(good).cloned()?;
        self.latest = Some((token.into(), Arc::clone(&actor)));
        Some(actor)
    }

    /// Remembers an actor; the first one makes room.
    fn remember(&mut self, token: &str, actor: &Arc<Actor>) {
        if self.actors.len() >= MAX_ACTORS {
            self.actors.pop_front();
        }
        self.actors.push_back((sha256(token), Arc::clone(actor)));
    }
}

fn sha256(token: &str) -> [u8; 32] {
    digest(&SHA256, token.as_bytes()).as_ref().first_chunk().copied().unwrap_or_default()
}

/// After so many bytes without a pause a connection lets others go first: small frames are work.
const STRETCH: usize = 4 * 1024;
/// So many actors are kept for one connection.
const MAX_ACTORS: usize = 256;

impl Visitor {
    pub(super) fn new(
        peer: Guest,
        address: SocketAddr,
        guard: Arc<Guard>,
        entrance: Arc<Entrance>,
        presented: Arc<[CertificateDer<'static>]>,
        toll: Toll,
    ) -> Visitor {
        let known = Known::new(entrance.generation, peer);
        Visitor(Arc::new(Inner { address, guard, presented, toll, known: Mutex::new(known) }))
    }

    /// From where the connection came.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// The peer, if it is still welcome: its certificate not expired or revoked meanwhile, its organisation, system
    /// and authority still registered. To be asked at every request, and now and then in a long stream.
    ///
    /// # Errors
    /// `CERTIFICATE_REFUSED` or `ORGANISATION_UNKNOWN`, as at the door.
    pub fn peer(&self) -> Result<Arc<Peer>, Refusal> {
        match self.guest()? {
            Guest::Peer(peer) => Ok(peer),
            // An operator has no part in any exchange.
            Guest::Operator(..) => Err(Reason::RoleNotAllowed.into()),
        }
    }

    /// The operator, if it is one who is still welcome. To be asked at every request.
    ///
    /// # Errors
    /// `CERTIFICATE_REFUSED` as at the door; `ROLE_NOT_ALLOWED` for an organisation's system.
    pub fn operator(&self) -> Result<Arc<Operator>, Refusal> {
        match self.guest()? {
            Guest::Operator(operator, _) => Ok(operator),
            Guest::Peer(_) => Err(Reason::RoleNotAllowed.into()),
        }
    }

    fn guest(&self) -> Result<Guest, Refusal> {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut known, self.0.guard.now())
    }

    /// One of its calls was too many: the next bytes wait for that.
    pub(super) fn was_over(&self) {
        self.0.toll.pay();
    }

    /// Who it was when it was last asked, for an operator the organisation that runs the gateway: for counting and for
    /// records, not for rights.
    pub(crate) fn known(&self) -> (Oin, Name) {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        (known.peer.oin(), known.peer.system().clone())
    }

    fn refresh(&self, known: &mut Known, now: Timestamp) -> Result<Guest, Refusal> {
        let entrance = self.0.guard.glance();
        if known.generation != entrance.generation {
            let peer = Guest::find(Certified::check(&self.0.presented, &entrance.trust, now)?, &entrance)?;
            *known = Known::new(entrance.generation, peer);
        }
        if now > known.peer.expires() {
            return Err(Reason::CertificateRefused.into());
        }
        if known.stood != Some(now.unix_seconds()) {
            known.peer.check(&entrance, now)?;
            known.stood = Some(now.unix_seconds());
        }
        Ok(known.peer.clone())
    }

    /// Who acts in this request: `authorization` is that header's value (`Bearer` and a role assertion), or none for a
    /// system that acts for nobody. Asks [`Visitor::peer`] first.
    ///
    /// # Errors
    /// As [`Visitor::peer`], and as [`Actor::from_assertion`].
    pub fn actor(&self, authorization: Option<&str>) -> Result<Arc<Actor>, Refusal> {
        let guard = &self.0.guard;
        let now = guard.now();
        let lock = || self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (peer, token) = {
            let mut known = lock();
            let Guest::Peer(peer) = self.refresh(&mut known, now)? else {
                return Err(Reason::RoleNotAllowed.into());
            };
            let Some(authorization) = authorization else { return Ok(Arc::new(Actor::system(&peer))) };
            let token = bearer(authorization).ok_or(Reason::AssertionInvalid)?;
            if let Some(actor) = known.actor(token, now) {
                return Ok(actor);
            }
            (peer, token)
        };
        // No lock is held while a signature is verified.
        let entrance = guard.entrance();
        let memory = &mut guard.memory();
        let actor =
            Actor::from_assertion(token, &peer, &entrance.registry, now, &guard.assertions.rules, memory)?;
        let actor = Arc::new(actor);
        if guard.assertions.used == AssertionUse::Connection {
            let mut known = lock();
            if known.generation == entrance.generation {
                known.remember(token, &actor);
            }
        }
        Ok(actor)
    }
}

/// The token of `Bearer <token>`; the scheme's case does not matter (RFC 9110, 11.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_tuple("Visitor").field(&known.peer.oin()).field(&known.peer.shown()).finish()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.still_open(cx)?;
        ready!(self.reading.poll_ready(cx));
        if self.at_a_stretch >= STRETCH {
            self.at_a_stretch = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buf) else {
            self.at_a_stretch = 0;
            return Poll::Pending;
        };
        read?;
        let moved = buf.filled().len().saturating_sub(before);
        self.at_a_stretch = self.at_a_stretch.saturating_add(moved);
        self.reading.moved(moved);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.writing.poll_ready(cx));
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.writing.moved(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.writing.poll_ready(cx));
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.writing.moved(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
