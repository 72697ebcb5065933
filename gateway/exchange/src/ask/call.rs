//! One call, from its first byte to its last: identify → authorise → filter → screen → record the intent → ask the
//! source → filter → screen → record the outcome → deliver.
//!
//! Owns: that order. Whoever reads one file of `ask` reads this one.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Method as HttpMethod};
use http_body::Frame;
use journal::Recorded;
use model::{ExchangeId, Reason, Refusal};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;

use crate::ask::account::Underway;
use crate::ask::converse::{Answer, Asked, converse};
use crate::ask::decide::{No, Talk, Way};
use crate::ask::frames::Messages;
use crate::ask::metadata;
use crate::ask::reply;
use crate::ask::route::Routes;
use crate::deadline;
use crate::gateway::Gateway;
use crate::line::accept::{self, Arrived};
use crate::line::offer::at;
use crate::line::{party, purpose};

/// Frames of an answer that wait for the asker to take them.
const WAITING: usize = 4;

/// A call whose intent is recorded.
struct Begun {
    underway: Underway,
    intent: Recorded,
    asked: Asked,
    deadline: Instant,
}

/// Answers a call.
pub(crate) async fn answer(
    gateway: Arc<Gateway>,
    routes: &Routes,
    request: http::Request<Body>,
) -> http::Response<Body> {
    let (parts, body) = request.into_parts();
    let fresh = gateway.new_exchange_id(gateway.now());
    let named = accept::transaction(&parts.headers);
    let exchange = named.as_ref().and_then(|named| named.as_ref().ok().copied()).unwrap_or(fresh);
    let begun = match named {
        Some(Err(_)) => Err(at(Reason::ExchangeIdInvalid, "fsc-transaction-id", "a UUIDv7, or nothing")),
        _ => Ok(()),
    };
    match begin(gateway, routes, parts, body, exchange, begun.map_err(No::Asked)).await {
        Err(no) => reply::refused(&no, &exchange),
        Ok(begun) if begun.underway.talk.method.streams_replies => stream(begun).await,
        Ok(begun) => whole(begun).await,
    }
}

/// Everything up to the intent.
async fn begin(
    gateway: Arc<Gateway>,
    routes: &Routes,
    parts: Parts,
    body: Body,
    exchange: ExchangeId,
    acceptable: Result<(), No>,
) -> Result<Begun, No> {
    let (headers, waits) = (&parts.headers, deadline::timeout(&parts.headers));
    let found = routes.find(parts.uri.path());
    let arrived = Arrived::begun(&parts, gateway.now(), gateway.random_bytes());
    let actor = gateway.identified(&arrived, None).await.map_err(No::Asked)?;
    let rules = gateway.rules();
    let routed = found.and_then(|(route, name)| Some((route.method(&rules, name)?, route)));
    let Some((method, route)) = routed else {
        gateway.record_refusal(&arrived, &Reason::NotFound.into()).await.map_err(No::Asked)?;
        return Err(No::Unserved);
    };
    let deadline = Instant::now() + waits.map_or(route.timeout, |waits| waits.min(route.timeout));
    let (asker, client) = (party(&actor), OnceLock::new());
    let deflates = route.compression && metadata::takes_gzip(headers);
    let talk = Talk { gateway, route, method, arrived, actor, asker, exchange, deflates, client };
    let underway = Underway::new(talk);
    let opening = async {
        acceptable?;
        let limit = underway.talk.route.message_bytes;
        let inflates = underway.talk.route.compression && metadata::is_gzip(headers);
        first(&underway, Messages::new(body, limit).inflating(inflates)).await
    };
    let late = || No::Asked(Reason::DeadlineExceeded.into());
    let opened = timeout_at(deadline, opening).await.unwrap_or_else(|_| Err(late()));
    let (first, more) = match opened {
        Ok(opened) => opened,
        Err(no) => {
            underway.refuse(&no).await?;
            return Err(no);
        }
    };
    let intent = underway.begin().await?;
    let head = head(&underway.talk, &parts, deadline).map_err(No::Asked)?;
    let asked = Asked { head, first, more };
    Ok(Begun { underway, intent, asked, deadline })
}

