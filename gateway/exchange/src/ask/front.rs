//! The fork in the road: the gateway's own services on one side, every other path on the other.
//!
//! Owns: that decision, by the first part of the path. What is no service of the gateway is an ask, also when nobody
//! serves it: then the refusal is recorded like any other.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service};
use tonic::service::Routes as OwnServices;

use crate::ask::Asks;
use crate::ask::call;
use crate::gateway::Gateway;
use crate::services::own::Head;

/// Packages that the gateway serves itself.
const OWN: [&str; 3] = ["/veldwacht.", "/grpc.health.v1.", "/grpc.reflection."];

/// Everything that the gateway answers.
#[derive(Clone)]
pub(crate) struct Front {
    own: OwnServices,
    gateway: Arc<Gateway>,
    asks: Arc<Asks>,
}

impl Front {
    pub(crate) fn new(own: OwnServices, gateway: Arc<Gateway>, asks: Arc<Asks>) -> Front {
        Front { own, gateway, asks }
    }
}

impl Service<http::Request<Body>> for Front {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The gateway's own services are always ready, and so is the handler of asks.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if OWN.iter().any(|own| request.uri().path().starts_with(own)) {
            let mut request = request;
            let head = Head::of(&mut request, &self.gateway);
            let (answering, gateway) = (self.own.call(request), Arc::clone(&self.gateway));
            return Box::pin(async move { head.answer(&gateway, answering).await });
        }
        let (gateway, routes) = (Arc::clone(&self.gateway), self.asks.routes());
        Box::pin(async move { Ok(call::answer(gateway, &routes, request).await) })
    }
}
