//! accept: a call as it came through the door. Nothing in it is believed yet.
//!
//! Owns: taking the visitor, the assertion and the trace out of a request's extensions and metadata. Next: `identify`,
//! where the certificate and the assertion say who acts.

use std::sync::Arc;

use identity::{Actor, Operator};
use ledger::Trace;
use model::{Oin, Reason, Refusal, Timestamp};
use tonic::metadata::MetadataMap;

use crate::door::Visitor;

/// A call that arrived.
pub(crate) struct Arrived<M> {
    /// Who is connected: a certificate that the door let in.
    visitor: Option<Visitor>,
    authorization: Option<String>,
    pub(crate) trace: Option<Trace>,
    pub(crate) now: Timestamp,
    pub(crate) message: M,
}

impl Arrived<()> {
    /// A call whose message was too long to be read.
    pub(crate) fn unread(visitor: Option<Visitor>, now: Timestamp) -> Arrived<()> {
        Arrived { visitor, authorization: None, trace: None, now, message: () }
    }
}

impl<M> Arrived<M> {
    /// Takes a request apart.
    pub(crate) fn accept(request: tonic::Request<M>, now: Timestamp, span: [u8; 8]) -> Arrived<M> {
        let (metadata, extensions, message) = request.into_parts();
        Arrived {
            visitor: extensions.get::<Visitor>().cloned(),
            authorization: metadata
                .get("authorization")
                .map(|value| value.to_str().unwrap_or_default().to_owned()),
            trace: trace(&metadata, span),
            now,
            message,
        }
    }

    /// Who acts, in which role: the certificate must stand at this moment, and the assertion is used up.
    pub(crate) fn identify(&self) -> Result<Arc<Actor>, Refusal> {
        let visitor = self.visitor.as_ref().ok_or(Reason::CertificateRefused)?;
        visitor.actor(self.authorization.as_deref())
    }

    /// The operator who calls: a certificate without OIN, that stands at this moment.
    pub(crate) fn operator(&self) -> Result<Arc<Operator>, Refusal> {
        self.visitor.as_ref().ok_or(Reason::CertificateRefused)?.operator()
    }

    /// Whether the certificate still stands; asked again while a stream lasts.
    pub(crate) fn is_welcome(&self) -> Result<(), Refusal> {
        self.visitor.as_ref().ok_or(Reason::CertificateRefused)?.peer().map(|_| ())
    }

    /// The organisation of the certificate, also when its assertion was refused.
    pub(crate) fn oin(&self) -> Option<Oin> {
        self.visitor.as_ref()?.organisation()
    }

    /// The same call with its message taken out.
    pub(crate) fn split(self) -> (Arrived<()>, M) {
        let Arrived { visitor, authorization, trace, now, message } = self;
        (Arrived { visitor, authorization, trace, now, message: () }, message)
    }
}

/// The caller's place in its trace (W3C trace context), with a span of our own below it.
fn trace(metadata: &MetadataMap, span: [u8; 8]) -> Option<Trace> {
    let text = metadata.get("traceparent")?.to_str().ok()?;
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
