//! The conversation with the source: requests go out as they come in, replies come back as they come, each decided
//! about on its own.
//!
//! Owns: the order and the ends of a call at the source. Takes the proof of the intent: nobody is called without it.
//! Gives the trailers of the answer, or the no; what was said before is in the account.

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use journal::Recorded;
use model::{Reason, Refusal};
use tokio::sync::{mpsc, oneshot};
use tonic::body::Body;

use crate::ask::account::Underway;
use crate::ask::decide::{No, Way};
use crate::ask::frames::Messages;
use crate::ask::metadata::{self, is_grpc};
use crate::ask::reply;
use crate::ask::upstream::Opened;
use crate::streams;

/// What goes to the source.
pub(crate) struct Asked {
    pub(crate) head: http::Request<()>,
    /// The first message, decided about and in its frame.
    pub(crate) first: Option<Bytes>,
    /// The rest, when more may come.
    pub(crate) more: Option<Messages<Body>>,
}

/// Where the answer goes.
pub(crate) enum Answer {
    /// Kept until its outcome is recorded.
    Kept { head: HeaderMap, message: Option<Bytes> },
    /// To the asker, message by message.
    Streamed { head: Option<oneshot::Sender<Result<HeaderMap, No>>>, frames: mpsc::Sender<Frame<Bytes>> },
}

impl Answer {
    pub(crate) fn kept() -> Answer {
        Answer::Kept { head: HeaderMap::new(), message: None }
    }

    fn head(&mut self, of_source: HeaderMap) -> Result<(), No> {
        match self {
            Answer::Kept { head, .. } => *head = of_source,
            Answer::Streamed { head, .. } => {
                let waiting = head.take().ok_or(No::Left)?;
                waiting.send(Ok(of_source)).map_err(|_| No::Left)?;
            }
        }
        Ok(())
    }

    async fn message(&mut self, frame: Bytes) -> Result<(), No> {
        match self {
            Answer::Kept { message: Some(_), .. } => Err(invalid()),
            Answer::Kept { message, .. } => {
                *message = Some(frame);
                Ok(())
            }
            Answer::Streamed { frames, .. } => frames.send(Frame::data(frame)).await.map_err(|_| No::Left),
        }
    }
}

/// Asks the source and takes its answer. Gives the trailers.
pub(crate) async fn converse(
    underway: &Underway,
    intent: &Recorded,
    asked: Asked,
    answer: &mut Answer,
) -> Result<HeaderMap, No> {
    let Asked { head, first, more } = asked;
    let nothing_follows = first.is_none() && more.is_none();
    let upstream = &underway.talk.route.upstream;
    let mut opened = upstream.open(intent, head, nothing_follows).await.map_err(No::Answered)?;
    if let Some(first) = first {
        // One message within the limit: the source's window may be smaller, and then the rest of it waits here.
        opened.sending.send_data(first, more.is_none()).map_err(|error| No::Answered(wrong(&error)))?;
    }
    let Opened { response, sending, address } = opened;
    let requests = requests(underway, more, sending);
    let replies = replies(underway, response, answer);
    tokio::pin!(requests, replies);
    let ended = tokio::select! {
        biased;
        ended = &mut replies => ended,
        sent = &mut requests => match sent {
            Ok(_open) => replies.await, // the stream stays open until the answer is complete
            Err(no) => Err(no),
        },
    };
    match &ended {
        Ok(_) => address.went(true),
        Err(No::Answered(no)) if is_its_fault(no.reason) => address.went(false),
        Err(_) => {}
    }
    ended
}

/// Whether a no says that an address does not do what it should.
fn is_its_fault(reason: Reason) -> bool {
    matches!(reason, Reason::UpstreamUnavailable | Reason::UpstreamInvalid)
}

async fn requests(
    underway: &Underway,
    more: Option<Messages<Body>>,
    mut sending: h2::SendStream<Bytes>,
) -> Result<h2::SendStream<Bytes>, No> {
    let Some(mut more) = more else { return Ok(sending) };
    let limit = underway.talk.route.message_bytes;
    while let Some(message) = more.next().await.map_err(|unread| No::unread(unread, Way::Request, limit))? {
        let frame = underway.pass(Way::Request, &message)?;
        if streams::send(&mut sending, frame).await.is_err() {
            // The source wants no more; why, its answer says.
            return Ok(sending);
        }
    }
    // As above.
    let _ = sending.send_data(Bytes::new(), true);
    Ok(sending)
}

async fn replies(
    underway: &Underway,
    response: h2::client::ResponseFuture,
    answer: &mut Answer,
) -> Result<HeaderMap, No> {
    let route = &underway.talk.route;
    let (head, body) = response.await.map_err(|error| No::Answered(wrong(&error)))?.into_parts();
    if head.status != http::StatusCode::OK {
        let busy = matches!(head.status.as_u16(), 429 | 502 | 503 | 504);
        return Err(if busy { No::Answered(Reason::UpstreamUnavailable.into()) } else { invalid() });
    }
    if !is_grpc(&head.headers) {
        return Err(invalid());
    }
    let end = |headers: &HeaderMap| reply::trailers(headers, &route.reply_metadata, route.status);
    if body.is_end_stream() {
        return end(&head.headers).ok_or_else(invalid);
    }
    let mut crossing = HeaderMap::new();
    route.reply_metadata.cross(&head.headers, &mut crossing);
    if underway.talk.deflates {
        crossing.insert(metadata::ENCODING, metadata::GZIP);
    }
    if route.compression {
        crossing.insert(metadata::ACCEPTS, metadata::IDENTITY_AND_GZIP);
    }
    answer.head(crossing)?;
    let inflates = route.compression && metadata::is_gzip(&head.headers);
    let mut messages = Messages::new(body, route.message_bytes).inflating(inflates);
    let unread = |unread| No::unread(unread, Way::Reply, route.message_bytes);
    while let Some(message) = messages.next().await.map_err(unread)? {
        let frame = underway.pass(Way::Reply, &message)?;
        answer.message(frame).await?;
    }
    let trailers = messages.chunks().trailers().await.map_err(|error| No::Answered(wrong(&error)))?;
    let trailers = trailers.as_ref().and_then(end).ok_or_else(invalid)?;
    match answer {
        // Well, and yet no message: that is no answer of this method.
        Answer::Kept { message: None, .. } if reply::is_ok(&trailers) => Err(invalid()),
        Answer::Kept { message, .. } if !reply::is_ok(&trailers) => {
            *message = None;
            Ok(trailers)
        }
        _ => Ok(trailers),
    }
}

fn invalid() -> No {
    No::Answered(Reason::UpstreamInvalid.into())
}

/// What an error of the connection means: gone, or not speaking HTTP/2 as it should.
fn wrong(error: &h2::Error) -> Refusal {
    let broken = error.is_library() && error.reason().is_some_and(|reason| reason != h2::Reason::NO_ERROR);
    if broken { Reason::UpstreamInvalid.into() } else { Reason::UpstreamUnavailable.into() }
}
