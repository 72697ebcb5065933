//! accept: a call as it came through the door. Nothing in it is believed yet.
//!
//! Owns: taking the visitor, the assertion, the transaction, the deadline and the trace out of a request's extensions and metadata. Next: `identify`,
//! where the certificate and the assertion say who acts.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, HeaderValue};
use identity::{Actor, Operator};
use ledger::Trace;
use model::{ExchangeId, Invalid, Oin, Reason, Refusal, Role, Timestamp};
use tokio::time::Instant;

use crate::ask::TRANSACTION;
use crate::deadline::Deadline;
use crate::door::{Turns, Visitor};

/// A call that arrived.
pub(crate) struct Arrived<M> {
    /// Who is connected: a certificate that the door let in.
    visitor: Option<Visitor>,
    authorization: Option<HeaderValue>,
    /// What the caller calls this exchange (`Fsc-Transaction-Id`), if it does.
    pub(crate) transaction: Option<Result<ExchangeId, Invalid>>,
    deadline: Deadline,
    turns: Option<Turns>,
    pub(crate) trace: Option<Trace>,
    pub(crate) now: Timestamp,
    pub(crate) message: M,
}

impl Arrived<()> {
    /// A call whose message was not read.
    pub(crate) fn unread(headers: &HeaderMap, visitor: Option<Visitor>, now: Timestamp) -> Arrived<()> {
        let transaction = transaction(headers);
        Arrived {
            visitor,
            authorization: None,
            transaction,
            deadline: Deadline::default(),
            turns: None,
            trace: None,
            now,
            message: (),
        }
    }

    /// A call whose messages are read one by one.
    pub(crate) fn begun(head: &http::request::Parts, now: Timestamp, span: [u8; 8]) -> Arrived<()> {
        Arrived::of(&head.headers, &head.extensions, now, span, ())
    }
}

impl<M> Arrived<M> {
    /// Takes a request apart.
    pub(crate) fn accept(request: tonic::Request<M>, now: Timestamp, span: [u8; 8]) -> Arrived<M> {
        let (metadata, extensions, message) = request.into_parts();
        Arrived::of(metadata.as_ref(), &extensions, now, span, message)
    }

    fn of(
        headers: &HeaderMap,
        extensions: &Extensions,
        now: Timestamp,
        span: [u8; 8],
        message: M,
    ) -> Arrived<M> {
        Arrived {
            visitor: extensions.get::<Visitor>().cloned(),
            authorization: headers.get(AUTHORIZATION).cloned(),
            trace: trace(headers, span),
            transaction: transaction(headers),
            deadline: extensions.get::<Deadline>().cloned().unwrap_or_default(),
            turns: extensions.get::<Turns>().cloned(),
            now,
            message,
        }
    }

    /// Who acts, in which role: the certificate must stand at this moment, and the assertion is used up.
    pub(crate) fn identify(&self) -> Result<Arc<Actor>, Refusal> {
        let visitor = self.visitor.as_ref().ok_or(Reason::CertificateRefused)?;
        // What is no text is no assertion either.
        visitor.actor(self.authorization.as_ref().map(|value| value.to_str().unwrap_or_default()))
    }

    /// The operator who calls: a certificate without OIN, that stands at this moment.
    pub(crate) fn operator(&self) -> Result<Arc<Operator>, Refusal> {
        self.visitor.as_ref().ok_or(Reason::CertificateRefused)?.operator()
    }

    /// Whether the certificate still stands; asked again while a stream lasts.
    pub(crate) fn is_welcome(&self) -> Result<(), Refusal> {
        self.visitor.as_ref().ok_or(Reason::CertificateRefused)?.peer().map(|_| ())
    }

    /// The organisation of the certificate, also when it or its assertion was refused: for the record, not for rights.
    pub(crate) fn oin(&self) -> Option<Oin> {
        Some(self.visitor.as_ref()?.known().0)
    }

    /// The roles in which someone of this organisation may act: those of its registered keys, and `systeem`.
    pub(crate) fn roles(&self) -> Vec<Role> {
        let peer = self.visitor.as_ref().and_then(|visitor| visitor.peer().ok());
        let own = peer.iter().flat_map(|peer| peer.organisation().roles()).cloned();
        own.chain([Role::systeem()]).collect()
    }

    /// How long the caller waits.
    pub(crate) fn deadline(&self) -> Deadline {
        self.deadline.clone()
    }

    /// In whose turns to work for this call, also after the head of its answer.
    pub(crate) fn turn(&self) -> Option<(Turns, Oin)> {
        self.turns.clone().zip(self.oin())
    }

    /// Until when a stream may last, if the caller said so.
    pub(crate) fn ends(&self) -> Option<Instant> {
        self.deadline.of_stream()
    }

    /// The same call with its message taken out.
    pub(crate) fn split(self) -> (Arrived<()>, M) {
        let Arrived { visitor, authorization, transaction, deadline, turns, trace, now, message } = self;
        (Arrived { visitor, authorization, transaction, deadline, turns, trace, now, message: () }, message)
    }
}

/// The transaction that the caller names, if it names one.
pub(crate) fn transaction(headers: &HeaderMap) -> Option<Result<ExchangeId, Invalid>> {
    let value = headers.get(TRANSACTION)?;
    Some(value.to_str().unwrap_or_default().parse())
}

/// The caller's place in its trace (W3C trace context), with a span of our own below it.
fn trace(headers: &HeaderMap, span: [u8; 8]) -> Option<Trace> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let [version, trace, parent, _flags] = text.split('-').collect::<Vec<_>>().try_into().ok()?;
    if version == "ff" || version.len() != 2 {
        return None;
    }
    let mut trace_id = [0; 16];
    let mut parent_id = [0; 8];
    hex::decode_to_slice(trace, &mut trace_id).ok()?;
    hex::decode_to_slice(parent, &mut parent_id).ok()?;
    Some(Trace {
        trace_id: ledger::TraceId(trace_id),
        span_id: ledger::SpanId(span),
        parent_span_id: Some(ledger::SpanId(parent_id)),
    })
}
