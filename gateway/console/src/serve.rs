//! Serving: a connection becomes requests that know by which certificate they came.
//!
//! Owns: the listeners, their limits, and TLS. HTTP/2 puts the host in its own place; it is put back where pages look.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, Request, header};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tower::Service as _;

use crate::enter::Door;
use crate::links::{Link, Links};
use crate::{Console, pages};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(10);
/// How many connections at once: operators are few.
const CONNECTIONS: usize = 256;
/// After an accept that failed, so long until the next.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves operators who come with a certificate, until `stop` resolves.
pub async fn serve(
    console: Arc<Console>,
    listener: TcpListener,
    tls: crate::Tls,
    stop: impl Future<Output = ()>,
) {
    let router = pages::router(&console);
    let oversight = Arc::clone(console.oversight());
    tokio::task::spawn_blocking(move || {
        if oversight.find_held().is_err() {
            tracing::warn!("held texts could not be looked for; the first look at them tries again");
        }
    });
    let welcome = move |stream: TcpStream, place| {
        let (router, tls) = (router.clone(), Arc::clone(&tls));
        async move {
            match tokio::time::timeout(HANDSHAKE, shake_hands(stream, &tls)).await {
                Ok(Ok((stream, door))) => speak(stream, router, door, place).await,
                Ok(Err(error)) => tracing::debug!(kind = ?error.kind(), "no handshake with the console"),
                Err(_) => tracing::debug!("a handshake with the console took too long"),
            }
        }
    };
    accept(listener, welcome, stop).await;
}

/// Serves whoever has a one-time link, over plain HTTP on the loopback interface, until `stop` resolves. For demos.
///
/// # Errors
/// When the listener is not on the loopback interface.
pub async fn serve_loopback(
    console: Arc<Console>,
    listener: TcpListener,
    links: Vec<Link>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    if !listener.local_addr()?.ip().is_loopback() {
        return Err(io::Error::other("one-time links are for the loopback interface only"));
    }
    let router = pages::router(&console);
    let door = Door::Loopback(Arc::new(Links::new(links)));
    let welcome = move |stream: TcpStream, place| speak(stream, router.clone(), door.clone(), place);
    accept(listener, welcome, stop).await;
    Ok(())
}

/// Accepts until `stop` resolves; then every connection ends, also one that listens to what happens.
async fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    welcome: impl Fn(TcpStream, OwnedSemaphorePermit) -> F,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => return,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match (accepted, Arc::clone(&places).try_acquire_owned()) {
            (Ok((stream, _)), Ok(place)) => drop(connections.spawn(welcome(stream, place))),
            (Ok(_), Err(_)) => tracing::warn!("more connections to the console than it takes"),
            (Err(error), _) => {
                tracing::warn!(kind = ?error.kind(), "a connection to the console could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn shake_hands(
    stream: TcpStream,
    tls: &crate::Tls,
) -> io::Result<(tokio_rustls::server::TlsStream<TcpStream>, Door)> {
    stream.set_nodelay(true)?;
    let stream = tokio_rustls::TlsAcceptor::from(tls()?).accept(stream).await?;
    let presented = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let presented = presented.iter().map(|der| der.as_ref().to_vec()).collect();
    Ok((stream, Door::Certificate(Arc::new(presented))))
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    door: Door,
    _place: OwnedSemaphorePermit,
) {
    let service = hyper_util::service::TowerToHyperService::new(tower::service_fn(
        move |mut request: Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(door.clone());
            if !request.headers().contains_key(header::HOST)
                && let Some(host) =
                    request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok())
            {
                request.headers_mut().insert(header::HOST, host);
            }
            router.clone().call(request)
        },
    ));
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    server.http2().timer(TokioTimer::new()).max_concurrent_streams(64);
    // A browser that goes away in the middle is nothing to tell.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
