//! From connections to requests: HTTP/2 on every connection that came through the door, and a task for every request.
//!
//! Owns: driving connections, over the `h2` crate itself with gathered writes – a gateway's time goes into small writes,
//! not into thinking –, in their organisation's [`Turns`], and their requests likewise; asking silent peers whether they are
//! there; and ending in order: no new requests, those under way to their end. What a request is about is the service's
//! affair, which finds its [`Visitor`] and the turns in the extensions.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use model::Oin;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_stream::{Stream, StreamExt as _};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;

use super::{Connection, Http2, InTurn, Turns, Visitor};
use crate::gathered::{Gathered, gathered};
use crate::streams::{send, stays_silent};

/// How long a peer may take for the preface of HTTP/2.
const PREFACE: Duration = Duration::from_secs(10);

/// Serves every connection until `stop` resolves, and then until the requests under way have ended.
pub async fn serve<S>(
    connections: impl Stream<Item = std::io::Result<Connection>>,
    http2: Http2,
    service: S,
    stop: impl Future<Output = ()>,
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let (stopping, stopped) = watch::channel(false);
    let turns = Turns::new(std::thread::available_parallelism().map_or(1, usize::from));
    let mut driven = JoinSet::new();
    tokio::pin!(connections, stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = driven.join_next(), if !driven.is_empty() => {}
            connection = connections.next() => match connection {
                Some(Ok(connection)) => {
                    let visitor = connection.visitor().clone();
                    let asking = Asking { oin: visitor.known().0, visitor, turns: turns.clone() };
                    let oin = asking.oin;
                    let (connection, driver) = gathered(connection);
                    let (http2, service, stopped) = (http2.clone(), service.clone(), stopped.clone());
                    let work = driver.drive(drive(connection, asking, http2, service, stopped));
                    driven.spawn(InTurn::new(work, &turns, oin));
                }
                Some(Err(_)) => {}
                None => break,
            },
        }
    }
    // Whoever is driven is told; nobody else listens.
    let _ = stopping.send(true);
    while driven.join_next().await.is_some() {}
}

/// Whose requests they are, and when they are worked for.
#[derive(Clone)]
struct Asking {
    oin: Oin,
    visitor: Visitor,
    turns: Turns,
}

/// Takes the requests of one connection until it ends.
async fn drive<S>(
    connection: Gathered<Connection>,
    asking: Asking,
    http2: Http2,
    service: S,
    mut stopped: watch::Receiver<bool>,
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let handshake = builder(&http2).handshake::<_, Bytes>(connection);
    let Ok(Ok(mut h2)) = timeout(PREFACE, handshake).await else { return };
    let silent = stays_silent(h2.ping_pong(), http2.keepalive_interval, http2.keepalive_timeout);
    let ends = async {
        let age = sleep(http2.connection_age);
        tokio::select! {
            () = age => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    };
    tokio::pin!(silent, ends);
    let mut ending = false;
    loop {
        tokio::select! {
            biased;
            request = h2.accept() => match request {
                Some(Ok((request, respond))) => {
                    let answer = answer(service.clone(), asking.clone(), request, respond);
                    tokio::spawn(InTurn::new(answer, &asking.turns, asking.oin));
                }
                Some(Err(_)) | None => return,
            },
            () = &mut ends, if !ending => {
                ending = true;
                h2.graceful_shutdown();
            }
            () = &mut silent => return,
        }
    }
}

fn builder(http2: &Http2) -> h2::server::Builder {
    let mut builder = h2::server::Builder::new();
    builder
        .max_concurrent_streams(http2.streams)
        .max_header_list_size(http2.header_bytes)
        .max_pending_accept_reset_streams(http2.pending_resets)
        .max_local_error_reset_streams(Some(http2.error_resets))
        .initial_window_size(http2.stream_window)
        .initial_connection_window_size(http2.connection_window)
        .max_send_buffer_size(1 << 20);
    builder
}

/// One request to its answer, or until its caller has gone.
async fn answer<S>(
    mut service: S,
    asking: Asking,
    request: Request<h2::RecvStream>,
    mut respond: SendResponse<Bytes>,
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let mut request = request.map(|stream| Body::new(Arriving(stream)));
    request.extensions_mut().insert(asking.visitor);
    request.extensions_mut().insert(asking.turns);
    // Who has gone before its turn is not worked for.
    if poll_fn(|cx| Poll::Ready(respond.poll_reset(cx).is_ready())).await {
        return;
    }
    let answered = tokio::select! {
        biased;
        Ok(response) = service.call(request) => response,
        _ = poll_fn(|cx| respond.poll_reset(cx)) => return,
    };
    let (head, body) = answered.into_parts();
    let ends = body.is_end_stream();
    // A caller that is gone misses nothing.
    let Ok(mut sending) = respond.send_response(Response::from_parts(head, ()), ends) else { return };
    if !ends && send_all(body, &mut sending).await.is_err() {
        sending.send_reset(h2::Reason::INTERNAL_ERROR);
    }
}

/// An answer that broke off, or a caller that is gone.
struct Broken;

async fn send_all(mut body: Body, sending: &mut h2::SendStream<Bytes>) -> Result<(), Broken> {
    loop {
        let frame = tokio::select! {
            biased;
            frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)) => frame,
            _ = poll_fn(|cx| sending.poll_reset(cx)) => return Err(Broken),
        };
        let Some(frame) = frame else { return sending.send_data(Bytes::new(), true).map_err(|_| Broken) };
        let frame = match frame.map_err(|_| Broken)?.into_data() {
            Ok(data) => {
                send(sending, data).await.map_err(|_| Broken)?;
                continue;
            }
            Err(frame) => frame,
        };
        if let Ok(trailers) = frame.into_trailers() {
            return sending.send_trailers(trailers).map_err(|_| Broken);
        }
    }
}

/// The bytes of a request as they arrive.
struct Arriving(h2::RecvStream);

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let gone = |_| Status::cancelled("the call was given up by its caller");
        match ready!(self.0.poll_data(cx)) {
            Some(Ok(data)) => {
                let released = self.0.flow_control().release_capacity(data.len());
                Poll::Ready(Some(released.map(|()| Frame::data(data)).map_err(gone)))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(gone(error)))),
            None => {
                let trailers = ready!(self.0.poll_trailers(cx)).map_err(gone);
                Poll::Ready(trailers.transpose().map(|trailers| trailers.map(Frame::trailers)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}
