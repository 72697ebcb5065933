//! What the asker gets: HTTP responses as gRPC wants them.
//!
//! Owns: heads, bodies and trailers, and what of a source's status crosses. A whole answer is made only with the proof
//! that its outcome is recorded.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use journal::Recorded;
use model::ExchangeId;
use tokio::sync::mpsc;
use tonic::body::Body;

use crate::ask::decide::No;
use crate::ask::metadata::{AllowList, GRPC, TRANSACTION, named};
use crate::ask::route::StatusPass;

const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";
const DETAILS: &str = "grpc-status-details-bin";
/// What stands in the place of a source's own words.
const NOT_ITS_WORDS: &str =
    "the source organisation's service answered with this status; its words do not pass";

/// The trailers of an answer, made from those of a source. None when the source sent no gRPC status.
pub(crate) fn trailers(of_source: &HeaderMap, allowed: &AllowList, pass: StatusPass) -> Option<HeaderMap> {
    let code = of_source.get(STATUS)?.to_str().ok()?.parse::<u16>().ok().filter(|code| *code <= 16)?;
    let mut trailers = HeaderMap::new();
    allowed.cross(of_source, &mut trailers);
    trailers.insert(STATUS, HeaderValue::from(code));
    if code == 0 {
        return Some(trailers);
    }
    let own = |name: &str, least: StatusPass| of_source.get(name).filter(|_| pass >= least).cloned();
    let words = own(MESSAGE, StatusPass::Text).unwrap_or(HeaderValue::from_static(NOT_ITS_WORDS));
    trailers.insert(MESSAGE, words);
    if let Some(details) = own(DETAILS, StatusPass::Details) {
        trailers.insert(DETAILS, details);
    }
    Some(trailers)
}

/// Whether trailers say that all went well.
pub(crate) fn is_ok(trailers: &HeaderMap) -> bool {
    trailers.get(STATUS).is_some_and(|code| code == "0")
}

/// The trailers that tell a no.
pub(crate) fn refusing(no: &No) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    // A status of ours always has a header form.
    let _ = no.status().add_header(&mut trailers);
    trailers
}

/// A no, before anything else was said.
pub(crate) fn refused(no: &No, exchange: &ExchangeId) -> http::Response<Body> {
    let mut response = no.status().into_http();
    if let Some(value) = named(exchange) {
        response.headers_mut().insert(TRANSACTION, value);
    }
    response
}

/// A whole answer: its outcome is durable.
pub(crate) fn whole(
    _: &Recorded,
    head: HeaderMap,
    exchange: &ExchangeId,
    message: Option<Bytes>,
    trailers: HeaderMap,
) -> http::Response<Body> {
    response(head, exchange, Whole { message, trailers: Some(trailers) })
}

/// An answer of which more comes. Its intent is durable; its outcome will be before its trailers.
pub(crate) fn begun(
    head: HeaderMap,
    exchange: &ExchangeId,
    more: mpsc::Receiver<Frame<Bytes>>,
) -> http::Response<Body> {
    response(head, exchange, More(more))
}

fn response<B>(head: HeaderMap, exchange: &ExchangeId, body: B) -> http::Response<Body>
where
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let mut response = http::Response::new(Body::new(body));
    *response.headers_mut() = head;
    response.headers_mut().insert(http::header::CONTENT_TYPE, GRPC);
    if let Some(value) = named(exchange) {
        response.headers_mut().insert(TRANSACTION, value);
    }
    response
}

struct Whole {
    message: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let message = self.message.take().map(Frame::data);
        let frame = message.or_else(|| self.trailers.take().map(Frame::trailers));
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_none() && self.trailers.is_none()
    }
}

struct More(mpsc::Receiver<Frame<Bytes>>);

impl http_body::Body for More {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|frame| frame.map(Ok))
    }
}
