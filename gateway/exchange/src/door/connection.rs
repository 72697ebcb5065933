//! A connection that came through the door, and who is at the other end.
//!
//! Owns: the bytes, and who they are from: every request gets its [`Visitor`]. A connection outlives a revocation list: so each
//! request asks again whether the peer is still welcome, by what the guard has loaded by then. Its places among the
//! connections come back when it is dropped.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
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
    _place: OwnedSemaphorePermit,
    _of_organisation: Count<Oin>,
}

impl Connection {
    pub(super) fn new(
        stream: Stream,
        visitor: Visitor,
        place: OwnedSemaphorePermit,
        of_organisation: Count<Oin>,
        lifetime: Duration,
    ) -> Connection {
        let ends = Box::pin(tokio::time::sleep(lifetime));
        Connection { stream, visitor, ends, _place: place, _of_organisation: of_organisation }
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
    /// Who it is by the guard's latest material. Locked for a moment, once a request.
    known: Mutex<Known>,
}

struct Known {
    generation: u64,
    peer: Guest,
    /// Actors of assertions that were shown on this connection, by the SHA-256 of the token: a token may be long. Used
    /// with [`AssertionUse::Connection`] only.
    actors: HashMap<Vec<u8>, Arc<Actor>>,
}

/// So many actors are kept for one connection.
const MAX_ACTORS: usize = 256;

impl Visitor {
    pub(super) fn new(
        peer: Guest,
        address: SocketAddr,
        guard: Arc<Guard>,
        entrance: Arc<Entrance>,
        presented: Arc<[CertificateDer<'static>]>,
    ) -> Visitor {
        let known = Known { generation: entrance.generation, peer, actors: HashMap::new() };
        Visitor(Arc::new(Inner { address, guard, presented, known: Mutex::new(known) }))
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

    /// The organisation that is still welcome; for an operator the one that runs the gateway.
    pub(crate) fn organisation(&self) -> Option<Oin> {
        self.guest().ok().map(|guest| guest.oin())
    }

    fn guest(&self) -> Result<Guest, Refusal> {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut known, self.0.guard.now())
    }

    /// Who it was when it was last asked: for counting, not for rights.
    pub(super) fn known(&self) -> (Oin, Name) {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        (known.peer.oin(), known.peer.system().clone())
    }

    fn refresh(&self, known: &mut Known, now: Timestamp) -> Result<Guest, Refusal> {
        let entrance = self.0.guard.glance();
        if known.generation != entrance.generation {
            let peer = Guest::find(Certified::check(&self.0.presented, &entrance.trust, now)?, &entrance)?;
            *known = Known { generation: entrance.generation, peer, actors: HashMap::new() };
        }
        if now > known.peer.expires() {
            return Err(Reason::CertificateRefused.into());
        }
        known.peer.check(&entrance, now)?;
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
        let Guest::Peer(peer) = self.refresh(&mut lock(), now)? else {
            return Err(Reason::RoleNotAllowed.into());
        };
        let Some(authorization) = authorization else { return Ok(Arc::new(Actor::system(&peer))) };
        let token = bearer(authorization).ok_or(Reason::AssertionInvalid)?;
        let shown = digest(&SHA256, token.as_bytes());
        if let Some(actor) = lock().actors.get(shown.as_ref()).filter(|actor| now <= actor.until()) {
            return Ok(Arc::clone(actor));
        }
        // No lock is held while a signature is verified.
        let entrance = guard.entrance();
        let memory = &mut guard.memory();
        let actor = Actor::from_assertion(token, &peer, &entrance.registry, now, &guard.audience, memory)?;
        let actor = Arc::new(actor);
        if guard.assertion_use == AssertionUse::Connection {
            let mut known = lock();
            known.actors.retain(|_, actor| now <= actor.until());
            if known.actors.len() < MAX_ACTORS && known.generation == entrance.generation {
                known.actors.insert(shown.as_ref().to_vec(), Arc::clone(&actor));
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
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
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