/// The first message, decided about, and where the others come from.
async fn first(
    underway: &Underway,
    mut messages: Messages<Body>,
) -> Result<(Option<Bytes>, Option<Messages<Body>>), No> {
    let talk = &underway.talk;
    if purpose(&talk.actor).map_err(No::Asked)? != &talk.route.purpose {
        return Err(No::Asked(Reason::ExchangeNotDeclared.into()));
    }
    let limit = talk.route.message_bytes;
    let unread = |unread| No::unread(unread, Way::Request, limit);
    let first = messages.next().await.map_err(unread)?;
    let first = first.map(|first| underway.pass(Way::Request, &first)).transpose()?;
    talk.may_be_answered()?;
    if talk.method.streams_requests {
        let more = first.is_some().then_some(messages);
        return Ok((first, more));
    }
    if first.is_none() || messages.next().await.map_err(unread)?.is_some() {
        return Err(No::Asked(at(Reason::RequestInvalid, "message", "this method takes exactly one")));
    }
    Ok((first, None))
}

/// The head of the request to the source.
fn head(talk: &Talk, asked: &Parts, deadline: Instant) -> Result<http::Request<()>, Refusal> {
    let mut head = http::Request::new(());
    *head.method_mut() = HttpMethod::POST;
    *head.uri_mut() = talk.route.upstream.uri(&asked.uri);
    *head.version_mut() = http::Version::HTTP_2;
    talk.route.request_metadata.cross(&asked.headers, head.headers_mut());
    let left = deadline.saturating_duration_since(Instant::now());
    metadata::onward(head.headers_mut(), &talk.exchange, talk.arrived.trace.as_ref(), left);
    if talk.route.compression {
        head.headers_mut().insert(metadata::ACCEPTS, metadata::IDENTITY_AND_GZIP);
    }
    if let Some(voucher) = &talk.route.voucher {
        let (id, now) = (talk.gateway.random_bytes(), talk.gateway.now());
        head.headers_mut().insert(AUTHORIZATION, voucher.for_call(&talk.actor, id, now)?);
    }
    Ok(head)
}

/// An answer of one message: recorded as a whole before its first byte leaves.
async fn whole(begun: Begun) -> http::Response<Body> {
    let Begun { underway, intent, asked, deadline } = begun;
    let exchange = underway.talk.exchange;
    let mut answer = Answer::kept();
    let ended = timeout_at(deadline, converse(&underway, &intent, asked, &mut answer)).await;
    let ended = ended.unwrap_or(Err(No::TooLate));
    let recorded = underway.close(ended.as_ref().err()).await;
    match (ended, recorded, answer) {
        (Ok(trailers), Ok(recorded), Answer::Kept { head, message }) => {
            reply::whole(&recorded, head, &exchange, message, trailers)
        }
        (Err(no), Ok(_), _) | (_, Err(no), _) => reply::refused(&no, &exchange),
        (Ok(_), Ok(_), Answer::Streamed { .. }) => reply::refused(&No::Left, &exchange),
    }
}

/// An answer of many messages: each leaves when it was decided about, the trailers when all of it is recorded.
async fn stream(begun: Begun) -> http::Response<Body> {
    let exchange = begun.underway.talk.exchange;
    let (head, waiting) = oneshot::channel();
    let (frames, more) = mpsc::channel(WAITING);
    tokio::spawn(relay(begun, head, frames));
    match waiting.await {
        Ok(Ok(head)) => reply::begun(head, &exchange, more),
        Ok(Err(no)) => reply::refused(&no, &exchange),
        Err(_) => reply::refused(&No::Left, &exchange),
    }
}

async fn relay(
    begun: Begun,
    head: oneshot::Sender<Result<HeaderMap, No>>,
    frames: mpsc::Sender<Frame<Bytes>>,
) {
    let Begun { underway, intent, asked, deadline } = begun;
    let asker = frames.clone();
    let mut answer = Answer::Streamed { head: Some(head), frames };
    let ended = tokio::select! {
        ended = timeout_at(deadline, converse(&underway, &intent, asked, &mut answer)) => {
            ended.unwrap_or(Err(No::TooLate))
        }
        () = asker.closed() => Err(No::Left),
    };
    let recorded = underway.close(ended.as_ref().err()).await;
    let ended = recorded.and(ended);
    let Answer::Streamed { head, frames } = answer else { return };
    // An asker that is gone by now misses nothing but the end.
    let trailers = match (head, ended) {
        (Some(head), Err(no)) => return drop(head.send(Err(no))),
        (Some(head), Ok(trailers)) => {
            let _ = head.send(Ok(HeaderMap::new()));
            trailers
        }
        (None, ended) => ended.unwrap_or_else(|no| reply::refusing(&no)),
    };
    let _ = frames.send(Frame::trailers(trailers)).await;
}
