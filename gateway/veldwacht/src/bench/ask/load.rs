//! The load of `bench ask`: a source that answers at once, and callers that ask again as soon as they have their answer.
//!
//! Owns: HTTP/2 by the `h2` crate on both sides with gathered writes, as callers and sources of other makers do: so the load
//! costs less than what is measured, for every proxy. Everything here runs on the load's core. The assertion goes with every
//! call as Node's and Rust's clients send it: Huffman-coded and never put in HPACK's table, the dearest way to read. (grpcio
//! sends it as it is; grpc-go and grpc-java put it in the table, and then send a byte.)

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{BufMut as _, Bytes, BytesMut};
use exchange::gathered;
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Request, Response};
use rustls::pki_types::ServerName;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::failure::{Doing, Failure, Outcome};

/// What a source answers, by method.
pub(super) struct Answers {
    pub(super) small: Bytes,
    pub(super) large: Bytes,
}

/// A message in gRPC's frame.
pub(super) fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

/// Serves the source for as long as the runtime lives.
pub(super) async fn serve(listener: TcpListener, tls: TlsAcceptor, answers: Arc<Answers>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, answers) = (tls.clone(), Arc::clone(&answers));
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let stream = BufReader::with_capacity(64 << 10, stream);
            let Ok(stream) = tls.accept(stream).await else { return };
            let mut builder = h2::server::Builder::new();
            builder.initial_window_size(1 << 20).initial_connection_window_size(16 << 20);
            let (stream, driver) = gathered(stream);
            let serving = async move {
                let Ok(mut connection) = builder.handshake(stream).await else { return };
                while let Some(Ok((request, respond))) = connection.accept().await {
                    tokio::spawn(reply(request, respond, Arc::clone(&answers)));
                }
            };
            driver.drive(serving).await;
        });
    }
}

async fn reply(
    request: Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
    answers: Arc<Answers>,
) -> Option<()> {
    let large = request.uri().path().ends_with("/Groot");
    let mut body = request.into_body();
    while let Some(data) = body.data().await {
        body.flow_control().release_capacity(data.ok()?.len()).ok()?;
    }
    let head = Response::builder().header("content-type", "application/grpc").body(()).ok()?;
    let mut stream = respond.send_response(head, false).ok()?;
    stream.send_data(if large { answers.large.clone() } else { answers.small.clone() }, false).ok()?;
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    stream.send_trailers(trailers).ok()
}

/// A connection of a caller, and what it asks.
#[derive(Clone)]
pub(super) struct Caller {
    sender: SendRequest<Bytes>,
    head: Request<()>,
    question: Bytes,
}

impl Caller {
    /// Connects. `bearer`: the value of `authorization`.
    pub(super) async fn connect(
        port: u16,
        tls: &TlsConnector,
        method: &str,
        bearer: &str,
        question: Bytes,
    ) -> Outcome<Caller> {
        let place = format!("127.0.0.1:{port}");
        let stream = shake_hands(port, tls).await?;
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(1 << 20).initial_connection_window_size(16 << 20);
        let (stream, driver) = gathered(stream);
        let (sender, connection) = builder.handshake(stream).await.unreachable(&place)?;
        tokio::spawn(driver.drive(connection));
        let head = Request::post(format!("https://localhost/bench.v1.Bron/{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", bearer)
            .body(())
            .wrong("a request")?;
        Ok(Caller { sender, head, question })
    }

    /// The same connection, for another method.
    pub(super) fn asking(&self, method: &str) -> Outcome<Caller> {
        let mut caller = self.clone();
        *caller.head.uri_mut() =
            format!("https://localhost/bench.v1.Bron/{method}").parse().wrong("a path")?;
        Ok(caller)
    }

    /// Asks until `end`; how long each answer took, in microseconds.
    pub(super) async fn ask_until(self, end: Instant) -> Outcome<Vec<f64>> {
        let mut took = Vec::new();
        while Instant::now() < end {
            let begun = Instant::now();
            self.ask().await?;
            took.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        Ok(took)
    }

    /// Asks once; the length of the answer.
    pub(super) async fn ask(&self) -> Outcome<usize> {
        let refused = |why: &str| Failure::Reach(format!("a proxy does not answer as it should: {why}"));
        let mut sender = self.sender.clone().ready().await.unreachable("a proxy")?;
        let (response, mut stream) = sender.send_request(self.head.clone(), false).unreachable("a proxy")?;
        stream.send_data(self.question.clone(), true).unreachable("a proxy")?;
        let mut response = response.await.unreachable("a proxy")?;
        let said =
            |headers: &HeaderMap| headers.get("grpc-status").map(|code| format!("{code:?} {headers:?}"));
        if response.status() != 200 || response.headers().contains_key("grpc-status") {
            let why = said(response.headers()).unwrap_or_else(|| response.status().to_string());
            return Err(refused(&why));
        }
        let mut length = 0;
        let body = response.body_mut();
        while let Some(data) = body.data().await {
            let data = data.unreachable("a proxy")?;
            length += data.len();
            body.flow_control().release_capacity(data.len()).unreachable("a proxy")?;
        }
        let trailers = poll_fn(|cx| body.poll_trailers(cx)).await.unreachable("a proxy")?.unwrap_or_default();
        match trailers.get("grpc-status") {
            Some(code) if code == "0" => Ok(length),
            _ => Err(refused(&said(&trailers).unwrap_or_else(|| "no status".into()))),
        }
    }
}

type Stream = tokio_rustls::client::TlsStream<BufReader<TcpStream>>;

/// Connects as far as TLS.
pub(super) async fn shake_hands(port: u16, tls: &TlsConnector) -> Outcome<Stream> {
    let place = format!("127.0.0.1:{port}");
    let stream = TcpStream::connect(&place).await.unreachable(&place)?;
    stream.set_nodelay(true).unreachable(&place)?;
    let name = ServerName::try_from("localhost").wrong("localhost")?;
    tls.connect(name, BufReader::with_capacity(64 << 10, stream)).await.unreachable(&place)
}

/// What a round of some callers with some streams each gave.
pub(super) struct Round {
    pub(super) answers: f64,
    pub(super) seconds: f64,
    /// Sorted, in microseconds.
    pub(super) took: Vec<f64>,
}

impl Round {
    pub(super) async fn run(callers: Vec<Caller>, streams: usize, time: Duration) -> Outcome<Round> {
        let begun = Instant::now();
        let end = begun + time;
        let all = callers.iter().flat_map(|caller| std::iter::repeat_n(caller, streams));
        let asking: Vec<_> = all.map(|caller| tokio::spawn(caller.clone().ask_until(end))).collect();
        let mut took = Vec::new();
        for one in asking {
            took.extend(one.await.unreachable("the load")??);
        }
        took.sort_by(f64::total_cmp);
        Ok(Round { answers: took.len() as f64, seconds: begun.elapsed().as_secs_f64(), took })
    }

    pub(super) fn at(&self, percent: usize) -> f64 {
        self.took.get(self.took.len() * percent / 100).copied().unwrap_or(f64::NAN)
    }
}
