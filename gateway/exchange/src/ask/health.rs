//! Asking sources whether they are well (`grpc.health.v1`), so that a call is not the first to find out.
//!
//! Owns: the question, and how often. An address that is not well gets no calls until it says that it is again; one that
//! does not know the question is taken to be well. It is the gateway's own question: nothing of a client goes along.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use prost::Message as _;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus};

use crate::ask::frames::{Messages, framed};
use crate::ask::metadata::GRPC;
use crate::ask::upstream::Upstream;

/// How long an answer may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
/// An answer is two bytes.
const LONGEST: usize = 64;

/// Asks for as long as the route exists.
pub(crate) fn watch(upstream: &Arc<Upstream>, service: &str, every: Duration) {
    let question = HealthCheckRequest { service: service.to_owned() };
    let question = framed(&question.encode_to_vec());
    tokio::spawn(keep_asking(Arc::downgrade(upstream), question, every));
}

async fn keep_asking(upstream: Weak<Upstream>, question: Bytes, every: Duration) {
    let mut round = tokio::time::interval(every);
    loop {
        round.tick().await;
        let Some(upstream) = upstream.upgrade() else { return };
        for number in 0..upstream.addresses().len() {
            let asked =
                tokio::time::timeout(ANSWERED_WITHIN, is_well(&upstream, number, question.clone())).await;
            let well = asked.ok().flatten().unwrap_or(false);
            if let Some(address) = upstream.addresses().get(number) {
                address.is_said_to_be(well, every * 2);
            }
        }
    }
}

/// Whether an address says that it is well; nothing when it does not answer.
async fn is_well(upstream: &Upstream, number: usize, question: Bytes) -> Option<bool> {
    let mut sender = upstream.sender(number).await?;
    let path = Uri::from_static("/grpc.health.v1.Health/Check");
    let head = http::Request::post(upstream.uri(&path))
        .header(http::header::CONTENT_TYPE, GRPC)
        .header("te", "trailers")
        .body(())
        .ok()?;
    let (response, mut sending) = sender.send_request(head, false).ok()?;
    sending.send_data(question, true).ok()?;
    let (head, body) = response.await.ok()?.into_parts();
    if head.headers.get("grpc-status").is_some_and(|code| code == "12") {
        return Some(true); // it does not know the question
    }
    let answer = Messages::new(body, LONGEST).next().await.ok()??;
    let answer = HealthCheckResponse::decode(answer).ok()?;
    Some(answer.status() == ServingStatus::Serving)
}
