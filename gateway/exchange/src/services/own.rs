//! What holds for every call of the gateway's own services, before and after our code sees it.
//!
//! Owns: the deadline, refusals that tonic makes by itself – they stand in the log like any other –, and telling the
//! caller its transaction. What a service answers is the service's.

use std::convert::Infallible;
use std::future::Future;

use http::{HeaderMap, HeaderValue, Response};
use model::{Reason, Refusal};
use tonic::Status;
use tonic::body::Body;

use crate::ask::TRANSACTION;
use crate::deadline::Deadline;
use crate::door::Visitor;
use crate::gateway::Gateway;
use crate::line::accept::{self, Arrived};
use crate::status::status;

/// Who calls, as far as the head of the request tells.
pub(crate) struct Head {
    headers: HeaderMap,
    visitor: Option<Visitor>,
    deadline: Deadline,
}

impl Head {
    /// Looks at a request and puts its deadline on it.
    pub(crate) fn of(request: &mut http::Request<Body>, gateway: &Gateway) -> Head {
        let headers = request.headers().clone();
        let deadline = Deadline::of(&headers, gateway.limits().call_time);
        request.extensions_mut().insert(deadline.clone());
        Head { headers, visitor: request.extensions().get::<Visitor>().cloned(), deadline }
    }

    /// The answer of a service, or a refusal when it does not come in time or is one of tonic's own.
    pub(crate) async fn answer(
        self,
        gateway: &Gateway,
        answering: impl Future<Output = Result<Response<Body>, Infallible>>,
    ) -> Result<Response<Body>, Infallible> {
        let answered = tokio::select! {
            biased;
            answered = answering => Some(answered?),
            () = self.deadline.passed() => None,
        };
        let mut response = match answered {
            Some(response) => match refusal_of_tonic(&response) {
                Some((reason, told)) => {
                    let own = self.refuse(gateway, reason).await;
                    if told { response } else { own }
                }
                None => response,
            },
            None => self.refuse(gateway, Reason::DeadlineExceeded).await,
        };
        if let Some(Ok(named)) = accept::transaction(&self.headers)
            && let Ok(value) = HeaderValue::try_from(named.to_string())
        {
            response.headers_mut().entry(TRANSACTION).or_insert(value);
        }
        Ok(response)
    }

    async fn refuse(&self, gateway: &Gateway, reason: Reason) -> Response<Body> {
        let arrived = Arrived::unread(&self.headers, self.visitor.clone(), gateway.now());
        let refusal = gateway.recorded(&arrived, Refusal::from(reason)).await;
        status(&refusal, Vec::new()).into_http()
    }
}

/// Why tonic refused a call before any of our code saw it, and whether its own words stay: ours always have details.
fn refusal_of_tonic(response: &Response<Body>) -> Option<(Reason, bool)> {
    let headers = response.headers();
    let code = headers.get(Status::GRPC_STATUS)?;
    if code == "0" || headers.contains_key(Status::GRPC_STATUS_DETAILS) {
        return None;
    }
    Some(match code.as_bytes() {
        b"11" => (Reason::DocumentTooLarge, false),
        b"13" => (Reason::RequestInvalid, false),
        // No such method, no such service, no such compression: callers know tonic's codes for these.
        _ => (Reason::NotFound, true),
    })
}
